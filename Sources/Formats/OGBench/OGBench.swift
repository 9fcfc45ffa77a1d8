import Foundation
import GoalCore
import HDF5
import Storage
import Support

/// OGBench's `.npz`: rows of states, one more than steps in each trajectory; validation episodes
/// lie in `<name>-val.npz` beside.
///
///     observations   [N, O]      f4
///     actions        [N, A]      f4; [N] of integers if they are discrete
///     terminals      [N]         1 in the last row of each trajectory, however it ended
///     qpos, qvel, ...  [N, ...]  optional
///
/// A trajectory's last row has a state and a dummy action, which is kept as `extra/last_actions`.
/// Files have no goals: OGBench draws them from the states, so a goal is a whole observation unless
/// the world or `--goal-indices` says otherwise. Rows beside the three become extras. Pictures for
/// observations are refused.
///
/// Files saved from OGBench's own loader are read as well. With `valids` (compact), 0 marks the
/// last row of a trajectory. With `next_observations`, every row is a step and `terminals` is 1 in
/// a trajectory's last. `rewards` of single-task sets are those of a row's own state.
///
/// Source: github.com/seohongpark/ogbench 1.2, `ogbench/utils.py`, `load_dataset`, and
/// `data_gen_scripts/`.
struct OGBench: DatasetFormat {
  let name = "ogbench"
  let summary = "OGBench's .npz with terminals, and its -val.npz beside"

  func recognizes(_ url: URL) -> Bool {
    let names = NumpyArchive.names(in: url)
    return ["observations.npy", "actions.npy", "terminals.npy"].allSatisfy(names.contains)
  }

  func isMeant(by output: URL) -> Bool { false }

  func mayBeMeant(by output: URL) -> Bool { ["npz"].contains(output.pathExtension) }

  func validation(of url: URL) -> URL? {
    let path = url.relativePath
    guard path.hasSuffix(".npz"), !path.hasSuffix("-val.npz") else { return nil }
    return URL(fileURLWithPath: path.dropLast(4) + "-val.npz")
  }

  func open(_ url: URL, _ options: FormatOptions) throws(FileError) -> any TrajectorySource {
    var opening = try OGBenchOpening(url, options)
    return try opening.source()
  }

  func write(_ request: FormatRequest) throws(FileError) -> ConversionNotes {
    let source = request.source
    let observations = try request.needed(.observations, "every dataset has them")
    let actions = try request.needed(.actions, "every dataset has them")
    let rows = source.steps + source.lengths.count
    let last = "extra/last_actions"
    let dummy = source.columns[last].flatMap {
      $0.axis != .states && $0.type == actions.type && $0.rowShape == actions.rowShape ? $0 : nil
    }
    let names = ["observations", "actions", "terminals"]
    let extras = source.columns.filter { path, column in
      path.hasPrefix("extra/") && !path.dropFirst(6).contains("/") && column.axis == .states
        && !names.contains(String(path.dropFirst(6)))
    }.sorted { $0.key < $1.key }
    var notes = ConversionNotes()
    // OGBench reads floats of 4 bytes.
    let isNarrowed = observations.type == .float64 || actions.type == .float64
    if isNarrowed { notes.lost.append("the last digits of floats of 8 bytes: OGBench has 4") }
    if dummy == nil {
      notes.computed.append("a dummy action in each trajectory's last row, which is 0")
    }
    notes.computed.append("terminals, 1 in each trajectory's last row, however it ended")

    let actionType = actions.type == .float64 ? HDF5Type.float32 : actions.type
    let hasLast = dummy != nil
    try ZipWriter(request).write(
      [
        FlatArray(
          "observations", .float32, shape: [rows] + observations.rowShape, .states,
          of: [.observations]
        ) { $0.known(.observations).narrowed() },
        FlatArray(
          "actions", actionType, shape: [rows] + actions.rowShape, .states, of: [.actions],
          and: last
        ) { table in
          let taken = table.known(.actions).narrowed()
          let zeros = {
            TableColumn(
              taken.type, rowShape: taken.rowShape, axis: .episodes, rows: table.episodes
            ) { $0.initializeMemory(as: UInt8.self, repeating: 0) }
          }
          return table.rows(taken, withLast: hasLast ? table.known(last).narrowed() : zeros())
        },
        FlatArray("terminals", .bool, shape: [rows], .states, of: []) { table in
          var flags = [UInt8](repeating: 0, count: table.steps + table.episodes)
          for end in table.starts(on: .states).dropFirst() { flags[end - 1] = 1 }
          return TableColumn(.bool, axis: .states, flags)
        },
      ]
        + extras.map { path, column in
          FlatArray(
            String(path.dropFirst(6)), column.type, shape: [rows] + column.rowShape, .states,
            of: [], and: path
          ) { $0.known(path) }
        })
    let kept: [ShardColumn] = [.observations, .actions]
    notes.lost += request.lost(but: Set(kept.map(\.rawValue) + [last] + extras.map(\.key)))
    if let beside = validation(of: request.url) {
      notes.assumed.append(
        "validation episodes, which OGBench looks for in \(beside.lastPathComponent), are those of the "
          + "dataset beside, named -val; without it they are missing")
    }
    return notes
  }
}

/// The layout found when an OGBench file is opened.
private struct OGBenchOpening {
  private let archive: NumpyArchive
  private let url: URL
  private let count: Int
  private var notes = ConversionNotes()
  private var parts: [NumpyRows.Part] = []
  private var taken: Set<String> = ["observations", "actions", "terminals"]

  init(_ url: URL, _ options: FormatOptions) throws(FileError) {
    self.url = url
    let names = NumpyArchive.names(in: url)
    let optional = ["valids", "next_observations", "rewards"].filter { names.contains($0 + ".npy") }
    archive = try NumpyArchive(
      url, needed: Set(["observations", "actions", "terminals"] + optional),
      rowsOf: "observations", options)
    if archive["timeouts"] != nil {
      throw .cannotConvert(
        url.path,
        reason: "it has timeouts, which OGBench's files have not: rows of D4RL are read from HDF5")
    }
    count = try archive.array("observations").shape[0]
  }

  /// Reads what there is.
  mutating func source() throws(FileError) -> NumpyRows {
    let observations = try archive.array("observations")
    let actions = try archive.array("actions")
    let terminals = try archive.array("terminals")
    let next = archive["next_observations"]
    if observations.shape.count > 2 || observations.type == .uint8 {
      throw .cannotConvert(
        url.path,
        reason:
          "its observations are pictures of shape \(observations.shape.dropFirst()), which no "
          + "learner here reads")
    }
    try observations.check(shape: [nil, nil], "[N, O]")
    try observations.checkIsFloat()
    let isDiscrete = actions.shape.count == 1
    try actions.check(shape: [count] + (isDiscrete ? [] : [nil]), "[\(count), A]")
    if !isDiscrete { try actions.checkIsFloat() }
    try terminals.check(shape: [count], "[\(count)]")
    if let next {
      try next.check(shape: observations.shape, "\(observations.shape)")
      guard next.type == observations.type else {
        throw .malformed(
          url.path, rule: "'next_observations' must be \(observations.type.rawValue)",
          found: next.type.rawValue)
      }
    }
    let rows = try trajectories(terminals, isTransitions: next != nil)
    parts.append(
      NumpyRows.Part(ShardColumn.observations.rawValue, observations, .states, next: next))
    parts.append(NumpyRows.Part(ShardColumn.actions.rawValue, actions, .steps))
    if let next {
      taken.insert("next_observations")
      let others = NumpyRows.otherNext(observations, next, rows)
      if others > 0 {
        notes.lost.append(
          "next_observations inside trajectories where they are not the next row's observations, in "
            + "\(others) rows")
      }
    } else {
      parts.append(NumpyRows.Part("extra/last_actions", actions, .lasts))
    }
    try addRewards(isTransitions: next != nil)
    addOthers(isTransitions: next != nil)
    return NumpyRows(parts, rows: rows, hasLastRows: next == nil, notes: notes)
  }

  /// The rows of each trajectory.
  private mutating func trajectories(
    _ terminals: NumpyArray, isTransitions: Bool
  ) throws(FileError) -> [NumpyRows.Rows] {
    var ends: [Int]
    var name = "terminals"
    if let valids = archive["valids"], !isTransitions {
      name = "valids"
      taken.insert(name)
      try valids.check(shape: [count], "[\(count)]")
      let valid = Set(NumpyRows.marked(valids))
      ends = (0..<count).filter { !valid.contains($0) }.map { $0 + 1 }
      notes.assumed.append(
        "valids are 0 in a trajectory's last row, and terminals in its last two, as OGBench's compact form has it"
      )
    } else {
      ends = NumpyRows.marked(terminals).map { $0 + 1 }
    }
    if ends.last != count {
      notes.assumed.append("the last row ends a trajectory, though \(name) do not say so")
      ends.append(count)
    }
    let all = zip([0] + ends, ends).map { $0..<$1 }
    if isTransitions {
      notes.assumed.append(
        "every row is a step, and next_observations the state after it; a trajectory's last row is its last step"
      )
      notes.assumed.append("terminals mark the end of a trajectory, not of the task")
      return all.map { [$0] }
    }
    let long = all.filter { $0.count > 1 }
    if let short = all.first(where: { $0.count == 1 }) {
      guard !long.isEmpty else {
        throw .malformed(
          url.path, rule: "a trajectory must have 2 rows or more, one to end in", found: "1 in all")
      }
      notes.lost.append(
        "observations and actions of \(all.count - long.count) of \(all.count) trajectories, which have one "
          + "row and so no step, first row \(short.lowerBound)")
    }
    notes.assumed.append(
      "a trajectory's last row is its last state, and the action there a dummy, kept as "
        + "extra/last_actions")
    notes.assumed.append("terminals mark the end of a trajectory, not of the task")
    return long.map { [$0] }
  }

  /// Adds the rewards of single-task sets.
  private mutating func addRewards(isTransitions: Bool) throws(FileError) {
    guard let rewards = archive["rewards"], rewards.shape[0] == count,
      rewards.shape.dropFirst().allSatisfy({ $0 == 1 }),
      [.float32, .float64].contains(rewards.type)
    else { return }
    taken.insert("rewards")
    parts.append(NumpyRows.Part(ShardColumn.rewards.rawValue, rewards, .steps))
    notes.assumed.append(
      "rewards are of the state before each step, as OGBench makes them for a single task; they are kept as they are"
    )
    if !isTransitions {
      notes.lost.append("rewards of each trajectory's last row, where no step is")
    }
  }

  /// Adds other rows, and says what is left out.
  private mutating func addOthers(isTransitions: Bool) {
    for (name, array) in archive.arrays where !taken.contains(name) {
      guard array.shape[0] == count, isColumnName(name), name != "last_actions" else {
        notes.lost.append(
          "'\(shown(name))', an array of shape \(array.shape), which is not over rows, or has no plain name"
        )
        continue
      }
      parts.append(NumpyRows.Part("extra/" + name, array, isTransitions ? .steps : .states))
    }
    notes.computed += archive.conversions
    for (name, reason) in archive.others { notes.lost.append("'\(name)', \(reason)") }
  }
}
