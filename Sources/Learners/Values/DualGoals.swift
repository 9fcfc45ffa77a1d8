internal import Replay
internal import Torch

/// How goals are read by a learner's networks.
public struct GoalRepresentationSettings: SettingGroup {
  /// Which representation.
  @Setting(
    "none: goals are read as they are; dual: as vectors whose products with those "
      + "of states are values",
    "ours")
  public var kind = GoalRepresentationKind.none
  /// N, numbers in a dual representation.
  @Setting(
    "dual: numbers in a goal's vector; 64 for pointmaze",
    .width, "dual goal representations, hyperparameters.sh")
  public var width = 256
  /// κ of a dual representation's values.
  @Setting(
    "dual: how far its values lean to the best actions; 0.7 for cube, scene and puzzle",
    .inside, "dual goal representations, hyperparameters.sh")
  public var expectile = 0.9

  /// As they are.
  public init() {}
}

/// Which representation of goals networks read.
public enum GoalRepresentationKind: String, SettingChoice {
  /// The goal itself.
  case none
  /// `DualGoals`.
  case dual
}

/// Dual goal representations: a goal is what its values from all states are, as a vector.
///
///     V(s, g) = ½ Σ_e ψ_e(s) · φ_e(g) / √N
///     other networks read ½ Σ_e φ_e(g) for g, without a gradient
///     minimise  E[ |κ − 1(x < 0)| x² ],   x = min_j Q̄_j(s, a, g) − V(s, g)
///               Σ_j E[ (Q_j(s, a, g) − r − γ m V(s′, g))² ],   no gradient through V
///
/// with the value goals, rewards and target rate of the learner that it serves.
///
/// Park, Mann and Levine, "Dual Goal Representations", ICLR 2026, arXiv:2510.06714; reference code
/// github.com/skylooop/dual-goal-representations at 516c73b, `agents/gcivl/state/dual.py`.
///
/// Shapes: `B` rows, `F` goal, `N` representation.
struct DualGoals {
  private let states, goals, critics, targetCritics: [MLP]
  private let settings: GoalRepresentationSettings
  /// Targets of its critics, for the learner's networks.
  let moving: [(target: NamedNetwork, source: MLP)]

  /// nil if goals are read as they are.
  init?(_ settings: GoalRepresentationSettings, _ maker: inout NetworkMaker) {
    guard settings.kind == .dual else { return nil }
    self.settings = settings
    states = maker.twins(inputs: maker.observation, outputs: settings.width)
    goals = maker.twins(inputs: maker.goal, outputs: settings.width)
    critics = maker.twins(inputs: maker.observation + maker.goal + maker.action)
    moving = targets(of: numbered(critics, "dual_critic"))
    targetCritics = moving.map(\.target.network)
  }

  /// Networks that acting needs.
  var acting: [NamedNetwork] { numbered(goals, "dual_goal") }
  /// The other ones that are trained.
  var others: [NamedNetwork] {
    numbered(states, "dual_state") + numbered(critics, "dual_critic")
  }

  /// The present networks of goals, for acting.
  var rows: [RowNetwork] { goals.map { RowNetwork($0) } }

  /// ½ Σ_e φ_e(g), `[B, N]`, without a gradient.
  func represent(_ goals: Tensor) -> Tensor {
    withoutGradients { .mean(self.goals.map { $0(goals) }) }
  }

  /// V(s, g), `[B, 1]`.
  private func value(_ s: Tensor, _ g: Tensor) -> Tensor {
    let scale = 1 / Double(settings.width).squareRoot()
    return Tensor.mean(zip(states, goals).map { $0(s).rowProducts($1(g)) }) * scale
  }

  /// Adds both losses on states, actions, next states and value goals, with rewards and γ m, `[B,
  /// 1]`.
  func addLosses(
    to terms: inout LossTerms, _ s: Tensor, _ a: Tensor, _ next: Tensor, _ g: Tensor,
    rewards: Tensor, continuations: Tensor
  ) {
    let asked = joined(s, g, a)
    let least = withoutGradients { Tensor.least(targetCritics.map { $0(asked) }) }
    let x = least - value(s, g)
    terms.add("dual_value_loss", weight: 1) {
      ValueLosses.expectile(x, signs: x, settings.expectile)
    }
    let y = withoutGradients { rewards + continuations * value(next, g) }
    terms.add("dual_critic_loss", weight: 1) {
      .sum(critics.map { $0(asked).meanSquaredError(from: y) })
    }
  }
}
