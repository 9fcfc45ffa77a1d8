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

/// The source that fills a shard: it gives a column's bytes piece by piece, in order, as often as
/// asked and from several threads at once.
protocol ShardContents: SendableMetatype {
  /// The columns, in the order in which they lie in the file.
  var spots: [ShardSpot] { get }
  /// Gives the bytes of a column to `sink`.
  func feed(_ path: String, to sink: BufferedSink)
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
    try write(
      ShardSource(trajectories, spec: spec), to: url, compress: compress, threads: threads,
      expecting: digest)
  }

  /// Writes what a shard holds beside its place, flushes it to the disk, and renames it.
  static func write(
    _ source: some ShardContents, to url: URL, compress: Bool, threads: Int,
    expecting digest: String?
  ) throws(FileError) -> ShardFile {
    try draft(source, for: url, compress: compress, threads: threads).commit(expecting: digest)
  }

  /// Writes what a shard holds beside its place, and flushes it to the disk; that the disk is full
  /// is said when the draft is committed.
  static func draft(
    _ source: some ShardContents, for url: URL, compress: Bool, threads: Int
  ) throws(FileError) -> ShardDraft {
    let composition = try HDF5Composition(name: url.path)
    let pieces = try writing(composition.file) { () throws(FileError) in
      let spots = source.spots
      for group in Set(spots.flatMap(\.groups)).sorted() {
        try composition.file.createGroup(group)
      }
      for spot in spots {
        if compress {
          let bytes = gather(spot, of: source)
          try composition.file.writeCompressed(
            spot.path, spot.type, shape: spot.shape, bytes: UnsafeRawBufferPointer(bytes.bytes),
            level: compressionLevel, threads: threads)
        } else {
          try composition.reserve(spot.path, spot.type, shape: spot.shape)
        }
      }
      return try composition.finish()
    }

    // The file and its digest are made side by side, each from the pieces.
    let file = try PartFile(for: url)
    let stream = DigestStream()
    nonisolated(unsafe) let work = (pieces: pieces, source: source, file: file, stream: stream)
    DispatchQueue.concurrentPerform(iterations: 2) { side in
      let sink = BufferedSink(consume: side == 0 ? work.file.append : work.stream.append)
      for piece in work.pieces {
        switch piece {
        case .bytes(let bytes): sink.append(bytes)
        case .dataset(let path, _): work.source.feed(path, to: sink)
        }
      }
      sink.flush()
      if side == 0 { work.file.flush() }
    }
    withExtendedLifetime(composition) {}
    return ShardDraft(
      url: url, part: file, file: ShardFile(bytes: file.byteCount, sha256: stream.finish()))
  }

  /// A whole column in memory.
  private static func gather(_ spot: ShardSpot, of source: some ShardContents) -> ColumnMemory {
    let memory = ColumnMemory(count: spot.byteCount)
    var position = 0
    let sink = BufferedSink { bytes in
      UnsafeMutableRawBufferPointer(rebasing: memory.bytes[position...]).copyMemory(from: bytes)
      position += bytes.count
    }
    source.feed(spot.path, to: sink)
    sink.flush()
    return memory
  }
}
