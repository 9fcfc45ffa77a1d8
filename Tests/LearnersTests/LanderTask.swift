import GoalCore

extension GoalTask {
  /// Lunar lander's sizes, with four actions and five numbers in a goal.
  static let lunarLander = GoalTask(
    identifier: "lunar-lander",
    spec: GoalSpec(
      observation: 8, goal: 5, action: .discrete(count: 4), horizon: 50, successThreshold: 0.08,
      metric: "distance", controlPeriod: 0.04),
    goalIndices: [0, 1, 4, 6, 7], distanceDimensions: [0, 1])
}
