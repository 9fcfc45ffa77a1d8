import Foundation
import GoalCore
import HDF5
import SafeHDF5
import Storage
import Support

/// A D4RL dataset: an HDF5 file of flat arrays, a row for each of N steps.
///
///     observations [N, O]   actions [N, A]   rewards [N]
///     terminals [N]          1 if the episode ended by itself
///     timeouts [N]           1 if it was cut off; in files of version 1 on
///     next_observations [N, O]   the state after the step; in files of version 2 on
///     infos/goal [N, G]      the desired goal
///     infos/<name> [N, …]    others
///     metadata/goalpost/…    columns of ours that D4RL has no place for
///
/// An episode ends at a row with either flag, and with the file. Without `next_observations` the
/// state after an episode's last row is not known. That row's state is then the last one. Its
/// action and reward are left out, as d4rl's `qlearning_dataset` does with a timeout's. Without
/// `timeouts` episodes are also cut at the world's horizon, as d4rl does, if the world is known.
///
/// Out, both flags and `next_observations` are written, and goals if there are any. d4rl's own
/// loader reads a whole file into memory, whatever its keys.
///
/// Source: github.com/Farama-Foundation/D4RL at 71a9549, `d4rl/offline_env.py` and
/// `d4rl/__init__.py`.
struct D4RL: DatasetFormat {
  let name = "d4rl"
  let summary = "D4RL's HDF5 file of flat columns with terminals and timeouts"

  func recognizes(_ url: URL) -> Bool {
    guard let root = try? SafeFile(contentsOf: url).root() else { return false }
    return ["observations", "actions", "rewards", "terminals"].allSatisfy(root.contains)
  }

  let hasTwoKindsOfEnds = true

  func isMeant(by output: URL) -> Bool { false }

  func mayBeMeant(by output: URL) -> Bool { ["h5", "hdf5"].contains(output.pathExtension) }

  func open(_ url: URL, _ options: FormatOptions) throws(FileError) -> any TrajectorySource {
    try D4RLEpisodes(url, options)
  }

  /// Where columns of ours are kept; d4rl's `sequence_dataset` passes over what is named metadata.
  static let rest = "metadata/goalpost"

  func write(_ request: FormatRequest) throws(FileError) -> ConversionNotes {
    let source = request.source
    let remedy = "name the world with --environment, or say when a goal is reached with --threshold"
    let observations = try request.needed(.observations, "every dataset has them")
    let actions = try request.needed(.actions, "every dataset has them")
    let rewards = try request.needed(.rewards, remedy)
    let goals = source.column(.desiredGoals)
    let infos = source.columns.filter { path, column in
      column.axis == .steps && path.hasPrefix("extra/") && path != "extra/goal"
    }
    let usual: [ShardColumn] = [.observations, .actions, .rewards, .terminated, .truncated]
    let rest = source.columns.filter { path, column in
      infos[path] == nil && !usual.contains { $0.rawValue == path }
        && !(path == ShardColumn.desiredGoals.rawValue && column.axis == .episodes)
    }.sorted { $0.key < $1.key }

    let writer = try FlatWriter(request)
    func add(
      _ name: String, _ column: SourceColumn, _ axis: RowAxis = .steps, of columns: [ShardColumn],
      and other: String? = nil, rows: @escaping @Sendable (TrajectoryTable) -> TableColumn
    ) throws(FileError) {
      let shape = request.shape(axis, column.rowShape)
      try writer.add(
        FlatArray(name, column.type, shape: shape, axis, of: columns, and: other, rows: rows))
    }
    for (name, offset) in [("observations", 0), ("next_observations", 1)] {
      try add(name, observations, of: [.observations]) { $0.states(.observations, offset: offset) }
    }
    try add("actions", actions, of: [.actions]) { $0.known(.actions) }
    try add("rewards", rewards, of: [.rewards]) { $0.known(.rewards) }
    for (name, column) in [("terminals", ShardColumn.terminated), ("timeouts", .truncated)] {
      try add(name, SourceColumn(.bool, axis: .steps), of: [.terminated, .truncated]) { table in
        D4RL.flags(table, column)
      }
    }
    if goals != nil || !infos.isEmpty { try writer.group("infos") }
    if let goals { try add("infos/goal", goals, of: [.desiredGoals]) { $0.desiredGoalsBySteps } }
    for (path, column) in infos.sorted(by: { $0.key < $1.key }) {
      try add("infos/" + path.dropFirst(6), column, of: [], and: path) { $0.known(path) }
    }
    for (path, column) in rest {
      let place = "\(D4RL.rest)/\(column.axis.rawValue)/\(path)"
      try add(place, column, column.axis, of: [], and: path) { $0.known(path) }
    }
    try writer.write()

    var notes = ConversionNotes()
    notes.computed.append("next_observations, the observations one row on")
    if goals?.axis == .episodes {
      notes.computed.append("infos/goal, the goal of an episode for each of its steps")
    }
    if source.column(.truncated) == nil || source.column(.terminated) == nil {
      notes.assumed.append("an episode of which it is not known how it ended was cut off by time")
    }
    if !rest.isEmpty {
      notes.lost.append(
        "\(rest.map(\.key).joined(separator: ", ")): D4RL has no place for them; goalpost takes them back "
          + "from `\(D4RL.rest)`")
    }
    return notes
  }

  /// A flag of each episode in its last row.
  ///
  /// An episode with neither flag gets `timeouts`, as the format has no other way to end one.
  private static func flags(_ table: TrajectoryTable, _ column: ShardColumn) -> TableColumn {
    var flags = [UInt8](repeating: 0, count: table.steps)
    let terminated = table[.terminated]?.integers()
    let truncated = table[.truncated]?.integers()
    for (episode, end) in table.starts(on: .steps).dropFirst().enumerated() {
      let ended = (terminated?[episode] ?? 0) != 0
      let cut = (truncated?[episode] ?? 0) != 0 || !ended
      flags[end - 1] = (column == .terminated ? ended : cut) ? 1 : 0
    }
    return TableColumn(.bool, axis: .steps, flags)
  }
}

extension TrajectoryTable {
  /// A column of states with a row for each step: the state before it or, with `offset` 1, after
  /// it.
  func states(_ column: ShardColumn, offset: Int) -> TableColumn {
    let starts = starts(on: .states)
    return known(column).gathered(
      zip(starts, lengths).lazy.map { ($0 + offset)..<($0 + offset + $1) }, count: steps,
      axis: .steps)
  }
}
