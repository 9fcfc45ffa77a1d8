internal import Torch

/// Dense layers on state and goal side by side, as GCSL's own network; or on functions of each.
struct DenseModel: GoalModel {
  private let branches: (MLP, MLP)?
  private let network: MLP

  init(_ parts: ModelParts) {
    let (sizes, width) = (parts.sizes, parts.width)
    if parts.settings.form == .branches {
      branches = (
        parts.make.mlp("state", [sizes.observation] + parts.settings.stateWidths + [width]),
        parts.make.mlp("goal", [sizes.goal] + parts.settings.goalWidths + [width])
      )
    } else {
      branches = nil
    }
    let inputs = branches == nil ? sizes.observation + sizes.goal : 2 * width
    network = parts.make.mlp("out", [inputs] + parts.hiddenWidths + [sizes.outputs])
  }

  func callAsFunction(_ input: ModelInput, _ dropout: Dropout?) -> ModelOutput {
    let parts = branches.map { [$0.0(input.states), $0.1(input.goals)] }
    let both = Tensor.concatenated(parts ?? [input.states, input.goals], along: 1)
    let outputs = network(both)
    return ModelOutput(actions: outputs, features: outputs)
  }
}

/// Attention whose query is the state, or an action token, without a transformer's dense layers:
/// the log's "msa" and "ma".
struct AttentionModel: GoalModel {
  private let state: RowEmbedding
  private let goal: GoalToken
  private let token: Tensor?
  private let layers: [MultiHeadAttention]
  private let out: OutLayers
  private let settings: ArchitectureSettings

  init(_ parts: ModelParts) {
    settings = parts.settings
    state = parts.stateEmbedding()
    goal = parts.goalToken()
    token =
      settings.keys == .token ? parts.make.embedding("token", rows: 1, width: parts.width) : nil
    layers = (0..<settings.layers).map {
      MultiHeadAttention(
        "attention.\($0)", width: parts.width, heads: parts.settings.heads, parts.make)
    }
    out = parts.out(parts.width)
  }

  func callAsFunction(_ input: ModelInput, _ dropout: Dropout?) -> ModelOutput {
    let states = state(input.states).asToken
    let goals = goal(input.states, input.goals).asToken
    let copies = [Tensor](repeating: states, count: settings.copies)
    let both = Tensor.concatenated(copies + [goals], along: 1)
    var x = token?.token(rows: input.rows) ?? (settings.keys == .mutual ? both : states)
    for layer in layers {
      switch settings.keys {
      case .goal: x = layer(x, keys: goals, dropout: dropout)
      case .both, .token: x = layer(x, keys: both, dropout: dropout)
      case .mutual: x = layer(x, dropout: dropout)
      }
    }
    let read = x.selected(0, along: 1)
    return ModelOutput(actions: out(read, goal: goals.selected(0, along: 1)), features: read)
  }
}

/// A transformer over state, action token and goal: the log's two-token nets, and its act token.
struct TokensModel: GoalModel {
  private let state: RowEmbedding
  private let goal: GoalToken
  private let conditioning: Conditioning
  private let post: MLP?
  private let token: Tensor?
  private let positions: Positions
  private let encoder: TransformerStack
  private let out: OutLayers
  private let layout: TokenLayout
  private let read: TokenRole
  private let settings: ArchitectureSettings

  init(_ parts: ModelParts) {
    settings = parts.settings
    let isWide = settings.conditioning == .concatenation
    let width = isWide ? 2 * parts.width : parts.width
    state = parts.stateEmbedding()
    goal = parts.goalToken()
    conditioning = Conditioning(settings.conditioning, width: parts.width, parts.make)
    post = settings.postInTokens ? parts.postNetwork("token_post") : nil
    var roles = (0..<settings.copies).map(TokenRole.state)
    if settings.reads == .token { roles.append(.actionToken(0)) }
    if settings.hasGoalToken { roles.append(.goal) }
    layout = TokenLayout(roles)
    token = settings.reads == .token ? parts.make.embedding("token", rows: 1, width: width) : nil
    read =
      switch settings.reads {
      case .state: .state(0)
      case .token: .actionToken(0)
      case .goal: .goal
      }
    positions = Positions(
      "positions", settings.positions, places: layout.count, width: width, parts.make)
    encoder = TransformerStack(
      "encoder", layers: settings.layers, parts.layers(width), parts.make)
    out = parts.out(width)
  }

  func callAsFunction(_ input: ModelInput, _ dropout: Dropout?) -> ModelOutput {
    let goals = goal(input.states, input.goals)
    let states = conditioning(state(input.states).asToken, goals, dropout: dropout)
    var asked = token?.token(rows: input.rows) ?? states
    if settings.goalInTokens { asked = asked + goals.asToken }
    if let post {
      asked = asked + post(.concatenated([input.states, input.goals], along: 1)).asToken
    }
    let tokens = layout.roles.map { role -> Tensor in
      switch role {
      case .goal: return conditioning.token(of: goals)
      case .actionToken: return asked
      default: return states
      }
    }
    let x = positions.added(to: .concatenated(tokens, along: 1))
    let y = encoder(x, dropout: dropout).selected(layout.place(of: read), along: 1)
    return ModelOutput(actions: out(y, goal: goals), features: y)
  }
}

/// A transformer's encoder over action tokens, and its decoder over state and goal.
struct ActionEncoderModel: GoalModel {
  private let state: RowEmbedding
  private let goal: GoalToken
  private let tokens: Tensor
  private let encoder: TransformerStack
  private let decoder: TransformerStack
  private let out: OutLayers
  private let layout = TokenLayout([.state(0), .goal])
  private let read: TokenRole

  init(_ parts: ModelParts) {
    state = parts.stateEmbedding()
    goal = parts.goalToken()
    tokens = parts.make.embedding(
      "tokens", rows: parts.settings.actionTokens, width: parts.width)
    encoder = TransformerStack(
      "encoder", layers: parts.settings.layers, parts.layers(ofPair: true), parts.make)
    decoder = TransformerStack(
      "decoder", layers: parts.settings.decoderLayers, parts.layers(ofPair: true),
      attendsToMemory: true, parts.make)
    out = parts.out(parts.width)
    read = parts.settings.reads == .goal ? .goal : .state(0)
  }

  func callAsFunction(_ input: ModelInput, _ dropout: Dropout?) -> ModelOutput {
    let goals = goal(input.states, input.goals)
    let x = Tensor.concatenated([state(input.states).asToken, goals.asToken], along: 1)
    let shape = tokens.shape
    let memory = encoder(tokens.reshaped([1, shape[0], shape[1]]), dropout: dropout)
      .expanded(to: [input.rows, shape[0], shape[1]])
    let y = decoder(x, memory: memory, dropout: dropout)
      .selected(layout.place(of: read), along: 1)
    return ModelOutput(actions: out(y, goal: goals), features: y)
  }
}
