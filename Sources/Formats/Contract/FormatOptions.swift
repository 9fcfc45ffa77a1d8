public import Foundation
public import GoalCore
import SafeHDF5
import Storage
import Support

/// Which flags end an episode, of a format that has both.
public enum EpisodeEnds: String, Sendable, CaseIterable {
  /// Those of time alone, as if a task never ended.
  case timeouts
  /// Those of the task alone.
  case terminals
  /// Either.
  case both
}

/// Information about a foreign file that the file itself does not contain.
public struct FormatOptions: Sendable {
  /// The task of the world that they are of, if it is known.
  public var task: GoalTask?
  /// Numbers in a goal, if a format does not say.
  public var goalLength: Int?
  /// Where in an observation the goal stands, if it was asked for.
  public var goalIndices: [Int]?
  /// The names of what an observation is joined from, in order; nil if the format says which it is.
  public var observationKeys: [String]?
  /// The names of what a goal is joined from, in order; nil if the format says which it is.
  public var goalKeys: [String]?
  /// Which flags end an episode.
  public var ends = EpisodeEnds.both
  /// Whether episodes that break the format's rules are left out, instead of all.
  public var skipsBad = false
  /// The maximum number of bytes that packed contents may unpack to.
  public var maximumBytes: Int
  /// Whether nobody said `maximumBytes`, so that more may be for files that are found on opening.
  public var isUsualMaximum = false
  /// Where there is room for what is unpacked: a folder.
  public var scratch: URL
  /// Threads that unpack.
  public var threads: Int

  /// Makes options of nothing known.
  public init(
    task: GoalTask? = nil, goalLength: Int? = nil, goalIndices: [Int]? = nil,
    maximumBytes: Int = 1 << 30, scratch: URL,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) {
    self.task = task
    self.goalLength = goalLength
    self.goalIndices = goalIndices
    self.maximumBytes = maximumBytes
    self.scratch = scratch
    self.threads = threads
  }

  /// How many times their own bytes files may unpack to if nobody says otherwise.
  ///
  /// Real trajectories give 2 to 20; what a small file unpacks to beyond that is more likely an
  /// attack.
  private static let usualGain = 100

  /// The maximum number of bytes that files may unpack to if nobody says otherwise: `usualGain`
  /// times their own, and 1 GiB at least.
  public static func usualMaximumBytes(of files: [URL]) -> Int {
    let total = files.reduce(0) { sum, file in
      sum
        + ((try? file.resolvingSymlinksInPath().resourceValues(forKeys: [.fileSizeKey]).fileSize)
          ?? 0)
    }
    return max(1 << 30, usualGain * total)
  }

  /// Throws if what an HDF5 file and those that it leads to hold takes more bytes than are allowed.
  func checkSize(_ bytes: Int, of file: SafeFile) throws(FileError) {
    let most =
      isUsualMaximum
      ? max(maximumBytes, FormatOptions.usualGain * file.byteCountWithSources) : maximumBytes
    guard bytes <= most else {
      throw .cannotConvert(
        file.name, reason: "it unpacks to \(bytes) bytes, and --max-bytes allows \(most)")
    }
  }

  /// Memory for what `url` unpacks to; it lies in a nameless file of the scratch folder.
  func scratchMemory(_ count: Int, for url: URL) throws(FileError) -> MappedFile {
    guard count <= maximumBytes else {
      throw .cannotConvert(
        url.path,
        reason: "it unpacks to \(count) bytes, and --max-bytes allows \(maximumBytes)")
    }
    guard let memory = MappedFile.scratch(count: count, in: scratch) else {
      throw .cannotWrite(
        scratch.path,
        reason: "\(url.lastPathComponent) unpacks to \(count) bytes, for which the disk has no room"
      )
    }
    return memory
  }
}
