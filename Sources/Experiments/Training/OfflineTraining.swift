import Foundation
import GoalCore
import Learners
import Replay
import Reporting

/// Trains a learner on datasets.
enum OfflineTraining {
  /// Trains in `folder` until `configuration.updates` are made; with `resuming`, from the last
  /// checkpoint there.
  ///
  /// Batch k is a function of the run's seed and k, and a checkpoint holds all that updates need.
  /// So a stopped and resumed run equals an undisturbed one, bit for bit on one machine.
  static func run(
    _ configuration: RunConfiguration, in folder: URL, resuming: Bool = false,
    progress: ProgressReport? = nil
  ) throws -> TrainingSummary {
    let data = try TrainingData(configuration, marking: true)
    let run = try TrainingRun(
      configuration, in: folder, task: data.task, digests: data.digests, episodes: data.seen,
      resuming: resuming,
      progress: progress, check: { try data.checkGoals(for: $0, of: configuration) })
    let learner = run.learner
    let total = run.start + run.configuration.updates
    let sampler = Sampler(learner.scheme, sources: data.training, seed: configuration.seed)
    let batches = BatchPrefetcher(
      sampler, from: UInt64(learner.updates), below: UInt64(max(learner.updates, total)))
    var validation = ValidationLosses(of: learner, data.validation, seed: configuration.seed)
    var batch = sampler.makeBatch()
    return try Interruption.heeded {
      while learner.updates < total, !Interruption.isAsked {
        let number = learner.updates
        batches.next(into: &batch)
        let isLast = number + 1 == total
        try run.update(
          on: batch, isLast: isLast, waiting: batches.waiting,
          adding: validation?.metrics(of: learner, on: batch) ?? Metrics())
        try run.settle(since: number, isLast: isLast)
      }
      return try run.end(interrupted: learner.updates < total)
    }
  }
}
