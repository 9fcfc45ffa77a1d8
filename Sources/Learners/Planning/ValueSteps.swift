internal import Glibc
internal import Synchronization
internal import Torch

/// A learner's values read as steps.
///
///     returns  V of −1 until the goal is reached: k with V = −(1 − γ^k) / (1 − γ),
///              as `ValueScale` counts; V is held within [−1/(1 − γ) + 10⁻³, −10⁻³],
///              and of rewards of 1 at the goal it is first moved by −1/(1 − γ)
///     steps    −V
///     logits   max(0, (v − V) / −ln γ), v the mean of states' values of what they achieve
///
/// The first two are those of TTGS (`GraphPlan`). The last is ours. Except for a part that the goal
/// alone decides, a logit is the logarithm of the goal's probability among the following states,
/// weighted by γ^k at k steps.
public final class ValueSteps: Sendable {
  private let learner: Mutex<any GoalValuing>
  private let reading: ValueReading
  private let atGoal: Double

  /// The steps of a learner; nil for one that trains no value.
  ///
  /// Of logits it first asks for what the nodes' states say of what they achieve themselves.
  /// The learner is asked by one thread at a time and must not be trained meanwhile.
  public init?(_ learner: sending any GoalValuing, _ nodes: PlanNodes) {
    guard let reading = learner.valueReading else { return nil }
    self.reading = reading
    if case .logits = reading {
      TorchRuntime.threads = 1
      let values = learner.values(
        observations: nodes.observations, goals: nodes.goals, rows: nodes.count)
      atGoal = values.reduce(0) { $0 + Double($1) } / Double(nodes.count)
    } else {
      atGoal = 0
    }
    self.learner = Mutex(learner)
  }

  /// D(s, g), `[B]`, of observations `[B, O]` and goals `[B, G]`.
  public func callAsFunction(observations: [Float], goals: [Float], rows: Int) -> [Double] {
    learner.withLock { learner in
      TorchRuntime.threads = 1  // sums are cut up otherwise for another number
      return learner.values(observations: observations, goals: goals, rows: rows)
    }.map { reading.steps(of: Double($0), atGoal: atGoal) }
  }
}

extension ValueReading {
  /// The steps that a value says; `atGoal` is what logits are at the goal.
  func steps(of value: Double, atGoal: Double = 0) -> Double {
    switch self {
    case .returns(let scale): scale.boundedSteps(of: value)
    case .steps: -value
    case .logits(let discount): max(0, atGoal - value) / -log(discount)
    }
  }
}
