import Foundation
import GoalCore
import HDF5
import SafeHDF5
import Storage
import Support

/// A Minari dataset of version 0.5.4, in HDF5.
///
/// It is a folder ROOT/[namespace/]name-v<n> that holds
///
///     data/metadata.json    spaces, counts, the environment
///     data/main_data.hdf5   a group episode_<k> for each episode:
///       observations/observation    [T + 1, O]   or observations, if there are no goals
///       observations/achieved_goal  [T + 1, G]
///       observations/desired_goal   [T + 1, G]
///       actions [T, A]   rewards [T]   terminations [T]   truncations [T]
///       infos/is_success [T + 1]   other infos [T + 1, …]
///       goalpost/…      columns that Minari has no place for, and does not look at
///
/// In written files numbers keep their types, and a goal that stays is written for every state. An
/// extra of states is an info, a seed is the episode's attribute, and the id follows from the path.
///
/// Source: Minari 0.5.4, `dataset/_storages/hdf5_storage.py`, `dataset/minari_storage.py`. What is
/// written differs from Minari's own in that datasets are contiguous, so Minari cannot add steps to
/// an episode.
struct Minari: DatasetFormat {
  let name = "minari"
  let summary = "Minari 0.5.4: a folder of main_data.hdf5 and metadata.json"

  func recognizes(_ url: URL) -> Bool {
    let folder = Minari.folder(of: url)
    return ["main_data.hdf5", "metadata.json"].allSatisfy {
      FileManager.default.fileExists(atPath: folder.appendingPathComponent($0).path)
    }
  }

  let joinsKeys = true

  /// Our own folders have such names too.
  func isMeant(by output: URL) -> Bool { false }

  func files(of url: URL) throws(FileError) -> [URL] {
    let folder = Minari.folder(of: url)
    return ["main_data.hdf5", "metadata.json"].map { folder.appendingPathComponent($0) }
  }

  func open(_ url: URL, _ options: FormatOptions) throws(FileError) -> any TrajectorySource {
    try MinariEpisodes(Minari.folder(of: url), options)
  }

  /// The folder `data`, of which a file or the folder above may be named.
  private static func folder(of url: URL) -> URL {
    if url.lastPathComponent == "main_data.hdf5" { return url.deletingLastPathComponent() }
    let inner = url.appendingPathComponent("data")
    return FileManager.default.fileExists(atPath: inner.path) ? inner : url
  }

  func write(_ request: FormatRequest) throws(FileError) -> ConversionNotes {
    let id = try MinariMetadata.identifier(of: request.url)
    let folder = try PartFolder(for: request.url)
    // `minari list local` looks at every folder that has a folder `data`, so `data` appears when it
    // is whole.
    let making = folder.url.appendingPathComponent("making")
    guard mkdir(making.path, 0o755) == 0 else { throw .writing(request.url.path) }
    let file = making.appendingPathComponent("main_data.hdf5")
    let writing = try MinariWriting(request)
    try writing.write(to: file)
    let metadata = try MinariMetadata.text(
      id: id, request, columns: writing, bytes: (try? WholeFile.byteCount(of: file)) ?? 0)
    try PartFile.write(
      Data(metadata.utf8), to: making.appendingPathComponent("metadata.json"))
    try PartFile.move(making.path, to: folder.url.appendingPathComponent("data"))
    try folder.commit()
    // What Minari's own `create_namespace` leaves.
    if id.contains("/") {
      let mark = request.url.deletingLastPathComponent().appendingPathComponent(
        "namespace_metadata.json")
      if !FileManager.default.fileExists(atPath: mark.path) {
        try PartFile.write(Data("{}".utf8), to: mark)
      }
    }
    return writing.notes
  }
}

/// Episodes of a Minari dataset.
private struct MinariEpisodes: TrajectorySource {
  let environment: String?
  let actionSpace: ActionSpace?
  private let groups: EpisodeGroups

  var lengths: [Int] { groups.lengths }
  var columns: [String: SourceColumn] { groups.described }
  var notes: ConversionNotes { groups.notes }
  var otherFiles: [URL] { groups.file.sourceFiles }

  init(_ folder: URL, _ options: FormatOptions) throws(FileError) {
    let metadata = try MinariMetadata(
      contentsOf: folder.appendingPathComponent("metadata.json"))
    let url = folder.appendingPathComponent("main_data.hdf5")
    let file = try SafeFile(contentsOf: url)
    let root = try file.root()
    var names: [String] = []
    while root.contains("episode_\(names.count)") { names.append("episode_\(names.count)") }
    var groups = try EpisodeGroups(file, root, names: names)
    let others = root.names.filter { $0.wholeMatch(of: #/episode_\d+/#) == nil }
    if root.count - others.count != names.count {
      throw .missingDataset(file: url.path, dataset: "episode_\(names.count)")
    }
    try groups.addAttributes(of: root, leaving: ["total_episodes", "total_steps"], "the file")
    if !others.isEmpty {
      groups.notes.lost.append("\(others.map(shown).joined(separator: ", ")), no episodes")
    }
    if let counted = metadata.totalEpisodes, counted != names.count {
      groups.notes.assumed.append(
        "there are the \(names.count) episodes that are in the file; metadata.json counts \(counted)"
      )
    }
    groups.notes.lost += metadata.others

    try groups.readEnds(terminated: "terminations", truncated: "truncations", options)
    // What follows from the episode is computed again when it goes out.
    let known =
      ["id", "total_steps"] + ["sum", "mean", "std", "max", "min"].map { "rewards_" + $0 }
    if let seeds = try groups.readAttributes(["seed"], leaving: Set(known), options)["seed"] {
      groups.numbers[ShardColumn.seeds.rawValue] = (.uint64, seeds)
    }

    let first = try groups.group(0)
    try groups.addUsual(.actions, [.init("actions", .steps)])
    try groups.addUsual(.rewards, [.init("rewards", .steps)])
    try MinariEpisodes.addObservations(to: &groups, first, options)
    if first.contains("infos") { try MinariEpisodes.addInfos(to: &groups, first) }
    try groups.addRest()
    try groups.addLeft(
      known: [
        "observations", "actions", "rewards", "terminations", "truncations", "infos",
        EpisodeGroupsWriter.rest,
      ], options)
    try groups.skipBad(options)
    try groups.checkSize(options)
    environment = metadata.environment.map { GymnasiumWorld.identifier(for: $0) }
    actionSpace = metadata.actionSpace
    self.groups = groups
  }

  private static func addObservations(
    to groups: inout EpisodeGroups, _ first: SafeGroup, _ options: FormatOptions
  ) throws(FileError) {
    guard first.contains("observations") else {
      throw .missingDataset(file: groups.file.name, dataset: first.path(of: "observations"))
    }
    let isDictionary = try first.isGroup("observations")
    guard isDictionary else {
      if options.observationKeys != nil || options.goalKeys != nil {
        throw .cannotConvert(
          groups.file.name,
          reason: "its observations are one array without keys to name")
      }
      return try groups.addUsual(.observations, [.init("observations", .states)])
    }
    let inner = try first.group("observations")
    let taken = try groups.addNamedKeys(inner, options) {
      [.init("observations/" + $0, .states)]
    }
    for path in try EpisodeGroups.datasets(below: inner) where !taken.contains(path) {
      let piece = EpisodeGroups.Piece("observations/" + path, .states)
      switch path {
      case "observation" where options.observationKeys == nil:
        try groups.addUsual(.observations, [piece])
      case "achieved_goal": try groups.addUsual(.achievedGoals, [piece])
      case "desired_goal": try groups.addGoals([piece], options)
      default:
        try groups.addExtra(path, .states, [piece], first, note: "observation '\(shown(path))'")
      }
    }
    guard groups.columns[ShardColumn.observations.rawValue] != nil else {
      throw groups.unclear(inner.names, try groups.joinable(inner), "its observations are")
    }
  }

  private static func addInfos(
    to groups: inout EpisodeGroups, _ first: SafeGroup
  ) throws(FileError) {
    let infos = try first.group("infos")
    for path in try EpisodeGroups.datasets(below: infos) {
      let name = "infos/" + path
      // Some generators leave the info of the first state out.
      let axis = try groups.axis(of: name)
      let dataset = try groups.needed(name, in: first)
      let isSuccess =
        path == "is_success" || path == "success" && dataset.type == .bool
      if isSuccess, groups.columns[ShardColumn.successes.rawValue] == nil {
        try groups.add(
          ShardColumn.successes.rawValue, .steps,
          [.init(name, axis, axis == .steps ? .all : .afterFirst)], .number, as: .uint8)
        groups.notes.assumed.append(
          axis == .steps
            ? "successes: info '\(path)', which has a row for each step"
            : "successes: info '\(path)' after each step; its first row, of the state before any, is left out"
        )
      } else {
        try groups.addExtra(path, axis, [.init(name, axis)], first, note: "info '\(shown(path))'")
      }
    }
  }

  func table(
    of episodes: Range<Int>, only wanted: Set<String>?
  ) throws(FileError) -> TrajectoryTable {
    try groups.table(of: episodes, only: wanted)
  }
}
