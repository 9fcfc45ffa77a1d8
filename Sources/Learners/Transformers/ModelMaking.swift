internal import GoalCore
internal import Replay
internal import Torch

extension GoalTransformer.Configuration {
  /// The window that the model needs about each row; nil for models of state and goal alone.
  func window(horizon: Int) -> Window? {
    let states = horizon + 1
    switch architecture.form {
    case .mlp, .branches, .attention, .tokens, .actionEncoder: return nil
    case .decoder where objectives.imitation.actions == .all:
      return .toGoal(steps: states, inclusive: quirks.asksAtGoal)
    case .decoder:
      return architecture.history > 1 || architecture.positions != .none
        ? .before(steps: min(architecture.history, states)) : nil
    case .trajectory, .trajectoryDecoder, .trajectoryTokens, .planner:
      return .episode(steps: states)
    case .interleaved where architecture.mask.hasGoalOfEachState: return .episode(steps: states)
    case .interleaved, .prompted: return .toGoal(steps: states)
    }
  }

  /// The model, whose parameters `make` makes and names.
  func model(task: GoalTask, head: ActionHead, _ make: ParameterMaker) -> any GoalModel {
    let sizes = ModelSizes(
      observation: task.spec.observation, goal: goals.form.length(task.spec), outputs: head.outputs,
      places: window(horizon: task.spec.horizon)?.steps ?? 1, times: task.spec.horizon + 1)
    let parts = ModelParts(
      settings: architecture, hiddenWidths: hiddenWidths, sizes: sizes, quirks: quirks,
      objectives: objectives, make: make)
    switch architecture.form {
    case .mlp, .branches: return DenseModel(parts)
    case .attention: return AttentionModel(parts)
    case .tokens: return TokensModel(parts)
    case .decoder: return DecoderModel(parts)
    case .trajectory, .trajectoryDecoder: return TrajectoryModel(parts)
    case .trajectoryTokens:
      return TrajectoryTokensModel(parts, saysReached: objectives.reachedState.isOn)
    case .interleaved:
      return InterleavedModel(parts, saysNextStates: objectives.nextState.weight > 0)
    case .prompted: return PromptedModel(parts)
    case .actionEncoder: return ActionEncoderModel(parts)
    case .planner: return PlannerModel(parts, goalIndices: task.goalIndices)
    }
  }
}
