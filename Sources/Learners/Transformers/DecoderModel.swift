internal import Torch

/// A transformer's encoder over states and goal, and its decoder over action tokens: the log's
/// single-act and all-act decoders.
///
/// It can read states before the present one. The goal comes by FiLM, gate or concatenation, with a
/// token of its own or in place of it.
///
/// The position of a state is the number of its step in the episode, and so is that of an action
/// token.
///
/// Shapes: `B` rows, `W` places, `D` numbers in a token.
struct DecoderModel: GoalModel {
  private let state: RowEmbedding
  private let goal: GoalToken
  private let conditioning: Conditioning
  private let token: Tensor
  private let places: Positions
  private let times: Positions
  private let encoder: TransformerStack
  private let decoder: TransformerStack
  private let out: OutLayers
  private let asksForAll: Bool
  private let settings: ArchitectureSettings
  private let quirks: QuirkSettings

  init(_ parts: ModelParts) {
    (settings, quirks, asksForAll) = (parts.settings, parts.quirks, parts.asksForAll)
    let width = settings.conditioning == .concatenation ? 2 * parts.width : parts.width
    state = parts.stateEmbedding()
    goal = parts.goalToken()
    conditioning = Conditioning(settings.conditioning, width: parts.width, parts.make)
    token = parts.make.embedding("token", rows: 1, width: width)
    places = Positions(
      "places", settings.positionsOf == .actions ? .none : settings.positions,
      places: parts.sizes.times, width: parts.width, parts.make)
    let kind = settings.positionsOf == .states ? .none : settings.positions
    // Tokens of one kind are told apart by their numbers.
    times = Positions(
      "times", asksForAll && kind == .none ? .learned : kind, places: parts.sizes.times,
      width: width, parts.make)
    encoder = TransformerStack(
      "encoder", layers: settings.layers, parts.layers(width, ofPair: true), parts.make)
    decoder = TransformerStack(
      "decoder", layers: settings.decoderLayers, parts.layers(width, ofPair: true),
      attendsToMemory: true, parts.make)
    out = parts.out(width)
  }

  func callAsFunction(_ input: ModelInput, _ dropout: Dropout?) -> ModelOutput {
    let goals = goal(input.states, input.goals)
    let (source, bias) = encoded(input, goals, dropout)
    let memory = encoder(source, bias: bias, dropout: dropout)
    var x = token.token(rows: input.rows)
    guard asksForAll, let sequence = input.sequence else {
      if let sequence = input.sequence {
        let W = sequence.steps
        x = times.added(
          to: x, at: sequence.starts.enumerated().map { sequence.times[$0 * W + $1] })
      }
      if settings.goalInTokens { x = x + goals.asToken }
      let y = decoder(x, memory: memory, memoryBias: bias, dropout: dropout)
        .selected(0, along: 1)
      return ModelOutput(actions: out(y, goal: goals), features: y)
    }
    let count = sequence.steps
    x = times.added(
      to: x.expanded(to: [input.rows, count, x.shape[2]]), at: sequence.times)
    if settings.goalInTokens { x = x + goals.asToken }
    // Tokens beyond the goal are hidden.
    let steps = (0..<input.rows).map { row in
      max(1, sequence.goals[row] - sequence.starts[row] + (quirks.asksAtGoal ? 1 : 0))
    }
    let hidden = AttentionBias.of(
      (0..<input.rows * count).map { $0 % count < steps[$0 / count] }, rows: input.rows, queries: 1,
      keys: count)
    let y = decoder(x, bias: hidden, memory: memory, memoryBias: bias, dropout: dropout)
    let asked = (0..<input.rows * count).filter { place in
      sequence.acts[place] && place % count < steps[place / count]
    }
    let read = y.flattened.rows(asked.map { Int64($0) })
    return ModelOutput(actions: out(read), asked: .places(asked), features: read)
  }

  /// The encoder's tokens, and the bias that hides padding.
  private func encoded(
    _ input: ModelInput, _ goals: Tensor, _ dropout: Dropout?
  ) -> (Tensor, Tensor?) {
    let hasGoal = settings.hasGoalToken
    let token = conditioning.token(of: goals)
    guard settings.history > 1, !asksForAll, let sequence = input.sequence else {
      var states = state(input.states).asToken
      if let sequence = input.sequence {
        let W = sequence.steps
        states = places.added(
          to: states, at: sequence.starts.enumerated().map { sequence.times[$0 * W + $1] })
      }
      states = conditioning(states, goals, dropout: dropout)
      return (hasGoal ? .concatenated([states, token], along: 1) : states, nil)
    }
    let states = conditioning(
      places.added(to: state(sequence.states), at: sequence.times), goals, dropout: dropout)
    let (W, tokens) = (sequence.steps, sequence.steps + (hasGoal ? 1 : 0))
    let sees = (0..<input.rows * tokens).map { key -> Bool in
      let (row, place) = (key / tokens, key % tokens)
      if place == W { return true }
      return settings.mask == .restrictive
        ? place == sequence.starts[row] : sequence.holds[row * W + place]
    }
    return (
      hasGoal ? .concatenated([states, token], along: 1) : states,
      AttentionBias.of(sees, rows: input.rows, queries: 1, keys: tokens)
    )
  }
}
