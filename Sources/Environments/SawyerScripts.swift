import Glibc
public import GoalCore

/// Brings the hand to the goal: a proportional controller.
///
///     a = clip(gain · (g − p))
public struct SawyerReachScript: GoalPolicy {
  /// Makes the policy.
  public init() {}

  /// Makes an actor.
  public func makeActor() -> any GoalActor { Script() }

  private final class Script: GoalActor {
    private static let gain: Float = 25  // units of action a metre
    private var goal = SIMD3<Float>()

    func begin(goal: [Float], seed: UInt64) { self.goal = SIMD3(goal[0], goal[1], goal[2]) }

    func act(_ observation: [Float]) -> Action {
      .continuous((0..<3).map { min(max(Script.gain * (goal[$0] - observation[$0]), -1), 1) })
    }
  }
}

/// Opens the door to the goal's angle: lowers the hook behind the handle, then goes where the hook is
/// when the door stands right.
///
/// With q the door's angle and h the hook's place in the door's own frame, the hand goes to
///
///     hinge + R(q*) h − (0, 5 cm),   q* between q and the goal, at most 0.15 rad from q
///
/// where h is next to the handle while the door must be pulled, and next to the panel while it must be
/// pushed.
public struct SawyerDoorScript: GoalPolicy {
  /// Makes the policy.
  public init() {}

  /// Makes an actor.
  public func makeActor() -> any GoalActor { Script() }

  private final class Script: GoalActor {
    private static let gain: Float = 30  // units of action a metre
    private static let hinge = SIMD2<Float>(0.21, 0.725)  // m
    private static let low: Float = 0.18  // m, of the hand whose hook is behind the handle
    private static let hooked: Float = 0.195  // m, under which it is
    private static let ahead: Float = 0.15  // rad
    private var goal: Float = 0

    func begin(goal: [Float], seed: UInt64) { self.goal = goal[0] }

    func act(_ observation: [Float]) -> Action {
      let (angle, height) = (observation[3], observation[2])
      guard height < Script.hooked else {
        // Straight down behind the handle of the shut door, or over the place where it is.
        return move(observation, to: Script.hand(angle, depth: -0.03), height: Script.low)
      }
      let way = min(max(goal - angle, -Script.ahead), Script.ahead)
      let depth = -0.03 - 0.008 * min(max(way / 0.02, -1), 1)
      return move(observation, to: Script.hand(angle + way, depth: depth), height: Script.low)
    }

    /// Where the hand is whose hook is `depth` before the door's middle plane, at this angle.
    private static func hand(_ angle: Float, depth: Float) -> SIMD2<Float> {
      let (c, s) = (cos(angle), sin(angle))
      let hook = SIMD2<Float>(-0.265, depth)
      return hinge + SIMD2(c * hook.x - s * hook.y, s * hook.x + c * hook.y) - SIMD2(0, 0.05)
    }

    private func move(_ observation: [Float], to place: SIMD2<Float>, height: Float) -> Action {
      let way = [place.x - observation[0], place.y - observation[1], height - observation[2]]
      return .continuous(way.map { min(max(Script.gain * $0, -1), 1) })
    }
  }
}
