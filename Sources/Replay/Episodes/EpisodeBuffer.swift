public import GoalCore

/// The most recent episodes of an online run: a ring of whole episodes.
///
/// An episode that does not fit any more pushes out the oldest ones. Draws depend on the episodes
/// held and their order, not on their places in memory. A buffer that is filled again with the same
/// episodes in the same order draws the same rows. Those are the last `episodeCount` of the
/// `appended` ones, so a run that keeps all its episodes needs to save no more than that.
///
/// Appending and drawing must not overlap: the buffer belongs to one thread at a time.
public final class EpisodeBuffer: EpisodeSource, @unchecked Sendable {
  /// How much is held.
  public enum Capacity: Codable, Sendable, Equatable {
    /// That many episodes at most.
    case episodes(Int)
    /// Episodes that have together at most that many steps; a longer one is held alone.
    case steps(Int)
  }

  /// The task whose achieved goals and rewards relabelling uses.
  public let task: GoalTask
  /// How much is held at most.
  public let capacity: Capacity
  /// Episodes appended so far, those pushed out included.
  public private(set) var appended = 0

  // The episodes held are rows[first..<rows.count]; those before are dead until the next tidying.
  private var rows: UnsafeMutableBufferPointer<EpisodeRows>
  private var first = 0
  private var end = 0
  private var steps = 0
  private var firstStep = 0

  /// Makes an empty buffer.
  public init(task: GoalTask, capacity: Capacity) {
    switch capacity {
    case .episodes(let limit), .steps(let limit):
      precondition(limit > 0, "a buffer holds at least one, found \(limit)")
    }
    self.task = task
    self.capacity = capacity
    rows = .allocate(capacity: 64)
  }

  deinit {
    for number in first..<end { Self.release(rows[number]) }
    rows.deallocate()
  }

  /// Where the episodes lie, valid until the next `append`.
  public var table: EpisodeTable {
    guard let start = rows.baseAddress else { preconditionFailure("a table without rows") }
    let held = rows[first..<end]
    let length = held.first?.length ?? 0
    return EpisodeTable(
      rows: UnsafePointer(start + first), count: end - first, stepCount: steps,
      commonLength: differing == 0 ? Int(length) : 0, guide: nil,
      strides: RowStrides(columns: task.spec), regular: nil, placement: .inPlace)
  }

  /// Neighbours in the ring whose lengths differ.
  private var differing = 0

  /// Numbers, counted from 0 over all that were appended, of the episodes held.
  public var held: Range<Int> { appended - (end - first)..<appended }

  /// Adds an episode of at least one step, and pushes out the oldest ones that no longer fit.
  public func append(_ trajectory: Trajectory) {
    let spec = task.spec
    let length = trajectory.length
    precondition(length > 0, "an episode has at least one step, found \(length)")
    precondition(
      trajectory.observations.count == (length + 1) * spec.observation
        && trajectory.achievedGoals.count == (length + 1) * spec.goal
        && trajectory.desiredGoal.count == spec.goal,
      "an episode of \(length) steps has \(length + 1) states and one goal")
    while end > first, !fits(length) { dropFirst() }
    if end == rows.count { tidy() }
    if end > first, rows[end - 1].length != Int32(length) { differing += 1 }
    rows.initializeElement(at: end, to: copied(trajectory))
    end += 1
    appended += 1
    steps += length
    firstStep += length
  }

  private func fits(_ length: Int) -> Bool {
    switch capacity {
    case .episodes(let limit): end - first < limit
    case .steps(let limit): steps + length <= limit
    }
  }

  private func dropFirst() {
    if end - first > 1, rows[first].length != rows[first + 1].length { differing -= 1 }
    steps -= rows[first].steps
    Self.release(rows[first])
    first += 1
  }

  /// Moves the episodes held to the front of a table that has room for as many again.
  private func tidy() {
    let count = end - first
    let larger = UnsafeMutableBufferPointer<EpisodeRows>.allocate(capacity: max(64, 2 * count))
    for number in 0..<count { larger.initializeElement(at: number, to: rows[first + number]) }
    rows.deallocate()
    (rows, first, end) = (larger, 0, count)
  }

  /// Copies an episode into a block of its own.
  private func copied(_ trajectory: Trajectory) -> EpisodeRows {
    let actions: Int
    switch (trajectory.actions, task.spec.action) {
    case (.continuous(let values), .continuous(let low, _)):
      precondition(
        values.count == trajectory.length * low.count,
        "\(trajectory.length) actions of \(low.count) numbers, found \(values.count) numbers")
      actions = values.count
    case (.discrete(let values), .discrete):
      precondition(
        values.count == trajectory.length,
        "\(trajectory.length) actions, found \(values.count)")
      actions = values.count
    default: preconditionFailure("the episode's actions are not of the task's kind")
    }
    let (observations, goals) = (trajectory.observations, trajectory.achievedGoals)
    let block = UnsafeMutablePointer<Float>.allocate(
      capacity: observations.count + goals.count + trajectory.desiredGoal.count + actions)
    let achieved = block + observations.count
    let desired = achieved + goals.count
    let applied = desired + trajectory.desiredGoal.count
    for (place, values) in [
      (block, observations), (achieved, goals), (desired, trajectory.desiredGoal),
    ] {
      for (k, value) in values.enumerated() { place[k] = value }
    }
    switch trajectory.actions {
    case .continuous(let values): for (k, value) in values.enumerated() { applied[k] = value }
    case .discrete(let values):
      for (k, value) in values.enumerated() {
        applied[k] = Float(bitPattern: UInt32(bitPattern: value))
      }
    }
    return EpisodeRows(
      observations: UnsafePointer(block), actions: UnsafeRawPointer(applied),
      achieved: UnsafePointer(achieved), desired: UnsafePointer(desired), firstStep: firstStep,
      length: Int32(trajectory.length), desiredStride: 0)
  }

  /// Gives an episode's block back; it begins with the observations.
  private static func release(_ rows: EpisodeRows) { rows.observations.deallocate() }
}
