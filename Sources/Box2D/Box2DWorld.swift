internal import CBox2D

/// A world of rigid bodies in a plane, which belongs to one thread at a time.
///
/// Units are SI and radians; y points up. Box2D computes in `Float`. Running out of memory and
/// values that Box2D refuses are a caller's bug here: worlds are small and made of constants.
public final class Box2DWorld {
  /// The version of Box2D that is linked in; the package box2d-py calls its own 2.3.8.
  public static let version = "2.3.0"

  /// A fixture's material, and the fixtures it collides with: two fixtures meet where each one's
  /// mask has the other's category.
  public struct Material: Sendable {
    /// Mass by area, kg/m².
    public var density: Float
    /// Coulomb friction.
    public var friction: Float
    /// Bounce, 0 to 1.
    public var restitution: Float
    /// Bits of what it is.
    public var category: UInt16
    /// Bits of what it collides with.
    public var mask: UInt16

    /// Makes a material; the defaults are Box2D's.
    public init(
      density: Float = 0, friction: Float = 0.2, restitution: Float = 0, category: UInt16 = 1,
      mask: UInt16 = 0xFFFF
    ) {
      self.density = density
      self.friction = friction
      self.restitution = restitution
      self.category = category
      self.mask = mask
    }

    var face: CBox2DMaterial {
      CBox2DMaterial(
        density: density, friction: friction, restitution: restitution, category: category,
        mask: mask)
    }
  }

  /// A body, by its number in its world.
  public struct Body: Sendable, Equatable {
    let number: Int32
  }

  /// Where a body is and how it moves.
  public struct Motion: Sendable, Equatable {
    /// Its origin, m.
    public let position: SIMD2<Float>
    /// Its centre's velocity, m/s.
    public let velocity: SIMD2<Float>
    /// Its angle, rad, which grows beyond a turn.
    public let angle: Float
    /// Its angular velocity, rad/s.
    public let angularVelocity: Float
  }

  private let world: CBox2DWorldRef

  /// Makes an empty world with this gravity, m/s².
  public init(gravity: SIMD2<Float>) {
    guard let world = cbox2d_make(gravity.face) else {
      preconditionFailure("Box2D could not take memory for a world")
    }
    self.world = world
  }

  deinit { cbox2d_free(world) }

  /// Adds a body without fixtures: one that moves, or one that stays.
  public func addBody(moves: Bool, at position: SIMD2<Float>, angle: Float = 0) -> Body {
    let number = cbox2d_add_body(world, moves, position.face, angle)
    precondition(number >= 0, "Box2D could not add a body")
    return Body(number: number)
  }

  /// Adds an edge, in the body's frame.
  public func addEdge(
    to body: Body, from start: SIMD2<Float>, to end: SIMD2<Float>, _ material: Material
  ) {
    precondition(start != end, "Box2D takes edges with a length, found \(start) to \(end)")
    let isAdded = cbox2d_add_edge(world, body.number, start.face, end.face, material.face)
    precondition(isAdded, "Box2D could not add an edge")
  }

  /// Adds a convex polygon of 3 to 8 corners, in the body's frame.
  public func addPolygon(to body: Body, corners: [SIMD2<Float>], _ material: Material) {
    let points = corners.map(\.face)
    let isAdded = cbox2d_add_polygon(
      world, body.number, points, Int32(points.count), material.face)
    precondition(isAdded, "Box2D takes polygons of 3 to 8 corners, found \(corners)")
  }

  /// Adds a rectangle of these half sides round the body's origin.
  public func addBox(to body: Body, halfSides: SIMD2<Float>, _ material: Material) {
    let isAdded = cbox2d_add_box(world, body.number, halfSides.x, halfSides.y, material.face)
    precondition(isAdded, "Box2D could not add a box")
  }

  /// A hinge with limits and a motor; its angle is 0 as the bodies lie when it is made.
  public struct Hinge: Sendable {
    /// Where it is in the first body's frame.
    public var anchorOnFirst: SIMD2<Float>
    /// Where it is in the second's.
    public var anchorOnSecond: SIMD2<Float>
    /// The angles between which it moves, rad.
    public var limits: ClosedRange<Float>
    /// The motor's speed, rad/s.
    public var speed: Float
    /// The maximum torque of the motor, N·m.
    public var largestTorque: Float

    /// Makes a hinge from its parts.
    public init(
      anchorOnFirst: SIMD2<Float>, anchorOnSecond: SIMD2<Float>, limits: ClosedRange<Float>,
      speed: Float, largestTorque: Float
    ) {
      self.anchorOnFirst = anchorOnFirst
      self.anchorOnSecond = anchorOnSecond
      self.limits = limits
      self.speed = speed
      self.largestTorque = largestTorque
    }
  }

  /// Joins two bodies.
  public func join(_ first: Body, _ second: Body, by hinge: Hinge) {
    let isAdded = cbox2d_add_hinge(
      world,
      CBox2DHinge(
        first: first.number, second: second.number, anchor_on_first: hinge.anchorOnFirst.face,
        anchor_on_second: hinge.anchorOnSecond.face, lower: hinge.limits.lowerBound,
        upper: hinge.limits.upperBound, motor_speed: hinge.speed,
        largest_torque: hinge.largestTorque))
    precondition(isAdded, "Box2D could not add a hinge")
  }

  /// Applies a force, N, to a body's centre during the next step.
  public func push(_ body: Body, force: SIMD2<Float>) {
    cbox2d_push(world, body.number, force.face)
  }

  /// Applies an impulse, N·s, to a body at a point of the world.
  public func kick(_ body: Body, impulse: SIMD2<Float>, at point: SIMD2<Float>) {
    cbox2d_kick(world, body.number, impulse.face, point.face)
  }

  /// Goes on by so many seconds.
  public func step(_ seconds: Float, velocityIterations: Int, positionIterations: Int) {
    let isDone = cbox2d_step(world, seconds, Int32(velocityIterations), Int32(positionIterations))
    precondition(isDone, "Box2D could not take memory for a step")
  }

  /// Where a body is and how it moves.
  public func motion(of body: Body) -> Motion {
    let found = cbox2d_motion(world, body.number)
    return Motion(
      position: SIMD2(found.position), velocity: SIMD2(found.velocity), angle: found.angle,
      angularVelocity: found.angular_velocity)
  }

  /// Whether the body's latest news of a contact is that one began, as gymnasium's lander asks:
  /// while it has two contacts and one of them ends, this is false.
  public func touches(_ body: Body) -> Bool { cbox2d_touches(world, body.number) }
}

extension SIMD2<Float> {
  fileprivate var face: CBox2DVector { CBox2DVector(x: x, y: y) }

  fileprivate init(_ vector: CBox2DVector) { self.init(vector.x, vector.y) }
}
