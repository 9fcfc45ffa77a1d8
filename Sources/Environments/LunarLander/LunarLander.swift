import Box2D
import Glibc
public import GoalCore

/// A lander with three engines over flat ground, asked to come down at a place.
///
/// One control step is 2 frames of 0.02 s: 0.04 s. An episode has 50 and never terminates: a crash
/// is only a hard landing, after which the engines still work.
///
/// | index | observation                          | unit      |
/// |-------|--------------------------------------|-----------|
/// | 0     | x from the middle                    | 10 m      |
/// | 1     | y over a standing lander's           | 6.67 m    |
/// | 2–3   | velocity                             | 5, 7.5 m/s |
/// | 4     | angle, counter-clockwise             | rad       |
/// | 5     | angular velocity                     | 2.5 rad/s |
/// | 6–7   | whether the left, right leg touches  | 0 or 1    |
///
/// | action | engine                                |
/// |--------|---------------------------------------|
/// | 0      | none                                  |
/// | 1      | left, which turns it counter-clockwise |
/// | 2      | main, which pushes it up              |
/// | 3      | right, which turns it clockwise       |
///
/// A goal is x, y, angle and legs: x is normal with deviation 0.3 and y is 0. Half of the goals
/// have both legs on the ground and no angle. The others have no legs there and an angle with
/// deviation 0.2. It is reached if (x, y) is within 0.08. The lander starts at the top of the
/// middle with a random push, and each engine's thrust has some noise. The ground is where a
/// standing lander's y is −0.005.
///
/// Source: `LunarEnv` of github.com/dibyaghosh/gcsl at cfae560,
/// `gcsl/envs/{lunarlander,lunar_lander_base}.py`, after gymnasium's `LunarLander`, to whose
/// physics a variant of this with its ground is equal to the bit. It differs in: 1. goal, push and
/// noise are drawn from the episode's own generator, in the reference's order, where the reference
/// draws goals from numpy's global one; 2. each episode has a Box2D world of its own.
public final class LunarLander: RestorableEnvironment, VisibleEnvironment {
  /// Which lander it is.
  enum Variant: Sendable {
    /// GCSL's.
    case gcsl
    /// gymnasium's `LunarLander-v3`, to compare with: hills, one frame a step, no goal drawn.
    case gymnasium
  }

  static let task: GoalTask = GoalTask(
    identifier: "lunar-lander",
    spec: GoalSpec(
      observation: 8, goal: 5, action: .discrete(count: 4), horizon: 50, successThreshold: 0.08,
      metric: "distance of (x, y) from the goal's, x in 10 m and y in 6.67 m",
      controlPeriod: 0.04),
    goalIndices: [0, 1, 4, 6, 7], distanceDimensions: [0, 1])

  static let summary = "land a lander with three engines at a target"

  /// The world's constants, as bytes that tell versions apart.
  static let description = "lunar lander 1 on Box2D \(Box2DWorld.version)"

  /// With any one engine on all the time numbers stay below 8 and steps below 0.11.
  static let bounds = PlausibleBounds(
    things: [.init(name: "lander", indices: [0, 1], largestStep: 0.3)], largestObservation: 20)

  static let scale = 30.0  // the reference's lengths by metre
  static let width = 600 / scale
  static let height = 400 / scale
  static let padHeight = height / 4
  static let hull: [SIMD2<Double>] = [
    SIMD2(-14, 17), SIMD2(-17, 0), SIMD2(-17, -10), SIMD2(17, -10), SIMD2(17, 0), SIMD2(14, 17),
  ].map { $0 / scale }
  static let legHalfSides = SIMD2<Double>(2, 8) / scale
  private static let legAway = 20.0
  private static let legDown = 18.0
  private static let framesPerSecond = 50.0
  private static let largestPush = 1000.0  // N
  private static let (mainPower, sidePower) = (13.0, 0.6)
  private static let mainDepth = 4.0
  private static let (sideHeight, sideLever, sideAway) = (14.0, 17.0, 12.0)
  private static let chunks = 11

  /// The task, which needs no simulator.
  public let task: GoalTask
  private let variant: Variant
  private var generator = NumpyGenerator(seed: 0)
  private var world = Box2DWorld(gravity: SIMD2(0, -10))
  private var lander: Box2DWorld.Body?
  private var legs: [Box2DWorld.Body] = []
  private(set) var goal = [Double](repeating: 0, count: 5)
  private var seed: UInt64 = 0
  private var applied: [Int] = []
  private var steps = 0

  init(_ variant: Variant = .gcsl) {
    task = LunarLander.task
    self.variant = variant
  }

  /// Starts the episode of this seed: the goal is drawn first, then the push and the noise of a
  /// first frame without engines.
  public func reset(seed: UInt64) -> GoalObservation {
    begin(seed: seed)
    steps = 0
    return shown()
  }

  private func begin(seed: UInt64) {
    self.seed = seed
    generator = NumpyGenerator(seed: seed)
    applied = []
    if variant == .gcsl { drawGoal() }
    build(ground: ground())
    frame(0)  // one, also if a step has two
  }

  private func drawGoal() {
    goal = [0.3 * generator.normal(), 0, 0, 1, 1]
    guard generator.unit() > 0.5 else { return }
    // The reference draws velocities and angular velocity as well, which are no part of a goal.
    let noise = (0..<4).map { _ in 0.2 * generator.normal() }
    goal = [goal[0], 0, noise[2], 0, 0]
  }

  /// The heights of the ground's corners.
  private func ground() -> [Double] {
    let pad = LunarLander.padHeight
    var heights = [Double](repeating: pad, count: LunarLander.chunks + 1)
    if variant == .gymnasium {
      for k in heights.indices { heights[k] = generator.uniform(0, LunarLander.height / 2) }
      for k in 3...7 { heights[k] = pad }
    }
    return (0..<LunarLander.chunks).map { k in
      0.33 * (heights[k == 0 ? LunarLander.chunks : k - 1] + heights[k] + heights[k + 1])
    }
  }

  private func build(ground: [Double]) {
    let (scale, width) = (LunarLander.scale, LunarLander.width)
    let (top, middle) = (LunarLander.height, width / 2)
    world = Box2DWorld(gravity: SIMD2(0, -10))
    let moon = world.addBody(moves: false, at: .zero)
    world.addEdge(to: moon, from: .zero, to: SIMD2(Float(width), 0), Box2DWorld.Material())
    let corners = ground.enumerated().map {
      SIMD2<Float>(SIMD2(width / Double(LunarLander.chunks - 1) * Double($0), $1))
    }
    for (start, end) in zip(corners, corners.dropFirst()) {
      world.addEdge(to: moon, from: start, to: end, Box2DWorld.Material(friction: 0.1))
    }
    let lander = world.addBody(moves: true, at: SIMD2<Float>(SIMD2(middle, top)))
    world.addPolygon(
      to: lander, corners: LunarLander.hull.map { SIMD2<Float>($0) },
      Box2DWorld.Material(density: 5, friction: 0.1, category: 0x10, mask: 1))
    let push = LunarLander.largestPush
    let x = generator.uniform(-push, push)
    let y = generator.uniform(-push, push)
    world.push(lander, force: SIMD2<Float>(SIMD2(x, y)))
    legs = [-1.0, 1.0].map { side in
      let away = side * LunarLander.legAway / scale
      let leg = world.addBody(
        moves: true, at: SIMD2<Float>(SIMD2(middle - away, top)), angle: Float(side * 0.05))
      world.addBox(
        to: leg, halfSides: SIMD2<Float>(LunarLander.legHalfSides),
        Box2DWorld.Material(density: 1, category: 0x20, mask: 1))
      world.join(
        lander, leg,
        by: Box2DWorld.Hinge(
          anchorOnFirst: .zero,
          anchorOnSecond: SIMD2<Float>(SIMD2(away, LunarLander.legDown / scale)),
          limits: side < 0 ? Float(0.9 - 0.5)...0.9 : -0.9...Float(-0.9 + 0.5),
          speed: Float(0.3 * side), largestTorque: 40))
      return leg
    }
    self.lander = lander
  }

  /// Fires an engine, each by its own impulse with noise, and goes on by a frame.
  private func frame(_ action: Int) {
    guard let lander else { preconditionFailure("a lander is stepped after reset") }
    let scale = LunarLander.scale
    let motion = world.motion(of: lander)
    let place = SIMD2<Double>(motion.position)
    let tip = SIMD2(sin(Double(motion.angle)), cos(Double(motion.angle)))
    let side = SIMD2(-tip.y, tip.x)
    let noise = SIMD2(generator.uniform(-1, 1) / scale, generator.uniform(-1, 1) / scale)
    switch action {
    case 2:
      let depth = LunarLander.mainDepth / scale + 2 * noise.x
      let way = SIMD2(tip.x * depth + side.x * noise.y, -tip.y * depth - side.y * noise.y)
      kick(way, LunarLander.mainPower, at: SIMD2(place.x + way.x, place.y + way.y))
    case 1, 3:
      let across = 3 * noise.y + Double(action - 2) * LunarLander.sideAway / scale
      let way = SIMD2(tip.x * noise.x + side.x * across, -tip.y * noise.x - side.y * across)
      let point = SIMD2(
        place.x + way.x - tip.x * LunarLander.sideLever / scale,
        place.y + way.y + tip.y * LunarLander.sideHeight / scale)
      kick(way, LunarLander.sidePower, at: point)
    default: break
    }
    world.step(
      Float(1 / LunarLander.framesPerSecond), velocityIterations: 180, positionIterations: 60)
  }

  private func kick(_ way: SIMD2<Double>, _ power: Double, at point: SIMD2<Double>) {
    guard let lander else { return }
    world.kick(
      lander, impulse: SIMD2<Float>(SIMD2(-way.x * power, -way.y * power)), at: SIMD2<Float>(point))
  }

  /// Applies one action.
  public func step(_ action: Action) -> GoalStep {
    guard case .discrete(let number) = action, 0..<4 ~= number else {
      preconditionFailure("\(task.identifier) takes an action from 0 to 3, found \(action)")
    }
    apply(number)
    steps += 1
    return task.stepped(to: shown(), steps: steps)
  }

  private func apply(_ number: Int) {
    applied.append(number)
    for _ in 0..<(variant == .gcsl ? 2 : 1) { frame(number) }
  }

  private func shown() -> GoalObservation {
    guard let lander else { preconditionFailure("a lander is shown after reset") }
    let (width, height) = (LunarLander.width, LunarLander.height)
    let motion = world.motion(of: lander)
    let rate = LunarLander.framesPerSecond
    let standing = LunarLander.padHeight + LunarLander.legDown / LunarLander.scale
    return task.shown(
      [
        (Double(motion.position.x) - width / 2) / (width / 2),
        (Double(motion.position.y) - standing) / (height / 2),
        Double(motion.velocity.x) * (width / 2) / rate,
        Double(motion.velocity.y) * (height / 2) / rate,
        Double(motion.angle), 20 * Double(motion.angularVelocity) / rate,
        world.touches(legs[0]) ? 1 : 0, world.touches(legs[1]) ? 1 : 0,
      ], desiredGoal: goal)
  }

  // MARK: - State

  /// A start and the actions since: the seed's halves, the number of actions, and room for an
  /// episode's.
  public var stateLength: Int { 3 + task.spec.horizon }

  /// The episode's seed and the actions applied, which give everything again; within the horizon.
  ///
  /// Box2D keeps contacts, and what its solver begins with, in an order that it does not give away.
  public func state() -> [Double] {
    precondition(applied.count <= task.spec.horizon, "a state is taken within the horizon")
    let room = [Double](repeating: -1, count: task.spec.horizon - applied.count)
    return [Double(seed >> 32), Double(seed & 0xFFFF_FFFF), Double(applied.count)]
      + applied.map { Double($0) } + room
  }

  /// Lives through a state's actions again, towards another goal.
  public func restore(state: [Double], desiredGoal: [Float], step: Int) -> GoalObservation {
    begin(seed: UInt64(state[0]) << 32 | UInt64(state[1]))
    for action in state[3..<3 + Int(state[2])] { apply(Int(action)) }
    goal = desiredGoal.map { Double($0) }
    steps = step
    return shown()
  }

  // MARK: - Picture

  /// The lander from the side: its engines' flames, and the goal, green once reached, else red.
  public func picture(width: Int, height: Int) throws -> Picture {
    guard let lander else { preconditionFailure("a lander is drawn after reset") }
    return LunarLanderPicture(
      lander: world.motion(of: lander), legs: legs.map { world.motion(of: $0) }, goal: goal,
      isReached: {
        let shown = shown()
        return task.isReached(shown.achievedGoal, shown.desiredGoal)
      }(), action: applied.last ?? 0
    ).drawn(width: width, height: height)
  }
}
