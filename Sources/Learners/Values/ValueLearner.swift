internal import GoalCore
internal import Replay
internal import Torch

/// A learner that minimises a sum of losses of all its networks, with what all of those do alike.
protocol JointLearner: Learner where Configuration: ValueConfiguration {
  var networks: ValueNetworks { get }
  var updates: Int { get set }
  /// The losses of a batch; diagnostics if `measuring`.
  func outcome(of batch: GoalBatch, measuring: Bool) -> JointOutcome
}

/// A learner's losses of a batch.
struct JointOutcome {
  /// The terms of the loss.
  let terms: LossTerms
  /// Other diagnostics.
  let diagnostics: Metrics
  /// Work after the gradient step, such as a running mean.
  let follow: () -> Void

  init(terms: LossTerms, diagnostics: Metrics, follow: @escaping () -> Void = {}) {
    (self.terms, self.diagnostics, self.follow) = (terms, diagnostics, follow)
  }
}

extension JointLearner {
  /// One step down the sum of the losses, before which the targets move.
  public func update(on batch: GoalBatch, measuring: Bool) -> Metrics? {
    updates += 1
    networks.observe(batch)
    let outcome = outcome(of: batch, measuring: measuring)
    let slopes = networks.step(minimizing: outcome.terms.total)
    outcome.follow()
    guard measuring else { return nil }
    var metrics = outcome.terms.metrics
    metrics.append(outcome.diagnostics)
    networks.measure(slopes, batch: batch, into: &metrics)
    return metrics
  }

  /// The terms of the loss on a batch that is not trained on.
  public func losses(on batch: GoalBatch) -> Metrics {
    withoutGradients { outcome(of: batch, measuring: false).terms.metrics }
  }

  /// Copies of everything that acting and training need.
  public func saved() -> SavedLearner { networks.saved(updates: updates) }

  /// Puts back what acting needs.
  public func restore(policy tensors: [NamedTensor]) throws {
    try networks.restore(policy: tensors)
  }

  /// Puts everything back.
  public func restore(_ saved: SavedLearner) throws { updates = try networks.restore(saved) }
}

/// A learner of that kind with a value of states and goals.
protocol ValueLearner: JointLearner, GoalValuing {
  /// V, `[B, 1]`, of states `[B, O]` and goals `[B, F]` as networks read them.
  func value(_ states: Tensor, _ goals: Tensor) -> Tensor
}

extension ValueLearner {
  /// γ, rewards of −1 until the goal is reached, and which state is rewarded; nil for γ = 0.
  public var valueReading: ValueReading? {
    guard networks.discount > 0 else { return nil }
    return .returns(
      ValueScale(
        discount: networks.discount, rewards: .minusOneOrZero,
        startsBeforeStep: configuration.success != .next))
  }

  /// V(s, g) of the networks that are being trained, `[B]`, of observations `[B, O]` and achieved
  /// goals `[B, G]`.
  public func values(observations: [Float], goals: [Float], rows: Int) -> [Float] {
    let width = goals.count / max(1, rows)
    let formed = (0..<rows).flatMap { row in
      networks.form.goal(asked: Array(goals[row * width..<(row + 1) * width]), of: networks.task)
    }
    return withoutGradients {
      value(networks.states(observations), networks.goals(formed)).floats
    }
  }
}

extension GoalForm {
  /// A goal that a world asks for, in this form: the learner was only made if that can be had.
  func goal(asked desired: [Float], of task: GoalTask) -> [Float] {
    (try? goal(desired: desired, task: task)) ?? desired
  }
}

/// Rows of tensors side by side, `[B, K₁ + K₂ + …]`.
func joined(_ parts: Tensor...) -> Tensor { .concatenated(parts, along: 1) }

/// Names of networks of one kind: the name itself, then with a number.
func numbered(_ networks: [MLP], _ name: String) -> [NamedNetwork] {
  networks.enumerated().map { ($0 == 0 ? name : "\(name)_\($0)", $1) }
}

/// Targets of networks, which begin as copies of them, named `target_<name>`.
func targets(of networks: [NamedNetwork]) -> [(target: NamedNetwork, source: MLP)] {
  networks.map { (("target_\($0.name)", $0.network.copied()), $0.network) }
}

extension Tensor {
  /// The least of several tensors, element by element.
  static func least(_ tensors: [Tensor]) -> Tensor {
    tensors.dropFirst().reduce(tensors[0]) { $0.minimum($1) }
  }

  /// The mean of several tensors, element by element.
  static func mean(_ tensors: [Tensor]) -> Tensor {
    let sum = tensors.dropFirst().reduce(tensors[0]) { $0 + $1 }
    return tensors.count == 1 ? sum : sum * (1 / Double(tensors.count))
  }

  /// The sum of several tensors.
  static func sum(_ tensors: [Tensor]) -> Tensor {
    tensors.dropFirst().reduce(tensors[0]) { $0 + $1 }
  }
}

extension Metrics {
  /// Appends mean, least and greatest of values.
  mutating func append(spread values: [Float], _ name: String) {
    append(name, Learners.mean(values))
    append("\(name)_minimum", values.min() ?? 0)
    append("\(name)_maximum", values.max() ?? 0)
  }

  /// Appends advantages, weights, and the share of weights that stand at their limit; within a
  /// group of their own if it has a name.
  mutating func append(
    advantages: Tensor, weights: Tensor, limit: Double, _ group: String = ""
  ) {
    let (advantages, weights) = (advantages.floats, weights.floats)
    append("\(group)advantage", Learners.mean(advantages))
    append("\(group)weight", Learners.mean(weights))
    let clipped = weights.count { $0 >= Float(limit) }
    append("\(group)weights_clipped", Float(clipped) / Float(max(1, weights.count)))
    append(sample: "\(group)advantage", advantages)
    append(sample: "\(group)weight", weights)
  }

  /// Appends what shows whether a policy of means `[B, A]` has collapsed, beside the data's actions
  /// `[B, A]`.
  mutating func append(means: Tensor, actions: Tensor) {
    let width = actions.shape[1]
    let likelihoods = ValueLosses.logLikelihoods(of: actions, means: means.detached())
    append("log_likelihood", likelihoods.mean().float)
    ActionDiagnostics(
      policy: means.detached().clamped(to: -1...1).floats, data: actions.floats, width: width
    ).append(to: &self)
  }
}
