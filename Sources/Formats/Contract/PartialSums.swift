import Storage
import Support
import Synchronization

/// The CRC-32 of bytes whose parts several threads have.
final class PartialSums: Sendable {
  private let parts = Mutex<[(offset: Int, count: Int, sum: UInt32)]>([])

  /// Adds the bytes at an offset.
  func add(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
    let part = (offset, bytes.count, Deflate.crc32(bytes))
    parts.withLock { $0.append(part) }
  }

  /// The sum of all parts, one after the other.
  var total: UInt32 {
    parts.withLock { $0 }.sorted { $0.offset < $1.offset }.reduce(0) {
      Deflate.crc32(joining: $0, $1.sum, of: $1.count)
    }
  }
}
