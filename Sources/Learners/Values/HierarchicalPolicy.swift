internal import Glibc
internal import GoalCore
internal import Replay
internal import Torch

/// A policy of two levels: at every step the high one proposes the representation of a subgoal, and
/// the low one acts towards it.
///
///     z = √d · μ_h(s, g) / ‖μ_h(s, g)‖,   a = clip(μ_l(s, z), ±1)
///
/// It is a snapshot that no later update changes. An action is a function of observation, goal and
/// weights with the same bits on every processor.
///
/// Shapes: `d` numbers in a representation.
struct HierarchicalPolicy: GoalPolicy {
  let high: PolicySnapshot
  let low: RowNetwork
  let scale: ActionScale
  let form: GoalForm
  let task: GoalTask

  func makeActor() -> any GoalActor { HierarchicalActor(self) }
}

/// A hierarchical policy at work in one episode.
private final class HierarchicalActor: GoalActor {
  private let policy: HierarchicalPolicy
  private var goal: [Float] = []  // normalised

  init(_ policy: HierarchicalPolicy) { self.policy = policy }

  func begin(goal: [Float], seed: UInt64) {
    self.goal = policy.high.normalized(goal: policy.form.goal(asked: goal, of: policy.task))
  }

  func act(_ observation: [Float]) -> Action {
    let means = policy.high.outputs(observation, goal: goal, step: 0).map(Double.init)
    let length = means.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let scale = Double(means.count).squareRoot() / length
    let state = policy.high.normalized(observation, from: 0)
    let actions = policy.low(state + means.map { Float($0 * scale) })
    return .continuous(policy.scale.world(actions.map { max(-1, min(1, $0)) }))
  }
}

extension ValueNetworks {
  /// The present policy of two levels.
  func policy(high: MLP, low: MLP) -> HierarchicalPolicy {
    HierarchicalPolicy(
      high: snapshot(high), low: RowNetwork(low), scale: scale, form: form, task: task)
  }
}

extension Tensor {
  /// Rows `[B, d]` scaled to the length √d.
  func scaledToLength() -> Tensor {
    let (rows, width) = (shape[0], shape[1])
    let lengths = squared().sum(along: 1).squareRoot().reshaped([rows, 1])
    return self / lengths * Double(width).squareRoot()
  }
}
