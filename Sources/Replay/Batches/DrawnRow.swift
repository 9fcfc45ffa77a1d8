import GoalCore

/// An episode by the numbers of its source and its own.
struct EpisodeNumber {
  private let both: UInt64

  @inline(__always)
  init(source: Int, episode: Int) {
    both = UInt64(truncatingIfNeeded: source) << 32 | UInt64(truncatingIfNeeded: episode)
  }

  @inline(__always)
  var source: Int32 { Int32(truncatingIfNeeded: both >> 32) }
  @inline(__always)
  var episode: Int32 { Int32(truncatingIfNeeded: both) }
}

/// A row that was drawn.
struct DrawnRow {
  var episode: EpisodeNumber
  var step: Int32
  var policy: PlacedGoal
  var value: PlacedGoal
}

/// A goal that was drawn: a state of an episode, or for an original goal the row's step.
struct PlacedGoal {
  var origin: GoalOrigin
  var episode: EpisodeNumber
  var state: Int32

  /// Whether it is a state of the row's episode that was drawn as such.
  @inline(__always)
  var isInEpisode: Bool { origin == .trajectory || origin == .current }

  /// Steps between the state after the row's step and this one, 0 for an original or random goal.
  @inline(__always)
  func offset(from step: Int32) -> Int32 { isInEpisode ? state &- step &- 1 : 0 }
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
  var subgoalObservation: UnsafePointer<Float>
  var lowGoal: UnsafePointer<Float>
}

/// Where the numbers of a goal lie.
struct LocatedGoal {
  /// Achieved or desired, which rewards compare.
  var goal: UnsafePointer<Float>
  /// In the scheme's form, which is copied.
  var form: UnsafePointer<Float>
}
