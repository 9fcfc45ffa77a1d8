import Box2D
public import GoalCore
import MuJoCo

/// A registered world: its task, and what it takes to simulate it.
public struct World: Sendable {
  /// The task, which needs no simulator.
  public let task: GoalTask
  /// The task in a few words.
  public let summary: String
  /// The scripted expert, if there is one.
  public let script: (any GoalPolicy)?
  /// The bounds of its numbers, for verifying data.
  public let bounds: PlausibleBounds
  /// The tasks that it is evaluated on by name; their environments are `TaskedEnvironment`.
  public var tasks: [EvaluationTask] = []
  /// How its data start and what they are asked for, if they have laws of their own.
  public var laws: [DataLaw] = []
  /// Loads the model and gives what makes environments of it.
  public let load: @Sendable () throws -> LoadedWorld
}

/// A world whose model is loaded, from which each thread makes an environment of its own.
public struct LoadedWorld: Sendable {
  /// The compiled model's bytes: its digest goes into a dataset's manifest.
  public let modelBytes: [UInt8]
  /// The simulator's name and version, such as "MuJoCo 3.3.0".
  public let simulator: String
  /// Makes an environment.
  public let makeEnvironment: @Sendable () throws -> any GoalEnvironment
}

/// All worlds, by id.
public enum EnvironmentRegistry {
  /// Every world, in the order in which they are listed.
  public static let worlds: [World] =
    fetch + [hand, reacher] + sawyer + [push, claw] + blocks + points + masses + [lander] + mazes

  private static let fetch = Fetch.rows.map { row in
    World(
      task: Fetch.task(row), summary: row.summary,
      script: Fetch.script(row), bounds: Fetch.bounds(row),
      load: { simulated(try Fetch.model(row)) { try Fetch(row, model: $0) } })
  }

  private static let hand = World(
    task: HandReach.task, summary: HandReach.summary,
    script: ScriptedPolicy(HandReachScript.action),
    bounds: HandReach.bounds,
    load: { simulated(try HandReach.model()) { try HandReach(model: $0) } })

  private static let reacher = World(
    task: Reacher.task, summary: Reacher.summary, script: ScriptedPolicy(ReacherScript.action),
    bounds: Reacher.bounds,
    load: { simulated(try Reacher.model()) { try Reacher(model: $0) } })

  private static let sawyer = Sawyer.rows.map { row in
    World(
      task: Sawyer.task(row), summary: row.summary,
      script: Sawyer.script(row), bounds: Sawyer.bounds,
      load: { simulated(try Sawyer.model(row)) { try Sawyer(row, model: $0) } })
  }

  private static let push = World(
    task: SawyerPush.task, summary: SawyerPush.summary,
    script: ScriptedPolicy(SawyerPushScript.action),
    bounds: SawyerPush.bounds,
    load: { simulated(try SawyerPush.model()) { try SawyerPush(model: $0) } })

  private static let claw = World(
    task: Claw.task, summary: Claw.summary, script: ScriptedPolicy(ClawScript.action),
    bounds: Claw.bounds,
    load: { simulated(try Claw.model()) { try Claw(model: $0) } })

  private static let blocks = GapBlocks.rows.map { row in
    World(
      task: GapBlocks.task(row), summary: row.summary, script: GapBlocksScript(),
      bounds: GapBlocks.bounds,
      load: { simulated(try GapBlocks.model(row)) { try GapBlocks(row, model: $0) } })
  }

  private static let masses = PointMass.rows.map { row in
    World(
      task: PointMass.task(row), summary: row.summary,
      script: ScriptedPolicy(
        PointScript(doors: row.hasRooms ? .mass : nil, stride: 0.05).action),
      bounds: PointMass.bounds,
      load: { simulated(try PointMass.model(row)) { try PointMass(row, model: $0) } })
  }

  private static let lander = World(
    task: LunarLander.task, summary: LunarLander.summary,
    script: ScriptedPolicy(LunarLanderScript.action),
    bounds: LunarLander.bounds,
    load: {
      LoadedWorld(
        modelBytes: Array(LunarLander.description.utf8),
        simulator: "Box2D \(Box2DWorld.version)", makeEnvironment: { LunarLander() })
    })

  private static let mazes = PointMaze.mazes.map { maze in
    World(
      task: PointMaze.task(maze), summary: PointMaze.summary(maze),
      script: MazeScript(maze: maze), bounds: PointMaze.bounds(maze),
      tasks: maze.evaluationTasks, laws: maze.laws,
      load: { simulated(try PointMaze.model(maze)) { PointMaze(maze, model: $0) } })
  }

  /// A world of MuJoCo whose model is loaded.
  private static func simulated(
    _ model: MuJoCoModel,
    makeEnvironment: @escaping @Sendable (MuJoCoModel) throws -> any GoalEnvironment
  ) -> LoadedWorld {
    LoadedWorld(
      modelBytes: model.bytes, simulator: "MuJoCo \(MuJoCoModel.version)",
      makeEnvironment: { try makeEnvironment(model) })
  }

  private static let points = PointPlane.rows.map { row in
    World(
      task: PointPlane.task(row), summary: row.summary,
      script: ScriptedPolicy(
        PointScript(doors: row.walls.isEmpty ? nil : .plane, stride: 1).action),
      bounds: PointPlane.bounds,
      load: {
        LoadedWorld(
          modelBytes: Array("\(row.identifier): \(row.walls)".utf8), simulator: "point plane 1",
          makeEnvironment: { PointPlane(row) })
      })
  }

  /// The world of an id; throws `EnvironmentError.unknown`.
  public static func world(_ identifier: String) throws -> World {
    if let world = worlds.first(where: { $0.task.identifier == identifier }) { return world }
    throw EnvironmentError.unknown(
      identifier: identifier, known: worlds.map(\.task.identifier))
  }
}
