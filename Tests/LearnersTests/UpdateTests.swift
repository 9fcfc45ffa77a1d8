import GoalCore
import Replay
import Support
import Testing
import Torch

@testable import Learners

struct UpdateTests {
  private let task = PointWorld.task()

  private func batch(_ learner: any Learner, number: UInt64 = 0) -> GoalBatch {
    let replay = PointWorld.replay(task: task, episodes: 10, seed: 1)
    var batch = GoalBatch(count: learner.scheme.batchSize, spec: task.spec)
    replay.draw(learner.scheme, seed: 0, number: number, into: &batch)
    return batch
  }

  @Test func targetsMoveOnceACycle() throws {
    let learner = try LearnerRegistry.entry("wgcsl").make(
      task: task, overrides: ["hiddenWidths": [16], "batchSize": 32, "batchesPerCycle": 3], seed: 0)
    func tensor(_ name: String) -> [Float]? {
      let saved = learner.saved()
      return (saved.policy + saved.training).first { $0.name == name }?.tensor.floats
    }
    let start = try #require(tensor("actor.0.weight"))
    #expect(tensor("target_actor.0.weight") == start)
    for _ in 0..<2 { learner.update(on: batch(learner)) }
    #expect(tensor("target_actor.0.weight") == start)
    learner.update(on: batch(learner))
    let target = try #require(tensor("target_actor.0.weight"))
    let main = try #require(tensor("actor.0.weight"))
    for k in start.indices {
      #expect(abs(target[k] - (0.9 * start[k] + 0.1 * main[k])) < 1e-6)
    }
  }

  @Test func allWeightsOffIsGCSL() throws {
    let overrides: [String: JSONValue] = ["hiddenWidths": [16], "batchSize": 32]
    let off: [String: JSONValue] = [
      "relabelWeight": false, "exponentialWeight": false, "bestAdvantageWeight": false,
    ]
    let plain = try LearnerRegistry.entry("gcsl").make(task: task, overrides: overrides, seed: 2)
    let weighted = try LearnerRegistry.entry("wgcsl").make(
      task: task, overrides: overrides.merging(off) { $1 }, seed: 2)
    #expect(plain.scheme == weighted.scheme)
    let critic = weighted.saved().training.first { $0.name == "critic.0.weight" }?.tensor.floats
    for number in 0..<5 as Range<UInt64> {
      let batch = batch(plain, number: number)
      plain.update(on: batch)
      weighted.update(on: batch)
    }
    for (a, b) in zip(plain.saved().policy, weighted.saved().policy) {
      let differences = zip(a.tensor.floats, b.tensor.floats).map { abs($0 - $1) }
      #expect(a.name == b.name && (differences.max() ?? 1) < 1e-5)
    }
    // The reference does not train a critic that nothing reads.
    let after = weighted.saved().training.first { $0.name == "critic.0.weight" }?.tensor.floats
    #expect(critic == after)
  }

  @Test func schemesAreTheReferences() throws {
    func scheme(_ id: String, _ overrides: [String: JSONValue] = [:]) throws -> SamplingScheme {
      try LearnerRegistry.entry(id).make(task: task, overrides: overrides, seed: 0).scheme
    }
    #expect(
      try scheme("goal-bc")
        == SamplingScheme(batchSize: 128, policyGoals: .original, originalValueGoals: 1))
    #expect(
      try scheme("gcsl")
        == SamplingScheme(
          batchSize: 128, policyGoals: .future(fraction: 1), originalValueGoals: 0.2))
    #expect(try scheme("gcsl", ["pairs": "pair"]).policyGoals == .pair())
    #expect(
      try scheme("gcsl", ["pairs": "pair-before-actions"]).policyGoals
        == .pair(.gcsl, states: .beforeActions))
    #expect(try scheme("wgcsl") == scheme("gcsl"))
    #expect(try scheme("goal-marvil") == scheme("goal-bc"))
    #expect(try scheme("td3-bc", ["batchSize": 128]) == scheme("gcsl"))
    #expect(
      try scheme("ddpg-her")
        == SamplingScheme(
          batchSize: 128, policyGoals: .future(fraction: 0.8), originalValueGoals: 0))
    #expect(
      try scheme("ddpg")
        == SamplingScheme(batchSize: 128, policyGoals: .original, originalValueGoals: 0))
    #expect(try scheme("ddpg", ["relabelledGoals": 0.8]) == scheme("ddpg-her"))
  }
}
