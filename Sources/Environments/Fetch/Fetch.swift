public import GoalCore
import MuJoCo

/// The Fetch robot's arm over a table, asked to bring its gripper or a block to a place.
///
/// One control step is 20 steps of 0.002 s: 0.04 s. An episode has 50 and never terminates.
///
/// | world                | observation | goal, m            | object           | gripper        |
/// |----------------------|-------------|--------------------|------------------|----------------|
/// | fetch-reach          | 10          | gripper's position | none             | 0.2 m up, shut |
/// | fetch-push           | 25          | block's position   | block of 5 cm    | low, shut      |
/// | fetch-pick-and-place | 25          | block's position   | block of 5 cm    | 0.2 m up, free |
/// | fetch-slide          | 25          | puck's position    | puck of 5 × 4 cm | low, shut      |
///
/// Half of the goals of fetch-pick-and-place are in the air, up to 0.45 m; those of fetch-slide are
/// out of the arm's reach.
///
/// | index with an object | in reach | observation                            | unit       |
/// |----------------------|----------|----------------------------------------|------------|
/// | 0–2                  | 0–2      | gripper's position                     | m          |
/// | 3–5                  |          | block's position                       | m          |
/// | 6–8                  |          | block's position less the gripper's    | m          |
/// | 9–10                 | 3–4      | positions of the right and left finger | m          |
/// | 11–13                |          | block's rotation, Euler angles         | rad        |
/// | 14–16                |          | block's velocity less the gripper's    | m a step   |
/// | 17–19                |          | block's angular velocity               | rad a step |
/// | 20–22                | 5–7      | gripper's velocity                     | m a step   |
/// | 23–24                | 8–9      | velocities of the fingers              | m a step   |
///
/// | index | action                                                         | unit | range   |
/// |-------|----------------------------------------------------------------|------|---------|
/// | 0–2   | displacement of the gripper's target                           | 5 cm | −1 to 1 |
/// | 3     | distance of each finger's target from it (unused if held shut) | m    | −1 to 1 |
///
/// A goal is reached within 5 cm. Equal seeds give the states, goals and observations of
/// gymnasium-robotics 1.4.2 on MuJoCo 3.3.0 to 10⁻¹²: `FetchReach-v4`, `FetchPush-v4`,
/// `FetchPickAndPlace-v4` and `FetchSlide-v4`. The last bits of its matrix products depend on
/// numpy's order of summation. The models are from its wheel.
///
/// If the fingers are free, the reference shows positions as they were before the last of the 20
/// steps, and so does this. MuJoCo computes them at a step's start, and only holding the fingers
/// shut computes them again.
///
/// It differs from the reference in: 1. rewards and successes are computed from observations
/// rounded to `Float`, which are what datasets hold.
public final class Fetch: MuJoCoWorld {
  /// The parameters of a world of the family.
  struct Row: Sendable {
    let identifier: String
    let summary: String
    let file: String
    /// The object's name; nil for a world without one.
    var object: String?
    var hasFreeFingers = false
    var extraHeight = 0.0  // m
    var slide0 = 0.405  // m, where the robot's base stands
    var objectStart = [1.25, 0.53, 0.4]  // m, before it settles
    var objectRange = 0.15  // m, half-width of the object's starts
    var targetRange = 0.15  // m, half-width of the goals
    var targetOffset = 0.0  // m, of the goals along x
    var airHeight = 0.0  // m, that half of the goals are above the table at most

    var hasObject: Bool { object != nil }
    /// Whether goals are out of the gripper's reach.
    var isFar: Bool { targetOffset > 0 }
  }

  static let rows = [
    Row(
      identifier: "fetch-reach", summary: "move the gripper to a target in the air",
      file: "reach.xml", extraHeight: 0.2, slide0: 0.4049),
    Row(
      identifier: "fetch-push", summary: "push a block to a target on the table",
      file: "push.xml", object: "block"),
    Row(
      identifier: "fetch-pick-and-place",
      summary: "move a block to a target on the table or in the air",
      file: "pick_and_place.xml", object: "block", hasFreeFingers: true, extraHeight: 0.2,
      airHeight: 0.45),
    Row(
      identifier: "fetch-slide", summary: "hit a puck so that it slides to a target out of reach",
      file: "slide.xml", object: "puck", extraHeight: -0.02, slide0: 0.05,
      objectStart: [1.7, 1.1, 0.41], objectRange: 0.1, targetRange: 0.3, targetOffset: 0.4),
  ]

  static func task(_ row: Row) -> GoalTask {
    GoalTask(
      identifier: row.identifier,
      spec: GoalSpec(
        observation: row.hasObject ? 25 : 10, goal: 3,
        action: .continuous(
          low: [Float](repeating: -1, count: 4), high: [Float](repeating: 1, count: 4)),
        horizon: 50, successThreshold: 0.05,
        metric: "distance of the \(row.object ?? "gripper") from the goal, m",
        controlPeriod: Double(substeps) * 0.002),
      goalIndices: row.hasObject ? [3, 4, 5] : [0, 1, 2])
  }

  /// The scripted expert.
  static func script(_ row: Row) -> ScriptedPolicy {
    if !row.hasObject { return ScriptedPolicy(FetchReachScript.action) }
    if row.hasFreeFingers { return ScriptedPolicy(FetchPickAndPlaceScript.action) }
    return ScriptedPolicy(row.isFar ? FetchSlideScript.action : FetchPushScript.action)
  }

  /// The bounds of the numbers.
  ///
  /// The gripper follows a target that moves 8.7 cm a step at most (all three at full range). In
  /// the standard datasets it moved at most 5.6 cm, and a struck block 12.6 cm (2.6 million steps,
  /// random and of a noisy expert; `goalpost inspect`). A block that falls off the table reaches as
  /// much. The bounds are about twice that. Angles, within π, are the largest numbers of an
  /// observation; positions stay within 2 m.
  static func bounds(_ row: Row) -> PlausibleBounds {
    let gripper = PlausibleBounds.Thing(name: "gripper", indices: [0, 1, 2], largestStep: 0.15)
    let object = row.object.map {
      PlausibleBounds.Thing(name: $0, indices: [3, 4, 5], largestStep: 0.25)
    }
    return PlausibleBounds(things: [gripper] + [object].compactMap { $0 }, largestObservation: 10)
  }

  private static let substeps = 20
  private static let stride: Float = 0.05  // m per unit of action
  private static let clearance = 0.1  // m, least distance of block and gripper at the start

  /// The task, which needs no simulator.
  public let task: GoalTask
  private let row: Row
  private let simulation: MuJoCoSimulation
  var lagging: LaggingSimulation
  /// Bodies left out of pictures: the emergency stop and the laser, which the base hides and which
  /// have almost half of the robot's faces, and the mocap marker.
  var studio = Studio(without: ["robot0:estop_link", "robot0:laser_link", "robot0:mocap"])
  private let period: Double
  private let gripSite, gripBody, mocap: Int
  private let leftFinger, rightFinger: (position: Int, velocity: Int)
  private let object: (site: Int, position: Int)?

  // What every episode starts from.
  private let initialTime: Double
  private let initialPositions, initialSpeeds: [Double]
  private let initialGrip: SIMD3<Double>
  private let goalHeight: Double

  var goal: [Double] = []
  var steps = 0

  /// Loads the model of a row, with its welds reset.
  static func model(_ row: Row) throws -> MuJoCoModel {
    let path = try ModelFiles.path("gymnasium_robotics/envs/assets/fetch/" + row.file)
    let model = try MuJoCoModel(path: path)
    model.resetWelds()
    return model
  }

  init(_ row: Row, model: MuJoCoModel) throws {
    self.row = row
    task = Fetch.task(row)
    simulation = MuJoCoSimulation(model)
    lagging = LaggingSimulation(simulation, lags: row.hasFreeFingers)
    period = Double(Fetch.substeps) * model.timestep
    gripSite = try model.site("robot0:grip")
    gripBody = try model.body("robot0:gripper_link")
    mocap = try model.mocap("robot0:mocap")
    leftFinger = try model.joint("robot0:l_gripper_finger_joint")
    rightFinger = try model.joint("robot0:r_gripper_finger_joint")
    object =
      row.hasObject
      ? (try model.site("object0"), try model.joint("object0:joint").position) : nil

    // The pose that the reference settles into when it is made: 10 control steps of the weld
    // pulling the gripper, and no forward pass after the last.
    let base = try ["robot0:slide0", "robot0:slide1", "robot0:slide2"].map {
      try model.joint($0).position
    }
    for (place, value) in zip(base, [row.slide0, 0.48, 0]) { simulation.positions[place] = value }
    if let object {
      for (k, value) in (row.objectStart + [1, 0, 0, 0]).enumerated() {
        simulation.positions[object.position + k] = value
      }
    }
    simulation.forward()
    simulation.forward()
    let target =
      SIMD3(-0.498, 0.005, -0.431 + row.extraHeight) + simulation.sitePosition(gripSite)
    simulation.setMocap(mocap, position: target, rotation: SIMD4(1, 0, 1, 0))
    simulation.step(10 * Fetch.substeps)
    initialGrip = simulation.sitePosition(gripSite)
    goalHeight = object.map { [simulation] in simulation.sitePosition($0.site).z } ?? 0
    initialTime = simulation.time
    initialPositions = Array(simulation.positions)
    initialSpeeds = Array(simulation.speeds)
  }

  /// Starts the episode of this seed: the block's place is drawn first, the goal after it.
  public func reset(seed: UInt64) -> GoalObservation {
    var generator = NumpyGenerator(seed: seed)
    simulation.reset()
    simulation.time = initialTime
    for (k, value) in initialPositions.enumerated() { simulation.positions[k] = value }
    for (k, value) in initialSpeeds.enumerated() { simulation.speeds[k] = value }
    simulation.forward()
    if let object {
      var x = 0.0
      var y = 0.0
      repeat {
        x = initialGrip.x + generator.uniform(-row.objectRange, row.objectRange)
        y = initialGrip.y + generator.uniform(-row.objectRange, row.objectRange)
      } while length(x - initialGrip.x, y - initialGrip.y) < Fetch.clearance
      simulation.positions[object.position] = x
      simulation.positions[object.position + 1] = y
    }
    simulation.forward()
    goal = (0..<3).map { initialGrip[$0] + generator.uniform(-row.targetRange, row.targetRange) }
    if row.hasObject {
      goal[0] += row.targetOffset
      goal[2] = goalHeight
    }
    if row.airHeight > 0, generator.unit() < 0.5 { goal[2] += generator.uniform(0, row.airHeight) }
    return started()
  }

  /// Applies one action, clipped to its range; clipping and scaling are done in `Float`.
  public func step(_ action: Action) -> GoalStep {
    let values = task.clipped(action)
    var target = simulation.bodyPosition(gripBody)
    for k in 0..<3 { target[k] += Double(values[k] * Fetch.stride) }
    let rotation = simulation.bodyRotation(gripBody) + SIMD4(1, 0, 1, 0)
    simulation.setMocap(mocap, position: target, rotation: rotation)
    if row.hasFreeFingers {
      // Position actuators, whose targets are given from where the fingers are; left, then right.
      for (k, finger) in [leftFinger, rightFinger].enumerated() {
        simulation.controls[k] = simulation.positions[finger.position] + Double(values[3])
      }
    }
    lagging.step(Fetch.substeps)
    if !row.hasFreeFingers {
      simulation.positions[leftFinger.position] = 0
      simulation.positions[rightFinger.position] = 0
      simulation.forward()
    }
    return stepped()
  }

  /// The observation before it is rounded to `Float`, `[O]`, to compare with the reference.
  public var preciseObservation: [Double] {
    let grip = simulation.sitePosition(gripSite)
    let gripVelocity = simulation.siteVelocity(gripSite) * period
    let fingers = [rightFinger, leftFinger]  // in the order of the model's joints
    var values = [grip.x, grip.y, grip.z]
    if let object {
      let place = simulation.sitePosition(object.site)
      let angles = eulerAngles(simulation.siteRotation(object.site))
      let velocity = simulation.siteVelocity(object.site) * period - gripVelocity
      let turning = simulation.siteAngularVelocity(object.site) * period
      for v in [place, place - grip] { values += [v.x, v.y, v.z] }
      values += fingers.map { simulation.positions[$0.position] }
      for v in [angles, velocity, turning] { values += [v.x, v.y, v.z] }
    } else {
      values += fingers.map { simulation.positions[$0.position] }
    }
    values += [gripVelocity.x, gripVelocity.y, gripVelocity.z]
    values += fingers.map { simulation.speeds[$0.velocity] * period }
    return values
  }

  /// The goal is a ball: green once reached, else red.
  var markers: [Marker] {
    [
      Marker(
        position: SIMD3(goal[0], goal[1], goal[2]), radius: row.isFar ? 0.03 : 0.02,
        colour: goalColour)
    ]
  }

  /// The reference's camera; of fetch-slide's longer table more is shown.
  var camera: Camera {
    Camera(
      target: SIMD3(1.3, 0.75, 0.5), distance: row.isFar ? 2 : 1.6, azimuth: 132, elevation: -22)
  }
}
