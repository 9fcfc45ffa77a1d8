import GoalCore
import Learners
import Replay
import Support
import Torch

/// Imitates the actions of the data towards goals that were achieved later in the same episode.
///
///     minimise  E ‖π(o, g) − a‖² / A
///
/// Shapes: `B` rows, `O` observation, `G` goal, `A` action.
final class Cloning: Learner {
  struct Configuration: LearnerConfiguration {
    @Setting("rows in a batch", .batch, "chosen here") var batchSize = 256
    @Setting("units of each hidden layer", .widths, "chosen here") var hiddenWidths = [64, 64]
    @Setting("Adam's step size", .positive, "chosen here") var learningRate = 1e-3
    @SettingsFrom("chosen here") var online = OnlineSettings()

    static func preset(for task: GoalTask) -> Self { Self() }
  }

  static let identifier = "cloning"
  static let summary = "imitate actions towards goals that were achieved later"

  let configuration: Configuration
  private(set) var updates = 0
  private let task: GoalTask
  private let network: MLP
  private let optimizer: Adam

  init(task: GoalTask, configuration: Configuration, seed: UInt64) throws {
    (self.task, self.configuration) = (task, configuration)
    let spec = task.spec
    let widths = [spec.observation + spec.goal] + configuration.hiddenWidths + [spec.action.length]
    var generator = Philox(seed: seed, purpose: 0, index: 0)
    network = MLP(
      zip(widths, widths.dropFirst()).map { inputs, outputs in
        let limit = 1 / Double(inputs).squareRoot()
        return Linear(
          inputs: inputs, outputs: outputs,
          weight: (0..<inputs * outputs).map { _ in Float(generator.uniform(-limit, limit)) },
          bias: [Float](repeating: 0, count: outputs))
      })
    optimizer = Adam(network.parameters, learningRate: configuration.learningRate)
  }

  var scheme: SamplingScheme {
    SamplingScheme(
      batchSize: configuration.batchSize, policyGoals: .future(fraction: 1), originalValueGoals: 1)
  }

  private func loss(on batch: GoalBatch) -> Tensor {
    guard case .continuous(let actions) = batch.actions else {
      preconditionFailure("a batch of continuous actions is needed")
    }
    let spec = task.spec
    let input = Tensor.concatenated(
      [
        Tensor(batch.observations, shape: [batch.count, spec.observation]),
        Tensor(batch.policyGoals, shape: [batch.count, spec.goal]),
      ], along: 1)  // [B, O + G]
    let wanted = Tensor(actions, shape: [batch.count, spec.action.length])  // [B, A]
    return (network(input) - wanted).squared().mean()
  }

  func update(on batch: GoalBatch, measuring: Bool) -> Metrics? {
    let loss = loss(on: batch)
    optimizer.step(minimizing: loss)
    updates += 1
    return measuring ? metrics(loss) : nil
  }

  func losses(on batch: GoalBatch) -> Metrics { withoutGradients { metrics(loss(on: batch)) } }

  private func metrics(_ loss: Tensor) -> Metrics {
    var metrics = Metrics()
    metrics.append("policy_loss", loss.float)
    return metrics
  }

  // The policy has a copy of the weights, which later updates do not change.
  func makePolicy() -> any GoalPolicy { Policy(network: RowNetwork(network)) }

  private struct Policy: GoalPolicy {
    let network: RowNetwork
    func makeActor() -> any GoalActor { Actor(network) }
  }

  private final class Actor: GoalActor {
    private let network: RowNetwork
    private var goal: [Float] = []

    init(_ network: RowNetwork) { self.network = network }

    func begin(goal: [Float], seed: UInt64) { self.goal = goal }

    func act(_ observation: [Float]) -> Action { .continuous(network(observation + goal)) }
  }

  func saved() -> SavedLearner {
    SavedLearner(
      policy: network.named.map { $0.copied() }, training: optimizer.state.map { $0.copied() },
      counters: ["updates": .integer(updates)])
  }

  func restore(policy tensors: [NamedTensor]) throws { try network.named.assign(from: tensors) }

  func restore(_ saved: SavedLearner) throws {
    try restore(policy: saved.policy)
    try optimizer.state.assign(from: saved.training)
    updates = try saved.updates()
  }
}

/// Trains a learner that no registry knows; equal seeds give equal weights.
func trainCloning(
  on replay: EpisodeReplay, updates: Int, seed: UInt64
) throws -> any Learner {
  let learner = try LearnerEntry(Cloning.self).make(
    task: replay.task, overrides: ["learningRate": 0.002], seed: seed)
  var batch = GoalBatch(learner.scheme, spec: replay.task.spec)
  for number in 0..<UInt64(updates) {
    replay.draw(learner.scheme, seed: seed, number: number, into: &batch)
    learner.update(on: batch)
  }
  return learner
}
