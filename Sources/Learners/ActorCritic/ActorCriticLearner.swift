internal import GoalCore
internal import Torch

/// A learner that is an actor and its critics, with what all of those do alike: acting, saving, and
/// values.
///
/// A learner that keeps more than its networks saves and restores that by itself.
protocol ActorCriticLearner: GoalValuing where Configuration: ActorCriticConfiguration {
  var networks: ActorCritic { get }
  var updates: Int { get set }
}

extension ActorCriticLearner {
  /// The present policy.
  public func makePolicy() -> any GoalPolicy { networks.policy.makePolicy() }

  /// Copies of everything that acting and training need.
  public func saved() -> SavedLearner { networks.saved(updates: updates) }

  /// Puts back what acting needs.
  public func restore(policy tensors: [NamedTensor]) throws {
    try networks.policy.restore(policy: tensors)
  }

  /// Puts everything back.
  public func restore(_ saved: SavedLearner) throws { updates = try networks.restore(saved) }

  /// γ and the convention of the rewards; nil for γ = 0, where values say nothing of the way.
  public var valueReading: ValueReading? {
    guard networks.discount > 0 else { return nil }
    return .returns(ValueScale(discount: networks.discount, rewards: configuration.rewards))
  }

  /// Q(s, π(s, g), g), `[B]`, of the first critic and the networks that are being trained, of
  /// observations `[B, O]` and goals `[B, G]`.
  public func values(observations: [Float], goals: [Float], rows: Int) -> [Float] {
    withoutGradients {
      let input = networks.policy.input(observations, goals, rows: rows)
      return networks.value(networks.critics[0], input, networks.policy(input)).floats
    }
  }
}
