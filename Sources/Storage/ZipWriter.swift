import Foundation
import HDF5

/// Writes a zip archive of `.npy` members, as numpy's `savez` and `savez_compressed` do.
///
/// Stored members are written as they come and their check sums put in afterwards; deflated ones are first
/// gathered in scratch memory. All have the fields of zip64, and no times.
final class ZipWriter {
  private struct Entry {
    let name: String
    let method: UInt16
    let checkSum: UInt32
    let packed: Int
    let unpacked: Int
    let header: Int
  }

  private static let level = 6
  private let file: PartFile
  private let scratch: URL
  private let compress: Bool
  private var entries: [Entry] = []

  /// Begins an archive; `scratch` has room for an uncompressed member, and its compressed form.
  init(_ url: URL, compress: Bool, scratch: URL) throws(StorageError) {
    file = try PartFile(for: url)
    self.compress = compress
    self.scratch = scratch
  }

  /// Adds an array, whose elements `contents` gives to its sink piece by piece.
  func add(
    _ name: String, _ type: HDF5Type, shape: [Int],
    contents: ((TableColumn) -> Void) throws(StorageError) -> Void
  ) throws(StorageError) {
    let header = NumpyFile.header(type, shape: shape)
    let count = header.count + shape.reduce(type.byteCount, *)
    let place = file.byteCount
    var checkSum: UInt32 = 0
    var packed = count
    begin(name + ".npy")
    if compress {
      let room = Deflate.bound(count)
      guard let plain = MappedFile.scratch(count: count, in: scratch),
        let target = MappedFile.scratch(count: room, in: scratch)
      else { throw .diskFull(scratch.path) }
      var position = 0
      func append(_ bytes: UnsafeRawBufferPointer) {
        UnsafeMutableRawBufferPointer(rebasing: plain.scratchBytes[position...])
          .copyMemory(from: bytes)
        position += bytes.count
      }
      header.withUnsafeBytes { append($0) }
      try contents { column in column.withBytes { append($0) } }
      precondition(position == count, "'\(name)' takes \(count) bytes, got \(position)")
      checkSum = Deflate.crc32(plain.bytes)
      packed = Deflate.compress(plain.bytes, into: target.scratchBytes, level: ZipWriter.level)
      file.append(UnsafeRawBufferPointer(rebasing: target.bytes[..<packed]))
    } else {
      func append(_ bytes: UnsafeRawBufferPointer) {
        checkSum = Deflate.crc32(bytes, after: checkSum)
        file.append(bytes)
      }
      header.withUnsafeBytes { append($0) }
      let start = file.byteCount - header.count
      try contents { column in column.withBytes { append($0) } }
      try file.check()
      precondition(file.byteCount - start == count, "'\(name)' takes \(count) bytes")
    }
    try file.check()
    let entry = Entry(
      name: name + ".npy", method: compress ? 8 : 0, checkSum: checkSum, packed: packed,
      unpacked: count, header: place)
    entries.append(entry)
    file.overwrite(at: place, with: local(entry))
  }

  /// Writes the directory and puts the archive in its place.
  func commit() throws(StorageError) {
    let start = file.byteCount
    for entry in entries {
      append(
        [0x50, 0x4b, 1, 2] + little(45, 2) + little(45, 2) + little(0, 2)
          + little(Int(entry.method), 2) + little(0, 2) + little(0x21, 2)
          + little(Int(entry.checkSum), 4) + little(0xffff_ffff, 4) + little(0xffff_ffff, 4)
          + little(entry.name.utf8.count, 2) + little(28, 2) + little(0, 2) + little(0, 2)
          + little(0, 2) + little(0o600 << 16, 4) + little(0xffff_ffff, 4) + Array(entry.name.utf8)
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

  /// Writes a local header, to be written over when the member is known.
  private func begin(_ name: String) {
    append(
      local(Entry(name: name, method: 0, checkSum: 0, packed: 0, unpacked: 0, header: 0)))
  }

  private func local(_ entry: Entry) -> [UInt8] {
    [0x50, 0x4b, 3, 4] + little(45, 2) + little(0, 2) + little(Int(entry.method), 2)
      + little(0, 2) + little(0x21, 2) + little(Int(entry.checkSum), 4) + little(0xffff_ffff, 4)
      + little(0xffff_ffff, 4) + little(entry.name.utf8.count, 2) + little(20, 2)
      + Array(entry.name.utf8) + little(1, 2) + little(16, 2) + little(entry.unpacked, 8)
      + little(entry.packed, 8)
  }

  private func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { file.append($0) } }

  private func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
