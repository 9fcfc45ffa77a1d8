import Glibc
public import GoalCore
import MuJoCo

/// Three fingers over a valve, asked to turn it to an angle: the D'Claw of ROBEL, as GCSL has it.
///
/// One control step is 40 steps of 0.0025 s: 0.1 s. An episode has 50 and never terminates. It
/// starts in one pose with the valve at 0; the goal is an angle, uniform over the whole turn,
/// reached within 0.1 rad.
///
/// | index | observation                                         | unit |
/// |-------|-----------------------------------------------------|------|
/// | 0–8   | joints' angles: upper, middle and lower of each finger | rad |
/// | 9–10  | cosine and sine of the valve's angle (the achieved goal) |    |
///
/// | index | action                          | unit                                  | range   |
/// |-------|---------------------------------|---------------------------------------|---------|
/// | 0–8   | target angle of a joint's motor | 0.48, π/3, π/2 rad (a finger's three) | −1 to 1 |
///
/// A motor is told an angle at most 0.209 rad (2π/3 rad/s) from where its joint is. The model is
/// that of PyPI robel 0.1.2, unpacked at set-up.
///
/// Source: robel 0.1.2, `dclaw/turn.py` (`DClawTurnFixed`), and `ClawEnv` of
/// github.com/dibyaghosh/gcsl at cfae560, `gcsl/envs/claw_env.py`. Equal actions give what robel's
/// own class gives on MuJoCo 3.3.0 to 10⁻⁶ rad over an episode.
///
/// It differs in: 1. the goal is drawn from the episode's own generator, where GCSL draws from
/// numpy's global one; 2. rewards are −1 and 0, where GCSL gives none and robel a sum of costs.
public final class Claw: MuJoCoWorld {
  static let task = GoalTask(
    identifier: "claw",
    spec: GoalSpec(
      observation: 11, goal: 2,
      action: .continuous(
        low: [Float](repeating: -1, count: 9), high: [Float](repeating: 1, count: 9)),
      horizon: 50, successThreshold: 0.1,
      metric: "difference of the valve's angle from the goal, rad",
      controlPeriod: 0.1),
    goalIndices: [9, 10], measure: .angle)

  static let summary = "turn a valve to an angle with three fingers"

  /// Joints turn by 2π/3 rad/s at most, and the valve's cosine and sine are within ±1.
  static let bounds = PlausibleBounds(
    things: (0..<9).map { .init(name: "joint \($0)", indices: [$0], largestStep: 1) }
      + [.init(name: "valve", indices: [9, 10], largestStep: 1.9)],
    largestObservation: 7)

  private static let substeps = 40
  // robel rounds its ranges to Float.
  private static let ranges = [0.48, Double.pi / 3, .pi / 2].map { Double(Float($0)) }
  private static let largestSpeed = Double(Float(2 * Double.pi / 3))  // rad/s
  private static let rest = [0, -Double.pi / 3, Double.pi / 3]  // rad, of each finger's joints

  /// The task, which needs no simulator.
  public let task: GoalTask
  private let simulation: MuJoCoSimulation
  var lagging: LaggingSimulation
  let studio = Studio()
  private let valve: Int
  private let period: Double
  var goal: [Double] = []
  var steps = 0

  static func model() throws -> MuJoCoModel {
    try MuJoCoModel(path: ModelFiles.path("robel/dclaw/assets/dclaw3xh_valve3_v0.xml"))
  }

  init(model: MuJoCoModel) throws {
    task = Claw.task
    simulation = MuJoCoSimulation(model)
    lagging = LaggingSimulation(simulation, lags: false)
    valve = try model.joint("valve_OBJRx").position
    period = model.timestep * Double(Claw.substeps)
  }

  /// Starts the episode of this seed, which draws the goal.
  public func reset(seed: UInt64) -> GoalObservation {
    var generator = NumpyGenerator(seed: seed)
    simulation.reset()
    simulation.forward()
    for k in 0..<9 { simulation.positions[k] = Claw.rest[k % 3] }
    simulation.forward()
    let angle = generator.uniform(0, 2 * Double.pi)
    goal = [cos(angle), sin(angle)]
    return started()
  }

  /// Applies one action, clipped to its range.
  public func step(_ action: Action) -> GoalStep {
    for (k, value) in task.clipped(action).enumerated() {
      let now = simulation.positions[k]
      let speed = (Double(value) * Claw.ranges[k % 3] - now) / period
      let allowed = min(max(speed, -Claw.largestSpeed), Claw.largestSpeed)
      simulation.controls[k] = now + allowed * period
    }
    lagging.step(Claw.substeps)
    return stepped()
  }

  /// The observation before it is rounded to `Float`, `[O]`, to compare with the reference.
  public var preciseObservation: [Double] {
    let angle = simulation.positions[valve]
    return Array(simulation.positions.prefix(9)) + [cos(angle), sin(angle)]
  }

  /// The fingers from the side, with a blue ball on one arm of the valve.
  ///
  /// The goal is a ball where that arm is to point: green once it does, else red.
  var markers: [Marker] {
    let angle = simulation.positions[valve]
    func place(_ c: Double, _ s: Double, radius: Double) -> SIMD3<Double> {
      // The marked arm points along x where the valve's angle is 0.
      SIMD3(radius * c, radius * s, 0.13)
    }
    return [
      Marker(position: place(goal[0], goal[1], radius: 0.11), radius: 0.012, colour: goalColour),
      Marker(
        position: place(cos(angle), sin(angle), radius: 0.06), radius: 0.009,
        colour: SIMD4(0.1, 0.3, 1, 1)),
    ]
  }

  let camera = Camera(target: SIMD3(0, 0, 0.12), distance: 0.75, azimuth: 150, elevation: -25)
}
