import Dispatch
public import Foundation
public import GoalCore
import HDF5

/// What was written: the size and digest of a shard's file.
public struct ShardFile: Sendable, Equatable {
  /// Bytes of the file.
  public let bytes: Int
  /// The file's SHA-256.
  public let sha256: String
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
  ) throws(StorageError) -> ShardFile {
    let source = ShardSource(trajectories, spec: spec)
    let composition = try reading { () throws(HDF5Error) in
      let composition = try HDF5Composition(name: url.path)
      try composition.file.createGroup("behaviour")
      for column in source.columns {
        let type = column.types(for: spec)[0]
        let shape = source.shape(of: column)
        if compress {
          let bytes = gather(column, of: source, byteCount: shape.reduce(type.byteCount, *))
          try composition.file.writeCompressed(
            column.rawValue, type, shape: shape, bytes: UnsafeRawBufferPointer(bytes.bytes),
            level: compressionLevel, threads: threads)
        } else {
          try composition.reserve(column.rawValue, type, shape: shape)
        }
      }
      return composition
    }
    let pieces = try reading { () throws(HDF5Error) in try composition.finish() }

    // The file and its digest are made side by side, each from the pieces.
    let file = try PartFile(for: url)
    let stream = DigestStream()
    nonisolated(unsafe) let work = (pieces: pieces, source: source, file: file, stream: stream)
    DispatchQueue.concurrentPerform(iterations: 2) { side in
      let sink = BufferedSink(consume: side == 0 ? work.file.append : work.stream.append)
      for piece in work.pieces {
        switch piece {
        case .bytes(let bytes): sink.append(bytes)
        case .dataset(let path, _):
          if let column = ShardColumn(rawValue: path) { work.source.feed(column, to: sink) }
        }
      }
      sink.flush()
      if side == 0 { work.file.flush() }
    }
    withExtendedLifetime(composition) {}
    let found = stream.finish()
    if let digest, digest != found, !file.hasFailed {
      throw .madeDifferently(url.path, listed: digest, found: found)
    }
    try file.commit()
    return ShardFile(bytes: file.byteCount, sha256: found)
  }

  /// A whole column in memory.
  private static func gather(
    _ column: ShardColumn, of source: ShardSource, byteCount: Int
  ) -> ColumnMemory {
    let memory = ColumnMemory(count: byteCount)
    var position = 0
    let sink = BufferedSink { bytes in
      UnsafeMutableRawBufferPointer(rebasing: memory.bytes[position...]).copyMemory(from: bytes)
      position += bytes.count
    }
    source.feed(column, to: sink)
    sink.flush()
    return memory
  }
}
