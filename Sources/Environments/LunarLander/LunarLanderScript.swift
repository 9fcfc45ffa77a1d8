import GoalCore

/// Leans towards the goal, and brakes above a slope that falls towards it.
///
/// A PD controller of the lean and one of the height compete for the one engine that an action can
/// use; the larger output wins.
///
///     lean = clip(p · (x − gx) + q · vx, ±l),   turn = a · (lean − θ) − b · ω
///     lift = c · (s · |x − gx| − y + gy) − d · vy
///
/// The form is that of gymnasium's heuristic for `LunarLander`; the gains were searched for by us,
/// for 50 steps in which a hard landing costs nothing.
enum LunarLanderScript {
  private static let (position, speed, largestLean): (Float, Float, Float) = (3.9, 1.22, 0.89)
  private static let (angle, spin): (Float, Float) = (3.77, 1.09)
  private static let (slope, height, fall): (Float, Float, Float) = (0.26, 0.418, 0.323)
  /// The share of a wish to turn above which a wish for lift comes first.
  private static let preference: Float = 0.138
  /// The smallest wishes that are heeded.
  private static let (leastLift, leastTurn): (Float, Float) = (0.05, 0.061)

  /// The action for an observation and a desired goal.
  static func action(_ observation: [Float], _ desired: [Float]) -> Action {
    let goal = SIMD2(desired[0], desired[1])
    typealias S = LunarLanderScript
    let away = observation[0] - goal.x
    let wanted = S.position * away + S.speed * observation[2]
    let lean = min(max(wanted, -S.largestLean), S.largestLean)
    let turn = S.angle * (lean - observation[4]) - S.spin * observation[5]
    let lift =
      S.height * (S.slope * abs(away) - observation[1] + goal.y) - S.fall * observation[3]
    if lift > S.preference * abs(turn), lift > S.leastLift { return .discrete(2) }
    if turn < -S.leastTurn { return .discrete(3) }
    if turn > S.leastTurn { return .discrete(1) }
    return .discrete(0)
  }
}
