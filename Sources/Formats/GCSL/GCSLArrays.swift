import Foundation
import GoalCore
import HDF5
import Storage
import Support

/// The `.npz` that GCSL's replay buffer saves: `L` states and as many actions an episode.
///
///     states          [E, L, O]
///     actions         [E, L, A] or [E, L]   integers if they are discrete
///     desired_states  [E, O]                the state that was asked for
///
/// The effect of the last action is not stored, so an episode has `L − 1` steps; its last action is
/// kept as `extra/last_actions`. A goal is taken out of `desired_states` as it is out of a state;
/// if m is not known a goal is a whole state. GCSL saves no lengths: all `L` states count.
///
/// Source: github.com/dibyaghosh/gcsl at cfae560, `gcsl/algo/buffer.py`, `ReplayBuffer.save`.
struct GCSLArrays: DatasetFormat {
  let name = "gcsl-npz"
  let summary = "GCSL's buffer.npz: episodes of one length, their states whole"

  func recognizes(_ url: URL) -> Bool {
    NumpyArchive.names(in: url).contains("desired_states.npy")
  }

  func isMeant(by output: URL) -> Bool { false }

  func mayBeMeant(by output: URL) -> Bool { ["npz"].contains(output.pathExtension) }

  func open(_ url: URL, _ options: FormatOptions) throws(FileError) -> any TrajectorySource {
    try GCSLEpisodes(url, options)
  }

  func write(_ request: FormatRequest) throws(FileError) -> ConversionNotes {
    let length = try request.commonLength()
    let source = request.source
    let episodes = source.lengths.count
    let observations = try request.needed(.observations, "every dataset has them")
    let actions = try request.needed(.actions, "every dataset has them")
    let (last, wanted) = ("extra/last_actions", "extra/desired_states")
    let lifts = GCSLArrays.fits(source.columns[wanted], observations)
    let hasLast = GCSLArrays.fits(source.columns[last], actions)
    let desired = source.column(.desiredGoals)
    var notes = ConversionNotes()
    if !lifts {
      if desired == nil {
        notes.assumed.append("desired_states: each episode's last state, as it had no desired goal")
      } else if request.task.isGoalKnown {
        notes.assumed.append(
          "desired_states: each episode's last state, with the desired goal in its place of it")
      } else {
        throw .cannotConvert(
          request.url.path,
          reason: "the format has whole states for goals, and it is not known which of a state's "
            + "numbers a goal is: say it with --goal-indices when converting to Goalpost")
      }
    }
    if desired?.axis == .states { notes.lost.append("goals that move: the last one is kept") }
    if !hasLast {
      notes.assumed.append(
        "each episode's last action, which the format has and these have not: the one before it")
    }

    let type = actions.isDiscrete ? HDF5Type.int64 : actions.type
    let task = request.task
    try ZipWriter(request).write([
      FlatArray(
        "states", observations.type, shape: [episodes, length + 1] + observations.rowShape, .states,
        of: [.observations]
      ) { $0.known(.observations) },
      FlatArray(
        "actions", type, shape: [episodes, length + 1] + actions.rowShape, .states, of: [.actions],
        and: last
      ) { table in
        let taken = table.known(.actions)
        let final =
          hasLast
          ? table.known(last)
          : taken.gathered(
            table.starts(on: .steps).dropFirst().lazy.map { ($0 - 1)..<$0 }, count: table.episodes,
            axis: .episodes)
        return table.rows(taken, withLast: final).withWideActions()
      },
      FlatArray(
        "desired_states", observations.type, shape: [episodes] + observations.rowShape, .episodes,
        of: [.observations, .desiredGoals], and: wanted
      ) { lifts ? $0.known(wanted) : GCSLArrays.lifted($0, task) },
    ])
    let kept: [ShardColumn] = [.observations, .actions, .achievedGoals, .desiredGoals]
    notes.lost += request.lost(but: Set(kept.map(\.rawValue) + [last, wanted]))
    return notes
  }

  /// Whether an extra of episodes has rows like a column's.
  private static func fits(_ extra: SourceColumn?, _ column: SourceColumn) -> Bool {
    extra.map { $0.axis != .states && $0.type == column.type && $0.rowShape == column.rowShape }
      ?? false
  }

  /// The last state of each episode, with the desired goal where the achieved one stands.
  private static func lifted(_ table: TrajectoryTable, _ task: GoalTask) -> TableColumn {
    let states = table.known(.observations)
    let ends = table.starts(on: .states).dropFirst()
    var values = ends.flatMap { states.doubles(($0 - 1)..<$0) }
    if let goals = table[.desiredGoals] {
      let rows = table.goalsMove ? Array(ends.map { $0 - 1 }) : Array(0..<table.episodes)
      for (episode, row) in rows.enumerated() {
        for (place, value) in zip(task.goalIndices, goals.doubles(row..<(row + 1))) {
          values[episode * states.width + place] = value
        }
      }
    }
    return states.type == .float64
      ? TableColumn(.float64, rowShape: states.rowShape, axis: .episodes, values)
      : TableColumn(
        .float32, rowShape: states.rowShape, axis: .episodes, values.map { Float($0) })
  }
}

/// Episodes of a GCSL buffer.
private struct GCSLEpisodes: TrajectorySource {
  let lengths: [Int]
  let columns: [String: SourceColumn]
  let environment: String? = nil
  let notes: ConversionNotes
  private let states: NumpyArray
  private let actions: NumpyArray
  private let desired: NumpyArray
  /// Where a goal stands in a state; nil if it is the state.
  private let goalIndices: [Int]?
  private let isDiscrete: Bool

  init(_ url: URL, _ options: FormatOptions) throws(FileError) {
    let archive = try NumpyArchive(url, needed: ["states", "actions", "desired_states"], options)
    states = try archive.array("states")
    actions = try archive.array("actions")
    desired = try archive.array("desired_states")
    try states.check(shape: [nil, nil, nil], "[E, L, O]")
    let (episodes, length, width) = (states.shape[0], states.shape[1], states.shape[2])
    guard length > 1 else {
      throw .malformed(url.path, rule: "'states' must have 2 an episode or more", found: "1")
    }
    isDiscrete = actions.shape.count == 2
    try actions.check(
      shape: [episodes, length] + (isDiscrete ? [] : [nil]), "[\(episodes), \(length), A]")
    try desired.check(shape: [episodes, width], "[\(episodes), \(width)]")
    for array in [states, desired] { try array.checkIsFloat() }
    if !isDiscrete { try actions.checkIsFloat() }
    lengths = Array(repeating: length - 1, count: episodes)

    var notes = ConversionNotes()
    notes.assumed.append(
      "\(length - 1) steps for \(length) states: the effect of an episode's last action is not stored; "
        + "the action is kept as extra/last_actions")
    notes.assumed.append("all \(length) states of every episode count, as lengths are not stored")
    goalIndices = options.goalIndices ?? options.task?.goalIndices
    if let goalIndices {
      guard goalIndices.allSatisfy({ $0 < width }) else {
        throw .malformed(
          url.path, rule: "'states' must have the goal's numbers \(goalIndices)", found: "\(width)")
      }
      notes.computed.append(
        "desired goals: the numbers \(goalIndices) of desired_states, which are kept as "
          + "extra/desired_states")
    }
    notes.computed += archive.conversions
    for (name, reason) in archive.others { notes.lost.append("'\(name)', \(reason)") }
    self.notes = notes

    let actionShape = isDiscrete ? [] : [actions.shape[2]]
    let actionType = isDiscrete ? HDF5Type.int32 : actions.type
    var columns: [String: SourceColumn] = [
      ShardColumn.observations.rawValue: SourceColumn(
        states.type, rowShape: [width], axis: .states),
      ShardColumn.actions.rawValue: SourceColumn(actionType, rowShape: actionShape, axis: .steps),
      "extra/last_actions": SourceColumn(actionType, rowShape: actionShape, axis: .episodes),
      ShardColumn.desiredGoals.rawValue: SourceColumn(
        desired.type, rowShape: [goalIndices?.count ?? width], axis: .episodes,
        origin: goalIndices == nil ? .native : .computed),
    ]
    if goalIndices != nil {
      columns["extra/desired_states"] = SourceColumn(
        desired.type, rowShape: [width], axis: .episodes)
    }
    self.columns = columns
  }

  func table(
    of episodes: Range<Int>, only wanted: Set<String>?
  ) throws(FileError) -> TrajectoryTable {
    var table = TrajectoryTable(
      indices: episodes.map { Int64($0) }, lengths: Array(lengths[episodes]))
    table[.observations] = states.rows(episodes, leading: 2, axis: .states)
    let length = states.shape[1]
    let taken = actions.rows(episodes, leading: 2, axis: .states)
    let all =
      isDiscrete && taken.type != .int32
      ? TableColumn(.int32, axis: .states, taken.integers().map { Int32(clamping: $0) }) : taken
    let starts = stride(from: 0, to: episodes.count * length, by: length)
    table[.actions] = all.gathered(
      starts.lazy.map { $0..<($0 + length - 1) }, count: table.steps, axis: .steps)
    table["extra/last_actions"] = all.gathered(
      starts.lazy.map { ($0 + length - 1)..<($0 + length) }, count: table.episodes,
      axis: .episodes)
    let whole = desired.rows(episodes, leading: 1, axis: .episodes)
    guard let goalIndices else {
      table[.desiredGoals] = whole
      return table
    }
    table["extra/desired_states"] = whole
    table[.desiredGoals] = whole.picking(goalIndices)
    return table
  }
}
