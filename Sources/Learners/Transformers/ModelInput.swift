internal import GoalCore
internal import Replay
internal import Torch

/// A model's input, in training and in acting alike.
///
/// Shapes: `B` rows, `W` places, `O` observation, `F` goal, `K` action.
struct ModelInput {
  /// The sequence about each row.
  struct Sequence {
    /// Places, `W`.
    let steps: Int
    /// States, `[B, W, O]`.
    let states: Tensor
    /// Actions as a head reads them, `[B, W, K]`; zeros for missing actions.
    let actions: Tensor
    /// Whether a place holds a state, `[B · W]`.
    let holds: [Bool]
    /// The number of each state within its episode, `[B · W]`.
    let times: [Int64]
    /// Whether an action was taken there that can be asked for, `[B · W]`.
    let acts: [Bool]
    /// The places of start and goal state, `[B]`.
    let starts: [Int]
    let goals: [Int]
    /// The goal's place for each state but the last, for masks with a goal of each state.
    let columns: [Int]

    /// The state in the first place, `[B, O]`.
    var first: Tensor { states.selected(0, along: 1) }
  }

  /// Rows, `B`.
  let rows: Int
  /// The states in which actions are asked for, `[B, O]`.
  let states: Tensor
  /// The targets, `[B, F]`.
  let goals: Tensor
  /// The sequences; nil for models of state and goal alone.
  let sequence: Sequence?
  /// 1 for the states that are hidden from the model, `[B · W]`; nil for none.
  var masked: [Float]?
}

extension ModelInput {
  /// The same with noise on all numbers: another view of it.
  func noised(_ deviation: Double, seed: UInt64, number: UInt64) -> ModelInput {
    var generator = Philox(seed: seed, purpose: 0x5649_4557, index: number)  // "VIEW"
    func noised(_ x: Tensor) -> Tensor {
      x + Tensor((0..<x.count).map { _ in Float(deviation * generator.normal()) }, shape: x.shape)
    }
    let sequence = sequence.map {
      Sequence(
        steps: $0.steps, states: noised($0.states), actions: $0.actions, holds: $0.holds,
        times: $0.times, acts: $0.acts, starts: $0.starts, goals: $0.goals, columns: $0.columns)
    }
    return ModelInput(
      rows: rows, states: noised(states), goals: noised(goals), sequence: sequence)
  }
}

/// Says the goal that will have been reached from the model's last token and, if they are handed to
/// it, the actions.
struct Reached {
  /// The last token, `[B, D]`.
  let token: Tensor
  /// A layer of the token and the actions' mean features, `[F, D + K]`.
  let head: Linear

  /// The prediction, `[B, F]`, from the actions' mean features `[B, K]`, or of zeros; `trains` says
  /// whether a gradient reaches the layer and the token.
  func callAsFunction(_ actions: Tensor? = nil, trains: Bool = true) -> Tensor {
    let (rows, width) = (token.shape[0], token.shape[1])
    let actions = actions ?? .zeros([rows, head.weight.shape[1] - width])
    guard trains else {
      return .linear(
        .concatenated([token.detached(), actions], along: 1), head.weight.detached(),
        head.bias.detached())
    }
    return head(.concatenated([token, actions], along: 1))
  }
}

/// A model's output.
struct ModelOutput {
  /// Which actions the outputs are for.
  enum Asked {
    /// Each row's first action.
    case first
    /// Those in places of the windows, numbered `row · W + place`.
    case places([Int])
  }

  /// Outputs for actions, `[N, K]`.
  var actions: Tensor
  /// Which actions these are.
  var asked = Asked.first
  /// The features that the outputs are computed from, `[N, D]`.
  var features: Tensor
  /// The state after each, `[B, W, O]`.
  var nextStates: Tensor?
  /// The features at each state of a sequence, `[B · W, D]`, and the outputs there, `[B · W, K]`.
  var tokens: (features: Tensor, outputs: Tensor)?
  /// The goal that will have been reached, `[B, F]`.
  var reached: Reached?
  /// The loss of the predicted path to the goal, `[]`.
  var planLoss: Tensor?
}

/// Makes what a model reads, for training and for acting alike.
///
/// Inputs are clipped, and normalised if the learner normalises.
struct ModelInputMaker: Sendable {
  let task: GoalTask
  let head: ActionHead
  let normalizes: Bool
  let clip: Double
  let mask: TrajectoryMask
  let ahead: Int
  let seed: UInt64

  /// The input of rows: observations `[B, O]`, goals `[B, F]` and windows.
  ///
  /// `number` keys what masks draw; `columns` stands in for these draws if it is given.
  func input(
    observations: [Float], goals: [Float], window: WindowColumns?, rows: Int,
    normalizer: RunningNormalizer, number: UInt64, columns: [Int]? = nil
  ) -> ModelInput {
    let O = task.spec.observation
    func normalized(_ values: [Float], _ shape: [Int], from: Int) -> Tensor {
      let tensor = Tensor(values, shape: shape)
      if normalizes {
        normalizer.normalize(tensor, from: from)
      } else {
        tensor.clamp(to: -clip...clip)
      }
      return tensor
    }
    let sequence = window.map { window -> ModelInput.Sequence in
      let W = window.steps
      let goalColumns: [Int] =
        switch mask {
        case .randomGoal where columns == nil:
          GoalColumns.random(states: W, seed: seed, number: number)
        case .ahead where columns == nil: GoalColumns.ahead(states: W, steps: ahead)
        default: columns ?? []
        }
      let acts = window.actionMask.map { $0 == 1 }
      var features = head.features(of: window.actions)
      let K = head.outputs
      for place in acts.indices where !acts[place] {
        for k in 0..<K { features[place * K + k] = 0 }
      }
      return ModelInput.Sequence(
        steps: W, states: normalized(window.observations, [rows, W, O], from: 0),
        actions: Tensor(features, shape: [rows, W, K]), holds: window.mask.map { $0 == 1 },
        times: window.times.map { Int64($0) }, acts: acts, starts: window.starts.map { Int($0) },
        goals: goalPlaces(of: window),
        columns: goalColumns)
    }
    return ModelInput(
      rows: rows, states: normalized(observations, [rows, O], from: 0),
      goals: self.goals(goals, rows: rows, normalizer: normalizer), sequence: sequence)
  }

  /// Goals `[B, F]` as the model reads them.
  func goals(_ values: [Float], rows: Int, normalizer: RunningNormalizer) -> Tensor {
    let tensor = Tensor(values, shape: [rows, values.count / rows])
    if normalizes {
      normalizer.normalize(tensor, from: task.spec.observation)
    } else {
      tensor.clamp(to: -clip...clip)
    }
    return tensor
  }

  /// The goals' places; the last state's if the goal is none of the window's.
  private func goalPlaces(of window: WindowColumns) -> [Int] {
    window.goals.enumerated().map { row, goal in
      if goal >= 0 { return Int(goal) }
      let places = row * window.steps..<(row + 1) * window.steps
      return (places.last { window.mask[$0] == 1 } ?? places.lowerBound) - places.lowerBound
    }
  }
}
