import Box2D
import Glibc
import GoalCore

/// The contents of a picture of the lander.
struct LunarLanderPicture {
  let lander: Box2DWorld.Motion
  let legs: [Box2DWorld.Motion]
  /// x, y and angle, and legs.
  let goal: [Double]
  let isReached: Bool
  /// The last action, whose engine has a flame.
  let action: Int

  func drawn(width: Int, height: Int) -> Picture {
    let ground = 0.99 * LunarLander.padHeight
    var canvas = Canvas(
      width: width, height: height, low: SIMD2(0, ground - 1.5),
      high: SIMD2(LunarLander.width, LunarLander.height + 1.5), colour: SIMD3(246, 246, 242))
    canvas.rectangle(
      SIMD2(-100, -100), SIMD2(100 + LunarLander.width, ground), SIMD3(110, 112, 120))
    let colour: SIMD3<Double> = isReached ? SIMD3(40, 170, 70) : SIMD3(215, 40, 35)
    let place = SIMD2(
      LunarLander.width / 2 * (1 + goal[0]),
      LunarLander.padHeight + 0.6 + LunarLander.height / 2 * goal[1])
    for leg in legs { canvas.polygon(corners(LunarLander.legBox, of: leg), SIMD3(90, 95, 130)) }
    canvas.polygon(flame, SIMD3(240, 150, 30))
    canvas.polygon(corners(LunarLander.hull, of: lander), SIMD3(45, 95, 200))
    canvas.disc(place, radius: 0.3, colour)
    // A needle through the goal shows the angle that is asked for.
    let up = SIMD2(-sin(goal[2]), cos(goal[2]))
    let across = SIMD2(up.y, -up.x) * 0.06
    canvas.polygon(
      [place - across, place + across, place + across + up, place - across + up], colour)
    return canvas.picture
  }

  private var flame: [SIMD2<Double>] {
    let shape: [SIMD2<Double>] =
      switch action {
      case 2: [SIMD2(-7, -10), SIMD2(7, -10), SIMD2(0, -28)]
      case 1: [SIMD2(-16, 10), SIMD2(-16, 16), SIMD2(-28, 13)]
      case 3: [SIMD2(16, 10), SIMD2(16, 16), SIMD2(28, 13)]
      default: []
      }
    return corners(shape.map { $0 / LunarLander.scale }, of: lander)
  }

  private func corners(
    _ points: [SIMD2<Double>], of motion: Box2DWorld.Motion
  ) -> [SIMD2<Double>] {
    let (s, c) = (sin(Double(motion.angle)), cos(Double(motion.angle)))
    return points.map {
      SIMD2(c * $0.x - s * $0.y, s * $0.x + c * $0.y) + SIMD2<Double>(motion.position)
    }
  }
}

extension LunarLander {
  /// The corners of a leg.
  fileprivate static let legBox: [SIMD2<Double>] = [
    SIMD2(-1, -1), SIMD2(1, -1), SIMD2(1, 1), SIMD2(-1, 1),
  ].map { $0 * legHalfSides }
}
