internal import GoalCore
internal import Torch

/// A model with its parameters, and what is trained beside it.
struct ModelNetwork: Sendable {
  /// The model.
  let model: any GoalModel
  /// Its parameters.
  let named: [NamedTensor]
  /// The objectives' own state: an expander, and centres.
  let state: ObjectiveState

  /// Makes a model whose numbers are drawn from the run's seed, or are 0 if they will be
  /// overwritten.
  init(
    _ configuration: GoalTransformer.Configuration, task: GoalTask, head: ActionHead, seed: UInt64?
  ) {
    func maker(_ network: UInt64) -> ParameterMaker {
      ParameterMaker(
        Initialization.generator(seed: seed ?? 0, network: network), draws: seed != nil)
    }
    let make = maker(0)
    model = configuration.model(task: task, head: head, make)
    named = make.named
    let settings = configuration.objectives
    let outputs = head.outputs
    let width =
      settings.expander.reads == .logits ? outputs : configuration.featureWidth(outputs: outputs)
    state = ObjectiveState(settings, logits: outputs) {
      maker(1).mlp("expander", [width] + $0)
    }
  }

  /// The trained parameters.
  var parameters: [Tensor] { named.map(\.tensor) + state.parameters }
}

extension GoalTransformer.Configuration {
  /// Numbers in what the model's outputs are made of.
  func featureWidth(outputs: Int) -> Int {
    switch architecture.form {
    case .mlp, .branches: outputs
    default:
      architecture.conditioning == .concatenation ? 2 * architecture.width : architecture.width
    }
  }
}
