import GoalCore
import Replay
import Support
import Testing

@testable import Learners

struct LearningTests {
  /// Trains on random walks of a point; the share of goals reached.
  private func success(
    _ identifier: String, updates: Int, overrides: [String: JSONValue] = [:]
  ) throws -> (before: Double, after: Double) {
    let task = PointWorld.task()
    let replay = PointWorld.replay(task: task, episodes: 300, seed: 0)
    let learner = try LearnerRegistry.entry(identifier).make(
      task: task, overrides: overrides.merging(["hiddenWidths": [64, 64]]) { $1 }, seed: 0)
    let before = try PointWorld.success(of: learner.makePolicy(), task: task, episodes: 100)
    var batch = GoalBatch(learner.scheme, spec: task.spec)
    for number in 0..<updates {
      replay.draw(learner.scheme, seed: 0, number: UInt64(number), into: &batch)
      learner.update(on: batch)
    }
    return (before, try PointWorld.success(of: learner.makePolicy(), task: task, episodes: 100))
  }

  @Test(arguments: [("gcsl", 600), ("wgcsl", 600), ("ddpg-her", 1_200), ("td3-bc", 1_200)])
  func randomWalksTeachThePointItsWay(id: String, updates: Int) throws {
    let (before, after) = try success(id, updates: updates)
    #expect(before < 0.3)
    #expect(after > 0.9)
  }

  /// OGBench's learners in short runs: small batches, large steps, quick targets and a near
  /// horizon.
  ///
  /// Random walks reach little, so imitation weighs little beside a value, as OGBench has it for
  /// pointmaze, and subgoals are learned from goals that were reached.
  private static let values: [(id: String, updates: Int, settings: [String: JSONValue])] = [
    ("gcbc", 400, [:]),
    ("gcivl", 400, ["targetRate": 0.05]),
    ("gciql", 600, ["targetRate": 0.05, "success": "next", "imitationWeight": 0.03]),
    ("hiql", 400, ["targetRate": 0.05, "subgoalSteps": 8]),
    ("crl", 400, ["representationWidth": 64, "policyLoss": "awr"]),
    ("qrl", 400, ["representationWidth": 64, "components": 8, "imitationWeight": 0.0003]),
    ("qrl", 300, ["representationWidth": 64, "components": 8, "policyLoss": "awr"]),
    (
      "lavl", 500,
      [
        "targetRate": 0.05, "subgoalSteps": 8, "continuityWeight": 1,
        "policyGoals": ["trajectory": 1, "random": 0],
      ]
    ),
  ]

  @Test(arguments: values.indices) func randomWalksTeachValueLearners(number: Int) throws {
    let (id, updates, settings) = Self.values[number]
    let common: [String: JSONValue] = [
      "batchSize": 256, "learningRate": 0.001, "discount": 0.95,
    ]
    let (before, after) = try success(
      id, updates: updates, overrides: common.merging(settings) { $1 })
    #expect(before < 0.3)
    #expect(after > 0.8, "\(after)")
  }

  @Test func cloningRandomActionsTeachesNothing() throws {
    #expect(try success("goal-bc", updates: 600).after < 0.3)
  }
}
