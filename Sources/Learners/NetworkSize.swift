public import GoalCore
internal import Replay
internal import Torch

/// How large networks and batches may be; both are computed from settings before memory is taken.
enum NetworkSize {
  /// Numbers in a new learner's network at most: a gigabyte of weights.
  static let limit = 1 << 28
  /// Numbers in a batch at most: a gigabyte.
  static let batchLimit = 1 << 28

  /// Numbers in dense layers of these widths, inputs first.
  static func dense(_ widths: [Double]) -> Double {
    zip(widths, widths.dropFirst()).reduce(0) { $0 + ($1.0 + 1) * $1.1 }
  }

  /// Throws `LearnerError.tooLarge` for settings whose networks have more numbers than there may
  /// be.
  static func check(
    _ configuration: some LearnerConfiguration, for task: GoalTask, limit: Int?
  ) throws {
    let count = configuration.parameterCount(for: task)
    let limit = limit ?? NetworkSize.limit
    guard count <= Double(limit) else {
      throw LearnerError.tooLarge(what: "networks", numbers: count, limit: limit)
    }
  }

  /// Throws `LearnerError.tooLarge` for a scheme whose batches have more numbers than there may be.
  static func check(_ scheme: SamplingScheme, for task: GoalTask) throws {
    let (observation, action) = (Double(task.spec.observation), Double(task.spec.action.length))
    let goal = Double(scheme.goalForm.length(task.spec))
    let row =
      2 * observation + action + 4 * goal + Double(scheme.window?.steps ?? 0)
      * (observation + action)
    let count = Double(scheme.batchSize) * row
    guard count <= Double(batchLimit) else {
      throw LearnerError.tooLarge(what: "batches", numbers: count, limit: batchLimit)
    }
  }
}

extension GoalSpec {
  /// Numbers in an observation, a goal and an action, and choices of an action: of a vector its
  /// numbers.
  fileprivate var widths: (observation: Double, goal: Double, action: Double, choices: Double) {
    let choices =
      switch action {
      case .continuous(let low, _): low.count
      case .discrete(let count): count
      }
    return (Double(observation), Double(goal), Double(action.length), Double(choices))
  }

  /// The maximum number of outputs of a network that chooses actions.
  fileprivate func outputs(bins: Int, jointLimit: Int) -> Double {
    let codec = ActionCodec(action, bins: bins, jointLimit: jointLimit)
    return max(Double(action.length), Double(codec.heads) * Double(codec.classes))
  }
}

extension [Int] {
  fileprivate var doubles: [Double] { map { Double($0) } }
}

extension LearnerConfiguration {
  /// Dense layers of `hiddenWidths` that read observation, goal and action, and give an action or
  /// one of a world's choices.
  public func parameterCount(for task: GoalTask) -> Double {
    let sizes = task.spec.widths
    return NetworkSize.dense(
      [sizes.observation + sizes.goal + sizes.action] + hiddenWidths.doubles + [sizes.choices])
  }
}

extension GCSL.Configuration {
  /// Outputs are choices; with `stepsLeft` the steps to the horizon are inputs too.
  public func parameterCount(for task: GoalTask) -> Double {
    let sizes = task.spec.widths
    return NetworkSize.dense(
      [sizes.observation + sizes.goal + (stepsLeft ? Double(task.spec.horizon) : 0)]
        + hiddenWidths.doubles + [task.spec.outputs(bins: bins, jointLimit: jointLimit)])
  }
}

extension GoalTransformer.Configuration {
  /// More than all parts that the settings can ask for: embeddings, layers, places, the goal-post,
  /// the head, a plan and an expander.
  public func parameterCount(for task: GoalTask) -> Double {
    let sizes = task.spec.widths
    let outputs = task.spec.outputs(bins: bins, jointLimit: jointLimit)
    let inputs = [2 * sizes.observation + sizes.goal]
    let hidden = hiddenWidths.doubles
    let dense = NetworkSize.dense
    if [.mlp, .branches].contains(architecture.form) {
      return 2 * dense(inputs + hidden + [outputs])
    }
    var count = 0.0
    let width = 2 * Double(architecture.width)
    let layer = dense([width, 4 * width, Double(architecture.feedForward), width])
    count += 2 * (Double(architecture.layers) + Double(architecture.decoderLayers)) * layer
    if architecture.hasGoalPost { count += 2 * dense(inputs + hidden + [width]) }
    for widths in [architecture.stateWidths.doubles, architecture.goalWidths.doubles] {
      count += dense(inputs + widths + [width])
    }
    count += dense([2 * width] + architecture.outWidths.doubles + [outputs])
    count += dense([outputs, width]) + 16 * dense([width, width])
    let places =
      Double(window(horizon: task.spec.horizon)?.steps ?? 1) + Double(architecture.copies)
      + Double(architecture.actionTokens)
    count += 4 * places * width
    if architecture.form == .planner {
      let way = Double(architecture.planModes) * Double(architecture.waypoints) * sizes.goal
      count += dense(inputs + hidden + [Double(architecture.planWidth), way])
    }
    if objectives.hasExpander {
      count += dense([max(width, outputs)] + objectives.expander.widths.doubles)
    }
    return count
  }
}

extension [NamedTensor] {
  /// Numbers in all tensors.
  var numberCount: Int { map { $0.tensor.shape.clampedProduct }.clampedSum }

  /// A list of at most `limit` finite numbers; throws `LearnerError` for anything else of that
  /// name.
  func list(_ name: String, limit: Int) throws -> [Float] {
    guard let tensor = first(where: { $0.name == name })?.tensor else {
      throw LearnerError.missingTensor(name: name)
    }
    guard tensor.shape.count == 1, tensor.shape[0] <= limit, tensor.elementType == .float32 else {
      throw LearnerError.wrongShape(name: name, expected: [limit], found: tensor.shape)
    }
    guard tensor.isFinite else { throw LearnerError.notFinite(name: name) }
    return tensor.floats
  }
}
