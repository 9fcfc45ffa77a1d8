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
final class SupervisedPolicy {
  let scale: ActionScale
  let network: MLP
  let optimizer: Adam
  private(set) var normalizer: RunningNormalizer

  init(
    learner: String, task: GoalTask, hiddenWidths: [Int], learningRate: Double,
    normalizer: NormalizerSettings, seed: UInt64
  ) throws {
    guard let scale = ActionScale(task.spec.action) else {
      throw LearnerError.discreteActions(learner: learner, task: task.identifier)
    }
    self.scale = scale
    let inputs = task.spec.observation + task.spec.goal
    var generator = Initialization.generator(seed: seed, network: 0)
    network = Initialization.mlp(
      inputs: inputs, hiddenWidths: hiddenWidths, outputs: scale.length, from: &generator)
    optimizer = Adam(network.parameters, learningRate: learningRate)
    self.normalizer = RunningNormalizer(length: inputs, settings: normalizer)
  }

  // MARK: - Tensors of a batch

  /// What networks read, `[B, D]`: observation `[B, O]` and goal `[B, G]` side by side, normalised.
  func input(_ observations: [Float], _ goals: [Float], rows: Int) -> Tensor {
    let (o, g) = (observations.count / rows, goals.count / rows)
    let input = Tensor(shape: [rows, o + g]) { memory in
      guard let start = memory.baseAddress else { return }
      observations.withUnsafeBufferPointer { observations in
        goals.withUnsafeBufferPointer { goals in
          guard let fromO = observations.baseAddress, let fromG = goals.baseAddress else { return }
          for row in 0..<rows {
            (start + row * (o + g)).update(from: fromO + row * o, count: o)
            (start + row * (o + g) + o).update(from: fromG + row * g, count: g)
          }
        }
      }
    }
    normalizer.normalize(input)
    return input
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

  /// Shows the normaliser the batch, with its value goals as the reference does.
  func observe(_ batch: GoalBatch) {
    normalizer.update(
      observations: batch.observations, goals: batch.valueGoals, rows: batch.count)
  }

  /// One update of plain imitation: every row of the batch counts the same.
  func imitate(_ batch: GoalBatch, measuring: Bool) -> Metrics? {
    let input = input(batch.observations, batch.policyGoals, rows: batch.count)  // [B, D]
    let actions = actions(of: batch)  // [B, A]
    let chosen = self(input)  // [B, A]
    let loss = SupervisedPolicy.loss(chosen, actions)
    let gradients = optimizer.step(minimizing: loss)
    observe(batch)
    guard measuring else { return nil }
    var metrics = Metrics()
    measure(
      loss: loss, gradientNorm: Tensor.norm(gradients), chosen: chosen, actions: actions,
      batch: batch, into: &metrics)
    return metrics
  }

  /// The loss of plain imitation on a batch that is not trained on.
  func losses(on batch: GoalBatch) -> Metrics {
    withoutGradients {
      let input = input(batch.observations, batch.policyGoals, rows: batch.count)  // [B, D]
      var metrics = Metrics()
      metrics.append("policy_loss", SupervisedPolicy.loss(self(input), actions(of: batch)).float)
      return metrics
    }
  }

  /// Appends what shows whether the policy learns and whether it has collapsed.
  func measure(
    loss: Tensor, gradientNorm: Float, chosen: Tensor, actions: Tensor, batch: GoalBatch,
    into metrics: inout Metrics
  ) {
    metrics.append("policy_loss", loss.float)
    ActionDiagnostics(policy: chosen.floats, data: actions.floats, width: scale.length)
      .append(to: &metrics)
    let offsets = batch.offsets.map { Float($0) }
    metrics.append("goal_offset", offsets.reduce(0, +) / Float(batch.count))
    metrics.append(sample: "goal_offset", offsets)
    metrics.append("policy_gradient_norm", gradientNorm)
    metrics.append("policy_weight_norm", Tensor.norm(network.parameters))
  }

  // MARK: - Acting and saving

  func makePolicy() -> DeterministicPolicy {
    DeterministicPolicy(
      network: RowNetwork(network), mean: normalizer.mean, deviation: normalizer.deviation,
      settings: normalizer.settings, scale: scale)
  }

  /// What acting needs: `actor.<2k>.weight`, `actor.<2k>.bias` of the layer `k`, `normalizer.mean` and `.deviation`.
  var policyState: [NamedTensor] {
    network.named.map { $0.within("actor") }
      + normalizer.policyState.map { $0.within("normalizer") }
  }

  /// What training needs besides.
  var trainingState: [NamedTensor] {
    optimizer.state.map { $0.within("actor_optimizer") }
      + normalizer.trainingState.map { $0.within("normalizer") }
  }

  func restore(policy saved: [NamedTensor]) throws {
    try network.named.assign(from: saved.group("actor"))
    try normalizer.restore(policy: saved.group("normalizer"))
  }

  func restore(training saved: [NamedTensor]) throws {
    try optimizer.state.assign(from: saved.group("actor_optimizer"))
    try normalizer.restore(training: saved.group("normalizer"))
  }
}
