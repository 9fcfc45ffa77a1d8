public import GoalCore
import MuJoCo

/// The Sawyer arm, asked to push a puck over a table: GCSL's pusher.
///
/// One control step is 20 steps of 0.002 s: 0.04 s. An episode has 50 and never terminates. Hand
/// and puck start in one corner of the table.
///
/// | index | observation (and achieved goal) | unit |
/// |-------|---------------------------------|------|
/// | 0–1   | hand's place in the plane       | m    |
/// | 2–3   | puck's place in the plane       | m    |
///
/// | index | action                         | unit | range   |
/// |-------|--------------------------------|------|---------|
/// | 0–1   | displacement of the mocap body | 2 cm | −1 to 1 |
///
/// The mocap body stays in x of ±0.2 m and y of 0.5 to 0.7 m, 6 cm over the table. The hand
/// starts uniformly in (−0.2, 0.5) to (−0.17, 0.53) m, the puck in (−0.17, 0.53) to (−0.1, 0.6). A
/// goal is a position of the hand and one of the puck, uniform in the hand's box, drawn again while
/// the two are within 5.5 cm. It is reached if the puck is within 5 cm of its position, wherever
/// the hand is.
///
/// Source: `SawyerPushGoalEnv` of github.com/dibyaghosh/gcsl at cfae560, `gcsl/envs/sawyer_push.py`
/// with `assets/push.xml`, a copy of multiworld's `sawyer_push_nips.py`. The reference shows hand
/// and puck as they were before the last of the 20 steps, and so does this.
///
/// It differs in: 1. the model is ours (`SawyerModel`), on MuJoCo 3.3.0 acting as those before 3,
/// without the bodies that stand for the goal. Observations agree with the reference's on MuJoCo
/// 2.3.7 bit for bit (`scripts/compare-sawyer`); 2. starts and goals are drawn from the episode's
/// own generator, where the reference draws from numpy's global one, and its goal before all else;
/// 3. rewards are −1 and 0, where the reference gives none.
public final class SawyerPush: MuJoCoWorld {
  static let task = GoalTask(
    identifier: "sawyer-push",
    spec: GoalSpec(
      observation: 4, goal: 4, action: .continuous(low: [-1, -1], high: [1, 1]), horizon: 50,
      successThreshold: 0.05, metric: "distance of the puck from its place, m",
      controlPeriod: Double(substeps) * 0.002),
    goalIndices: [0, 1, 2, 3], distanceDimensions: [2, 3])

  static let summary = "push a puck to a target on a table"

  /// The mocap body moves 3 cm a step, and the hand may lag behind it.
  static let bounds = PlausibleBounds(
    things: [
      .init(name: "hand", indices: [0, 1], largestStep: 0.15),
      .init(name: "puck", indices: [2, 3], largestStep: 0.15),
    ], largestObservation: 2)

  private static let substeps = 20
  private static let stride = 0.02  // m per unit of action
  private static let height = 0.06  // m, of the hand over the table
  private static let puckHeight = 0.02  // m
  private static let touching = 0.04 + 0.015  // m, between hand and puck
  private static let low = SIMD2(-0.2, 0.5)
  private static let high = SIMD2(0.2, 0.7)
  private static let rotation = SIMD4(1.0, 0, 1, 0)  // of the hand, which points down

  /// The task, which needs no simulator.
  public let task: GoalTask
  private let simulation: MuJoCoSimulation
  var lagging: LaggingSimulation
  let studio = Studio()
  private let hand, puck, mocap: Int
  private let puckJoint: (position: Int, velocity: Int)
  private let initialPositions: [Double]
  var goal: [Double] = []
  var steps = 0

  static func model() throws -> MuJoCoModel {
    try SawyerModel.push.load(name: task.identifier)
  }

  init(model: MuJoCoModel) throws {
    task = SawyerPush.task
    simulation = MuJoCoSimulation(model)
    lagging = LaggingSimulation(simulation)
    hand = try model.body("hand")
    puck = try model.body("puck")
    mocap = try model.mocap("mocap")
    puckJoint = try model.joint("puck")
    // The pose from which the reference moves the hand to where an episode starts: the arm's, the
    // puck's.
    let arm = [
      1.78026069, -0.684415781, -0.154549231, 2.3067209, 1.93111471, 0.127854012, 1.49353907,
    ]
    for (k, angle) in arm.enumerated() {
      simulation.positions[try model.joint("joint\(k)").position] = angle
    }
    let place = [
      0.00180196716, 0.740415706, 0.020989536, 0.99999999, 3.05766105e-05, -3.78462492e-06,
      0.000138684523,
    ]
    for (k, value) in place.enumerated() { simulation.positions[puckJoint.position + k] = value }
    initialPositions = Array(simulation.positions)
  }

  /// Starts the episode of this seed: draws where the hand starts, where the puck lies, and the
  /// goal.
  public func reset(seed: UInt64) -> GoalObservation {
    var generator = NumpyGenerator(seed: seed)
    // The reference rounds the sides of its boxes.
    func drawn(_ low: SIMD2<Double>, _ high: SIMD2<Double>) -> SIMD2<Double> {
      let x = generator.uniform(Double(Float(low.x)), Double(Float(high.x)))
      return SIMD2(x, generator.uniform(Double(Float(low.y)), Double(Float(high.y))))
    }
    simulation.reset()
    for (k, value) in initialPositions.enumerated() { simulation.positions[k] = value }
    simulation.forward()
    let start = drawn(SIMD2(-0.2, 0.5), SIMD2(-0.17, 0.53))
    bring(to: SIMD3(start.x, start.y, SawyerPush.height))

    var place: SIMD2<Double>
    repeat {
      place = drawn(SIMD2(-0.17, 0.53), SIMD2(-0.1, 0.6))
    } while distance(
      plane(hand), place) <= SawyerPush.touching
    for (k, value) in [place.x, place.y, SawyerPush.puckHeight].enumerated() {
      simulation.positions[puckJoint.position + k] = value
      simulation.speeds[puckJoint.velocity + k] = 0
    }
    simulation.forward()

    var goals: (hand: SIMD2<Double>, puck: SIMD2<Double>)
    repeat {
      goals.hand = drawn(SawyerPush.low, SawyerPush.high)
      goals.puck = drawn(SawyerPush.low, SawyerPush.high)
    } while distance(goals.hand, goals.puck) <= SawyerPush.touching
    goal = [goals.hand.x, goals.hand.y, goals.puck.x, goals.puck.y]
    return started()
  }

  /// Lets the hand follow to a place, as long as the reference does: until it is within 2 mm, or 52
  /// times.
  private func bring(to place: SIMD3<Double>) {
    simulation.setMocap(mocap, position: place, rotation: SawyerPush.rotation)
    for _ in 0..<52 {
      simulation.step(SawyerPush.substeps)
      let way = place - simulation.bodyPosition(hand)
      if (way * way).sum().squareRoot() < 0.002 { return }
    }
  }

  /// Applies one action, clipped to its range.
  public func step(_ action: Action) -> GoalStep {
    let values = task.clipped(action)
    let from = simulation.mocapPosition(mocap)
    let move = SIMD2(Double(values[0]), Double(values[1])) * SawyerPush.stride
    let place = (SIMD2(from.x, from.y) + move)
      .clamped(lowerBound: SawyerPush.low, upperBound: SawyerPush.high)
    let height = from.z + (SawyerPush.height - from.z) * SawyerPush.stride
    simulation.setMocap(
      mocap, position: SIMD3(place.x, place.y, height), rotation: SawyerPush.rotation)
    lagging.step(SawyerPush.substeps)
    return stepped()
  }

  private func plane(_ body: Int) -> SIMD2<Double> {
    let place = simulation.bodyPosition(body)
    return SIMD2(place.x, place.y)
  }

  private func distance(_ a: SIMD2<Double>, _ b: SIMD2<Double>) -> Double {
    length(a.x - b.x, a.y - b.y)
  }

  /// The observation before it is rounded to `Float`, `[O]`.
  public var preciseObservation: [Double] {
    let (hand, puck) = (plane(hand), plane(puck))
    return [hand.x, hand.y, puck.x, puck.y]
  }

  /// The arm over its table; the puck's goal is a ball, green once it is reached, else red.
  var markers: [Marker] {
    [
      Marker(
        position: SIMD3(goal[2], goal[3], SawyerPush.puckHeight), radius: 0.02, colour: goalColour)
    ]
  }

  let camera = Camera(target: SIMD3(0, 0.58, 0.05), distance: 0.85, azimuth: 250, elevation: -50)
}

extension SawyerModel {
  /// The model of sawyer-push: a puck too heavy to turn, between four slopes that cannot be seen.
  static let push = SawyerModel(
    timestep: 0.002, options: "", contacts: contacts(margin: 0.001), weldTime: 0.01,
    ranges: ("-3.0503 3.0503", "-3.8 -0.5", "-4.7124 4.7124"), hand: .stick,
    things: """
      <geom name="table" type="plane" pos="0 0.6 0" size="0.4 0.2 0.5" contype="15" conaffinity="15"
        rgba="0.6 0.6 0.5 1"/>
      <body name="arena" pos="0 0.6 0">
        <geom class="slope" pos="-0.24 0 0" size="0.2 0.5 0.01" euler="0 1.2 0"/>
        <geom class="slope" pos="0.24 0 0" size="0.2 0.5 0.01" euler="0 -1.2 0"/>
        <geom class="slope" pos="0 0.14 0" size="0.5 0.2 0.01" euler="1.2 0 0"/>
        <geom class="slope" pos="0 -0.14 0" size="0.5 0.2 0.01" euler="-1.2 0 0"/>
      </body>
      <body name="puck" pos="0 0 0.1">
        <freejoint name="puck"/>
        <inertial pos="0 0 0" mass="100.1" diaginertia="1e7 1e7 1e7"/>
        <geom type="cylinder" size="0.04 0.015" contype="2" conaffinity="4" rgba="0.1 0.1 0.9 1"/>
      </body>
      """)
}
