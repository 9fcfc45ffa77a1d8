public import GoalCore
public import Replay
import Support
internal import Torch

/// Quasimetric reinforcement learning.
///
/// A quasimetric puts states and goals as far apart as possible, with each step at most 1 long. The
/// policy minimises the distance that a model of the next state predicts.
///
///     d      a quasimetric of representations, `Quasimetric`
///     value  minimise  E[100 softplus(5 − d(φ(s), φ(g)) / 100)] + λ c,
///            c = E[max(0, d(φ(s), φ(s′)) − 1)²];
///            λ = exp(θ_λ) maximises  λ (c − ε),   g a random state
///     model  T(z, a) = z + network([z | a]); minimise
///            ½ E[d(φ(s′), T(φ(s), a)) + d(T(φ(s), a), φ(s′))]
///     policy N(μ(s, g), 1), minimise  −E[Q] / (E|Q| + 10⁻⁶) − α E[ln π(a | s, g)],
///            Q = −d(T(φ(s), clip(μ(s, g), ±1)), φ(g))
///
/// The model's loss moves φ as well, the policy's moves neither. It has no targets and no discount.
/// One Adam minimises the sum, with the sign of λ's gradient turned. With `policyLoss` awr it has
/// no model, and the policy is weighted imitation:
///
///     policy minimise  −E[ min(exp(α A), 100) ln π(a | s, g) ],
///            A = d(φ(s), φ(g)) − d(φ(s′), φ(g))
///
/// Wang et al., "Optimal Goal-Reaching Reinforcement Learning via Quasimetric Learning", ICML 2023,
/// arXiv:2304.01203, as OGBench has it: github.com/seohongpark/ogbench at 1d41409,
/// `impls/agents/qrl.py`.
///
/// It differs from the reference in: 1. if goals are achieved goals m(s), a network of their own ψ
/// replaces φ(g). Then c is the sum of that of s′ and of m(s′), d(φ(s), ψ(m(s′))), and d(s, g) is
/// then the number of steps to the nearest state that achieves g; 2. for WGCSL's tasks inputs are
/// normalised (`preset`); 3. actions are scaled to [−1, 1]; 4. random numbers are drawn otherwise;
/// 5. it can learn online.
///
/// Shapes: `B` rows, `O` observation, `F` goal, `A` action, `d` representation.
public final class QRL: ValueLearner {
  /// The settings; the defaults are the reference's.
  public struct Configuration: ValueConfiguration {
    /// The settings shared by learners that OGBench compares.
    ///
    /// The value's goals are held away, and nothing is learned from γ and rewards.
    @SettingsFrom("qrl.py") public var shared = ValueSettings()
    /// The distance function.
    @Setting(
      "iqe: interval quasimetric embeddings; mrn: metric residual network",
      "qrl.py, quasimetric_type")
    public var quasimetric = QuasimetricKind.intervals
    /// Numbers in a representation.
    @Setting("numbers in a representation", .width, "qrl.py, latent_dim")
    public var representationWidth = 512
    /// Components of `iqe`.
    @Setting("iqe: parts of a representation, of which each measures", .width, "networks.py")
    public var components = 64
    /// ε, by how much the constraint may be missed.
    @Setting("by how much a step may be longer than 1, squared", .weight, "qrl.py, eps")
    public var slack = 0.05
    /// How the policy is taken out of the distances.
    @Setting(ValueMeaning.policyLoss, "qrl.py, actor_loss")
    public var policyLoss = PolicyExtraction.climbing
    /// α of climbing, the weight of imitation against the value.
    @Setting(
      "ddpg-bc: weight of imitation; OGBench has 0.0003 for pointmaze, 0.003 for "
        + "antmaze (explore data 0.001) and antsoccer, 0.001 for humanoidmaze, 0.3 for "
        + "cube, scene and puzzle (noisy data 0.03)",
      .weight, "hyperparameters.sh, alpha")
    public var imitationWeight = 0.003
    /// α of weighting, by which an advantage is multiplied.
    @Setting(ValueMeaning.temperature, .weight, "hyperparameters.sh, powderworld")
    public var temperature = 3.0
    /// The largest weight of a row, in weighting.
    @Setting(ValueMeaning.weightLimit, .positive, "qrl.py") public var weightLimit = 100.0

    /// The reference's defaults.
    public init() {
      shared.valueGoals = GoalShares(current: 0, trajectory: 0, random: 1, geometric: true)
    }
  }

  /// The id, `qrl`.
  public static let identifier = "qrl"
  /// The idea in one sentence.
  public static let summary = "learn a quasimetric distance in steps, and minimise it"

  /// The settings that it was made with.
  public let configuration: Configuration
  /// Updates made so far.
  public internal(set) var updates = 0
  let networks: ValueNetworks
  private let actor: MLP
  private let states, frozenStates: MLP
  /// T; nil if the policy imitates.
  private let model, frozenModel: MLP?
  /// ψ; nil if goals are observations, and φ reads them.
  private let goals, frozenGoals: MLP?
  private let distance, frozenDistance: Quasimetric
  /// θ_λ, `[]`.
  private let multiplier: Tensor

  /// Makes an untrained learner; throws `LearnerError` for discrete actions and if what a state
  /// achieves is not known, and `GoalFormError`.
  public init(task: GoalTask, configuration: Configuration, seed: UInt64) throws {
    self.configuration = configuration
    var maker = try NetworkMaker(Self.identifier, task: task, configuration, seed: seed)
    guard configuration.goalForm == .observation || task.isGoalKnown else {
      throw LearnerError.unknownGoals(learner: Self.identifier, task: task.identifier)
    }
    let width = configuration.representationWidth
    actor = maker.actor(inputs: maker.observation + maker.goal, outputs: maker.action)
    states = maker.network(inputs: maker.observation, outputs: width)
    model =
      configuration.policyLoss == .weighting
      ? nil : maker.network(inputs: width + maker.action, outputs: width)
    goals =
      configuration.goalForm == .observation
      ? nil : maker.network(inputs: maker.goal, outputs: width)
    (frozenStates, frozenModel, frozenGoals) = (states.frozen(), model?.frozen(), goals?.frozen())
    distance = Quasimetric(configuration.quasimetric, components: configuration.components)
    frozenDistance = distance.frozen()
    multiplier = Tensor([Float(0)], shape: []).tracked()
    var others: [NamedNetwork] = [("state", states)]
    if let model { others.append(("model", model)) }
    if let goals { others.append(("goal", goals)) }
    networks = ValueNetworks(
      maker, configuration, policy: [("actor", actor)], others: others,
      numbers: distance.named + [NamedTensor("multiplier", multiplier)])
  }

  /// Random goals, and others for the policy.
  public var scheme: SamplingScheme { configuration.scheme(horizon: networks.task.spec.horizon) }

  /// −d(s, g), `[B, 1]`: minus the steps to the goal.
  func value(_ states: Tensor, _ goals: Tensor) -> Tensor {
    -distance(self.states(states), (self.goals ?? self.states)(goals))
  }

  /// Its values are minus the steps to the goal.
  public var valueReading: ValueReading? { .steps }

  // MARK: - Losses

  func outcome(of batch: GoalBatch, measuring: Bool) -> JointOutcome {
    let s = networks.states(batch.observations)  // [B, O]
    let next = networks.states(batch.nextObservations)  // [B, O]
    let a = networks.actions(of: batch)  // [B, A]
    var (terms, metrics) = (LossTerms(), Metrics())

    let (here, there) = (states(s), states(next))  // [B, d]
    let away = distance(here, (goals ?? states)(networks.goals(batch.valueGoals)))  // [B, 1]
    terms.add("distance_loss", weight: 1) {
      (away * -0.01 + 5).softplus().mean() * 100
    }
    let step = distance(here, there)  // [B, 1]
    var missed = Self.missed(step)
    if let goals {
      let achieved = goals(networks.goals(networks.goals(ofStates: batch.nextObservations)))
      missed = missed + Self.missed(distance(here, achieved))
    }
    let factor = multiplier.exp()  // []
    terms.add("constraint_loss", weight: 1) { factor.detached() * missed }
    terms.add("multiplier_loss", weight: 1) {
      factor * (-missed.detached() + configuration.slack)
    }
    let g = networks.goals(batch.policyGoals)  // [B, F]
    let means = actor(joined(s, g))  // [B, A]
    if let model, let frozenModel {
      let imagined = imagine(model, here, a)  // [B, d]
      terms.add("model_loss", weight: 1) {
        (distance(there, imagined) + distance(imagined, there)).mean() * 0.5
      }
      let reached = imagine(frozenModel, here.detached(), means.clamped(to: -1...1))  // [B, d]
      let values = -frozenDistance(reached, (frozenGoals ?? frozenStates)(g))  // [B, 1]
      terms.add(
        climbing: values, of: a, means: means, imitationWeight: configuration.imitationWeight,
        measuring, &metrics)
    } else {
      let advantages = withoutGradients {
        let end = (goals ?? states)(g)
        return distance(here, end) - distance(there, end)
      }  // [B, 1]
      terms.add(
        weighting: advantages, of: a, means: means, temperature: configuration.temperature,
        limit: configuration.weightLimit, measuring, &metrics)
    }

    if measuring {
      metrics.append(spread: away.floats, "distance")
      metrics.append("step_distance", step.mean().float)
      metrics.append("constraint_missed", missed.float)
      metrics.append("lagrange_multiplier", factor.float)
    }
    return JointOutcome(terms: terms, diagnostics: metrics)
  }

  /// mean(max(0, d − 1)²), `[]`.
  private static func missed(_ distances: Tensor) -> Tensor {
    (distances + -1).rectified().squared().mean()
  }

  /// T(z, a), `[B, d]`.
  private func imagine(_ model: MLP, _ z: Tensor, _ a: Tensor) -> Tensor {
    z + model(joined(z, a))
  }

  /// The present policy.
  public func makePolicy() -> any GoalPolicy { networks.policy(actor) }
}

extension QRL.Configuration {
  /// OGBench's settings for its worlds, and WGCSL's batch, widths and normaliser for its tasks.
  public static func preset(for task: GoalTask) -> Self {
    var configuration = common(for: task)
    guard let preset = OGBenchPreset(task: task) else { return configuration }
    configuration.discount = preset.discount
    configuration.imitationWeight = preset.imitationWeights.qrl
    return configuration
  }

  /// Throws `SettingsError` for a representation that does not fall into equal parts.
  public func validateTogether(under path: [String]) throws {
    let parts = quasimetric == .intervals ? components : 2
    try Settings.require(
      representationWidth % parts == 0, "representationWidth", "a multiple of \(parts)",
      found: .integer(representationWidth))
  }
}
