public import GoalCore

/// One batch of transitions with goals, one start and goal per row.
///
/// Shapes: `B` rows, `O` observation, `G` goal, `A` action.
public struct GoalBatch: Sendable {
  /// Rows, `B`.
  public let count: Int
  /// States before the step, `[B, O]`.
  public var observations: [Float]
  /// States after it, `[B, O]`.
  public var nextObservations: [Float]
  /// The applied actions, `[B, A]` or `[B]`.
  public var actions: ActionColumn
  /// Goals for the policy, `[B, G]`.
  public var policyGoals: [Float]
  /// Steps between the next state and the state that the policy's goal was achieved in, `[B]`;
  /// 0 for an original goal.
  public var offsets: [Int32]
  /// The world's own reward of the next state under the policy's goal, `[B]`.
  public var policyRewards: [Float]
  /// Goals for the value function, `[B, G]`.
  public var valueGoals: [Float]
  /// The world's own reward of the next state under the value goal, `[B]`.
  public var valueRewards: [Float]
  /// Where each row came from: its episode, in the order of the replay's columns, `[B]`.
  public var episodes: [Int32]
  /// The step within the episode, `[B]`.
  public var steps: [Int32]

  /// Makes a batch of zeros.
  public init(count: Int, spec: GoalSpec) {
    self.count = count
    let zeros = { (length: Int) in [Float](repeating: 0, count: count * length) }
    observations = zeros(spec.observation)
    nextObservations = zeros(spec.observation)
    switch spec.action {
    case .continuous(let low, _): actions = .continuous(zeros(low.count))
    case .discrete: actions = .discrete([Int32](repeating: 0, count: count))
    }
    policyGoals = zeros(spec.goal)
    valueGoals = zeros(spec.goal)
    policyRewards = zeros(1)
    valueRewards = zeros(1)
    offsets = [Int32](repeating: 0, count: count)
    episodes = [Int32](repeating: 0, count: count)
    steps = [Int32](repeating: 0, count: count)
  }
}
