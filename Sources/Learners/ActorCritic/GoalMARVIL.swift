internal import Glibc
public import GoalCore
public import Replay
internal import Torch

/// Goal-conditioned MARVIL: imitate the data's actions towards the goals that were asked for,
/// weighted by the exponential of their advantage.
///
///     policy  minimise  E[ exp(A) · mean_k (π_k(s_t, g) − a_tk)² ]
///
/// over transitions of the data, g their own goal; the advantage A and the critic are
/// `ActorCritic`'s.
///
/// Wang et al., "Exponentially Weighted Imitation Learning for Batched Historical Data", NeurIPS
/// 2018, with goals as the baseline "Goal MARVIL" in Yang et al., "Rethinking Goal-Conditioned
/// Supervised Learning and Its Connection to Offline RL", ICLR 2022, arXiv:2202.04478; reference
/// code github.com/YangRui2015/AWGCSL at d8f1c56, `wgcsl/algo/{wgcsl,supervised_sampler}.py` with
/// `--su_method exp_adv --no_relabel True`.
///
/// It differs from the reference in: 1. a weight is at most `weightLimit`, so that Adam's squares
/// of the gradients are finite in `Float`, where the reference's has no limit; 2. what
/// `SupervisedPolicy` and `RunningNormalizer` list. From its own paper it differs as the reference
/// does:
/// 1. the advantage is of one step under a learned Q, not of the data's returns; 2. it is not
///    divided by a running norm.
public final class GoalMARVIL: ActorCriticLearner {
  /// The settings; the defaults are the reference's, `wgcsl/algo/config.py`.
  public struct Configuration: CyclicConfiguration {
    /// The settings shared by learners with a critic.
    @SettingsFrom("config.py") public var shared = ActorCriticSettings()
    /// Updates in a cycle, after which the targets move.
    @Setting("updates after which the targets move once", .count, "config.py, n_batches")
    public var batchesPerCycle = 4

    /// The reference's defaults.
    public init() {}
  }

  /// The id, `goal-marvil`.
  public static let identifier = "goal-marvil"
  /// The idea in one sentence.
  public static let summary =
    "imitate the data's actions towards their desired goals, weighted by advantage"
  /// The largest weight of a row.
  static let weightLimit: Float = 1e15

  /// The settings that it was made with.
  public let configuration: Configuration
  /// Updates made so far.
  public internal(set) var updates = 0
  let networks: ActorCritic

  /// Makes an untrained learner; throws `LearnerError` for discrete actions.
  public init(task: GoalTask, configuration: Configuration, seed: UInt64) throws {
    self.configuration = configuration
    networks = try ActorCritic(
      learner: GoalMARVIL.identifier, task: task, configuration: configuration, seed: seed)
  }

  /// The goals that the data were collected with, for policy and critic.
  public var scheme: SamplingScheme {
    SamplingScheme(
      batchSize: configuration.batchSize, policyGoals: .original, originalValueGoals: 1)
  }

  /// The weights of rows with these advantages, `[B]`: exp A.
  static func weights(advantages: [Float]) -> [Float] {
    advantages.map { min(exp($0), weightLimit) }
  }

  /// One update of policy, normaliser and critic, and of the targets at the end of a cycle.
  public func update(on batch: GoalBatch, measuring: Bool) -> Metrics? {
    updates += 1
    let metrics = networks.imitate(
      batch, usesAdvantages: true, measuring: measuring, weights: GoalMARVIL.weights)
    if updates % configuration.batchesPerCycle == 0 { networks.moveTargets() }
    return metrics
  }

  /// The policy's loss without weights, and the critic's, of a batch that is not trained on.
  public func losses(on batch: GoalBatch) -> Metrics { networks.losses(on: batch) }
}
