internal import Torch

/// A causal transformer over goal, states and actions by turns: PACT's and the decision
/// transformer's, without returns and with a goal.
///
/// An action is read at its state's token.
///
///     goal first   g s_0 a_0 s_1 a_1 ...        goal last   s_0 a_0 s_1 a_1 ... g
///
/// Under the masks `random-goal` and `ahead` the sequence is a whole trajectory without a goal
/// token. Each state and its action see what stands before them, and one later state, their goal.
/// That is the log's first model of this kind (github.com/miladsamim/GCRL at 63b1e7e,
/// `gcsl/gcsl/algo/masking.py`, `even_only`). The log draws a goal for each token, which can be the
/// token itself; here a state and its action share one. With more than one layer a goal's token has
/// seen the action that is asked for, which is so in the log's too; in acting it has seen zeros
/// there.
///
/// Bonatti et al., "PACT: Perception-Action Causal Transformer for Autoregressive Robotics
/// Pre-Training", 2022, arXiv:2209.11133. Chen et al., "Decision Transformer", NeurIPS 2021,
/// arXiv:2106.01345. Next states are predicted as observations, from the tokens of state and action
/// together, as in PACT, or from those of state and goal. A goal-post is that of the first state,
/// from which all steps go on. Outputs may be tied to the actions' embeddings, as in the log's
/// `pact.py` and `dt_gpt.py`. Then they are products of the last token with the columns of their
/// matrix, after a rectifier if it has layers.
///
/// Shapes: `B` rows, `W` steps, `D` numbers in a token.
struct InterleavedModel: GoalModel {
  private let state: RowEmbedding
  private let goal: GoalToken?  // nil if the goal is a state of the sequence
  private let action: RowEmbedding
  private let times: Positions
  private let stack: TransformerStack
  private let out: OutLayers
  private let next: NextStateHead?
  private let nextReads: NextStateReads
  private let settings: ArchitectureSettings

  init(_ parts: ModelParts, saysNextStates: Bool) {
    settings = parts.settings
    nextReads = parts.objectives.nextState.reads
    state = parts.stateEmbedding()
    goal = settings.mask.hasGoalOfEachState ? nil : parts.goalToken()
    let actions = parts.make.linear("action.0", parts.sizes.outputs, parts.width)
    action = RowEmbedding(MLP([actions]))
    times = Positions(
      "times", settings.positions, places: parts.sizes.places, width: parts.width, parts.make)
    stack = TransformerStack(
      "encoder", layers: settings.layers, parts.layers(), parts.make)
    out = settings.tiesActions ? parts.out(tiedTo: actions.weight) : parts.out(parts.width)
    next = saysNextStates ? NextStateHead(parts) : nil
  }

  func callAsFunction(_ input: ModelInput, _ dropout: Dropout?) -> ModelOutput {
    guard let sequence = input.sequence else { preconditionFailure("a trajectory is needed") }
    let (B, W, D) = (input.rows, sequence.steps, settings.width)
    let states = times.added(to: state(sequence.states))
    let actions = times.added(to: action(sequence.actions))
    let goals = goal?(sequence.first, input.goals)
    let steps = Tensor.concatenated(
      [states.reshaped([B, W, 1, D]), actions.reshaped([B, W, 1, D])], along: 2
    ).reshaped([B, 2 * W, D])
    let pairs = (0..<W).flatMap { [TokenRole.state($0), .action($0)] }
    let roles = goals == nil ? pairs : settings.goalFirst ? [.goal] + pairs : pairs + [.goal]
    let layout = TokenLayout(roles)
    let tokens =
      goals.map { settings.goalFirst ? [$0.asToken, steps] : [steps, $0.asToken] } ?? [steps]
    let bias = goals == nil ? goalBias(sequence, rows: B) : AttentionBias.causal(layout.count)
    let y = stack(.concatenated(tokens, along: 1), bias: bias, dropout: dropout).flattened
    func rows(_ places: [Int], _ role: (Int) -> TokenRole) -> Tensor {
      let within = (0..<W).map { layout.place(of: role($0)) }
      return y.rows(places.map { Int64($0 / W * layout.count + within[$0 % W]) })
    }
    // A state that has no goal is not asked.
    let asked = (0..<B * W).filter {
      sequence.acts[$0] && (goals != nil || $0 % W < sequence.columns.count)
    }
    let read = rows(asked) { .state($0) }
    let goalsRead = settings.readsGoal ? goals?.rows(asked.map { Int64($0 / W) }) : nil
    var output = ModelOutput(
      actions: out(read, goal: goalsRead), asked: .places(asked), features: read)
    if let next {
      let all = Array(0..<B * W)
      let beside: Tensor
      if nextReads == .goal, let goals {
        beside = goals.rows(all.map { Int64($0 / W) })
      } else {
        beside = rows(all) { .action($0) }
      }
      output.nextStates = next(rows(all) { .state($0) }, beside).reshaped([B, W, -1])
    }
    return output
  }

  /// What states and their actions see where each has a later state for its goal.
  private func goalBias(_ sequence: ModelInput.Sequence, rows: Int) -> Tensor {
    let T = 2 * sequence.steps
    let count = sequence.holds.contains(false) ? rows : 1
    let sees = (0..<count * T * T).map { pair -> Bool in
      let (row, q, k) = (pair / (T * T), pair / T % T, pair % T)
      guard sequence.holds[row * sequence.steps + k / 2] else { return k == q }
      let hasGoal = q / 2 < sequence.columns.count
      return k <= q || hasGoal && k == 2 * sequence.columns[q / 2]
    }
    return AttentionBias.of(sees, rows: count, queries: T, keys: T)
  }
}

/// Says the next state from two tokens: of the state, and of its action or the goal, `[N, O]`.
struct NextStateHead {
  private let layer: MLP

  init(_ parts: ModelParts) {
    let hidden = parts.objectives.nextState.widths
    layer = parts.make.mlp("next", [2 * parts.width] + hidden + [parts.sizes.observation])
  }

  func callAsFunction(_ state: Tensor, _ other: Tensor) -> Tensor {
    layer(.concatenated([state, other], along: 1))
  }
}

/// A causal transformer over states and actions by turns whose every layer first attends to the
/// goal, as VIMA's controller attends to its prompt.
///
///     x ← x + attention(norm(x), goal),  x ← x + W(a ⊙ gelu(b)), [a, b] = V norm(x),  x ← block(x)
///
/// Jiang et al., "VIMA: General Robot Manipulation with Multimodal Prompts", ICML 2023,
/// arXiv:2210.03094, `XAttnGPT`. The prompt is one token here, so each query takes all of it.
///
/// Shapes as above.
struct PromptedModel: GoalModel {
  private struct Layer {
    let norms: [LayerNorm]
    let attention: MultiHeadAttention
    let widening: Linear
    let narrowing: Linear
    let block: TransformerLayer
  }

  private let state: RowEmbedding
  private let goal: GoalToken
  private let action: RowEmbedding
  private let times: Positions
  private let layers: [Layer]
  private let norm: LayerNorm
  private let out: OutLayers
  private let settings: ArchitectureSettings

  init(_ parts: ModelParts) {
    settings = parts.settings
    let (make, width, hidden) = (parts.make, parts.width, parts.settings.feedForward)
    state = parts.stateEmbedding()
    goal = parts.goalToken()
    action = RowEmbedding(make.mlp("action", [parts.sizes.outputs, width]))
    times = Positions(
      "times", settings.positions, places: parts.sizes.places, width: width, make)
    layers = (0..<settings.layers).map { k in
      Layer(
        norms: ["norm1", "norm2"].map { make.norm("prompt.\(k).\($0)", width) },
        attention: MultiHeadAttention(
          "prompt.\(k).attention", width: width, heads: parts.settings.heads, make),
        widening: make.linear("prompt.\(k).linear1", width, 2 * hidden),
        narrowing: make.linear("prompt.\(k).linear2", hidden, width),
        block: TransformerLayer("layers.\(k)", parts.layers(), make))
    }
    norm = make.norm("norm", width)
    out = parts.out(width)
  }

  func callAsFunction(_ input: ModelInput, _ dropout: Dropout?) -> ModelOutput {
    guard let sequence = input.sequence else { preconditionFailure("a trajectory is needed") }
    let (B, W, D) = (input.rows, sequence.steps, settings.width)
    let goals = goal(sequence.first, input.goals)
    let states = times.added(to: state(sequence.states)).reshaped([B, W, 1, D])
    let actions = times.added(to: action(sequence.actions)).reshaped([B, W, 1, D])
    var x = Tensor.concatenated([states, actions], along: 2).reshaped([B, 2 * W, D])
    let bias = AttentionBias.causal(2 * W)
    for layer in layers {
      x = x + dropout(layer.attention(layer.norms[0](x), keys: goals.asToken, dropout: dropout))
      let wide = layer.widening(layer.norms[1](x))
      let (a, b) = (
        wide.narrowed(0..<settings.feedForward, along: 2),
        wide.narrowed(settings.feedForward..<2 * settings.feedForward, along: 2)
      )
      x = x + dropout(layer.narrowing(a * b.gelu()))
      x = layer.block(x, bias: bias, dropout: dropout)
    }
    let asked = (0..<B * W).filter { sequence.acts[$0] }
    let layout = TokenLayout((0..<W).flatMap { [TokenRole.state($0), .action($0)] })
    let within = (0..<W).map { layout.place(of: .state($0)) }
    let read = norm(x).flattened.rows(
      asked.map { Int64($0 / W * layout.count + within[$0 % W]) })
    let goalsRead = settings.readsGoal ? goals.rows(asked.map { Int64($0 / W) }) : nil
    return ModelOutput(
      actions: out(read, goal: goalsRead), asked: .places(asked), features: read)
  }
}
