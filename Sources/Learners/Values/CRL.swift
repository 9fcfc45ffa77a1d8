public import GoalCore
public import Replay
internal import Torch

/// Contrastive reinforcement learning: tell which goal a state and action went on to reach from
/// those that others reached, and climb that.
///
///     Q_e(s, a, g) = φ_e(s, a) · ψ_e(g) / √d,   e = 1, 2
///     critics  minimise the mean over i, j, e of BCE(Q_e(s_i, a_i, g_j), 1(i = j)),
///              g_i a later state of the row's own trajectory, drawn by the discount
///     policy   N(μ(s, g), 1), minimise  −E[Q] / (E|Q| + 10⁻⁶) − α E[ln π(a | s, g)],
///              Q = min_e Q_e(s, clip(μ(s, g), ±1), g)
///
/// where BCE is the cross-entropy of a logit: ln(1 + exp x) − y x. It has no rewards and no
/// targets. The critics do not learn from the policy's loss, and one Adam minimises the sum. With
/// `policyLoss` awr the policy imitates instead, weighted by
///
///     A = min_e Q_e(s, a, g) − V(s, g),   V(s, g) = φ(s) · ψ(g) / √d, learned as the critics are
///     policy   minimise  −E[ min(exp(α A), 100) ln π(a | s, g) ]
///
/// Eysenbach et al., "Contrastive Learning as Goal-Conditioned Reinforcement Learning", NeurIPS
/// 2022, arXiv:2206.07568, as OGBench has it: github.com/seohongpark/ogbench at 1d41409,
/// `impls/agents/crl.py`.
///
/// It differs from the reference in: 1. goals are what a state achieves unless `goalForm` says
/// otherwise; 2. for WGCSL's tasks inputs are normalised (`preset`); 3. actions are scaled to [−1,
/// 1]; 4. random numbers are drawn otherwise; 5. it can learn online; 6. dual goal representations
/// are not here: they learn from rewards, for which these critics' goals, all of them ahead, would
/// leave no goal that is reached.
///
/// Shapes: `B` rows, `O` observation, `F` goal, `A` action, `d` representation.
public final class CRL: ValueLearner {
  /// The settings; the defaults are the reference's.
  public struct Configuration: ValueConfiguration {
    /// The settings shared by learners that OGBench compares.
    ///
    /// The critics' goals are drawn by γ, and nothing is learned from rewards.
    @SettingsFrom("crl.py") public var shared = ValueSettings()
    /// d, numbers in a representation.
    @Setting(
      "numbers in the representation of an action and of a goal", .width, "crl.py, latent_dim")
    public var representationWidth = 512
    /// How the policy is taken out of the values.
    @Setting(ValueMeaning.policyLoss, "crl.py, actor_loss")
    public var policyLoss = PolicyExtraction.climbing
    /// α of climbing, the weight of imitation against the value.
    @Setting(
      "ddpg-bc: weight of imitation; OGBench has 0.03 for pointmaze, 0.1 for "
        + "antmaze (explore data 0.003) and humanoidmaze, 0.3 for antsoccer, 3 for "
        + "cube, scene and puzzle (noisy data 0.1)",
      .weight, "hyperparameters.sh, alpha")
    public var imitationWeight = 0.1
    /// α of weighting, by which an advantage is multiplied.
    @Setting(ValueMeaning.temperature, .weight, "hyperparameters.sh, powderworld")
    public var temperature = 3.0
    /// The largest weight of a row, in weighting.
    @Setting(ValueMeaning.weightLimit, .positive, "crl.py") public var weightLimit = 100.0

    /// The reference's defaults.
    public init() {
      shared.valueGoals = GoalShares(current: 0, trajectory: 1, random: 0, geometric: true)
    }
  }

  /// The id, `crl`.
  public static let identifier = "crl"
  /// The idea in one sentence.
  public static let summary = "learn by contrast which goals an action leads to, and maximise that"

  /// The settings that it was made with.
  public let configuration: Configuration
  /// Updates made so far.
  public internal(set) var updates = 0
  let networks: ValueNetworks
  private let actor: MLP
  private let critics, frozenCritics: [Critic]
  /// V, which reads no actions; nil if the policy maximises Q.
  private let valueCritic: Critic?

  /// φ of a state and an action, and ψ of a goal.
  private struct Critic {
    let action, goal: MLP

    var frozen: Critic { Critic(action: action.frozen(), goal: goal.frozen()) }
  }

  /// Makes an untrained learner; throws `LearnerError` for discrete actions, and `GoalFormError`.
  public init(task: GoalTask, configuration: Configuration, seed: UInt64) throws {
    self.configuration = configuration
    var maker = try NetworkMaker(Self.identifier, task: task, configuration, seed: seed)
    actor = maker.actor(inputs: maker.observation + maker.goal, outputs: maker.action)
    let width = configuration.representationWidth
    let actions = maker.twins(inputs: maker.observation + maker.action, outputs: width)
    let goals = maker.twins(inputs: maker.goal, outputs: width)
    critics = zip(actions, goals).map { Critic(action: $0, goal: $1) }
    frozenCritics = critics.map(\.frozen)
    var others = numbered(actions, "critic_action") + numbered(goals, "critic_goal")
    if configuration.policyLoss == .weighting {
      let critic = Critic(
        action: maker.network(inputs: maker.observation, outputs: width),
        goal: maker.network(inputs: maker.goal, outputs: width))
      others += [("value_state", critic.action), ("value_goal", critic.goal)]
      valueCritic = critic
    } else {
      valueCritic = nil
    }
    networks = ValueNetworks(
      maker, configuration, policy: [("actor", actor)], others: others)
  }

  /// Goals of critics and policy drawn apart.
  public var scheme: SamplingScheme { configuration.scheme(horizon: networks.task.spec.horizon) }

  private var scale: Double { 1 / Double(configuration.representationWidth).squareRoot() }

  /// min_e Q_e(s, a, g), `[B, 1]`.
  private func least(_ critics: [Critic], _ s: Tensor, _ a: Tensor, _ g: Tensor) -> Tensor {
    let input = joined(s, a)
    return Tensor.least(critics.map { $0.action(input).rowProducts($0.goal(g)) }) * scale
  }

  /// min_e Q_e of the policy's own actions, `[B, 1]`.
  func value(_ states: Tensor, _ goals: Tensor) -> Tensor {
    least(critics, states, actor(joined(states, goals)).clamped(to: -1...1), goals)
  }

  /// Its values are logits; nil for γ = 0, if they say nothing of the way.
  public var valueReading: ValueReading? {
    networks.discount > 0 ? .logits(discount: networks.discount) : nil
  }

  // MARK: - Losses

  func outcome(of batch: GoalBatch, measuring: Bool) -> JointOutcome {
    let s = networks.states(batch.observations)  // [B, O]
    let a = networks.actions(of: batch)  // [B, A]
    let g = networks.goals(batch.valueGoals)  // [B, F]
    var (terms, metrics) = (LossTerms(), Metrics())

    let input = joined(s, a)
    let logits = critics.map { contrast($0, input, g) }
    terms.add("contrastive_loss", weight: 1) { .mean(logits.map(\.loss)) }
    if measuring {
      measure(.mean(logits.map { $0.all.detached() }), rows: batch.count, into: &metrics)
    }
    if let valueCritic {
      terms.add("value_loss", weight: 1) { contrast(valueCritic, s, g).loss }
    }
    addPolicyLoss(
      of: s, a, networks.goals(batch.policyGoals), to: &terms, measuring, &metrics)
    return JointOutcome(terms: terms, diagnostics: metrics)
  }

  /// The logits of all rows and goals `[B, B]`, and their mean cross-entropy with 1(i = j), of what
  /// a critic reads.
  private func contrast(
    _ critic: Critic, _ input: Tensor, _ goals: Tensor
  ) -> (all: Tensor, loss: Tensor) {
    let (x, y) = (critic.action(input), critic.goal(goals))  // [B, d] each
    let all = x.matrixProduct(y.transposed()) * scale
    let own = x.rowProducts(y) * scale  // [B, 1], those of i = j
    return (all, all.softplus().mean() - own.mean() * (1 / Double(input.shape[0])))
  }

  /// Adds the policy's loss, of its own goals.
  private func addPolicyLoss(
    of s: Tensor, _ a: Tensor, _ g: Tensor, to terms: inout LossTerms, _ measuring: Bool,
    _ metrics: inout Metrics
  ) {
    let means = actor(joined(s, g))  // [B, A]
    if let valueCritic {
      let advantages = withoutGradients {
        least(critics, s, a, g)
          - valueCritic.action(s).rowProducts(valueCritic.goal(g)) * scale
      }  // [B, 1]
      terms.add(
        weighting: advantages, of: a, means: means, temperature: configuration.temperature,
        limit: configuration.weightLimit, measuring, &metrics)
    } else {
      let values = least(frozenCritics, s, means.clamped(to: -1...1), g)  // [B, 1]
      terms.add(
        climbing: values, of: a, means: means, imitationWeight: configuration.imitationWeight,
        measuring, &metrics)
    }
  }

  /// Appends how often the mean logit has the right sign, how often a row's own goal has the
  /// largest, and the mean logit of own and of other goals.
  private func measure(_ logits: Tensor, rows: Int, into metrics: inout Metrics) {
    let places = logits.largest()
    let numbers = logits.floats
    var (right, own, other) = (0, Float(0), Float(0))
    for i in 0..<rows {
      for j in 0..<rows {
        let logit = numbers[i * rows + j]
        right += (logit > 0) == (i == j) ? 1 : 0
        if i == j { own += logit } else { other += logit }
      }
    }
    metrics.append("binary_accuracy", Float(right) / Float(rows * rows))
    let found = places.enumerated().count { $0 == Int($1) }
    metrics.append("categorical_accuracy", Float(found) / Float(rows))
    metrics.append("logit_own", own / Float(rows))
    metrics.append("logit_other", other / Float(max(1, rows * (rows - 1))))
  }

  /// The present policy.
  public func makePolicy() -> any GoalPolicy { networks.policy(actor) }
}

extension CRL.Configuration {
  /// OGBench's settings for its worlds, and WGCSL's batch, widths, discount and normaliser for its
  /// tasks.
  public static func preset(for task: GoalTask) -> Self {
    var configuration = common(for: task)
    guard let preset = OGBenchPreset(task: task) else { return configuration }
    configuration.discount = preset.discount
    configuration.imitationWeight = preset.imitationWeights.crl
    return configuration
  }
}
