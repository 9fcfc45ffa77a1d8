internal import Glibc
internal import GoalCore
internal import Replay
internal import Torch

/// The common part of the supervised learners' policies: a network of normalised observation and
/// goal, its optimiser, and the statistics that inputs are normalised with.
///
/// With `stepsLeft` the network also reads how many steps away the goal is, H numbers of which
/// number k is 1 where k ≥ the steps: GCSL's "horizon". In training those are the steps from the
/// start to the goal. In acting they are H − 1 − t at step t, as in the reference, whose last state
/// is the one before the last action.
///
/// Shapes: `B` rows, `O` observation, `G` goal, `D = O + G`, `H` the world's horizon.
class PolicyNetwork {
  let network: MLP
  let optimizer: Adam
  private(set) var normalizer: RunningNormalizer
  /// H if the network reads the steps that are left, else 0.
  private let horizon: Int

  /// A network with so many outputs, drawn from the run's seed.
  init(
    task: GoalTask, outputs: Int, hiddenWidths: [Int], learningRate: Double,
    normalizer: NormalizerSettings, weights: InitialWeights = .glorot, stepsLeft: Bool = false,
    seed: UInt64
  ) {
    let inputs = task.spec.observation + task.spec.goal
    horizon = stepsLeft ? task.spec.horizon : 0
    var generator = Initialization.generator(seed: seed, network: 0)
    network = Initialization.mlp(
      inputs: inputs + horizon, hiddenWidths: hiddenWidths, outputs: outputs, weights: weights,
      from: &generator)
    optimizer = Adam(network.parameters, learningRate: learningRate)
    self.normalizer = RunningNormalizer(length: inputs, settings: normalizer)
  }

  /// The networks' input, `[B, D]`: observation `[B, O]` and goal `[B, G]` side by side,
  /// normalised.
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

  /// The policy's input from a batch: its observations, goals and, if asked for, the steps
  /// between.
  func input(_ batch: GoalBatch) -> Tensor {
    let input = input(batch.observations, batch.policyGoals, rows: batch.count)
    guard horizon > 0 else { return input }
    let left = batch.offsets.flatMap { PolicySnapshot.code(Int($0), horizon: horizon) }
    return Tensor.concatenated([input, Tensor(left, shape: [batch.count, horizon])], along: 1)
  }

  /// Shows the normaliser the batch, with its value goals as WGCSL's code does.
  func observe(_ batch: GoalBatch) {
    normalizer.update(
      observations: batch.observations, goals: batch.valueGoals, rows: batch.count)
  }

  /// The present numbers, for acting.
  var snapshot: PolicySnapshot {
    PolicySnapshot(
      network: RowNetwork(network), mean: normalizer.mean, deviation: normalizer.deviation,
      settings: normalizer.settings, horizon: horizon)
  }

  /// Appends how far away the goals are, and how large gradients and weights.
  func measure(gradients: [Tensor], batch: GoalBatch, into metrics: inout Metrics) {
    let offsets = batch.offsets.map { Float($0) }
    metrics.append("goal_offset", offsets.reduce(0, +) / Float(batch.count))
    metrics.append(sample: "goal_offset", offsets)
    metrics.append("policy_gradient_norm", Tensor.norm(gradients))
    metrics.append("policy_weight_norm", Tensor.norm(network.parameters))
  }

  // MARK: - Saving

  /// The tensors that acting needs: `actor.<2k>.weight` and `.bias` of layer `k`, `normalizer.mean`
  /// and `.deviation`.
  var policyState: [NamedTensor] {
    network.named.map { $0.within("actor") }
      + normalizer.policyState.map { $0.within("normalizer") }
  }

  /// The other tensors that training needs.
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

/// A policy that learns by imitation.
protocol Imitator: PolicyNetwork {
  /// One update in which every row of the batch counts the same.
  func imitate(_ batch: GoalBatch, measuring: Bool) -> Metrics?
  /// The loss on a batch that is not trained on.
  func losses(on batch: GoalBatch) -> Metrics
  /// The present policy, which later updates do not change.
  func makePolicy() -> any GoalPolicy
  /// The present policy as it collects, which later updates do not change either.
  func makeCollectingPolicy() -> any GoalPolicy
}

/// The entropy, in nats, of histograms `[H, bins]` of as many rows each, averaged over `H`.
func meanEntropy(of counts: [Int], rows: Int, bins: Int) -> Float {
  let sum = counts.reduce(Float(0)) { sum, count in
    let share = Float(count) / Float(rows)
    return share > 0 ? sum - share * log(share) : sum
  }
  return sum / Float(counts.count / bins)
}

/// The numbers of a `PolicyNetwork` at one moment, for one row at a time.
///
/// No later update changes them, and the outputs have the same bits on every processor
/// (`RowNetwork`).
struct PolicySnapshot: Sendable {
  let network: RowNetwork
  let mean: [Float]
  let deviation: [Float]
  let settings: NormalizerSettings
  /// H if the network reads the steps that are left, else 0.
  let horizon: Int

  /// Steps as the network reads them, `[H]`.
  static func code(_ steps: Int, horizon: Int) -> [Float] {
    (0..<horizon).map { $0 >= steps ? 1 : 0 }
  }

  /// A goal `[G]` as the network reads it.
  func normalized(goal: [Float]) -> [Float] {
    normalized(goal, from: mean.count - goal.count)
  }

  /// The outputs at the observation `[O]` of a step, counted from 0, towards a goal that is
  /// normalised already, `[G]`.
  func outputs(_ observation: [Float], goal: [Float], step: Int) -> [Float] {
    precondition(
      observation.count + goal.count == mean.count,
      "an observation has \(mean.count - goal.count) numbers, found \(observation.count)")
    let left = horizon > 0 ? PolicySnapshot.code(horizon - 1 - step, horizon: horizon) : []
    return network(normalized(observation, from: 0) + goal + left)
  }

  /// Numbers of one row, those from `start` on, as the network reads them.
  func normalized(_ values: [Float], from start: Int) -> [Float] {
    var values = values
    RunningNormalizer.normalize(
      &values, mean: mean, deviation: deviation, settings: settings, from: start)
    return values
  }
}
