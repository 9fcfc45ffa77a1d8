public import GoalCore
public import Replay
internal import Torch

/// Latent-distance value learning: a value that is minus a distance of representations and changes
/// evenly from step to step, with the two policies of HIQL.
///
///     ρ(g)    a network of the goal, scaled to the length √d
///     V(s, g) = −√(‖φ_S(s) − φ_G(ρ(g))‖² + 10⁻⁶)
///     value   minimise  E[ |κ − 1(A < 0)| (r + γ m V̄(s′, g) − V(s, g))² ],
///             A = r + γ m V̄(s′, g) − V̄(s, g)
///             + w E[ 0.1 softplus(10 ((V(s′, x) − V(s, x))² − θ²)) ],   x a random state
///             θ = 1 − (1 − γ) v̄,   then v̄ ← (1 − τ) v̄ + τ E[V(s, g)],
///             v̄ = −1 / (1 − γ) at the start
///     low     N(μ_l(s, ρ(l)), 1), minimise  −E[ω ln π_l(a | s, ρ(l))],   A = V(s′, l) − V(s, l)
///     high    N(μ_h(s, g), 1), minimise  −E[ω ln π_h(ρ(t) | s, g)],   A = V(t, g) − V(s, g)
///             ω = min(exp(α A), 100) over its mean in the batch + 10⁻³
///
/// Here l is the state k steps ahead, and t that state or the goal's, whichever is nearer. The
/// reward r is −1 and m 1 until the goal is reached, there 0. φ_S, φ_G and ρ have targets, which
/// move from the weights before the step. Where `policiesMoveGoals`, the policies' losses move ρ as
/// well. One Adam minimises the sum; its gradient is scaled down to the length 1000 if it is
/// longer.
///
/// Kang, Kim and Oh, ICML 2026, arXiv:2605.25740. Reference code github.com/oh-lab/LAVL at 6a0679f,
/// `impls/agents/lavl.py`, `impls/utils/networks.py`.
///
/// It differs from the reference in: 1. goals are what a state achieves unless `goalForm` says
/// otherwise; 2. the random state x of a row is the one before the step of the batch's next row,
/// where the reference draws one more; each row's has the same law; 3. for WGCSL's tasks inputs are
/// normalised, rewards are the world's, γ is that of the horizon and subgoals are 10 steps away
/// (`preset`); 4. actions are scaled to [−1, 1]; 5. random numbers are drawn otherwise; 6. it can
/// learn online.
///
/// Shapes: `B` rows, `O` observation, `F` goal, `A` action, `d` representation of a goal.
public final class LAVL: ValueLearner {
  /// The settings; the defaults are the reference's for antmaze.
  public struct Configuration: ValueConfiguration {
    /// The settings shared by learners that OGBench compares.
    @SettingsFrom("lavl.py") public var shared = ValueSettings()
    /// τ, the share of the weights that targets take at each update.
    @Setting(ValueMeaning.targetRate, .share, "lavl.py, tau")
    public var targetRate = 0.005
    /// κ.
    @Setting(
      "how far the value leans to the best actions; 0.7 for cube and scene", .inside, "lavl.py")
    public var expectile = 0.9
    /// w, the weight of the value's evenness.
    @Setting(
      "weight of the value's evenness; 0 for humanoidmaze and cube", .weight, "LAVL's commands")
    public var continuityWeight = 10.0
    /// Whether the policies' losses move ρ.
    @Setting(
      "whether the policies' losses move the goal's representation; not for cube "
        + "and scene",
      "LAVL's commands")
    public var policiesMoveGoals = true
    /// k, steps from a state to its subgoal.
    @Setting(
      "steps from a state to its subgoal; 100 for humanoidmaze, 10 for cube, scene "
        + "and WGCSL's tasks",
      .steps, "LAVL's commands")
    public var subgoalSteps = 25
    /// d, numbers in a goal's representation.
    @Setting("numbers in the representation of a goal", .width, "lavl.py")
    public var representationWidth = 10
    /// Numbers in what the value measures distances of.
    @Setting("numbers in what distances are measured of", .width, "networks.py, LANValue")
    public var distanceWidth = 64
    /// α of the high policy, by which an advantage is multiplied.
    @Setting(
      "what an advantage of the policy of subgoals is multiplied by; 0.5 for "
        + "pointmaze's stitch data",
      .weight, "LAVL's commands")
    public var highTemperature = 1.0
    /// α of the low policy.
    @Setting(
      "what an advantage of the policy of actions is multiplied by; 10 for cube",
      .weight, "LAVL's commands")
    public var lowTemperature = 3.0
    /// The largest weight of a row, before it is divided by the mean.
    @Setting("the largest weight of a row, before it is divided by the mean", .positive, "lavl.py")
    public var weightLimit = 100.0

    /// The reference's defaults.
    public init() {
      shared.discount = .value(0.999)
      shared.policyGoals = GoalShares(current: 0, trajectory: 0.5, random: 0.5, geometric: false)
    }
  }

  /// The id, `lavl`.
  public static let identifier = "lavl"
  /// The idea in one sentence.
  public static let summary =
    "learn a value that is a distance of embeddings, and a policy that proposes subgoals"

  /// The settings that it was made with.
  public let configuration: Configuration
  /// Updates made so far.
  public internal(set) var updates = 0
  let networks: ValueNetworks
  private let high, low: MLP
  private let distance, target: Distance
  /// v̄, `[]`.
  private let meanValue: Tensor

  /// φ_S, φ_G and ρ.
  private struct Distance {
    let states, ends, goals: MLP

    /// ρ(g), `[B, d]`.
    func represent(_ goals: Tensor) -> Tensor { self.goals(goals).scaledToLength() }

    /// V(s, g), `[B, 1]`.
    func callAsFunction(_ s: Tensor, _ g: Tensor) -> Tensor {
      let difference = states(s) - ends(represent(g))
      let squares = difference.squared().sum(along: 1).reshaped([s.shape[0], 1])
      return -((squares + 1e-6).squareRoot())
    }
  }

  /// Makes an untrained learner; throws `LearnerError` for discrete actions and if what a state
  /// achieves is not known, and `GoalFormError`.
  public init(task: GoalTask, configuration: Configuration, seed: UInt64) throws {
    self.configuration = configuration
    var maker = try NetworkMaker(Self.identifier, task: task, configuration, seed: seed)
    guard configuration.goalForm == .observation || task.isGoalKnown else {
      throw LearnerError.unknownGoals(learner: Self.identifier, task: task.identifier)
    }
    let (width, inner) = (configuration.representationWidth, configuration.distanceWidth)
    high = maker.actor(inputs: maker.observation + maker.goal, outputs: width)
    low = maker.actor(inputs: maker.observation + width, outputs: maker.action)
    let distance = Distance(
      states: maker.network(inputs: maker.observation, outputs: inner),
      ends: maker.network(inputs: width, outputs: inner),
      goals: maker.network(inputs: maker.goal, outputs: width))
    let own: [NamedNetwork] = [
      ("state", distance.states), ("end", distance.ends), ("goal", distance.goals),
    ]
    let moving = targets(of: own)
    self.distance = distance
    target = Distance(
      states: moving[0].target.network, ends: moving[1].target.network,
      goals: moving[2].target.network)
    let discount = configuration.discount.value(horizon: task.spec.horizon)
    meanValue = Tensor([Float(-1 / (1 - discount))], shape: [])
    networks = ValueNetworks(
      maker, configuration, policy: [("actor.high", high), ("actor.low", low)], others: own,
      targets: moving, targetRate: configuration.targetRate,
      state: [NamedTensor("mean_value", meanValue)], gradientLimit: 1000)
  }

  /// Goals of value and policies drawn apart, with subgoals.
  public var scheme: SamplingScheme {
    configuration.scheme(
      horizon: networks.task.spec.horizon, subgoalSteps: configuration.subgoalSteps)
  }

  /// V(s, g), `[B, 1]`.
  func value(_ states: Tensor, _ goals: Tensor) -> Tensor { distance(states, goals) }

  // MARK: - Losses

  func outcome(of batch: GoalBatch, measuring: Bool) -> JointOutcome {
    let s = networks.states(batch.observations)  // [B, O]
    let next = networks.states(batch.nextObservations)  // [B, O]
    let a = networks.actions(of: batch)  // [B, A]
    var (terms, metrics) = (LossTerms(), Metrics())

    let g = networks.goals(batch.valueGoals)  // [B, F]
    let values = value(s, g)  // [B, 1]
    let (wanted, signs) = withoutGradients {
      let wanted =
        networks.rewards(of: batch) + networks.continuations(of: batch) * target(next, g)
      return (wanted, wanted - target(s, g))
    }
    terms.add("value_loss", weight: 1) {
      ValueLosses.expectile(wanted - values, signs: signs, configuration.expectile)
    }
    let bound = meanValue * (networks.discount - 1) + 1  // θ, []
    terms.add("continuity_loss", weight: configuration.continuityWeight) {
      let width = networks.task.spec.observation
      let others = batch.observations[width...] + batch.observations[..<width]  // one row on
      let x = networks.goals(networks.goals(ofStates: Array(others)))  // [B, F]
      let change = (value(next, x) - value(s, x)).squared()
      return ((change - bound.squared()) * 10).softplus().mean() * 0.1
    }
    if measuring {
      metrics.append(spread: values.floats, "value")
      metrics.append("continuity_bound", bound.float)
    }

    let near = networks.goals(batch.lowGoals)  // [B, F]
    let lowAdvantages = withoutGradients { value(next, near) - value(s, near) }  // [B, 1]
    let lowWeights = weights(lowAdvantages, configuration.lowTemperature)
    let means = low(joined(s, represent(near)))  // [B, A]
    terms.add("policy_loss", weight: 1) {
      ValueLosses.weighted(evened(lowWeights), of: a, means: means)
    }

    let far = networks.goals(batch.policyGoals)  // [B, F]
    let there = networks.states(batch.subgoalObservations)  // [B, O]
    let highAdvantages = withoutGradients { value(there, far) - value(s, far) }  // [B, 1]
    let highWeights = weights(highAdvantages, configuration.highTemperature)
    let aims = represent(networks.goals(batch.subgoals))  // [B, d]
    let proposed = high(joined(s, far))  // [B, d]
    terms.add("high_policy_loss", weight: 1) {
      ValueLosses.weighted(evened(highWeights), of: aims, means: proposed)
    }

    if measuring {
      let limit = configuration.weightLimit
      metrics.append(advantages: lowAdvantages, weights: lowWeights, limit: limit)
      metrics.append(advantages: highAdvantages, weights: highWeights, limit: limit, "high_")
      metrics.append(
        "subgoal_error", (proposed - aims).detached().squared().mean().float)
      metrics.append(means: means, actions: a)
    }
    return JointOutcome(terms: terms, diagnostics: metrics) {
      Tensor.average(
        [self.meanValue], towards: [values.detached().mean()],
        keep: 1 - self.configuration.targetRate)
    }
  }

  /// ρ(g) as the policies read it, `[B, d]`.
  private func represent(_ goals: Tensor) -> Tensor {
    configuration.policiesMoveGoals
      ? distance.represent(goals) : withoutGradients { distance.represent(goals) }
  }

  private func weights(_ advantages: Tensor, _ temperature: Double) -> Tensor {
    ValueLosses.weights(
      advantages: advantages, temperature: temperature, limit: configuration.weightLimit)
  }

  /// Weights over their mean in the batch + 10⁻³.
  private func evened(_ weights: Tensor) -> Tensor { weights / (weights.mean() + 1e-3) }

  /// The present policy.
  public func makePolicy() -> any GoalPolicy { networks.policy(high: high, low: low) }
}

extension LAVL.Configuration {
  /// The reference's settings for OGBench's worlds, and for WGCSL's tasks its batch, widths,
  /// discount, normaliser and rewards and subgoals 10 steps away.
  public static func preset(for task: GoalTask) -> Self {
    var configuration = common(for: task)
    if WGCSLPreset.listed(task) != nil { configuration.subgoalSteps = 10 }
    guard let preset = OGBenchPreset(task: task) else { return configuration }
    configuration.subgoalSteps = preset.subgoalSteps
    LAVLPreset.apply(preset.worlds, of: task, to: &configuration)
    return configuration
  }
}
