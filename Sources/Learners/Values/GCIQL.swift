public import GoalCore
public import Replay
internal import Torch

/// Goal-conditioned implicit Q-learning: values that look no further than the data's actions, and a
/// policy that climbs them near the data.
///
///     value    minimise  E[ |κ − 1(x < 0)| x² ],   x = min_j Q̄_j(s, a, g) − V(s, g)
///     critics  minimise  Σ_j E[ (Q_j(s, a, g) − r − γ m V(s′, g))² ],   no gradient through V
///     policy   N(μ(s, g), 1), minimise by `policyLoss`
///              ddpg-bc:  −E[Q] / (E|Q| + 10⁻⁶) − α E[ln π(a | s, g)],
///                        Q = min_j Q_j(s, clip(μ(s, g), ±1), g)
///              awr:      −E[min(exp(α A), 100) ln π(a | s, g)],   A = min_j Q_j(s, a, g) − V(s, g)
///
/// where r is −1 and m 1 until the goal is reached, there 0; the critics do not learn from the
/// policy's loss. Values and policy have goals of their own (`GoalMixture`). Targets move from the
/// weights before the step, and one Adam minimises the sum.
///
/// Kostrikov, Nair and Levine, "Offline Reinforcement Learning with Implicit Q-Learning", ICLR
/// 2022, arXiv:2110.06169, with goals as Park et al., "OGBench: Benchmarking Offline
/// Goal-Conditioned RL", ICLR 2025, arXiv:2410.20092, appendix. Reference code
/// github.com/seohongpark/ogbench at 1d41409, `impls/agents/gciql.py`.
///
/// It differs from the reference in: 1. goals are what a state achieves unless `goalForm` says
/// otherwise; 2. for WGCSL's tasks inputs are normalised and rewards are the world's (`preset`); 3.
/// actions are scaled to [−1, 1];
/// 4. random numbers are drawn otherwise; 5. it can learn online.
///
/// With `goalRepresentation` every network reads goals as `DualGoals`, whose losses are added.
///
/// Shapes: `B` rows, `O` observation, `F` goal, `A` action.
public final class GCIQL: ValueLearner {
  /// The settings; the defaults are the reference's.
  public struct Configuration: ValueConfiguration {
    /// The settings shared by learners that OGBench compares.
    @SettingsFrom("gciql.py") public var shared = ValueSettings()
    /// τ, the share of the weights that targets take at each update.
    @Setting(ValueMeaning.targetRate, .share, "gciql.py, tau")
    public var targetRate = 0.005
    /// κ.
    @Setting(ValueMeaning.expectile, .inside, "gciql.py")
    public var expectile = 0.9
    /// How the policy is taken out of the values.
    @Setting(ValueMeaning.policyLoss, "gciql.py, actor_loss")
    public var policyLoss = PolicyExtraction.climbing
    /// α of `ddpg-bc`, the weight of imitation against the value.
    @Setting(
      "ddpg-bc: weight of imitation; OGBench has 0.003 for pointmaze, 0.3 for "
        + "antmaze (explore data 0.01), 0.1 for humanoidmaze and antsoccer, 1 for "
        + "cube, scene and puzzle (noisy data 0.03)",
      .weight, "hyperparameters.sh, alpha")
    public var imitationWeight = 0.3
    /// α of `awr`, by which an advantage is multiplied.
    @Setting(ValueMeaning.temperature, .weight, "gciql.py, alpha")
    public var temperature = 3.0
    /// The largest weight of `awr`.
    @Setting(ValueMeaning.weightLimit, .positive, "gciql.py")
    public var weightLimit = 100.0
    /// How networks read goals.
    public var goalRepresentation = GoalRepresentationSettings()

    /// The reference's defaults.
    public init() {}
  }

  /// The id, `gciql`.
  public static let identifier = "gciql"
  /// The idea in one sentence.
  public static let summary = "learn a Q-function by expectiles, and maximise it close to the data"

  /// The settings that it was made with.
  public let configuration: Configuration
  /// Updates made so far.
  public internal(set) var updates = 0
  let networks: ValueNetworks
  private let actor, valueNetwork: MLP
  private let critics, frozenCritics, targetCritics: [MLP]
  private let dual: DualGoals?

  /// Makes an untrained learner; throws `LearnerError` for discrete actions, and `GoalFormError`.
  public init(task: GoalTask, configuration: Configuration, seed: UInt64) throws {
    self.configuration = configuration
    var maker = try NetworkMaker(Self.identifier, task: task, configuration, seed: seed)
    dual = DualGoals(configuration.goalRepresentation, &maker)
    let (O, A) = (maker.observation, maker.action)
    let F = dual == nil ? maker.goal : configuration.goalRepresentation.width
    actor = maker.actor(inputs: O + F, outputs: A)
    valueNetwork = maker.network(inputs: O + F)
    critics = maker.twins(inputs: O + F + A)
    frozenCritics = critics.map { $0.frozen() }
    let moving = targets(of: numbered(critics, "critic"))
    targetCritics = moving.map(\.target.network)
    networks = ValueNetworks(
      maker, configuration, policy: [("actor", actor)] + (dual?.acting ?? []),
      others: [("value", valueNetwork)] + numbered(critics, "critic") + (dual?.others ?? []),
      targets: moving + (dual?.moving ?? []), targetRate: configuration.targetRate)
  }

  /// Goals of values and policy drawn apart.
  public var scheme: SamplingScheme { configuration.scheme(horizon: networks.task.spec.horizon) }

  /// V(s, g), `[B, 1]`.
  func value(_ states: Tensor, _ goals: Tensor) -> Tensor {
    valueNetwork(joined(states, read(goals)))
  }

  /// Goals `[B, F]` as the networks read them.
  private func read(_ goals: Tensor) -> Tensor { dual?.represent(goals) ?? goals }

  // MARK: - Losses

  func outcome(of batch: GoalBatch, measuring: Bool) -> JointOutcome {
    let s = networks.states(batch.observations)  // [B, O]
    let a = networks.actions(of: batch)  // [B, A]
    let next = networks.states(batch.nextObservations)  // [B, O]
    let (rewards, continuations) = (
      networks.rewards(of: batch), networks.continuations(of: batch)
    )  // [B, 1] each
    let wanted = networks.goals(batch.valueGoals)  // [B, F]
    var (terms, metrics) = (LossTerms(), Metrics())

    dual?.addLosses(
      to: &terms, s, a, next, wanted, rewards: rewards, continuations: continuations)
    let g = read(wanted)
    let asked = joined(s, g, a)  // [B, O + F + A]
    let least = withoutGradients { Tensor.least(targetCritics.map { $0(asked) }) }  // [B, 1]
    let values = valueNetwork(joined(s, g))  // [B, 1]
    let x = least - values
    terms.add("value_loss", weight: 1) {
      ValueLosses.expectile(x, signs: x, configuration.expectile)
    }

    let y = withoutGradients {
      rewards + continuations * valueNetwork(joined(next, g))
    }  // [B, 1]
    let q = critics.map { $0(asked) }  // [B, 1] each
    terms.add("critic_loss", weight: 1) { .sum(q.map { $0.meanSquaredError(from: y) }) }
    if measuring {
      metrics.append(spread: values.floats, "value")
      metrics.append(spread: q[0].floats, "critic")
    }

    addPolicyLoss(
      of: s, a, read(networks.goals(batch.policyGoals)), to: &terms, measuring, &metrics)
    return JointOutcome(terms: terms, diagnostics: metrics)
  }

  /// Adds the policy's loss, of its own goals `g` as the networks read them.
  private func addPolicyLoss(
    of s: Tensor, _ a: Tensor, _ g: Tensor, to terms: inout LossTerms, _ measuring: Bool,
    _ metrics: inout Metrics
  ) {
    let means = actor(joined(s, g))  // [B, A]
    switch configuration.policyLoss {
    case .climbing:
      let input = joined(s, g, means.clamped(to: -1...1))
      let values = Tensor.least(frozenCritics.map { $0(input) })  // [B, 1]
      terms.add(
        climbing: values, of: a, means: means, imitationWeight: configuration.imitationWeight,
        measuring, &metrics)
    case .weighting:
      let advantages = withoutGradients {
        let input = joined(s, g, a)
        return Tensor.least(critics.map { $0(input) }) - valueNetwork(joined(s, g))
      }  // [B, 1]
      terms.add(
        weighting: advantages, of: a, means: means, temperature: configuration.temperature,
        limit: configuration.weightLimit, measuring, &metrics)
    }
  }

  /// The present policy.
  public func makePolicy() -> any GoalPolicy { networks.policy(actor, dual) }
}

extension GCIQL.Configuration {
  /// OGBench's settings for its worlds, and WGCSL's batch, widths, discount, normaliser and rewards
  /// for its tasks.
  public static func preset(for task: GoalTask) -> Self {
    var configuration = common(for: task)
    guard let preset = OGBenchPreset(task: task) else { return configuration }
    configuration.discount = preset.discount
    configuration.imitationWeight = preset.imitationWeights.gciql
    return configuration
  }
}
