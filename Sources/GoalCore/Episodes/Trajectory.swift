/// The actions of an episode.
public enum ActionColumn: Sendable, Equatable {
  /// `[T, A]`, in the world's own units.
  case continuous([Float])
  /// `[T]`, numbers of actions.
  case discrete([Int32])
}

/// One episode: `T` actions and the `T + 1` states around them.
///
/// Shapes: `T` steps, `O` observation, `G` goal, `A` action, `S` simulator state.
public struct Trajectory: Sendable, Equatable {
  /// The episode's number within its recipe.
  public var index: Int64
  /// The world's seed.
  public var seed: UInt64
  /// Number of actions, `T`.
  public var length: Int
  /// `[T + 1, O]`.
  public var observations: [Float]
  /// The actions that were applied, `[T, A]` or `[T]`.
  public var actions: ActionColumn
  /// `[T + 1, G]`.
  public var achievedGoals: [Float]
  /// `[G]`; of foreign data also `[T + 1, G]` if the goal moves, or empty if the data have none.
  public var desiredGoal: [Float]
  /// The world's own rewards, `[T]`; empty if foreign data have none, as the next and `sources`
  /// are.
  public var rewards: [Float]
  /// Whether the goal was reached after each action, `[T]`.
  public var successes: [Bool]
  /// Whether the task ended with the last step.
  public var terminated: Bool
  /// Whether time ran out with the last step.
  public var truncated: Bool
  /// Where each action came from, `[T]`.
  public var sources: [BehaviourSource]
  /// ln π(a | s, g) of each applied action, wherever it came from, `[T]`; empty if the policy is
  /// not categorical.
  public var logProbabilities: [Float]
  /// The simulator's states, `[T + 1, S]`; empty unless asked for.
  public var states: [Double]
  /// Images of the states, `[T + 1, H, W, C]`; empty unless asked for.
  public var images: [UInt8]

  /// Makes an empty episode, to be appended to.
  public init(index: Int64, seed: UInt64, action: ActionSpace, desiredGoal: [Float]) {
    self.index = index
    self.seed = seed
    length = 0
    observations = []
    switch action {
    case .continuous: actions = .continuous([])
    case .discrete: actions = .discrete([])
    }
    achievedGoals = []
    self.desiredGoal = desiredGoal
    rewards = []
    successes = []
    terminated = false
    truncated = false
    sources = []
    logProbabilities = []
    states = []
    images = []
  }

  /// Appends what a step led to; the first observation is appended by the caller.
  public mutating func append(
    _ action: Action, from source: BehaviourSource, logProbability: Float? = nil, step: GoalStep
  ) {
    switch (action, actions) {
    case (.continuous(let values), .continuous(var column)):
      actions = .continuous([])  // so that the column is not copied
      column += values
      actions = .continuous(column)
    case (.discrete(let number), .discrete(var column)):
      actions = .discrete([])
      column.append(Int32(number))
      actions = .discrete(column)
    default: preconditionFailure("an action of another kind than the episode's: \(action)")
    }
    sources.append(source)
    if let logProbability { logProbabilities.append(logProbability) }
    observations += step.next.observation
    achievedGoals += step.next.achievedGoal
    rewards.append(step.reward)
    successes.append(step.isSuccess)
    terminated = step.terminated
    truncated = step.truncated
    length += 1
  }
}
