public import GoalCore
public import HDF5

/// A column of a shard, named by its path in the file.
///
/// Shapes: `T` steps of all episodes, `E` episodes, `O` observation, `G` goal, `A` action, `S`
/// simulator state. There is one more row of states than of actions per episode.
public enum ShardColumn: String, Sendable, CaseIterable, Codable {
  /// f32 `[T + E, O]`.
  case observations
  /// f32 `[T, A]`, or i32 `[T]` if actions are discrete.
  case actions
  /// i32 `[E]`, each at least 1; their sum is `T`.
  case episodeLengths = "episode_lengths"
  /// i64 `[E]`: the episodes' numbers in their recipe.
  case episodeIndices = "episode_indices"
  /// f32 `[T + E, G]`; absent if goals are observations.
  case achievedGoals = "achieved_goals"
  /// f32 `[E, G]`, or `[T + E, G]` if goals move; absent if none were asked for.
  case desiredGoals = "desired_goals"
  /// f32 `[T]`.
  case rewards
  /// u8 `[T]`, 0 or 1: whether the goal was reached after the action.
  case successes
  /// u64 `[E]`.
  case seeds
  /// u8 `[E]`, 0 or 1.
  case terminated
  /// u8 `[E]`, 0 or 1.
  case truncated
  /// u8 `[T]`: 0 policy, 1 policy and noise, 2 random.
  case sources = "behaviour/sources"
  /// f32 `[T]`, at most 0: ln π(a | s, g) of the applied action; absent if the policy is not
  /// categorical.
  case logProbabilities = "behaviour/log_probabilities"
  /// f64 `[T + E, S]`; absent unless asked for.
  case states
  /// u8 `[T + E, H, W, C]`; absent unless asked for.
  case images

  /// Whether every shard has it; achieved goals may be absent if they are the observations.
  public var isRequired: Bool {
    switch self {
    case .observations, .actions, .episodeLengths, .episodeIndices, .achievedGoals: true
    default: false
    }
  }

  /// The axis of its rows; desired goals that move have rows for states.
  public var axis: RowAxis {
    switch self {
    case .observations, .achievedGoals, .states, .images: .states
    case .actions, .rewards, .successes, .sources, .logProbabilities: .steps
    case .episodeLengths, .episodeIndices, .desiredGoals, .seeds, .terminated, .truncated:
      .episodes
    }
  }

  /// The element types that a shard may hold, the one that is written first; f64 if the source
  /// was f64.
  public func types(for spec: GoalSpec) -> [HDF5Type] {
    switch self {
    case .actions:
      switch spec.action {
      case .continuous: [.float32, .float64]
      case .discrete: [.int32]
      }
    case .observations, .achievedGoals, .desiredGoals, .rewards: [.float32, .float64]
    case .logProbabilities: [.float32]
    case .episodeLengths: [.int32]
    case .episodeIndices: [.int64]
    case .seeds: [.uint64]
    case .successes, .terminated, .truncated, .sources, .images: [.uint8]
    case .states: [.float64]
    }
  }

  /// Its shape with so many steps and episodes; `states` takes the length of a state, `images` the
  /// shape of one.
  func shape(
    for spec: GoalSpec, steps: Int, episodes: Int, stateLength: Int = 0, imageShape: [Int] = [],
    goalsMove: Bool = false
  ) -> [Int] {
    switch self {
    case .observations: [steps + episodes, spec.observation]
    case .actions:
      switch spec.action {
      case .continuous: [steps, spec.action.length]
      case .discrete: [steps]
      }
    case .achievedGoals: [steps + episodes, spec.goal]
    case .desiredGoals: [goalsMove ? steps + episodes : episodes, spec.goal]
    case .rewards, .successes, .sources, .logProbabilities: [steps]
    case .episodeLengths, .episodeIndices, .seeds, .terminated, .truncated: [episodes]
    case .states: [steps + episodes, stateLength]
    case .images: [steps + episodes] + imageShape
    }
  }

  /// The columns of a shard with or without those that are not always there.
  static func present(
    states: Bool, logProbabilities: Bool, images: Bool
  ) -> [ShardColumn] {
    allCases.filter {
      switch $0 {
      case .states: states
      case .images: images
      case .logProbabilities: logProbabilities
      default: true
      }
    }
  }

  /// Bytes of an episode of `steps` steps in all columns.
  static func byteCount(
    for spec: GoalSpec, steps: Int, stateLength: Int, imageShape: [Int] = [],
    isCategorical: Bool = false, goalsMove: Bool = false
  ) -> Int {
    present(
      states: stateLength > 0, logProbabilities: isCategorical, images: !imageShape.isEmpty
    ).reduce(0) { sum, column in
      let shape = column.shape(
        for: spec, steps: steps, episodes: 1, stateLength: stateLength, imageShape: imageShape,
        goalsMove: goalsMove)
      return sum + shape.reduce(column.types(for: spec)[0].byteCount, *)
    }
  }
}
