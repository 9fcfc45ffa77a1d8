import CDeflate

/// Raw deflate streams and the check sums of zip archives, by libdeflate; zlib joins the sums.
public enum Deflate {
  /// The most that a byte of a deflate stream can stand for.
  public static let largestGain = 1032

  /// Decompresses a whole raw stream into `target`; false unless it fills just that.
  public static func inflate(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) -> Bool {
    guard let decompressor = libdeflate_alloc_decompressor() else { return false }
    defer { libdeflate_free_decompressor(decompressor) }
    var found = 0
    let answer = libdeflate_deflate_decompress(
      decompressor, source.baseAddress, source.count, target.baseAddress, target.count, &found)
    return answer == LIBDEFLATE_SUCCESS && found == target.count
  }

  /// Decompresses the start of a raw stream as far as `target` has room or the stream is sound.
  ///
  /// By zlib, as libdeflate takes whole streams only.
  /// - Returns: The bytes that came of it.
  public static func inflateStart(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) -> Int {
    var stream = z_stream()
    guard
      inflateInit2_(&stream, -MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { return 0 }
    defer { inflateEnd(&stream) }
    let bytes = source.bindMemory(to: UInt8.self)
    stream.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
    stream.avail_in = UInt32(clamping: bytes.count)
    stream.next_out = target.bindMemory(to: UInt8.self).baseAddress
    stream.avail_out = UInt32(clamping: target.count)
    _ = CDeflate.inflate(&stream, Z_SYNC_FLUSH)
    return target.count - Int(stream.avail_out)
  }

  /// The maximum number of bytes that `compress` makes of so many.
  public static func bound(_ count: Int) -> Int { libdeflate_deflate_compress_bound(nil, count) }

  /// Compresses to a raw stream in `target`, and gives its length; `level` is libdeflate's, 1 to
  /// 12.
  public static func compress(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, level: Int
  ) -> Int {
    guard let compressor = libdeflate_alloc_compressor(Int32(level)) else {
      preconditionFailure("libdeflate has no memory, or no level \(level)")
    }
    defer { libdeflate_free_compressor(compressor) }
    let count = libdeflate_deflate_compress(
      compressor, source.baseAddress, source.count, target.baseAddress, target.count)
    precondition(count > 0, "\(target.count) bytes must be at least the bound")
    return count
  }

  /// The CRC-32 of bytes that follow others whose CRC-32 is `start`.
  public static func crc32(_ bytes: UnsafeRawBufferPointer, after start: UInt32 = 0) -> UInt32 {
    libdeflate_crc32(start, bytes.baseAddress, bytes.count)
  }

  /// The CRC-32 of bytes of which the first have the CRC-32 `first`, and the `count` after them
  /// `second`.
  public static func crc32(joining first: UInt32, _ second: UInt32, of count: Int) -> UInt32 {
    UInt32(truncatingIfNeeded: crc32_combine(UInt(first), UInt(second), count))
  }
}

/// Compresses streams with zlib's head and check sum, one after the other, by libdeflate.
package struct ZlibCompressor: ~Copyable {
  private let compressor: OpaquePointer

  /// Makes one of a level of libdeflate's, 1 to 12.
  package init(level: Int) {
    guard let compressor = libdeflate_alloc_compressor(Int32(level)) else {
      preconditionFailure("libdeflate has no memory, or no level \(level)")
    }
    self.compressor = compressor
  }

  deinit { libdeflate_free_compressor(compressor) }

  /// The maximum number of bytes that `compress` makes of so many.
  package func bound(_ count: Int) -> Int { libdeflate_zlib_compress_bound(compressor, count) }

  /// Compresses bytes into `target`, which has room for the bound, and gives the stream's length.
  package func compress(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) -> Int {
    let count = libdeflate_zlib_compress(
      compressor, source.baseAddress, source.count, target.baseAddress, target.count)
    precondition(count > 0, "\(target.count) bytes must be at least the bound")
    return count
  }
}

/// Decompresses streams with zlib's head and check sum, one after the other, by libdeflate.
package struct ZlibDecompressor: ~Copyable {
  private let decompressor: OpaquePointer

  /// Makes one.
  package init() {
    guard let decompressor = libdeflate_alloc_decompressor() else {
      preconditionFailure("libdeflate has no memory")
    }
    self.decompressor = decompressor
  }

  deinit { libdeflate_free_decompressor(decompressor) }

  /// Decompresses a whole stream into `target`; false unless it fills just that.
  package func inflate(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) -> Bool {
    var found = 0
    let answer = libdeflate_zlib_decompress(
      decompressor, source.baseAddress, source.count, target.baseAddress, target.count, &found)
    return answer == LIBDEFLATE_SUCCESS && found == target.count
  }
}
