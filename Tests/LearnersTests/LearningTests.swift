import GoalCore
import Replay
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
    let before = PointWorld.success(of: learner.makePolicy(), task: task, episodes: 100)
    var batch = GoalBatch(learner.scheme, spec: task.spec)
    for number in 0..<updates {
      replay.draw(learner.scheme, seed: 0, number: UInt64(number), into: &batch)
      learner.update(on: batch)
    }
    return (before, PointWorld.success(of: learner.makePolicy(), task: task, episodes: 100))
  }

  @Test(arguments: [("gcsl", 600), ("wgcsl", 600), ("ddpg-her", 1_200), ("td3-bc", 1_200)])
  func randomWalksTeachThePointItsWay(id: String, updates: Int) throws {
    let (before, after) = try success(id, updates: updates)
    #expect(before < 0.3)
    #expect(after > 0.9)
  }

  @Test func cloningRandomActionsTeachesNothing() throws {
    #expect(try success("goal-bc", updates: 600).after < 0.3)
  }
}
