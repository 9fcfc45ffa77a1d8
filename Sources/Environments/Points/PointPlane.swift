public import GoalCore

/// A point in a square of ±5, asked to go to a place; in point-rooms, round walls.
///
///     s ← clip(walls(s, s + clip(a, ±1)), ±5)
///
/// | index | observation | unit |        | index | action       | unit | range   |
/// |-------|-------------|------|        |-------|--------------|------|---------|
/// | 0–1   | position    | 1    |        | 0–1   | displacement | 1    | −1 to 1 |
///
/// A goal is a position, reached within 1. An episode has 50 steps and never terminates. Goal and
/// start are drawn uniformly from the square, those inside a wall again.
///
/// The walls of point-rooms make four rooms: a cross in the middle and a stub at the end of each of
/// its arms. A door of width 2.8 joins each two neighbouring rooms. A wall is a rectangle that the
/// point's middle cannot enter, larger by the point's radius of 0.5. A step that would cross into
/// one is cut off in the direction across the wall, 0.01 before it, and goes on along it.
///
/// Source: `Point2DLargeEnv-v1` and `Point2D-FourRoom-v1` of github.com/YangRui2015/AWGCSL at
/// d8f1c56, `wgcsl/envs/{point2d,walls}.py`. It differs in: 1. starts and goals are drawn from the
/// episode's own generator, in the same order, where the reference draws from numpy's global one.
public final class PointPlane: RestorableEnvironment, VisibleEnvironment {
  /// The parameters of a world of the family.
  struct Row: Sendable {
    let identifier: String
    let summary: String
    let walls: [Wall]
  }

  /// A rectangle that the point's middle cannot enter.
  struct Wall: Sendable, Equatable {
    let low, high: SIMD2<Double>

    func contains(_ p: SIMD2<Double>) -> Bool {
      low.x < p.x && p.x < high.x && low.y < p.y && p.y < high.y
    }

    /// Where a move ends that this wall may stop.
    func stopped(_ start: SIMD2<Double>, _ end: SIMD2<Double>) -> SIMD2<Double> {
      var end = end
      // Each side in the reference's order; a side is crossed where the boxes of both segments
      // meet.
      if meets(start, end, 1, high.y), end.y <= start.y, start.y >= high.y {
        end.y = high.y + PointPlane.gap
      }
      if meets(start, end, 1, low.y), end.y >= start.y, start.y <= low.y {
        end.y = low.y - PointPlane.gap
      }
      if meets(start, end, 0, high.x), end.x <= start.x, start.x >= high.x {
        end.x = high.x + PointPlane.gap
      }
      if meets(start, end, 0, low.x), end.x >= start.x, start.x <= low.x {
        end.x = low.x - PointPlane.gap
      }
      return end
    }

    /// Whether the box of the unstopped move touches the side at which coordinate `k` is `value`.
    private func meets(
      _ start: SIMD2<Double>, _ end: SIMD2<Double>, _ k: Int, _ value: Double
    ) -> Bool {
      let other = 1 - k
      return min(start[k], end[k]) <= value && value <= max(start[k], end[k])
        && max(low[other], min(start[other], end[other]))
          <= min(high[other], max(start[other], end[other]))
    }
  }

  static let rows = [
    Row(identifier: "point-reach", summary: "move a point to a target in a square", walls: []),
    Row(
      identifier: "point-rooms", summary: "move a point to a target in four rooms", walls: rooms),
  ]

  /// The walls of point-rooms: along both axes the stubs and the cross, in the reference's order.
  private static let rooms: [Wall] = {
    let pieces = [(-1.2, -1.05), (-0.17, 0.17), (1.05, 1.2)].map { (side * $0, side * $1) }
    let margin = 0.5 + 0.3  // the point's radius and half the wall's thickness
    let along = pieces.map {
      Wall(low: SIMD2($0 - margin, -margin), high: SIMD2($1 + margin, margin))
    }
    let up = pieces.reversed().map {
      Wall(low: SIMD2(-margin, $0 - margin), high: SIMD2(margin, $1 + margin))
    }
    return along + up
  }()

  static func task(_ row: Row) -> GoalTask {
    GoalTask(
      identifier: row.identifier,
      spec: GoalSpec(
        observation: 2, goal: 2, action: .continuous(low: [-1, -1], high: [1, 1]), horizon: 50,
        successThreshold: 1, metric: "distance of the point from the goal", controlPeriod: 1),
      goalIndices: [0, 1])
  }

  /// A step is √2 at most, and a wall moves it back by less than 0.01 more.
  static let bounds = PlausibleBounds(
    things: [.init(name: "point", indices: [0, 1], largestStep: 1.43)], largestObservation: 5)

  private static let side = 5.0
  private static let gap = 0.01  // before a wall

  /// The task, which needs no simulator.
  public let task: GoalTask
  private let walls: [Wall]
  private var position = SIMD2<Double>()
  private var goal = SIMD2<Double>()
  private var steps = 0

  init(_ row: Row) {
    task = PointPlane.task(row)
    walls = row.walls
  }

  /// Starts the episode of this seed: the goal is drawn first, the start after it.
  public func reset(seed: UInt64) -> GoalObservation {
    var generator = NumpyGenerator(seed: seed)
    func place() -> SIMD2<Double> {
      while true {
        let x = generator.uniform(-PointPlane.side, PointPlane.side)
        let y = generator.uniform(-PointPlane.side, PointPlane.side)
        if !walls.contains(where: { $0.contains(SIMD2(x, y)) }) { return SIMD2(x, y) }
      }
    }
    goal = place()
    position = place()
    steps = 0
    return shown()
  }

  /// Applies one displacement, clipped to its range.
  public func step(_ action: Action) -> GoalStep {
    let values = task.clipped(action)
    let move = SIMD2(Double(values[0]), Double(values[1]))
    let wanted = position + move
    var next = walls.reduce(wanted) { $1.stopped(position, $0) }
    // Caught between two walls: taken in the other order, one may be enough.
    if next.x != wanted.x, next.y != wanted.y {
      next = walls.reversed().reduce(wanted) { $1.stopped(position, $0) }
    }
    position = next.clamped(
      lowerBound: SIMD2(repeating: -PointPlane.side), upperBound: SIMD2(repeating: PointPlane.side))
    steps += 1
    return task.stepped(to: shown(), steps: steps)
  }

  private func shown() -> GoalObservation {
    task.shown([position.x, position.y], desiredGoal: [goal.x, goal.y])
  }

  /// Two: the position.
  public var stateLength: Int { 2 }

  /// The position.
  public func state() -> [Double] { [position.x, position.y] }

  /// Puts a position and a goal back.
  public func restore(state: [Double], desiredGoal: [Float], step: Int) -> GoalObservation {
    position = SIMD2(state[0], state[1])
    goal = SIMD2(Double(desiredGoal[0]), Double(desiredGoal[1]))
    steps = step
    return shown()
  }

  /// The square from above: walls, the point in blue, and the goal's disc, green once reached, else
  /// red.
  public func picture(width: Int, height: Int) throws -> Picture {
    var canvas = Canvas(
      width: width, height: height, low: SIMD2(repeating: -5.6), high: SIMD2(repeating: 5.6),
      colour: SIMD3(246, 246, 242))
    for wall in walls {
      // As thick as it is; what the point cannot enter is wider by its radius.
      canvas.rectangle(
        wall.low + SIMD2(repeating: 0.5), wall.high - SIMD2(repeating: 0.5), SIMD3(110, 112, 120))
    }
    let shown = shown()
    let isReached = task.isReached(shown.achievedGoal, shown.desiredGoal)
    canvas.disc(goal, radius: 0.3, isReached ? SIMD3(40, 170, 70) : SIMD3(215, 40, 35))
    canvas.ring(goal, radius: 1, isReached ? SIMD3(40, 170, 70) : SIMD3(215, 40, 35))
    canvas.disc(position, radius: 0.5, SIMD3(45, 95, 200))
    return canvas.picture
  }
}
