import Foundation
import GoalCore
import HDF5
import SafeHDF5
import Storage
import Support

/// The layout found when a D4RL file is opened: where episodes end, which columns there are, what
/// is lost.
struct D4RLOpening {
  /// A dataset of the file, and how a column comes of it.
  struct Stored: Sendable {
    enum Kind: Sendable {
      /// A row for each step of the file.
      case steps
      /// A row for each step; the last state's is that after an episode's last step.
      case states(next: SafeDataset)
      /// A row for each step, of which an episode's last is repeated.
      case repeated
      /// A row for each step, of which the episode's last belongs to its last state.
      case statesInRows
      /// A row for each episode, the first of its steps.
      case firsts
      /// A column of ours, with its own rows.
      case own
    }
    let dataset: SafeDataset
    let kind: Kind
  }

  let file: SafeFile
  private let root: SafeGroup
  private let options: FormatOptions
  /// Rows of the file.
  private let count: Int
  /// The state after each step, if it is there.
  private let next: SafeDataset?
  /// Rows before each episode of the file, and in all; an episode may leave its last row out.
  let rows: [Int]
  /// Which episodes of the file have a step.
  let kept: [Int]
  let lengths: [Int]
  let flags: (terminated: [UInt8], truncated: [UInt8])
  private(set) var columns: [String: SourceColumn] = [:]
  private(set) var datasets: [String: Stored] = [:]
  private(set) var notes = ConversionNotes()

  /// Reads where episodes end.
  init(_ url: URL, _ options: FormatOptions) throws(FileError) {
    let file = try SafeFile(contentsOf: url)
    let root = try file.root()
    self.file = file
    self.root = root
    self.options = options
    let terminals = try D4RLOpening.needed("terminals", root)
    let timeouts = root.contains("timeouts") ? try D4RLOpening.needed("timeouts", root) : nil
    let ends = try D4RLOpening.ends(terminals, timeouts, options, &notes)
    count = terminals.rows
    let rows = [0] + ends.map(\.row)
    self.rows = rows
    next =
      root.contains("next_observations")
      ? try D4RLOpening.needed("next_observations", root) : nil
    let hasNext = next != nil
    let all = zip(rows, rows.dropFirst()).map { $1 - $0 - (hasNext ? 0 : 1) }
    let kept = all.indices.filter { all[$0] > 0 }
    self.kept = kept
    lengths = kept.map { all[$0] }
    flags = (
      kept.map { hasNext && ends[$0].terminated ? 1 : 0 },
      kept.map { !hasNext || ends[$0].truncated ? 1 : 0 }
    )
    guard !hasNext else { return }
    guard !kept.isEmpty else {
      throw .cannotConvert(
        url.path,
        reason:
          "all \(all.count) episodes have one row and the file has no next_observations, so no step "
          + "of which both states are known")
    }
    if let first = all.firstIndex(of: 0) {
      notes.lost.append(
        "\(all.count - kept.count) of \(all.count) episodes, which have one row and no next_observations to say "
          + "where it led, first row \(rows[first])"
          + (options.ends == .timeouts ? "" : ": --ends timeouts lets episodes go on at terminals"))
    }
    notes.lost.append(
      "actions, rewards and terminals of each episode's last row, as the file has no next_observations to say "
        + "where it led; so every episode is cut off by time")
  }

  private static func needed(
    _ path: String, _ root: SafeGroup
  ) throws(FileError) -> SafeDataset {
    guard let found = try EpisodeGroups.dataset(path, in: root) else {
      throw .missingDataset(file: root.fileName, dataset: path)
    }
    return found
  }

  private mutating func add(
    _ path: String, _ dataset: SafeDataset, _ kind: Stored.Kind, _ axis: RowAxis,
    rows: Int, isFlat: Bool = false
  ) throws(FileError) {
    guard let type = dataset.type else {
      throw .wrongType(
        file: file.name, dataset: dataset.path, expected: "numbers",
        found: dataset.typeDescription)
    }
    guard !dataset.shape.isEmpty, dataset.rows == rows, !dataset.rowShape.contains(0),
      !isFlat || dataset.rowShape.allSatisfy({ $0 == 1 })
    else {
      throw .wrongShape(
        file: file.name, dataset: dataset.path,
        expected: [rows] + (isFlat ? [] : dataset.rowShape), found: dataset.shape)
    }
    try checkSize(dataset.rows * dataset.rowBytes)
    if let words = dataset.conversion { notes.computed.append("\(path) as \(words)") }
    columns[path] = SourceColumn(type, rowShape: isFlat ? [] : dataset.rowShape, axis: axis)
    datasets[path] = Stored(dataset: dataset, kind: kind)
  }

  /// Adds what every file must have, with a row for each step.
  mutating func addRows() throws(FileError) {
    let observations = try D4RLOpening.needed("observations", root)
    let isVector = observations.shape.count == 2
    guard isVector, observations.type == .float32 || observations.type == .float64 else {
      throw .cannotConvert(
        file.name,
        reason: "'observations' must be rows of floats, found \(observations.typeDescription) of "
          + "shape \(observations.shape)")
    }
    if let next, next.shape != observations.shape || next.type != observations.type {
      throw .wrongShape(
        file: file.name, dataset: next.path, expected: observations.shape, found: next.shape)
    }
    try add(
      ShardColumn.observations.rawValue, observations,
      next.map { .states(next: $0) } ?? .statesInRows, .states, rows: count)
    let actions = try D4RLOpening.needed("actions", root)
    let isDiscrete = actions.type != .float32 && actions.type != .float64
    guard isDiscrete || actions.shape.count == 2 else {
      throw .cannotConvert(
        file.name, reason: "'actions' must be rows of numbers, their shape is \(actions.shape)")
    }
    let path = ShardColumn.actions.rawValue
    try add(path, actions, .steps, .steps, rows: count, isFlat: isDiscrete)
    if isDiscrete { columns[path] = SourceColumn(.int32, axis: .steps) }
    let rewards = try D4RLOpening.needed("rewards", root)
    try add(ShardColumn.rewards.rawValue, rewards, .steps, .steps, rows: count, isFlat: true)
    if rewards.type != .float32, rewards.type != .float64 {
      columns[ShardColumn.rewards.rawValue] = SourceColumn(.float64, axis: .steps)
      notes.computed.append("rewards as f64, which were \(rewards.typeDescription)")
    }
    for column in [ShardColumn.terminated, .truncated] {
      columns[column.rawValue] = SourceColumn(.uint8, axis: .episodes)
    }
  }

  /// Adds what stands below metadata/goalpost, which goes before what other rows say.
  mutating func addOwn() throws(FileError) {
    guard next != nil, let own = try D4RLOpening.group(D4RL.rest, root) else { return }
    let total = lengths.reduce(0, +)
    for axis in [RowAxis.steps, .states, .episodes] {
      guard let place = try D4RLOpening.group(axis.rawValue, own) else { continue }
      let rows = axis == .steps ? total : axis == .states ? total + lengths.count : lengths.count
      for path in try EpisodeGroups.datasets(below: place) {
        guard let found = try EpisodeGroups.dataset(path, in: place) else { continue }
        try RestColumn.check(path, axis, found)
        try add(path, found, .own, axis, rows: rows)
      }
    }
  }

  /// Adds goals and other rows below infos, and says what is left out.
  mutating func addOthers() throws(FileError) {
    let known = [
      "observations", "next_observations", "actions", "rewards", "terminals", "timeouts",
    ]
    for path in try EpisodeGroups.datasets(below: root) {
      if known.contains(path) || next != nil && path.hasPrefix(D4RL.rest + "/") { continue }
      let found = try D4RLOpening.needed(path, root)
      let isRows = found.shape.first == count && !found.rowShape.contains(0)
      let isFloat = found.type == .float32 || found.type == .float64
      let extra = "extra/" + path.dropFirst(6)
      if path == "infos/goal", isRows, found.shape.count == 2, isFloat {
        try addGoals(found)
      } else if path.hasPrefix("infos/"), isRows, found.type != nil, isColumnPath(path),
        columns[extra] == nil
      {
        // A row that has no step has a state.
        try add(
          extra, found, next == nil ? .statesInRows : .steps, next == nil ? .states : .steps,
          rows: count)
      } else {
        let isOutside = isRows && found.type != nil && !path.hasPrefix("infos/")
        notes.lost.append(
          "'\(shown(path))', \(found.typeDescription) of shape \(found.shape), which is "
            + (isOutside
              ? "outside of infos, where other rows are looked for"
              : "not a plainly named row of numbers for each step"))
      }
    }
    let attributes = try root.attributes()
    if !attributes.isEmpty {
      notes.lost.append(
        "attributes of the file: \(shown(attributes.keys.sorted()))")
    }
  }

  private mutating func addGoals(_ goals: SafeDataset) throws(FileError) {
    let path = ShardColumn.desiredGoals.rawValue
    guard columns[path] == nil else {
      return notes.assumed.append(
        "desired goals are those below \(D4RL.rest), which has a row for each state, and not those of infos/goal"
      )
    }
    try checkSize(count * goals.rowBytes)
    if try D4RLOpening.isConstant(goals, rows, options) {
      return try add(path, goals, .firsts, .episodes, rows: count)
    }
    try add(path, goals, next == nil ? .statesInRows : .repeated, .states, rows: count)
    if next != nil {
      notes.assumed.append("the goal at an episode's last state is that of its last step")
    }
  }

  private func checkSize(_ bytes: Int) throws(FileError) {
    try options.checkSize(bytes, of: file)
  }

  /// Checks the size of it all, and that states follow each other.
  mutating func finish() throws(FileError) {
    let bytes = columns.values.reduce(0) { sum, column in
      sum + (count + rows.count) * column.width * column.type.byteCount
    }
    try checkSize(bytes)
    guard let next, let now = datasets[ShardColumn.observations.rawValue]?.dataset else { return }
    let others = try D4RLOpening.checkShift(now, next, rows, options)
    if others > 0 {
      notes.lost.append(
        "next_observations inside episodes where they are not the next row's observations, in "
          + "\(others) rows")
    }
  }
}
