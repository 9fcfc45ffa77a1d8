internal import Glibc
internal import Torch

/// Losses that several learners share.
///
/// Source: github.com/seohongpark/ogbench at 1d41409, `impls/agents/{gcivl,gciql,hiql}.py`.
///
/// Shapes: `B` rows, `A` action.
enum ValueLosses {
  /// The mean of |κ − 1(w < 0)| d², of signs w and differences d, `[B, 1]` each; w has no gradient.
  ///
  /// Kostrikov, Nair and Levine, "Offline Reinforcement Learning with Implicit Q-Learning", ICLR
  /// 2022, arXiv:2110.06169, equation 5.
  static func expectile(_ differences: Tensor, signs: Tensor, _ expectile: Double) -> Tensor {
    let weights = signs.isNegative() * (1 - 2 * expectile) + expectile
    return (weights * differences.squared()).mean()
  }

  /// ln N(a; μ, 1), `[B, 1]`, of means `[B, A]` and actions `[B, A]`.
  static func logLikelihoods(of actions: Tensor, means: Tensor) -> Tensor {
    let rows = actions.shape[0]
    let constant = 0.5 * Double(actions.shape[1]) * log(2 * Double.pi)
    return (means - actions).squared().sum(along: 1).reshaped([rows, 1]) * -0.5 + -constant
  }

  /// min(exp(α A), limit), `[B, 1]`, through which no gradient flows.
  ///
  /// Peng et al., "Advantage-Weighted Regression", arXiv:1910.00177.
  static func weights(advantages: Tensor, temperature: Double, limit: Double) -> Tensor {
    (advantages.detached() * temperature).exp().clamped(to: 0...limit)
  }

  /// The loss of twin values against targets of one step, by expectile.
  ///
  ///     A = r + γ m min_j V̄_j(s′) − ½ Σ_j V̄_j(s),    Σ_j E_κ(A; r + γ m V̄_j(s′) − V_j(s))
  ///
  /// Values of each twin, of its target now and of its target in the next state, rewards r and γ m:
  /// `[B, 1]` each; targets have no gradient.
  static func temporal(
    _ values: [Tensor], targetsNow: [Tensor], targetsNext: [Tensor], rewards: Tensor,
    continuations: Tensor, expectile kappa: Double
  ) -> Tensor {
    let signs = rewards + continuations * Tensor.least(targetsNext) - Tensor.mean(targetsNow)
    return .sum(
      zip(values, targetsNext).map { value, next in
        expectile(rewards + continuations * next - value, signs: signs, kappa)
      })
  }

  /// −mean(w ln N(a; μ, 1)), `[]`, of weights `[B, 1]`, actions and means `[B, A]`.
  static func weighted(_ weights: Tensor, of actions: Tensor, means: Tensor) -> Tensor {
    -(weights * logLikelihoods(of: actions, means: means)).mean()
  }

  /// −mean(Q) / (mean |Q| + 10⁻⁶) − α mean(ln π), no gradient flowing through the divisor: DDPG
  /// with behaviour cloning.
  ///
  /// Fujimoto and Gu, "A Minimalist Approach to Offline Reinforcement Learning", NeurIPS 2021,
  /// arXiv:2106.06860, with a likelihood in the place of a squared difference. Values and
  /// log-likelihoods are `[B, 1]`.
  static func climbing(
    values: Tensor, logLikelihoods: Tensor, imitationWeight: Double
  ) -> Tensor {
    let size = values.detached().magnitude().mean() + 1e-6
    return -(values.mean() / size) - logLikelihoods.mean() * imitationWeight
  }
}

extension LossTerms {
  /// Adds `policy_loss` of a policy that climbs values of its own actions `[B, 1]` near the data's,
  /// and measures it.
  mutating func add(
    climbing values: Tensor, of actions: Tensor, means: Tensor, imitationWeight: Double,
    _ measuring: Bool, _ metrics: inout Metrics
  ) {
    add("policy_loss", weight: 1) {
      ValueLosses.climbing(
        values: values, logLikelihoods: ValueLosses.logLikelihoods(of: actions, means: means),
        imitationWeight: imitationWeight)
    }
    guard measuring else { return }
    metrics.append("policy_value", values.mean().float)
    metrics.append(means: means, actions: actions)
  }

  /// Adds `policy_loss` of a policy that imitates, weighted by advantages `[B, 1]`, and measures
  /// it.
  mutating func add(
    weighting advantages: Tensor, of actions: Tensor, means: Tensor, temperature: Double,
    limit: Double, _ measuring: Bool, _ metrics: inout Metrics
  ) {
    let weights = ValueLosses.weights(
      advantages: advantages, temperature: temperature, limit: limit)
    add("policy_loss", weight: 1) { ValueLosses.weighted(weights, of: actions, means: means) }
    guard measuring else { return }
    metrics.append(advantages: advantages, weights: weights, limit: limit)
    metrics.append(means: means, actions: actions)
  }
}

/// How a policy is taken out of values.
public enum PolicyExtraction: String, SettingChoice {
  /// Climb the value of the policy's own actions, near the data: DDPG with behaviour cloning.
  case climbing = "ddpg-bc"
  /// Imitate the data's actions, weighted by the exponential of their advantage: AWR.
  case weighting = "awr"
}
