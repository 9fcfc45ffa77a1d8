/// Episodes one after the other in flat columns, in memory or mapped from a file.
///
/// Shapes: `T` steps of all episodes, `E` episodes, `O` observation, `G` goal, `A` action. There is
/// one more row of observations than of actions per episode: episode `e` starts at row
/// `Σ_{i<e} length(i) + e` of observations and at row `Σ_{i<e} length(i)` of actions.
///
/// The pointers stay valid as long as this object lives, because it holds their owner.
public final class TrajectoryColumns: @unchecked Sendable {
  /// Actions of one kind or the other.
  public enum Actions {
    /// `[T, A]`.
    case continuous(UnsafeBufferPointer<Float>)
    /// `[T]`.
    case discrete(UnsafeBufferPointer<Int32>)
  }

  /// `[T + E, O]`.
  public let observations: UnsafeBufferPointer<Float>
  /// `[T, A]` or `[T]`.
  public let actions: Actions
  /// `[T + E, G]`.
  public let achievedGoals: UnsafeBufferPointer<Float>
  /// `[E, G]`, or `[T + E, G]` if goals move; nil if none were asked for.
  public let desiredGoals: UnsafeBufferPointer<Float>?
  /// Whether `desiredGoals` has a row for each state rather than for each episode.
  public let goalsMove: Bool
  /// Steps of each episode, `[E]`.
  public let lengths: [Int]

  private let owner: AnyObject?

  /// Makes columns over memory that `owner` keeps alive.
  public init(
    observations: UnsafeBufferPointer<Float>, actions: Actions,
    achievedGoals: UnsafeBufferPointer<Float>, desiredGoals: UnsafeBufferPointer<Float>?,
    goalsMove: Bool, lengths: [Int], owner: AnyObject?
  ) {
    self.observations = observations
    self.actions = actions
    self.achievedGoals = achievedGoals
    self.desiredGoals = desiredGoals
    self.goalsMove = goalsMove
    self.lengths = lengths
    self.owner = owner
  }
}
