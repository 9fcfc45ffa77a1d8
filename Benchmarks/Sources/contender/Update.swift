import GoalCore
import Learners
import Replay

/// WGCSL's update on one random batch of FetchPush's sizes, one thread.
///
/// The amount is updates.
func update(batch rows: Int) throws {
  let spec = GoalSpec(
    observation: 25, goal: 3, action: .continuous(low: [-1, -1, -1, -1], high: [1, 1, 1, 1]),
    horizon: 50, successThreshold: 0.05, metric: "m", controlPeriod: 0.04)
  let task = GoalTask(identifier: "fetch-push", spec: spec, goalIndices: [3, 4, 5])
  let learner = try LearnerRegistry.entry("wgcsl")
    .make(task: task, overrides: ["batchSize": .integer(rows)], seed: 0)
  var generator = Philox(seed: 1, purpose: 2, index: 3)
  var batch = GoalBatch(count: rows, spec: spec)
  func fill(_ values: inout [Float], _ draw: () -> Double) {
    for k in values.indices { values[k] = Float(draw()) }
  }
  fill(&batch.observations) { generator.normal() }
  fill(&batch.nextObservations) { generator.normal() }
  fill(&batch.policyGoals) { generator.normal() }
  fill(&batch.valueGoals) { generator.normal() }
  fill(&batch.policyRewards) { generator.unit() < 0.1 ? 0 : -1 }
  fill(&batch.valueRewards) { generator.unit() < 0.1 ? 0 : -1 }
  batch.actions = .continuous((0..<rows * 4).map { _ in Float(generator.uniform(-1, 1)) })
  for k in 0..<rows { batch.offsets[k] = Int32(generator.uniform(0, 50)) }
  try serve {
    for _ in 0..<5 { learner.update(on: batch) }
    return 5
  }
}
