public import Foundation
public import GoalCore
import HDF5

/// What is to be written, and what goes beside it.
public struct FormatRequest: Sendable {
  /// The episodes, with their goals, rewards and successes where these are known.
  public let source: any TrajectorySource
  /// What they are of.
  public let task: GoalTask
  /// Where to: a file or folder that is not there.
  public let url: URL
  /// Whether contents are to be compressed, where the format can.
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

  /// Gives the episodes to `body`, a block at a time and in order, with some of their columns.
  func forEachBlock(
    _ columns: [ShardColumn], extra: String? = nil, counting: Bool = false,
    _ body: (TrajectoryTable) throws(StorageError) -> Void
  ) throws(StorageError) {
    let wanted = Set(columns.map(\.rawValue) + (extra.map { [$0] } ?? []))
    for block in source.blocks(byteLimit: FormatRequest.blockBytes) {
      if isStopped() { throw .stopped(url.path) }
      try body(try source.table(of: block, only: wanted))
      if counting { progress(block.count) }
    }
  }

  /// Steps that all episodes have; throws where they differ.
  func commonLength() throws(StorageError) -> Int {
    let first = source.lengths[0]
    if let other = source.lengths.firstIndex(where: { $0 != first }) {
      throw .cannotConvert(
        url.path,
        reason: "the format has one length for all episodes: the first has \(first) steps, "
          + "number \(other) has \(source.lengths[other])")
    }
    return first
  }

  /// A column that the format needs; throws with `remedy` where there is none.
  func needed(
    _ column: ShardColumn, _ remedy: String
  ) throws(StorageError) -> SourceColumn {
    guard let found = source.column(column) else {
      throw .cannotConvert(
        url.path, reason: "the format needs \(column.rawValue), and there are none: \(remedy)")
    }
    return found
  }

  /// The type of achieved goals, which are observations where there are none.
  func achieved() throws(StorageError) -> SourceColumn {
    if let found = source.column(.achievedGoals) { return found }
    return try needed(.observations, "every dataset has them")
  }

  /// What of the source's columns the format has no place for.
  func lost(but kept: Set<String>) -> [String] {
    let others = source.columns.keys.filter { !kept.contains($0) }.sorted()
    return others.isEmpty
      ? [] : ["\(others.joined(separator: ", ")): the format has no place for them"]
  }
}

extension TrajectoryTable {
  /// Desired goals with a row for each step; nil where there are none.
  var desiredGoalsBySteps: TableColumn? {
    guard let goals = self[.desiredGoals] else { return nil }
    if goalsMove {
      let starts = starts(on: .states)
      return goals.gathered(
        zip(starts, lengths).lazy.map { $0..<($0 + $1) }, count: steps, axis: .steps)
    }
    return goals.gathered(
      lengths.enumerated().lazy.flatMap { episode, length in
        repeatElement(episode..<(episode + 1), count: length)
      }, count: steps, axis: .steps)
  }

  /// Achieved goals, or the observations where these are the same.
  var achieved: TableColumn {
    guard let column = self[.achievedGoals] ?? self[.observations] else {
      preconditionFailure("every table has observations")
    }
    return column
  }
}
