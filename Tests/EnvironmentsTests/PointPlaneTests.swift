import GoalCore
import Testing

@testable import Environments

/// The point's walls, against moves worked out by hand.
struct PointPlaneTests {
  /// Where a point ends that starts at `start` and is told to move by `action`.
  private func end(_ start: [Double], _ action: [Float]) throws -> [Double] {
    let world = try EnvironmentRegistry.world("point-rooms").load().makeEnvironment()
    let environment = try #require(world as? PointPlane)
    _ = environment.restore(state: start, desiredGoal: [4, 4], step: 0)
    _ = environment.step(.continuous(action))
    return environment.state().map { ($0 * 1e9).rounded() / 1e9 }
  }

  @Test func wallsStopAcrossAndLetSlideAlong() throws {
    // The cross: its arms end 0.85 from the middle, 0.3 + 0.5 wider on all sides.
    #expect(try end([1, 1], [0, -1]) == [1, 0.81])
    #expect(try end([1, 1], [0.5, -1]) == [1.5, 0.81])
    #expect(try end([-1, -1], [0, 1]) == [-1, -0.81])
    #expect(try end([2, 0], [-1, 0]) == [1.66, 0])
    #expect(try end([-2, 0.5], [1, 0.125]) == [-1.66, 0.625])
    // Through a door.
    #expect(try end([3, 0.5], [0, -1]) == [3, -0.5])
    #expect(try end([0.5, 3], [-1, 0]) == [-0.5, 3])
    // The stub at an arm's end begins 4.45 from the middle.
    #expect(try end([4.25, 0], [1, 0]) == [4.44, 0])
    #expect(try end([4.75, 1.5], [0, -1]) == [4.75, 0.81])
    // The square's edge, and a command beyond the range.
    #expect(try end([4.5, 3], [1, 0]) == [5, 3])
    #expect(try end([-3, -3], [7, 0]) == [-2, -3])
  }

  @Test func startsAndGoalsAreOutsideTheWalls() throws {
    let environment = try EnvironmentRegistry.world("point-rooms").load().makeEnvironment()
    let walls = try #require(PointPlane.rows.last).walls
    #expect(walls.count == 6)
    for seed in 0..<500 as Range<UInt64> {
      let shown = environment.reset(seed: seed)
      for place in [shown.achievedGoal, shown.desiredGoal] {
        let point = SIMD2(Double(place[0]), Double(place[1]))
        #expect(!walls.contains { $0.contains(point) })
        #expect(abs(point.x) <= 5 && abs(point.y) <= 5)
      }
    }
  }

  @Test func nobodyEverGetsIntoAWall() throws {
    let environment = try EnvironmentRegistry.world("point-rooms").load().makeEnvironment()
    let walls = try #require(PointPlane.rows.last).walls
    var generator = Philox(seed: 1, purpose: 1, index: 1)
    for seed in 0..<100 as Range<UInt64> {
      _ = environment.reset(seed: seed)
      for _ in 0..<50 {
        let action = (0..<2).map { _ in Float(generator.uniform(-1, 1)) }
        let place = environment.step(.continuous(action)).next.achievedGoal
        let point = SIMD2(Double(place[0]), Double(place[1]))
        #expect(!walls.contains { $0.contains(point) })
      }
    }
  }
}
