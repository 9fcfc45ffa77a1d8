import Foundation
import Storage
import Support

/// Writes a zip archive of `.npy` members, as numpy's `savez` and `savez_compressed` do.
///
/// Stored members are written by all threads and their check sums put in afterwards; deflated ones
/// are first gathered in scratch memory. All have the fields of zip64, and no times.
final class ZipWriter {
  private struct Entry {
    /// The array's name; the member's has `.npy` after it.
    let name: String
    var method: UInt16 = 0
    var checkSum: UInt32 = 0
    var packed = 0
    var unpacked = 0
    var header = 0

    var member: String { name + ".npy" }
  }

  private static let level = 6
  private let request: FormatRequest
  private let file: PartFile
  private var entries: [Entry] = []

  /// Begins an archive; the request's scratch has room for an uncompressed member, and its
  /// compressed form.
  init(_ request: FormatRequest) throws(FileError) {
    self.request = request
    file = try PartFile(for: request.url)
  }

  /// Writes all members and puts the archive in its place.
  func write(_ arrays: [FlatArray]) throws(FileError) {
    if request.compress {
      try request.check()
      for array in arrays { try addDeflated(array, isFirst: entries.isEmpty) }
    } else {
      try addStored(arrays)
    }
    try commit()
  }

  private func addStored(_ arrays: [FlatArray]) throws(FileError) {
    var placed: [(array: PlacedArray, sum: PartialSums, header: Int, start: Int)] = []
    for array in arrays {
      let (header, sum) = (file.byteCount, PartialSums())
      append(local(Entry(name: array.name)))
      let start = file.byteCount
      let head = NumpyFile.header(array.type, shape: array.shape)
      head.withUnsafeBytes { sum.add($0, at: start) }
      append(head)
      placed.append((PlacedArray(array, atEndOf: file, checkSum: sum), sum, header, start))
    }
    try file.check()
    try request.fill(placed.map(\.array))
    for (array, sum, header, start) in placed {
      let count = array.offset + array.array.byteCount - start
      try add(
        Entry(
          name: array.array.name, checkSum: sum.total, packed: count, unpacked: count,
          header: header))
    }
  }

  private func addDeflated(_ array: FlatArray, isFirst: Bool) throws(FileError) {
    let head = NumpyFile.header(array.type, shape: array.shape)
    let count = head.count + array.byteCount
    guard let plain = MappedFile.scratch(count: count, in: request.scratch),
      let target = MappedFile.scratch(count: Deflate.bound(count), in: request.scratch)
    else { throw .diskFull(request.scratch.path) }
    var position = 0
    func gather(_ bytes: UnsafeRawBufferPointer) {
      UnsafeMutableRawBufferPointer(rebasing: plain.scratchBytes[position...])
        .copyMemory(from: bytes)
      position += bytes.count
    }
    head.withUnsafeBytes { gather($0) }
    for block in request.source.blocks(byteLimit: FormatRequest.blockBytes) {
      if request.isStopped() { throw .stopped(request.url.path) }
      array.rows(try request.source.table(of: block, only: array.columns)).withBytes { gather($0) }
      if isFirst { request.progress(block.count) }
    }
    precondition(position == count, "'\(array.name)' takes \(count) bytes, got \(position)")
    let header = file.byteCount
    append(local(Entry(name: array.name)))
    let packed = Deflate.compress(plain.bytes, into: target.scratchBytes, level: ZipWriter.level)
    file.append(UnsafeRawBufferPointer(rebasing: target.bytes[..<packed]))
    try file.check()
    try add(
      Entry(
        name: array.name, method: 8, checkSum: Deflate.crc32(plain.bytes), packed: packed,
        unpacked: count, header: header))
  }

  /// Completes a member's header.
  private func add(_ entry: Entry) throws(FileError) {
    entries.append(entry)
    try file.write(local(entry), at: entry.header)
  }

  /// Writes the directory and puts the archive in its place.
  private func commit() throws(FileError) {
    let start = file.byteCount
    for entry in entries {
      append(
        [0x50, 0x4b, 1, 2] + little(45, 2) + little(45, 2) + little(0, 2)
          + little(Int(entry.method), 2) + little(0, 2) + little(0x21, 2)
          + little(Int(entry.checkSum), 4) + little(0xffff_ffff, 4) + little(0xffff_ffff, 4)
          + little(entry.member.utf8.count, 2) + little(28, 2) + little(0, 2) + little(0, 2)
          + little(0, 2) + little(0o600 << 16, 4) + little(0xffff_ffff, 4)
          + Array(entry.member.utf8)
          + little(1, 2) + little(24, 2) + little(entry.unpacked, 8) + little(entry.packed, 8)
          + little(entry.header, 8))
    }
    let (size, end) = (file.byteCount - start, file.byteCount)
    append(
      [0x50, 0x4b, 6, 6] + little(44, 8) + little(45, 2) + little(45, 2) + little(0, 4)
        + little(0, 4) + little(entries.count, 8) + little(entries.count, 8) + little(size, 8)
        + little(start, 8))
    append([0x50, 0x4b, 6, 7] + little(0, 4) + little(end, 8) + little(1, 4))
    append(
      [0x50, 0x4b, 5, 6] + little(0, 4) + little(0xffff, 2) + little(0xffff, 2)
        + little(0xffff_ffff, 4) + little(0xffff_ffff, 4) + little(0, 2))
    try file.commit()
  }

  /// A member's header; without its numbers it is written over when they are known.
  private func local(_ entry: Entry) -> [UInt8] {
    [0x50, 0x4b, 3, 4] + little(45, 2) + little(0, 2) + little(Int(entry.method), 2)
      + little(0, 2) + little(0x21, 2) + little(Int(entry.checkSum), 4) + little(0xffff_ffff, 4)
      + little(0xffff_ffff, 4) + little(entry.member.utf8.count, 2) + little(20, 2)
      + Array(entry.member.utf8) + little(1, 2) + little(16, 2) + little(entry.unpacked, 8)
      + little(entry.packed, 8)
  }

  private func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { file.append($0) } }

  private func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
