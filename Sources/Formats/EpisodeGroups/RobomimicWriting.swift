import Foundation
import GoalCore
import HDF5
import Storage
import Support

/// Writes a robomimic file, and knows what goes where.
struct RobomimicWriting {
  private let request: FormatRequest
  private let masks: [String]
  private let rest: [(path: String, axis: RowAxis)]
  /// The simulator's states, of steps as robomimic has them or of all states as ours are.
  private let states: String?
  private(set) var notes = ConversionNotes()

  init(_ request: FormatRequest) throws(FileError) {
    self.request = request
    let source = request.source
    for column in [ShardColumn.observations, .actions] {
      _ = try request.needed(column, "every dataset has them")
    }
    _ = try request.needed(
      .rewards, "name the world with --environment, or say when a goal is reached with --threshold")
    let usual: [ShardColumn] = [
      .observations, .actions, .achievedGoals, .desiredGoals, .rewards, .seeds, .terminated,
      .truncated,
    ]
    let others = source.columns.filter { path, _ in !usual.contains { $0.rawValue == path } }
      .map { (path: $0.key, axis: $0.value.axis) }.sorted { $0.path < $1.path }
    let isMask = { (path: String, axis: RowAxis) in
      axis == .episodes && path.hasPrefix(Robomimic.maskPrefix)
    }
    masks = others.filter(isMask).map(\.path)
    let foreign = "extra/\(ShardColumn.states.rawValue)"
    let hasForeign = others.contains { $0.path == foreign && $0.axis == .steps }
    states = hasForeign ? foreign : source.column(.states).map { _ in ShardColumn.states.rawValue }
    rest = others.filter { !isMask($0.path, $0.axis) && !(hasForeign && $0.path == foreign) }
    notes.computed.append("next_obs, the observations one row on")
    if source.column(.desiredGoals)?.axis == .episodes {
      notes.computed.append("the goal of an episode is repeated for each of its steps")
    }
    if case .continuous(let low, let high) = request.task.spec.action,
      low.contains(where: { $0 < -1 }) || high.contains(where: { $0 > 1 })
    {
      notes.assumed.append("actions outside of -1 to 1, which robomimic's own tools refuse")
    }
    if !rest.isEmpty {
      notes.lost.append(
        "\(rest.map(\.path).joined(separator: ", ")): robomimic has no place for them; goalpost takes them "
          + "back from each demo's group `\(EpisodeGroupsWriter.rest)`")
    }
  }

  func write() throws(FileError) {
    try request.check()
    let writer = try EpisodeGroupsWriter(request.url, compress: request.compress)
    try writer.group("data")
    var number = 0
    var members = masks.map { _ in [String]() }
    for block in request.source.blocks(byteLimit: FormatRequest.blockBytes) {
      if request.isStopped() { throw .stopped(request.url.path) }
      let table = try request.source.table(of: block)
      let starts = EpisodeStarts(table)
      for (place, mask) in masks.enumerated() {
        for (episode, flag) in (table[mask]?.integers() ?? []).enumerated() where flag != 0 {
          members[place].append("demo_\(number + episode)")
        }
      }
      for episode in 0..<table.episodes {
        try write(table, episode, starts, "data/demo_\(number)", writer)
        number += 1
      }
      request.progress(block.count)
    }
    let name = GymnasiumWorld.name(for: request.task.identifier)
    try writer.attributes(
      [
        ("total", .integer(Int64(request.source.steps))),
        ("env_args", .text("{\"env_name\": \"\(name)\", \"type\": 2, \"env_kwargs\": {}}")),
      ], of: "data")
    if !masks.isEmpty { try writer.group("mask") }
    for (mask, members) in zip(masks, members) where !members.isEmpty {
      try writing(writer.file) { () throws(FileError) in
        try writer.file.write(
          "mask/" + mask.dropFirst(Robomimic.maskPrefix.count), texts: members)
      }
    }
    try writer.commit()
  }

  private func write(
    _ table: TrajectoryTable, _ episode: Int, _ starts: EpisodeStarts, _ group: String,
    _ writer: EpisodeGroupsWriter
  ) throws(FileError) {
    let (steps, states) = (
      starts.rows(of: episode, on: .steps), starts.rows(of: episode, on: .states)
    )
    guard let observed = table[.observations], let acted = table[.actions],
      let rewards = table[.rewards]
    else { preconditionFailure("a table has the columns that its source names") }
    var seen = [("observation", observed.slice(states))]
    if let goals = table.desiredGoals(of: episode, starts, on: .states) {
      seen.append(("achieved_goal", table.achieved.slice(states)))
      seen.append(("desired_goal", goals))
    } else if let achieved = table[.achievedGoals] {
      seen.append(("achieved_goal", achieved.slice(states)))
    }
    for name in ["", "/obs", "/next_obs"] { try writer.group(group + name) }
    for (key, column) in seen {
      try writer.write("\(group)/obs/\(key)", column.slice(0..<steps.count))
      try writer.write("\(group)/next_obs/\(key)", column.slice(1..<(steps.count + 1)))
    }
    // robomimic takes actions as rows of numbers.
    let actions = acted.slice(steps)
    try writer.write(
      group + "/actions",
      actions.rowShape.isEmpty ? actions.viewed(rowShape: [1], axis: .steps) : actions)
    try writer.write(group + "/rewards", rewards.slice(steps))
    func flag(_ column: ShardColumn) -> Int {
      table[column]?.integers(episode..<(episode + 1))[0] ?? 0
    }
    var dones = [Int64](repeating: 0, count: steps.count)
    dones[steps.count - 1] = Int64(flag(.terminated))
    try writer.write(group + "/dones", TableColumn(.int64, axis: .steps, dones))
    if let path = self.states, let simulated = table[path] {
      let before = states.lowerBound..<(states.upperBound - 1)
      try writer.write(
        group + "/states", simulated.slice(simulated.axis == .steps ? steps : before))
    }
    try writer.writeRest(rest, of: table, episode, starts: starts, to: group)
    var attributes: [(name: String, value: HDF5Attribute)] = [
      ("num_samples", .integer(Int64(steps.count))),
      ("terminated", .integer(Int64(flag(.terminated)))),
      ("truncated", .integer(Int64(flag(.truncated)))),
    ]
    if let seeds = table[.seeds] {
      let seed = seeds.withBytes { $0.loadUnaligned(fromByteOffset: 8 * episode, as: UInt64.self) }
      attributes.append(("seed", .unsigned(seed)))
    }
    try writer.attributes(attributes, of: group)
  }
}
