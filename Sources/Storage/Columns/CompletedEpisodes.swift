import GoalCore
import HDF5
import Support

/// Episodes of a source with what follows from the task: achieved goals, rewards and successes, and
/// how they ended.
///
/// A column that the source has is left as it is.
///
///     achieved goal   m(s), unless m is not known or the identity
///     reward          −1 if d(a_{t+1}, g_t) > threshold, else 0
///     success         d(a_{t+1}, g_t) < threshold
///
/// Goals are rounded to `Float` for this, as in all else.
struct CompletedEpisodes: TrajectorySource {
  let columns: [String: SourceColumn]
  let notes: ConversionNotes
  private let source: any TrajectorySource
  private let task: GoalTask
  private let added: Set<ShardColumn>

  var lengths: [Int] { source.lengths }
  var environment: String? { source.environment }
  var checks: [SourceCheck] { source.checks }

  /// Completes a source; rewards and successes are computed only if the threshold is known.
  init(
    _ source: any TrajectorySource, task: GoalTask, isThresholdKnown: Bool,
    notes given: ConversionNotes
  ) {
    self.source = source
    self.task = task
    var columns = source.columns
    var notes = given
    var added: Set<ShardColumn> = []
    func add(_ column: ShardColumn, _ type: HDF5Type, _ rowShape: [Int] = []) {
      guard columns[column.rawValue] == nil else { return }
      added.insert(column)
      columns[column.rawValue] = SourceColumn(
        type, rowShape: rowShape, axis: column.axis, origin: .computed)
    }
    let isGoalStored = task.isGoalKnown && !CompletedEpisodes.isIdentity(task)
    if isGoalStored, let states = source.column(.observations) {
      add(.achievedGoals, states.type, [task.spec.goal])
      if added.contains(.achievedGoals) {
        notes.computed.append("achieved goals: the observation's numbers \(task.goalIndices)")
      }
    }
    if isThresholdKnown, source.column(.desiredGoals) != nil {
      add(.rewards, .float32)
      add(.successes, .uint8)
      let names = [ShardColumn.rewards, .successes].filter(added.contains).map(\.rawValue)
      if !names.isEmpty {
        notes.computed.append(
          "\(names.joined(separator: " and ")), from the goal achieved after each step, "
            + "reached within \(task.spec.successThreshold)")
      }
    }
    add(.terminated, .uint8)
    add(.truncated, .uint8)
    if added.contains(.terminated) || added.contains(.truncated) {
      notes.assumed.append("every episode was cut off by time, and none ended by itself")
    }
    var all = source.notes
    all.merge(notes)
    self.notes = all
    self.columns = columns
    self.added = added
  }

  func blocks(byteLimit: Int) -> [Range<Int>] { source.blocks(byteLimit: byteLimit) }

  func table(
    of episodes: Range<Int>, only columns: Set<String>?
  ) throws(FileError) -> TrajectoryTable {
    func isWanted(_ column: ShardColumn) -> Bool {
      added.contains(column) && columns?.contains(column.rawValue) ?? true
    }
    let scores = isWanted(.rewards) || isWanted(.successes)
    let goals = isWanted(.achievedGoals) || scores && added.contains(.achievedGoals)
    var needed = columns
    if goals { needed?.insert(ShardColumn.observations.rawValue) }
    if scores {
      let inputs: [ShardColumn] = [.observations, .achievedGoals, .desiredGoals]
      needed?.formUnion(inputs.map(\.rawValue))
    }
    var table = try source.table(of: episodes, only: needed)
    if goals, let states = table[.observations] {
      table[.achievedGoals] = states.picking(task.goalIndices)
    }
    if scores { score(&table) }
    if isWanted(.terminated) { table[.terminated] = flags(table, 0) }
    if isWanted(.truncated) { table[.truncated] = flags(table, 1) }
    return table
  }

  /// Whether m(s) = s.
  static func isIdentity(_ task: GoalTask) -> Bool {
    task.goalIndices == Array(0..<task.spec.observation)
  }

  private func flags(_ table: TrajectoryTable, _ value: UInt8) -> TableColumn {
    TableColumn(.uint8, axis: .episodes, [UInt8](repeating: value, count: table.episodes))
  }

  private func score(_ table: inout TrajectoryTable) {
    guard let desired = table[.desiredGoals]?.floats() else { return }
    let width = task.spec.goal
    let achieved = (table[.achievedGoals] ?? table[.observations])?.floats() ?? []
    var rewards = [Float](repeating: 0, count: table.steps)
    var successes = [UInt8](repeating: 0, count: table.steps)
    let moves = table.goalsMove
    achieved.withUnsafeBufferPointer { achieved in
      desired.withUnsafeBufferPointer { desired in
        guard let a = achieved.baseAddress, let d = desired.baseAddress else { return }
        var (state, step) = (0, 0)
        for (episode, length) in table.lengths.enumerated() {
          for t in 0..<length {
            let reached = a + (state + t + 1) * width
            let goal = d + (moves ? state + t : episode) * width
            rewards[step + t] = task.reward(reached, goal)
            successes[step + t] = task.isReached(reached, goal) ? 1 : 0
          }
          state += length + 1
          step += length
        }
      }
    }
    if added.contains(.rewards) { table[.rewards] = TableColumn(.float32, axis: .steps, rewards) }
    if added.contains(.successes) {
      table[.successes] = TableColumn(.uint8, axis: .steps, successes)
    }
  }
}
