import GoalCore
import Learners
import Statistics
import Support

/// Fitted-Q evaluation of a policy on episodes of a dataset.
enum FittedQ {
  /// Share of rows with the goal that was asked for, if there is one.
  private static let originalShare = 0.5
  /// The purpose that separates these draws from others: "FITTED" in ASCII.
  private static let purpose: UInt64 = 0x4649_5454_4544

  /// The mean value of the first states for their desired goals, or for what their episodes
  /// achieved in the end if none were asked for.
  ///
  /// The interval is over episodes, for this one fit.
  static func value(
    of policy: NamedPolicy, on episodes: [DatasetSample.Episode], task: GoalTask, updates: Int,
    seed: UInt64, workers: Int
  ) throws -> Estimate {
    let parts = try Parallel.map(
      count: episodes.count, workers: workers, context: { policy.policy.makeActor() }
    ) { actor, number in Self.rows(of: episodes[number], task: task, actor: actor, seed: seed) }
    var rows = FittedQEvaluation.Rows(action: task.spec.action)
    for part in parts { rows.append(part) }
    let fit = try FittedQEvaluation(
      task: task, discount: 1 - 1 / Double(task.spec.horizon), seed: seed)
    fit.fit(rows, updates: updates)

    var (observations, goals) = ([Float](), [Float]())
    var actions = FittedQEvaluation.Rows(action: task.spec.action)
    let actor = policy.policy.makeActor()
    for episode in episodes {
      let (start, goal) = first(of: episode.trajectory, task)
      actor.begin(goal: goal, seed: episode.trajectory.seed)
      actions.append(actor.act(start), actor.act(start))
      observations += start
      goals += goal
    }
    let values = fit.values(
      observations: observations, goals: goals, actions: actions.actions, rows: episodes.count)
    return Intervals.mean(values.map(Double.init))
  }

  /// The first observation and the goal of an episode.
  private static func first(
    of trajectory: Trajectory, _ task: GoalTask
  ) -> (observation: [Float], goal: [Float]) {
    let g = task.spec.goal
    let goal =
      trajectory.desiredGoal.count >= g
      ? Array(trajectory.desiredGoal.prefix(g))
      : trajectory.achievedGoal(trajectory.length, length: g)
    return (trajectory.observation(0, length: task.spec.observation), goal)
  }

  /// A row for each step of an episode.
  private static func rows(
    of episode: DatasetSample.Episode, task: GoalTask, actor: any GoalActor, seed: UInt64
  ) -> FittedQEvaluation.Rows {
    let trajectory = episode.trajectory
    let (o, g) = (task.spec.observation, task.spec.goal)
    let hasGoal = trajectory.desiredGoal.count >= g
    var generator = Philox(seed: seed, purpose: purpose, index: UInt64(episode.place))
    var rows = FittedQEvaluation.Rows(action: task.spec.action)
    for t in 0..<trajectory.length {
      let isOriginal = generator.unit() < originalShare
      let later = t + 1 + Int(generator.unit() * Double(trajectory.length - t))
      let goal =
        hasGoal && isOriginal
        ? Array(trajectory.desiredGoal.prefix(g)) : trajectory.achievedGoal(later, length: g)
      let next = trajectory.observation(t + 1, length: o)
      actor.begin(goal: goal, seed: trajectory.seed)
      rows.observations += trajectory.observation(t, length: o)
      rows.nextObservations += next
      rows.goals += goal
      rows.append(trajectory.action(t, length: task.spec.action.length), actor.act(next))
      rows.rewards.append(
        task.isReached(trajectory.achievedGoal(t + 1, length: g), goal) ? 1 : 0)
      rows.continues.append(trajectory.terminated && t + 1 == trajectory.length ? 0 : 1)
    }
    return rows
  }
}

extension FittedQEvaluation.Rows {
  fileprivate mutating func append(_ action: Action, _ next: Action) {
    actions.append(action)
    nextActions.append(next)
  }

  fileprivate mutating func append(_ other: Self) {
    observations += other.observations
    nextObservations += other.nextObservations
    goals += other.goals
    rewards += other.rewards
    continues += other.continues
    actions.append(other.actions)
    nextActions.append(other.nextActions)
  }
}

extension ActionColumn {
  /// Appends an action of its kind.
  fileprivate mutating func append(_ action: Action) {
    switch action {
    case .continuous(let values): append(ActionColumn.continuous(values))
    case .discrete(let number): append(ActionColumn.discrete([Int32(number)]))
    }
  }

  fileprivate mutating func append(_ other: ActionColumn) {
    switch (self, other) {
    case (.continuous(var mine), .continuous(let others)):
      self = .continuous([])  // so that the column is not copied
      mine += others
      self = .continuous(mine)
    case (.discrete(var mine), .discrete(let others)):
      self = .discrete([])
      mine += others
      self = .discrete(mine)
    default: preconditionFailure("actions of another kind than the column's")
    }
  }
}
