public import GoalCore
public import Support

extension ShardReader {
  /// Episodes, copied into memory without their images; of a column that is not there, theirs is
  /// empty, a seed 0, a flag false.
  ///
  /// - Parameter places: Their places in the shard, from 0; nil for all.
  /// - Returns: The episodes, in their order.
  /// - Throws: `wrongValue` if a number is outside its column's values.
  public func trajectories(at places: Range<Int>? = nil) throws(FileError) -> [Trajectory] {
    try trajectories(at: Set(places ?? 0..<episodes))
  }

  /// Episodes, copied into memory in their order.
  ///
  /// - Parameter places: Their places in the shard, from 0.
  /// - Returns: The episodes.
  /// - Throws: `wrongValue` if a number is outside its column's values.
  public func trajectories(at places: Set<Int>) throws(FileError) -> [Trajectory] {
    let columns = try columns()
    let indices = try column(.episodeIndices, as: Int64.self)
    let rewards = has(.rewards) ? try floats(.rewards) : nil
    let successes = try flags(.successes)
    let seeds = has(.seeds) ? try column(.seeds, as: UInt64.self) : nil
    let terminated = try flags(.terminated)
    let truncated = try flags(.truncated)
    let sources = try behaviour()
    let logProbabilities = has(.logProbabilities) ? try floats(.logProbabilities) : nil
    let states = has(.states) ? try column(.states, as: Double.self) : nil
    let goal = columns.achievedGoals.count / (steps + episodes)
    let observation = columns.observations.count / (steps + episodes)

    var trajectories: [Trajectory] = []
    trajectories.reserveCapacity(places.count)
    var step = 0
    for (episode, length) in lengths.enumerated() {
      defer { step += length }
      guard places.contains(episode) else { continue }
      let row = step + episode
      func rows<Values: RandomAccessCollection>(
        _ values: Values, _ width: Int
      ) -> [Values.Element] where Values.Index == Int {
        Array(values[(row * width)..<((row + length + 1) * width)])
      }
      var trajectory: Trajectory
      let desired =
        columns.desiredGoals.map { goals in
          goalsMove ? rows(goals, goal) : Array(goals[(episode * goal)..<((episode + 1) * goal)])
        } ?? []
      let seed = seeds?[episode] ?? 0
      switch columns.actions {
      case .continuous(let values):
        let width = values.count / steps
        trajectory = Trajectory(
          index: indices[episode], seed: seed,
          action: .continuous(low: [], high: []), desiredGoal: desired)
        trajectory.actions = .continuous(
          Array(values[(step * width)..<((step + length) * width)]))
      case .discrete(let values):
        trajectory = Trajectory(
          index: indices[episode], seed: seed,
          action: .discrete(count: 0), desiredGoal: desired)
        trajectory.actions = .discrete(Array(values[step..<(step + length)]))
      }
      trajectory.length = length
      trajectory.observations = rows(columns.observations, observation)
      trajectory.achievedGoals = rows(columns.achievedGoals, goal)
      if let rewards { trajectory.rewards = Array(rewards[step..<(step + length)]) }
      if let successes { trajectory.successes = Array(successes[step..<(step + length)]) }
      trajectory.terminated = terminated?[episode] ?? false
      trajectory.truncated = truncated?[episode] ?? false
      if let sources { trajectory.sources = Array(sources[step..<(step + length)]) }
      if let logProbabilities {
        trajectory.logProbabilities = Array(logProbabilities[step..<(step + length)])
      }
      if let states { trajectory.states = rows(states, stateLength) }
      trajectories.append(trajectory)
    }
    withExtendedLifetime(columns) {}
    return trajectories
  }

  /// A column of bytes that are 0 or 1; nil if it is not there.
  private func flags(_ name: ShardColumn) throws(FileError) -> [Bool]? {
    guard has(name) else { return nil }
    let column = try column(name, as: UInt8.self)
    if let row = column.firstIndex(where: { $0 > 1 }) {
      throw .wrongValue(
        file: path, dataset: name.rawValue, rule: "must be 0 or 1", row: row,
        found: "\(column[row])")
    }
    return column.map { $0 == 1 }
  }

  /// If each action came from; nil if that is not stored.
  private func behaviour() throws(FileError) -> [BehaviourSource]? {
    guard has(.sources) else { return nil }
    let column = try column(.sources, as: UInt8.self)
    var sources: [BehaviourSource] = []
    sources.reserveCapacity(column.count)
    for (row, value) in column.enumerated() {
      guard let source = BehaviourSource(rawValue: value) else {
        throw .wrongValue(
          file: path, dataset: ShardColumn.sources.rawValue, rule: "must be 0, 1 or 2", row: row,
          found: "\(value)")
      }
      sources.append(source)
    }
    return sources
  }
}
