public import GoalCore

/// A world that also tells its numbers before they are rounded to `Float`, to compare with a
/// reference.
public protocol PreciseEnvironment: GoalEnvironment {
  /// The observation, `[O]`.
  var preciseObservation: [Double] { get }
  /// The desired goal, `[G]`.
  var preciseGoal: [Double] { get }
}
