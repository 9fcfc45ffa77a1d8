public import GoalCore
public import Replay
import Support
internal import Torch

/// TD3+BC with goals in hindsight: climb a pessimistic value, and stay near the data's actions.
///
///     policy   minimise  E[ −(α / mean|Q₁|) · Q₁(s, π(s, g), g) + mean_k (π_k(s, g) − a_k)² ]
///     critics  minimise  Σ_i E[ (y − Q_i(s, a, g))² ],
///              y = r + γ min_i Q′_i(s′, clip(π′(s′, g) + clip(ε, ±c), ±1), g),   ε ~ N(0, σ²)
///
/// where g was reached later in the same trajectory, and a fifth of the critics' goals are the ones
/// that were asked for. The policy's step, with the critics as they then are, and the targets' come
/// after every second step of the critics.
///
/// Fujimoto and Gu, "A Minimalist Approach to Offline Reinforcement Learning", NeurIPS 2021,
/// arXiv:2106.06860; reference code github.com/sfujim/TD3_BC, `TD3_BC.py`. Its goals are WGCSL's:
/// Yang et al., ICLR 2022, arXiv:2202.04478.
///
/// It differs from the reference in: 1. goals, which it has none of; 2. states are normalised as
/// `RunningNormalizer` does, not by the whole dataset's mean and deviation; 3. γ, rewards and the
/// clip of the targets are WGCSL's, and so are batch size and number of updates for WGCSL's tasks;
/// 4. weights are drawn as `Initialization` says, where the reference takes PyTorch's own draw; 5.
/// nothing stands for termination, see `ActorCritic`.
///
/// Shapes: `B` rows, `D` observation and goal, `A` action.
public final class TD3BC: ActorCriticLearner {
  /// The settings; the defaults are the reference's, `TD3_BC.py` and `main.py`.
  public struct Configuration: ActorCriticConfiguration {
    /// The settings shared by learners with a critic.
    @SettingsFrom(
      meanings: [
        "batchSize": "rows in a batch; WGCSL's for its tasks",
        "hiddenWidths": "units of each hidden layer of policy and critics",
        "criticLearningRate": "Adam's step size for the critics",
      ],
      sources: [
        "batchSize": "main.py", "hiddenWidths": "TD3_BC.py", "policyLearningRate": "TD3_BC.py",
        "criticLearningRate": "TD3_BC.py", "discount": "WGCSL, gamma",
        "polyak": "main.py, 1 - tau", "rewards": "WGCSL", "clipsReturn": "WGCSL, clip_return",
        "online": "WGCSL, config.py",
      ])
    public var shared = ActorCriticSettings()
    /// Share of rows that the critics see with their original goal.
    @Setting(
      "share of rows that the critics see with their original goal",
      .share, "WGCSL, keep_origin_rate")
    public var originalValueGoals = 0.2
    /// α, the weight of the value against imitation.
    @Setting("weight of the value beside imitation", .weight, "main.py, alpha")
    public var valueWeight = 2.5
    /// Updates of the critics for each of policy and targets.
    @Setting(
      "updates of the critics for each of policy and targets", .count, "main.py, policy_freq")
    public var policyDelay = 2
    /// σ, the deviation of the noise on the target policy's actions, in halves of their range.
    @Setting(
      "standard deviation of the noise on target actions, as a fraction of half the range",
      .weight, "main.py, policy_noise")
    public var targetNoise = 0.2
    /// c, where that noise is clipped.
    @Setting("where that noise is clipped", .weight, "main.py, noise_clip")
    public var targetNoiseClip = 0.5

    /// The reference's defaults.
    public init() {
      (shared.batchSize, shared.hiddenWidths, shared.polyak) = (256, [256, 256], 0.995)
      (shared.policyLearningRate, shared.criticLearningRate) = (3e-4, 3e-4)
    }
  }

  /// The id, `td3-bc`.
  public static let identifier = "td3-bc"
  /// The idea in one sentence.
  public static let summary =
    "maximise a pessimistic Q-function for hindsight goals, close to the data"

  /// The purpose, in a run's Philox streams, of the target policy's noise: "td3noise" in ASCII.
  private static let noisePurpose: UInt64 = 0x7464_336e_6f69_7365

  /// The settings that it was made with.
  public let configuration: Configuration
  /// Updates made so far.
  public internal(set) var updates = 0
  let networks: ActorCritic
  private var noiseSeed: UInt64

  /// Makes an untrained learner; throws `LearnerError` for discrete actions.
  public init(task: GoalTask, configuration: Configuration, seed: UInt64) throws {
    self.configuration = configuration
    noiseSeed = seed
    networks = try ActorCritic(
      learner: TD3BC.identifier, task: task, configuration: configuration, critics: 2, seed: seed)
  }

  /// Goals reached later for the policy, and a share of original ones for the critics.
  public var scheme: SamplingScheme {
    SamplingScheme(
      batchSize: configuration.batchSize, policyGoals: .future(fraction: 1),
      originalValueGoals: configuration.originalValueGoals)
  }

  // MARK: - Losses

  /// The policy's loss, `[]`, of values `[B, 1]` of its actions `[B, A]`, and of the data's
  /// actions.
  static func policyLoss(
    values: Tensor, chosen: Tensor, actions: Tensor, valueWeight: Double
  ) -> Tensor {
    let size = values.detached().floats.reduce(0) { $0 + Double(abs($1)) } / Double(values.count)
    // Values of 0 everywhere have no slope to scale.
    let scale = size > 0 ? valueWeight / size : 0
    return SupervisedPolicy.loss(chosen, actions) - values.mean() * scale
  }

  private func policyLoss(
    on batch: GoalBatch, actions: Tensor
  ) -> (loss: Tensor, chosen: Tensor) {
    let policy = networks.policy
    let input = policy.input(batch.observations, batch.policyGoals, rows: batch.count)  // [B, D]
    let chosen = policy(input)  // [B, A]
    let values = networks.value(networks.critics[0], input, chosen)  // [B, 1]
    let loss = TD3BC.policyLoss(
      values: values, chosen: chosen, actions: actions, valueWeight: configuration.valueWeight)
    return (loss, chosen)
  }

  /// The noise on the target policy's actions at an update, `[B, A]`: of the run's seed and the
  /// update's number only, so that a run goes on to the bit.
  func targetNoise(rows: Int, update: Int) -> Tensor {
    var generator = Philox(
      seed: noiseSeed, purpose: TD3BC.noisePurpose, index: UInt64(update))
    let width = networks.policy.scale.length
    let limit = configuration.targetNoiseClip
    let noise = (0..<rows * width).map { _ in
      Float(max(-limit, min(limit, configuration.targetNoise * generator.normal())))
    }
    return Tensor(noise, shape: [rows, width])
  }

  // MARK: - Update

  /// One update of normaliser and critics, and, when their turn has come, of policy and targets.
  public func update(on batch: GoalBatch, measuring: Bool) -> Metrics? {
    updates += 1
    let policy = networks.policy
    policy.observe(batch)
    let actions = policy.actions(of: batch)  // [B, A]
    let (criticLoss, values) = networks.criticLoss(
      on: batch, actions: actions, noise: targetNoise(rows: batch.count, update: updates))
    let criticGradients = networks.criticOptimizer.step(minimizing: criticLoss)

    let isPolicysTurn = updates % configuration.policyDelay == 0
    guard isPolicysTurn || measuring else { return nil }
    let (policyLoss, chosen) = policyLoss(on: batch, actions: actions)
    let policyGradients = gradients(of: policyLoss, policy.optimizer.parameters)
    if isPolicysTurn {
      policy.optimizer.step(along: policyGradients)
      networks.moveTargets()
    }

    guard measuring else { return nil }
    return networks.metrics(
      of: (policyLoss, chosen, policyGradients), and: (criticLoss, values, criticGradients),
      actions: actions, batch: batch)
  }

  /// The losses of policy and critics on a batch that is not trained on; targets are without noise.
  public func losses(on batch: GoalBatch) -> Metrics {
    withoutGradients {
      var metrics = Metrics()
      let actions = networks.policy.actions(of: batch)
      metrics.append("policy_loss", policyLoss(on: batch, actions: actions).loss.float)
      metrics.append("critic_loss", networks.criticLoss(on: batch, actions: actions).loss.float)
      return metrics
    }
  }

  // MARK: - Saving

  /// Copies of everything that acting and training need.
  public func saved() -> SavedLearner {
    var saved = networks.saved(updates: updates)
    saved.counters["noise_seed"] = .integer(Int(truncatingIfNeeded: noiseSeed))
    return saved
  }

  /// Puts everything back.
  public func restore(_ saved: SavedLearner) throws {
    updates = try networks.restore(saved)
    noiseSeed = UInt64(truncatingIfNeeded: try saved.counter("noise_seed"))
  }
}
