import GoalCore

/// Brings the gripper to the goal: a proportional controller.
///
///     a = clip(gain · (g − p))
enum FetchReachScript {
  private static let gain: Float = 8  // units of action a metre

  /// The action for an observation and a desired goal.
  static func action(_ observation: [Float], _ goal: [Float]) -> Action {
    .continuous(
      (0..<3).map { min(max(Self.gain * (goal[$0] - observation[$0]), -1), 1) } + [0])
  }
}

/// Pushes the block to the goal: goes round it to the side away from the goal, then pushes.
///
/// The action is a smooth function of the observation and the goal, without memory, because a
/// policy that imitates it sees no more than those. In the plane, with block `o`, goal `g`, gripper
/// `p`, `n` the direction from block to goal:
///
/// - behind = how well the gripper stands behind the block, 0 to 1, from the angle of `o − p` to
///   `n` and from its sideways distance;
/// - going round: along the circle about the block towards its far side;
/// - pushing: towards the point from which the block touches and stands on the goal.
enum FetchPushScript {
  /// The action for an observation and a desired goal.
  static func action(_ observation: [Float], _ desired: [Float]) -> Action {
    let goal = SIMD3(desired[0], desired[1], desired[2])
    let place = PlaceBehind(observation, goal: goal)
    let (n, side, along, across) = (place.n, place.side, place.along, place.across)
    let left = place.left

    // 1 if the gripper stands behind the block within the width of its face.
    let behind =
      smooth(-along, from: 0.02, to: 0.04) * (1 - smooth(abs(across), from: 0.012, to: 0.03))
    let approach = place.way(standOff: Self.standOff, radius: Self.roundingRadius)

    // Push towards the goal and back onto the line through block and goal.
    let push = n * (left * Self.pushGain) - side * across * Self.centring

    var move = approach * (1 - behind) * Self.gain + push * behind * Self.gain
    // Done: stay, the slower the nearer.
    move *= smooth(left, from: 0.006, to: 0.02)
    let height = (Self.height - observation[2]) * Self.gain
    return .continuous([clip(move.x), clip(move.y), clip(height), 0])
  }

  private static let gain: Float = 14  // units of action a metre
  private static let pushGain: Float = 0.85
  private static let centring: Float = 1.2
  private static let standOff: Float = 0.055  // m behind the block
  private static let roundingRadius: Float = 0.08  // m
  private static let height: Float = 0.42  // m, of the gripper over the floor
}

/// Strikes the puck so that it comes to rest on the goal: goes round it to the side away from the
/// goal, then through it, and lets it slide.
///
/// With `left` the puck's distance from the goal, a puck of this speed stops there:
///
///     v = √(2 · 1.55 mm · left) a step
///
/// The friction acts more along one axis than along the other, and the gripper strikes with a flat
/// face. So this is true to some 20 % only. If the puck stops within the gripper's reach, it is
/// struck again.
enum FetchSlideScript {
  private static let gain: Float = 14  // units of action a metre
  private static let slowing: Float = 0.00155  // m a step, each step
  private static let strike: Float = 19.5  // units of action for each metre a step
  private static let centring: Float = 12  // units of action a metre
  private static let standOff: Float = 0.11  // m behind the puck, and round it
  private static let height: Float = 0.425  // m, of the gripper over the floor

  /// The action for an observation and a desired goal.
  static func action(_ observation: [Float], _ desired: [Float]) -> Action {
    let goal = SIMD3(desired[0], desired[1], desired[2])
    let place = PlaceBehind(observation, goal: goal)
    let velocity =
      SIMD2(observation[14], observation[15]) + SIMD2(observation[20], observation[21])
    let needed = (2 * Self.slowing * place.left).squareRoot()
    let isStruck = (velocity * place.n).sum() > 0.97 * needed
    let slides = (velocity * velocity).sum().squareRoot() > 0.006 && place.radius > 0.075

    let move: SIMD2<Float>
    if isStruck || slides {
      move = .zero
    } else if place.along < -0.02 && abs(place.across) < 0.02 {
      move =
        place.n * max(Self.strike * needed, 0.3) - place.side * place.across * Self.centring
    } else {
      move = place.way(standOff: Self.standOff, radius: Self.standOff) * Self.gain
    }
    let height = (Self.height - observation[2]) * 10
    return .continuous([clip(move.x), clip(move.y), clip(height), 0])
  }
}

/// Picks the block up and carries it to the goal: above it with open fingers, down, shut, away.
///
/// The action is a function of the observation and the goal, without memory. The block's place
/// between the fingers, and how far they are open, tell whether it is held.
enum FetchPickAndPlaceScript {
  private static let gain: Float = 10  // units of action a metre
  private static let above: Float = 0.08  // m over the block, on the way there
  private static let near: Float = 0.015  // m, sideways, from which the gripper goes down
  private static let between: Float = 0.012  // m, off the block's middle, at which fingers shut
  private static let held: Float = 0.055  // m, of both fingers' positions, of shut fingers

  /// The action for an observation and a desired goal.
  static func action(_ observation: [Float], _ desired: [Float]) -> Action {
    let goal = SIMD3(desired[0], desired[1], desired[2])
    let block = SIMD3(observation[3], observation[4], observation[5])
    let offset = SIMD3(observation[6], observation[7], observation[8])
    let sideways = (offset.x * offset.x + offset.y * offset.y).squareRoot()
    let isBetween = sideways < 2 * Self.between && abs(offset.z) < Self.between
    let isHeld = isBetween && observation[9] + observation[10] < Self.held
    if isHeld { return move(goal - block, fingers: -1) }
    if isBetween { return move(offset, fingers: -1) }
    let height = sideways < Self.near ? 0 : Self.above
    return move(offset + SIMD3(0, 0, height), fingers: 1)
  }

  private static func move(_ way: SIMD3<Float>, fingers: Float) -> Action {
    .continuous((0..<3).map { min(max(Self.gain * way[$0], -1), 1) } + [fingers])
  }
}

/// Where the gripper `p` is as seen from the line on which the object `o` is to move to the goal
/// `g`, in the plane.
private struct PlaceBehind {
  /// Metres from object to goal, and from object to gripper.
  let left, radius: Float
  /// The direction from object to goal, and the one at its left hand.
  let n, side: SIMD2<Float>
  /// Metres of `p − o` along `n` (negative behind the object) and along `side`.
  let along, across: Float
  private let p, o: SIMD2<Float>

  init(_ observation: [Float], goal: SIMD3<Float>) {
    p = SIMD2(observation[0], observation[1])
    o = SIMD2(observation[3], observation[4])
    let toGoal = SIMD2(goal.x, goal.y) - o
    left = (toGoal * toGoal).sum().squareRoot()
    n = toGoal / max(left, 1e-4)
    side = SIMD2(-n.y, n.x)
    let offset = p - o
    along = (offset * n).sum()
    across = (offset * side).sum()
    radius = max((offset * offset).sum().squareRoot(), 1e-4)
  }

  /// The way to the point `standOff` behind the object, and round the object on a circle of
  /// `circle` metres where it stands in between.
  func way(standOff: Float, radius circle: Float) -> SIMD2<Float> {
    let rest = o - n * standOff
    let away = (p - o) / radius
    let tangent = SIMD2(-away.y, away.x) * (across > 0 ? 1 : -1)
    let blocked = 1 - smooth(-along / radius, from: 0.55, to: 0.85)
    let keepOut = away * max(0, circle - radius) * 1.5
    let around = tangent * circle + keepOut + away * min(0, circle - radius) * 0.6
    let direct = rest - p
    return around * blocked + direct * (1 - blocked)
  }
}

private func clip(_ x: Float) -> Float { min(max(x, -1), 1) }

/// 0 below `from`, 1 above `to`, a smooth cubic between.
private func smooth(_ x: Float, from: Float, to: Float) -> Float {
  let t = min(max((x - from) / (to - from), 0), 1)
  return t * t * (3 - 2 * t)
}
