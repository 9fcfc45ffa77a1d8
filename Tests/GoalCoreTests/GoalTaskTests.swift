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

  @Test func distanceMayMeasureSomeDimensions() {
    let partial = GoalTask(
      identifier: "test", spec: task.spec, goalIndices: [2, 0], distanceDimensions: [1])
    #expect(partial.distance([9, 3], [0, 0]) == 3)
    #expect(task.distance([4, 3], [0, 0]) == 5)
  }

  @Test func nearNamesAreSuggested() {
    let known = ["fetch-reach", "fetch-push", "hand-reach"]
    #expect(NearNames.of("fetch-pusch", among: known).first == "fetch-push")
    #expect(NearNames.of("push", among: known) == ["fetch-push"])
    #expect(NearNames.of("zzzzzz", among: known).isEmpty)
    #expect(NearNames.distance(Array("kitten"), Array("sitting")) == 3)
  }
}
