public import Foundation
import GoalCore
import Learners
import Reporting
import Storage
import Support

/// Training as the command line asks for it: one run, or several side by side.
public enum Training {
  /// Trains one run with a progress report.
  public static func run(
    _ configuration: RunConfiguration, in folder: URL, resuming: Bool = false
  ) throws -> TrainingSummary {
    let progress = ProgressReport(
      "train \(configuration.learner)", total: try updates(of: configuration), unit: "updates")
    let summary = try run(configuration, in: folder, resuming: resuming, progress: progress)
    progress.finish()
    return summary
  }

  /// How one goes on with a run that was stopped.
  public static func goingOn(in folder: URL) -> String {
    "go on with `goalpost train --resume \(folder.relativePath)`"
  }

  /// Trains one run by the loop that its configuration asks for.
  static func run(
    _ configuration: RunConfiguration, in folder: URL, resuming: Bool = false,
    progress: ProgressReport? = nil
  ) throws -> TrainingSummary {
    try configuration.validate()
    let loop = configuration.isOnline ? OnlineTraining.run : OfflineTraining.run
    return try loop(configuration, folder, resuming, progress)
  }

  /// Trains several runs side by side, each in its usual folder and each equal to the run that it
  /// would be alone.
  ///
  /// One that fails leaves the others alone; its error is thrown when they are at their ends.
  public static func run(_ runs: [RunConfiguration]) throws -> SeedsSummary {
    guard let first = runs.first else {
      preconditionFailure("several seeds are at least one")
    }
    let progress = ProgressReport(
      "train \(first.learner), \(runs.count) seeds", total: try updates(of: first) * runs.count,
      unit: "updates")
    let results = try Parallel.map(count: runs.count, workers: Parallel.cores, context: {}) {
      _, index in
      Result { try run(runs[index], in: RunFolder.usual(runs[index]), progress: progress) }
    }
    let summaries = try results.map { try $0.get() }
    progress.finish()
    return SeedsSummary(runs: summaries)
  }

  /// Throws what is wrong with a configuration that can be known before anything is made: its
  /// learner, its settings, its datasets, and a folder that holds a run already.
  public static func check(_ configuration: RunConfiguration, in folder: URL? = nil) throws {
    let entry = try LearnerRegistry.entry(configuration.learner)
    let tasks = try configuration.datasets.map {
      try Dataset(at: WeightedDataset.folder(of: $0)).manifest.task
    }
    if configuration.isOnline {
      _ = try entry.online(
        task: OnlineTraining.task(of: configuration), overrides: configuration.settings)
    } else if let task = tasks.first {
      _ = try entry.resolve(task: task, overrides: configuration.settings)
    }
    if let folder, RunFolder(folder).exists { throw ExperimentError.runExists(path: folder.path) }
  }

  /// How many updates a configuration comes to: its own number, or the paper's for the task.
  static func updates(of configuration: RunConfiguration) throws -> Int {
    try configuration.validate()
    let entry = try LearnerRegistry.entry(configuration.learner)
    if configuration.isOnline {
      let task = try OnlineTraining.task(of: configuration)
      let settings = try entry.online(task: task, overrides: configuration.settings)
      return try OnlineSchedule(configuration.online, settings, horizon: task.spec.horizon).updates
    }
    if configuration.updates > 0 { return configuration.updates }
    guard let path = configuration.datasets.first else { return 0 }
    let task = try Dataset(at: URL(fileURLWithPath: path)).manifest.task
    return entry.updates(for: task)
  }
}
