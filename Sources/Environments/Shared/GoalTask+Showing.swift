import GoalCore

/// Observations and steps from a world's numbers, stated once.
extension GoalTask {
  /// The observation of a state: observation and desired goal rounded to `Float`, and the achieved
  /// goal.
  func shown(_ observation: [Double], desiredGoal: [Double]) -> GoalObservation {
    let rounded = observation.map { Float($0) }
    return GoalObservation(
      observation: rounded, achievedGoal: achievedGoal(of: rounded),
      desiredGoal: desiredGoal.map { Float($0) })
  }

  /// The step that led to `next`, the episode's `steps`-th, in a world that never terminates.
  func stepped(to next: GoalObservation, steps: Int) -> GoalStep {
    GoalStep(
      next: next, reward: reward(next.achievedGoal, next.desiredGoal),
      isSuccess: isReached(next.achievedGoal, next.desiredGoal), terminated: false,
      truncated: steps >= spec.horizon)
  }

  /// The numbers of an action of this length, clipped to ±1.
  func clipped(_ action: Action) -> [Float] {
    guard case .continuous(let values) = action, values.count == spec.action.length else {
      preconditionFailure("\(identifier) takes \(spec.action.length) numbers, found \(action)")
    }
    return values.map { $0.clamped(from: -1, to: 1) }
  }

  /// The colour of a goal's ball: green if the goal is reached, else red.
  func colour(_ shown: GoalObservation) -> SIMD4<Float> {
    isReached(shown.achievedGoal, shown.desiredGoal)
      ? SIMD4(0.1, 0.85, 0.2, 0.9) : SIMD4(0.95, 0.15, 0.1, 0.9)
  }
}
