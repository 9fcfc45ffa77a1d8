import Dispatch
public import Foundation
public import GoalCore
import HDF5
public import Support

/// The written columns: the size and digest of a shard's file.
public struct ShardFile: Sendable, Equatable {
  /// Bytes of the file.
  public let bytes: Int
  /// The file's SHA-256.
  public let sha256: String
}

/// A shard's file beside its place: whole and on the disk; dropped, it is gone.
struct ShardDraft: Sendable {
  let url: URL
  let part: PartFile
  let file: ShardFile

  /// Puts it in its place, unless another digest is expected there.
  func commit(expecting digest: String?) throws(FileError) -> ShardFile {
    if let digest, digest != file.sha256, !part.hasFailed {
      throw .madeDifferently(url.path, listed: digest, found: file.sha256)
    }
    try part.commit()
    return file
  }
}

/// A column that a shard gets.
struct ShardSpot: Equatable {
  let path: String
  let type: HDF5Type
  let shape: [Int]

  var byteCount: Int { shape.reduce(type.byteCount, *) }
  /// The groups that it lies in.
  var groups: [String] { path.indices.filter { path[$0] == "/" }.map { String(path[..<$0]) } }
}

/// Writes episodes as one shard of a dataset: an HDF5 file of flat columns (`ShardColumn`).
///
/// Equal episodes give equal bytes: no times, hosts or paths are stored, and nothing is left unset.
/// Compressed bytes also depend on the version of libdeflate.
public enum ShardWriter {
  /// Compresses best for its time; higher levels gain less than 2.5 %.
  static let compressionLevel = 4

  /// Writes a shard beside its place, flushes it to the disk, and renames it.
  ///
  /// - Parameters:
  ///   - trajectories: At least one; an episode whose columns do not fit `spec` traps.
  ///   - spec: Their sizes.
  ///   - url: The file, replaced if it is there.
  ///   - compress: Whether columns are shuffled and deflated, and so cannot be mapped.
  ///   - threads: Threads that compress.
  ///   - digest: The SHA-256 that must come out, or nil; if another does, nothing is put in place.
  /// - Returns: The file's size and digest.
  /// - Throws: `diskFull`, `cannotWrite` or `madeDifferently`; the file is then as before.
  @discardableResult
  public static func write(
    _ trajectories: [Trajectory], spec: GoalSpec, to url: URL, compress: Bool = false,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount, expecting digest: String? = nil
  ) throws(FileError) -> ShardFile {
    try draft(
      TrajectoryTable(trajectories, spec: spec), for: url, compress: compress, threads: threads
    ).commit(expecting: digest)
  }

  /// Writes a table beside its place as a shard, and flushes it to the disk; that the disk is full
  /// is said when the draft is committed.
  static func draft(
    _ table: TrajectoryTable, for url: URL, compress: Bool, threads: Int
  ) throws(FileError) -> ShardDraft {
    let composition = try HDF5Composition(name: url.path)
    let pieces = try writing(composition.file) { () throws(FileError) in
      let spots = table.spots
      for group in Set(spots.flatMap(\.groups)).sorted() {
        try composition.file.createGroup(group)
      }
      for spot in spots {
        if compress {
          try table.withBytes(at: spot.path) { (bytes) throws(FileError) in
            try composition.file.writeCompressed(
              spot.path, spot.type, shape: spot.shape, bytes: bytes, level: compressionLevel,
              threads: threads)
          }
        } else {
          try composition.reserve(spot.path, spot.type, shape: spot.shape)
        }
      }
      return try composition.finish()
    }

    // The file and its digest are made side by side, each from the pieces.
    let file = try PartFile(for: url)
    let stream = DigestStream()
    nonisolated(unsafe) let work = (pieces: pieces, file: file, stream: stream)
    DispatchQueue.concurrentPerform(iterations: 2) { side in
      let consume = side == 0 ? work.file.append : work.stream.append
      for piece in work.pieces {
        switch piece {
        case .bytes(let bytes): consume(bytes)
        case .dataset(let path, _): table.withBytes(at: path, consume)
        }
      }
      if side == 0 { work.file.flush() }
    }
    withExtendedLifetime(composition) {}
    return ShardDraft(
      url: url, part: file, file: ShardFile(bytes: file.byteCount, sha256: stream.finish()))
  }
}
