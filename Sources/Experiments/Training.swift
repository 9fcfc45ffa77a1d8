public import Foundation
import Learners

/// Training as the command line asks for it: one run, or several side by side.
public enum Training {
  /// Trains one run with a progress report.
  public static func run(
    _ configuration: RunConfiguration, in folder: URL, resuming: Bool = false
  ) throws -> OfflineTraining.Summary {
    let updates = try OfflineTraining.updates(of: configuration)
    let progress = ProgressReport(
      "train \(configuration.learner)", total: updates, unit: "updates")
    defer { progress.finish() }
    return try OfflineTraining.run(
      configuration, in: folder, resuming: resuming, progress: progress)
  }

  /// Trains several runs side by side, each in its usual folder and each equal to the run that it
  /// would be alone.
  public static func run(_ runs: [RunConfiguration]) throws -> [OfflineTraining.Summary] {
    guard let first = runs.first else { return [] }
    let updates = try OfflineTraining.updates(of: first)
    let progress = ProgressReport(
      "train \(first.learner), \(runs.count) seeds", total: updates * runs.count, unit: "updates")
    defer { progress.finish() }
    return try Parallel.map(count: runs.count, workers: Parallel.cores, context: {}) { _, index in
      try OfflineTraining.run(runs[index], in: RunFolder.usual(runs[index]), progress: progress)
    }
  }
}
