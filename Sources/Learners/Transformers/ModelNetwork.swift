internal import GoalCore
internal import Torch

/// A model with its parameters, and what is trained beside it.
struct ModelNetwork: Sendable {
  /// The model.
  let model: any GoalModel
  /// Its parameters.
  let named: [NamedTensor]
  /// The network that makes embeddings for objectives; nil where none needs it.
  let expander: Expander?

  /// Makes a model whose numbers are drawn from the run's seed, or are 0 where they will be overwritten.
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
    let settings = configuration.objectives.vicreg
    let isUsed = settings.isOn || configuration.objectives.distillation.weight > 0
    guard settings.embedding == .expander, isUsed else {
      expander = nil
      return
    }
    let width = configuration.featureWidth(outputs: head.outputs)
    expander = Expander(
      maker(1).mlp("expander", [width] + settings.expanderWidths),
      normalizes: settings.expanderNormalizes)
  }

  /// What the optimizer moves.
  var parameters: [Tensor] { named.map(\.tensor) + (expander?.parameters ?? []) }

  /// What objectives compare of an output: the expander's embedding of its features, or the logits.
  func embedding(of output: ModelOutput) -> Tensor {
    expander.map { $0(output.features) } ?? output.actions
  }
}

extension GoalTransformer.Configuration {
  /// Numbers in what the model's outputs are made of.
  func featureWidth(outputs: Int) -> Int {
    switch architecture.form {
    case .mlp, .branches: outputs
    default: architecture.conditioning == .concatenation ? 2 * architecture.width : architecture.width
    }
  }
}
