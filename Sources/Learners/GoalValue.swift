internal import Glibc

/// What the values of a learner are sums of: its discount and what it counts as a reward.
///
///     V = Σ_{i ≥ 0} γ^i r_i,   r_i the reward of the i-th step from here
public struct ValueScale: Codable, Sendable, Equatable {
  /// γ, in (0, 1).
  public let discount: Double
  /// What counts as a reward.
  public let rewards: RewardConvention

  /// Makes a scale.
  public init(discount: Double, rewards: RewardConvention) {
    precondition(discount > 0 && discount < 1, "a discount in (0, 1), found \(discount)")
    self.discount = discount
    self.rewards = rewards
  }

  /// The value of a goal that is reached with the `steps`-th step from here, and kept.
  ///
  ///     0/1:  γ^{h−1} / (1 − γ)        −1/0:  −(1 − γ^{h−1}) / (1 − γ)
  public func value(reachedIn steps: Double) -> Double {
    let discounted = exp(log(discount) * (steps - 1))
    switch rewards {
    case .zeroOrOne: return discounted / (1 - discount)
    case .minusOneOrZero: return -(1 - discounted) / (1 - discount)
    }
  }

  /// The steps h of which a value is that of `value(reachedIn:)`; at least 1, infinite for values that
  /// say never.
  public func steps(of value: Double) -> Double {
    let kept =
      switch rewards {
      case .zeroOrOne: value * (1 - discount)
      case .minusOneOrZero: 1 + value * (1 - discount)
      }
    return kept <= 0 ? .infinity : max(1, 1 + log(kept) / log(discount))
  }
}

/// A learner that says how good a state is for a goal.
public protocol GoalValuing: Learner {
  /// What its values are sums of; nil where its settings train no value.
  var valueScale: ValueScale? { get }
  /// V(s, g) under the present policy, `[B]`, of observations `[B, O]` and goals `[B, G]`.
  ///
  /// Nothing of the learner changes.
  func values(observations: [Float], goals: [Float], rows: Int) -> [Float]
}
