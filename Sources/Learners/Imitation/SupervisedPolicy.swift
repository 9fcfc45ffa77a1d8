internal import GoalCore
internal import Replay
internal import Torch

/// The policy that the supervised learners share: a deterministic network of normalised observation
/// and goal, trained towards the actions of the data.
///
///     u = tanh(network([norm(o) | norm(g)])),   loss = mean_b( w_b · mean_k (u_bk − a_bk)² )
///
/// where a is the action scaled to [−1, 1].
///
/// Source: github.com/YangRui2015/AWGCSL at d8f1c56, `wgcsl/algo/{actor_critic,wgcsl,util}.py`.
/// It differs in: 1. the reference's loss compares actions in the world's units, which are the same
/// where the bounds are ±1, as in all its worlds; 2. raw inputs are clipped to ±`inputClip` in the
/// policy's step as well, which the reference omits there; 3. Adam's ε stands beside √v̂ as in the
/// paper, where the reference's stands beside √v.
///
/// Shapes: `B` rows, `O` observation, `G` goal, `D = O + G`, `A` action.
final class SupervisedPolicy: PolicyNetwork, Imitator {
  let scale: ActionScale

  init(
    learner: String, task: GoalTask, hiddenWidths: [Int], learningRate: Double,
    normalizer: NormalizerSettings, weights: InitialWeights = .glorot, stepsLeft: Bool = false,
    seed: UInt64
  ) throws {
    guard let scale = ActionScale(task.spec.action) else {
      throw LearnerError.discreteActions(learner: learner, task: task.identifier)
    }
    self.scale = scale
    super.init(
      task: task, outputs: scale.length, hiddenWidths: hiddenWidths, learningRate: learningRate,
      normalizer: normalizer, weights: weights, stepsLeft: stepsLeft, seed: seed)
  }

  /// The data's actions, scaled to [−1, 1], `[B, A]`.
  func actions(of batch: GoalBatch) -> Tensor {
    guard case .continuous(let values) = batch.actions else {
      preconditionFailure("a batch of continuous actions is needed, found discrete ones")
    }
    return Tensor(scale.unit(values), shape: [batch.count, scale.length])
  }

  /// The policy's actions in [−1, 1], `[B, A]`, of inputs `[B, D]`.
  func callAsFunction(_ input: Tensor) -> Tensor { network(input).tanh() }

  // MARK: - Training

  /// The mean over rows of weight times mean squared difference; nil weights are 1.
  static func loss(_ chosen: Tensor, _ actions: Tensor, weights: [Float]? = nil) -> Tensor {
    guard let weights else { return chosen.meanSquaredError(from: actions) }
    let weight = Tensor(weights, shape: [weights.count, 1])
    return ((chosen - actions).squared() * weight).mean()
  }

  /// One update of plain imitation: every row of the batch counts the same.
  func imitate(_ batch: GoalBatch, measuring: Bool) -> Metrics? {
    let input = input(batch)  // [B, D]
    let actions = actions(of: batch)  // [B, A]
    let chosen = self(input)  // [B, A]
    let loss = SupervisedPolicy.loss(chosen, actions)
    let gradients = optimizer.step(minimizing: loss)
    observe(batch)
    guard measuring else { return nil }
    var metrics = Metrics()
    measure(
      loss: loss, gradients: gradients, chosen: chosen, actions: actions, batch: batch,
      into: &metrics)
    return metrics
  }

  /// The loss of plain imitation on a batch that is not trained on.
  func losses(on batch: GoalBatch) -> Metrics {
    withoutGradients {
      let input = input(batch)  // [B, D]
      var metrics = Metrics()
      metrics.append("policy_loss", SupervisedPolicy.loss(self(input), actions(of: batch)).float)
      return metrics
    }
  }

  /// Appends what shows whether the policy learns and whether it has collapsed.
  func measure(
    loss: Tensor, gradients: [Tensor], chosen: Tensor, actions: Tensor, batch: GoalBatch,
    into metrics: inout Metrics
  ) {
    metrics.append("policy_loss", loss.float)
    ActionDiagnostics(policy: chosen.floats, data: actions.floats, width: scale.length)
      .append(to: &metrics)
    measure(gradients: gradients, batch: batch, into: &metrics)
  }

  /// The present policy.
  func makePolicy() -> any GoalPolicy { DeterministicPolicy(snapshot: snapshot, scale: scale) }

  /// The same policy collects.
  func makeCollectingPolicy() -> any GoalPolicy { makePolicy() }
}
