/// What a policy may do at each step.
public enum ActionSpace: Codable, Sendable, Equatable {
  /// A vector with a closed range for each dimension, in the world's own units.
  case continuous(low: [Float], high: [Float])
  /// One of `count` actions, numbered from 0.
  case discrete(count: Int)

  /// Numbers in one stored action: the vector's length, or 1 for a discrete action.
  public var length: Int {
    switch self {
    case .continuous(let low, _): low.count
    case .discrete: 1
    }
  }
}

/// One action, as the world takes it and as a dataset stores it.
public enum Action: Sendable, Equatable {
  /// A vector in the world's own units.
  case continuous([Float])
  /// The number of an action, from 0.
  case discrete(Int)
}

/// The sizes and constants of a goal-conditioned problem.
public struct GoalSpec: Codable, Sendable, Equatable {
  /// Length of an observation, `O`.
  public let observation: Int
  /// Length of a goal, `G`.
  public let goal: Int
  /// The action space, of length `A`.
  public let action: ActionSpace
  /// Steps after which an episode is truncated.
  public let horizon: Int
  /// Distance under which a goal counts as reached, in the metric's unit.
  public let successThreshold: Double
  /// What the distance measures and its unit, for people.
  public let metric: String
  /// Seconds of simulated time in one step.
  public let controlPeriod: Double

  /// Makes a specification from its sizes.
  public init(
    observation: Int, goal: Int, action: ActionSpace, horizon: Int, successThreshold: Double,
    metric: String, controlPeriod: Double
  ) {
    precondition(observation > 0 && goal > 0 && horizon > 0, "lengths and horizon must be positive")
    self.observation = observation
    self.goal = goal
    self.action = action
    self.horizon = horizon
    self.successThreshold = successThreshold
    self.metric = metric
    self.controlPeriod = controlPeriod
  }
}
