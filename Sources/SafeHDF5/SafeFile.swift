public import Foundation
public import Support
import Synchronization

/// An HDF5 file of others, read without the HDF5 library.
///
/// The library trusts what it reads: of 2,000 files of Minari's with a few bytes changed, version
/// 1.10.8 ends the process on eight. Here every address and every length is checked against the
/// file before it is followed, and nothing is allocated that the file's own bytes cannot fill.
/// Threads may share a file.
///
/// It reads what h5py and the library write. That is superblocks 0 to 3, and old and new groups
/// with hard and soft links. Datasets are compact, contiguous or chunked, with every chunk index
/// and the filters deflate, shuffle, LZF and Fletcher-32. Elements are integers and floats of
/// either byte order, half floats (read as f32) and texts; attributes are read too. Virtual
/// datasets may consist of plain ones in the same file or in files of its folder and below. The
/// rest is refused by its name: links to other files, external datasets, other filters, compounds.
///
/// Source: the HDF5 File Format Specification, version 3.0. Check sums of metadata are verified if
/// there are any, but for those of the fractal heap's direct blocks.
public final class SafeFile: Sendable {
  /// The file's name, for messages.
  public let name: String
  let map: MappedFile
  /// Where addresses are counted from.
  let base: Int
  let offsetSize: Int
  let lengthSize: Int
  let rootAddress: Int
  let followed: Mutex<Followed>
  /// Files that virtual datasets lead to, by the names that these have for them.
  let sources = Mutex([String: SafeFile]())
  /// Held by who unpacks a large chunk, so that memory is taken for one at a time.
  let largeChunk = Mutex(())

  /// Maps a file and reads its superblock.
  public init(contentsOf url: URL) throws(FileError) {
    let map = try MappedFile(contentsOf: url)
    let name = url.path
    self.map = map
    self.name = name
    let places = [0] + (9..<31).map { 1 << $0 }.filter { $0 < map.bytes.count }
    guard
      let start = places.first(where: {
        map.slice(at: $0, count: 8).map { $0.elementsEqual(SafeFile.signature) } ?? false
      })
    else {
      throw .notRead(file: name, dataset: "/", reason: "the file is not HDF5")
    }
    followed = Mutex(Followed(room: map.bytes.count / 4 + 64))
    var cursor = ByteCursor(map, at: start + 8, path: "/")
    let end: Int?
    let version = try cursor.byte()
    switch version {
    case 0, 1:
      try cursor.skip(4)
      offsetSize = try SafeFile.size(try cursor.byte(), cursor)
      lengthSize = try SafeFile.size(try cursor.byte(), cursor)
      try cursor.skip(1 + 4 + 4 + (version == 1 ? 4 : 0))
      cursor.sizes = (offsetSize, lengthSize)
      base = try cursor.address() ?? 0
      try cursor.skip(offsetSize)
      end = try cursor.address()
      try cursor.skip(2 * offsetSize)
      rootAddress = try cursor.neededAddress("the root group")
    case 2, 3:
      offsetSize = try SafeFile.size(try cursor.byte(), cursor)
      lengthSize = try SafeFile.size(try cursor.byte(), cursor)
      try cursor.skip(1)
      cursor.sizes = (offsetSize, lengthSize)
      base = try cursor.address() ?? 0
      try cursor.skip(offsetSize)
      end = try cursor.address()
      rootAddress = try cursor.neededAddress("the root group")
      try cursor.checkSum(from: start)
    default:
      throw .notRead(
        file: name, dataset: "/",
        reason: "its superblock is of version \(version), known are 0 to 3"
      )
    }
    // The end is counted from the file's start, not from where addresses are.
    if let end, end > map.bytes.count {
      throw .cutShort(file: name, byteCount: map.bytes.count, expected: end)
    }
    guard base <= map.bytes.count else {
      throw .damaged(
        file: name, dataset: "/",
        rule: "addresses are counted from \(base), and it has \(map.bytes.count) bytes")
    }
  }

  private static let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]

  /// Whether a file's first bytes are HDF5's.
  public static func begins(_ url: URL) -> Bool {
    guard let map = try? MappedFile(contentsOf: url) else { return false }
    return map.slice(at: 0, count: 8)?.elementsEqual(signature) ?? false
  }

  private static func size(_ value: Int, _ cursor: ByteCursor) throws(FileError) -> Int {
    guard [2, 4, 8].contains(value) else {
      throw cursor.damaged("addresses and lengths have 2, 4 or 8 bytes, not \(value)")
    }
    return value
  }

  /// Bytes of the file.
  public var byteCount: Int { map.bytes.count }

  /// The root group.
  public func root() throws(FileError) -> SafeGroup {
    try SafeGroup(try ObjectHeader(self, at: rootAddress, path: ""))
  }

  /// A cursor at an address; messages name `path`.
  func cursor(at address: Int, path: String) throws(FileError) -> ByteCursor {
    var cursor = ByteCursor(map, at: 0, path: path)
    cursor.sizes = (offsetSize, lengthSize)
    let (place, overflowed) = address.addingReportingOverflow(base)
    guard !overflowed, place <= map.bytes.count else {
      throw cursor.damaged("address \(address) is outside of its \(map.bytes.count) bytes")
    }
    cursor.position = place
    return cursor
  }

  /// A cursor over bytes that were copied out of the file, which must stay as long as it does.
  func cursor(
    over bytes: UnsafeRawBufferPointer, path: String
  ) throws(FileError) -> ByteCursor {
    var cursor = ByteCursor(map, bytes, path: path)
    cursor.sizes = (offsetSize, lengthSize)
    return cursor
  }

  /// The bytes at an address.
  func bytes(
    at address: Int, count: Int, path: String
  ) throws(FileError) -> UnsafeRawBufferPointer {
    var cursor = try cursor(at: address, path: path)
    return try cursor.bytes(count)
  }
}
