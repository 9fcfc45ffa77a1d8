import Box2D
import Testing

/// What the wrapper of Box2D promises, on boxes, a floor and a hinge.
struct Box2DTests {
  private let world = Box2DWorld(gravity: [0, -10])

  private func step(_ count: Int, of world: Box2DWorld? = nil) {
    for _ in 0..<count {
      (world ?? self.world).step(1 / 50, velocityIterations: 10, positionIterations: 10)
    }
  }

  private func box(at place: SIMD2<Float>, category: UInt16 = 1, mask: UInt16 = 0xFFFF)
    -> Box2DWorld.Body
  {
    let body = world.addBody(moves: true, at: place)
    world.addBox(
      to: body, halfSides: [0.5, 0.5], .init(density: 1, category: category, mask: mask))
    return body
  }

  private func addFloor() -> Box2DWorld.Body {
    let floor = world.addBody(moves: false, at: [0, 0])
    world.addEdge(to: floor, from: [-20, 0], to: [20, 0], .init(friction: 0.5))
    return floor
  }

  /// Semi-implicit Euler, as Box2D integrates: v = −g k h, y = y₀ − g h² k (k + 1) / 2.
  @Test func aBodyFallsByTheIntegratorsFormula() {
    let body = box(at: [3, 40])
    step(50)
    let motion = world.motion(of: body)
    #expect(abs(motion.velocity.y + 10) < 1e-4 && motion.velocity.x == 0)
    #expect(abs(motion.position.y - (40 - 10 * 0.02 * 0.02 * 50 * 51 / 2)) < 1e-3)
    #expect(motion.position.x == 3 && motion.angle == 0 && motion.angularVelocity == 0)
  }

  @Test func whatFallsOnTheFloorLiesAndTouches() {
    let floor = addFloor()
    let body = box(at: [0, 2])
    #expect(!world.touches(body))
    step(200)
    let motion = world.motion(of: body)
    #expect(world.touches(body) && world.touches(floor))
    #expect(abs(motion.position.y - 0.5) < 0.03 && abs(motion.velocity.y) < 1e-3)
    #expect(world.motion(of: floor).position == [0, 0])
  }

  /// Two fixtures meet only if each one's mask has the other's category.
  @Test func masksLetBodiesThrough() {
    _ = addFloor()
    let (held, free) = (box(at: [-3, 2]), box(at: [3, 2], category: 2, mask: 4))
    step(200)
    #expect(world.motion(of: held).position.y > 0.4)
    #expect(world.motion(of: free).position.y < -10)
  }

  @Test func forcesAndImpulsesAreMassTimesWhatTheyChange() {
    let (pushed, kicked) = (box(at: [0, 100]), box(at: [50, 100]))
    world.kick(kicked, impulse: [3, 0], at: [50, 100])
    #expect(abs(world.motion(of: kicked).velocity.x - 3) < 1e-6)
    world.push(pushed, force: [5, 0])
    step(1)
    #expect(abs(world.motion(of: pushed).velocity.x - 5 * 0.02) < 1e-6)
    // A force lasts one step.
    step(1)
    #expect(abs(world.motion(of: pushed).velocity.x - 5 * 0.02) < 1e-6)
    // Off the centre it turns the body, too.
    world.kick(kicked, impulse: [0, 1], at: [50.5, 100])
    #expect(world.motion(of: kicked).angularVelocity > 0.1)
  }

  @Test func aMotorDrivesAHingeToItsLimit() {
    let base = world.addBody(moves: false, at: [0, 10])
    let arm = box(at: [1, 10])
    world.join(
      base, arm,
      by: .init(
        anchorOnFirst: [0, 0], anchorOnSecond: [-1, 0], limits: -0.3...0.8, speed: 2,
        largestTorque: 1_000))
    step(20)
    #expect(world.motion(of: arm).angle > 0.3)
    step(200)
    #expect(abs(world.motion(of: arm).angle - 0.8) < 0.05)
  }

  @Test func equalWorldsMoveToTheBit() {
    func motion() -> Box2DWorld.Motion {
      let tests = Box2DTests()
      _ = tests.addFloor()
      let bodies = [tests.box(at: [0, 3]), tests.box(at: [0.4, 4.5])]
      tests.step(120)
      return tests.world.motion(of: bodies[1])
    }
    #expect(motion() == motion() && motion().angle != 0)
  }

  // MARK: - What Box2D refuses is the caller's bug, and ends the process with a sentence

  @Test func anEdgeWithoutLengthIsTold() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let world = Box2DWorld(gravity: [0, 0])
      world.addEdge(
        to: world.addBody(moves: false, at: [0, 0]), from: [1, 1], to: [1, 1], .init())
    }
    expect(result, says: "Box2D takes edges with a length, found SIMD2<Float>(1.0, 1.0)")
  }

  @Test func aPolygonOfTwoCornersIsTold() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let world = Box2DWorld(gravity: [0, 0])
      world.addPolygon(
        to: world.addBody(moves: true, at: [0, 0]), corners: [[0, 0], [1, 0]], .init(density: 1))
    }
    expect(result, says: "Box2D takes polygons of 3 to 8 corners, found [")
  }

  private func expect(_ result: ExitTest.Result?, says sentence: String) {
    let error = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(error.contains(sentence), "\(error)")
  }
}
