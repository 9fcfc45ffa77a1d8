public import GoalCore

/// Goes to the goal; in point-rooms through the doors, without memory.
///
/// Towards a goal in another room it makes for the door that leads into the next room on the shorter
/// way; the walls, along which a point slides, do the rest.
public struct PointScript: GoalPolicy {
  let hasRooms: Bool

  /// Makes the policy of the world with or without walls.
  public init(hasRooms: Bool) { self.hasRooms = hasRooms }

  /// Makes an actor.
  public func makeActor() -> any GoalActor { Script(hasRooms) }

  private final class Script: GoalActor {
    private static let door: Float = 3.05  // the middle of a door, on its axis
    private let hasRooms: Bool
    private var goal = SIMD2<Float>()

    init(_ hasRooms: Bool) { self.hasRooms = hasRooms }

    func begin(goal: [Float], seed: UInt64) { self.goal = SIMD2(goal[0], goal[1]) }

    func act(_ observation: [Float]) -> Action {
      let place = SIMD2(observation[0], observation[1])
      let way = target(from: place) - place
      return .continuous([min(max(way.x, -1), 1), min(max(way.y, -1), 1)])
    }

    private func target(from place: SIMD2<Float>) -> SIMD2<Float> {
      let room = SIMD2<Float>(place.x < 0 ? -1 : 1, place.y < 0 ? -1 : 1)
      let other = SIMD2<Float>(goal.x < 0 ? -1 : 1, goal.y < 0 ? -1 : 1)
      guard hasRooms, room != other else { return goal }
      // Through the door on the x axis into the room above or below, or on the y axis to the side.
      let vertical = SIMD2(room.x * Script.door, other.y * 1)
      let sideways = SIMD2(other.x * 1, room.y * Script.door)
      if room.x == other.x { return through(vertical, from: place, across: 1) }
      if room.y == other.y { return through(sideways, from: place, across: 0) }
      func length(_ door: SIMD2<Float>) -> Float { (door - place).length + (goal - door).length }
      return length(vertical) < length(sideways)
        ? through(vertical, from: place, across: 1) : through(sideways, from: place, across: 0)
    }

    /// The door's far side once the point stands before it, until then the place before it.
    private func through(
      _ far: SIMD2<Float>, from place: SIMD2<Float>, across k: Int
    ) -> SIMD2<Float> {
      if abs(place[1 - k] - far[1 - k]) < 1.2 { return far }
      var near = far
      near[k] = place[k] < 0 ? -1.2 : 1.2
      return near
    }
  }
}

extension SIMD2<Float> {
  /// Its Euclidean length.
  fileprivate var length: Float { (self * self).sum().squareRoot() }
}
