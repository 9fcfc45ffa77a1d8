import Foundation
import GoalCore
import HDF5
import SafeHDF5
import Storage
import Support

/// A robomimic dataset, an HDF5 file.
///
///     data                 attributes total, env_args (JSON: env_name, type, env_kwargs)
///     data/demo_<k>        attribute num_samples
///       obs/<key> [T, …]   next_obs/<key> [T, …]   actions [T, A]   rewards [T]   dones [T]
///       states [T, S]      the simulator's state before each step
///       goalpost/…         columns that robomimic has no place for, and does not look at
///     mask/<name>          names of demos: train, valid, …
///
/// Observations of goals have the keys observation, achieved_goal and desired_goal. The state after
/// the last step is the last of `next_obs`. Without `next_obs` the last transition has no next
/// state and is dropped.
///
/// `dones` is written as robomimic defines it, 1 if the action ended the episode by itself; its own
/// files often have 1 at the end of any. Seeds and both flags are attributes of a demo besides,
/// which robomimic does not look at, and a mask is the extra `mask_<name>`, 0 or 1 for each
/// episode. Of a dataset of ours with its episodes for validation beside it, both go into one file,
/// with the masks train and valid.
///
/// Source: robomimic 0.3.0, `utils/dataset.py` and `docs/datasets/overview.md`.
struct Robomimic: DatasetFormat {
  let name = "robomimic"
  let summary = "robomimic's HDF5 file of data/demo_<k>, with masks"

  func recognizes(_ url: URL) -> Bool {
    guard let root = try? SafeFile(contentsOf: url).root(), root.contains("data"),
      let data = try? root.group("data")
    else { return false }
    return data.names.contains { Robomimic.number(of: $0) != nil }
  }

  func isMeant(by output: URL) -> Bool { false }

  func mayBeMeant(by output: URL) -> Bool { ["h5", "hdf5"].contains(output.pathExtension) }

  let keepsValidationInside = true
  let joinsKeys = true

  /// The prefix of the columns of masks.
  static let maskPrefix = "extra/mask_"

  func open(_ url: URL, _ options: FormatOptions) throws(FileError) -> any TrajectorySource {
    try RobomimicEpisodes(url, options)
  }

  /// The number in a demo's name.
  fileprivate static func number(of name: String) -> Int? {
    name.hasPrefix("demo_") ? Int(name.dropFirst(5)) : nil
  }

  func write(_ request: FormatRequest) throws(FileError) -> ConversionNotes {
    let writing = try RobomimicWriting(request)
    try writing.write()
    return writing.notes
  }
}

/// Episodes of a robomimic dataset.
private struct RobomimicEpisodes: TrajectorySource {
  let environment: String?
  private let groups: EpisodeGroups
  private let masks: [String: [UInt8]]

  var lengths: [Int] { groups.lengths }
  var notes: ConversionNotes { groups.notes }
  var otherFiles: [URL] { groups.file.sourceFiles }
  var columns: [String: SourceColumn] {
    groups.described.merging(
      masks.mapValues { _ in SourceColumn(.uint8, axis: .episodes) }
    ) { $1 }
  }

  init(_ url: URL, _ options: FormatOptions) throws(FileError) {
    let file = try SafeFile(contentsOf: url)
    let root = try file.root()
    let data = try root.group("data")
    let numbered = data.names.compactMap { name in Robomimic.number(of: name).map { ($0, name) } }
      .sorted { $0.0 < $1.0 }
    var groups = try EpisodeGroups(file, data, names: numbered.map(\.1))
    let others = data.names.filter { Robomimic.number(of: $0) == nil }
    if !others.isEmpty {
      groups.notes.lost.append(
        "\(shown(others)) of data, which are no demos")
    }
    try RobomimicEpisodes.readEnds(&groups, options)

    var first = try groups.group(0)
    guard first.contains("obs") else {
      throw .cannotConvert(
        url.path,
        reason: "'\(first.path(of: "obs"))' is missing: robomimic's dataset_states_to_obs.py adds "
          + "observations to demonstrations that have states and actions alone")
    }
    let hasNext = first.contains("next_obs")
    if !hasNext {
      try groups.dropLastSteps()
      // Another may be the first now.
      first = try groups.group(0)
      groups.notes.lost.append(
        "actions, rewards and dones of each episode's last row, as the file has no next_obs to say where it led; so "
          + "every episode is cut off by time")
    }
    func piece(_ name: String) -> EpisodeGroups.Piece {
      hasNext ? .init(name, .steps) : .init(name, .states, .beforeLast)
    }
    try groups.addUsual(.actions, [piece("actions")])
    if first.contains("rewards") { try groups.addUsual(.rewards, [piece("rewards")]) }
    try RobomimicEpisodes.addObservations(&groups, first, hasNext: hasNext, options)
    if hasNext { try groups.addRest() }
    if first.contains("states") {
      if groups.columns[ShardColumn.states.rawValue] == nil {
        // A row before each step is a row for each state, if the last step is left out.
        let axis: RowAxis = hasNext ? .steps : .states
        try groups.addExtra("states", axis, [.init("states", axis)], first, note: "states")
      } else {
        groups.notes.assumed.append(
          "states: those below \(EpisodeGroupsWriter.rest), which has all")
      }
    }
    try groups.addLeft(
      known: Set(["actions", "rewards", "dones", "states", "obs", "next_obs"])
        .union(hasNext ? [EpisodeGroupsWriter.rest] : []), options)
    try groups.skipBad(options)
    try groups.checkSize(options)

    var more: [String] = []
    for name in root.names where name != "data" && name != "mask" {
      let isGroup = try root.isGroup(name)
      guard isGroup else {
        more.append(name)
        continue
      }
      let inner = try root.group(name)
      more += try EpisodeGroups.datasets(below: inner).map { name + "/" + $0 }
    }
    if !more.isEmpty {
      groups.notes.lost.append(
        "\(shown(more)) beside data and mask, for which a dataset has no place")
    }
    try groups.addAttributes(of: root, leaving: [], "the file")
    masks = try RobomimicEpisodes.masks(root, &groups)
    environment = try RobomimicEpisodes.environment(data, url, &groups)
    self.groups = groups
  }

  private static func readEnds(
    _ groups: inout EpisodeGroups, _ options: FormatOptions
  ) throws(FileError) {
    let first = try groups.group(0)
    if first.contains("dones") {
      try groups.readEnds(terminated: "dones", truncated: nil, options)
    } else {
      try groups.readLengths(of: "actions", options)
      groups.notes.assumed.append("every episode was cut off by time, as the file has no dones")
    }
    let columns = [ShardColumn.terminated, .truncated]
    let found = try groups.readAttributes(
      ["seed"] + columns.map(\.rawValue), leaving: ["num_samples"], options)
    if let seeds = found["seed"] { groups.numbers[ShardColumn.seeds.rawValue] = (.uint64, seeds) }
    let flags = columns.compactMap { found[$0.rawValue] }.filter { $0.allSatisfy { $0 < 2 } }
    if flags.count == 2 {
      for (column, values) in zip(columns, flags) {
        groups.numbers[column.rawValue] = (.uint8, values)
      }
    } else if first.contains("dones") {
      groups.notes.assumed.append(
        "an episode whose last `dones` is 1 ended by itself, any other was cut off by time")
    }
  }

  private static func addObservations(
    _ groups: inout EpisodeGroups, _ first: SafeGroup, hasNext: Bool, _ options: FormatOptions
  ) throws(FileError) {
    let observations = try first.group("obs")
    let keys = try EpisodeGroups.datasets(below: observations)
    var nextKeys: Set<String> = []
    if hasNext {
      let next = try first.group("next_obs")
      nextKeys = Set(try EpisodeGroups.datasets(below: next))
      for key in nextKeys.subtracting(keys).sorted() {
        groups.notes.lost.append("'next_obs/\(shown(key))', which obs has not")
      }
    }
    func pieces(_ key: String) -> [EpisodeGroups.Piece] {
      hasNext
        ? [.init("obs/" + key, .steps), .init("next_obs/" + key, .steps, .last)]
        : [.init("obs/" + key, .states)]
    }
    let taken = try groups.addNamedKeys(observations, options, pieces)
    // robomimic names no key of its own: ours, the one that there is, or `flat`, of its own
    // converter.
    let usual =
      ["observation", "flat"].first { keys.contains($0) } ?? (keys.count == 1 ? keys[0] : nil)
    guard let main = options.observationKeys == nil ? usual : "" else {
      throw groups.unclear(
        observations.names, try groups.joinable(observations), "'\(observations.path)' has")
    }
    for key in keys where !taken.contains(key) {
      switch key {
      case main: try groups.addUsual(.observations, pieces(key))
      case "achieved_goal": try groups.addUsual(.achievedGoals, pieces(key))
      case "desired_goal": try groups.addGoals(pieces(key), options)
      default:
        let note = "observation '\(shown(key))'"
        if hasNext, !nextKeys.contains(key) {
          try groups.addExtra(key, .steps, [.init("obs/" + key, .steps)], first, note: note)
        } else {
          try groups.addExtra(key, .states, pieces(key), first, note: note)
        }
      }
    }
    if hasNext {
      try groups.checkShift(
        keys.filter(nextKeys.contains).map { ("obs/" + $0, "next_obs/" + $0) }, options)
    }
  }

  private static func masks(
    _ root: SafeGroup, _ groups: inout EpisodeGroups
  ) throws(FileError) -> [String: [UInt8]] {
    guard root.contains("mask") else { return [:] }
    let places = Dictionary(
      uniqueKeysWithValues: groups.names.enumerated().map { ($1, $0) })
    let mask = try root.group("mask")
    var masks: [String: [UInt8]] = [:]
    for name in mask.names {
      guard isColumnName(name) else {
        groups.notes.lost.append("mask '\(shown(name))', of which the name is no column's")
        continue
      }
      let members: [String]
      do throws(FileError) {
        members = try mask.dataset(name).texts()
      } catch {
        // What is damaged is an error; texts of a kind that is not read are no reason to refuse the
        // episodes.
        guard case .notRead(_, _, let reason) = error else { throw error }
        groups.notes.lost.append("mask '\(shown(name))', which cannot be read: \(reason)")
        continue
      }
      var flags = [UInt8](repeating: 0, count: groups.names.count)
      var others: [String] = []
      for member in members {
        if let place = places[member] { flags[place] = 1 } else { others.append(member) }
      }
      if let other = others.first {
        groups.notes.lost.append(
          "\(others.count) of the \(members.count) names of mask '\(shown(name))', which are of no demo here, "
            + "first '\(shown(other))'")
      }
      masks[Robomimic.maskPrefix + name] = flags
    }
    return masks
  }

  /// The world that `env_args` names.
  private static func environment(
    _ data: SafeGroup, _ url: URL, _ groups: inout EpisodeGroups
  ) throws(FileError) -> String? {
    let attributes = try data.attributes()
    let others = attributes.keys.filter { $0 != "total" && $0 != "env_args" }.sorted()
    if !others.isEmpty {
      groups.notes.lost.append("attributes of data: \(shown(others))")
    }
    guard case .text(let text)? = attributes["env_args"] else { return nil }
    let object = try PythonJSON.object(text, in: url)
    guard case .text(let name)? = object["env_name"] else { return nil }
    let more = object.keys.filter { !["env_name", "type", "env_kwargs"].contains($0) }.sorted()
    if !more.isEmpty {
      groups.notes.lost.append("env_args, \(shown(more))")
    }
    if case .object(let settings)? = object["env_kwargs"], !settings.isEmpty {
      groups.notes.lost.append(
        "env_kwargs, \(shown(settings.keys.sorted()))")
    }
    return GymnasiumWorld.identifier(for: name)
  }

  func table(
    of episodes: Range<Int>, only wanted: Set<String>?
  ) throws(FileError) -> TrajectoryTable {
    var table = try groups.table(of: episodes, only: wanted)
    for (path, flags) in masks where wanted?.contains(path) ?? true {
      table[path] = TableColumn(.uint8, axis: .episodes, Array(flags[episodes]))
    }
    return table
  }
}
