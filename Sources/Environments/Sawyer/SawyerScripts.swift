import Glibc
import GoalCore

/// Brings the hand to the goal: a proportional controller.
///
///     a = clip(gain · (g − p))
enum SawyerReachScript {
  private static let gain: Float = 25  // units of action a metre

  /// The action for an observation and a desired goal.
  static func action(_ observation: [Float], _ goal: [Float]) -> Action {
    .continuous((0..<3).map { min(max(Self.gain * (goal[$0] - observation[$0]), -1), 1) })
  }
}

/// Opens the door to the goal's angle: lowers the hook behind the handle, then leads the door.
///
/// With q the door's angle and h(d) the place in the door's own frame of a hook that is d before
/// the door's middle plane, the hand goes to
///
///     hinge + R(q + clip(0.4 (g − q), ±0.1)) h(d) − (0, 5 cm)
///     d = 3 cm + clip((g − q) / 0.06, ±1) · (2 cm − c(q) + 4 mm)
///
/// where c is half the hook's width across the door. Within 0.06 rad of the goal the hook moves
/// from the handle to the middle between handle and panel, and so slows a door that swings on.
enum SawyerDoorScript {
  private static let gain: Float = 50  // units of action a metre
  private static let hinge = SIMD2<Float>(0.21, 0.725)  // m
  private static let low: Float = 0.18  // m, of the hand whose hook is behind the handle
  private static let hooked: Float = 0.195  // m, under which it is

  /// The action for an observation and a desired goal.
  static func action(_ observation: [Float], _ desired: [Float]) -> Action {
    let goal = desired[0]
    let (angle, height) = (observation[3], observation[2])
    var place = Self.hand(angle, depth: -0.03)
    if height < Self.hooked {
      let way = goal - angle
      let width = 0.01 * (cos(angle) + sin(angle))
      let reach = (0.024 - width) * min(max(way / 0.06, -1), 1)
      place = Self.hand(angle + min(max(0.4 * way, -0.1), 0.1), depth: -0.03 - reach)
    }
    let move = [place.x - observation[0], place.y - observation[1], Self.low - height]
    return .continuous(move.map { min(max(Self.gain * $0, -1), 1) })
  }

  /// Where the hand is whose hook is `depth` before the door's middle plane, at this angle.
  private static func hand(_ angle: Float, depth: Float) -> SIMD2<Float> {
    let (c, s) = (cos(angle), sin(angle))
    let hook = SIMD2<Float>(-0.265, depth)
    return hinge + SIMD2(c * hook.x - s * hook.y, s * hook.x + c * hook.y) - SIMD2(0, 0.05)
  }
}
