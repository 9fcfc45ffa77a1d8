import Foundation
import GoalCore
import HDF5
import Storage
import Support

/// Writes `main_data.hdf5`, and knows what goes where.
struct MinariWriting {
  let request: FormatRequest
  let observations: SourceColumn
  let actions: SourceColumn
  let achieved: SourceColumn?
  let desired: SourceColumn?
  private let infos: [(path: String, axis: RowAxis)]
  private let rest: [(path: String, axis: RowAxis)]
  private(set) var notes = ConversionNotes()

  init(_ request: FormatRequest) throws(FileError) {
    self.request = request
    let source = request.source
    observations = try request.needed(.observations, "every dataset has them")
    actions = try request.needed(.actions, "every dataset has them")
    desired = source.column(.desiredGoals)
    // With goals an observation is a dictionary of three, as Gymnasium's goal environments have it.
    achieved = desired == nil ? source.column(.achievedGoals) : try request.achieved()
    let usual: [ShardColumn] = [
      .observations, .actions, .achievedGoals, .desiredGoals, .rewards, .successes, .seeds,
      .terminated, .truncated,
    ]
    let others = source.columns.filter { path, _ in !usual.contains { $0.rawValue == path } }
      .map { (path: $0.key, axis: $0.value.axis) }.sorted { $0.path < $1.path }
    let isInfo = { (path: String, axis: RowAxis) in
      axis == .states && path.hasPrefix("extra/") && path != "extra/is_success"
    }
    infos = others.filter(isInfo)
    rest = others.filter { !isInfo($0.path, $0.axis) }
    if source.column(.rewards) == nil {
      throw .cannotConvert(
        request.url.path,
        reason:
          "the format needs rewards, and the dataset has none: name the world with --environment, or "
          + "say when a goal is reached with --threshold")
    }
    if desired?.axis == .episodes {
      notes.computed.append("the goal of an episode is repeated for each of its states")
    }
    if source.column(.successes) != nil {
      notes.assumed.append("infos/is_success of a first state, where nothing was done yet, is 0")
    }
    if desired != nil, source.column(.achievedGoals) == nil {
      notes.computed.append("achieved goals, which are the observations")
    }
    if !rest.isEmpty {
      notes.lost.append(
        "\(rest.map(\.path).joined(separator: ", ")): Minari has no place for them and does not copy them; "
          + "goalpost takes them back from each episode's group `\(EpisodeGroupsWriter.rest)`")
    }
  }

  func write(to url: URL) throws(FileError) {
    try request.check()
    let writer = try EpisodeGroupsWriter(url, compress: request.compress)
    var number = 0
    for block in request.source.blocks(byteLimit: FormatRequest.blockBytes) {
      if request.isStopped() { throw .stopped(request.url.path) }
      let table = try request.source.table(of: block)
      let starts = EpisodeStarts(table)
      for episode in 0..<table.episodes {
        try write(table, episode, starts, number, writer)
        number += 1
      }
      request.progress(block.count)
    }
    try writer.commit()
  }

  private func write(
    _ table: TrajectoryTable, _ episode: Int, _ starts: EpisodeStarts, _ number: Int,
    _ writer: EpisodeGroupsWriter
  ) throws(FileError) {
    let group = "episode_\(number)"
    let (steps, states) = (
      starts.rows(of: episode, on: .steps), starts.rows(of: episode, on: .states)
    )
    try writer.group(group)
    guard let observed = table[.observations], let acted = table[.actions],
      let rewards = table[.rewards]?.slice(steps)
    else { preconditionFailure("a table has the columns that its source names") }
    if let achieved {
      try writer.group(group + "/observations")
      try writer.write(group + "/observations/observation", observed.slice(states))
      let goals = table[.achievedGoals] ?? observed
      precondition(goals.width == achieved.width)
      try writer.write(group + "/observations/achieved_goal", goals.slice(states))
      if let goals = table.desiredGoals(of: episode, starts, on: .states) {
        try writer.write(group + "/observations/desired_goal", goals)
      }
    } else {
      try writer.write(group + "/observations", observed.slice(states))
    }
    try writer.write(group + "/actions", acted.slice(steps))
    try writer.write(group + "/rewards", rewards)
    for (name, column) in [
      ("terminations", ShardColumn.terminated), ("truncations", .truncated),
    ] {
      var flags = [UInt8](repeating: 0, count: steps.count)
      flags[steps.count - 1] =
        (table[column]?.integers(episode..<(episode + 1))[0] ?? 0) == 0 ? 0 : 1
      try writer.write("\(group)/\(name)", TableColumn(.bool, axis: .steps, flags))
    }
    var made: Set<String> = [group + "/infos"]
    try writer.group(group + "/infos")
    if let successes = table[.successes] {
      try writer.write(
        group + "/infos/is_success",
        TableColumn(.float32, axis: .states, [0] + successes.floats(steps)))
    }
    for (path, _) in infos {
      guard let column = table[path] else { continue }
      var walked = group + "/infos"
      let parts = path.split(separator: "/").dropFirst()
      for part in parts.dropLast() {
        walked += "/" + part
        if made.insert(walked).inserted { try writer.group(walked) }
      }
      try writer.write("\(walked)/\(parts.last ?? "")", column.slice(states))
    }
    try writer.writeRest(rest, of: table, episode, starts: starts, to: group)
    try writer.attributes(attributes(table, episode, number, rewards), of: group)
  }

  /// The attributes that Minari's own collector writes for an episode.
  private func attributes(
    _ table: TrajectoryTable, _ episode: Int, _ number: Int, _ rewards: TableColumn
  ) -> [(name: String, value: HDF5Attribute)] {
    let values = rewards.doubles()
    let count = Double(values.count)
    let sum = values.reduce(0, +)
    let mean = sum / count
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
    var attributes: [(name: String, value: HDF5Attribute)] = [
      ("id", .integer(Int64(number))), ("total_steps", .integer(Int64(values.count))),
      ("rewards_sum", .number(sum)), ("rewards_mean", .number(mean)),
      ("rewards_std", .number(variance.squareRoot())),
      ("rewards_max", .number(values.max() ?? 0)), ("rewards_min", .number(values.min() ?? 0)),
    ]
    if let seeds = table[.seeds] {
      let seed = seeds.withBytes { $0.loadUnaligned(fromByteOffset: 8 * episode, as: UInt64.self) }
      attributes.append(("seed", .unsigned(seed)))
    }
    return attributes
  }
}
