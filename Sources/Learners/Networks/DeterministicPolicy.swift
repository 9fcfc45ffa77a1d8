internal import Glibc
internal import GoalCore
internal import Torch

/// A policy without noise: the world's action of tanh(network(normalised [o | g])).
///
/// It is a snapshot that no later update changes. An action is a function of observation, goal and
/// weights with the same bits on every processor (`RowNetwork`; tanh is rounded from `Double`).
struct DeterministicPolicy: GoalPolicy {
  let network: RowNetwork
  let mean: [Float]
  let deviation: [Float]
  let settings: NormalizerSettings
  let scale: ActionScale

  func makeActor() -> any GoalActor { DeterministicActor(self) }

  /// The action of a normalised input `[O + G]`.
  func action(_ input: [Float]) -> Action {
    .continuous(scale.world(network(input).map { Float(tanh(Double($0))) }))
  }
}

/// A deterministic policy at work in one episode.
private final class DeterministicActor: GoalActor {
  private let policy: DeterministicPolicy
  private var goal: [Float] = []  // normalised

  init(_ policy: DeterministicPolicy) { self.policy = policy }

  func begin(goal: [Float], seed: UInt64) {
    self.goal = goal
    normalize(&self.goal, from: policy.mean.count - goal.count)
  }

  func act(_ observation: [Float]) -> Action {
    precondition(
      observation.count + goal.count == policy.mean.count,
      "an observation has \(policy.mean.count - goal.count) numbers, found \(observation.count)")
    var input = observation
    normalize(&input, from: 0)
    return policy.action(input + goal)
  }

  private func normalize(_ values: inout [Float], from start: Int) {
    RunningNormalizer.normalize(
      &values, mean: policy.mean, deviation: policy.deviation, settings: policy.settings,
      from: start)
  }
}
