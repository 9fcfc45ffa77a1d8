internal import GoalCore
import Support

/// How state and goal are put together.
public enum ModelForm: String, SettingChoice {
  /// Dense layers on state and goal side by side.
  case mlp
  /// Dense layers for the state and for the goal, and dense layers on both.
  case branches
  /// Attention whose query is the state.
  case attention
  /// A transformer over state, action token and goal.
  case tokens
  /// A transformer's encoder over states and goal, and its decoder over action tokens.
  case decoder
  /// A transformer over the states of a trajectory, one of which is the goal.
  case trajectory
  /// A transformer's decoder over an action token for each state of a trajectory, which attends to
  /// that state and its goal.
  case trajectoryDecoder = "trajectory-decoder"
  /// A transformer over states up to the present one, action tokens up to the goal, and the goal.
  case trajectoryTokens = "trajectory-tokens"
  /// A causal transformer over goal, states and actions by turns.
  case interleaved
  /// The same over states and actions, whose layers attend to the goal.
  case prompted
  /// A transformer's encoder over action tokens, and its decoder over state and goal.
  case actionEncoder = "action-encoder"
  /// A plan of the way to the goal, and a transformer over plan and states.
  case planner
}

/// The goal's representation.
public enum GoalTokenKind: String, SettingChoice {
  /// A function of the goal.
  case embedding
  /// A function of state and goal: the goal-post.
  case post
}

/// The keys of the form `attention`.
public enum AttentionKeys: String, SettingChoice {
  /// The goal.
  case goal
  /// State and goal.
  case both
  /// State and goal, which both ask.
  case mutual = "self"
  /// State and goal, which an action token asks.
  case token
}

/// Which tokens say where they stand.
public enum PositionedTokens: String, SettingChoice {
  /// All.
  case all
  /// States.
  case states
  /// Action tokens.
  case actions
}

/// Which token an action is read at.
public enum ReadToken: String, SettingChoice {
  /// The state's.
  case state
  /// An action token's, between state and goal.
  case token
  /// The goal's.
  case goal
}

/// The parts of a model.
public struct ArchitectureSettings: SettingGroup {
  /// How state and goal are put together.
  @Setting(
    "how state and goal are put together: mlp, branches, attention, tokens, "
      + "decoder, trajectory, trajectory-decoder, trajectory-tokens, interleaved, "
      + "prompted, action-encoder, planner",
    "the log")
  public var form = ModelForm.tokens
  /// Numbers in a token, `D`.
  @Setting("numbers in a token", .width, "the log, 8_2l_32f") public var width = 8
  /// Heads of attention.
  @Setting("heads of attention", .width, "gcsl_example.py") public var heads = 1
  /// Layers of the encoder, or of the only stack.
  @Setting("layers of the encoder, or of the only stack", .layers, "gcsl_example.py")
  public var layers = 2
  /// Layers of the decoder.
  @Setting("layers of the decoder", .layers, "gcsl_example.py") public var decoderLayers = 2
  /// Units of the hidden layer of a transformer's layers.
  @Setting("units of the hidden layer of a transformer's layers", .width, "gcsl_example.py")
  public var feedForward = 32
  /// The activation between a layer's dense layers.
  @Setting("relu or gelu, between a layer's dense layers", "torch's default")
  public var activation = Activation.relu
  /// Whether normalisation comes before attention and dense layers.
  @Setting("whether normalisation comes before a part, else after", "gcsl_example.py")
  public var normFirst = true
  /// Share of numbers that training drops.
  @Setting("share of numbers that training drops; the log's is 0.1", .belowOne, "ours")
  public var dropout = 0.0
  /// How tokens say where they stand.
  @Setting("none, sinusoidal or learned", "the log") public var positions = PositionKind.none
  /// Which tokens do, of a decoder and of trajectory tokens.
  @Setting(
    "all, states or actions: which tokens have positions (decoder, trajectory-tokens)",
    "traj_idm.py")
  public var positionsOf = PositionedTokens.all
  /// Hidden units of the state's embedding.
  @Setting("hidden units of the state's embedding", .widths, "the log")
  public var stateWidths: [Int] = []
  /// The goal's representation.
  @Setting("embedding: of the goal; post: of state and goal, by hiddenWidths", "the log")
  public var goal = GoalTokenKind.post
  /// Hidden units of the goal's embedding; those of the goal-post are `hiddenWidths`.
  @Setting("hidden units of the goal's embedding", .widths, "the log")
  public var goalWidths: [Int] = []
  /// Hidden units between the last token and the action.
  @Setting("hidden units between the token that is read and the action", .widths, "the log")
  public var outWidths: [Int] = []
  /// Which token the action is read at.
  @Setting("state, token or goal: where the action is read", "the log")
  public var reads = ReadToken.token
  /// Whether the head reads the goal's token too.
  @Setting("whether the head reads the goal's token too", "pact.py") public var readsGoal = false
  /// The keys of attention.
  @Setting(
    "goal, both, self or token: what attention looks at, and token: what asks",
    "the log, idm_ssl.py")
  public var keys = AttentionKeys.both
  /// Tokens that are copies of the state.
  @Setting("tokens that are copies of the state", .width, "the log") public var copies = 1
  /// States before and with the present one, 1 for it alone; of a decoder's source and a planner's
  /// input.
  @Setting("states before and with the present one that are read", .width, "the log")
  public var history = 1
  /// How the goal comes to the states.
  @Setting("token, concatenation, film or gate: how states learn of the goal", "the log")
  public var conditioning = ConditioningKind.token
  /// Whether the goal is a token as well, if it comes to the states in another way.
  @Setting("whether the goal is a token besides", "traj_idm_dec.py") public var keepsGoal = false
  /// Which states of a trajectory see which.
  @Setting("all, causal, random-goal, ahead, base, restrictive, pre or diagonal", "masking.py")
  public var mask = TrajectoryMask.all
  /// Steps to the goal, for the mask `ahead`.
  @Setting("steps to the goal, for the mask of that name", .width, "masking.py")
  public var ahead = 10
  /// Whether the states of a trajectory but start and goal are zeros.
  @Setting("whether a trajectory's states but start and goal are zeros", "masking.py")
  public var zeroes = false
  /// Whether the goal's token is added to action tokens.
  @Setting("whether the goal's token is added to action tokens", "idm_ssl.py")
  public var goalInTokens = false
  /// Whether a goal-post of its own is added to the action token.
  @Setting("whether a goal-post is added to the action token (tokens)", "idm_ssl.py")
  public var postInTokens = false
  /// Whether the goal stands before the steps, else after them.
  @Setting("whether the goal stands before the steps, else after them", "dt_gpt.py")
  public var goalFirst = true
  /// Whether outputs are what the last token has in common with the embedding of each action.
  @Setting(
    "whether outputs are products with the actions' embeddings (interleaved)", "pact.py, dt_gpt.py")
  public var tiesActions = false
  /// Action tokens of the form `action-encoder`.
  @Setting("action tokens of the form action-encoder", .width, "the log")
  public var actionTokens = 1
  /// Numbers in a plan.
  @Setting("numbers in a plan; MimicPlay's are 400", .width, "ours") public var planWidth = 32
  /// Places of the way to the goal that a plan says.
  @Setting("places of the way that a plan says", .width, "MimicPlay") public var waypoints = 10
  /// Modes of a plan.
  @Setting("modes of a plan", .width, "MimicPlay") public var planModes = 5

  /// A model of three tokens: state, action token and goal-post.
  public init() {}

  /// Whether the goal is a state of the sequence.
  var hasGoalState: Bool {
    switch form {
    case .trajectory, .trajectoryDecoder: true
    case .interleaved: mask.hasGoalOfEachState
    default: false
    }
  }

  /// Whether it has a goal-post, of the goal's token or of the action token.
  var hasGoalPost: Bool { goal == .post && !hasGoalState || postInTokens }

  /// Whether the goal is a token of its own, in the forms that condition.
  var hasGoalToken: Bool { conditioning == .token || keepsGoal }

  /// Throws `SettingsError` for heads that do not share a token's numbers, and layers that give too
  /// many numbers.
  func validate(batch: Int) throws {
    // Tokens of a row that settings ask for; those of a trajectory follow from the world's horizon.
    let tokens = copies + 2 * history + actionTokens + waypoints
    let numbers = batch * tokens * max(width, feedForward)
    let (scores, isTooMany) = (batch * heads).multipliedReportingOverflow(by: tokens * tokens)
    try Settings.require(
      numbers <= Settings.activations && !isTooMany && scores <= Settings.activations,
      "batchSize",
      "so small that a layer gives at most \(Settings.activations) numbers, of \(tokens) tokens "
        + "a row", found: .integer(batch))
    try Settings.require(
      width % heads == 0, "architecture.width", "a multiple of architecture.heads",
      found: .integer(width))
  }
}
