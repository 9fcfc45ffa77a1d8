import Foundation
import Testing

@testable import GoalCore

struct GoalTaskTests {
  let task = GoalTask(
    identifier: "test",
    spec: GoalSpec(
      observation: 4, goal: 2, action: .continuous(low: [-1], high: [1]), horizon: 10,
      successThreshold: 0.5, metric: "m", controlPeriod: 0.1),
    goalIndices: [2, 0])

  @Test func achievedGoalIsReadWhereItStands() {
    #expect(task.achievedGoal(of: [1, 2, 3, 4]) == [3, 1])
  }

  @Test(arguments: [(0.0, true, 0.0), (0.49, true, 0), (0.5, false, 0), (0.51, false, -1)])
  func rewardAndSuccessDifferAtTheThresholdOnly(x: Double, success: Bool, reward: Double) {
    let achieved: [Float] = [Float(x), 0]
    #expect(task.isReached(achieved, [0, 0]) == success)
    #expect(task.reward(achieved, [0, 0]) == Float(reward))
  }

  @Test(arguments: [0, 1e-160, 0.05, 0.1, 0.3, 1 / 3, 2, 1e200, .infinity, -1] as [Double])
  func squaresAreComparedAsTheirRoots(threshold: Double) {
    let task = GoalTask(
      identifier: "test",
      spec: GoalSpec(
        observation: 2, goal: 2, action: task.spec.action, horizon: 10,
        successThreshold: threshold, metric: "m", controlPeriod: 0.1), goalIndices: [0, 1])
    var below = threshold * threshold
    for _ in 0..<9 { below = below.nextDown }
    for _ in 0..<18 {
      #expect((max(0, below) > task.squaredThreshold) == (max(0, below).squareRoot() > threshold))
      below = below.nextUp
    }
  }

  @Test func distanceMayMeasureSomeDimensions() {
    let partial = GoalTask(
      identifier: "test", spec: task.spec, goalIndices: [2, 0], distanceDimensions: [1])
    #expect(partial.distance([9, 3], [0, 0]) == 3)
    #expect(task.distance([4, 3], [0, 0]) == 5)
  }

  @Test func anAngleIsMeasuredTheShortWayRound() {
    let angle = GoalTask(
      identifier: "test", spec: task.spec, goalIndices: [2, 0], measure: .angle)
    func goal(_ angle: Double) -> [Float] { [Float(cos(angle)), Float(sin(angle))] }
    for (a, b, expected) in [(0.1, 0.35, 0.25), (3, -3, 2 * .pi - 6), (-0.2, 0.2, 0.4), (0, 3, 3)] {
      #expect(abs(angle.distance(goal(a), goal(b)) - expected) < 1e-6)
      #expect(angle.isReached(goal(a), goal(b)) == (expected < 0.5))
      #expect(angle.reward(goal(a), goal(b)) == (expected > 0.5 ? -1 : 0))
    }
  }

  @Test func theFarthestOfSeveralPlacesCounts() {
    let places = GoalTask(
      identifier: "test",
      spec: GoalSpec(
        observation: 4, goal: 4, action: task.spec.action, horizon: 10, successThreshold: 0.5,
        metric: "m", controlPeriod: 0.1),
      goalIndices: [0, 1, 2, 3], measure: .farthestPlace)
    #expect(places.distance([0, 0, 1, 1], [3, 4, 1, 2]) == 5)
    #expect(places.distance([0, 0, 1, 1], [0, 1, 1, 3]) == 2)
    #expect(places.isReached([0, 0, 1, 1], [0.3, 0, 1, 1.4]))
    #expect(!places.isReached([0, 0, 1, 1], [0.3, 0, 1, 1.6]))
  }

  @Test func aTaskSaysHowItMeasuresOnlyWhereThatIsNotEuclidean() throws {
    let angle = GoalTask(
      identifier: "test", spec: task.spec, goalIndices: [2, 0], measure: .angle)
    for (task, says) in [(task, false), (angle, true)] {
      let bytes = try JSONEncoder().encode(task)
      #expect(String(decoding: bytes, as: UTF8.self).contains("measure") == says)
      #expect(try JSONDecoder().decode(GoalTask.self, from: bytes) == task)
    }
  }
}
