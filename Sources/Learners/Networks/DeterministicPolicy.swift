internal import Glibc
internal import GoalCore

/// A policy without noise: the world's action of tanh(network(normalised [o | g])).
///
/// It is a snapshot that no later update changes. An action is a function of observation, goal and
/// weights with the same bits on every processor (tanh is rounded from `Double`).
struct DeterministicPolicy: GoalPolicy {
  let snapshot: PolicySnapshot
  let scale: ActionScale

  func makeActor() -> any GoalActor { DeterministicActor(self) }
}

/// A deterministic policy at work in one episode.
private final class DeterministicActor: GoalActor {
  private let policy: DeterministicPolicy
  private var goal: [Float] = []  // normalised
  private var step = 0

  init(_ policy: DeterministicPolicy) { self.policy = policy }

  func begin(goal: [Float], seed: UInt64) {
    self.goal = policy.snapshot.normalized(goal: goal)
    step = 0
  }

  func act(_ observation: [Float]) -> Action {
    let outputs = policy.snapshot.outputs(observation, goal: goal, step: step)
    step += 1
    return .continuous(policy.scale.world(outputs.map { Float(tanh(Double($0))) }))
  }
}
