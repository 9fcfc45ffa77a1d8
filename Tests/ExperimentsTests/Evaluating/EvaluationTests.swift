import GoalCore
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
}
