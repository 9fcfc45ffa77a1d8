internal import Glibc
public import GoalCore
public import Replay
public import Torch

/// Weighted goal-conditioned supervised learning: imitate the way to reached goals, and weigh each
/// action by how much better than usual it was.
///
///     policy    minimise  E[ w · mean_k (π_k(s_t, g) − a_tk)² ],   g = m(s_{t+1+d})
///     weight    w = γ^d · min(exp A, 10) · (1 if A ≥ percentile_p(A) else 0.05)
///     advantage A = r(s_{t+1}, g) + γ Q(s_{t+1}, π(s_{t+1}, g), g) − Q(s_t, π(s_t, g), g)
///     critic    minimise  E[ (clip(r + γ Q′(s_{t+1}, π′(s_{t+1}, g), g)) − Q(s_t, a_t, g))² ]
///
/// Yang et al., "Rethinking Goal-Conditioned Supervised Learning and Its Connection to Offline RL",
/// ICLR 2022, arXiv:2202.04478; reference code github.com/YangRui2015/AWGCSL at d8f1c56,
/// `wgcsl/algo/{wgcsl,supervised_sampler,adv_que,config}.py` with
/// `--su_method gamma_exp_adv_clip10_baw`. Within an update the order is the reference's: the policy's
/// step on relabelled goals, the normaliser, the critic's step on the same rows with a fifth of the
/// goals put back. Targets move once a cycle of `batchesPerCycle` updates.
///
/// It differs from the reference in: 1. the percentile's p is min(n · step, limit) after n updates,
/// where the reference adds up the step in a variable of its module, which a second run in the same
/// process would go on with; 2. the best-advantage weight works without the exponential one, where the
/// reference then ignores it; 3. what `SupervisedPolicy` and `RunningNormalizer` list.
///
/// Shapes: `B` rows, `D` observation and goal, `A` action.
public final class WGCSL: Learner {
  /// The id, `wgcsl`.
  public static let identifier = "wgcsl"
  /// The idea in one sentence.
  public static let summary =
    "imitate the way to goals reached later, weighted by discount and advantage"

  /// The settings that it was made with.
  public let configuration: Configuration
  /// Updates made so far.
  public private(set) var updates = 0

  let discount: Double
  let policy: SupervisedPolicy
  let critic: MLP
  private let targetActor: MLP
  private let targetCritic: MLP
  private let criticOptimizer: Adam
  private var advantageQueue: AdvantageQueue

  /// Makes an untrained learner; throws `LearnerError` for discrete actions.
  public init(task: GoalTask, configuration: Configuration, seed: UInt64) throws {
    self.configuration = configuration
    discount = configuration.discount.value(horizon: task.spec.horizon)
    policy = try SupervisedPolicy(
      learner: WGCSL.identifier, task: task, hiddenWidths: configuration.hiddenWidths,
      learningRate: configuration.policyLearningRate, normalizer: configuration.normalizer,
      seed: seed)
    var generator = Initialization.generator(seed: seed, network: 1)
    critic = Initialization.mlp(
      inputs: task.spec.observation + task.spec.goal + policy.scale.length,
      hiddenWidths: configuration.hiddenWidths, outputs: 1, from: &generator)
    targetActor = policy.network.copied()
    targetCritic = critic.copied()
    criticOptimizer = Adam(critic.parameters, learningRate: configuration.criticLearningRate)
    advantageQueue = AdvantageQueue(capacity: configuration.bestAdvantageQueue)
  }

  /// Goals reached later for the policy, and a share of original ones for the critic.
  public var scheme: SamplingScheme {
    SamplingScheme(
      batchSize: configuration.batchSize, policyGoals: .future(fraction: 1),
      originalValueGoals: configuration.originalValueGoals)
  }

  // MARK: - Weights

  /// The discounted relabelling weight, `[B]`: γ^d for a goal reached d steps after the next state.
  static func relabelWeights(offsets: [Int32], discount: Double) -> [Float] {
    offsets.map { Float(pow(discount, Double($0))) }
  }

  /// The exponential advantage weight, `[B]`: min(exp A, clip).
  static func exponentialWeights(advantages: [Float], clip: Double) -> [Float] {
    advantages.map { min(exp($0), Float(clip)) }
  }

  /// The best-advantage weight, `[B]`: 1 where A ≥ threshold, else `other`.
  static func bestAdvantageWeights(
    advantages: [Float], threshold: Double, other: Double
  ) -> [Float] {
    advantages.map { Double($0) >= threshold ? 1 : Float(other) }
  }

  /// The percentile that the best-advantage weight asks for at an update, counted from 1.
  func bestAdvantagePercentile(update: Int) -> Double {
    min(Double(update) * configuration.bestAdvantageStep, configuration.bestAdvantageLimit)
  }

  /// The product of the factors that are switched on, `[B]`.
  private func weights(of batch: GoalBatch, advantages: [Float], threshold: Double) -> [Float] {
    var factors: [[Float]] = []
    if configuration.relabelWeight {
      factors.append(WGCSL.relabelWeights(offsets: batch.offsets, discount: discount))
    }
    if configuration.exponentialWeight {
      factors.append(
        WGCSL.exponentialWeights(advantages: advantages, clip: configuration.exponentialClip))
    }
    if configuration.bestAdvantageWeight {
      factors.append(
        WGCSL.bestAdvantageWeights(
          advantages: advantages, threshold: threshold, other: configuration.otherAdvantageWeight))
    }
    let ones = [Float](repeating: 1, count: batch.count)
    return factors.reduce(ones) { product, factor in zip(product, factor).map { $0 * $1 } }
  }

  // MARK: - Values

  /// The value `[B, 1]` of inputs `[B, D]` and actions `[B, A]` in [−1, 1].
  func value(_ critic: MLP, _ input: Tensor, _ actions: Tensor) -> Tensor {
    critic(.concatenated([input, actions], along: 1))
  }

  /// The world's rewards in the learner's convention, `[B]`.
  private func rewards(_ rewards: [Float]) -> [Float] {
    switch configuration.rewards {
    case .zeroOrOne: rewards.map { $0 + 1 }
    case .minusOneOrZero: rewards
    }
  }

  /// A for each row, `[B]`, with the networks that are being trained.
  private func advantages(
    of batch: GoalBatch, input: Tensor, chosen: Tensor
  ) -> [Float] {
    withoutGradients {
      let next = policy.input(batch.nextObservations, batch.policyGoals, rows: batch.count)
      let inputs = Tensor.concatenated([input, next], along: 0)  // [2B, D]
      let actions = Tensor.concatenated([chosen, policy(next)], along: 0)  // [2B, A]
      let values = value(critic, inputs, actions.detached()).floats  // [2B]
      let rewards = rewards(batch.policyRewards)
      return (0..<batch.count).map { b in
        rewards[b] + Float(discount) * values[batch.count + b] - values[b]
      }
    }
  }

  /// The critic's targets, `[B, 1]`, with the target networks.
  private func targets(of batch: GoalBatch) -> Tensor {
    withoutGradients {
      let next = policy.input(batch.nextObservations, batch.valueGoals, rows: batch.count)
      let rewards = Tensor(rewards(batch.valueRewards), shape: [batch.count, 1])
      let target = rewards + value(targetCritic, next, targetActor(next).tanh()) * discount
      guard configuration.clipsReturn else { return target }
      let bound = 1 / (1 - discount)
      return target.clamped(to: -bound...bound)
    }
  }

  // MARK: - Update

  /// One update of policy, normaliser and critic, and of the targets at the end of a cycle.
  public func update(on batch: GoalBatch, measuring: Bool) -> Metrics? {
    updates += 1
    let actions = policy.actions(of: batch)  // [B, A]

    // The policy's step, on relabelled goals.
    let input = policy.input(batch.observations, batch.policyGoals, rows: batch.count)  // [B, D]
    let chosen = policy(input)  // [B, A]
    var advantages: [Float] = []
    var threshold = -Double.infinity
    if needsCritic {
      advantages = self.advantages(of: batch, input: input, chosen: chosen)
      if configuration.bestAdvantageWeight {
        advantageQueue.push(advantages)
        threshold = advantageQueue.percentile(bestAdvantagePercentile(update: updates))
      }
    }
    let weights = weights(of: batch, advantages: advantages, threshold: threshold)  // [B]
    let policyLoss = SupervisedPolicy.loss(chosen, actions, weights: weights)
    let policyGradients = policy.optimizer.step(minimizing: policyLoss)

    policy.observe(batch)

    // The critic's step, on the same rows with some goals put back.
    var critics: (loss: Tensor, values: Tensor, gradients: [Tensor])?
    if needsCritic {
      let (loss, values) = criticLoss(on: batch, actions: actions)
      critics = (loss, values, criticOptimizer.step(minimizing: loss))
    }
    if updates % configuration.batchesPerCycle == 0 {
      Tensor.average(
        targetActor.parameters + targetCritic.parameters,
        towards: policy.network.parameters + critic.parameters, keep: configuration.polyak)
    }

    guard measuring else { return nil }
    var metrics = Metrics()
    policy.measure(
      loss: policyLoss, gradients: policyGradients, chosen: chosen, actions: actions, batch: batch,
      into: &metrics)
    let mean = { (numbers: [Float]) in numbers.reduce(0, +) / Float(max(1, numbers.count)) }
    metrics.append("weight", mean(weights))
    metrics.append(sample: "weight", weights)
    if let critics {
      metrics.append("critic_loss", critics.loss.float)
      metrics.append("critic_gradient_norm", Tensor.norm(critics.gradients))
      metrics.append("critic_weight_norm", Tensor.norm(critic.parameters))
      metrics.append("value", mean(critics.values.floats))
      metrics.append("advantage", mean(advantages))
      metrics.append(sample: "advantage", advantages)
      if configuration.bestAdvantageWeight {
        metrics.append("advantage_threshold", Float(threshold))
        metrics.append(
          "best_advantage_share", mean(advantages.map { Double($0) >= threshold ? 1 : 0 }))
      }
    }
    return metrics
  }

  /// The critic's mean squared error, and its values `[B, 1]` of the data's actions.
  private func criticLoss(
    on batch: GoalBatch, actions: Tensor
  ) -> (loss: Tensor, values: Tensor) {
    let targets = targets(of: batch)  // [B, 1]
    let input = policy.input(batch.observations, batch.valueGoals, rows: batch.count)  // [B, D]
    let predicted = value(critic, input, actions)  // [B, 1]
    return (predicted.meanSquaredError(from: targets), predicted)
  }

  /// The policy's loss without weights, and the critic's, of a batch that is not trained on.
  public func losses(on batch: GoalBatch) -> Metrics {
    var metrics = policy.losses(on: batch)
    guard needsCritic else { return metrics }
    withoutGradients {
      let loss = criticLoss(on: batch, actions: policy.actions(of: batch)).loss
      metrics.append("critic_loss", loss.float)
    }
    return metrics
  }

  /// Whether any weight asks for advantages.
  var needsCritic: Bool {
    configuration.exponentialWeight || configuration.bestAdvantageWeight
  }

  // MARK: - Acting and saving

  /// The present policy.
  public func makePolicy() -> any GoalPolicy { policy.makePolicy() }

  private var networks: [NamedTensor] {
    critic.named.map { $0.within("critic") } + targetActor.named.map { $0.within("target_actor") }
      + targetCritic.named.map { $0.within("target_critic") }
      + criticOptimizer.state.map { $0.within("critic_optimizer") }
  }

  /// Copies of everything that acting and training need.
  public func saved() -> SavedLearner {
    let queue = advantageQueue.contents
    let advantages = NamedTensor("advantages", Tensor(queue, shape: [queue.count]))
    return SavedLearner(
      policy: policy, training: policy.trainingState + networks + [advantages], updates: updates)
  }

  /// Puts back what acting needs.
  public func restore(policy tensors: [NamedTensor]) throws { try policy.restore(policy: tensors) }

  /// Puts everything back.
  public func restore(_ saved: SavedLearner) throws {
    try policy.restore(policy: saved.policy)
    try policy.restore(training: saved.training)
    try networks.assign(from: saved.training)
    guard let advantages = saved.training.first(where: { $0.name == "advantages" }) else {
      throw LearnerError.missingTensor(name: "advantages")
    }
    advantageQueue = AdvantageQueue(capacity: configuration.bestAdvantageQueue)
    advantageQueue.push(advantages.tensor.floats)
    updates = try saved.counter("updates")
  }
}
