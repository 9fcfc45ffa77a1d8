internal import GoalCore
internal import Torch

/// A model of states and goals that says actions.
protocol GoalModel: Sendable {
  /// What it says of its input; `dropout` in training only.
  func callAsFunction(_ input: ModelInput, _ dropout: Dropout?) -> ModelOutput
}

/// The sizes that a model is made for.
struct ModelSizes: Equatable {
  /// Numbers in an observation, `O`.
  var observation: Int
  /// Numbers in a goal, `F`.
  var goal: Int
  /// Numbers that a head takes, `K`.
  var outputs: Int
  /// Places in a window, `W`; 1 without one.
  var places: Int
}

/// What models are made of: embeddings, the head's layers, and the settings.
struct ModelParts {
  let settings: ArchitectureSettings
  let hiddenWidths: [Int]
  let sizes: ModelSizes
  let quirks: QuirkSettings
  let objectives: ObjectiveSettings
  let make: ParameterMaker

  /// Whether all actions up to the goal are asked for, else the first.
  var asksForAll: Bool { objectives.imitation.actions == .all }

  /// Numbers in a token, `D`.
  var width: Int { settings.width }

  /// The state's embedding.
  func stateEmbedding(_ name: String = "state") -> RowEmbedding {
    RowEmbedding(make.mlp(name, [sizes.observation] + settings.stateWidths + [width]))
  }

  /// What stands for the goal.
  func goalToken() -> GoalToken {
    switch settings.goal {
    case .embedding:
      .embedding(make.mlp("goal", [sizes.goal] + settings.goalWidths + [width]))
    case .post:
      .post(make.mlp("post", [sizes.observation + sizes.goal] + hiddenWidths + [width]))
    }
  }

  /// The layers between a token of `width` numbers and an action.
  func out(_ width: Int) -> OutLayers {
    if quirks.omitsOutput {
      precondition(width >= sizes.outputs, "a token has a number for each output")
      return OutLayers(network: nil, outputs: sizes.outputs, readsGoal: false)
    }
    let inputs = width + (settings.readsGoal ? self.width : 0)
    return OutLayers(
      network: make.mlp("out", [inputs] + settings.outWidths + [sizes.outputs]),
      outputs: sizes.outputs, readsGoal: settings.readsGoal)
  }

  /// The shape of layers whose tokens have `width` numbers; `ofPair` for an encoder with a decoder.
  func layers(_ width: Int? = nil, ofPair: Bool = false) -> LayerShape {
    LayerShape(
      width: width ?? self.width, heads: settings.heads, feedForward: settings.feedForward,
      activation: settings.activation, normFirst: settings.normFirst,
      rule: ofPair ? .glorot : .linear)
  }
}

/// Dense layers for each row of `[..., I]`.
struct RowEmbedding {
  private let network: MLP

  init(_ network: MLP) { self.network = network }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let shape = x.shape
    guard let inputs = shape.last, shape.count > 2 else { return network(x) }
    let rows = shape.dropLast().reduce(1, *)
    let y = network(x.reshaped([rows, inputs]))
    return y.reshaped(Array(shape.dropLast()) + [y.shape[1]])
  }
}

/// What stands for the goal: a function of the goal, or of state and goal.
enum GoalToken {
  case embedding(MLP)
  case post(MLP)

  /// Tokens `[B, D]` of states `[B, O]` and goals `[B, F]`.
  func callAsFunction(_ states: Tensor, _ goals: Tensor) -> Tensor {
    switch self {
    case .embedding(let network): network(goals)
    case .post(let network): network(.concatenated([states, goals], along: 1))
    }
  }
}

/// The layers between a token and an action.
struct OutLayers {
  /// Nil where the token's first numbers are the outputs.
  let network: MLP?
  let outputs: Int
  let readsGoal: Bool

  /// Outputs `[N, K]` of tokens `[N, D]` and, where they are read, goal tokens `[N, D]`.
  func callAsFunction(_ x: Tensor, goal: Tensor? = nil) -> Tensor {
    guard let network else { return x.narrowed(0..<outputs, along: 1) }
    if readsGoal, let goal { return network(.concatenated([x, goal], along: 1)) }
    return network(x)
  }
}

extension Tensor {
  /// Rows `[B, D]` as sequences of one token, `[B, 1, D]`.
  var asToken: Tensor { reshaped([shape[0], 1, shape[1]]) }

  /// A learned row `[1, D]` as sequences of one token for so many rows.
  func token(rows: Int) -> Tensor { reshaped([1, 1, shape[1]]).expanded(to: [rows, 1, shape[1]]) }

  /// Tokens `[B, T, D]` as rows `[B · T, D]`.
  var flattened: Tensor { reshaped([shape[0] * shape[1], shape[2]]) }
}
