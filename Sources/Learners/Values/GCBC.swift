public import GoalCore
public import Replay
internal import Torch

/// Goal-conditioned behavioural cloning with OGBench's settings: imitate the data's actions towards
/// goals that the same trajectory reached later.
///
///     policy  N(μ(s, g), 1), minimise  −E[ ln π(a | s, g) ]
///
/// Park et al., "OGBench: Benchmarking Offline Goal-Conditioned RL", ICLR 2025, arXiv:2410.20092,
/// appendix. Reference code github.com/seohongpark/ogbench at 1d41409, `impls/agents/gcbc.py`.
/// Beside `gcsl` it differs in the network (GELU, no tanh at its end), the draw of goals
/// (`GoalMixture`), the batch and the step size.
///
/// It differs from the reference in: 1. goals are what a state achieves unless `goalForm` says
/// otherwise; 2. for WGCSL's tasks inputs are normalised (`preset`); 3. actions are scaled to [−1,
/// 1]; 4. random numbers are drawn otherwise; 5. it can learn online.
///
/// Shapes: `B` rows, `O` observation, `F` goal, `A` action.
public final class GCBC: JointLearner {
  /// The settings; the defaults are the reference's.
  public struct Configuration: ValueConfiguration {
    /// The settings shared by learners that OGBench compares.
    ///
    /// The value's goals are those that the normaliser sees, and nothing is learned from rewards.
    @SettingsFrom("gcbc.py") public var shared = ValueSettings()

    /// The reference's defaults.
    public init() { shared.valueGoals = .policy }
  }

  /// The id, `gcbc`.
  public static let identifier = "gcbc"
  /// The idea in one sentence.
  public static let summary = "imitate the data's actions towards later goals, as OGBench does"

  /// The settings that it was made with.
  public let configuration: Configuration
  /// Updates made so far.
  public internal(set) var updates = 0
  let networks: ValueNetworks
  private let actor: MLP

  /// Makes an untrained learner; throws `LearnerError` for discrete actions, and `GoalFormError`.
  public init(task: GoalTask, configuration: Configuration, seed: UInt64) throws {
    self.configuration = configuration
    var maker = try NetworkMaker(Self.identifier, task: task, configuration, seed: seed)
    actor = maker.actor(inputs: maker.observation + maker.goal, outputs: maker.action)
    networks = ValueNetworks(maker, configuration, policy: [("actor", actor)], others: [])
  }

  /// Goals that were reached later in the same trajectory.
  public var scheme: SamplingScheme { configuration.scheme(horizon: networks.task.spec.horizon) }

  func outcome(of batch: GoalBatch, measuring: Bool) -> JointOutcome {
    let a = networks.actions(of: batch)  // [B, A]
    let means = actor(
      joined(networks.states(batch.observations), networks.goals(batch.policyGoals)))  // [B, A]
    var (terms, metrics) = (LossTerms(), Metrics())
    terms.add("policy_loss", weight: 1) {
      -ValueLosses.logLikelihoods(of: a, means: means).mean()
    }
    if measuring { metrics.append(means: means, actions: a) }
    return JointOutcome(terms: terms, diagnostics: metrics)
  }

  /// The present policy.
  public func makePolicy() -> any GoalPolicy { networks.policy(actor) }
}

extension GCBC.Configuration {
  /// WGCSL's batch, widths and normaliser for its tasks.
  public static func preset(for task: GoalTask) -> Self { common(for: task) }
}
