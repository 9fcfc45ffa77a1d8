internal import GoalCore
internal import Replay
internal import Torch

/// The settings shared by learners with a critic; the defaults are WGCSL's code's.
public struct ActorCriticSettings: SharedSettings {
  /// Rows in a batch, `B`.
  @Setting("rows in a batch; 512 for the hard tasks", .batch) public var batchSize = 128
  /// Units of each hidden layer of policy and critics.
  @Setting("units of each hidden layer of policy and critic", .widths)
  public var hiddenWidths = [256, 256, 256]
  /// Adam's step size for the policy.
  @Setting("Adam's step size for the policy", .positive, "config.py, pi_lr")
  public var policyLearningRate = 5e-4
  /// Adam's step size for the critics.
  @Setting("Adam's step size for the critic", .positive, "config.py, Q_lr")
  public var criticLearningRate = 5e-4
  /// γ.
  @Setting("a number from 0 up to below 1, or horizon: 1 - 1/horizon", "config.py, gamma")
  public var discount = Discount.horizon
  /// Share of a target that stays when it moves.
  @Setting("share of a target that stays when it moves", .share) public var polyak = 0.9
  /// The reward convention.
  @Setting("0/1: the world's reward plus 1; -1/0: the world's own", "supervised_sampler.py")
  public var rewards = RewardConvention.zeroOrOne
  /// Whether the critics' targets are clipped to ±1 / (1 − γ).
  @Setting("whether targets are clipped to ±1/(1 - discount)", "config.py, clip_return")
  public var clipsReturn = true
  /// How inputs are normalised.
  @SettingsFrom("config.py") public var normalizer = NormalizerSettings()
  /// How the learner learns online.
  @SettingsFrom("config.py") public var online = OnlineSettings()

  /// The defaults of WGCSL's code.
  public init() {}
}

/// The settings of a learner with a critic: what all of those share, and its own.
protocol ActorCriticConfiguration: SharingConfiguration where Shared == ActorCriticSettings {}

/// The settings of a learner whose targets move at the end of a cycle of updates, as in
/// WGCSL's code.
protocol CyclicConfiguration: ActorCriticConfiguration {
  var batchesPerCycle: Int { get set }
}

extension CyclicConfiguration {
  /// The reference's settings for the task.
  public static func preset(for task: GoalTask) -> Self { cycled(for: task) }

  /// The defaults with the task's batch size and cycle.
  static func cycled(for task: GoalTask) -> Self {
    let preset = WGCSLPreset(task: task)
    var configuration = Self()
    configuration.batchSize = preset.batchSize
    configuration.batchesPerCycle = preset.batchesPerCycle
    configuration.online.updatesPerEpisode = preset.batchesPerCycle
    return configuration
  }
}

/// A deterministic policy, one or more critics of it, and target copies of all: what the learners
/// with a critic share.
///
///     target    y = clip(r(s′, g) + γ min_i Q′_i(s′, π′(s′, g), g), ±1 / (1 − γ))
///     critics   minimise  Σ_i mean_b (Q_i(s, a, g) − y)²
///     advantage A = r(s′, g) + γ Q(s′, π(s′, g), g) − Q(s, π(s, g), g)
///
/// where r counts in the learner's convention, and nothing stands for termination: an episode ends
/// because its time is over. Source: github.com/YangRui2015/AWGCSL at d8f1c56,
/// `wgcsl/algo/{actor_critic,wgcsl}.py`, which has one critic.
///
/// Shapes: `B` rows, `D` observation and goal, `A` action in [−1, 1].
final class ActorCritic {
  let policy: SupervisedPolicy
  let critics: [MLP]
  let criticOptimizer: Adam
  let discount: Double
  private let targetActor: MLP
  private let targetCritics: [MLP]
  private let polyak: Double
  private let convention: RewardConvention
  private let clipsReturn: Bool

  /// Untrained networks, drawn from the run's seed; throws `LearnerError` for discrete actions.
  init(
    learner: String, task: GoalTask, configuration: some ActorCriticConfiguration,
    critics count: Int = 1, seed: UInt64
  ) throws {
    discount = configuration.discount.value(horizon: task.spec.horizon)
    polyak = configuration.polyak
    convention = configuration.rewards
    clipsReturn = configuration.clipsReturn
    let policy = try SupervisedPolicy(
      learner: learner, task: task, hiddenWidths: configuration.hiddenWidths,
      learningRate: configuration.policyLearningRate, normalizer: configuration.normalizer,
      seed: seed)
    critics = (0..<count).map { k in
      var generator = Initialization.generator(seed: seed, network: 1 + UInt64(k))
      return Initialization.mlp(
        inputs: task.spec.observation + task.spec.goal + policy.scale.length,
        hiddenWidths: configuration.hiddenWidths, outputs: 1, from: &generator)
    }
    self.policy = policy
    targetActor = policy.network.copied()
    targetCritics = critics.map { $0.copied() }
    criticOptimizer = Adam(
      critics.flatMap(\.parameters), learningRate: configuration.criticLearningRate)
  }

  // MARK: - Values

  /// The value `[B, 1]` of inputs `[B, D]` and actions `[B, A]`.
  func value(_ critic: MLP, _ input: Tensor, _ actions: Tensor) -> Tensor {
    critic(.concatenated([input, actions], along: 1))
  }

  /// The world's rewards in the learner's convention, `[B]`.
  private func rewards(_ rewards: [Float]) -> [Float] {
    switch convention {
    case .zeroOrOne: rewards.map { $0 + 1 }
    case .minusOneOrZero: rewards
    }
  }

  /// A for each row under the policy's goals, `[B]`, with the first critic and the policy's own
  /// actions `chosen` at `input`.
  func advantages(of batch: GoalBatch, input: Tensor, chosen: Tensor) -> [Float] {
    withoutGradients {
      let next = policy.input(batch.nextObservations, batch.policyGoals, rows: batch.count)
      let inputs = Tensor.concatenated([input, next], along: 0)  // [2B, D]
      let actions = Tensor.concatenated([chosen, policy(next)], along: 0)  // [2B, A]
      let values = value(critics[0], inputs, actions.detached()).floats  // [2B]
      let rewards = rewards(batch.policyRewards)
      return (0..<batch.count).map { b in
        rewards[b] + Float(discount) * values[batch.count + b] - values[b]
      }
    }
  }

  /// The critics' targets under the value goals, `[B, 1]`.
  ///
  /// `noise`, `[B, A]`, is added to the target policy's actions, which stay in [−1, 1].
  func targets(of batch: GoalBatch, noise: Tensor? = nil) -> Tensor {
    withoutGradients {
      let next = policy.input(batch.nextObservations, batch.valueGoals, rows: batch.count)
      let rewards = Tensor(rewards(batch.valueRewards), shape: [batch.count, 1])
      var actions = targetActor(next).tanh()
      if let noise { actions = (actions + noise).clamped(to: -1...1) }
      var least = value(targetCritics[0], next, actions)
      for critic in targetCritics.dropFirst() {
        least = least.minimum(value(critic, next, actions))
      }
      let target = rewards + least * discount
      guard clipsReturn else { return target }
      let bound = 1 / (1 - discount)
      return target.clamped(to: -bound...bound)
    }
  }

  /// The critics' loss under the value goals, and the first one's values `[B, 1]` of the data's
  /// actions.
  func criticLoss(
    on batch: GoalBatch, actions: Tensor, noise: Tensor? = nil
  ) -> (loss: Tensor, values: Tensor) {
    let targets = targets(of: batch, noise: noise)  // [B, 1]
    let input = policy.input(batch.observations, batch.valueGoals, rows: batch.count)  // [B, D]
    let values = critics.map { value($0, input, actions) }  // [B, 1] each
    let losses = values.map { $0.meanSquaredError(from: targets) }
    return (losses.dropFirst().reduce(losses[0]) { $0 + $1 }, values[0])
  }

  /// Moves every target towards its network.
  func moveTargets() {
    Tensor.average(
      targetActor.parameters + targetCritics.flatMap(\.parameters),
      towards: policy.network.parameters + critics.flatMap(\.parameters), keep: polyak)
  }

  // MARK: - Weighted imitation

  /// One update: the policy's weighted imitation under its goals, the normaliser, and the critic's
  /// step on the same rows under the value goals.
  ///
  /// `weights` makes the rows' weights `[B]` of their advantages `[B]`. Without `usesAdvantages` it
  /// gets none, and the critic is left alone.
  func imitate(
    _ batch: GoalBatch, usesAdvantages: Bool, measuring: Bool, weights: ([Float]) -> [Float]
  ) -> Metrics? {
    let actions = policy.actions(of: batch)  // [B, A]
    let input = policy.input(batch.observations, batch.policyGoals, rows: batch.count)  // [B, D]
    let chosen = policy(input)  // [B, A]
    let advantages =
      usesAdvantages ? advantages(of: batch, input: input, chosen: chosen) : []
    let weights = weights(advantages)  // [B]
    let policyLoss = SupervisedPolicy.loss(chosen, actions, weights: weights)
    let policyGradients = policy.optimizer.step(minimizing: policyLoss)

    policy.observe(batch)

    var step: CriticStep?
    if usesAdvantages {
      let (loss, values) = criticLoss(on: batch, actions: actions)
      step = (loss, values, criticOptimizer.step(minimizing: loss))
    }

    guard measuring else { return nil }
    var metrics = metrics(
      of: (policyLoss, chosen, policyGradients), actions: actions, batch: batch)
    metrics.append("weight", mean(weights))
    metrics.append(sample: "weight", weights)
    if let step {
      measure(step, into: &metrics)
      metrics.append("advantage", mean(advantages))
      metrics.append(sample: "advantage", advantages)
    }
    return metrics
  }

  /// The policy's loss without weights, and the critics', of a batch that is not trained on.
  func losses(on batch: GoalBatch, withCritics: Bool = true) -> Metrics {
    var metrics = policy.losses(on: batch)
    guard withCritics else { return metrics }
    withoutGradients {
      let loss = criticLoss(on: batch, actions: policy.actions(of: batch)).loss
      metrics.append("critic_loss", loss.float)
    }
    return metrics
  }

  /// The policy's loss: its loss, its actions `[B, A]` and its gradients.
  typealias PolicyStep = (loss: Tensor, chosen: Tensor, gradients: [Tensor])
  /// The critics' losses: their loss, the first one's values `[B, 1]` and their
  /// gradients.
  typealias CriticStep = (loss: Tensor, values: Tensor, gradients: [Tensor])

  /// Metrics that show whether the policy learns, compared with the data's `actions`, and whether
  /// the critics do.
  func metrics(
    of step: PolicyStep, and critics: CriticStep? = nil, actions: Tensor, batch: GoalBatch
  ) -> Metrics {
    var metrics = Metrics()
    policy.measure(
      loss: step.loss, gradients: step.gradients, chosen: step.chosen, actions: actions,
      batch: batch, into: &metrics)
    if let critics { measure(critics, into: &metrics) }
    return metrics
  }

  private func measure(_ step: CriticStep, into metrics: inout Metrics) {
    metrics.append("critic_loss", step.loss.float)
    metrics.append("critic_gradient_norm", Tensor.norm(step.gradients))
    metrics.append("critic_weight_norm", Tensor.norm(critics.flatMap(\.parameters)))
    metrics.append("value", mean(step.values.floats))
  }

  // MARK: - Saving

  /// `critic`, `target_actor`, `target_critic` and `critic_optimizer`; a second critic is
  /// `critic_1`.
  private var networks: [NamedTensor] {
    func named(_ critics: [MLP], _ name: String) -> [NamedTensor] {
      critics.enumerated().flatMap { k, critic in
        critic.named.map { $0.within(k == 0 ? name : "\(name)_\(k)") }
      }
    }
    return named(critics, "critic") + targetActor.named.map { $0.within("target_actor") }
      + named(targetCritics, "target_critic")
      + criticOptimizer.state.map { $0.within("critic_optimizer") }
  }

  /// Copies of everything that acting and training need, and of what the learner adds.
  func saved(updates: Int, adding others: [NamedTensor] = []) -> SavedLearner {
    SavedLearner(
      policy: policy, training: policy.trainingState + networks + others, updates: updates)
  }

  /// Puts everything back; the updates made so far.
  func restore(_ saved: SavedLearner) throws -> Int {
    try policy.restore(policy: saved.policy)
    try policy.restore(training: saved.training)
    try networks.assign(from: saved.training)
    return try saved.updates()
  }
}

/// The mean of numbers; 0 of none.
func mean(_ numbers: [Float]) -> Float { numbers.reduce(0, +) / Float(max(1, numbers.count)) }
