internal import GoalCore
internal import Replay
internal import Torch

/// A learner that is one imitating policy, with what all of those do alike: updates, acting, and
/// saving.
protocol ImitationLearner: Learner {
  var policy: any Imitator { get }
  var updates: Int { get set }
}

extension ImitationLearner {
  /// One step of gradient descent on `batch`.
  public func update(on batch: GoalBatch, measuring: Bool) -> Metrics? {
    updates += 1
    return policy.imitate(batch, measuring: measuring)
  }

  /// The imitation loss of a batch that is not trained on.
  public func losses(on batch: GoalBatch) -> Metrics { policy.losses(on: batch) }

  /// The present policy.
  public func makePolicy() -> any GoalPolicy { policy.makePolicy() }

  /// The present policy as it collects.
  public func makeCollectingPolicy() -> any GoalPolicy { policy.makeCollectingPolicy() }

  /// Copies of everything that acting and training need.
  public func saved() -> SavedLearner {
    SavedLearner(policy: policy, training: policy.trainingState, updates: updates)
  }

  /// Puts back what acting needs.
  public func restore(policy tensors: [NamedTensor]) throws { try policy.restore(policy: tensors) }

  /// Puts everything back.
  public func restore(_ saved: SavedLearner) throws {
    try policy.restore(policy: saved.policy)
    try policy.restore(training: saved.training)
    updates = try saved.updates()
  }
}
