import GoalCore

/// A row that was drawn.
struct DrawnRow {
  var source: Int32
  var episode: Int32
  var step: Int32
  var policy: PlacedGoal
  var value: PlacedGoal
}

/// A goal that was drawn: a state of an episode of a source, or for an original goal the row's step.
struct PlacedGoal {
  var origin: GoalOrigin
  /// Whether it is the goal that the policy has.
  var isPolicys: Bool
  var source: Int32
  var episode: Int32
  var state: Int32
  /// Steps between the state after the row's step and this one, 0 for an original or random goal.
  var offset: Int32
}

/// Where the numbers of a row lie.
struct LocatedRow {
  var observation: UnsafePointer<Float>
  var nextObservation: UnsafePointer<Float>
  var action: UnsafePointer<Float>
  /// The achieved goal that is rewarded.
  var achieved: UnsafePointer<Float>
  var policy: LocatedGoal
  var value: LocatedGoal
  var subgoal: UnsafePointer<Float>
  var lowGoal: UnsafePointer<Float>
}

/// Where the numbers of a goal lie.
struct LocatedGoal {
  /// Achieved or desired, which rewards compare.
  var goal: UnsafePointer<Float>
  /// In the scheme's form, which is copied.
  var form: UnsafePointer<Float>
}
