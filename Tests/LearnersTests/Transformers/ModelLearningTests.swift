import GoalCore
import Replay
import Support
import Testing

@testable import Learners

/// Models of each family learn the way through a plane from a script's episodes.
struct ModelLearningTests {
  private static let extent = 0.5
  private static let task = PointWorld.task(horizon: 12)
  /// Half of the actions are the script's, the rest drawn.
  private static let replay = PointWorld.replay(
    task: task, episodes: 400, seed: 0, bins: 3, scripted: 0.5, extent: extent)

  /// A family and its settings.
  struct Family: Sendable, CustomTestStringConvertible {
    let name: String
    let architecture: [String: JSONValue]
    var settings: [String: JSONValue] = [:]
    var testDescription: String { name }
  }

  static let families = [
    Family(name: "mlp", architecture: ["form": "mlp"]),
    Family(
      name: "attention",
      architecture: ["form": "attention", "goal": "embedding", "width": 32, "outWidths": [64]]),
    Family(name: "act token", architecture: ["form": "tokens"]),
    Family(name: "single-act decoder", architecture: ["form": "decoder"]),
    Family(
      name: "trajectory",
      architecture: ["form": "trajectory", "mask": "restrictive", "width": 32],
      settings: ["goals": "full"]),
    Family(
      name: "trajectory with action tokens",
      architecture: ["form": "trajectory-tokens", "mask": "restrictive"]),
    Family(
      name: "interleaved",
      architecture: ["form": "interleaved", "goal": "embedding", "width": 32],
      settings: ["objectives": ["imitation": ["actions": "all"]]]),
  ]

  @Test(arguments: families) func aScriptTeachesTheWay(family: Family) throws {
    let overrides: [String: JSONValue] = [
      "batchSize": 64, "hiddenWidths": [64, 64], "learningRate": 0.003,
      "architecture": .object(family.architecture),
    ]
    let learner = try LearnerRegistry.entry(GoalTransformer.identifier).make(
      task: Self.task, overrides: overrides.merging(family.settings) { $1 }, seed: 0)
    func success() throws -> Double {
      try PointWorld.success(
        of: learner.makePolicy(), task: Self.task, episodes: 50, extent: Self.extent)
    }
    let before = try success()
    var batch = GoalBatch(learner.scheme, spec: Self.task.spec)
    for number in 0..<200 {
      Self.replay.draw(learner.scheme, seed: 0, number: UInt64(number), into: &batch)
      learner.update(on: batch)
    }
    let after = try success()
    #expect(before < 0.1)
    #expect(after > 0.5, "\(family.name): \(after)")
  }
}
