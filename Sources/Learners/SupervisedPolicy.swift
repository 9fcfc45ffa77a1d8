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
    normalizer: NormalizerSettings, seed: UInt64
  ) throws {
    guard let scale = ActionScale(task.spec.action) else {
      throw LearnerError.discreteActions(learner: learner, task: task.identifier)
    }
    self.scale = scale
    super.init(
      task: task, outputs: scale.length, hiddenWidths: hiddenWidths, learningRate: learningRate,
      normalizer: normalizer, seed: seed)
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

  /// The mean over rows of weight times mean squared difference; weights are 1 where there are none.
  static func loss(_ chosen: Tensor, _ actions: Tensor, weights: [Float]? = nil) -> Tensor {
    guard let weights else { return chosen.meanSquaredError(from: actions) }
    let weight = Tensor(weights, shape: [weights.count, 1])
    return ((chosen - actions).squared() * weight).mean()
  }

  /// One update of plain imitation: every row of the batch counts the same.
  func imitate(_ batch: GoalBatch, measuring: Bool) -> Metrics? {
    let input = input(batch.observations, batch.policyGoals, rows: batch.count)  // [B, D]
    let actions = actions(of: batch)  // [B, A]
    let chosen = self(input)  // [B, A]
    let loss = SupervisedPolicy.loss(chosen, actions)
    optimizer.step(minimizing: loss)
    observe(batch)
    guard measuring else { return nil }
    var metrics = Metrics()
    measure(loss: loss, chosen: chosen, actions: actions, batch: batch, into: &metrics)
    return metrics
  }

  /// Appends what shows whether the policy learns and whether it has collapsed.
  ///
  /// `action_entropy` is that of a histogram of the policy's actions with ten bins on [−1, 1], in
  /// nats, averaged over dimensions: 0 where every action is the same, ln 10 = 2.303 at most.
  func measure(
    loss: Tensor, chosen: Tensor, actions: Tensor, batch: GoalBatch, into metrics: inout Metrics
  ) {
    let (policy, data) = (chosen.floats, actions.floats)
    let count = Float(max(1, policy.count))
    metrics.append("policy_loss", loss.float)
    metrics.append("action_error", zip(policy, data).reduce(0) { $0 + abs($1.0 - $1.1) } / count)
    metrics.append("action_magnitude", policy.reduce(0) { $0 + abs($1) } / count)
    metrics.append("action_saturation", Float(policy.count { abs($0) > 0.99 }) / count)
    metrics.append("action_entropy", entropy(policy, rows: batch.count))
    metrics.append("goal_offset", batch.meanOffset)
  }

  private func entropy(_ actions: [Float], rows: Int) -> Float {
    let bins = 10
    var counts = [Int](repeating: 0, count: scale.length * bins)
    for (k, action) in actions.enumerated() where action.isFinite {
      let bin = min(bins - 1, max(0, Int((action + 1) / 2 * Float(bins))))
      counts[k % scale.length * bins + bin] += 1
    }
    return meanEntropy(of: counts, rows: rows, bins: bins)
  }

  /// The present policy.
  func makePolicy() -> any GoalPolicy { DeterministicPolicy(snapshot: snapshot, scale: scale) }
}
