import GoalCore

/// Goes to the goal; if there are rooms through the doors, without memory.
///
/// Towards a goal in another room it heads for the door into the next room on the shorter way. The
/// walls, along which a point slides, do the rest.
struct PointScript {
  /// Where doors are in a plane of four rooms, in the world's own unit.
  struct Doors: Sendable {
    /// The middle of a door, along its wall.
    let middle: Float
    /// Where one stands before a door, from the wall's middle plane.
    let before: Float
    /// Where one is through.
    let behind: Float
    /// How near to the middle one must be to go through.
    let play: Float

    /// The doors of point-rooms.
    static let plane = Doors(middle: 3.05, before: 1.2, behind: 1, play: 1.2)
    /// The doors of point-mass-rooms.
    static let mass = Doors(middle: 0.3, before: 0.12, behind: 0.12, play: 0.03)
  }

  /// The doors; nil for a plane without walls.
  let doors: Doors?
  /// How far an action of 1 moves the point.
  let stride: Float

  /// The action for an observation and a desired goal.
  func action(_ observation: [Float], _ desired: [Float]) -> Action {
    let place = SIMD2(observation[0], observation[1])
    let way = (target(from: place, to: SIMD2(desired[0], desired[1])) - place) / stride
    return .continuous([min(max(way.x, -1), 1), min(max(way.y, -1), 1)])
  }

  private func target(from place: SIMD2<Float>, to goal: SIMD2<Float>) -> SIMD2<Float> {
    let room = SIMD2<Float>(place.x < 0 ? -1 : 1, place.y < 0 ? -1 : 1)
    let other = SIMD2<Float>(goal.x < 0 ? -1 : 1, goal.y < 0 ? -1 : 1)
    guard let doors, room != other else { return goal }
    // Through the door on the x axis into the room above or below, or on the y axis to the side.
    let vertical = SIMD2(room.x * doors.middle, other.y * doors.behind)
    let sideways = SIMD2(other.x * doors.behind, room.y * doors.middle)
    if room.x == other.x { return through(doors, vertical, from: place, across: 1) }
    if room.y == other.y { return through(doors, sideways, from: place, across: 0) }
    func length(_ door: SIMD2<Float>) -> Float { (door - place).length + (goal - door).length }
    return length(vertical) < length(sideways)
      ? through(doors, vertical, from: place, across: 1)
      : through(doors, sideways, from: place, across: 0)
  }

  /// The door's far side once the point stands before it, until then the place before it.
  private func through(
    _ doors: Doors, _ far: SIMD2<Float>, from place: SIMD2<Float>, across k: Int
  ) -> SIMD2<Float> {
    if abs(place[1 - k] - far[1 - k]) < doors.play { return far }
    var near = far
    near[k] = place[k] < 0 ? -doors.before : doors.before
    return near
  }
}

extension SIMD2<Float> {
  /// Its Euclidean length.
  fileprivate var length: Float { (self * self).sum().squareRoot() }
}
