import GoalCore
import Replay
import Support
import Testing

@testable import Learners

/// When the averaged weights act in place of the trained ones.
struct TeacherTests {
  private struct Said: Equatable {
    let collecting: [Float]
    let evaluated: [Float]
  }

  /// The logarithms of all choices' probabilities, of both policies after a few updates.
  private func said(_ role: String) throws -> Said {
    let task = PointWorld.task()
    let learner = try LearnerRegistry.entry("goal-transformer").make(
      task: task,
      overrides: [
        "batchSize": 32, "learningRate": 0.01, "hiddenWidths": [16],
        "objectives": ["teacher": ["role": .text(role)]],
      ], seed: 3)
    let replay = PointWorld.replay(task: task, episodes: 12, seed: 4, bins: 3)
    var batch = GoalBatch(learner.scheme, spec: task.spec)
    for number in 0..<20 {
      replay.draw(learner.scheme, seed: 0, number: UInt64(number), into: &batch)
      learner.update(on: batch)
    }
    func logarithms(_ policy: any GoalPolicy) throws -> [Float] {
      let actor = policy.makeActor()
      actor.begin(goal: [0.7, -0.2], seed: 1)
      _ = actor.act([0.3, 0.4])
      return try (0..<9).map {
        let choice = Action.continuous([Float($0 % 3 - 1), Float($0 / 3 - 1)])
        return try #require(actor.logProbability(of: choice))
      }
    }
    return Said(
      collecting: try logarithms(learner.makeCollectingPolicy()),
      evaluated: try logarithms(learner.makePolicy()))
  }

  @Test func theTeacherActsWhereItsRoleSays() throws {
    let student = try said("none").evaluated
    let teacher = try said("both").evaluated
    #expect(student != teacher)
    #expect(try said("none") == Said(collecting: student, evaluated: student))
    #expect(try said("acting") == Said(collecting: teacher, evaluated: student))
    #expect(try said("evaluating") == Said(collecting: student, evaluated: teacher))
    #expect(try said("both") == Said(collecting: teacher, evaluated: teacher))
  }
}
