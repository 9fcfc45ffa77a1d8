import Environments
import Foundation
import GoalCore
import Statistics
import Testing

@testable import Experiments

struct EvaluationTests {
  @Test func episodesAreScoredAsThePaperCounts() {
    let task = GoalTask(
      identifier: "t",
      spec: GoalSpec(
        observation: 1, goal: 1, action: .continuous(low: [-1], high: [1]), horizon: 4,
        successThreshold: 0.5, metric: "m", controlPeriod: 1),
      goalIndices: [0])
    var trajectory = Trajectory(
      index: 0, seed: 0, action: task.spec.action, desiredGoal: [2])
    trajectory.observations = [0]
    trajectory.achievedGoals = [0]
    for (state, reward) in [(1, -1), (2, 0), (2, 0), (5, -1)] as [(Float, Float)] {
      let next = GoalObservation(observation: [state], achievedGoal: [state], desiredGoal: [2])
      trajectory.append(
        .continuous([0]), from: .policy,
        step: GoalStep(
          next: next, reward: reward, isSuccess: reward == 0, terminated: false, truncated: false))
    }
    let score = EpisodeScore(trajectory, task: task)
    #expect(!score.success)
    #expect(score.returnBeforeLast == 2)
    #expect(score.fullReturn == 2)
    #expect(abs(score.discountedReturn - (0.75 + 0.75 * 0.75)) < 1e-12)
    #expect(score.finalDistance == 3)
    // GCSL's code ends in the state before the last action.
    #expect(score.successBeforeLast && score.distanceBeforeLast == 0)
  }

  /// What is counted before the last step is named after the horizon, and read back under any.
  @Test(arguments: [1, 2, 50, 200, 1000]) func measuresHaveTheirHorizonInTheirNames(horizon: Int) {
    let names = Measure.allCases.map { $0.name(horizon: horizon) }
    let last = horizon - 1
    #expect(
      names == [
        "success", "return\(last)", "return", "discounted_return", "final_distance",
        "success\(last)", "distance\(last)",
      ])
    #expect(names.map { Measure(name: $0) } == Measure.allCases)
    #expect(Measure.allCases.map { Measure(name: $0.name(horizon: nil)) } == Measure.allCases)
    for name in ["return049", "return-1", "returns", "return99999999999999999999", ""] {
      #expect(Measure(name: name) == nil, "\(name)")
    }
  }

  @Test func anEvaluationIsReadAsItWasWritten() throws {
    let task = try EnvironmentRegistry.world("pointmaze-medium").task
    let world = try EnvironmentRegistry.world("point-reach")
    let scores = try Evaluation.scores(
      of: Policies.named("random", for: world), in: world,
      EvaluationRequest(episodes: 3, seed: 1, workers: 1))
    for (task, name) in [(world.task, "success49"), (task, "success999")] {
      let evaluation = Evaluation(scores, task: task)
      let data = try JSONEncoder().encode(evaluation)
      #expect(try JSONDecoder().decode(Evaluation.self, from: data) == evaluation)
      var values = try JSONDecoder().decode([String: Estimate].self, from: data)
      #expect(values.count == Measure.allCases.count && values[name] != nil)
      values[name] = nil
      let less = try JSONEncoder().encode(values)
      #expect(throws: DecodingError.self) {
        try JSONDecoder().decode(Evaluation.self, from: less)
      }
    }
  }
}
