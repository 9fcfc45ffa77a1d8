import Learners
import Replay

/// The loss terms on episodes that were held out, next to those on training data.
struct ValidationLosses {
  private let sampler: Sampler
  private var batch: GoalBatch

  /// Draws from held-out episodes as the learner trains; nil if none were held out.
  init?(of learner: any Learner, _ heldOut: [WeightedSource], seed: UInt64) {
    guard !heldOut.isEmpty else { return nil }
    sampler = Sampler(learner.scheme, sources: heldOut, seed: seed)
    batch = sampler.makeBatch()
  }

  /// `training/…` on a batch that was trained on, and `validation/…` on as many rows held out.
  ///
  /// `weights` stand in for the sources' own; if all are 0, nothing is held out yet and the losses
  /// are 0, as GCSL's code has them.
  mutating func metrics(
    of learner: any Learner, on trained: GoalBatch, weights: [Double]? = nil
  ) -> Metrics {
    let training = learner.losses(on: trained)
    var validation = Metrics()
    if let weights, weights.allSatisfy({ $0 == 0 }) {
      for entry in training.entries { validation.append(entry.name, 0) }
    } else {
      sampler.draw(UInt64(learner.updates), weights: weights, into: &batch)
      validation = learner.losses(on: batch)
    }
    var metrics = Metrics()
    metrics.append(training, within: "training")
    metrics.append(validation, within: "validation")
    return metrics
  }
}
