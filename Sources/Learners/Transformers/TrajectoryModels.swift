internal import Torch

/// A transformer over the states of a trajectory, one of which is the goal: the log's
/// inverse-dynamics transformer.
///
/// In the form `trajectory-decoder` it is a decoder over one action token a state, which attends to
/// that state and its goal only.
///
/// Shapes: `B` rows, `W` states, `D` numbers in a token.
struct TrajectoryModel: GoalModel {
  private let state: RowEmbedding
  private let positions: Positions
  private let stack: TransformerStack
  private let token: Tensor?
  private let masked: Tensor?
  private let out: OutLayers
  private let asksForAll: Bool
  private let settings: ArchitectureSettings
  private let quirks: QuirkSettings

  init(_ parts: ModelParts) {
    (settings, quirks, asksForAll) = (parts.settings, parts.quirks, parts.asksForAll)
    // The token is drawn and kept; frozen, no gradient reaches it.
    let decodesTokens = settings.form == .trajectoryDecoder
    state = parts.stateEmbedding()
    positions = Positions(
      "positions", settings.positions, places: parts.sizes.places, width: parts.width, parts.make)
    token = decodesTokens ? parts.make.embedding("token", rows: 1, width: parts.width) : nil
    stack = TransformerStack(
      decodesTokens ? "decoder" : "encoder", layers: settings.layers, parts.layers(),
      attendsToMemory: decodesTokens, parts.make)
    out = parts.out(parts.width)
    masked =
      parts.objectives.distillation.maskedWeight > 0
      ? parts.make.embedding("masked", rows: 1, width: parts.width) : nil
  }

  func callAsFunction(_ input: ModelInput, _ dropout: Dropout?) -> ModelOutput {
    guard let sequence = input.sequence else { preconditionFailure("a trajectory is needed") }
    let (B, W) = (input.rows, sequence.steps)
    var states = state(sequence.states)
    if let masked, let hidden = input.masked {
      let isMasked = Tensor(hidden, shape: [B, W, 1])
      states = states + isMasked * (masked.token(rows: B) - states)
    }
    if settings.zeroes { states = states * shown(sequence, rows: B) }
    let x = settings.positions == .none ? states : dropout(positions.added(to: states))
    let bias = AttentionBias.of(
      sees(sequence, rows: B), rows: maskIsOfRow(sequence) ? B : 1, queries: W, keys: W)
    let y: Tensor
    if let token {
      let tokens = (quirks.freezesToken ? token.detached() : token).token(rows: B).expanded(to: [
        B, W, settings.width,
      ])
      let alone = AttentionBias.of(
        TrajectoryMask.diagonal.matrix(states: W, start: 0, goal: 0), rows: 1, queries: W, keys: W)
      y = stack(tokens, bias: alone, memory: x, memoryBias: bias, dropout: dropout)
    } else {
      y = stack(x, bias: bias, dropout: dropout)
    }
    let asked = (0..<B * W).filter { isAsked($0 / W, $0 % W, sequence) }
    let read = y.flattened.rows(asked.map { Int64($0) })
    var output = ModelOutput(actions: out(read), asked: .places(asked), features: read)
    if masked != nil { output.tokens = (y.flattened, out(y.flattened)) }
    return output
  }

  private func isAsked(_ row: Int, _ place: Int, _ sequence: ModelInput.Sequence) -> Bool {
    guard sequence.acts[row * sequence.steps + place] else { return false }
    if settings.mask.hasGoalOfEachState { return place < sequence.columns.count }
    let (start, goal) = (sequence.starts[row], sequence.goals[row])
    if !asksForAll { return place == start }
    return start <= place && (place < goal || quirks.asksAtGoal && place == goal)
  }

  /// Whether rows differ in what is seen: by start and goal, or by padding.
  private func maskIsOfRow(_ sequence: ModelInput.Sequence) -> Bool {
    settings.mask.isOfRow || sequence.holds.contains(false)
  }

  private func sees(_ sequence: ModelInput.Sequence, rows: Int) -> [Bool] {
    let W = sequence.steps
    let isAlone = settings.form == .trajectoryDecoder
    return (0..<(maskIsOfRow(sequence) ? rows : 1)).flatMap { row in
      (0..<W * W).map { pair in
        let (q, k) = (pair / W, pair % W)
        guard sequence.holds[row * W + k] || k == q else { return false }
        let column = q < sequence.columns.count ? sequence.columns[q] : nil
        if isAlone { return k == q || k == column }
        return settings.mask.sees(
          q, k, start: sequence.starts[row], goal: sequence.goals[row], column: column)
      }
    }
  }

  /// 1 for start and goal, `[B, W, 1]`.
  private func shown(_ sequence: ModelInput.Sequence, rows: Int) -> Tensor {
    let W = sequence.steps
    let values = (0..<rows * W).map { place -> Float in
      place % W == sequence.starts[place / W] || place % W == sequence.goals[place / W] ? 1 : 0
    }
    return Tensor(values, shape: [rows, W, 1])
  }
}

/// A transformer over the states up to the present one, action tokens up to the goal, and the goal;
/// then, for masks that show them, the states after the goal.
///
/// If it is asked for, a last token says the goal that will have been reached.
///
///     s_0 ... s_i  a_i ... a_{j−1}  g  s_{j+1} ...
///
/// Masks are over the tokens: start is the state's, goal the goal's. Positions are those of the
/// sequence, or, for action tokens alone, of the steps that their actions are for. Shapes as above.
struct TrajectoryTokensModel: GoalModel {
  private let state: RowEmbedding
  private let goal: GoalToken
  private let token: Tensor
  private let positions: Positions
  private let encoder: TransformerStack
  private let out: OutLayers
  private let reached: (token: Tensor, head: Linear)?
  private let asksForAll: Bool
  private let settings: ArchitectureSettings
  private let quirks: QuirkSettings

  init(_ parts: ModelParts, saysReached: Bool) {
    (settings, quirks, asksForAll) = (parts.settings, parts.quirks, parts.asksForAll)
    state = parts.stateEmbedding()
    goal = parts.goalToken()
    token = parts.make.embedding("token", rows: 1, width: parts.width)
    positions = Positions(
      "positions", settings.positions,
      places: settings.positionsOf == .all ? parts.sizes.places + 2 : parts.sizes.times,
      width: parts.width, parts.make)
    encoder = TransformerStack(
      "encoder", layers: settings.layers, parts.layers(), parts.make)
    out = parts.out(parts.width)
    reached =
      saysReached
      ? (
        parts.make.embedding("reached", rows: 1, width: parts.width),
        parts.make.linear("reached_head", parts.width + parts.sizes.outputs, parts.sizes.goal)
      ) : nil
  }

  func callAsFunction(_ input: ModelInput, _ dropout: Dropout?) -> ModelOutput {
    guard let sequence = input.sequence else { preconditionFailure("a trajectory is needed") }
    let (B, W) = (input.rows, sequence.steps)
    let goals = goal(input.states, input.goals)
    // A row's bank of tokens: its states, the action token, the goal and what is reached.
    var bank = [state(sequence.states), token.token(rows: B), goals.asToken]
    if settings.goalInTokens { bank[1] = bank[1] + goals.asToken }
    if let reached { bank.append(reached.token.token(rows: B)) }
    let kinds = W + bank.count - 1
    let count = W + 1 + (reached == nil ? 0 : 1)
    var (chosen, sees, asked, places): ([Int64], [Bool], [Int64], [Int]) = ([], [], [], [])
    var times: [Int64?] = []
    for row in 0..<B {
      let (start, last) = (sequence.starts[row], min(sequence.goals[row], W - 1))
      for place in 0..<count {
        var (kind, isShown) = (place, true)
        switch place {
        case W + 1: kind = W + 2
        case ...start: isShown = sequence.holds[row * W + place]
        case ...last: kind = W
        case last + 1: kind = W + 1
        default:
          kind = place - 1
          isShown = sequence.holds[row * W + kind]
        }
        if isShown, place <= W {
          let first = quirks.hidesStart ? start + 1 : start
          isShown = settings.mask.sees(start, place, start: first, goal: last + 1)
        }
        times.append(time(of: place, start: start, last: last))
        chosen.append(Int64(row * kinds + kind))
        sees.append(isShown)
        let isToken = start < place && place <= last
        let action = place - 1
        let isAsked = isToken || quirks.asksAtGoal && place == last + 1
        if isAsked, asksForAll || action == start,
          action < W, sequence.acts[row * W + action]
        {
          asked.append(Int64(row * count + place))
          places.append(row * W + action)
        }
      }
    }
    let tokens = Tensor.concatenated(bank, along: 1).flattened.rows(chosen)
    let x = placed(tokens.reshaped([B, count, settings.width]), times)
    let bias = AttentionBias.of(sees, rows: B, queries: 1, keys: count)
    let y = encoder(x, bias: bias, dropout: dropout).flattened
    let read = y.rows(asked)
    var output = ModelOutput(actions: out(read), asked: .places(places), features: read)
    if let reached {
      output.reached = Reached(
        token: y.rows((0..<B).map { Int64($0 * count + count - 1) }), head: reached.head)
    }
    return output
  }

  /// The step whose position a token has, if not all have those of the sequence.
  private func time(of place: Int, start: Int, last: Int) -> Int64? {
    switch settings.positionsOf {
    case .all: nil
    case .states: place <= start ? Int64(place) : nil
    case .actions: start < place && place <= last ? Int64(place - 1) : nil
    }
  }

  /// Tokens `[B, T, D]` with their positions.
  private func placed(_ x: Tensor, _ times: [Int64?]) -> Tensor {
    guard settings.positionsOf != .all else { return positions.added(to: x) }
    let shown = Tensor(
      times.map { $0 == nil ? 0 : 1 } as [Float], shape: [x.shape[0], x.shape[1], 1])
    return x + shown * (positions.added(to: x, at: times.map { $0 ?? 0 }) - x)
  }
}
