import Dispatch
import Support

/// How a dataset's rows become compressed chunks and come back: HDF5's shuffle and deflate filters.
///
/// Chunks do not depend on each other, so threads share them and the result is the same for any
/// number of threads. The last chunk is filled up with zeros, as the format wants whole chunks.
struct ChunkCodec {
  /// Rows of a chunk.
  let rows: Int
  /// Bytes of a row.
  let rowBytes: Int
  /// Bytes of an element.
  let elementBytes: Int
  /// Whether the bytes of the elements are regrouped, first bytes first, before compression.
  let isShuffled: Bool

  private var chunkBytes: Int { rows * rowBytes }

  /// Compresses `rows` rows; `level` is libdeflate's, 1 to 12.
  func encode(
    _ bytes: UnsafeRawBufferPointer, rows total: Int, level: Int, threads: Int
  ) -> [[UInt8]] {
    let count = (total + rows - 1) / rows
    let results = UnsafeMutablePointer<[UInt8]>.allocate(capacity: count)
    results.initialize(repeating: [], count: count)
    defer {
      results.deinitialize(count: count)
      results.deallocate()
    }
    let workers = max(1, min(threads, count))
    nonisolated(unsafe) let slots = results
    nonisolated(unsafe) let source = bytes
    DispatchQueue.concurrentPerform(iterations: workers) { worker in
      let compressor = ZlibCompressor(level: level)
      var plain = [UInt8](repeating: 0, count: chunkBytes)
      var shuffled = [UInt8](repeating: 0, count: isShuffled ? chunkBytes : 0)
      let bound = compressor.bound(chunkBytes)
      for index in stride(from: worker, to: count, by: workers) {
        let start = index * chunkBytes
        let used = min(chunkBytes, source.count - start)
        plain.withUnsafeMutableBytes {
          $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[start..<(start + used)]))
          $0[used...].initializeMemory(as: UInt8.self, repeating: 0)
        }
        if isShuffled { shuffle(plain, into: &shuffled) }
        slots[index] = [UInt8](unsafeUninitializedCapacity: bound) { buffer, written in
          (isShuffled ? shuffled : plain).withUnsafeBytes {
            written = compressor.compress($0, into: UnsafeMutableRawBufferPointer(buffer))
          }
        }
      }
    }
    return Array(UnsafeBufferPointer(start: results, count: count))
  }

  /// Decompresses chunks into `target`, which takes all rows; false if one does not decode to
  /// just a chunk.
  func decode(
    _ chunks: [UnsafeRawBufferPointer], into target: UnsafeMutableRawBufferPointer, threads: Int
  ) -> Bool {
    let workers = max(1, min(threads, chunks.count))
    var succeeded = [Bool](repeating: false, count: workers)
    nonisolated(unsafe) let source = chunks
    nonisolated(unsafe) let destination = target
    succeeded.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let flags = buffer
      DispatchQueue.concurrentPerform(iterations: workers) { worker in
        let decompressor = ZlibDecompressor()
        var plain = [UInt8](repeating: 0, count: chunkBytes)
        var ordered = [UInt8](repeating: 0, count: isShuffled ? chunkBytes : 0)
        for index in stride(from: worker, to: source.count, by: workers) {
          let isWhole = plain.withUnsafeMutableBytes {
            decompressor.inflate(source[index], into: $0)
          }
          guard isWhole else { return }
          if isShuffled { unshuffle(plain, into: &ordered) }
          let start = index * chunkBytes
          let used = min(chunkBytes, destination.count - start)
          (isShuffled ? ordered : plain).withUnsafeBytes {
            UnsafeMutableRawBufferPointer(rebasing: destination[start..<(start + used)])
              .copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<used]))
          }
        }
        flags[worker] = true
      }
    }
    return succeeded.allSatisfy { $0 }
  }

  private func shuffle(_ plain: [UInt8], into shuffled: inout [UInt8]) {
    regroup(plain, into: &shuffled) { (source, target, size, count) in
      for element in 0..<count {
        for byte in 0..<size {
          target[byte &* count &+ element] = source[element &* size &+ byte]
        }
      }
    }
  }

  private func unshuffle(_ shuffled: [UInt8], into plain: inout [UInt8]) {
    regroup(shuffled, into: &plain) { (source, target, size, count) in
      for element in 0..<count {
        for byte in 0..<size {
          target[element &* size &+ byte] = source[byte &* count &+ element]
        }
      }
    }
  }

  /// Calls `body` with a constant for the sizes that occur, so that its loops are unrolled.
  @inline(__always)
  private func regroup(
    _ source: [UInt8], into target: inout [UInt8],
    _ body: (UnsafePointer<UInt8>, UnsafeMutablePointer<UInt8>, Int, Int) -> Void
  ) {
    source.withUnsafeBufferPointer { source in
      target.withUnsafeMutableBufferPointer { target in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        switch elementBytes {
        case 4: body(from, to, 4, source.count / 4)
        case 8: body(from, to, 8, source.count / 8)
        default: body(from, to, elementBytes, source.count / elementBytes)
        }
      }
    }
  }
}
