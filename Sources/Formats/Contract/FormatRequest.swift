public import Foundation
public import GoalCore
public import Storage
import Support

/// A request to write episodes.
public struct FormatRequest: Sendable {
  /// The episodes, with their goals, rewards and successes if these are known.
  public let source: any TrajectorySource
  /// Their task.
  public let task: GoalTask
  /// Where to: a file or folder that is not there.
  public let url: URL
  /// Whether contents are to be compressed, if the format can.
  public let compress: Bool
  /// Where there is room for what is compressed: a folder.
  public let scratch: URL
  /// Threads that read.
  public let threads: Int
  /// Told of episodes that are written whole.
  public let progress: @Sendable (Int) -> Void
  /// Whether the work is to stop.
  public let isStopped: @Sendable () -> Bool

  /// Makes a request.
  public init(
    source: any TrajectorySource, task: GoalTask, url: URL, compress: Bool, scratch: URL,
    threads: Int, progress: @escaping @Sendable (Int) -> Void,
    isStopped: @escaping @Sendable () -> Bool
  ) {
    self.source = source
    self.task = task
    self.url = url
    self.compress = compress
    self.scratch = scratch
    self.threads = threads
    self.progress = progress
    self.isStopped = isStopped
  }
}

extension FormatRequest {
  /// Bytes of the columns that are handled at a time.
  static let blockBytes = 16_000_000

  /// Lengths of the axes of an array with a row for each step, state or episode.
  func shape(_ axis: RowAxis, _ rowShape: [Int]) -> [Int] {
    let rows =
      switch axis {
      case .steps: source.steps
      case .states: source.steps + source.lengths.count
      case .episodes: source.lengths.count
      }
    return [rows] + rowShape
  }

  /// Steps that all episodes have; throws if they differ.
  func commonLength() throws(FileError) -> Int {
    let first = source.lengths[0]
    if let other = source.lengths.firstIndex(where: { $0 != first }) {
      throw .cannotConvert(
        url.path,
        reason: "the format has one length for all episodes: the first has \(first) steps, "
          + "number \(other) has \(source.lengths[other])")
    }
    return first
  }

  /// A column that the format needs; throws with `remedy` if it is missing.
  func needed(
    _ column: ShardColumn, _ remedy: String
  ) throws(FileError) -> SourceColumn {
    guard let found = source.column(column) else {
      throw .cannotConvert(
        url.path, reason: "the format needs \(column.rawValue), and the dataset has none: \(remedy)"
      )
    }
    return found
  }

  /// The achieved goals, or the observations if the dataset has none.
  func achieved() throws(FileError) -> SourceColumn {
    if let found = source.column(.achievedGoals) { return found }
    return try needed(.observations, "every dataset has them")
  }

  /// The source's columns that the format has no place for.
  func lost(but kept: Set<String>) -> [String] {
    let others = source.columns.keys.filter { !kept.contains($0) }.sorted()
    return others.isEmpty
      ? [] : ["\(others.joined(separator: ", ")): the format has no place for them"]
  }
}
