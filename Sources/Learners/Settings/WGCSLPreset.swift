internal import GoalCore

/// The settings of WGCSL's code for each task.
///
/// Source: github.com/YangRui2015/AWGCSL at d8f1c56, `wgcsl/algo/config.py`, whose epochs × cycles
/// × batches are the gradient steps.
struct WGCSLPreset: Sendable, Equatable {
  /// Rows in a batch.
  let batchSize: Int
  /// By how much the best-advantage weight's percentile grows with each update.
  let bestAdvantageStep: Double
  /// Updates after which the targets move.
  let batchesPerCycle: Int
  /// Gradient steps in all.
  let updates: Int

  /// For any other task: 50 epochs of 10 cycles of 4 batches.
  static let others = WGCSLPreset(128, 0.1, batches: 4, cycles: 10, epochs: 50)

  private static let tasks: [String: WGCSLPreset] = {
    let point = WGCSLPreset(128, 0.15, batches: 1, cycles: 5, epochs: 50)
    let reach = WGCSLPreset(128, 0.15, batches: 5, cycles: 5, epochs: 100)
    let turn = WGCSLPreset(128, 0.15, batches: 10, cycles: 10, epochs: 200)
    let hard = WGCSLPreset(512, 0.01, batches: 20, cycles: 20, epochs: 100)
    return [
      "point-reach": point, "point-rooms": point,
      "sawyer-reach": reach, "fetch-reach": reach,
      "reacher": turn, "sawyer-door": turn, "sawyer-door-precise": turn,
      "fetch-push": hard, "fetch-slide": hard, "fetch-pick-and-place": hard, "hand-reach": hard,
    ]
  }()

  /// The code's own settings for a task; nil if it has none.
  static func listed(_ task: GoalTask) -> WGCSLPreset? { tasks[task.identifier] }

  /// The code's settings for a task, or its defaults.
  init(task: GoalTask) { self = WGCSLPreset.listed(task) ?? .others }

  private init(_ batchSize: Int, _ step: Double, batches: Int, cycles: Int, epochs: Int) {
    (self.batchSize, bestAdvantageStep, batchesPerCycle) = (batchSize, step, batches)
    updates = epochs * cycles * batches
  }
}
