/// Where an applied action came from, as stored in `/behaviour/sources`.
public enum BehaviourSource: UInt8, Codable, Sendable, CaseIterable {
  /// The policy's own action.
  case policy = 0
  /// The policy's action with noise added.
  case noise = 1
  /// An action drawn uniformly from the space.
  case random = 2
}

/// A policy at work in one episode.
///
/// It may remember what it saw since `begin`.
public protocol GoalActor: AnyObject {
  /// Starts an episode towards a goal `[G]`; `seed` keys whatever the policy draws by itself.
  func begin(goal: [Float], seed: UInt64)
  /// The action for an observation `[O]`.
  func act(_ observation: [Float]) -> Action
  /// ln π(a | s, g) of an action at the observation of the last `act`; nil for a policy that is not
  /// categorical.
  func logProbability(of action: Action) -> Float?
  /// One of the actions that the policy chooses among, all alike; nil if that is any action of the
  /// space.
  func randomAction(from generator: inout Philox) -> Action?
}

extension GoalActor {
  /// Nil, as of a policy that gives any action of the space.
  public func randomAction(from generator: inout Philox) -> Action? { nil }

  /// Nil, as of a policy that is not categorical.
  public func logProbability(of action: Action) -> Float? { nil }
}

/// Something that acts: a scripted expert, a random policy, or a checkpoint.
public protocol GoalPolicy: Sendable {
  /// Makes an actor for one thread; it is used for many episodes, one after the other.
  func makeActor() -> any GoalActor
  /// Whether it chooses among finitely many actions, so that each has a probability.
  var isCategorical: Bool { get }
}

extension GoalPolicy {
  /// False.
  public var isCategorical: Bool { false }
}
