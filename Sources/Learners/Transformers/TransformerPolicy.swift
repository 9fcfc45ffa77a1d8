internal import Glibc
internal import GoalCore
internal import Replay
internal import Torch

/// A model that acts: a snapshot that no later update changes.
///
/// Its actors make their input by the function that training makes it by. They use libtorch's
/// operators on one row, on the processor; the last bits of their outputs depend on it.
struct TransformerPolicy: GoalPolicy {
  let network: ModelNetwork
  let configuration: GoalTransformer.Configuration
  let maker: ModelInputMaker
  let normalizer: RunningNormalizer
  let choosing: Choosing
  let dropout: Double

  init(
    _ network: ModelNetwork, _ configuration: GoalTransformer.Configuration, maker: ModelInputMaker,
    normalizer: RunningNormalizer, choosing: Choosing, dropout: Double
  ) {
    let device = TorchRuntime.device
    defer { TorchRuntime.device = device }
    TorchRuntime.device = .cpu
    self.network = ModelNetwork(configuration, task: maker.task, head: maker.head, seed: nil)
    for (copy, source) in zip(self.network.named, network.named) {
      copy.tensor.assign(source.tensor)
    }
    (self.configuration, self.maker, self.choosing) = (configuration, maker, choosing)
    self.normalizer = normalizer.copied()
    self.dropout = dropout
  }

  var isCategorical: Bool { if case .choices = maker.head { true } else { false } }

  func makeActor() -> any GoalActor { TransformerActor(self) }
}

/// A model at work in one episode: it remembers what it saw and chose.
private final class TransformerActor: GoalActor {
  private let policy: TransformerPolicy
  private let window: Window?
  private let room: Int  // states that are remembered
  private var goal: [Float] = []
  private var goalState: [Float] = []
  private var states: [[Float]] = []
  private var actions: [Action] = []
  private var steps = 0
  private var choice: ActionChoice?
  private var seed: UInt64 = 0

  init(_ policy: TransformerPolicy) {
    self.policy = policy
    window = policy.configuration.window(horizon: policy.maker.task.spec.horizon)
    let architecture = policy.configuration.architecture
    let needsGoal = architecture.hasGoalState || architecture.form == .trajectoryTokens
    room = max(1, (window?.steps ?? 1) - (needsGoal ? 1 : 0))
  }

  func begin(goal: [Float], seed: UInt64) {
    let task = policy.maker.task
    goalState = [Float](repeating: 0, count: task.spec.observation)
    for (value, place) in zip(goal, task.goalIndices) { goalState[place] = value }
    self.goal = policy.configuration.goals == .full ? goalState : goal
    (states, actions, steps) = ([], [], 0)
    self.seed = seed
    if case .choices(let codec) = policy.maker.head {
      choice = ActionChoice(codec, policy.choosing, seed: seed)
    }
  }

  func act(_ observation: [Float]) -> Action {
    precondition(
      observation.count == policy.maker.task.spec.observation,
      "an observation has \(policy.maker.task.spec.observation) numbers, found \(observation.count)"
    )
    let threads = TorchRuntime.threads
    if threads != 1 { TorchRuntime.threads = 1 }
    defer { if threads != 1 { TorchRuntime.threads = threads } }
    if states.count == room {
      states.removeFirst()
      if !actions.isEmpty { actions.removeFirst() }
    }
    states.append(observation)
    let outputs = withoutGradients { said(of: observation) }
    steps += 1
    let action: Action
    if case .continuous(let scale) = policy.maker.head {
      action = .continuous(scale.world(outputs.map { Float(tanh(Double($0))) }))
    } else {
      action = choice?.action(logits: outputs) ?? .discrete(0)
    }
    if window != nil { actions.append(action) }
    return action
  }

  func logProbability(of action: Action) -> Float? { choice?.logProbability(of: action) }

  func randomAction(from generator: inout Philox) -> Action? {
    choice?.randomAction(from: &generator)
  }

  private func said(of observation: [Float]) -> [Float] {
    let acting = window.map { ActingWindow($0, policy, states, actions, goalState, steps: steps) }
    let input = policy.maker.input(
      observations: observation, goals: goal, window: acting?.columns, rows: 1,
      normalizer: policy.normalizer, number: 0, columns: acting?.goalColumns ?? [])
    let dropout =
      policy.dropout > 0
      ? Dropout(rate: policy.dropout, seed: seed, number: UInt64(steps)) : nil
    let output = policy.network.model(input, dropout)
    let row: Int
    switch output.asked {
    case .first: row = 0
    case .places(let places):
      guard let found = places.firstIndex(of: acting?.read ?? 0) else {
        preconditionFailure("no action was asked for at place \(acting?.read ?? 0) of \(places)")
      }
      row = found
    }
    return output.actions.rows(row..<row + 1).floats
  }
}

/// The window about the present state of an episode, as the sampler would have made it.
struct ActingWindow {
  let columns: WindowColumns
  /// The goal's place for each state, for masks with a goal of each.
  let goalColumns: [Int]
  /// The place that the action is read at.
  let read: Int

  init(
    _ window: Window, _ policy: TransformerPolicy, _ history: [[Float]], _ chosen: [Action],
    _ goalState: [Float], steps done: Int
  ) {
    let (task, quirks) = (policy.maker.task, policy.configuration.quirks)
    let form = policy.configuration.architecture.form
    var columns = WindowColumns(window, rows: 1, spec: task.spec)
    let W = columns.steps
    var states = history.suffix(W)
    let isAlone = form == .decoder && policy.configuration.objectives.imitation.actions == .all
    if isAlone || quirks.actsWithoutHistory { states = states.suffix(1) }
    var first = 0
    if case .before = window { first = W - states.count }
    func put(_ state: [Float], at place: Int) {
      let O = state.count
      columns.observations.replaceSubrange(place * O..<(place + 1) * O, with: state)
      columns.mask[place] = 1
    }
    for (k, state) in states.enumerated() { put(state, at: first + k) }
    let start = first + states.count - 1
    let past = Array(chosen.suffix(states.count - 1))
    for (k, action) in past.enumerated() { columns.put(action, at: start - past.count + k) }
    columns.actionMask[start] = 1
    let left = quirks.oneActingToken ? 1 : max(1, task.spec.horizon - done)
    var goal = min(W - 1, start + left)
    // States are numbered as the episode numbers them, and so are the steps to come.
    for place in 0..<W {
      columns.times[place] = Int32(min(max(0, done + place - start), task.spec.horizon))
    }
    let isTrajectory = policy.configuration.architecture.hasGoalState
    if isTrajectory {
      goal = quirks.goalAtEnd ? W - 1 : start + 1
      put(goalState, at: goal)
    }
    read = isTrajectory && quirks.readsLast ? goal : start
    columns.actionMask[read] = 1
    columns.starts[0] = Int32(start)
    columns.goals[0] = Int32(goal)
    goalColumns = isTrajectory ? [Int](repeating: goal, count: W) : []
    self.columns = columns
  }
}

extension WindowColumns {
  /// Puts an action in a place of the only row.
  fileprivate mutating func put(_ action: Action, at place: Int) {
    actionMask[place] = 1
    switch (action, actions) {
    case (.continuous(let numbers), .continuous(var values)):
      values.replaceSubrange(
        place * numbers.count..<(place + 1) * numbers.count, with: numbers)
      actions = .continuous(values)
    case (.discrete(let number), .discrete(var values)):
      values[place] = Int32(number)
      actions = .discrete(values)
    default: preconditionFailure("an action of another kind than the world's")
    }
  }
}
