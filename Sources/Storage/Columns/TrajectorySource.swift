public import Foundation
public import GoalCore
public import HDF5
public import Support

/// A column as a source gives it.
public struct SourceColumn: Sendable, Equatable {
  /// The type of its numbers.
  public let type: HDF5Type
  /// Lengths of the axes after the first; empty if a row is one number.
  public let rowShape: [Int]
  /// The axis of its rows.
  public let axis: RowAxis
  /// Whether it stands in the source or is computed.
  public let origin: ColumnOrigin

  /// Numbers in a row.
  public var width: Int { rowShape.reduce(1, *) }
  /// Whether it holds numbers of actions, if it is the column of actions.
  public var isDiscrete: Bool { type == .int32 && rowShape.isEmpty }

  /// Makes a description.
  public init(
    _ type: HDF5Type, rowShape: [Int] = [], axis: RowAxis, origin: ColumnOrigin = .native
  ) {
    self.type = type
    self.rowShape = rowShape
    self.axis = axis
    self.origin = origin
  }
}

/// Episodes of files of some format, opened: how many there are, how long they are and what columns
/// they have is known, and nothing large was read.
public protocol TrajectorySource: Sendable {
  /// Steps of each episode; there is at least one, and each has a step or more.
  var lengths: [Int] { get }
  /// The columns of each table, by path, without lengths and numbers.
  var columns: [String: SourceColumn] { get }
  /// The world's name in the files; nil if they have none.
  var environment: String? { get }
  /// The actions that the files say there are; nil if they do not.
  var actionSpace: ActionSpace? { get }
  /// Their files in addition to those that `DatasetFormat.files(of:)` names.
  var otherFiles: [URL] { get }
  /// The losses and assumptions of the conversion.
  var notes: ConversionNotes { get }

  /// What is still to be checked before anything made of the episodes is kept, such as a file's
  /// digest; new at each call.
  var checks: [SourceCheck] { get }

  /// The episodes in runs whose columns take some `byteLimit` bytes, as is best for reading them.
  func blocks(byteLimit: Int) -> [Range<Int>]

  /// Some neighbouring episodes, with `columns` at least, or all; any thread may ask, and several
  /// at a time.
  ///
  /// - Throws: The first thing that is wrong with them.
  func table(
    of episodes: Range<Int>, only columns: Set<String>?
  ) throws(FileError) -> TrajectoryTable
}

extension TrajectorySource {
  /// They do not say.
  public var actionSpace: ActionSpace? { nil }

  /// Empty.
  public var otherFiles: [URL] { [] }

  /// None: files were checked when they were opened, or have no digest to be checked against.
  public var checks: [SourceCheck] { [] }

  /// The episodes with what follows from their task; what the source has is left as it is.
  ///
  /// That is achieved goals, how episodes ended, and, if it is known when a goal is reached,
  /// rewards and successes.
  ///
  /// - Parameters:
  ///   - task: Their task.
  ///   - isThresholdKnown: Whether the task's threshold is more than a stand-in.
  ///   - notes: What is to be said of how the task was found.
  /// - Returns: The episodes.
  public func completed(
    for task: GoalTask, isThresholdKnown: Bool, notes: ConversionNotes
  ) -> any TrajectorySource {
    CompletedEpisodes(self, task: task, isThresholdKnown: isThresholdKnown, notes: notes)
  }

  /// A column of the layout's own; nil if it is missing.
  public func column(_ column: ShardColumn) -> SourceColumn? { columns[column.rawValue] }

  /// Some neighbouring episodes, with all columns.
  public func table(of episodes: Range<Int>) throws(FileError) -> TrajectoryTable {
    try table(of: episodes, only: nil)
  }

  /// Steps of all episodes.
  public var steps: Int { lengths.reduce(0, +) }

  /// The episodes in runs whose columns take at most so many bytes, but for a longer episode alone.
  public func blocks(byteLimit: Int) -> [Range<Int>] {
    blocks(of: 0..<lengths.count, byteLimit: byteLimit)
  }

  /// If numbers of a source's floats are not finite, found by reading all of it on several threads.
  ///
  /// - Throws: The first thing that is wrong with an episode.
  public func numbers(threads: Int) throws(FileError) -> SourceNumbers {
    try SourceNumbers(self, threads: threads)
  }

  /// Some neighbouring episodes in such runs.
  func blocks(of episodes: Range<Int>, byteLimit: Int) -> [Range<Int>] {
    var (perStep, perEpisode) = (0, 0)
    for column in columns.values {
      let bytes = column.width * column.type.byteCount
      switch column.axis {
      case .steps: perStep += bytes
      case .states:
        perStep += bytes
        perEpisode += bytes
      case .episodes: perEpisode += bytes
      }
    }
    var blocks: [Range<Int>] = []
    var (start, bytes) = (episodes.lowerBound, 0)
    let lengths = lengths
    for episode in episodes {
      let more = lengths[episode] * perStep + perEpisode
      if episode > start, bytes + more > byteLimit {
        blocks.append(start..<episode)
        (start, bytes) = (episode, 0)
      }
      bytes += more
    }
    blocks.append(start..<episodes.upperBound)
    return blocks
  }
}
