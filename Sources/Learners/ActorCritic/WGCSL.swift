internal import Glibc
public import GoalCore
public import Replay
internal import Torch

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
/// `wgcsl/algo/{wgcsl,supervised_sampler,adv_que,config}.py` with `--su_method
/// gamma_exp_adv_clip10_baw`. An update has the reference's order: the policy's step on relabelled
/// goals, the normaliser, then the critic's step. That is on the same rows, with a fifth of the
/// goals put back. Targets move once a cycle of `batchesPerCycle` updates.
///
/// It differs from the reference in: 1. the percentile's p is min(n · step, limit) after n updates.
/// The reference adds up the step in a variable of its module, which a second run in the same
/// process continues; 2. the best-advantage weight works without the exponential one, where the
/// reference then ignores it; 3. what `SupervisedPolicy` and `RunningNormalizer` list.
///
/// Shapes: `B` rows, `D` observation and goal, `A` action.
public final class WGCSL: ActorCriticLearner {
  /// The id, `wgcsl`.
  public static let identifier = "wgcsl"
  /// The idea in one sentence.
  public static let summary =
    "imitate actions towards goals reached later, weighted by discount and advantage"

  /// The settings that it was made with.
  public let configuration: Configuration
  /// Updates made so far.
  public internal(set) var updates = 0

  let networks: ActorCritic
  private var advantageQueue: AdvantageQueue

  /// Makes an untrained learner; throws `LearnerError` for discrete actions.
  public init(task: GoalTask, configuration: Configuration, seed: UInt64) throws {
    self.configuration = configuration
    networks = try ActorCritic(
      learner: WGCSL.identifier, task: task, configuration: configuration, seed: seed)
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

  /// The best-advantage weight, `[B]`: 1 if A ≥ threshold, else `other`.
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
      factors.append(WGCSL.relabelWeights(offsets: batch.offsets, discount: networks.discount))
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

  // MARK: - Update

  /// One update of policy, normaliser and critic, and of the targets at the end of a cycle.
  public func update(on batch: GoalBatch, measuring: Bool) -> Metrics? {
    updates += 1
    var threshold = -Double.infinity
    var bestShare: Float = 1
    var metrics = networks.imitate(batch, usesAdvantages: usesAdvantages, measuring: measuring) {
      advantages in
      if configuration.bestAdvantageWeight {
        advantageQueue.push(advantages)
        threshold = advantageQueue.percentile(bestAdvantagePercentile(update: updates))
        bestShare = mean(advantages.map { Double($0) >= threshold ? 1 : 0 })
      }
      return weights(of: batch, advantages: advantages, threshold: threshold)
    }
    if updates % configuration.batchesPerCycle == 0 { networks.moveTargets() }
    if configuration.bestAdvantageWeight {
      metrics?.append("advantage_threshold", Float(threshold))
      metrics?.append("best_advantage_share", bestShare)
    }
    return metrics
  }

  /// The policy's loss without weights, and the critic's, of a batch that is not trained on.
  public func losses(on batch: GoalBatch) -> Metrics {
    networks.losses(on: batch, withCritics: usesAdvantages)
  }

  /// Whether any weight asks for advantages.
  private var usesAdvantages: Bool {
    configuration.exponentialWeight || configuration.bestAdvantageWeight
  }

  /// γ and the convention of the rewards; nil if no weight trains a critic, and for γ = 0.
  public var valueReading: ValueReading? {
    guard usesAdvantages, networks.discount > 0 else { return nil }
    return .returns(ValueScale(discount: networks.discount, rewards: configuration.rewards))
  }

  // MARK: - Saving

  /// Copies of everything that acting and training need.
  public func saved() -> SavedLearner {
    let queue = advantageQueue.contents
    let advantages = NamedTensor("advantages", Tensor(queue, shape: [queue.count]))
    return networks.saved(updates: updates, adding: [advantages])
  }

  /// Puts everything back.
  public func restore(_ saved: SavedLearner) throws {
    updates = try networks.restore(saved)
    advantageQueue = AdvantageQueue(capacity: configuration.bestAdvantageQueue)
    advantageQueue.push(
      try saved.training.list("advantages", limit: configuration.bestAdvantageQueue))
  }
}
