internal import GoalCore

/// The settings of GCSL's own code, and their tasks.
///
/// Source: github.com/dibyaghosh/gcsl at cfae560, `gcsl/algo/variants.py`.
enum GCSLPreset {
  private static let tasks: Set<String> = [
    "lunar-lander", "point-mass-empty", "point-mass-rooms", "sawyer-door-gcsl", "sawyer-push",
    "claw",
  ]

  /// The code's settings for a task of its own; nil for any other.
  static func listed(_ task: GoalTask) -> GCSL.Configuration? {
    tasks.contains(task.identifier) ? configuration : nil
  }

  /// The code's settings.
  static var configuration: GCSL.Configuration {
    var configuration = GCSL.Configuration()
    configuration.batchSize = 256
    configuration.pairs = .pairBeforeActions
    configuration.actions = .discretized
    configuration.hiddenWidths = [400, 300]
    configuration.initialWeights = .torch
    configuration.normalizer.isOn = false
    return configuration
  }
}
