import GoalCore

@testable import Environments

/// A point on a line of ±5 m, which goes to a target.
///
///     s ← clip(s + clip(a, ±1), ±5)
///
/// | index | observation | unit |
/// |-------|-------------|------|
/// | 0     | position    | m    |
///
/// | index | action       | unit | range   |
/// |-------|--------------|------|---------|
/// | 0     | displacement | m    | −1 to 1 |
///
/// A goal is a position, reached within 0.5 m. Start and goal are uniform on the line. An episode
/// has 20 steps and never terminates.
///
/// Source: `PointLine-v0` of github.com/owner/name at 0123456, `envs/line.py`. It differs in:
/// 1. starts and goals are drawn from the episode's own generator.
final class PointLine: RestorableEnvironment, VisibleEnvironment {
  static let task = GoalTask(
    identifier: "point-line",
    spec: GoalSpec(
      observation: 1, goal: 1, action: .continuous(low: [-1], high: [1]), horizon: 20,
      successThreshold: 0.5, metric: "distance of the point from the goal, m", controlPeriod: 1),
    goalIndices: [0])

  static let world = World(
    task: task, summary: "move a point to a target on a line", script: ScriptedPolicy(expert),
    bounds: PlausibleBounds(
      things: [.init(name: "point", indices: [0], largestStep: 1)], largestObservation: 5),
    load: {
      LoadedWorld(
        modelBytes: Array("a line of ±5".utf8), simulator: "point line 1",
        makeEnvironment: { PointLine() })
    })

  /// Goes straight to the goal.
  static func expert(_ observation: [Float], _ goal: [Float]) -> Action {
    .continuous([(goal[0] - observation[0]).clamped(from: -1, to: 1)])
  }

  let task: GoalTask = PointLine.task
  private var position = 0.0
  private var goal = 0.0
  private var steps = 0

  func reset(seed: UInt64) -> GoalObservation {
    var generator = NumpyGenerator(seed: seed)
    goal = generator.uniform(-5, 5)
    position = generator.uniform(-5, 5)
    steps = 0
    return shown()
  }

  func step(_ action: Action) -> GoalStep {
    position = (position + Double(task.clipped(action)[0])).clamped(from: -5, to: 5)
    steps += 1
    return task.stepped(to: shown(), steps: steps)
  }

  private func shown() -> GoalObservation { task.shown([position], desiredGoal: [goal]) }

  // What continues an episode bit for bit.
  let stateLength = 1

  func state() -> [Double] { [position] }

  func restore(state: [Double], desiredGoal: [Float], step: Int) -> GoalObservation {
    (position, goal, steps) = (state[0], Double(desiredGoal[0]), step)
    return shown()
  }

  func picture(width: Int, height: Int) throws -> Picture {
    var canvas = Canvas(
      width: width, height: height, low: SIMD2(-6, -5), high: SIMD2(6, 5),
      colour: SIMD3(246, 246, 242))
    let isReached = abs(position - goal) < 0.5
    canvas.disc(
      SIMD2(goal, 1), radius: 0.5, isReached ? SIMD3(40, 170, 70) : SIMD3(215, 40, 35))
    canvas.disc(SIMD2(position, 0), radius: 0.4, SIMD3(45, 95, 200))
    return canvas.picture
  }
}
