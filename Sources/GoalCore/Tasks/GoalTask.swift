import Glibc
public import Support

/// How far an achieved goal is from a desired one, over the dimensions of the distance.
public enum GoalMeasure: String, Codable, Sendable {
  /// Dimensions are the cosine and the sine of an angle: the difference of the two angles, rad, 0
  /// to π.
  case angle
  /// Dimensions are places in the plane, x and y after each other: the distance of the pair
  /// farthest apart.
  case farthestPlace = "farthest-place"
}

/// The goal side of a world, without its simulator: what has been achieved, when that counts, and
/// what it earns.
///
/// Stepping, relabelling, conversion, verification and evaluation all ask this value, so that each
/// is stated once. It works on the numbers that a dataset stores (`Float`), so a stored reward can
/// be recomputed to the bit.
///
///     m(s) = (s[i] for i in goalIndices)
///     d(a, g) = ‖a[D] − g[D]‖₂ over the dimensions D of the distance, or another `GoalMeasure`
///     reward(a, g) = −1 if d(a, g) > threshold, else 0
///     isReached(a, g) = d(a, g) < threshold
///
/// The reward's comparison is not strict and success's is, as in gymnasium-robotics 1.4.2,
/// `envs/fetch/fetch_env.py`; they differ only at equality.
public struct GoalTask: Codable, CheckedValue, Equatable {
  /// The world's id, such as `fetch-push`.
  public let identifier: String
  /// Sizes and constants.
  public let spec: GoalSpec
  /// Where in an observation the achieved goal stands, `[G]`; empty if m is not known, as of
  /// foreign data that record their achieved goals.
  public let goalIndices: [Int]
  /// The dimensions of a goal that the distance measures.
  public let distanceDimensions: [Int]
  /// How the distance measures them; nil for the Euclidean distance.
  public let measure: GoalMeasure?

  /// Makes a task; the distance is Euclidean and over every dimension of the goal unless told
  /// otherwise.
  public init(
    identifier: String, spec: GoalSpec, goalIndices: [Int], distanceDimensions: [Int]? = nil,
    measure: GoalMeasure? = nil
  ) {
    self.identifier = identifier
    self.spec = spec
    self.goalIndices = goalIndices
    self.distanceDimensions = distanceDimensions ?? Array(0..<spec.goal)
    self.measure = measure
    checkMade()
  }

  /// Makes a task of sizes that come from outside; throws `InvalidValue` for one that no task can
  /// have.
  public init(
    checking identifier: String, observation: Int, goal: Int, action: ActionSpace, horizon: Int,
    successThreshold: Double, metric: String, goalIndices: [Int]
  ) throws(InvalidValue) {
    let spec = GoalSpec(
      unchecked: observation, goal, action, horizon, successThreshold, metric: metric)
    self.identifier = identifier
    self.spec = spec
    self.goalIndices = goalIndices
    distanceDimensions = goal > 0 ? Array(0..<min(goal, SizeLimit.numbers)) : []
    measure = nil
    try check()
  }

  /// Reads a task, and throws `InvalidValue` for one whose places lie outside of its vectors.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    identifier = try values.decode(String.self, forKey: .identifier)
    spec = try values.decode(GoalSpec.self, forKey: .spec)
    goalIndices = try values.decode([Int].self, forKey: .goalIndices)
    distanceDimensions = try values.decode([Int].self, forKey: .distanceDimensions)
    measure = try values.decodeIfPresent(GoalMeasure.self, forKey: .measure)
    try check(in: decoder)
  }

  /// Throws `InvalidValue` for the first part that breaks a rule; places are followed without a
  /// look after this.
  public func check() throws(InvalidValue) {
    try InvalidValue.require(spec, "spec")
    try InvalidValue.require(
      goalIndices.isEmpty
        || goalIndices.count == spec.goal
          && goalIndices.allSatisfy { 0..<spec.observation ~= $0 },
      "goalIndices",
      "must be no places, or \(spec.goal) in an observation of \(spec.observation) numbers",
      found: "\(goalIndices.prefix(100))")
    try InvalidValue.require(
      !distanceDimensions.isEmpty && distanceDimensions.allSatisfy { 0..<spec.goal ~= $0 }
        && Set(distanceDimensions).count == distanceDimensions.count,
      "distanceDimensions", "must be different places in a goal of \(spec.goal) numbers",
      found: "\(distanceDimensions.prefix(100))")
    let count = distanceDimensions.count
    switch measure {
    case nil: break
    case .angle:
      try InvalidValue.require(
        count == 2, "distanceDimensions", "must be two places, as an angle is measured",
        found: "\(count)")
    case .farthestPlace:
      try InvalidValue.require(
        count % 2 == 0, "distanceDimensions", "must be pairs, as places are measured",
        found: "\(count)")
    }
  }

  /// Writes the achieved goal m(s) of an observation `[O]` to `goal` `[G]`.
  @inline(__always)
  public func achievedGoal(
    of observation: UnsafePointer<Float>, into goal: UnsafeMutablePointer<Float>
  ) {
    for k in 0..<goalIndices.count { goal[k] = observation[goalIndices[k]] }
  }

  /// Whether m is known.
  public var isGoalKnown: Bool { !goalIndices.isEmpty }

  /// The achieved goal m(s), `[G]`, of an observation `[O]`; m must be known.
  public func achievedGoal(of observation: [Float]) -> [Float] {
    precondition(isGoalKnown, "what \(identifier) achieves in a state is not known")
    precondition(
      observation.count == spec.observation,
      "an observation has \(spec.observation) numbers, found \(observation.count)")
    return goalIndices.map { observation[$0] }
  }

  /// The distance between an achieved and a desired goal `[G]`, in the metric's unit.
  @inlinable @inline(__always)
  public func distance(
    _ achieved: UnsafePointer<Float>, _ desired: UnsafePointer<Float>
  ) -> Double {
    switch measure {
    case nil:
      return Self.squaredDistance(achieved, desired, over: distanceDimensions).squareRoot()
    case .angle: return angle(achieved, desired)
    case .farthestPlace: return farthestPlace(achieved, desired)
    }
  }

  /// |((α − β + π) mod 2π) − π| of the angles α and β whose cosine and sine the two goals hold.
  @usableFromInline
  func angle(_ achieved: UnsafePointer<Float>, _ desired: UnsafePointer<Float>) -> Double {
    let (x, y) = (distanceDimensions[0], distanceDimensions[1])
    let difference = abs(
      atan2(Double(achieved[y]), Double(achieved[x]))
        - atan2(Double(desired[y]), Double(desired[x])))
    return min(difference, 2 * .pi - difference)
  }

  /// max_k ‖a[x_k, y_k] − g[x_k, y_k]‖₂ over the pairs of dimensions.
  @usableFromInline
  func farthestPlace(_ achieved: UnsafePointer<Float>, _ desired: UnsafePointer<Float>) -> Double {
    stride(from: 0, to: distanceDimensions.count, by: 2).reduce(0) { largest, k in
      let place = distanceDimensions[k..<k + 2]
      return max(largest, Self.squaredDistance(achieved, desired, over: place).squareRoot())
    }
  }

  /// The square of the Euclidean distance between two goals over some of their dimensions.
  @inlinable @inline(__always)
  public static func squaredDistance(
    _ achieved: UnsafePointer<Float>, _ desired: UnsafePointer<Float>,
    over dimensions: some Sequence<Int>
  ) -> Double {
    var sum = 0.0
    for k in dimensions {
      let difference = Double(achieved[k]) - Double(desired[k])
      sum += difference * difference
    }
    return sum
  }

  /// Whether the achieved goal counts as the desired one: the distance is below the threshold.
  @inlinable @inline(__always)
  public func isReached(_ achieved: UnsafePointer<Float>, _ desired: UnsafePointer<Float>) -> Bool {
    distance(achieved, desired) < spec.successThreshold
  }

  /// The world's own reward: −1 while the distance is over the threshold, else 0.
  @inlinable @inline(__always)
  public func reward(_ achieved: UnsafePointer<Float>, _ desired: UnsafePointer<Float>) -> Float {
    distance(achieved, desired) > spec.successThreshold ? -1 : 0
  }

  /// The largest d² whose root is not over the threshold: a Euclidean distance can be compared
  /// without the root, to the same result.
  public var squaredThreshold: Double {
    let threshold = spec.successThreshold
    if threshold < 0 { return -1 }
    var square = threshold * threshold
    while square > 0, square.squareRoot() > threshold { square = square.nextDown }
    while square < .infinity, square.nextUp.squareRoot() <= threshold { square = square.nextUp }
    return square
  }
}
