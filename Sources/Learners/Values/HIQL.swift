public import GoalCore
public import Replay
internal import Torch

/// Hierarchical implicit Q-learning: one value, and two policies extracted from it.
///
/// The high one proposes the state k steps ahead, in a representation that the value learns, and
/// the low one goes there.
///
///     φ(s, g)  a network of [s | g], scaled to the length √d
///     value    V_j(s, g) of [s | φ(s, g)]; minimise
///              Σ_j E[ |κ − 1(A < 0)| (r + γ m V̄_j(s′, g) − V_j(s, g))² ],
///              A = r + γ m min_j V̄_j(s′, g) − ½ Σ_j V̄_j(s, g);
///              targets read the φ that is being trained
///     low      N(μ_l(s, φ(s, l)), 1), minimise  −E[ min(exp(α_l A), 100) ln π_l(a | s, φ(s, l)) ],
///              A = V(s′, l) − V(s, l),   l the state k steps ahead
///     high     N(μ_h(s, g), 1) over representations, minimise
///              −E[ min(exp(α_h A), 100) ln π_h(φ(s, t) | s, g) ],
///              A = V(t, g) − V(s, g),   t the nearer of the state k steps ahead and the goal's
///
/// where V is the mean of the twins, r is −1 and m 1 until the goal is reached, there 0. The
/// policies' losses do not move φ or V. Value and policies have goals of their own (`GoalMixture`,
/// `SamplingScheme.subgoalSteps`). Targets move from the weights before the step, and one Adam
/// minimises the sum.
///
/// Park et al., "HIQL: Offline Goal-Conditioned RL with Latent States as Actions", NeurIPS 2023,
/// arXiv:2307.11949, as OGBench has it: github.com/seohongpark/ogbench at 1d41409,
/// `impls/agents/hiql.py`.
///
/// It differs from the reference in: 1. goals are what a state achieves unless `goalForm` says
/// otherwise, and then φ reads [s | m(t)]; 2. for WGCSL's tasks inputs are normalised, rewards are
/// the world's and subgoals 10 steps away (`preset`); 3. actions are scaled to [−1, 1]; 4. random
/// numbers are drawn otherwise; 5. it can learn online.
///
/// Shapes: `B` rows, `O` observation, `F` goal, `A` action, `d` representation.
public final class HIQL: ValueLearner {
  /// The settings; the defaults are the reference's.
  public struct Configuration: ValueConfiguration {
    /// The settings shared by learners that OGBench compares.
    @SettingsFrom("hiql.py") public var shared = ValueSettings()
    /// τ, the share of the weights that targets take at each update.
    @Setting(ValueMeaning.targetRate, .share, "hiql.py, tau")
    public var targetRate = 0.005
    /// κ.
    @Setting(ValueMeaning.expectile, .inside, "hiql.py")
    public var expectile = 0.7
    /// k, steps from a state to its subgoal.
    @Setting(
      "steps from a state to its subgoal; 100 for humanoidmaze, 10 for cube, "
        + "scene, puzzle and WGCSL's tasks",
      .steps, "hyperparameters.sh")
    public var subgoalSteps = 25
    /// d, numbers in a representation.
    @Setting("numbers in the representation of a subgoal", .width, "hiql.py, rep_dim")
    public var representationWidth = 10
    /// α_h, by which the high policy's advantage is multiplied.
    @Setting(
      "what an advantage of the policy of subgoals is multiplied by; OGBench has "
        + "10 for explore data",
      .weight, "hiql.py, high_alpha")
    public var highTemperature = 3.0
    /// α_l, by which the low policy's advantage is multiplied.
    @Setting(
      "what an advantage of the policy of actions is multiplied by; OGBench has 10 "
        + "for explore data",
      .weight, "hiql.py, low_alpha")
    public var lowTemperature = 3.0
    /// The largest weight of a row.
    @Setting("the largest weight of a row", .positive, "hiql.py") public var weightLimit = 100.0

    /// The reference's defaults.
    public init() {}
  }

  /// The id, `hiql`.
  public static let identifier = "hiql"
  /// The idea in one sentence.
  public static let summary =
    "learn a value, a policy that proposes subgoals, and one that reaches them"

  /// The settings that it was made with.
  public let configuration: Configuration
  /// Updates made so far.
  public internal(set) var updates = 0
  let networks: ValueNetworks
  private let high, low, representation: MLP
  private let twins, targetTwins: [MLP]

  /// Makes an untrained learner; throws `LearnerError` for discrete actions, and `GoalFormError`.
  public init(task: GoalTask, configuration: Configuration, seed: UInt64) throws {
    self.configuration = configuration
    var maker = try NetworkMaker(Self.identifier, task: task, configuration, seed: seed)
    let (state, pair) = (maker.observation, maker.observation + maker.goal)
    let width = configuration.representationWidth
    high = maker.actor(inputs: pair, outputs: width)
    low = maker.actor(inputs: state + width, outputs: maker.action)
    representation = maker.network(inputs: pair, outputs: width)
    twins = maker.twins(inputs: state + width)
    let moving = targets(of: numbered(twins, "value"))
    targetTwins = moving.map(\.target.network)
    networks = ValueNetworks(
      maker, configuration, policy: [("actor.high", high), ("actor.low", low)],
      others: [("representation", representation)] + numbered(twins, "value"), targets: moving,
      targetRate: configuration.targetRate)
  }

  /// Goals of value and policies drawn apart, with subgoals.
  public var scheme: SamplingScheme {
    configuration.scheme(
      horizon: networks.task.spec.horizon, subgoalSteps: configuration.subgoalSteps)
  }

  /// φ(s, g), `[B, d]`.
  private func represent(_ states: Tensor, _ goals: Tensor) -> Tensor {
    representation(joined(states, goals)).scaledToLength()
  }

  /// V_j(s, g) of each of some networks, `[B, 1]`.
  private func values(of networks: [MLP], _ states: Tensor, _ goals: Tensor) -> [Tensor] {
    let input = joined(states, represent(states, goals))
    return networks.map { $0(input) }
  }

  /// V(s, g), the mean of the twins, `[B, 1]`.
  func value(_ states: Tensor, _ goals: Tensor) -> Tensor {
    .mean(values(of: twins, states, goals))
  }

  // MARK: - Losses

  func outcome(of batch: GoalBatch, measuring: Bool) -> JointOutcome {
    let s = networks.states(batch.observations)  // [B, O]
    let next = networks.states(batch.nextObservations)  // [B, O]
    let a = networks.actions(of: batch)  // [B, A]
    var (terms, metrics) = (LossTerms(), Metrics())

    let g = networks.goals(batch.valueGoals)  // [B, F]
    let values = values(of: twins, s, g)  // [B, 1] each
    let targets = withoutGradients {
      (self.values(of: targetTwins, s, g), self.values(of: targetTwins, next, g))
    }
    terms.add("value_loss", weight: 1) {
      ValueLosses.temporal(
        values, targetsNow: targets.0, targetsNext: targets.1,
        rewards: networks.rewards(of: batch), continuations: networks.continuations(of: batch),
        expectile: configuration.expectile)
    }
    if measuring { metrics.append(spread: values[0].floats, "value") }

    let near = networks.goals(batch.lowGoals)  // [B, F]
    let lowAdvantages = withoutGradients { value(next, near) - value(s, near) }  // [B, 1]
    let lowWeights = weights(lowAdvantages, configuration.lowTemperature)
    let means = low(joined(s, withoutGradients { represent(s, near) }))  // [B, A]
    terms.add("policy_loss", weight: 1) { ValueLosses.weighted(lowWeights, of: a, means: means) }

    let far = networks.goals(batch.policyGoals)  // [B, F]
    let there = networks.states(batch.subgoalObservations)  // [B, O]
    let highAdvantages = withoutGradients { value(there, far) - value(s, far) }  // [B, 1]
    let highWeights = weights(highAdvantages, configuration.highTemperature)
    let wanted = withoutGradients { represent(s, networks.goals(batch.subgoals)) }  // [B, d]
    let proposed = high(joined(s, far))  // [B, d]
    terms.add("high_policy_loss", weight: 1) {
      ValueLosses.weighted(highWeights, of: wanted, means: proposed)
    }

    if measuring {
      let limit = configuration.weightLimit
      metrics.append(advantages: lowAdvantages, weights: lowWeights, limit: limit)
      metrics.append(advantages: highAdvantages, weights: highWeights, limit: limit, "high_")
      metrics.append(
        "subgoal_error", (proposed.detached() - wanted).squared().mean().float)
      metrics.append(means: means, actions: a)
    }
    return JointOutcome(terms: terms, diagnostics: metrics)
  }

  private func weights(_ advantages: Tensor, _ temperature: Double) -> Tensor {
    ValueLosses.weights(
      advantages: advantages, temperature: temperature, limit: configuration.weightLimit)
  }

  /// The present policy.
  public func makePolicy() -> any GoalPolicy { networks.policy(high: high, low: low) }
}

extension HIQL.Configuration {
  /// OGBench's settings for its worlds, and for WGCSL's tasks its batch, widths, discount,
  /// normaliser and rewards and subgoals 10 steps away.
  public static func preset(for task: GoalTask) -> Self {
    var configuration = common(for: task)
    if WGCSLPreset.listed(task) != nil { configuration.subgoalSteps = 10 }
    guard let preset = OGBenchPreset(task: task) else { return configuration }
    (configuration.discount, configuration.subgoalSteps) = (preset.discount, preset.subgoalSteps)
    return configuration
  }
}
