import Foundation
import GoalCore
import TestSupport
import Testing

@testable import Environments

/// The point mazes beside OGBench's own, live, from draws that are given to both.
///
/// Tolerance: none. Both run the same MuJoCo on the same model; steps without a wall, which only
/// the reference gives to it, come out the same to the bit.
struct PointMazeTests {
  struct Question: Encodable {
    struct Episode: Encodable {
      let task: Int
      let jitter: [Double]
      var exits: [Int] = []
      var actions: [[Float]] = []
    }

    let maze: String
    let goals: [[Int]]
    var episodes: [Episode] = []
  }

  struct Answer: Decodable {
    struct Episode: Decodable {
      let goal: [Double]
      let observations: [[Double]]
      let places: [[Double]]
      let successes: [Bool]
    }

    struct Ring: Decodable {
      let from: [Int]
      let cells: [[Int]]
    }

    let walls: [[Bool]]
    let tasks: [[[Int]]]
    let entries: [[Int]]
    let exits: [[Int]]
    let next: [[[Int]]]
    let four: [Ring]
    let episodes: [Episode]
  }

  /// What one episode showed here.
  struct Mine {
    var goal: [Double]
    var observations: [[Double]]
    var places: [[Double]] = []
    var successes: [Bool] = []
    var distances: [Double] = []
    var pushes = 0
  }

  /// Some of a maze's free cells, spread over it.
  private static func goals(of maze: Maze) -> [Maze.Cell] {
    stride(from: 0, to: maze.free.count, by: maze.free.count / 5).map { maze.free[$0] }
  }

  /// An episode of a task under the script with noise, or in a direction that turns slowly, which
  /// runs into walls.
  private func play(
    _ maze: Maze, _ number: Int, in environment: PointMaze, _ expert: any GoalActor
  ) throws -> (Question.Episode, Mine) {
    let task = number % maze.tasks.count + 1
    let seed = Seeds.world(.evaluate, seed: 3, episode: Int64(number))
    var jitter = NumpyGenerator(seed: seed)
    var question = Question.Episode(
      task: task, jitter: (0..<4).map { _ in jitter.uniform(-1, 1) })
    var shown = environment.reset(seed: seed, as: .task(task))
    expert.begin(goal: shown.desiredGoal, seed: 0)
    var mine = Mine(
      goal: environment.preciseGoal, observations: [environment.preciseObservation])
    var generator = Philox(seed: 5, purpose: 1, index: UInt64(number))
    for step in 1...400 {
      guard case .continuous(var wanted) = expert.act(shown.observation) else { continue }
      if number % 2 == 0 {
        let angle = Float(number) + Float(step) / 60
        wanted = [cos(angle), sin(angle)]
      }
      let action = wanted.map {
        ($0 + 0.3 * Float(generator.normal())).clamped(from: -1, to: 1)
      }
      let before = environment.precisePosition
      let result = environment.step(.continuous(action))
      shown = result.next
      question.actions.append(action)
      question.exits.append(
        maze.exits.isEmpty ? 0 : PointMaze.wayOut(seed: seed, step: step, of: maze.exits.count))
      mine.observations.append(environment.preciseObservation)
      mine.places.append(environment.precisePosition)
      mine.successes.append(result.isSuccess)
      mine.distances.append(environment.task.distance(shown.achievedGoal, shown.desiredGoal))
      let free = zip(before, action).map { $0 + Double(Float(0.2) * $1) }
      if free != environment.preciseObservation { mine.pushes += 1 }
    }
    return (question, mine)
  }

  @Test func sameDrawsSameEpisodesAsTheReference() throws {
    var questions: [Question] = []
    var ours: [[Mine]] = []
    for maze in PointMaze.mazes {
      let world = try EnvironmentRegistry.world("pointmaze-\(maze.name)")
      let environment = try #require(world.load().makeEnvironment() as? PointMaze)
      let expert = try #require(world.script).makeActor()
      let played = try (0..<7).map { try play(maze, $0, in: environment, expert) }
      questions.append(
        Question(
          maze: maze.name, goals: Self.goals(of: maze).map { [$0.i, $0.j] },
          episodes: played.map(\.0)))
      ours.append(played.map(\.1))
    }
    let output = try PythonReference.run(
      "pointmaze_reference.py", input: try JSONEncoder().encode(questions))
    let theirs = try JSONDecoder().decode([Answer].self, from: output)
    #expect(theirs.count == 4)
    #expect(ours.joined().contains { $0.successes.contains(true) })
    for ((maze, mine), other) in zip(zip(PointMaze.mazes, ours), theirs) {
      compare(maze, other)
      #expect(other.episodes.count == mine.count)
      for (one, two) in zip(mine, other.episodes) {
        #expect(one.goal == two.goal)
        #expect(one.observations == two.observations)
        #expect(one.places == two.places)
        for (step, distance) in one.distances.enumerated() where abs(distance - 1) > 1e-5 {
          #expect(one.successes[step] == two.successes[step], "step \(step)")
        }
      }
      let pushes = mine.reduce(0) { $0 + $1.pushes }
      let jumps = mine.reduce(0) {
        $0 + zip($1.places, $1.observations.dropFirst()).count { $0 != $1 }
      }
      #expect(pushes > 200)  // walls were met
      #expect((jumps > 0) == !maze.entries.isEmpty)
      print(
        "pointmaze-\(maze.name): \(mine.count) × 400 steps equal, \(pushes) at walls, \(jumps) jumps"
      )
    }
  }

  /// Map, tasks, ways in and out, the oracle's next cells and the cells four away.
  private func compare(_ maze: Maze, _ other: Answer) {
    func cell(_ numbers: [Int]) -> Maze.Cell { Maze.Cell(i: numbers[0], j: numbers[1]) }
    #expect(maze.map.map { $0.map { $0 == "#" } } == other.walls)
    #expect(maze.tasks.map { [$0.start, $0.goal] } == other.tasks.map { $0.map(cell) })
    #expect(Set(maze.entries) == Set(other.entries.map(cell)))
    #expect(maze.exits == other.exits.map(cell))
    #expect(!other.next.isEmpty)
    for step in other.next {
      let distances = maze.distances(to: cell(step[1]))
      #expect(maze.next(from: cell(step[0]), by: distances) == cell(step[2]), "\(step)")
    }
    for ring in other.four {
      let found = maze.cells(Maze.stitchCells, from: cell(ring.from))
      #expect(Set(found) == Set(ring.cells.map(cell)) && found.count == ring.cells.count)
    }
  }

  @Test(arguments: PointMaze.mazes.map(\.name))
  func aTaskStartsAndEndsInItsCells(name: String) throws {
    let maze = try #require(PointMaze.mazes.first { $0.name == name })
    let world = try EnvironmentRegistry.world("pointmaze-\(name)")
    let environment = try #require(world.load().makeEnvironment() as? PointMaze)
    #expect(world.tasks.map(\.number) == [1, 2, 3, 4, 5])
    func isNear(_ place: [Float], _ cell: Maze.Cell) -> Bool {
      let way = SIMD2(Double(place[0]), Double(place[1])) - Maze.middle(of: cell)
      return abs(way.x) <= 1 && abs(way.y) <= 1
    }
    var drawn: Set<Int> = []
    for seed in 0..<40 as Range<UInt64> {
      for (place, task) in maze.tasks.enumerated() {
        let shown = environment.reset(seed: seed, as: .task(place + 1))
        #expect(isNear(shown.observation, task.start) && isNear(shown.desiredGoal, task.goal))
      }
      let shown = environment.reset(seed: seed)
      let found = maze.tasks.firstIndex {
        isNear(shown.observation, $0.start) && isNear(shown.desiredGoal, $0.goal)
      }
      drawn.insert(try #require(found))
    }
    #expect(drawn.count == 5)
  }

  /// An episode of data is as long as its law says, ends there alone, and asks for what the law
  /// says.
  @Test(arguments: PointMaze.mazes.map(\.name), Maze.Law.allCases.map(\.rawValue))
  func dataFollowTheirLaw(name: String, lawName: String) throws {
    let maze = try #require(PointMaze.mazes.first { $0.name == name })
    let world = try EnvironmentRegistry.world("pointmaze-\(name)")
    let law = try #require(world.laws.first { $0.name == lawName })
    let environment = try #require(world.load().makeEnvironment() as? PointMaze)
    let expert = try #require(world.script?.makeActor() as? any AimedActor)
    #expect(law.steps == (lawName == "stitch" ? 200 : name == "giant" ? 2000 : 1000))
    func cell(_ place: [Float]) -> Maze.Cell {
      Maze.cell(at: SIMD2(Double(place[0]), Double(place[1])))
    }
    var successes = 0
    for seed in 0..<2 as Range<UInt64> {
      var shown = environment.reset(seed: seed, as: .data(law))
      expert.begin(goal: shown.desiredGoal, seed: seed)
      let (start, goal) = (cell(shown.observation), cell(shown.desiredGoal))
      #expect(maze.free.contains(start))
      if lawName == "stitch" {
        let four = maze.cells(4, from: start)
        #expect(four.isEmpty ? goal == start : four.contains(goal))
      }
      for step in 1...law.steps {
        let result = environment.step(expert.act(shown.observation))
        #expect(!result.terminated && result.truncated == (step == law.steps))
        let isOther = result.next.desiredGoal != shown.desiredGoal
        #expect(isOther == (law.movesGoals && result.isSuccess), "step \(step)")
        if law.movesGoals { #expect(maze.vertices.contains(cell(result.next.desiredGoal))) }
        if isOther { expert.aim(at: result.next.desiredGoal) }
        successes += result.isSuccess ? 1 : 0
        shown = result.next
      }
    }
    #expect(successes >= 2)
  }

  @Test func corridorsAreNoGoals() {
    // Of the medium maze's 26 free cells those that a straight line crosses are left out.
    #expect(Maze.medium.free.count == 26)
    #expect(!Maze.medium.vertices.contains(Maze.Cell(i: 5, j: 1)))
    #expect(!Maze.medium.vertices.contains(Maze.Cell(i: 5, j: 6)))
    #expect(Maze.medium.vertices.contains(Maze.Cell(i: 1, j: 1)))
    // A closed cell is no corridor.
    #expect(Maze.teleport.vertices.contains(Maze.Cell(i: 1, j: 7)))
    #expect(Maze.teleport.distances(to: Maze.Cell(i: 1, j: 7)).count == 1)
  }

  @Test func aModelThatIsNotTheWheelsIsRefused() {
    #expect {
      try Maze.medium.model(of: "<mujoco><worldbody/></mujoco>", file: "point.xml")
    } throws: {
      "\($0)".hasPrefix(
        "the model point.xml must hold 'pos=\"0 0 0\" size=\"100 100 .2\"' exactly once")
    }
  }

  /// Leaving a wall and coming back to it is what the simulator makes of it, wherever states are
  /// put back between.
  @Test func statesKeepTheWayOutAndTheWall() throws {
    let loaded = try EnvironmentRegistry.world("pointmaze-teleport").load()
    let one = try #require(loaded.makeEnvironment() as? PointMaze)
    let other = try #require(loaded.makeEnvironment() as? PointMaze)
    let expert = MazeScript(maze: .teleport).makeActor()
    var shown = one.reset(seed: 21, as: .task(3))
    _ = other.reset(seed: 4)
    expert.begin(goal: shown.desiredGoal, seed: 0)
    var jumps = 0
    for step in 0..<200 {
      let again = other.restore(state: one.state(), desiredGoal: shown.desiredGoal, step: step)
      #expect(again == shown)
      let action = expert.act(shown.observation)
      let result = one.step(action)
      #expect(other.step(action) == result, "step \(step)")
      shown = result.next
      if one.precisePosition != one.preciseObservation { jumps += 1 }
    }
    #expect(jumps > 0)
  }
}
