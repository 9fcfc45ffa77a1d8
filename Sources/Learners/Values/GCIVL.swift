public import GoalCore
public import Replay
internal import Torch

/// Goal-conditioned implicit value learning: a value of states by expectiles, and imitation
/// weighted by how much nearer an action brought the goal.
///
///     value   minimise  Σ_j E[ |κ − 1(A < 0)| (r + γ m V̄_j(s′, g) − V_j(s, g))² ],
///             A = r + γ m min_j V̄_j(s′, g) − ½ Σ_j V̄_j(s, g)
///     policy  N(μ(s, g), 1), minimise  −E[ min(exp(α A), 100) ln π(a | s, g) ],
///             A = ½ Σ_j V_j(s′, g) − ½ Σ_j V_j(s, g)
///
/// where r is −1 and m 1 until the goal is reached, there 0. Value and policy have goals of their
/// own (`GoalMixture`). Targets move from the weights before the step, and one Adam minimises the
/// sum.
///
/// Park et al., "OGBench: Benchmarking Offline Goal-Conditioned RL", ICLR 2025, arXiv:2410.20092,
/// appendix; the value is that of Kostrikov, Nair and Levine, ICLR 2022, arXiv:2110.06169, without
/// actions. Reference code github.com/seohongpark/ogbench at 1d41409, `impls/agents/gcivl.py`.
///
/// It differs from the reference in: 1. goals are what a state achieves unless `goalForm` says
/// otherwise; 2. for WGCSL's tasks inputs are normalised and rewards are the world's (`preset`); 3.
/// actions are scaled to [−1, 1];
/// 4. random numbers are drawn otherwise; 5. it can learn online.
///
/// With `goalRepresentation` every network reads goals as `DualGoals`, whose losses are added.
///
/// Shapes: `B` rows, `O` observation, `F` goal, `A` action.
public final class GCIVL: ValueLearner {
  /// The settings; the defaults are the reference's.
  public struct Configuration: ValueConfiguration {
    /// The settings shared by learners that OGBench compares.
    @SettingsFrom("gcivl.py") public var shared = ValueSettings()
    /// τ, the share of the weights that targets take at each update.
    @Setting(ValueMeaning.targetRate, .share, "gcivl.py, tau")
    public var targetRate = 0.005
    /// κ.
    @Setting(ValueMeaning.expectile, .inside, "gcivl.py")
    public var expectile = 0.9
    /// α, by which an advantage is multiplied.
    @Setting("what an advantage is multiplied by", .weight, "gcivl.py, alpha")
    public var temperature = 10.0
    /// The largest weight of a row.
    @Setting("the largest weight of a row", .positive, "gcivl.py") public var weightLimit = 100.0
    /// How networks read goals.
    public var goalRepresentation = GoalRepresentationSettings()

    /// The reference's defaults.
    public init() {}
  }

  /// The id, `gcivl`.
  public static let identifier = "gcivl"
  /// The idea in one sentence.
  public static let summary = "learn a value by expectile regression, and imitate by its advantage"

  /// The settings that it was made with.
  public let configuration: Configuration
  /// Updates made so far.
  public internal(set) var updates = 0
  let networks: ValueNetworks
  private let actor: MLP
  private let twins, targetTwins: [MLP]
  private let dual: DualGoals?

  /// Makes an untrained learner; throws `LearnerError` for discrete actions, and `GoalFormError`.
  public init(task: GoalTask, configuration: Configuration, seed: UInt64) throws {
    self.configuration = configuration
    var maker = try NetworkMaker(Self.identifier, task: task, configuration, seed: seed)
    dual = DualGoals(configuration.goalRepresentation, &maker)
    let goal = dual == nil ? maker.goal : configuration.goalRepresentation.width
    let inputs = maker.observation + goal
    actor = maker.actor(inputs: inputs, outputs: maker.action)
    twins = maker.twins(inputs: inputs)
    let moving = targets(of: numbered(twins, "value"))
    targetTwins = moving.map(\.target.network)
    networks = ValueNetworks(
      maker, configuration, policy: [("actor", actor)] + (dual?.acting ?? []),
      others: numbered(twins, "value") + (dual?.others ?? []),
      targets: moving + (dual?.moving ?? []), targetRate: configuration.targetRate)
  }

  /// Goals of value and policy drawn apart.
  public var scheme: SamplingScheme { configuration.scheme(horizon: networks.task.spec.horizon) }

  /// V(s, g), the mean of the twins, `[B, 1]`.
  func value(_ states: Tensor, _ goals: Tensor) -> Tensor { mean(states, read(goals)) }

  /// Goals `[B, F]` as the networks read them.
  private func read(_ goals: Tensor) -> Tensor { dual?.represent(goals) ?? goals }

  /// The mean of the twins, of goals as they read them, `[B, 1]`.
  private func mean(_ states: Tensor, _ goals: Tensor) -> Tensor {
    let input = joined(states, goals)
    return .mean(twins.map { $0(input) })
  }

  // MARK: - Losses

  func outcome(of batch: GoalBatch, measuring: Bool) -> JointOutcome {
    let s = networks.states(batch.observations)  // [B, O]
    let next = networks.states(batch.nextObservations)  // [B, O]
    let a = networks.actions(of: batch)  // [B, A]
    var (terms, metrics) = (LossTerms(), Metrics())

    let (rewards, continuations) = (
      networks.rewards(of: batch), networks.continuations(of: batch)
    )  // [B, 1] each
    let asked = networks.goals(batch.valueGoals)  // [B, F]
    dual?.addLosses(
      to: &terms, s, a, next, asked, rewards: rewards, continuations: continuations)
    let g = read(asked)
    let (here, there) = (joined(s, g), joined(next, g))  // [B, O + F]
    let values = twins.map { $0(here) }  // [B, 1] each
    let targets = withoutGradients { (targetTwins.map { $0(here) }, targetTwins.map { $0(there) }) }
    terms.add("value_loss", weight: 1) {
      ValueLosses.temporal(
        values, targetsNow: targets.0, targetsNext: targets.1,
        rewards: rewards, continuations: continuations,
        expectile: configuration.expectile)
    }

    let h = read(networks.goals(batch.policyGoals))
    let advantages = withoutGradients { mean(next, h) - mean(s, h) }  // [B, 1]
    if measuring { metrics.append(spread: values[0].floats, "value") }
    terms.add(
      weighting: advantages, of: a, means: actor(joined(s, h)),
      temperature: configuration.temperature, limit: configuration.weightLimit, measuring, &metrics)
    return JointOutcome(terms: terms, diagnostics: metrics)
  }

  /// The present policy.
  public func makePolicy() -> any GoalPolicy { networks.policy(actor, dual) }
}

extension GCIVL.Configuration {
  /// OGBench's discount for its worlds, and WGCSL's batch, widths, discount, normaliser and rewards
  /// for its tasks.
  public static func preset(for task: GoalTask) -> Self {
    var configuration = common(for: task)
    if let preset = OGBenchPreset(task: task) { configuration.discount = preset.discount }
    return configuration
  }
}
