import Environments
import GoalCore
import Testing

/// What the images of the block world show.
struct GapBlocksTests {
  func world(_ identifier: String) throws -> any ImageEnvironment {
    try #require(
      EnvironmentRegistry.world(identifier).load().makeEnvironment() as? any ImageEnvironment)
  }

  /// The mean column and row of a channel's pixels that are nothing but green, of the state or the
  /// goal.
  func green(_ image: [UInt8], goal: Bool) -> (column: Double, row: Double)? {
    let first = goal ? 3 : 0
    let pixels = (0..<64 * 64).filter { pixel in
      let colour = image[(6 * pixel + first)..<(6 * pixel + first + 3)]
      let (red, green, blue) = (colour.first ?? 0, colour.dropFirst().first ?? 0, colour.last ?? 0)
      return green > 90 && red < 60 && blue < 60
    }
    guard !pixels.isEmpty else { return nil }
    let count = Double(pixels.count)
    return (
      Double(pixels.reduce(0) { $0 + $1 % 64 }) / count,
      Double(pixels.reduce(0) { $0 + $1 / 64 }) / count
    )
  }

  /// The reference's viewer stands opposite the arm, and its pictures are mirrored: x grows to the
  /// right, and what is farther from the arm is lower.
  @Test func imagesShowTheStateAndTheGoalAsTheReferences() throws {
    let world = try world("gap-blocks-2")
    #expect(world.imageShape == [64, 64, 6])
    let start = world.reset(seed: 1)
    let image = try world.image()
    #expect(image.count == 64 * 64 * 6)
    #expect(start.observation[3] < 0.02 && start.desiredGoal[0] > 0.13)
    let here = try #require(green(image, goal: false))
    let there = try #require(green(image, goal: true))
    #expect(there.column > here.column + 5)
    #expect(abs(there.row - here.row) < 6)
    // The same state gives the same image.
    _ = world.reset(seed: 2)
    _ = world.reset(seed: 1)
    #expect(try world.image() == image)
  }

  @Test func theGoalsImageStaysWhileTheStatesChanges() throws {
    let world = try world("gap-blocks")
    _ = world.reset(seed: 4)
    let before = try world.image()
    for _ in 0..<10 { _ = world.step(.continuous([1, 1, 0, 0])) }
    let after = try world.image()
    func half(_ image: [UInt8], goal: Bool) -> [UInt8] {
      image.indices.filter { ($0 % 6 >= 3) == goal }.map { image[$0] }
    }
    #expect(half(before, goal: true) == half(after, goal: true))
    #expect(half(before, goal: false) != half(after, goal: false))
  }

  @Test func theFirstProblemMovesOneBlockOfARowAway() throws {
    let world = try EnvironmentRegistry.world("gap-blocks-1").load().makeEnvironment()
    var targets: Set<Int> = []
    for seed in 0..<8 as Range<UInt64> {
      let start = world.reset(seed: seed)
      let way = zip(start.desiredGoal, start.achievedGoal).map { $0 - $1 }
      let moved = way.indices.filter { abs(way[$0]) > 0.01 }
      #expect(moved.count == 1 && moved[0] % 2 == 1 && abs(way[moved[0]] - 0.15) < 1e-3, "\(way)")
      targets.insert(moved[0] / 2)
    }
    #expect(targets.count > 1)
  }

  @Test func theSecondProblemMovesTwoBlocks() throws {
    let world = try EnvironmentRegistry.world("gap-blocks-2").load().makeEnvironment()
    let start = world.reset(seed: 0)
    for (k, expected) in [0.15, 0, 0, 0, 0, 0.15].enumerated() {
      #expect(abs(Double(start.desiredGoal[k] - start.achievedGoal[k]) - expected) < 0.01)
    }
  }

  /// Its episodes are all alike, so that one says it.
  @Test func theScriptSolvesTheSecondProblem() throws {
    let world = try EnvironmentRegistry.world("gap-blocks-2").load().makeEnvironment()
    let actor = GapBlocksScript().makeActor()
    var shown = world.reset(seed: 0)
    actor.begin(goal: shown.desiredGoal, seed: 0)
    var isReached = false
    for _ in 0..<50 {
      let step = world.step(actor.act(shown.observation))
      (shown, isReached) = (step.next, step.isSuccess)
    }
    #expect(isReached)
  }
}
