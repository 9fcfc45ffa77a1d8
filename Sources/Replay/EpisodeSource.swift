public import GoalCore

/// Episodes that rows can be drawn from: `EpisodeReplay` and `EpisodeBuffer`.
public protocol EpisodeSource: AnyObject, Sendable {
  /// The task whose achieved goals and rewards relabelling uses.
  var task: GoalTask { get }
  /// Where the episodes lie now, the oldest first.
  var table: EpisodeTable { get }
}

extension EpisodeSource {
  /// Episodes, `E`.
  public var episodeCount: Int { table.count }
  /// Steps of all episodes.
  public var stepCount: Int { table.stepCount }
}

/// Where an episode's rows begin.
struct EpisodeRows {
  let observations: UnsafePointer<Float>
  let actions: UnsafeRawPointer
  let achieved: UnsafePointer<Float>
  /// Nil where no goal was asked for.
  let desired: UnsafePointer<Float>?
  /// Steps of the episodes before this one.
  let firstStep: Int
  let length: Int32
  /// Numbers from one state's goal to the next, 0 where the episode has one.
  let desiredStride: Int32

  /// Steps, `T`.
  var steps: Int { Int(length) }
  /// The goal that was asked for at a step.
  func original(_ step: Int) -> UnsafePointer<Float> {
    guard let desired else { preconditionFailure("the episodes have no desired goals to draw") }
    return desired + step * Int(desiredStride)
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
  /// The length that all episodes have, or 0 where they differ.
  let commonLength: Int
  /// Where to begin to look for a step: entry `k` is the episode of step `k · stepCount / count`.
  let guide: UnsafePointer<Int32>?
  /// Whether the rows are mapped and do not fit into memory.
  let isLarge: Bool

  /// Steps of an episode.
  public func length(_ episode: Int) -> Int {
    precondition(0..<count ~= episode, "there are \(count) episodes, found \(episode)")
    return rows[episode].steps
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

/// How the episode of a row is drawn.
public enum EpisodeDraw: String, Codable, Sendable, CaseIterable {
  /// Each episode alike, then a step of it: steps of short episodes are drawn more often. WGCSL, GCSL.
  case episodes
  /// Each step of the data alike, so that episodes are drawn by their lengths. OGBench.
  case steps
}
