public import GoalCore
internal import Replay
import Support

/// How start and goal of a trajectory are drawn for a model of the log.
public enum StartGoalPairs: String, SettingChoice {
  /// A step, then a later state.
  case future
  /// A pair of states, as in GCSL's own code.
  case pair
  /// The same without the last state, which that code does not store.
  case pairBeforeActions = "pair-before-actions"
  /// The log's, whose second number leaves the last state out too.
  case secondBelowLast = "second-below-last"
  /// The log's faulty draw, half of whose goals are the next state.
  case withoutSwap = "without-swap"
  /// The first state, and one from the fourth on.
  case chop
  /// A step, and the goal that the episode was collected with.
  case original

  func selection(horizon: Int) -> GoalSelection {
    switch self {
    case .future: .future(fraction: 1)
    case .pair: .pair()
    case .pairBeforeActions: .pair(.gcsl, states: .beforeActions)
    case .secondBelowLast: .pair(.secondBelowLast, states: .beforeActions)
    case .withoutSwap: .pair(.withoutSwap, states: .beforeActions)
    case .chop: .chop(minimum: min(3, horizon))
    case .original: .original
    }
  }
}

/// The draws that rows of a batch share.
public enum SharedIndices: String, SettingChoice {
  /// Nothing.
  case row
  /// Start and goal.
  case batch
}

/// A model's representation of a goal.
public enum GoalsRead: String, SettingChoice {
  /// The achieved goal.
  case extracted
  /// The whole state; what a world's goal does not name is 0 in acting.
  case full

  var form: GoalForm { self == .full ? .observation : .achieved }
}

extension GoalTransformer {
  /// The settings; the defaults are those of the log's best model, row 63 of its table, without
  /// its regularisation.
  public struct Configuration: LearnerConfiguration {
    /// Rows in a batch.
    @Setting("rows in a batch", .batch, "gcsl, variants.py") public var batchSize = 256
    /// The parts of the model.
    public var architecture = ArchitectureSettings()
    /// Hidden units of the goal-post; of all dense layers of the forms `mlp` and `branches`; and of
    /// a plan.
    @Setting(
      "hidden units of the goal-post, of the forms mlp and branches, and of a plan",
      .widths, "gcsl, variants.py")
    public var hiddenWidths = [400, 300]
    /// The training objectives.
    public var objectives = ObjectiveSettings()
    /// The representation of an action.
    @Setting("categorical, independent or continuous: what an action is", "gcsl, variants.py")
    public var head = HeadKind.categorical
    /// Values of each dimension of a discretised action.
    @Setting("values of each dimension of a discretised action", .bins, "gcsl, variants.py")
    public var bins = 3
    /// Classes of a joint choice at most; beyond, each dimension is chosen by itself.
    @Setting(
      "classes of a joint choice at most; beyond, dimensions are chosen apart",
      .joint, "gcsl, variants.py")
    public var jointLimit = 100
    /// How starts and goals are drawn.
    @Setting(
      "future, pair, pair-before-actions, second-below-last, without-swap, chop or "
        + "original: how starts and goals are drawn",
      "gcsl, buffer.py; the log")
    public var pairs = StartGoalPairs.pairBeforeActions
    /// The draws that rows share.
    @Setting("row: each its own start and goal; batch: one for all", "the log")
    public var indices = SharedIndices.row
    /// The model's representation of a goal.
    @Setting(
      "extracted: what was achieved; full: the whole state, what a world's goal "
        + "does not name being 0 in acting",
      "the log")
    public var goals = GoalsRead.extracted
    /// How it acts to be evaluated.
    @Setting("greedy or sampled, in evaluation", "gcsl, variants.py")
    public var choosing = Choosing.greedy
    /// How it acts to collect.
    @Setting("greedy or sampled, in collecting", "gcsl, variants.py")
    public var collecting = Choosing.greedy
    /// Adam's step size.
    @Setting("Adam's step size", .positive, "gcsl, variants.py") public var learningRate = 5e-4
    /// Batches whose gradients are summed for a step.
    @Setting("batches whose gradients are summed for a step", .batch, "gcsl, variants.py")
    public var accumulations = 1
    /// Deviation of what is added to the inputs of VICReg's second view.
    @Setting("deviation of the noise on the inputs of VICReg's second view", .weight, "ours")
    public var viewNoise = 0.1
    /// Faults of the log's code.
    public var quirks = QuirkSettings()
    /// Whether inputs are normalised.
    @Setting("whether inputs are normalised", "gcsl, networks.py") public var normalizes = false
    /// How inputs are clipped, and normalised if they are.
    @SettingsFrom("config.py") public var normalizer = NormalizerSettings()
    /// How it learns online.
    @SettingsFrom("GCSL's variants.py") public var online = OnlineSettings.gcsl()

    /// The defaults.
    public init() {}
  }
}

extension GoalTransformer.Configuration {
  /// As many updates an episode as it has steps.
  public static func preset(for task: GoalTask) -> Self {
    var configuration = Self()
    configuration.online = .gcsl(horizon: task.spec.horizon)
    return configuration
  }

  /// GCSL's own number of updates, one a step.
  public static func updates(for task: GoalTask) -> Int { 200_000 }

  /// Throws `SettingsError` for settings that no model has together.
  public func validateTogether(under path: [String]) throws {
    try Settings.requireLayers(hiddenWidths, batch: batchSize)
    try architecture.validate(batch: batchSize)
    func require(_ holds: Bool, _ key: String, _ expected: String, _ found: String) throws {
      try Settings.require(holds, key, expected, found: .text(found))
    }
    let form = architecture.form
    let isTrajectory = form == .trajectory || form == .trajectoryDecoder
    let isOfState = [.tokens, .decoder].contains(form)
    let isOfPlaces = [.decoder, .trajectoryTokens].contains(form)
    try require(
      isOfState || architecture.conditioning == .token, "architecture.conditioning",
      "token for all forms but tokens and decoder", architecture.conditioning.rawValue)
    try require(
      !architecture.goalInTokens || architecture.conditioning != .concatenation,
      "architecture.conditioning", "another if the goal is added to action tokens",
      architecture.conditioning.rawValue)
    try require(
      form != .tokens || architecture.hasGoalToken || architecture.reads != .goal,
      "architecture.reads", "state or token if the goal is no token", architecture.reads.rawValue
    )
    try require(
      isTrajectory || form == .interleaved || !architecture.mask.hasGoalOfEachState,
      "architecture.mask", "another for forms that are not of trajectories or interleaved",
      architecture.mask.rawValue)
    try require(
      form != .interleaved || !architecture.hasGoalState || !architecture.readsGoal,
      "architecture.readsGoal", "false if the goal is a state of the sequence", "true")
    try require(
      architecture.conditioning != .token || !architecture.keepsGoal, "architecture.keepsGoal",
      "false if conditioning is token, which is that", "true")
    try require(
      isOfPlaces || architecture.positionsOf == .all, "architecture.positionsOf",
      "all for all forms but decoder and trajectory-tokens", architecture.positionsOf.rawValue)
    try require(
      !architecture.postInTokens
        || form == .tokens && architecture.reads == .token
          && architecture.conditioning != .concatenation,
      "architecture.postInTokens",
      "false but for the form tokens that reads a token, without concatenation", "true")
    try require(
      form == .interleaved || !architecture.tiesActions, "architecture.tiesActions",
      "false for all forms but interleaved", "true")
    try require(
      form != .trajectoryTokens || architecture.mask == .all || architecture.mask.isOfRow,
      "architecture.mask", "all, base, restrictive or pre for trajectory-tokens",
      architecture.mask.rawValue)
    let needsGoals: Bool =
      switch form {
      case .interleaved, .prompted, .planner: !architecture.hasGoalState
      case .decoder: objectives.imitation.actions == .all
      default: false
      }
    try require(
      !needsGoals || pairs != .original, "pairs",
      "of states of the trajectory for \(form.rawValue)",
      pairs.rawValue)
    try require(
      !objectives.reachedState.isOn || form == .trajectoryTokens && pairs == .original,
      "architecture.form", "trajectory-tokens, with pairs = original, for objectives.reachedState",
      form.rawValue)
    try require(
      pairs != .original || goals == .extracted, "goals", "extracted if pairs are original",
      goals.rawValue)
    try require(
      objectives.nextState.weight == 0 || form == .interleaved, "architecture.form",
      "interleaved for objectives.nextState", form.rawValue)
    try require(
      objectives.nextState.reads == .step || !architecture.hasGoalState,
      "objectives.nextState.reads", "step if the goal is a state of the sequence",
      objectives.nextState.reads.rawValue)
    try require(
      objectives.distillation.maskedWeight == 0 || isTrajectory, "architecture.form",
      "trajectory for objectives.distillation.maskedWeight", form.rawValue)
    try require(
      head != .continuous
        || (objectives.reachedState.surrogateWeight == 0
          && objectives.imitation.falsePositives == 0),
      "head",
      "of choices for false positives and for surrogates", head.rawValue)
  }
}
