internal import GoalCore
internal import Replay
internal import Torch

/// The mean of a policy N(μ(s, g), 1), moved to the nearest action of [−1, 1].
///
/// It is a snapshot that no later update changes. An action is a function of observation, goal and
/// weights with the same bits on every processor.
struct GaussianPolicy: GoalPolicy {
  let snapshot: PolicySnapshot
  /// Networks whose mean the actor reads for a goal.
  ///
  /// Without them it reads the goal itself.
  let goals: [RowNetwork]
  let scale: ActionScale
  let form: GoalForm
  let task: GoalTask

  func makeActor() -> any GoalActor { GaussianActor(self) }
}

extension ValueNetworks {
  /// The present policy of an actor that reads observation and goal.
  func policy(_ actor: MLP, _ dual: DualGoals? = nil) -> GaussianPolicy {
    GaussianPolicy(
      snapshot: snapshot(actor), goals: dual?.rows ?? [], scale: scale, form: form, task: task)
  }
}

/// A Gaussian policy at work in one episode.
private final class GaussianActor: GoalActor {
  private let policy: GaussianPolicy
  private var goal: [Float] = []  // as the actor reads it

  init(_ policy: GaussianPolicy) { self.policy = policy }

  func begin(goal: [Float], seed: UInt64) {
    let asked = policy.snapshot.normalized(goal: policy.form.goal(asked: goal, of: policy.task))
    guard let first = policy.goals.first else {
      self.goal = asked
      return
    }
    self.goal = policy.goals.dropFirst().reduce(first(asked)) { sum, network in
      zip(sum, network(asked)).map { $0 + $1 }
    }.map { $0 / Float(policy.goals.count) }
  }

  func act(_ observation: [Float]) -> Action {
    let means = policy.snapshot.network(policy.snapshot.normalized(observation, from: 0) + goal)
    return .continuous(policy.scale.world(means.map { max(-1, min(1, $0)) }))
  }
}
