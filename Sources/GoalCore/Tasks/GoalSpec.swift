public import Support

/// The action space.
public enum ActionSpace: Codable, CheckedValue, Equatable {
  /// A vector with a closed range for each dimension, in the world's own units.
  case continuous(low: [Float], high: [Float])
  /// One of `count` actions, numbered from 0.
  case discrete(count: Int)

  /// Reads a space, and throws `InvalidValue` for a malformed one.
  public init(from decoder: any Decoder) throws {
    let kinds = try decoder.container(keyedBy: CodingKeys.self)
    if kinds.contains(.discrete) {
      let values = try kinds.nestedContainer(keyedBy: DiscreteCodingKeys.self, forKey: .discrete)
      self = .discrete(count: try values.decode(Int.self, forKey: .count))
    } else {
      let values = try kinds.nestedContainer(
        keyedBy: ContinuousCodingKeys.self, forKey: .continuous)
      self = .continuous(
        low: try values.decode([Float].self, forKey: .low),
        high: try values.decode([Float].self, forKey: .high))
    }
    try check(in: decoder)
  }

  /// Throws `InvalidValue` unless each dimension has a finite range of some width, or there is an
  /// action.
  public func check() throws(InvalidValue) {
    switch self {
    case .discrete(let count):
      try InvalidValue.require(count, in: 1...SizeLimit.actions, "discrete.count")
    case .continuous(let low, let high):
      try InvalidValue.require(low.count, in: 1...SizeLimit.actions, "continuous.low's length")
      try InvalidValue.require(
        high.count == low.count, "continuous.high", "must have \(low.count) numbers, as low has",
        found: "\(high.count)")
      let place = zip(low, high).enumerated().first {
        let half = ($1.1 - $1.0) / 2
        return !(half > 0 && half.isFinite)
      }
      if let (place, (low, high)) = place {
        throw InvalidValue(
          "continuous.high.\(place)", "must be above low, and both finite",
          found: "\(low) to \(high)")
      }
    }
  }

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
public struct GoalSpec: Codable, CheckedValue, Equatable {
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
  /// The meaning of the distance and its unit, for people.
  public let metric: String
  /// Seconds of simulated time in one step.
  public let controlPeriod: Double

  /// Makes a specification from its sizes.
  public init(
    observation: Int, goal: Int, action: ActionSpace, horizon: Int, successThreshold: Double,
    metric: String, controlPeriod: Double
  ) {
    self.observation = observation
    self.goal = goal
    self.action = action
    self.horizon = horizon
    self.successThreshold = successThreshold
    self.metric = metric
    self.controlPeriod = controlPeriod
    checkMade()
  }

  /// Reads a specification, and throws `InvalidValue` for one that no task can have.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    observation = try values.decode(Int.self, forKey: .observation)
    goal = try values.decode(Int.self, forKey: .goal)
    action = try values.decode(ActionSpace.self, forKey: .action)
    horizon = try values.decode(Int.self, forKey: .horizon)
    successThreshold = try values.decode(Double.self, forKey: .successThreshold)
    metric = try values.decode(String.self, forKey: .metric)
    controlPeriod = try values.decode(Double.self, forKey: .controlPeriod)
    try check(in: decoder)
  }

  /// Throws `InvalidValue` for the first size or constant that is out of its range.
  public func check() throws(InvalidValue) {
    try InvalidValue.require(observation, in: 1...SizeLimit.numbers, "observation")
    try InvalidValue.require(goal, in: 1...SizeLimit.numbers, "goal")
    try InvalidValue.require(action, "action")
    try InvalidValue.require(horizon, in: 1...SizeLimit.horizon, "horizon")
    try InvalidValue.require(
      !successThreshold.isNaN, "successThreshold", "must be a number", found: "\(successThreshold)")
    try InvalidValue.requireWeight(controlPeriod, "controlPeriod")
  }

  /// A specification of sizes that are still to be checked, without a control period.
  init(
    unchecked observation: Int, _ goal: Int, _ action: ActionSpace, _ horizon: Int,
    _ successThreshold: Double, metric: String
  ) {
    (self.observation, self.goal, self.action, self.horizon) = (observation, goal, action, horizon)
    (self.successThreshold, self.metric, controlPeriod) = (successThreshold, metric, 0)
  }
}
