import GoalCore
import HDF5
import SafeHDF5
import Storage
import Support

// Observations and goals that are joined from several datasets.

extension EpisodeGroups {
  /// Adds observations or goals that are joined from datasets of these names, which must be
  /// numbers; `pieces` makes a name's pieces.
  mutating func addKeys(
    _ column: ShardColumn, _ keys: [String], axis: RowAxis, option: String,
    _ pieces: (String) -> [Piece]
  ) throws(FileError) {
    for key in keys {
      let first = pieces(key)[0]
      guard let dataset = try EpisodeGroups.dataset(first.dataset, in: try group(0)) else {
        throw .cannotConvert(
          file.name, reason: "\(option) names '\(shown(key))', and '\(first.dataset)' is missing")
      }
      try checkIsVector(dataset)
    }
    try addJoined(column.rawValue, axis, keys.map(pieces))
    let type = columns[column.rawValue]?.described.type.rawValue ?? ""
    notes.assumed.append(
      "\(column.rawValue): \(keys.joined(separator: ", ")), joined in this order as \(type), as \(option) says"
    )
  }

  /// Adds observations and goals of the keys that were asked for, out of a group of observations.
  ///
  /// Goals are joined below achieved_goal and desired_goal if these are groups, or else out of the
  /// observations, which gives achieved goals alone. Groups of goals that nothing is said of are
  /// named.
  ///
  /// - Returns: The paths in the group that are taken.
  mutating func addNamedKeys(
    _ inner: SafeGroup, _ options: FormatOptions, _ pieces: (String) -> [Piece]
  ) throws(FileError) -> Set<String> {
    var taken: Set<String> = []
    if let keys = options.observationKeys {
      try addKeys(.observations, keys, axis: .states, option: "--observation-keys", pieces)
      taken.formUnion(keys)
    }
    var nested: [String] = []
    for name in ["achieved_goal", "desired_goal"] where inner.contains(name) {
      if try inner.isGroup(name) { nested.append(name) }
    }
    guard let keys = options.goalKeys else {
      if let name = nested.first {
        let group = try inner.group(name)
        let names = group.names.map(shown).joined(separator: ", ")
        let known = try joinable(group).joined(separator: ",")
        notes.assumed.append(
          "\(nested.joined(separator: " and ")) have several parts (\(names)), kept as extras and not taken as "
            + "goals: --goal-keys \(known) joins them")
      }
      return taken
    }
    guard !nested.isEmpty || !inner.contains("achieved_goal") else {
      throw .cannotConvert(
        file.name, reason: "--goal-keys has nothing to join: achieved_goal is one array")
    }
    let below = nested.contains("achieved_goal") ? "achieved_goal/" : ""
    try addKeys(.achievedGoals, keys, axis: .states, option: "--goal-keys") { pieces(below + $0) }
    taken.formUnion(keys.map { below + $0 })
    if nested.contains("desired_goal") {
      try addGoalKeys(keys, options) { pieces("desired_goal/" + $0) }
      taken.formUnion(keys.map { "desired_goal/" + $0 })
    }
    return taken
  }

  /// The refusal of several observations without an order to join them.
  func unclear(_ names: [String], _ joinable: [String], _ head: String) -> FileError {
    let keys = joinable.map(shown)
    let remedy =
      keys.isEmpty
      ? "none of which is numbers in a row"
      : "say which make an observation, in order, with --observation-keys "
        + keys.joined(separator: ",")
    return .cannotConvert(
      file.name,
      reason: "\(head) \(names.map(shown).joined(separator: ", ")): \(remedy)")
  }

  /// The names of a group that can be joined: those of numbers that are no pictures.
  func joinable(_ group: SafeGroup) throws(FileError) -> [String] {
    var names: [String] = []
    for path in try EpisodeGroups.datasets(below: group) {
      guard let dataset = try EpisodeGroups.dataset(path, in: group), dataset.type != nil,
        dataset.type != .uint8 || dataset.rowShape.count < 2
      else { continue }
      names.append(path)
    }
    return names
  }

  /// Adds desired goals that are joined from several datasets: one for each episode if none of them
  /// moves.
  mutating func addGoalKeys(
    _ keys: [String], _ options: FormatOptions, _ pieces: (String) -> [Piece]
  ) throws(FileError) {
    var stays = true
    for key in keys where stays {
      guard try EpisodeGroups.dataset(pieces(key)[0].dataset, in: try group(0)) != nil else {
        break
      }
      stays = try isConstant(pieces(key), options)
    }
    try addKeys(
      .desiredGoals, keys, axis: stays ? .episodes : .states, option: "--goal-keys"
    ) { key in
      let all = pieces(key)
      return stays ? [Piece(all[0].dataset, all[0].axis, .first)] : all
    }
  }
}
