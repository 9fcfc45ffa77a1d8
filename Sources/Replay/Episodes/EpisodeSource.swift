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

/// How the episode of a row is drawn.
public enum EpisodeDraw: String, Codable, Sendable, CaseIterable {
  /// Each episode alike, then a step of it: steps of short episodes are drawn more often. WGCSL,
  /// GCSL.
  case episodes
  /// Each step of the data alike, so that episodes are drawn by their lengths. OGBench.
  case steps
}
