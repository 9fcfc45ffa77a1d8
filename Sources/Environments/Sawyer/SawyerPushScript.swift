import Glibc
import GoalCore

/// Pushes the puck to the goal's place: goes round it to the side away from the goal, then pushes.
///
/// The puck is at `o`, the hand at `p`. `n` is the direction from puck to goal, or of 48 directions
/// the nearest to it in which the hand can push without leaving its box. `along` and `across` are
/// the parts of `p − o` along `n` and at right angles to it:
///
/// - pushing, where `−along > 0.87 ‖p − o‖`: by `(min(2 cm, ‖g − o‖) + the gap to the puck) n − 0.3
///   across`;
/// - going round, elsewhere: on a circle about the puck, the shorter way unless that leaves the
///   box.
enum SawyerPushScript {
  private static let gain: Float = 50  // units of action a metre
  private static let behind: Float = 0.87  // cosine, within which the hand is behind the puck
  private static let centring: Float = 0.3
  private static let touch: Float = 0.05  // m, from the hand that pushes to the puck's middle
  private static let room: Float = 0.055  // m, that the hand needs behind the puck
  private static let circle: Float = 0.075  // m, of the way round the puck
  private static let passage: Float = 0.07  // m, of it that must be inside the box
  private static let stride: Float = 0.03  // m
  private static let arrived: Float = 0.01  // m
  private static let directions = (0..<48).map { k in
    SIMD2(cos(Float(k) * .pi / 24), sin(Float(k) * .pi / 24))
  }

  /// The action for an observation and a desired goal.
  static func action(_ observation: [Float], _ desired: [Float]) -> Action {
    let goal = SIMD2(desired[2], desired[3])
    let p = SIMD2(observation[0], observation[1])
    let o = SIMD2(observation[2], observation[3])
    let left = Self.size(goal - o)
    guard left > Self.arrived else { return .continuous([0, 0]) }
    let n = Self.way(from: o, toward: (goal - o) / left)
    let side = SIMD2(-n.y, n.x)
    let offset = p - o
    let radius = max(Self.size(offset), 1e-4)
    let (along, across) = ((offset * n).sum(), (offset * side).sum())
    let move: SIMD2<Float>
    if -along > Self.behind * radius {
      let ahead = min(left, 0.02) + max(0, -along - Self.touch)
      move = n * ahead - side * across * Self.centring
    } else {
      let angle = atan2(across, along)
      var turn: Float = across > 0 ? 1 : -1
      let around = { Self.isOpen(about: o, n, side, from: angle, turning: $0) }
      if !around(turn), around(-turn) { turn = -turn }
      let away = offset / radius
      let ahead = SIMD2(-away.y, away.x) * turn
      move = ahead * Self.stride + away * (Self.circle - radius)
    }
    return .continuous([move.x, move.y].map { min(max(Self.gain * $0, -1), 1) })
  }

  /// The direction, or the nearest to it in which the hand can push from inside its box.
  private static func way(from o: SIMD2<Float>, toward n: SIMD2<Float>) -> SIMD2<Float> {
    if isInside(o - n * room) { return n }
    let possible = directions.filter { isInside(o - $0 * room) }
    return possible.max { ($0 * n).sum() < ($1 * n).sum() } ?? n
  }

  /// Whether the way round the puck, from an angle off `n` to behind it, stays inside the hand's
  /// box.
  private static func isOpen(
    about o: SIMD2<Float>, _ n: SIMD2<Float>, _ side: SIMD2<Float>, from angle: Float,
    turning turn: Float
  ) -> Bool {
    for k in 1...24 {
      let a = angle + turn * Float(k) * .pi / 12
      if cos(a) < -behind { return true }
      if !isInside(o + (n * cos(a) + side * sin(a)) * passage) { return false }
    }
    return true
  }

  private static func isInside(_ p: SIMD2<Float>) -> Bool {
    -0.2...0.2 ~= p.x && 0.5...0.7 ~= p.y
  }

  private static func size(_ v: SIMD2<Float>) -> Float { (v * v).sum().squareRoot() }
}
