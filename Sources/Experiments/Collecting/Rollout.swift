import Glibc
public import GoalCore

/// What is added to a policy's actions while it collects.
///
///     a ← clip(π(s, g) + noise · h · N(0, 1), low, high),  h half of the action's range
///     with probability randomActions: a ← U(low, high)
///
/// This is how WGCSL collects (github.com/YangRui2015/AWGCSL at d8f1c56, `wgcsl/algo/wgcsl.py`,
/// `get_actions`: noise 0.2, random actions 0.3). Only random actions apply to a world of discrete actions.
/// The random action of a policy that chooses among finitely many actions is one of those, uniformly.
public struct Exploration: Codable, Sendable, Equatable {
  /// Standard deviation of the noise, in halves of the action's range.
  public var noise: Double
  /// Probability of a uniformly random action, at each step.
  public var randomActions: Double

  /// The policy's own actions.
  public static let none = Exploration(noise: 0, randomActions: 0)

  /// Makes an exploration from its two numbers.
  public init(noise: Double, randomActions: Double) {
    precondition(
      OptionRange.noise ~= noise && 0...1 ~= randomActions,
      "noise and a probability in their ranges")
    self.noise = noise
    self.randomActions = randomActions
  }

  /// Throws `ExperimentError.noiseOnChoices` where there is noise for actions that are no numbers.
  func check(for task: GoalTask) throws {
    if noise > 0, case .discrete = task.spec.action {
      throw ExperimentError.noiseOnChoices(world: task.identifier)
    }
  }
}

/// A policy with a name, ready to act.
public struct NamedPolicy: Sendable {
  /// `random`, `scripted`, or a checkpoint's path.
  public let name: String
  /// The SHA-256 of a checkpoint's policy; empty for the others.
  public let digest: String
  /// The policy.
  public let policy: any GoalPolicy
  /// What its own actions count as.
  public let source: BehaviourSource
}

/// Actions drawn uniformly from the space; the draws are keyed by the episode.
struct RandomPolicy: GoalPolicy {
  let action: ActionSpace

  func makeActor() -> any GoalActor { Uniform(action) }

  var isCategorical: Bool { if case .discrete = action { true } else { false } }

  final class Uniform: AimedActor {
    private let action: ActionSpace
    private var generator = Philox(seed: 0, purpose: 0, index: 0)

    init(_ action: ActionSpace) { self.action = action }

    func begin(goal: [Float], seed: UInt64) {
      generator = Philox(seed: seed, purpose: Seeds.policyPurpose, index: 0)
    }

    /// Changes nothing: what is drawn has nothing to do with the goal.
    func aim(at goal: [Float]) {}

    func act(_ observation: [Float]) -> Action { action.uniform(from: &generator) }

    func logProbability(of action: Action) -> Float? {
      if case .discrete(let count) = self.action { -Float(log(Double(count))) } else { nil }
    }
  }
}

extension ActionSpace {
  /// An action drawn uniformly.
  func uniform(from generator: inout Philox) -> Action {
    switch self {
    case .continuous(let low, let high):
      .continuous(
        zip(low, high).map { Float(generator.uniform(Double($0), Double($1))) })
    case .discrete(let count): .discrete(Int(generator.unit() * Double(count)))
    }
  }

  /// A vector moved into the space; discrete actions stay as they are.
  ///
  /// Throws `ExperimentError.actionNotFinite` for a number that is not finite, which no range makes sound.
  func clipped(_ action: Action, of policy: String = "the policy") throws -> Action {
    guard case .continuous(let values) = action, case .continuous(let low, let high) = self else {
      return action
    }
    if let found = values.first(where: { !$0.isFinite }) {
      throw ExperimentError.actionNotFinite(policy: policy, found: found)
    }
    return .continuous(values.indices.map { values[$0].clamped(from: low[$0], to: high[$0]) })
  }
}

/// Rolls a policy out in a world, one episode at a time.
///
/// An episode is a function of its world seed, the policy and the exploration: neither threads nor
/// earlier episodes matter.
public struct Rollout {
  /// What tells the stream of the exploration's draws from that of the policy's own.
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
  /// An evaluation in a world with named tasks ends at the first success; all else goes on to the horizon.
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
