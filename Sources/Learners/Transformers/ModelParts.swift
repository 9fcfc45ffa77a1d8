internal import GoalCore
internal import Torch

/// A model of states and goals that says actions.
protocol GoalModel: Sendable {
  /// The output for an input; `dropout` in training only.
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
  /// States of a whole episode, by which its steps are numbered.
  var times: Int
}

/// The parts of models: embeddings, the head's layers, and the settings.
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
    if quirks.omitsEmbedding { return RowEmbedding(width: width) }
    return RowEmbedding(make.mlp(name, [sizes.observation] + settings.stateWidths + [width]))
  }

  /// The goal's representation.
  func goalToken() -> GoalToken {
    switch settings.goal {
    case .embedding:
      .embedding(make.mlp("goal", [sizes.goal] + settings.goalWidths + [width]))
    case .post:
      .post(postNetwork("post"))
    }
  }

  /// The layers of a goal-post: a function of state and goal.
  func postNetwork(_ name: String) -> MLP {
    make.mlp(name, [sizes.observation + sizes.goal] + hiddenWidths + [width])
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

  /// Outputs that are a token's products with the embeddings of actions, `[D, K]`: behind layers
  /// and a rectifier if it has any, or reads the goal's token too.
  func out(tiedTo actions: Tensor) -> OutLayers {
    let inputs = width + (settings.readsGoal ? width : 0)
    let hasLayers = settings.readsGoal || !settings.outWidths.isEmpty
    return OutLayers(
      network: hasLayers ? make.mlp("out", [inputs] + settings.outWidths + [width]) : nil,
      outputs: sizes.outputs, readsGoal: settings.readsGoal, tied: actions)
  }

  /// The shape of layers whose tokens have `width` numbers; `ofPair` for an encoder with a decoder.
  func layers(_ width: Int? = nil, ofPair: Bool = false) -> LayerShape {
    LayerShape(
      width: width ?? self.width, heads: settings.heads, feedForward: settings.feedForward,
      activation: settings.activation, normFirst: settings.normFirst,
      rule: ofPair ? .glorot : .linear)
  }
}

/// Dense layers for each row of `[..., I]`; without them the row itself.
struct RowEmbedding {
  private let network: MLP?
  private let width: Int

  init(_ network: MLP) { (self.network, width) = (network, 0) }

  /// The rows' first numbers, with zeros behind them if they have fewer than `width`.
  init(width: Int) { (network, self.width) = (nil, width) }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let shape = x.shape
    guard let network else {
      let (last, inputs) = (shape.count - 1, shape[shape.count - 1])
      guard inputs < width else { return x.narrowed(0..<width, along: last) }
      let zeros = Tensor.zeros(Array(shape.dropLast()) + [width - inputs])
      return .concatenated([x, zeros], along: last)
    }
    guard let inputs = shape.last, shape.count > 2 else { return network(x) }
    let rows = shape.dropLast().reduce(1, *)
    let y = network(x.reshaped([rows, inputs]))
    return y.reshaped(Array(shape.dropLast()) + [y.shape[1]])
  }
}

/// The goal's representation: a function of the goal, or of state and goal.
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
  /// Nil if the token's first numbers are the outputs.
  let network: MLP?
  let outputs: Int
  let readsGoal: Bool
  /// The actions' embeddings `[D, K]` that outputs are products with; nil for none.
  var tied: Tensor?

  /// Outputs `[N, K]` of tokens `[N, D]` and, if they are read, goal tokens `[N, D]`.
  func callAsFunction(_ x: Tensor, goal: Tensor? = nil) -> Tensor {
    if let tied {
      return (network.map { said($0, x, goal).rectified() } ?? x).matrixProduct(tied)
    }
    return network.map { said($0, x, goal) } ?? x.narrowed(0..<outputs, along: 1)
  }

  private func said(_ network: MLP, _ x: Tensor, _ goal: Tensor?) -> Tensor {
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
