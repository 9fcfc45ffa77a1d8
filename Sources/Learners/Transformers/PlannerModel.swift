internal import Glibc
internal import GoalCore
internal import Torch

/// MimicPlay's two levels for states of few numbers: a plan of the way to the goal, and a
/// transformer over the plan and the latest states that says the action.
///
///     high   z = MLP(s_t, g),   p(w | z) = Σ_k π_k(z) N(w; μ_k(z), σ_k(z)),
///            w the achieved goals of n states evenly spaced from t to the goal
///     low    π(a | z, s_{t−h+1} ... s_t), a causal transformer over the plan and the states
///     loss = imitation − ln p(w | z) / (n G)
///
/// Wang et al., "MimicPlay: Long-Horizon Imitation Learning by Watching Human Play", CoRL 2023,
/// arXiv:2302.12422. It differs from the paper in: 1. goals and states are numbers, not images; 2.
/// both levels are trained at once on the same data, and no gradient of the low level reaches the
/// plan; 3. the low level's head is the learner's, where the paper's is a mixture.
///
/// Shapes: `B` rows, `W` places, `G` achieved goal, `n` waypoints, `M` modes.
struct PlannerModel: GoalModel {
  private let plan: MLP
  private let modes: MLP
  private let planToken: RowEmbedding
  private let state: RowEmbedding
  private let positions: Positions
  private let encoder: TransformerStack
  private let out: OutLayers
  private let settings: ArchitectureSettings
  private let goalIndices: [Int]

  init(_ parts: ModelParts, goalIndices: [Int]) {
    settings = parts.settings
    self.goalIndices = goalIndices
    let (sizes, make) = (parts.sizes, parts.make)
    plan = make.mlp(
      "plan", [sizes.observation + sizes.goal] + parts.hiddenWidths + [settings.planWidth])
    let way = settings.waypoints * goalIndices.count
    modes = make.mlp("modes", [settings.planWidth, settings.planModes * (1 + 2 * way)])
    planToken = RowEmbedding(make.mlp("plan_token", [settings.planWidth, parts.width]))
    state = parts.stateEmbedding()
    positions = Positions(
      "positions", settings.positions, places: settings.history, width: parts.width, make)
    encoder = TransformerStack(
      "encoder", layers: settings.layers, parts.layers(), make)
    out = parts.out(parts.width)
  }

  func callAsFunction(_ input: ModelInput, _ dropout: Dropout?) -> ModelOutput {
    guard let sequence = input.sequence else { preconditionFailure("a trajectory is needed") }
    let (B, W, h) = (input.rows, sequence.steps, settings.history)
    let z = plan(.concatenated([input.states, input.goals], along: 1))  // [B, P]
    // The latest states, of which the first is repeated if there are fewer.
    let latest = (0..<B * h).map { place -> Int64 in
      let (row, k) = (place / h, place % h)
      return Int64(row * W + max(0, sequence.starts[row] - (h - 1 - k)))
    }
    let states = positions.added(
      to: state(sequence.states.flattened.rows(latest)).reshaped([B, h, settings.width]))
    let layout = TokenLayout([.goal] + (0..<h).map(TokenRole.state))
    let tokens = Tensor.concatenated([planToken(z.detached()).asToken, states], along: 1)
    let y = encoder(tokens, bias: AttentionBias.causal(layout.count), dropout: dropout)
      .selected(layout.place(of: .state(h - 1)), along: 1)
    var output = ModelOutput(actions: out(y), features: y)
    output.planLoss = loss(of: z, sequence, rows: B)
    return output
  }

  /// −ln p(w | z) / (n G), `[]`, over the rows whose goal is in the window; nil if none is.
  private func loss(of z: Tensor, _ sequence: ModelInput.Sequence, rows: Int) -> Tensor? {
    let (W, n, M, G) = (
      sequence.steps, settings.waypoints, settings.planModes, goalIndices.count
    )
    let known = (0..<rows).filter {
      sequence.goals[$0] < W && sequence.holds[$0 * W + sequence.goals[$0]]
    }
    guard !known.isEmpty, sequence.goals.allSatisfy({ $0 >= 0 }) else { return nil }
    let states = sequence.states.floats
    let O = states.count / (rows * W)
    var way: [Float] = []
    for row in known {
      let (start, goal) = (Double(sequence.starts[row]), Double(sequence.goals[row]))
      for k in 1...n {
        let place = Int((start + (goal - start) * Double(k) / Double(n)).rounded())
        way += goalIndices.map { states[(row * W + place) * O + $0] }
      }
    }
    let raw = modes(z.rows(known.map { Int64($0) }))  // [N, M (1 + 2 n G)]
    let (N, D) = (known.count, n * G)
    let means = raw.narrowed(M..<M + M * D, along: 1).reshaped([N, M, D])
    let logDeviations = raw.narrowed(M + M * D..<M + 2 * M * D, along: 1)
      .reshaped([N, M, D]).clamped(to: -5...2)
    let differences = Tensor(way, shape: [N, 1, D]) - means
    let squares = (differences / logDeviations.exp()).squared() * -0.5
    let constant: Double = -0.5 * log(2 * Double.pi)
    let terms = (squares - logDeviations) + constant  // ln N of each number, [N, M, n G]
    let weights = raw.narrowed(0..<M, along: 1).logSoftmax()  // [N, M]
    return (terms.sum(along: -1) + weights).logSumExp().mean() * (-1 / Double(D))
  }
}
