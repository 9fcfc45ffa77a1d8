import GoalCore

/// Where an episode's rows begin.
struct EpisodeRows {
  var observations: UnsafePointer<Float>
  var actions: UnsafeRawPointer
  var achieved: UnsafePointer<Float>
  /// Nil if no goal was asked for.
  var desired: UnsafePointer<Float>?
  /// Steps of the episodes before this one.
  var firstStep: Int
  var length: Int32
  /// Numbers from one state's goal to the next, 0 if the episode has one.
  var desiredStride: Int32

  /// Steps, `T`.
  var steps: Int { Int(length) }
}

/// How many numbers of four bytes lie between the beginnings of two rows that follow each other.
struct RowStrides: Equatable {
  var observation: Int
  var action: Int
  var achieved: Int

  /// Columns of their own, without gaps.
  init(columns spec: GoalSpec) {
    (observation, action, achieved) = (spec.observation, spec.action.length, spec.goal)
  }

  /// All kinds side by side in one row.
  init(row: Int) { (observation, action, achieved) = (row, row, row) }
}

/// Episodes of one length that lie in runs of as many, such as shards; the last run may have fewer.
///
/// In a run they follow one another at one distance, which saves looking each one up.
struct RegularEpisodes {
  /// Where all of them lie.
  private let rows: UnsafePointer<EpisodeRows>
  /// Steps of each.
  let steps: Int
  /// Episodes of a run.
  private let runLength: Int
  /// Whether there is one run only.
  let isOneRun: Bool
  // Numbers from an episode to the next of its run.
  private let observation: Int
  private let action: Int
  let achieved: Int
  let desired: Int

  /// Nil if the episodes do not lie so.
  init?(_ all: UnsafeBufferPointer<EpisodeRows>) {
    guard let rows = all.baseAddress, all.count > 1 else { return nil }
    let (first, second) = (rows[0], rows[1])
    self.rows = rows
    steps = first.steps
    observation = second.observations - first.observations
    action = (second.actions - first.actions) / 4
    achieved = second.achieved - first.achieved
    if let one = first.desired, let other = second.desired {
      desired = other - one
    } else {
      desired = 0
    }
    let distance = observation
    let next = all.indices.first { rows[$0].observations != first.observations + $0 * distance }
    runLength = next ?? all.count
    isOneRun = runLength == all.count
    for number in all.indices {
      let (found, expected) = (rows[number], self[number])
      guard found.observations == expected.observations, found.actions == expected.actions,
        found.achieved == expected.achieved, found.desired == expected.desired,
        (found.desired == nil) == (first.desired == nil), found.length == first.length,
        found.desiredStride == first.desiredStride
      else { return nil }
    }
  }

  /// The first episode.
  var first: EpisodeRows { rows[0] }

  /// The first episode of an episode's run, and the place in it.
  @inline(__always)
  func run(of number: Int) -> (first: UnsafePointer<EpisodeRows>, place: Int) {
    let wide = UInt32(truncatingIfNeeded: number)
    let start = Int(wide / UInt32(truncatingIfNeeded: runLength)) &* runLength
    return (rows + start, number &- start)
  }

  /// An episode at a place of the run of `first`.
  @inline(__always)
  func episode(_ place: Int, after first: EpisodeRows) -> EpisodeRows {
    var rows = first
    rows.observations += place &* observation
    rows.actions += 4 &* place &* action
    rows.achieved += place &* achieved
    rows.desired = first.desired.map { $0 + place &* desired }
    rows.firstStep += place &* steps
    return rows
  }

  @inline(__always)
  subscript(number: Int) -> EpisodeRows {
    let (first, place) = run(of: number)
    return episode(place, after: first.pointee)
  }

  /// Where the goals that an episode was collected with begin.
  @inline(__always)
  func desired(_ number: Int) -> UnsafePointer<Float>? {
    let (first, place) = run(of: number)
    return first.pointee.desired.map { $0 + place &* desired }
  }
}

/// Where episodes lie, in the order of their numbers.
///
/// It stays valid as long as its source lives and nothing is appended to it.
public struct EpisodeTable: @unchecked Sendable {
  let rows: UnsafePointer<EpisodeRows>
  /// Episodes, `E`.
  public let count: Int
  /// Steps of all episodes.
  public let stepCount: Int
  /// The length that all episodes have, or 0 if they differ.
  let commonLength: Int
  /// Where to begin to look for a step: entry `k` is the episode of step `k · stepCount / count`.
  let guide: UnsafePointer<Int32>?
  /// From one step of an episode to the next.
  let strides: RowStrides
  /// Where the episodes lie in runs.
  let regular: RegularEpisodes?
  /// How the rows are kept.
  let placement: EpisodePlacement

  /// Steps of an episode.
  public func length(_ episode: Int) -> Int {
    precondition(0..<count ~= episode, "there are \(count) episodes, found \(episode)")
    return steps(of: episode)
  }

  /// Steps of an episode.
  @inline(__always)
  func steps(of episode: Int) -> Int {
    commonLength > 0 ? commonLength : rows[episode].steps
  }

  /// Where an episode's rows begin.
  @inline(__always)
  subscript(episode: Int) -> EpisodeRows {
    if let regular { return regular[episode] }
    return rows[episode]
  }

  /// The goal that was asked for at a step of an episode.
  @inline(__always)
  func original(_ episode: Int, _ step: Int) -> UnsafePointer<Float> {
    let start = regular.map { $0.desired(episode) } ?? rows[episode].desired
    let stride = regular.map { $0.first.desiredStride } ?? rows[episode].desiredStride
    guard let start else { preconditionFailure("the episodes have no desired goals to draw") }
    return start + step &* Int(stride)
  }

  /// The episode of a step, counted over all episodes.
  @inline(__always)
  func episode(ofStep step: Int) -> Int {
    if commonLength > 0 { return step / commonLength }
    let wanted = rows[0].firstStep + step
    guard let guide else {
      var (low, high) = (0, count - 1)
      while low < high {
        let middle = (low + high + 1) / 2
        if rows[middle].firstStep <= wanted { low = middle } else { high = middle - 1 }
      }
      return low
    }
    var episode = Int(guide[step * count / stepCount])
    while episode + 1 < count, rows[episode + 1].firstStep <= wanted { episode += 1 }
    return episode
  }
}
