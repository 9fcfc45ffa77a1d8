public import GoalCore

/// Brings the gripper to the goal: a proportional controller.
///
///     a = clip(gain · (g − p))
public struct FetchReachScript: GoalPolicy {
  /// Makes the policy.
  public init() {}

  /// Makes an actor.
  public func makeActor() -> any GoalActor { Script() }

  private final class Script: GoalActor {
    private static let gain: Float = 8  // units of action a metre
    private var goal: [Float] = [0, 0, 0]

    func begin(goal: [Float], seed: UInt64) { self.goal = goal }

    func act(_ observation: [Float]) -> Action {
      .continuous(
        (0..<3).map { min(max(Script.gain * (goal[$0] - observation[$0]), -1), 1) } + [0])
    }
  }
}

/// Pushes the block to the goal: goes round it to the side away from the goal, then pushes.
///
/// The action is a smooth function of the observation and the goal, without memory, because a policy
/// that imitates it sees no more than those. In the plane, with block `o`, goal `g`, gripper `p`,
/// `n` the direction from block to goal:
///
/// - behind = how well the gripper stands behind the block, 0 to 1, from the angle of `o − p` to `n`
///   and from its sideways distance;
/// - going round: along the circle about the block towards its far side;
/// - pushing: towards the point from which the block touches and stands on the goal.
public struct FetchPushScript: GoalPolicy {
  /// Makes the policy.
  public init() {}

  /// Makes an actor.
  public func makeActor() -> any GoalActor { Script() }

  private final class Script: GoalActor {
    private var goal = SIMD3<Float>()

    func begin(goal: [Float], seed: UInt64) { self.goal = SIMD3(goal[0], goal[1], goal[2]) }

    func act(_ observation: [Float]) -> Action {
      let p = SIMD2(observation[0], observation[1])
      let o = SIMD2(observation[3], observation[4])
      let toGoal = SIMD2(goal.x, goal.y) - o
      let left = (toGoal * toGoal).sum().squareRoot()
      let n = toGoal / max(left, 1e-4)
      let side = SIMD2(-n.y, n.x)
      let offset = p - o
      let along = (offset * n).sum()  // negative behind the block
      let across = (offset * side).sum()
      let radius = max((offset * offset).sum().squareRoot(), 1e-4)

      // 1 where the gripper stands behind the block within the width of its face.
      let behind =
        smooth(-along, from: 0.02, to: 0.04) * (1 - smooth(abs(across), from: 0.012, to: 0.03))

      // Round the block, at a distance, to the point behind it.
      let rest = o - n * Script.standOff
      let away = offset / radius
      let tangent = SIMD2(-away.y, away.x) * (across > 0 ? 1 : -1)
      let blocked = 1 - smooth(-along / radius, from: 0.55, to: 0.85)
      let keepOut = away * max(0, Script.roundingRadius - radius) * 1.5
      let around =
        tangent * Script.roundingRadius + keepOut
        + away * min(0, Script.roundingRadius - radius) * 0.6
      let direct = rest - p
      let approach = around * blocked + direct * (1 - blocked)

      // Push towards the goal and back onto the line through block and goal.
      let push = n * (left * Script.pushGain) - side * across * Script.centring

      var move = approach * (1 - behind) * Script.gain + push * behind * Script.gain
      // Done: stay, the slower the nearer.
      move *= smooth(left, from: 0.006, to: 0.02)
      let height = (Script.height - observation[2]) * Script.gain
      return .continuous([clip(move.x), clip(move.y), clip(height), 0])
    }

    private static let gain: Float = 14  // units of action a metre
    private static let pushGain: Float = 0.85
    private static let centring: Float = 1.2
    private static let standOff: Float = 0.055  // m behind the block
    private static let roundingRadius: Float = 0.08  // m
    private static let height: Float = 0.42  // m, of the gripper over the floor

    private func clip(_ x: Float) -> Float { min(max(x, -1), 1) }

    /// 0 below `from`, 1 above `to`, a smooth cubic between.
    private func smooth(_ x: Float, from: Float, to: Float) -> Float {
      let t = min(max((x - from) / (to - from), 0), 1)
      return t * t * (3 - 2 * t)
    }
  }
}

/// Picks the block up and carries it to the goal: above it with open fingers, down, shut, away.
///
/// The action is a function of the observation and the goal, without memory: whether the block is held
/// is seen from its place between the fingers and from how far they are open.
public struct FetchPickAndPlaceScript: GoalPolicy {
  /// Makes the policy.
  public init() {}

  /// Makes an actor.
  public func makeActor() -> any GoalActor { Script() }

  private final class Script: GoalActor {
    private static let gain: Float = 10  // units of action a metre
    private static let above: Float = 0.08  // m over the block, on the way there
    private static let near: Float = 0.015  // m, sideways, from which the gripper goes down
    private static let between: Float = 0.012  // m, off the block's middle, at which fingers shut
    private static let held: Float = 0.055  // m, of both fingers' positions, of shut fingers
    private var goal = SIMD3<Float>()

    func begin(goal: [Float], seed: UInt64) { self.goal = SIMD3(goal[0], goal[1], goal[2]) }

    func act(_ observation: [Float]) -> Action {
      let block = SIMD3(observation[3], observation[4], observation[5])
      let offset = SIMD3(observation[6], observation[7], observation[8])
      let sideways = (offset.x * offset.x + offset.y * offset.y).squareRoot()
      let isBetween = sideways < 2 * Script.between && abs(offset.z) < Script.between
      let isHeld = isBetween && observation[9] + observation[10] < Script.held
      if isHeld { return action(goal - block, fingers: -1) }
      if isBetween { return action(offset, fingers: -1) }
      let height = sideways < Script.near ? 0 : Script.above
      return action(offset + SIMD3(0, 0, height), fingers: 1)
    }

    private func action(_ way: SIMD3<Float>, fingers: Float) -> Action {
      .continuous((0..<3).map { min(max(Script.gain * way[$0], -1), 1) } + [fingers])
    }
  }
}
