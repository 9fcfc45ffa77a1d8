import Foundation
import GoalCore
import Learners
import Replay
import Storage

/// Trains a learner on datasets.
enum OfflineTraining {
  /// Trains in `folder` until `configuration.updates` are made; with `resuming`, from the last
  /// checkpoint there.
  ///
  /// Batch k is a function of the run's seed and k, and a checkpoint holds all that updates need, so
  /// a run that was stopped and resumed equals one that was not, bit for bit on one machine.
  static func run(
    _ configuration: RunConfiguration, in folder: URL, resuming: Bool = false,
    progress: ProgressReport? = nil
  ) throws -> TrainingSummary {
    let data = try TrainingData(configuration.datasets)
    let run = try TrainingRun(
      configuration, in: folder, task: data.task, digests: data.digests, resuming: resuming,
      progress: progress)
    let replay = EpisodeReplay(task: data.task, columns: data.columns, isLarge: data.isLarge)
    let learner = run.learner
    let total = run.start + run.configuration.updates
    var batch = run.makeBatch()
    while learner.updates < total, !Interruption.isAsked {
      let number = learner.updates
      replay.draw(
        learner.scheme, seed: configuration.seed, number: UInt64(number), into: &batch)
      let isLast = number + 1 == total
      try run.update(on: batch, isLast: isLast)
      try run.settle(since: number, isLast: isLast)
    }
    return try run.end(interrupted: learner.updates < total)
  }
}

/// The datasets of a run, opened.
struct TrainingData {
  /// Their task.
  let task: GoalTask
  /// Their columns, one dataset after the other.
  let columns: [TrajectoryColumns]
  /// The digests of their manifests.
  let digests: [String]
  /// Whether the columns do not fit into memory.
  let isLarge: Bool

  /// Opens datasets, which must be of one task.
  init(_ paths: [String]) throws {
    var task: GoalTask?
    var columns: [TrajectoryColumns] = []
    var digests: [String] = []
    let datasets = try paths.map { try Dataset(at: URL(fileURLWithPath: $0)) }
    try MemoryLimit.checkFits(datasets)
    for (path, dataset) in zip(paths, datasets) {
      if let task, task != dataset.manifest.task {
        throw ExperimentError.otherDataset(
          path: path, world: dataset.manifest.task.identifier, expected: task.identifier)
      }
      task = dataset.manifest.task
      columns += try dataset.columns()
      digests.append(try dataset.manifest.digest())
    }
    guard let task else {
      throw ExperimentError.badSettings(path: "train", reason: "at least one --dataset is needed")
    }
    self.task = task
    self.columns = columns
    self.digests = digests
    isLarge = MemoryLimit.isExceeded(by: datasets)
  }
}
