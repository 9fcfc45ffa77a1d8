public import Foundation
public import GoalCore
import HDF5

/// What is known about files beside the files.
public struct FormatOptions: Sendable {
  /// The task of the world that they are of, where it is known.
  public var task: GoalTask?
  /// Numbers in a goal, where a format does not say.
  public var goalLength: Int?
  /// Where in an observation the goal stands, where it was asked for.
  public var goalIndices: [Int]?
  /// The most bytes that packed contents may unpack to.
  public var maximumBytes: Int
  /// Where there is room for what is unpacked: a folder.
  public var scratch: URL
  /// Threads that unpack.
  public var threads: Int

  /// Makes options of nothing known.
  public init(
    task: GoalTask? = nil, goalLength: Int? = nil, goalIndices: [Int]? = nil,
    maximumBytes: Int = 1 << 40, scratch: URL,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) {
    self.task = task
    self.goalLength = goalLength
    self.goalIndices = goalIndices
    self.maximumBytes = maximumBytes
    self.scratch = scratch
    self.threads = threads
  }

  /// Memory for what `url` unpacks to; it lies in a nameless file of the scratch folder.
  func scratchMemory(_ count: Int, for url: URL) throws(StorageError) -> MappedFile {
    guard count <= maximumBytes else {
      throw .cannotConvert(
        url.path,
        reason: "it unpacks to \(count) bytes, and --max-bytes allows \(maximumBytes)")
    }
    guard let memory = MappedFile.scratch(count: count, in: scratch) else {
      throw .cannotWrite(
        scratch.path,
        reason: "\(url.lastPathComponent) unpacks to \(count) bytes, for which there is no room")
    }
    return memory
  }
}

/// What is to be written, and what goes beside it.
public struct FormatRequest: Sendable {
  /// The episodes, with their goals, rewards and successes where these are known.
  public let source: any EpisodeSource
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
    source: any EpisodeSource, task: GoalTask, url: URL, compress: Bool, scratch: URL,
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

/// A format that trajectories come in and go out as: one file in `Formats/`, one line in `Formats.all`.
public protocol DatasetFormat: Sendable {
  /// What the command line calls it.
  var name: String { get }
  /// What it is, in a few words.
  var summary: String { get }
  /// Whether a file or folder is of it, judged by its name and its first bytes.
  func recognizes(_ url: URL) -> Bool
  /// Whether an output of that name can only be of it.
  func isMeant(by output: URL) -> Bool
  /// The file of the validation episodes that goes with a file; nil where the format has none.
  func validation(of url: URL) -> URL?
  /// Whether one file holds episodes for training and for validation.
  var keepsValidationInside: Bool { get }
  /// The files that an input consists of, of which the digests are kept.
  func files(of url: URL) throws(StorageError) -> [URL]
  /// Opens files for reading.
  func open(_ url: URL, _ options: FormatOptions) throws(StorageError) -> any EpisodeSource
  /// Writes episodes; the output appears whole or not at all.
  ///
  /// - Returns: What the format could not hold, what was worked out and what was assumed.
  func write(_ request: FormatRequest) throws(StorageError) -> ConversionNotes
}

extension DatasetFormat {
  /// There is none.
  public func validation(of url: URL) -> URL? { nil }

  /// It does not.
  public var keepsValidationInside: Bool { false }

  /// The file itself.
  public func files(of url: URL) throws(StorageError) -> [URL] { [url] }
}

extension FormatRequest {
  /// Bytes of the columns that are handled at a time.
  static let blockBytes = 16_000_000

  /// Gives the episodes to `body`, a block at a time and in order, with some of their columns.
  func forEachBlock(
    _ columns: [ShardColumn], extra: String? = nil, counting: Bool = false,
    _ body: (EpisodeTable) throws(StorageError) -> Void
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

extension EpisodeTable {
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

/// All formats.
public enum Formats {
  /// Every format, in the order in which they are asked whether a file is theirs.
  public static let all: [any DatasetFormat] = [
    WGCSLPickle(),
    WGCSLArrays(),
    GCSLArrays(),
    OGBench(),
    Minari(),
    Robomimic(),
    D4RL(),
  ]

  /// Writes a foreign file or folder, which appears whole or not at all.
  ///
  /// - Returns: What the format could not hold, what was worked out and what was assumed.
  /// - Throws: `cannotConvert` where there is something at that place, or where another process writes
  ///   it; what a killed one left half written is removed.
  public static func write(
    _ request: FormatRequest, as format: any DatasetFormat
  ) throws(StorageError) -> ConversionNotes {
    let path = request.url.path
    do {
      try FileManager.default.createDirectory(
        at: request.url.deletingLastPathComponent(), withIntermediateDirectories: true)
    } catch {
      throw .cannotWrite(path, reason: "its folder cannot be made")
    }
    let lockFile = URL(fileURLWithPath: path + ".lock")
    guard let lock = try FileLock.take(lockFile, wait: false) else {
      throw .cannotConvert(path, reason: "is being written by another process")
    }
    defer { withExtendedLifetime(lock) {} }
    guard !FileManager.default.fileExists(atPath: path) else {
      throw .cannotConvert(
        path, reason: "is there already: remove it, or give another --output")
    }
    PartFile.removeParts(of: request.url)
    return try format.write(request)
  }

  /// The format of a name.
  public static func named(_ name: String) throws(StorageError) -> any DatasetFormat {
    guard let format = all.first(where: { $0.name == name }) else {
      throw .cannotConvert(
        name, reason: "is no format; there are \(all.map(\.name).joined(separator: ", "))")
    }
    return format
  }

  /// The format of a file or folder, judged by its name and first bytes.
  public static func guessed(_ url: URL) throws(StorageError) -> any DatasetFormat {
    guard FileManager.default.fileExists(atPath: url.path) else { throw .missing(url.path) }
    guard let format = all.first(where: { $0.recognizes(url) }) else {
      throw .cannotConvert(
        url.path,
        reason: "its format is not clear: name it with --from, one of "
          + all.map(\.name).joined(separator: ", "))
    }
    return format
  }
}

/// The first bytes of a file; none where it cannot be read.
func firstBytes(of url: URL, _ count: Int) -> [UInt8] {
  guard let file = try? FileHandle(forReadingFrom: url) else { return [] }
  defer { try? file.close() }
  return Array((try? file.read(upToCount: count)) ?? Data())
}
