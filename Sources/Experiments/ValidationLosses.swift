import Learners
import Replay

/// The loss terms on episodes that were held out, beside those on what is trained on.
struct ValidationLosses {
  private let sampler: Sampler
  private var batch: GoalBatch

  /// Draws from what was held out as the learner trains; nil where nothing was.
  init?(of learner: any Learner, _ data: TrainingData, seed: UInt64) {
    guard !data.validation.isEmpty else { return nil }
    sampler = Sampler(learner.scheme, sources: data.validation, seed: seed)
    batch = sampler.makeBatch()
  }

  /// `training/…` on a batch that was trained on, and `validation/…` on as many rows held out.
  mutating func metrics(of learner: any Learner, on trained: GoalBatch) -> Metrics {
    sampler.draw(UInt64(learner.updates), into: &batch)
    var metrics = Metrics()
    metrics.append(learner.losses(on: trained), within: "training")
    metrics.append(learner.losses(on: batch), within: "validation")
    return metrics
  }
}
