public import GoalCore

/// One batch of transitions with goals, one start and goal per row.
///
/// Shapes: `B` rows, `O` observation, `F` goal in the scheme's form (`G`, or `O` for whole
/// observations), `A` action.
public struct GoalBatch: Sendable {
  /// Rows, `B`.
  public let count: Int
  /// States before the step, `[B, O]`.
  public var observations: [Float]
  /// States after it, `[B, O]`.
  public var nextObservations: [Float]
  /// The applied actions, `[B, A]` or `[B]`.
  public var actions: ActionColumn
  /// Goals for the policy, `[B, F]`.
  public var policyGoals: [Float]
  /// Steps between the next state and the state that the policy's goal was achieved in, `[B]`;
  /// 0 for an original or random goal, −1 for the present state.
  public var offsets: [Int32]
  /// Where the policy's goals come from, `[B]`.
  public var policyOrigins: [GoalOrigin]
  /// The world's own reward of the rewarded state under the policy's goal, `[B]`.
  public var policyRewards: [Float]
  /// Goals for the value function, `[B, F]`.
  public var valueGoals: [Float]
  /// The same as `offsets` for the value goals, `[B]`.
  public var valueOffsets: [Int32]
  /// Where the value goals come from, `[B]`.
  public var valueOrigins: [GoalOrigin]
  /// The world's own reward of the rewarded state under the value goal, `[B]`.
  public var valueRewards: [Float]
  /// The targets of a high level on the way to the policy's goal, `[B, F]`; empty without
  /// subgoals.
  public var subgoals: [Float]
  /// The observations of the states that the subgoals are made of, `[B, O]`; empty without
  /// subgoals.
  public var subgoalObservations: [Float]
  /// The goals of a low level, `[B, F]`; empty without subgoals.
  public var lowGoals: [Float]
  /// Where each row came from: its source, in the sampler's order, `[B]`.
  public var sources: [Int32]
  /// Its episode, in the order of the source, `[B]`.
  public var episodes: [Int32]
  /// The step within the episode, `[B]`.
  public var steps: [Int32]
  /// The sequence of states and actions about each row; nil for a scheme without windows.
  public var window: WindowColumns?

  /// Makes a batch of zeros, with goals in the achieved form and without subgoals.
  public init(count: Int, spec: GoalSpec) {
    self.init(count: count, spec: spec, goal: spec.goal, subgoals: false)
  }

  /// Makes a batch of zeros for a scheme.
  public init(_ scheme: SamplingScheme, spec: GoalSpec) {
    self.init(
      count: scheme.batchSize, spec: spec, goal: scheme.goalForm.length(spec),
      subgoals: scheme.subgoalSteps != nil)
    window = scheme.window.map { WindowColumns($0, rows: count, spec: spec) }
  }

  private init(count: Int, spec: GoalSpec, goal: Int, subgoals hasSubgoals: Bool) {
    self.count = count
    let zeros = { (length: Int) in [Float](repeating: 0, count: count * length) }
    let integers = [Int32](repeating: 0, count: count)
    observations = zeros(spec.observation)
    nextObservations = zeros(spec.observation)
    switch spec.action {
    case .continuous(let low, _): actions = .continuous(zeros(low.count))
    case .discrete: actions = .discrete(integers)
    }
    policyGoals = zeros(goal)
    valueGoals = zeros(goal)
    subgoals = zeros(hasSubgoals ? goal : 0)
    subgoalObservations = zeros(hasSubgoals ? spec.observation : 0)
    lowGoals = zeros(hasSubgoals ? goal : 0)
    policyRewards = zeros(1)
    valueRewards = zeros(1)
    policyOrigins = [GoalOrigin](repeating: .original, count: count)
    valueOrigins = policyOrigins
    (offsets, valueOffsets) = (integers, integers)
    (sources, episodes, steps) = (integers, integers, integers)
  }
}

extension GoalBatch {
  /// The part of the batch with a number that is not finite, in words; nil if all are finite.
  public var firstNotFinite: String? {
    let columns: [(String, [Float])] = [
      ("observations", observations), ("next observations", nextObservations),
      ("actions", actions.numbers), ("policy goals", policyGoals), ("value goals", valueGoals),
      ("policy rewards", policyRewards), ("value rewards", valueRewards), ("subgoals", subgoals),
      ("low goals", lowGoals), ("observations", window?.observations ?? []),
      ("actions", window?.actions.numbers ?? []),
    ]
    return columns.first { !$0.1.areFinite }?.0
  }
}

extension ActionColumn {
  /// The numbers of continuous actions; none of discrete ones.
  fileprivate var numbers: [Float] { if case .continuous(let values) = self { values } else { [] } }
}

extension [Float] {
  /// Whether no number is infinite or not-a-number: the exponents' bits are never all 1.
  fileprivate var areFinite: Bool {
    withUnsafeBufferPointer { values in
      var largest: UInt32 = 0
      for value in values { largest = Swift.max(largest, value.bitPattern & 0x7f80_0000) }
      return largest < 0x7f80_0000
    }
  }
}
