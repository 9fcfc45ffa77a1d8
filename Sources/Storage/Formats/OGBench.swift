import Foundation
import GoalCore
import HDF5

/// OGBench's `.npz`: rows of states, one more than steps in each trajectory; validation episodes lie in
/// `<name>-val.npz` beside.
///
///     observations   [N, O]      f4
///     actions        [N, A]      f4; [N] of integers where they are discrete
///     terminals      [N]         1 in the last row of each trajectory, however it ended
///     qpos, qvel, ...  [N, ...]  optional
///
/// A trajectory's last row has a state and a dummy action, which is kept as `extra/last_actions`. There are
/// no goals: OGBench draws them from the states, so a goal is a whole observation unless the world or
/// `--goal-indices` says otherwise. Rows beside the three become extras. Pictures for observations are
/// refused.
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

  func validation(of url: URL) -> URL? {
    let path = url.relativePath
    guard path.hasSuffix(".npz"), !path.hasSuffix("-val.npz") else { return nil }
    return URL(fileURLWithPath: path.dropLast(4) + "-val.npz")
  }

  func open(_ url: URL, _ options: FormatOptions) throws(StorageError) -> any TrajectorySource {
    try OGBenchEpisodes(url, options)
  }

  func write(_ request: FormatRequest) throws(StorageError) -> ConversionNotes {
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
          + "dataset beside, named -val; without it there are none")
    }
    return notes
  }
}

/// Trajectories of an OGBench file.
private struct OGBenchEpisodes: TrajectorySource {
  let lengths: [Int]
  let columns: [String: SourceColumn]
  let environment: String? = nil
  let notes: ConversionNotes
  private let arrays: [(path: String, array: NumpyArray)]
  private let actions: NumpyArray
  private let starts: [Int]

  init(_ url: URL, _ options: FormatOptions) throws(StorageError) {
    let archive = try NumpyArchive(
      url, needed: ["observations", "actions", "terminals"], rowsOf: "observations", options)
    let observations = try archive.array("observations")
    actions = try archive.array("actions")
    let terminals = try archive.array("terminals")
    if observations.shape.count > 2 || observations.type == .uint8 {
      throw .cannotConvert(
        url.path,
        reason:
          "its observations are pictures of shape \(observations.shape.dropFirst()), which no "
          + "learner here reads")
    }
    try observations.check(shape: [nil, nil], "[N, O]")
    try observations.checkIsFloat()
    let rows = observations.shape[0]
    let isDiscrete = actions.shape.count == 1
    try actions.check(shape: [rows] + (isDiscrete ? [] : [nil]), "[\(rows), A]")
    if !isDiscrete { try actions.checkIsFloat() }
    try terminals.check(shape: [rows], "[\(rows)]")

    var starts = [0]
    let flags = terminals.rows(0..<rows, leading: 1, axis: .states)
    for row in stride(from: 0, to: rows, by: 65_536) {
      for (place, flag) in flags.slice(row..<min(row + 65_536, rows)).floats().enumerated()
      where flag != 0 { starts.append(row + place + 1) }
    }
    var notes = ConversionNotes()
    if starts.last != rows {
      notes.assumed.append("the last row ends a trajectory, though terminals do not say so")
      starts.append(rows)
    }
    var lengths: [Int] = []
    for (start, end) in zip(starts, starts.dropFirst()) {
      guard end - start > 1 else {
        throw .malformed(
          url.path, rule: "a trajectory must have 2 rows or more, one to end in, at row \(start)",
          found: "1")
      }
      lengths.append(end - start - 1)
    }
    self.starts = starts
    self.lengths = lengths
    notes.assumed.append(
      "a trajectory's last row is its last state, and the action there a dummy, kept as "
        + "extra/last_actions")
    notes.assumed.append("terminals mark the end of a trajectory, not of the task")

    let actionShape = isDiscrete ? [] : [actions.shape[1]]
    let actionType = isDiscrete ? HDF5Type.int32 : actions.type
    var columns: [String: SourceColumn] = [
      ShardColumn.observations.rawValue: SourceColumn(
        observations.type, rowShape: [observations.shape[1]], axis: .states),
      ShardColumn.actions.rawValue: SourceColumn(actionType, rowShape: actionShape, axis: .steps),
      "extra/last_actions": SourceColumn(actionType, rowShape: actionShape, axis: .episodes),
    ]
    var arrays = [(path: ShardColumn.observations.rawValue, array: observations)]
    for (name, array) in archive.arrays
    where !["observations", "actions", "terminals"].contains(name) {
      guard array.shape[0] == rows, isColumnName(name), name != "last_actions" else {
        notes.lost.append(
          "'\(shown(name))', an array of shape \(array.shape), which is not over rows, or has no plain name"
        )
        continue
      }
      columns["extra/" + name] = SourceColumn(
        array.type, rowShape: Array(array.shape.dropFirst()), axis: .states)
      arrays.append(("extra/" + name, array))
    }
    for (name, reason) in archive.others { notes.lost.append("'\(name)', \(reason)") }
    self.columns = columns
    self.arrays = arrays
    self.notes = notes
  }

  func table(
    of episodes: Range<Int>, only wanted: Set<String>?
  ) throws(StorageError) -> TrajectoryTable {
    var table = TrajectoryTable(
      indices: episodes.map { Int64($0) }, lengths: Array(lengths[episodes]))
    let range = starts[episodes.lowerBound]..<starts[episodes.upperBound]
    for (path, array) in arrays where wanted?.contains(path) ?? true {
      table[path] = array.rows(range, leading: 1, axis: .states)
    }
    let taken = actions.rows(range, leading: 1, axis: .states)
    let isDiscrete = actions.shape.count == 1
    let all =
      isDiscrete && taken.type != .int32
      ? TableColumn(.int32, axis: .states, taken.integers().map { Int32(clamping: $0) }) : taken
    let rows = table.starts(on: .states)
    table[.actions] = all.gathered(
      zip(rows, table.lengths).lazy.map { $0..<($0 + $1) }, count: table.steps, axis: .steps)
    table["extra/last_actions"] = all.gathered(
      rows.dropFirst().lazy.map { ($0 - 1)..<$0 }, count: table.episodes, axis: .episodes)
    return table
  }
}
