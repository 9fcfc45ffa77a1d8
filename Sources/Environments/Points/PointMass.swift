public import GoalCore
import MuJoCo

/// A ball in a plane with motors along both axes, asked to go to a place; in point-mass-rooms,
/// through doors.
///
/// One control step is 5 steps of 0.01 s: 0.05 s. An episode has 50 and never terminates. The ball
/// weighs 10 g and is so damped that full force moves it by 5 cm a step.
///
/// | index | observation     | unit |        | index | action | unit | range   |
/// |-------|-----------------|------|        |-------|--------|------|---------|
/// | 0–1   | ball's position | m    |        | 0–1   | force  | N    | −1 to 1 |
///
/// A goal is a position, one of 50 × 50 in the square of ±0.56, reached within 0.08. A start is
/// within 3 cm of (−0.3, −0.3). Walls surround the square of ±0.6; those of point-mass-rooms make
/// four rooms, joined by doors 0.2 wide, of which the ball's 0.1 and the walls' round ends leave 4
/// cm of play. Goals may lie in a wall, where the ball can come near enough.
///
/// Source: `pointmass_empty` and `pointmass_rooms` of github.com/dibyaghosh/gcsl at cfae560,
/// `gcsl/envs/room_env.py` and `dependencies/room_world`. The reference shows the ball as it was
/// before the last of the 5 steps, and so does this. It differs in: 1. starts and goals are drawn
/// from the episode's own generator, in the same order, where the reference draws from numpy's
/// global one;
/// 2. each episode starts from rest, where the reference keeps the simulator's warm start.
public final class PointMass: MuJoCoWorld {
  /// The parameters of a world of the family.
  struct Row: Sendable {
    let identifier: String
    let summary: String
    let hasRooms: Bool
  }

  static let rows = [
    Row(
      identifier: "point-mass-empty", summary: "move a ball to a target in a square",
      hasRooms: false),
    Row(
      identifier: "point-mass-rooms", summary: "move a ball to a target in four rooms",
      hasRooms: true),
  ]

  static func task(_ row: Row) -> GoalTask {
    GoalTask(
      identifier: row.identifier,
      spec: GoalSpec(
        observation: 2, goal: 2, action: .continuous(low: [-1, -1], high: [1, 1]), horizon: 50,
        successThreshold: 0.08, metric: "distance of the ball from the goal, m",
        controlPeriod: 0.05),
      goalIndices: [0, 1])
  }

  /// A step is 5 cm along each axis at most; a wall it runs into throws it back by less.
  static let bounds = PlausibleBounds(
    things: [.init(name: "ball", indices: [0, 1], largestStep: 0.15)], largestObservation: 0.7)

  private static let substeps = 5
  private static let side = 0.6  // m, from the middle
  private static let grid = 50

  /// The task, which needs no simulator.
  public let task: GoalTask
  private let simulation: MuJoCoSimulation
  var lagging: LaggingSimulation
  let studio = Studio()
  private let ball: Int
  var goal: [Double] = []
  var steps = 0

  static func model(_ row: Row) throws -> MuJoCoModel {
    let s = side
    var walls = [(-s, -s, s, -s), (s, -s, s, s), (-s, -s, -s, s), (-s, s, s, s)]
    if row.hasRooms {
      for (from, to) in [(-s, -2 * s / 3), (-s / 3, s / 3), (2 * s / 3, s)] {
        walls += [(from, 0, to, 0), (0, from, 0, to)]
      }
    }
    let geoms = walls.map { x, y, u, v in
      "<geom type=\"capsule\" size=\"0.03\" fromto=\"\(x) \(y) 0.01 \(u) \(v) 0.01\"/>"
    }
    let text = """
      <mujoco model="point_mass">
        <compiler angle="radian" inertiafromgeom="true"/>
        <option timestep="0.01" gravity="0 0 0" iterations="20"/>
        <default>
          <joint damping="1" limited="false"/>
          <geom friction="0.5 0.1 0.1" density="1000" margin="0.002" condim="1" contype="2"
            conaffinity="1" rgba="0.45 0.46 0.5 1"/>
        </default>
        <worldbody>
          <light pos="0 0 2" dir="0 0 -1" directional="true"/>
          <geom type="plane" size="0.7 0.7 0.1" pos="0 0 -0.1" contype="0" conaffinity="0"
            rgba="0.93 0.93 0.9 1"/>
          <body name="ball">
            <geom type="sphere" size="0.05" contype="1" mass="0.01" rgba="0.15 0.35 0.8 1"/>
            <joint name="x" type="slide" axis="1 0 0"/>
            <joint name="y" type="slide" axis="0 1 0"/>
          </body>
          \(geoms.joined(separator: "\n"))
        </worldbody>
        <actuator>
          <motor joint="x" ctrlrange="-1 1" ctrllimited="true"/>
          <motor joint="y" ctrlrange="-1 1" ctrllimited="true"/>
        </actuator>
      </mujoco>
      """
    return try MuJoCoModel(text: text, name: row.identifier)
  }

  init(_ row: Row, model: MuJoCoModel) throws {
    task = PointMass.task(row)
    simulation = MuJoCoSimulation(model)
    lagging = LaggingSimulation(simulation)
    ball = try model.body("ball")
  }

  /// Starts the episode of this seed: the start is drawn first, the goal after it.
  public func reset(seed: UInt64) -> GoalObservation {
    var generator = NumpyGenerator(seed: seed)
    simulation.reset()
    for k in 0..<2 { simulation.positions[k] = generator.uniform(-0.33, -0.27) }
    simulation.forward()
    let cell = generator.integer(0, PointMass.grid * PointMass.grid)
    let spacing = 2 * 0.56 / Double(PointMass.grid - 1)
    goal = [cell % PointMass.grid, cell / PointMass.grid].map { -0.56 + spacing * Double($0) }
    return started()
  }

  /// Applies one action, clipped to its range.
  public func step(_ action: Action) -> GoalStep {
    let values = task.clipped(action)
    for k in 0..<2 { simulation.controls[k] = Double(values[k]) }
    lagging.step(PointMass.substeps)
    return stepped()
  }

  /// The observation before it is rounded to `Float`, `[O]`.
  public var preciseObservation: [Double] {
    let place = simulation.bodyPosition(ball)
    return [place.x, place.y]
  }

  /// The square from above, the goal a ball: green once reached, else red.
  var markers: [Marker] {
    [Marker(position: SIMD3(goal[0], goal[1], 0.06), radius: 0.03, colour: goalColour)]
  }

  let camera = Camera(target: SIMD3(0, 0, 0), distance: 1.75, azimuth: 90, elevation: -89)
}
