public import GoalCore
internal import Torch

/// The return of a goal-conditioned policy, estimated from data that others collected.
///
///     minimise  E[ (Q(s, a, g) − clip(r(s′, g) + γ c Q′(s′, π(s′, g), g)))² ]
///
/// over the data's steps, c 0 if the world ended the episode and else 1, g partly the goal that was
/// asked for and partly one reached later, rewards 0/1. V(s, g) = Q(s, π(s, g), g) is then an
/// estimate of the discounted return without an end, from 0 to 1 / (1 − γ).
///
/// Le, Voloshin and Yue, "Batch Policy Learning under Constraints", ICML 2019, arXiv:1903.08738,
/// algorithm 3. It differs in: 1. Q′ follows Q by averaging, as deep learners' targets do, where
/// the paper solves each regression to its end; 2. targets are clipped to what a return can be; 3.
/// Q has the goal as an input, so one fit serves every goal.
///
/// The policy is asked once for each row beforehand, so any policy can be evaluated. Equal seeds
/// and rows give equal bits on one machine.
///
/// Shapes: `B` rows, `O` observation, `G` goal, `A` action.
public final class FittedQEvaluation {
  /// The data's steps with goals, and what the policy does in the next states.
  public struct Rows: Sendable {
    /// `[B, O]`.
    public var observations: [Float] = []
    /// The data's actions.
    public var actions: ActionColumn
    /// `[B, O]`.
    public var nextObservations: [Float] = []
    /// `[B, G]`.
    public var goals: [Float] = []
    /// The policy's actions in the next states.
    public var nextActions: ActionColumn
    /// 1 if the next state is at the goal, else 0, `[B]`.
    public var rewards: [Float] = []
    /// 0 if the world ended the episode with this step, else 1, `[B]`.
    public var continues: [Float] = []

    /// Makes an empty list for an action space.
    public init(action: ActionSpace) {
      actions = action.emptyColumn
      nextActions = action.emptyColumn
    }
  }

  /// Units of each hidden layer.
  public static let hiddenWidths = [256, 256]
  private static let rowsOfBatch = 256
  private static let keep = 0.9

  private let task: GoalTask
  private let discount: Double
  private let network: MLP
  private let target: MLP
  private let optimizer: Adam
  private var normalizer: RunningNormalizer
  private let seed: UInt64

  /// Makes an unfitted Q; `discount` is γ.
  public init(task: GoalTask, discount: Double, seed: UInt64) throws {
    try TorchRuntime.start()
    self.task = task
    self.discount = discount
    self.seed = seed
    var generator = Initialization.generator(seed: seed, network: 2)
    network = Initialization.mlp(
      inputs: task.spec.observation + task.spec.goal + task.spec.action.inputLength,
      hiddenWidths: Self.hiddenWidths, outputs: 1, from: &generator)
    target = network.copied()
    optimizer = Adam(network.parameters, learningRate: 1e-3)
    normalizer = RunningNormalizer(
      length: task.spec.observation + task.spec.goal, settings: NormalizerSettings())
  }

  /// Fits Q to rows in so many updates.
  public func fit(_ rows: Rows, updates: Int) {
    let count = rows.rewards.count
    precondition(count > 0, "rows to fit to are needed")
    normalizer.update(observations: rows.observations, goals: rows.goals, rows: count)
    let now = input(rows.observations, rows.goals, rows.actions, rows: count)
    let next = input(rows.nextObservations, rows.goals, rows.nextActions, rows: count)
    let width = now.count / count
    var generator = Xoshiro256(seed: seed)
    let size = min(Self.rowsOfBatch, count)
    var (a, b) = ([Float](), [Float]())
    var (rewards, continues) = ([Float](), [Float]())
    for _ in 0..<updates {
      a.removeAll(keepingCapacity: true)
      b.removeAll(keepingCapacity: true)
      rewards.removeAll(keepingCapacity: true)
      continues.removeAll(keepingCapacity: true)
      for _ in 0..<size {
        let row = generator.below(count)
        a += now[row * width..<(row + 1) * width]
        b += next[row * width..<(row + 1) * width]
        rewards.append(rows.rewards[row])
        continues.append(Float(discount) * rows.continues[row])
      }
      let wanted = withoutGradients {
        (Tensor(rewards, shape: [size, 1])
          + target(Tensor(b, shape: [size, width])) * Tensor(continues, shape: [size, 1]))
          .clamped(to: 0...1 / (1 - discount))
      }
      optimizer.step(
        minimizing: network(Tensor(a, shape: [size, width])).meanSquaredError(from: wanted))
      Tensor.average(target.parameters, towards: network.parameters, keep: Self.keep)
    }
  }

  /// Q of states, goals and actions, `[B]`: with the policy's own actions, its value.
  public func values(
    observations: [Float], goals: [Float], actions: ActionColumn, rows: Int
  ) -> [Float] {
    let input = input(observations, goals, actions, rows: rows)
    return withoutGradients { network(Tensor(input, shape: [rows, input.count / rows])).floats }
  }

  /// Normalised observation and goal, then the action scaled to [−1, 1] or as a one-hot, row by
  /// row.
  private func input(
    _ observations: [Float], _ goals: [Float], _ actions: ActionColumn, rows: Int
  ) -> [Float] {
    let (o, g) = (task.spec.observation, task.spec.goal)
    let action = task.spec.action.inputs(actions)
    let a = action.count / rows
    var all: [Float] = []
    all.reserveCapacity(rows * (o + g + a))
    for row in 0..<rows {
      var state = Array(observations[row * o..<(row + 1) * o])
      state += goals[row * g..<(row + 1) * g]
      RunningNormalizer.normalize(
        &state, mean: normalizer.mean, deviation: normalizer.deviation,
        settings: normalizer.settings)
      all += state
      all += action[row * a..<(row + 1) * a]
    }
    return all
  }
}

extension ActionSpace {
  /// A column without rows.
  fileprivate var emptyColumn: ActionColumn {
    switch self {
    case .continuous: .continuous([])
    case .discrete: .discrete([])
    }
  }

  /// Numbers of a network's input that an action takes.
  fileprivate var inputLength: Int {
    switch self {
    case .continuous(let low, _): low.count
    case .discrete(let count): count
    }
  }

  /// Actions as a network's input: scaled to [−1, 1], or as a one-hot.
  fileprivate func inputs(_ column: ActionColumn) -> [Float] {
    switch (column, self) {
    case (.continuous(let values), .continuous): return ActionScale(self)?.unit(values) ?? values
    case (.discrete(let numbers), .discrete(let count)):
      var all = [Float](repeating: 0, count: numbers.count * count)
      for (row, number) in numbers.enumerated() { all[row * count + Int(number)] = 1 }
      return all
    default: preconditionFailure("actions of another kind than the world's")
    }
  }
}
