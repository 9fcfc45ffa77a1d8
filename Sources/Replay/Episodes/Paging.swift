import Glibc

/// Advice to the system about mapped columns that do not fit into memory.
///
/// Rows are drawn at random, so reading ahead after a missing page (usually 32 pages) fills memory
/// with pages that nobody needs. And a batch that touches its rows one after the other waits for
/// the disk once per row. So reading on is switched off, and the pages of all rows are asked for
/// before the first is touched. On memory that is not mapped from a file this does nothing.
enum Paging {
  private static let page = UInt(max(1, sysconf(Int32(_SC_PAGESIZE))))

  /// Says that the bytes are read here and there.
  static func readRandomly<Element>(_ values: UnsafeBufferPointer<Element>) {
    advise(
      UnsafeRawPointer(values.baseAddress), values.count * MemoryLayout<Element>.stride,
      MADV_RANDOM)
  }

  /// Asks for the pages of bytes that are going to be read, without waiting for them.
  static func ask(_ start: UnsafeRawPointer, _ byteCount: Int) {
    advise(start, byteCount, MADV_WILLNEED)
  }

  private static func advise(_ start: UnsafeRawPointer?, _ byteCount: Int, _ advice: Int32) {
    guard let start, byteCount > 0 else { return }
    let address = UInt(bitPattern: start)
    let first = address / page * page
    guard let place = UnsafeMutableRawPointer(bitPattern: first) else { return }
    // A refusal costs speed only.
    _ = madvise(place, Int(address - first) + byteCount, advice)
  }
}
