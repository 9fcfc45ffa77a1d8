/// An expert in code that has no memory: its action is a function of the observation and the goal.
public struct ScriptedPolicy: GoalPolicy {
  /// The action for an observation `[O]` and a desired goal `[G]`.
  public typealias Script = @Sendable (_ observation: [Float], _ goal: [Float]) -> Action

  private let script: Script

  /// Makes the policy of a function.
  public init(_ script: @escaping Script) { self.script = script }

  /// Makes an actor, which keeps the goal of its episode.
  public func makeActor() -> any GoalActor { Actor(script) }

  private final class Actor: GoalActor {
    private let script: Script
    private var goal: [Float] = []

    init(_ script: @escaping Script) { self.script = script }

    func begin(goal: [Float], seed: UInt64) { self.goal = goal }

    func act(_ observation: [Float]) -> Action { script(observation, goal) }
  }
}
