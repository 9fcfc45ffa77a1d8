internal import GoalCore

/// WGCSL's settings that differ from task to task.
///
/// Source: github.com/YangRui2015/AWGCSL at d8f1c56, `wgcsl/algo/config.py`, whose epochs × cycles ×
/// batches are the gradient steps.
struct PaperSchedule: Sendable, Equatable {
  /// Rows in a batch.
  var batchSize = 128
  /// By how much the best-advantage weight's percentile grows with each update.
  var bestAdvantageStep = 0.1
  /// Updates after which the targets move.
  var batchesPerCycle = 4
  /// Gradient steps in all.
  var updates = 2_000
  /// Whether the reference has settings for the task.
  private(set) var isListed = false

  /// The settings for a task, or the reference's defaults (50 epochs of 10 cycles of 4 batches).
  init(task: GoalTask) {
    switch task.identifier {
    case "point-reach", "point-rooms": set(128, 0.15, batches: 1, updates: 50 * 5 * 1)
    case "sawyer-reach", "fetch-reach": set(128, 0.15, batches: 5, updates: 100 * 5 * 5)
    case "reacher", "sawyer-door", "sawyer-door-precise":
      set(128, 0.15, batches: 10, updates: 200 * 10 * 10)
    case "fetch-push", "fetch-slide", "fetch-pick", "fetch-pick-and-place", "hand-reach":
      set(512, 0.01, batches: 20, updates: 100 * 20 * 20)
    default: break
    }
  }

  private mutating func set(_ batchSize: Int, _ step: Double, batches: Int, updates: Int) {
    (self.batchSize, bestAdvantageStep) = (batchSize, step)
    (batchesPerCycle, self.updates, isListed) = (batches, updates, true)
  }
}
