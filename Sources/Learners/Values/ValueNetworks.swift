internal import GoalCore
internal import Replay
import Support
internal import Torch

/// Makes a learner's networks, each from a stream of its own of the run's seed.
///
/// Every layer is drawn as `InitialWeights.glorot`; between layers stands GELU, and a normalisation
/// follows it in all but the actors. Source: github.com/seohongpark/ogbench at 1d41409,
/// `impls/utils/networks.py`.
struct NetworkMaker {
  let task: GoalTask
  let scale: ActionScale
  let form: GoalForm
  private let hiddenWidths: [Int]
  private let seed: UInt64
  private var count: UInt64 = 0

  /// Throws `LearnerError` for discrete actions, and `GoalFormError` if the world's goals cannot be
  /// had in the form asked for.
  init(
    _ learner: String, task: GoalTask, _ configuration: some ValueConfiguration, seed: UInt64
  ) throws {
    guard let scale = ActionScale(task.spec.action) else {
      throw LearnerError.discreteActions(learner: learner, task: task.identifier)
    }
    form = configuration.goalForm.form
    _ = try form.goal(desired: [Float](repeating: 0, count: task.spec.goal), task: task)
    (self.task, self.scale, self.seed) = (task, scale, seed)
    hiddenWidths = configuration.hiddenWidths
  }

  /// Numbers in an observation, `O`.
  var observation: Int { task.spec.observation }
  /// Numbers in a goal, `F`.
  var goal: Int { form.length(task.spec) }
  /// Numbers in an action, `A`.
  var action: Int { scale.length }

  /// A network of values or of a representation.
  mutating func network(inputs: Int, outputs: Int = 1) -> MLP {
    Initialization.mlp(
      inputs: inputs, hiddenWidths: hiddenWidths, outputs: outputs, activation: .gelu,
      isNormalized: true, from: &generator)
  }

  /// Two networks that differ in their weights.
  mutating func twins(inputs: Int, outputs: Int = 1) -> [MLP] {
    [network(inputs: inputs, outputs: outputs), network(inputs: inputs, outputs: outputs)]
  }

  /// An actor: no normalisation, and a last layer that is drawn 10 times as small.
  mutating func actor(inputs: Int, outputs: Int) -> MLP {
    Initialization.mlp(
      inputs: inputs, hiddenWidths: hiddenWidths, outputs: outputs, activation: .gelu,
      lastScale: 0.1, from: &generator)
  }

  private var generator: Philox {
    mutating get {
      defer { count += 1 }
      return Initialization.generator(seed: seed, network: count)
    }
    set {}
  }
}

/// A network and its name in a checkpoint.
typealias NamedNetwork = (name: String, network: MLP)

/// The networks of a learner with values, with what all of those do alike: one optimiser of the sum
/// of the losses, targets, the normaliser, saving.
///
/// Targets move from the weights as they are before the step: θ̄ ← τ θ + (1 − τ) θ̄.
///
/// Shapes: `B` rows, `O` observation, `F` goal in the learner's form, `A` action in [−1, 1].
final class ValueNetworks {
  let task: GoalTask
  let scale: ActionScale
  let form: GoalForm
  /// γ.
  let discount: Double
  private let policy: [NamedNetwork]
  private let others: [NamedNetwork]
  private let targets: [(target: NamedNetwork, source: MLP)]
  private let targetRate: Double
  /// Numbers that are trained besides networks.
  private let numbers: [NamedTensor]
  /// Other saved tensors.
  private let state: [NamedTensor]
  private let optimizer: Adam
  private let gradientLimit: Double?
  private var normalizer: RunningNormalizer

  /// Collects what a learner trains: first the networks that act, in the order in which a
  /// checkpoint has them.
  ///
  /// With `gradientLimit` the gradient of all parameters together is scaled down to that length if
  /// it is longer.
  init(
    _ maker: NetworkMaker, _ configuration: some ValueConfiguration, policy: [NamedNetwork],
    others: [NamedNetwork], targets: [(target: NamedNetwork, source: MLP)] = [],
    targetRate: Double = 0, numbers: [NamedTensor] = [], state: [NamedTensor] = [],
    gradientLimit: Double? = nil
  ) {
    (task, scale, form) = (maker.task, maker.scale, maker.form)
    discount = configuration.discount.value(horizon: task.spec.horizon)
    (self.policy, self.others, self.targets) = (policy, others, targets)
    (self.targetRate, self.gradientLimit) = (targetRate, gradientLimit)
    (self.numbers, self.state) = (numbers, state)
    optimizer = Adam(
      (policy + others).flatMap(\.network.parameters) + numbers.map(\.tensor),
      learningRate: configuration.learningRate)
    normalizer = RunningNormalizer(
      length: maker.observation + maker.goal, settings: configuration.normalizer)
  }

  // MARK: - What networks read

  /// Observations, normalised, `[B, O]`.
  func states(_ observations: [Float]) -> Tensor {
    rows(observations, width: task.spec.observation, from: 0)
  }

  /// Goals in the learner's form, normalised, `[B, F]`.
  func goals(_ goals: [Float]) -> Tensor {
    rows(goals, width: form.length(task.spec), from: task.spec.observation)
  }

  /// The goals, in the learner's form, that states of observations `[B, O]` stand for, `[B, F]`;
  /// what a state achieves must be known if goals are that.
  func goals(ofStates observations: [Float]) -> [Float] {
    guard form == .achieved else { return observations }
    let width = task.spec.observation
    return stride(from: 0, to: observations.count, by: width).flatMap { start in
      task.goalIndices.map { observations[start + $0] }
    }
  }

  private func rows(_ values: [Float], width: Int, from start: Int) -> Tensor {
    let tensor = Tensor(values, shape: [values.count / width, width])
    normalizer.normalize(tensor, from: start)
    return tensor
  }

  /// The data's actions, scaled to [−1, 1], `[B, A]`.
  func actions(of batch: GoalBatch) -> Tensor {
    guard case .continuous(let values) = batch.actions else {
      preconditionFailure("a batch of continuous actions is needed, found discrete ones")
    }
    return Tensor(scale.unit(values), shape: [batch.count, scale.length])
  }

  /// r, `[B, 1]`: 0 if the value's goal is reached, else −1.
  func rewards(of batch: GoalBatch) -> Tensor {
    Tensor(batch.valueRewards, shape: [batch.count, 1])
  }

  /// γ m, `[B, 1]`: 0 if the value's goal is reached, else γ.
  func continuations(of batch: GoalBatch) -> Tensor { rewards(of: batch) * -discount }

  // MARK: - Updates

  /// Shows the normaliser a batch, with its value goals.
  func observe(_ batch: GoalBatch) {
    normalizer.update(
      observations: batch.observations, goals: batch.valueGoals, rows: batch.count)
  }

  /// Moves the targets, and then every parameter down the gradient of a loss; gives that gradient.
  func step(minimizing loss: Tensor) -> [Tensor] {
    var slopes = gradients(of: loss, optimizer.parameters)
    if let limit = gradientLimit {
      let length = Double(Tensor.norm(slopes))
      if length > limit { slopes = slopes.map { $0 * (limit / length) } }
    }
    if !targets.isEmpty {
      Tensor.average(
        targets.flatMap(\.target.network.parameters), towards: targets.flatMap(\.source.parameters),
        keep: 1 - targetRate)
    }
    optimizer.step(along: slopes)
    return slopes
  }

  /// Appends how far away the policy's goals are, and how large gradients and weights.
  func measure(_ slopes: [Tensor], batch: GoalBatch, into metrics: inout Metrics) {
    let offsets = batch.offsets.map { Float($0) }
    metrics.append("goal_offset", mean(offsets))
    metrics.append(sample: "goal_offset", offsets)
    metrics.append("gradient_norm", Tensor.norm(slopes))
    metrics.append("policy_weight_norm", Tensor.norm(policy.flatMap(\.network.parameters)))
    metrics.append("value_weight_norm", Tensor.norm(others.flatMap(\.network.parameters)))
  }

  // MARK: - Acting

  /// The present numbers of a network that reads an observation and a goal, for acting.
  func snapshot(_ network: MLP) -> PolicySnapshot {
    PolicySnapshot(
      network: RowNetwork(network), mean: normalizer.mean, deviation: normalizer.deviation,
      settings: normalizer.settings, horizon: 0)
  }

  // MARK: - Saving

  /// The tensors that acting needs: the policy's networks and, if it is on, the normaliser.
  private var policyState: [NamedTensor] {
    named(policy) + (normalizer.settings.isOn ? group(normalizer.policyState, "normalizer") : [])
  }

  /// The other tensors that training needs.
  private var trainingState: [NamedTensor] {
    named(others) + named(targets.map(\.target)) + numbers + state
      + group(optimizer.state, "optimizer")
      + (normalizer.settings.isOn ? group(normalizer.trainingState, "normalizer") : [])
  }

  private func named(_ networks: [NamedNetwork]) -> [NamedTensor] {
    networks.flatMap { entry in group(entry.network.named, entry.name) }
  }

  private func group(_ tensors: [NamedTensor], _ name: String) -> [NamedTensor] {
    tensors.map { $0.within(name) }
  }

  /// Copies of everything.
  func saved(updates: Int) -> SavedLearner {
    SavedLearner(
      policy: policyState.map { $0.copied() }, training: trainingState.map { $0.copied() },
      counters: ["updates": .integer(updates)])
  }

  /// Puts back what acting needs; throws `LearnerError`.
  func restore(policy saved: [NamedTensor]) throws {
    for (name, tensors) in groups(policy) { try tensors.assign(from: saved.group(name)) }
    if normalizer.settings.isOn {
      try normalizer.restore(policy: saved.group("normalizer"))
    }
  }

  /// Puts everything back, gives the updates made so far; throws `LearnerError`.
  func restore(_ saved: SavedLearner) throws -> Int {
    try restore(policy: saved.policy)
    for (name, tensors) in groups(others + targets.map(\.target)) {
      try tensors.assign(from: saved.training.group(name))
    }
    try (numbers + state).assign(from: saved.training)
    try optimizer.state.assign(from: saved.training.group("optimizer"))
    if normalizer.settings.isOn {
      try normalizer.restore(training: saved.training.group("normalizer"))
    }
    return try saved.counter("updates")
  }

  /// Networks by the first part of their names, which is what a missing tensor is named within.
  private func groups(_ networks: [NamedNetwork]) -> [(String, [NamedTensor])] {
    networks.map { entry in
      let parts = entry.name.split(separator: ".", maxSplits: 1).map(String.init)
      let tensors = entry.network.named
      return (parts[0], parts.count > 1 ? group(tensors, parts[1]) : tensors)
    }
  }
}
