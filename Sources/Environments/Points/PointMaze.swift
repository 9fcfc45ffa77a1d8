public import GoalCore
import MuJoCo

/// A ball in one of OGBench's mazes, asked to go to a place.
///
/// One control step moves the ball by 0.2 m times the action and then lets MuJoCo push it out of
/// walls for 5 steps of 0.02 s: 0.1 s. The horizon is 1,000 steps. The world never terminates; an
/// evaluation ends at the first success.
///
/// | index | observation     | unit |        | index | action       | unit  | range   |
/// |-------|-----------------|------|        |-------|--------------|-------|---------|
/// | 0–1   | ball's position | m    |        | 0–1   | displacement | 0.2 m | −1 to 1 |
///
/// A goal is a whole observation, reached within 1 m. Start and goal are those of one of five
/// tasks, each up to 1 m from the middle of its cell in both directions; without a task's number
/// one is drawn. Data start and are asked for by one of two laws, `navigate` and `stitch`.
///
/// In `pointmaze-teleport` a point that ends a step within 1.5 m of the middle of a way in is moved
/// to the middle of one of three ways out, drawn uniformly. It is moved when the next step begins;
/// the step itself shows the place before. One of the three is closed.
///
/// Source: `pointmaze-{medium,large,giant,teleport}-v0` of github.com/seohongpark/ogbench 1.2.2,
/// `ogbench/locomaze/{maze,point}.py`, whose model of the ball comes from its wheel; the laws are
/// those of its `data_gen_scripts/generate_locomaze.py`. It differs in: 1. all is drawn from the
/// episode's own seed, where the reference draws from numpy's global generator, which no seed
/// reaches; 2. a goal is reached below a distance of 1 m and not at it, by numbers that are rounded
/// to `Float` as its data are; 3. rewards are −1 and 0, the reference's 0 and 1; 4. steps that end
/// away from all walls are not given to MuJoCo, which would leave them as they are to the last bit
/// (`PointMazeTests` holds both side by side); 5. actions are clipped, as the generator's are; 6.
/// the random steps before the reference's goal is made are left out, as nothing of them is left in
/// it.
public final class PointMaze: RestorableEnvironment, VisibleEnvironment, TaskedEnvironment,
  PreciseEnvironment
{
  static let mazes: [Maze] = [.medium, .large, .giant, .teleport]

  static func summary(_ maze: Maze) -> String {
    maze.entries.isEmpty
      ? "bring a ball to a place in a \(maze.name) maze"
      : "bring a ball to a place in a maze with ways in that lead to one of three ways out"
  }

  static func task(_ maze: Maze) -> GoalTask {
    GoalTask(
      identifier: "pointmaze-\(maze.name)",
      spec: GoalSpec(
        observation: 2, goal: 2, action: .continuous(low: [-1, -1], high: [1, 1]), horizon: 1000,
        successThreshold: 1, metric: "distance of the ball from the goal, m", controlPeriod: 0.1),
      goalIndices: [0, 1])
  }

  /// A step is 0.2 m along each axis, and a wall pushes the ball back by no more than it has
  /// entered.
  ///
  /// Whoever is moved to a way out has no bound.
  static func bounds(_ maze: Maze) -> PlausibleBounds {
    PlausibleBounds(
      things: maze.entries.isEmpty
        ? [.init(name: "ball", indices: [0, 1], largestStep: 0.45)] : [],
      largestObservation: Float(Maze.unit) * Float(max(maze.map.count, maze.map[0].count)),
      longestEpisode: maze.laws.map(\.steps).max())
  }

  private static let substeps = 5
  /// Metres of a full action, of as many bytes as the reference's actions have.
  private static let stride: Float = 0.2
  private static let radius = 0.7  // m
  private static let entryRadius = 1.5  // m
  private static let jitter = 1.0  // m, in both directions
  /// Purposes of the episode's streams within a step: the way out, and the next goal.
  private static let exitStream: UInt64 = 3
  private static let goalStream: UInt64 = 4

  static func model(_ maze: Maze) throws -> MuJoCoModel {
    let file = "ogbench/locomaze/assets/point.xml"
    let body = try ModelFiles.text(file)
    return try MuJoCoModel(
      text: maze.model(of: body, file: file), name: "pointmaze-\(maze.name)")
  }

  /// The task, which needs no simulator.
  public let task: GoalTask
  private let maze: Maze
  private let simulation: MuJoCoSimulation
  private var position = SIMD2<Double>()
  private var shownPosition = SIMD2<Double>()
  private var goal = SIMD2<Double>()
  private var seed: UInt64 = 0
  private var law: Maze.Law?
  private var steps = 0
  private var limit = 0
  private var wasPushed = false  // the simulation holds the last step

  init(_ maze: Maze, model: MuJoCoModel) {
    task = PointMaze.task(maze)
    self.maze = maze
    simulation = MuJoCoSimulation(model)
  }

  /// Starts the episode of this seed on a task that is drawn first.
  public func reset(seed: UInt64) -> GoalObservation {
    var generator = NumpyGenerator(seed: seed)
    let (start, goal) = generator.choice(maze.tasks)
    return begin(seed, from: start, to: goal, law: nil, &generator)
  }

  /// Starts the episode of this seed, of a task or a law that the maze has.
  ///
  /// Draws are in this order. First come the start's cell and the goal's, if a law asks for it. The
  /// start's offset from the middle of its cell along x and y follows, then the goal's from its
  /// own.
  public func reset(seed: UInt64, as kind: EpisodeKind) -> GoalObservation {
    var generator = NumpyGenerator(seed: seed)
    switch kind {
    case .task(let number):
      precondition(1...maze.tasks.count ~= number, "\(task.identifier) has no task \(number)")
      let (start, goal) = maze.tasks[number - 1]
      return begin(seed, from: start, to: goal, law: nil, &generator)
    case .data(let asked):
      guard let law = Maze.Law(rawValue: asked.name) else {
        preconditionFailure("\(task.identifier) has no data called '\(asked.name)'")
      }
      let start = generator.choice(maze.free)
      let goals =
        switch law {
        case .navigate: maze.vertices
        case .stitch: maze.cells(Maze.stitchCells, from: start)
        }
      let goal = goals.isEmpty ? start : generator.choice(goals)
      let shown = begin(seed, from: start, to: goal, law: law, &generator)
      limit = asked.steps
      return shown
    }
  }

  private func begin(
    _ seed: UInt64, from start: Maze.Cell, to goal: Maze.Cell, law: Maze.Law?,
    _ generator: inout NumpyGenerator
  ) -> GoalObservation {
    func near(_ cell: Maze.Cell) -> SIMD2<Double> {
      let x = generator.uniform(-Self.jitter, Self.jitter)
      return Maze.middle(of: cell) + SIMD2(x, generator.uniform(-Self.jitter, Self.jitter))
    }
    position = near(start)
    self.goal = near(goal)
    shownPosition = position
    self.seed = seed
    self.law = law
    steps = 0
    limit = task.spec.horizon
    simulation.reset()
    wasPushed = false
    return shown
  }

  /// Applies one action, clipped to its range.
  public func step(_ action: Action) -> GoalStep {
    let values = task.clipped(action)
    move(SIMD2(Double(Self.stride * values[0]), Double(Self.stride * values[1])))
    shownPosition = position
    steps += 1
    let reached = shown
    let isSuccess = task.isReached(reached.achievedGoal, reached.desiredGoal)
    let reward = task.reward(reached.achievedGoal, reached.desiredGoal)
    if maze.entries.contains(where: {
      (Maze.middle(of: $0) - position).length <= Self.entryRadius
    }) {
      position = Maze.middle(
        of: maze.exits[Self.wayOut(seed: seed, step: steps, of: maze.exits.count)])
    }
    if isSuccess, law == .navigate { goal = nextGoal() }
    return GoalStep(
      next: shown, reward: reward, isSuccess: isSuccess, terminated: false,
      truncated: steps >= limit)
  }

  private func move(_ way: SIMD2<Double>) {
    let moved = position + way
    if maze.mayTouch(moved, radius: Self.radius) {
      for k in 0..<2 {
        simulation.positions[k] = moved[k]
        simulation.speeds[k] = 0
      }
      simulation.step(Self.substeps)
      position = SIMD2(simulation.positions[0], simulation.positions[1])
      wasPushed = true
    } else {
      // What the solver began from is 0 again after a step without a wall.
      if wasPushed { simulation.reset() }
      position = moved
      wasPushed = false
    }
  }

  /// Which of the ways out a step of an episode would lead to, from 0.
  static func wayOut(seed: UInt64, step: Int, of count: Int) -> Int {
    var generator = Philox(seed: seed, purpose: exitStream, index: UInt64(step))
    return Int(generator.unit() * Double(count))
  }

  private func nextGoal() -> SIMD2<Double> {
    var generator = Philox(seed: seed, purpose: Self.goalStream, index: UInt64(steps))
    let cell = maze.vertices[Int(generator.unit() * Double(maze.vertices.count))]
    let x = generator.uniform(-Self.jitter, Self.jitter)
    return Maze.middle(of: cell) + SIMD2(x, generator.uniform(-Self.jitter, Self.jitter))
  }

  private var shown: GoalObservation {
    task.shown(preciseObservation, desiredGoal: preciseGoal)
  }

  /// The observation before it is rounded to `Float`, `[O]`, to compare with the reference.
  public var preciseObservation: [Double] { [shownPosition.x, shownPosition.y] }

  /// The desired goal before it is rounded to `Float`, `[G]`.
  public var preciseGoal: [Double] { [goal.x, goal.y] }

  /// Where the next step begins, m, which is not what is shown for whoever was moved to a way out.
  var precisePosition: [Double] { [position.x, position.y] }

  /// Two positions, the seed in halves, whether a wall was touched, and the simulator's own
  /// numbers.
  public var stateLength: Int { 7 + simulation.model.integrationStateLength }

  /// Where the next step begins, what is shown, the episode's seed, and what the solver begins from
  /// at a wall.
  public func state() -> [Double] {
    [
      position.x, position.y, shownPosition.x, shownPosition.y, Double(seed >> 32),
      Double(seed & 0xffff_ffff), wasPushed ? 1 : 0,
    ] + simulation.integrationState
  }

  /// Puts a state and a goal back; the episode goes on as one of a task.
  public func restore(state: [Double], desiredGoal: [Float], step: Int) -> GoalObservation {
    position = SIMD2(state[0], state[1])
    shownPosition = SIMD2(state[2], state[3])
    seed = Self.half(state[4]) << 32 | Self.half(state[5])
    wasPushed = state[6] != 0
    simulation.integrationState = Array(state.dropFirst(7))
    goal = SIMD2(Double(desiredGoal[0]), Double(desiredGoal[1]))
    law = nil
    steps = step
    limit = task.spec.horizon
    return shown
  }

  /// Half of a seed out of a state, which may come from a file.
  private static func half(_ number: Double) -> UInt64 {
    UInt64(exactly: number).map { $0 & 0xffff_ffff } ?? 0
  }

  /// The maze from above: walls, ways in and out, the ball in blue, and the goal's disc, green once
  /// reached, else red.
  public func picture(width: Int, height: Int) throws -> Picture {
    let (rows, columns) = (maze.map.count, maze.map[0].count)
    let half = SIMD2(repeating: 0.5 * Maze.unit)
    var canvas = Canvas(
      width: width, height: height, low: Maze.middle(of: Maze.Cell(i: 0, j: 0)) - half,
      high: Maze.middle(of: Maze.Cell(i: rows - 1, j: columns - 1)) + half,
      colour: SIMD3(246, 246, 242))
    for i in 0..<rows {
      for j in 0..<columns where maze.isWall(Maze.Cell(i: i, j: j)) {
        let middle = Maze.middle(of: Maze.Cell(i: i, j: j))
        canvas.rectangle(middle - half, middle + half, SIMD3(110, 112, 120))
      }
    }
    for cell in maze.entries {
      canvas.disc(Maze.middle(of: cell), radius: Self.entryRadius, SIMD3(60, 50, 110))
    }
    for cell in maze.exits {
      canvas.ring(Maze.middle(of: cell), radius: Self.entryRadius, SIMD3(60, 50, 110))
    }
    let shown = shown
    let isReached = task.isReached(shown.achievedGoal, shown.desiredGoal)
    let colour = isReached ? SIMD3<Double>(40, 170, 70) : SIMD3(215, 40, 35)
    canvas.disc(goal, radius: 0.45, colour)
    canvas.ring(goal, radius: task.spec.successThreshold, colour)
    canvas.disc(shownPosition, radius: Self.radius, SIMD3(45, 95, 200))
    return canvas.picture
  }
}

/// OGBench's way through a maze: to the middle of the neighbouring cell that a breadth-first search
/// says is nearer to the goal's.
///
///     a = (c − s) / (‖c − s‖ + 10⁻⁶)
///
/// In the goal's cell c is that cell's own middle, not the goal, which may lie farther than 1 m
/// from it: one in five does. Ways in and out are not known to it.
///
/// Source: `get_oracle_subgoal` of `ogbench/locomaze/maze.py` and
/// `data_gen_scripts/generate_locomaze.py`. It differs in:
/// 1. in the step after a way in it acts from what is shown, the reference from where the ball
///    stands by then.
public struct MazeScript: GoalPolicy {
  let maze: Maze

  /// Makes an actor.
  public func makeActor() -> any GoalActor { Script(maze) }

  private final class Script: AimedActor {
    private let maze: Maze
    private var goal: Maze.Cell?
    private var distances: [Maze.Cell: Int] = [:]

    init(_ maze: Maze) { self.maze = maze }

    func begin(goal: [Float], seed: UInt64) { aim(at: goal) }

    func aim(at goal: [Float]) {
      let cell = Maze.cell(at: SIMD2(Double(goal[0]), Double(goal[1])))
      guard cell != self.goal else { return }
      self.goal = cell
      distances = maze.distances(to: cell)
    }

    func act(_ observation: [Float]) -> Action {
      let place = SIMD2(Double(observation[0]), Double(observation[1]))
      let way = Maze.middle(of: maze.next(from: Maze.cell(at: place), by: distances)) - place
      let unit = way / (way.length + 1e-6)
      return .continuous([Float(unit.x), Float(unit.y)])
    }
  }
}
