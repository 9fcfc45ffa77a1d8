import Glibc
public import GoalCore

/// A policy with a name, ready to act.
public struct NamedPolicy: Sendable {
  /// `random`, `scripted`, or a checkpoint's path.
  public let name: String
  /// The SHA-256 of a checkpoint's policy; empty for the others.
  public let digest: String
  /// The policy.
  public let policy: any GoalPolicy
  /// The source that its own actions are stored as.
  public let source: BehaviourSource

  /// Names a policy; one that comes from no checkpoint has an empty digest.
  public init(
    name: String, digest: String = "", policy: any GoalPolicy, source: BehaviourSource = .policy
  ) {
    self.name = name
    self.digest = digest
    self.policy = policy
    self.source = source
  }
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
