internal import Glibc

/// The scale of a learner's values: its discount, what it counts as a reward, and where it
/// begins to count.
///
///     V = Σ_{i ≥ 0} γ^i r_i,   r_i the reward of the state after i + 1 steps, or after i steps
public struct ValueScale: Codable, Sendable, Equatable {
  /// γ, in (0, 1).
  public let discount: Double
  /// The reward convention.
  public let rewards: RewardConvention
  /// Whether the first reward is the present state's, as OGBench's learners count; else the next
  /// state's.
  public let startsBeforeStep: Bool

  /// Makes a scale.
  public init(discount: Double, rewards: RewardConvention, startsBeforeStep: Bool = false) {
    precondition(discount > 0 && discount < 1, "a discount in (0, 1), found \(discount)")
    self.discount = discount
    self.rewards = rewards
    self.startsBeforeStep = startsBeforeStep
  }

  /// Reads a scale; one that does not say where it begins to count begins with the next state.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    discount = try container.decode(Double.self, forKey: .discount)
    rewards = try container.decode(RewardConvention.self, forKey: .rewards)
    startsBeforeStep =
      try container.decodeIfPresent(Bool.self, forKey: .startsBeforeStep) ?? false
  }

  /// Rewards that come before the goal's own, of a goal that is reached with the h-th step from
  /// here.
  private var lead: Double { startsBeforeStep ? 0 : 1 }

  /// The value of a goal that is reached with the `steps`-th step from here, and kept.
  ///
  ///     0/1:  γ^k / (1 − γ)        −1/0:  −(1 − γ^k) / (1 − γ)
  ///     k = h − 1, or h with the present state's
  public func value(reachedIn steps: Double) -> Double {
    let discounted = exp(log(discount) * (steps - lead))
    switch rewards {
    case .zeroOrOne: return discounted / (1 - discount)
    case .minusOneOrZero: return -(1 - discounted) / (1 - discount)
    }
  }

  /// The steps h of which a value is that of `value(reachedIn:)`; at least 1, infinite for values
  /// that say never.
  public func steps(of value: Double) -> Double {
    let kept =
      switch rewards {
      case .zeroOrOne: value * (1 - discount)
      case .minusOneOrZero: 1 + value * (1 - discount)
      }
    return kept <= 0 ? .infinity : max(1, lead + log(kept) / log(discount))
  }

  /// The steps of a value that is held 10⁻³ away from those of never and of now, so that they are
  /// finite.
  func boundedSteps(of value: Double) -> Double {
    let worst = -1 / (1 - discount)
    let moved = rewards == .zeroOrOne ? value + worst : value
    let held = max(worst + 1e-3, min(-1e-3, moved))
    return lead + log(1 + (1 - discount) * held) / log(discount)
  }

  /// The value of being at the goal, or not, in each of the states that follow; now it is not.
  public func value(ofStates isReached: [Bool]) -> Double {
    let states = startsBeforeStep ? [false] + isReached : isReached
    var (sum, weight) = (0.0, 1.0)
    for isThere in states {
      sum += weight * (rewards == .zeroOrOne ? (isThere ? 1 : 0) : (isThere ? 0 : -1))
      weight *= discount
    }
    return sum
  }
}

/// The meaning of a learner's values.
public enum ValueReading: Sendable, Equatable {
  /// Sums of rewards.
  case returns(ValueScale)
  /// Minus the steps to the goal.
  case steps
  /// Logits of whether the goal is reached from here, at a step that is drawn by γ, rather than
  /// from elsewhere.
  case logits(discount: Double)
}

/// A learner that says how good a state is for a goal.
public protocol GoalValuing: Learner {
  /// The meaning of its values; nil if its settings train no value.
  var valueReading: ValueReading? { get }
  /// V(s, g) under the present policy, `[B]`, of observations `[B, O]` and goals `[B, G]`.
  ///
  /// Nothing of the learner changes.
  func values(observations: [Float], goals: [Float], rows: Int) -> [Float]
}

extension GoalValuing {
  /// The scale of its values; nil if they are no sums of rewards.
  public var valueScale: ValueScale? {
    if case .returns(let scale) = valueReading { scale } else { nil }
  }
}
