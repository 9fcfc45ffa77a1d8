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
  /// A transformer's decoder over an action token for each state of a trajectory, which attends to that state
  /// and its goal.
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

/// What stands for the goal.
public enum GoalTokenKind: String, SettingChoice {
  /// A function of the goal.
  case embedding
  /// A function of state and goal: the goal-post.
  case post
}

/// What attention of the form `attention` looks at.
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
public struct ArchitectureSettings: Codable, Sendable, Equatable {
  /// How state and goal are put together.
  public var form = ModelForm.tokens
  /// Numbers in a token, `D`.
  public var width = 8
  /// Heads of attention.
  public var heads = 1
  /// Layers of the encoder, or of the only stack.
  public var layers = 2
  /// Layers of the decoder.
  public var decoderLayers = 2
  /// Units of the hidden layer of a transformer's layers.
  public var feedForward = 32
  /// What stands between a layer's dense layers.
  public var activation = Activation.relu
  /// Whether normalisation comes before attention and dense layers.
  public var normFirst = true
  /// Share of numbers that training drops.
  public var dropout = 0.0
  /// How tokens say where they stand.
  public var positions = PositionKind.none
  /// Which tokens do, of a decoder and of trajectory tokens.
  public var positionsOf = PositionedTokens.all
  /// Hidden units of the state's embedding.
  public var stateWidths: [Int] = []
  /// What stands for the goal.
  public var goal = GoalTokenKind.post
  /// Hidden units of the goal's embedding; those of the goal-post are `hiddenWidths`.
  public var goalWidths: [Int] = []
  /// Hidden units between the last token and the action.
  public var outWidths: [Int] = []
  /// Which token the action is read at.
  public var reads = ReadToken.token
  /// Whether the head reads the goal's token too.
  public var readsGoal = false
  /// What attention looks at.
  public var keys = AttentionKeys.both
  /// Tokens that are copies of the state.
  public var copies = 1
  /// States before and with the present one, 1 for it alone; of a decoder's source and a planner's input.
  public var history = 1
  /// How the goal comes to the states.
  public var conditioning = ConditioningKind.token
  /// Whether the goal is a token as well, where it comes to the states in another way.
  public var keepsGoal = false
  /// Which states of a trajectory see which.
  public var mask = TrajectoryMask.all
  /// Steps to the goal, for the mask `ahead`.
  public var ahead = 10
  /// Whether the states of a trajectory but start and goal are zeros.
  public var zeroes = false
  /// Whether the goal's token is added to action tokens.
  public var goalInTokens = false
  /// Whether a goal-post of its own is added to the action token.
  public var postInTokens = false
  /// Whether the goal stands before the steps, else after them.
  public var goalFirst = true
  /// Whether outputs are what the last token has in common with the embedding of each action.
  public var tiesActions = false
  /// Action tokens of the form `action-encoder`.
  public var actionTokens = 1
  /// Numbers in a plan.
  public var planWidth = 32
  /// Places of the way to the goal that a plan says.
  public var waypoints = 10
  /// Modes of a plan.
  public var planModes = 5

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

  /// Whether the goal is a token of its own, in the forms that condition.
  var hasGoalToken: Bool { conditioning == .token || keepsGoal }

  func validate(batch: Int) throws {
    let counts = [
      ("width", width), ("heads", heads), ("layers", layers), ("decoderLayers", decoderLayers),
      ("feedForward", feedForward), ("copies", copies), ("history", history), ("ahead", ahead),
      ("actionTokens", actionTokens), ("planWidth", planWidth), ("waypoints", waypoints),
      ("planModes", planModes),
    ]
    for (name, value) in counts {
      try Settings.require(value, in: SettingRange.width, "architecture." + name)
    }
    for (name, value) in [("layers", layers), ("decoderLayers", decoderLayers)] {
      try Settings.require(
        value, in: 1...SettingRange.layers.upperBound, "architecture." + name)
    }
    // Tokens of a row that settings ask for; those of a trajectory follow from the world's horizon.
    let tokens = copies + 2 * history + actionTokens + waypoints
    let numbers = batch * tokens * max(width, feedForward)
    let (scores, isTooMany) = (batch * heads).multipliedReportingOverflow(by: tokens * tokens)
    try Settings.require(
      numbers <= SettingRange.activations && !isTooMany && scores <= SettingRange.activations,
      "batchSize",
      "so small that a layer gives at most \(SettingRange.activations) numbers, of \(tokens) tokens "
        + "a row", found: .integer(batch))
    try Settings.require(
      width % heads == 0, "architecture.width", "a multiple of architecture.heads",
      found: .integer(width))
    try Settings.require(
      0..<1 ~= dropout, "architecture.dropout", "from 0 up to below 1", found: .number(dropout))
    for (name, widths) in [
      ("stateWidths", stateWidths), ("goalWidths", goalWidths), ("outWidths", outWidths),
    ] {
      try Settings.requireWidths(widths, "architecture." + name)
    }
  }

  static let documentation: [(key: String, meaning: String, source: String)] = [
    (
      "form",
      "how state and goal are put together: mlp, branches, attention, tokens, decoder, trajectory, "
        + "trajectory-decoder, trajectory-tokens, interleaved, prompted, action-encoder, planner",
      "the log"
    ),
    ("width", "numbers in a token", "the log, 8_2l_32f"),
    ("heads", "heads of attention", "gcsl_example.py"),
    ("layers", "layers of the encoder, or of the only stack", "gcsl_example.py"),
    ("decoderLayers", "layers of the decoder", "gcsl_example.py"),
    ("feedForward", "units of the hidden layer of a transformer's layers", "gcsl_example.py"),
    ("activation", "relu or gelu, between a layer's dense layers", "torch's default"),
    ("normFirst", "whether normalisation comes before a part, else after", "gcsl_example.py"),
    ("dropout", "share of numbers that training drops; the log's is 0.1", "ours"),
    ("positions", "none, sinusoidal or learned", "the log"),
    (
      "positionsOf",
      "all, states or actions: which tokens have positions (decoder, "
        + "trajectory-tokens)", "traj_idm.py"
    ),
    ("stateWidths", "hidden units of the state's embedding", "the log"),
    ("goal", "embedding: of the goal; post: of state and goal, by hiddenWidths", "the log"),
    ("goalWidths", "hidden units of the goal's embedding", "the log"),
    ("outWidths", "hidden units between the token that is read and the action", "the log"),
    ("reads", "state, token or goal: where the action is read", "the log"),
    ("readsGoal", "whether the head reads the goal's token too", "pact.py"),
    (
      "keys", "goal, both, self or token: what attention looks at, and token: what asks",
      "the log, idm_ssl.py"
    ),
    ("copies", "tokens that are copies of the state", "the log"),
    ("history", "states before and with the present one that are read", "the log"),
    ("conditioning", "token, concatenation, film or gate: how states learn of the goal", "the log"),
    ("keepsGoal", "whether the goal is a token besides", "traj_idm_dec.py"),
    (
      "mask", "all, causal, random-goal, ahead, base, restrictive, pre or diagonal", "masking.py"
    ),
    ("ahead", "steps to the goal, for the mask of that name", "masking.py"),
    ("zeroes", "whether a trajectory's states but start and goal are zeros", "masking.py"),
    ("goalInTokens", "whether the goal's token is added to action tokens", "idm_ssl.py"),
    ("postInTokens", "whether a goal-post is added to the action token (tokens)", "idm_ssl.py"),
    ("goalFirst", "whether the goal stands before the steps, else after them", "dt_gpt.py"),
    (
      "tiesActions", "whether outputs are products with the actions' embeddings (interleaved)",
      "pact.py, dt_gpt.py"
    ),
    ("actionTokens", "action tokens of the form action-encoder", "the log"),
    ("planWidth", "numbers in a plan; MimicPlay's are 400", "ours"),
    ("waypoints", "places of the way that a plan says", "MimicPlay"),
    ("planModes", "modes of a plan", "MimicPlay"),
  ].map { ("architecture." + $0.0, $0.1, $0.2) }
}
