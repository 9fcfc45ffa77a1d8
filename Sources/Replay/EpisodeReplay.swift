import CPrefetch
public import GoalCore

/// Episodes that batches are drawn from, read where they lie: in memory or mapped from shards.
///
/// Indices are drawn first and the cache lines that they name asked for; then the rows are copied.
/// Start and goal are drawn per row. A batch is a function of the run's seed and its own number, so
/// it does not depend on threads or on what was drawn before.
public final class EpisodeReplay: Sendable {
  /// The task whose achieved goals and rewards relabelling uses.
  public let task: GoalTask
  /// Episodes, `E`.
  public var episodeCount: Int { episodes.count }
  /// Steps of all episodes.
  public let stepCount: Int

  /// Where an episode's rows begin.
  private struct Episode: @unchecked Sendable {
    let observations: UnsafePointer<Float>
    let actions: UnsafeRawPointer
    let achieved: UnsafePointer<Float>
    /// Nil where none was asked for.
    let desired: UnsafePointer<Float>?
    let desiredStride: Int
    let length: Int
  }

  /// Whether every episode has a goal that was asked for, which `SamplingScheme.usesDesiredGoals` needs.
  public let hasDesiredGoals: Bool

  private let episodes: [Episode]
  private let columns: [TrajectoryColumns]

  /// Whether the columns are mapped and do not fit into memory.
  private let isLarge: Bool

  /// Reads episodes from columns; every episode has at least one step and actions of the task's kind.
  ///
  /// Columns that are mapped and do not fit into memory are read as `Paging` says, if `isLarge`; the
  /// batches are the same.
  public init(task: GoalTask, columns: [TrajectoryColumns], isLarge: Bool = false) {
    self.isLarge = isLarge
    let spec = task.spec
    var episodes: [Episode] = []
    episodes.reserveCapacity(columns.reduce(0) { $0 + $1.lengths.count })
    for column in columns {
      var state = 0
      var step = 0
      for (number, length) in column.lengths.enumerated() {
        precondition(length > 0, "an episode has at least one step, found \(length)")
        let actions: UnsafeRawPointer
        switch (column.actions, spec.action) {
        case (.continuous(let values), .continuous(let low, _)):
          actions = UnsafeRawPointer(Self.start(of: values) + step * low.count)
        case (.discrete(let values), .discrete):
          actions = UnsafeRawPointer(Self.start(of: values) + step)
        default: preconditionFailure("the columns' actions are not of the task's kind")
        }
        let goalRow = column.goalsMove ? state : number
        episodes.append(
          Episode(
            observations: Self.start(of: column.observations) + state * spec.observation,
            actions: actions,
            achieved: Self.start(of: column.achievedGoals) + state * spec.goal,
            desired: column.desiredGoals.map { Self.start(of: $0) + goalRow * spec.goal },
            desiredStride: column.goalsMove ? spec.goal : 0, length: length))
        state += length + 1
        step += length
      }
    }
    precondition(!episodes.isEmpty, "a replay needs at least one episode")
    for column in isLarge ? columns : [] {
      Paging.readRandomly(column.observations)
      Paging.readRandomly(column.achievedGoals)
      if let desired = column.desiredGoals { Paging.readRandomly(desired) }
      switch column.actions {
      case .continuous(let values): Paging.readRandomly(values)
      case .discrete(let values): Paging.readRandomly(values)
      }
    }
    self.task = task
    hasDesiredGoals = columns.allSatisfy { $0.desiredGoals != nil }
    self.columns = columns
    self.episodes = episodes
    stepCount = episodes.reduce(0) { $0 + $1.length }
  }

  /// Draws batch number `number` of the run of `seed`.
  public func draw(
    _ scheme: SamplingScheme, seed: UInt64, number: UInt64, into batch: inout GoalBatch
  ) {
    precondition(
      batch.count == scheme.batchSize, "a batch of \(scheme.batchSize) rows was asked for")
    precondition(
      hasDesiredGoals || !scheme.usesDesiredGoals, "the episodes have no desired goals to draw")
    var key = Philox(seed: seed, purpose: Self.streamPurpose, index: number)
    var generator = Xoshiro256(seed: key.next())
    let spec = task.spec

    var places = [(episode: Int, step: Int)]()
    var policyGoal = [UnsafePointer<Float>]()
    var valueGoal = [UnsafePointer<Float>]()
    places.reserveCapacity(batch.count)
    policyGoal.reserveCapacity(batch.count)
    valueGoal.reserveCapacity(batch.count)
    for row in 0..<batch.count {
      let number = generator.below(episodes.count)
      let episode = episodes[number]
      let pair = Self.pair(scheme.policyGoals, length: episode.length, from: &generator)
      let original = episode.desired.map { $0 + pair.step * episode.desiredStride }
      let relabelled = pair.offset.map { episode.achieved + (pair.step + 1 + $0) * spec.goal }
      guard let goal = relabelled ?? original else {
        preconditionFailure("an episode without a desired goal")
      }
      policyGoal.append(goal)
      let keepsOriginal =
        scheme.originalValueGoals > 0 && generator.unit() < scheme.originalValueGoals
      valueGoal.append(keepsOriginal ? original ?? goal : goal)
      places.append((number, pair.step))
      batch.episodes[row] = Int32(number)
      batch.steps[row] = Int32(pair.step)
      batch.offsets[row] = Int32(pair.offset ?? 0)
      let observation = UnsafeRawPointer(episode.observations + pair.step * spec.observation)
      for line in stride(from: 0, to: 2 * spec.observation * 4, by: 64) {
        prefetch_line(observation + line)
      }
      prefetch_line(goal)
      if isLarge { ask(for: pair.step, of: episode, goal) }
    }

    gather(into: &batch.observations, width: spec.observation, places) {
      $0.observations + $1 * spec.observation
    }
    gather(into: &batch.nextObservations, width: spec.observation, places) {
      $0.observations + ($1 + 1) * spec.observation
    }
    switch batch.actions {
    case .continuous(var values):
      batch.actions = .continuous([])
      let width = spec.action.length
      gather(into: &values, width: width, places) {
        $0.actions.assumingMemoryBound(to: Float.self) + $1 * width
      }
      batch.actions = .continuous(values)
    case .discrete(var values):
      batch.actions = .discrete([])
      gather(into: &values, width: 1, places) {
        $0.actions.assumingMemoryBound(to: Int32.self) + $1
      }
      batch.actions = .discrete(values)
    }
    relabel(policyGoal, goals: &batch.policyGoals, rewards: &batch.policyRewards, places)
    relabel(valueGoal, goals: &batch.valueGoals, rewards: &batch.valueRewards, places)
  }

  /// Asks for the pages of a row of the batch.
  private func ask(for step: Int, of episode: Episode, _ goal: UnsafePointer<Float>) {
    let spec = task.spec
    Paging.ask(episode.observations + step * spec.observation, 8 * spec.observation)
    Paging.ask(episode.actions + 4 * step * spec.action.length, 4 * spec.action.length)
    Paging.ask(episode.achieved + (step + 1) * spec.goal, 4 * spec.goal)
    Paging.ask(goal, 4 * spec.goal)
  }

  /// A step and how far after its next state the goal lies; nil for the original goal.
  static func pair(
    _ selection: GoalSelection, length: Int, from generator: inout Xoshiro256
  ) -> (step: Int, offset: Int?) {
    switch selection {
    case .original: return (generator.below(length), nil)
    case .future(let fraction):
      let step = generator.below(length)
      if fraction < 1, generator.unit() >= fraction { return (step, nil) }
      return (step, generator.below(length - step))
    case .pair:
      // Over the L = length + 1 states.
      let first = generator.below(length)
      var second = generator.below(length + 1)
      if first == second { second += 1 }
      return (min(first, second), max(first, second) - min(first, second) - 1)
    }
  }

  /// What tells the sampler's stream from a run's others.
  private static let streamPurpose: UInt64 = 0x5341_4d50  // "SAMP"

  private static func start<Element>(of buffer: UnsafeBufferPointer<Element>) -> UnsafePointer<
    Element
  > {
    guard let start = buffer.baseAddress else { preconditionFailure("a column without rows") }
    return start
  }

  /// Copies one row of a column for each row of the batch.
  private func gather<Element>(
    into array: inout [Element], width: Int, _ places: [(episode: Int, step: Int)],
    from place: (Episode, Int) -> UnsafePointer<Element>
  ) {
    array.withUnsafeMutableBufferPointer { buffer in
      guard let target = buffer.baseAddress else { return }
      for (row, chosen) in places.enumerated() {
        let source = place(episodes[chosen.episode], chosen.step)
        (target + row * width).update(from: source, count: width)
      }
    }
  }

  /// Copies the goals, and rewards the next achieved goals under them.
  private func relabel(
    _ chosen: [UnsafePointer<Float>], goals: inout [Float], rewards: inout [Float],
    _ places: [(episode: Int, step: Int)]
  ) {
    let width = task.spec.goal
    goals.withUnsafeMutableBufferPointer { buffer in
      guard let target = buffer.baseAddress else { return }
      for (row, place) in places.enumerated() {
        (target + row * width).update(from: chosen[row], count: width)
        let achieved = episodes[place.episode].achieved + (place.step + 1) * width
        rewards[row] = task.reward(achieved, chosen[row])
      }
    }
  }
}
