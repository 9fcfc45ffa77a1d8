public import GoalCore

/// Rolls a policy out in a world, one episode at a time.
///
/// An episode is a function of its world seed, the policy and the exploration: neither threads nor
/// earlier episodes matter.
public struct Rollout {
  /// The purpose that separates the exploration's draws from the policy's own.
  private static let explorationStream: UInt64 = 2

  let environment: any GoalEnvironment
  private let actor: any GoalActor
  private let name: String
  private let source: BehaviourSource
  private let exploration: Exploration
  private let keepStates: Bool
  private let endsAtSuccess: Bool

  /// Readies a policy in an environment, both of which it then has to itself.
  ///
  /// An evaluation in a world with named tasks ends at the first success; all else goes on to the
  /// horizon.
  public init(
    environment: any GoalEnvironment, policy: NamedPolicy, exploration: Exploration = .none,
    keepStates: Bool = false, isEvaluation: Bool = false
  ) {
    self.environment = environment
    endsAtSuccess = isEvaluation && environment is any TaskedEnvironment
    actor = policy.policy.makeActor()
    name = policy.name
    source = policy.source
    self.exploration = exploration
    self.keepStates = keepStates
  }

  /// One episode, numbered `index`, of a world seed, and of a kind in a world with named tasks.
  ///
  /// Throws `ExperimentError.actionNotFinite`.
  public func episode(
    index: Int64, seed: UInt64, as kind: EpisodeKind? = nil
  ) throws -> Trajectory {
    try episode(index: index, seed: seed, as: kind) { _ in }
  }

  /// Whether an episode ends with what there is of it.
  func isOver(_ trajectory: Trajectory) -> Bool {
    trajectory.terminated || trajectory.truncated
      || endsAtSuccess && trajectory.successes.last == true
  }

  /// One episode; `watch` sees what there is of it at the start and after each step.
  func episode(
    index: Int64, seed: UInt64, as kind: EpisodeKind? = nil, watch: (Trajectory) throws -> Void
  ) throws -> Trajectory {
    let spec = environment.task.spec
    var shown = environment.reset(seed: seed, as: kind)
    var movesGoals = false
    if case .data(let law) = kind { movesGoals = law.movesGoals }
    actor.begin(goal: shown.desiredGoal, seed: seed)
    var generator = Philox(seed: seed, purpose: Self.explorationStream, index: 0)
    var trajectory = Trajectory(
      index: index, seed: seed, action: spec.action, desiredGoal: shown.desiredGoal)
    trajectory.observations = shown.observation
    trajectory.achievedGoals = shown.achievedGoal
    let restorable = keepStates ? environment as? any RestorableEnvironment : nil
    if let restorable { trajectory.states += restorable.state() }
    try watch(trajectory)
    while true {
      let (action, from) = try explored(
        spec.action.clipped(actor.act(shown.observation), of: name), spec.action, &generator)
      let logProbability = actor.logProbability(of: action)
      let step = environment.step(action)
      trajectory.append(action, from: from, logProbability: logProbability, step: step)
      if let restorable { trajectory.states += restorable.state() }
      if movesGoals {
        trajectory.desiredGoal += step.next.desiredGoal
        if step.next.desiredGoal != shown.desiredGoal {
          (actor as? any AimedActor)?.aim(at: step.next.desiredGoal)
        }
      }
      try watch(trajectory)
      shown = step.next
      if isOver(trajectory) { return trajectory }
    }
  }

  private func explored(
    _ action: Action, _ space: ActionSpace, _ generator: inout Philox
  ) throws -> (Action, BehaviourSource) {
    guard exploration != .none else { return (action, source) }
    var result = action
    var from = source
    if exploration.noise > 0, case .continuous(let values) = action,
      case .continuous(let low, let high) = space
    {
      let noisy = values.indices.map { k in
        let half = Double(high[k] - low[k]) / 2
        return values[k] + Float(exploration.noise * half * generator.normal())
      }
      result = try space.clipped(.continuous(noisy))
      from = .noise
    }
    if generator.unit() < exploration.randomActions {
      return (actor.randomAction(from: &generator) ?? space.uniform(from: &generator), .random)
    }
    return (result, from)
  }
}
