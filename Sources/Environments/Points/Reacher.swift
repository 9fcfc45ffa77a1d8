import Foundation
public import GoalCore
import MuJoCo

/// A planar arm of two links, asked to bring its fingertip to a place.
///
/// One control step is 2 steps of 0.01 s: 0.02 s. An episode has 50 and never terminates.
///
/// | index | observation                             | unit  |
/// |-------|-----------------------------------------|-------|
/// | 0–1   | cosines of the joints' angles           | 1     |
/// | 2–3   | sines of the joints' angles             | 1     |
/// | 4–5   | goal's position                         | m     |
/// | 6–7   | joints' angular velocities              | rad/s |
/// | 8–9   | fingertip's position (the achieved goal) | m     |
/// | 10    | fingertip's height over the goal's, 0   | m     |
///
/// | index | action                          | unit   | range   |
/// |-------|---------------------------------|--------|---------|
/// | 0–1   | torque of the joints            | 200 Nm | −1 to 1 |
///
/// A goal is a position, uniform in a disc of radius 0.2 m, reached within 5 cm. Equal seeds give
/// the physics of gymnasium 1.4.0's `Reacher-v5` on MuJoCo 3.3.0, whose model comes from its wheel.
/// The goal side is the wrapper of github.com/YangRui2015/AWGCSL at d8f1c56,
/// `wgcsl/envs/multi_world_wrapper.py`, over the 11 numbers of `Reacher-v2`.
///
/// The reference shows the fingertip as MuJoCo's integrator left it, as of the last evaluation
/// within the step, and so does this.
public final class Reacher: MuJoCoWorld {
  static let task: GoalTask = GoalTask(
    identifier: "reacher",
    spec: GoalSpec(
      observation: 11, goal: 2, action: .continuous(low: [-1, -1], high: [1, 1]), horizon: 50,
      successThreshold: 0.05, metric: "distance of the fingertip from the goal, m",
      controlPeriod: 0.02),
    goalIndices: [8, 9])

  static let summary = "move the tip of a two-link arm to a target in its plane"

  /// The fingertip is 0.21 m from the middle at most; full torque turns the joints by some 20
  /// rad/s.
  static let bounds = PlausibleBounds(
    things: [.init(name: "fingertip", indices: [8, 9], largestStep: 0.42)], largestObservation: 200)

  private static let substeps = 2
  private static let goalRadius = 0.2  // m

  /// The task, which needs no simulator.
  public let task: GoalTask
  private let simulation: MuJoCoSimulation
  private let fingertip, target: Int
  private let initialPositions: [Double]
  var lagging: LaggingSimulation
  let studio = Studio()
  var steps = 0

  static func model() throws -> MuJoCoModel {
    try MuJoCoModel(path: ModelFiles.path("gymnasium/envs/mujoco/assets/reacher.xml"))
  }

  init(model: MuJoCoModel) throws {
    task = Reacher.task
    simulation = MuJoCoSimulation(model)
    lagging = LaggingSimulation(simulation)
    fingertip = try model.body("fingertip")
    target = try model.body("target")
    initialPositions = Array(simulation.positions)
  }

  /// Starts the episode of this seed: the arm's angles are drawn first, then goal and velocities.
  public func reset(seed: UInt64) -> GoalObservation {
    var generator = NumpyGenerator(seed: seed)
    simulation.reset()
    for k in 0..<4 {
      simulation.positions[k] = generator.uniform(-0.1, 0.1) + initialPositions[k]
    }
    var goal = SIMD2<Double>()
    repeat {
      goal.x = generator.uniform(-Reacher.goalRadius, Reacher.goalRadius)
      goal.y = generator.uniform(-Reacher.goalRadius, Reacher.goalRadius)
    } while goal.length >= Reacher.goalRadius
    simulation.positions[2] = goal.x
    simulation.positions[3] = goal.y
    for k in 0..<4 {
      let speed = generator.uniform(-0.005, 0.005)
      simulation.speeds[k] = k < 2 ? speed : 0
    }
    simulation.forward()
    return started()
  }

  /// Applies one action, clipped to its range.
  public func step(_ action: Action) -> GoalStep {
    let values = task.clipped(action)
    for k in 0..<2 { simulation.controls[k] = Double(values[k]) }
    lagging.step(Reacher.substeps)
    return stepped()
  }

  /// The observation before it is rounded to `Float`, `[O]`, to compare with the reference.
  public var preciseObservation: [Double] {
    let angles = (0..<2).map { simulation.positions[$0] }
    let way = simulation.bodyPosition(fingertip) - simulation.bodyPosition(target)
    return angles.map { cos($0) } + angles.map { sin($0) } + goal
      + (0..<2).map { simulation.speeds[$0] } + [way.x + goal[0], way.y + goal[1], way.z]
  }

  /// The target's joints.
  ///
  /// To set a goal that is not the state's own moves the target.
  var goal: [Double] {
    get { [simulation.positions[2], simulation.positions[3]] }
    set {
      guard newValue.map({ Float($0) }) != goal.map({ Float($0) }) else { return }
      for k in 0..<2 { simulation.positions[2 + k] = newValue[k] }
      simulation.forward()
      lagging.begin()
    }
  }

  /// The arm from above, the goal a ball: green once reached, else red.
  var markers: [Marker] {
    [Marker(position: SIMD3(goal[0], goal[1], 0.01), radius: 0.02, colour: goalColour)]
  }

  let camera = Camera(target: SIMD3(0, 0, 0), distance: 0.85, azimuth: 90, elevation: -89)
}

/// Turns the joints to where the fingertip is at the goal: inverse kinematics and a damped spring.
///
///     cos q₂ = (|g|² − l₁² − l₂²) / (2 l₁ l₂),   q₁ = angle(g) − atan2(l₂ sin q₂, l₁ + l₂ cos q₂)
///     a = gain · (q* − q) − damping · q̇
///
/// with links of 0.1 and 0.11 m; the elbow bends the way it is bent.
enum ReacherScript {
  private static let links: (Float, Float) = (0.1, 0.11)  // m
  private static let gain: Float = 0.6  // units of action a radian
  private static let damping: Float = 0.06  // units of action a radian per second

  /// The action for an observation and a desired goal.
  static func action(_ observation: [Float], _ desired: [Float]) -> Action {
    let goal = SIMD2(desired[0], desired[1])
    let (a, b) = Self.links
    let angles = (0..<2).map { atan2(observation[2 + $0], observation[$0]) }
    let square = (goal * goal).sum()
    let bend = acos(min(max((square - a * a - b * b) / (2 * a * b), -1), 1))
    let elbow = angles[1] < 0 ? -bend : bend
    let shoulder = atan2(goal.y, goal.x) - atan2(b * sin(elbow), a + b * cos(elbow))
    let wanted = [shoulder, elbow]
    return .continuous(
      (0..<2).map { k in
        var way = wanted[k] - angles[k]
        if k == 0 { way = remainder(way, 2 * .pi) }
        return min(max(Self.gain * way - Self.damping * observation[6 + k], -1), 1)
      })
  }
}
