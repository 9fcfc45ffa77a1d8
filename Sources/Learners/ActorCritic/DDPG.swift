public import GoalCore
public import Replay
import Support
internal import Torch

/// Which goals a `DDPG` learns from.
public protocol DDPGGoals: SendableMetatype {
  /// The learner's id.
  static var identifier: String { get }
  /// The idea in one sentence.
  static var summary: String { get }
  /// Share of rows whose goal was reached later in the same trajectory.
  static var relabelled: Double { get }
}

/// The goals that were asked for.
public enum OriginalGoals: DDPGGoals {
  /// The id, `ddpg`.
  public static let identifier = "ddpg"
  /// The idea in one sentence.
  public static let summary = "maximise a learned Q-function for the desired goals"
  /// No row.
  public static let relabelled = 0.0
}

/// Goals in hindsight: four that were reached later for each that was asked for.
public enum HindsightGoals: DDPGGoals {
  /// The id, `ddpg-her`.
  public static let identifier = "ddpg-her"
  /// The idea in one sentence.
  public static let summary = "maximise a learned Q-function, mostly for hindsight goals"
  /// 1 − 1 / (1 + k) with k = 4.
  public static let relabelled = 0.8
}

/// Deep deterministic policy gradient towards goals, with or without hindsight experience replay.
///
///     policy  minimise  E[ −Q(s, π(s, g), g) + λ · mean_k π_k(s, g)² ]
///     critic  minimise  E[ (clip(r + γ Q′(s′, π′(s′, g), g)) − Q(s, a, g))² ]
///
/// where g was reached later in the same trajectory with probability `relabelledGoals`, else it is
/// the one that was asked for. Both gradients are taken before either step.
///
/// Lillicrap et al., "Continuous control with deep reinforcement learning", ICLR 2016,
/// arXiv:1509.02971; Andrychowicz et al., "Hindsight Experience Replay", NeurIPS 2017,
/// arXiv:1707.01495. Reference code github.com/YangRui2015/AWGCSL at d8f1c56,
/// `wgcsl/algo/{wgcsl,supervised_sampler}.py` with `--mode her`, and for `ddpg` with `--no_relabel
/// True`: the paper's "HER" and "DDPG".
///
/// It differs from the reference in: 1. the normaliser sees every batch online as it does offline,
/// where the reference shows it as many rows of each new episode as that has steps; 2. what
/// `SupervisedPolicy` and `RunningNormalizer` list. It differs from the papers as the reference
/// does: rewards are 0/1 and targets clipped to ±1 / (1 − γ), where HER's are −1/0 and clipped to
/// at most 0.
///
/// Shapes: `B` rows, `D` observation and goal, `A` action.
public final class DDPG<Goals: DDPGGoals>: ActorCriticLearner {
  /// The settings; the defaults are the reference's, `wgcsl/algo/config.py`.
  public struct Configuration: CyclicConfiguration {
    /// The settings shared by learners with a critic.
    @SettingsFrom("config.py") public var shared = ActorCriticSettings()
    /// Updates in a cycle, after which the targets move.
    @Setting("updates after which the targets move once", .count, "config.py, n_batches")
    public var batchesPerCycle = 4
    /// Share of rows whose goal was reached later in the same trajectory.
    @Setting(
      "share of rows whose goal was reached later in the same trajectory",
      .share, "config.py, replay_k, no_relabel")
    public var relabelledGoals = Goals.relabelled
    /// λ, the weight of the actions' squares in the policy's loss.
    @Setting("weight of the actions' squares in the policy's loss", .weight, "config.py, action_l2")
    public var actionPenalty = 1.0

    /// The reference's defaults.
    public init() {}
  }

  /// The id.
  public static var identifier: String { Goals.identifier }
  /// The idea in one sentence.
  public static var summary: String { Goals.summary }

  /// The settings that it was made with.
  public let configuration: Configuration
  /// Updates made so far.
  public internal(set) var updates = 0
  let networks: ActorCritic

  /// Makes an untrained learner; throws `LearnerError` for discrete actions.
  public init(task: GoalTask, configuration: Configuration, seed: UInt64) throws {
    self.configuration = configuration
    networks = try ActorCritic(
      learner: Goals.identifier, task: task, configuration: configuration, seed: seed)
  }

  /// The same goals for policy and critic.
  public var scheme: SamplingScheme {
    SamplingScheme(
      batchSize: configuration.batchSize,
      policyGoals: configuration.relabelledGoals > 0
        ? .future(fraction: configuration.relabelledGoals) : .original,
      originalValueGoals: 0)
  }

  /// The policy's loss, `[]`, of values `[B, 1]` of its actions `[B, A]`.
  static func policyLoss(values: Tensor, actions: Tensor, penalty: Double) -> Tensor {
    actions.squared().mean() * penalty - values.mean()
  }

  private func policyLoss(on batch: GoalBatch) -> (loss: Tensor, chosen: Tensor) {
    let policy = networks.policy
    let input = policy.input(batch.observations, batch.policyGoals, rows: batch.count)  // [B, D]
    let chosen = policy(input)  // [B, A]
    let values = networks.value(networks.critics[0], input, chosen)  // [B, 1]
    let loss = Self.policyLoss(
      values: values, actions: chosen, penalty: configuration.actionPenalty)
    return (loss, chosen)
  }

  /// One update of normaliser, policy and critic, and of the targets at the end of a cycle.
  public func update(on batch: GoalBatch, measuring: Bool) -> Metrics? {
    updates += 1
    let policy = networks.policy
    policy.observe(batch)
    let actions = policy.actions(of: batch)  // [B, A]
    let (criticLoss, values) = networks.criticLoss(on: batch, actions: actions)
    let (policyLoss, chosen) = policyLoss(on: batch)
    let criticGradients = gradients(of: criticLoss, networks.criticOptimizer.parameters)
    let policyGradients = gradients(of: policyLoss, policy.optimizer.parameters)
    networks.criticOptimizer.step(along: criticGradients)
    policy.optimizer.step(along: policyGradients)
    if updates % configuration.batchesPerCycle == 0 { networks.moveTargets() }

    guard measuring else { return nil }
    return networks.metrics(
      of: (policyLoss, chosen, policyGradients), and: (criticLoss, values, criticGradients),
      actions: actions, batch: batch)
  }

  /// The losses of policy and critic on a batch that is not trained on.
  public func losses(on batch: GoalBatch) -> Metrics {
    withoutGradients {
      var metrics = Metrics()
      metrics.append("policy_loss", policyLoss(on: batch).loss.float)
      let actions = networks.policy.actions(of: batch)
      metrics.append("critic_loss", networks.criticLoss(on: batch, actions: actions).loss.float)
      return metrics
    }
  }
}
