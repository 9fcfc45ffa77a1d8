import Support

/// A place in a mapped file that moves on as it is read, and never leaves it.
struct ByteCursor {
  private let map: MappedFile
  private let all: UnsafeRawBufferPointer
  /// The name of the data being read, for messages.
  let path: String
  var position: Int
  /// Where reading must stop.
  private(set) var end: Int
  /// Bytes of an address and of a length.
  var sizes = (offset: 8, length: 8)

  init(_ map: MappedFile, at position: Int, path: String) {
    self.map = map
    all = map.bytes
    self.position = position
    self.path = path
    end = all.count
  }

  /// At the start of bytes that were copied out of the file.
  init(_ map: MappedFile, _ bytes: UnsafeRawBufferPointer, path: String) {
    self.map = map
    all = bytes
    position = 0
    self.path = path
    end = bytes.count
  }

  /// Bytes that are left.
  var left: Int { end - position }

  func damaged(_ rule: String) -> FileError {
    .damaged(file: map.name, dataset: path.isEmpty ? "/" : path, rule: rule)
  }

  func notRead(_ reason: String) -> FileError {
    .notRead(file: map.name, dataset: path.isEmpty ? "/" : path, reason: reason)
  }

  /// Lets nothing be read after the next `count` bytes.
  mutating func limit(to count: Int) throws(FileError) {
    guard count >= 0, count <= left else {
      throw damaged("\(count) bytes at \(position) must lie before \(end)")
    }
    end = position + count
  }

  mutating func bytes(_ count: Int) throws(FileError) -> UnsafeRawBufferPointer {
    guard count >= 0, count <= left else {
      throw damaged("\(count) bytes at \(position) must lie before \(end)")
    }
    defer { position += count }
    return UnsafeRawBufferPointer(rebasing: all[position..<(position + count)])
  }

  mutating func skip(_ count: Int) throws(FileError) { _ = try bytes(count) }

  /// A little-endian number of up to 8 bytes.
  mutating func number(_ count: Int) throws(FileError) -> UInt64 {
    var value: UInt64 = 0
    for (place, byte) in try bytes(count).enumerated() { value |= UInt64(byte) << (8 * place) }
    return value
  }

  mutating func byte() throws(FileError) -> Int { Int(try bytes(1)[0]) }
  mutating func short() throws(FileError) -> Int { Int(try number(2)) }
  mutating func word() throws(FileError) -> Int { Int(try number(4)) }

  /// A number of `count` bytes that must be below 2⁴⁸.
  mutating func count(_ count: Int) throws(FileError) -> Int {
    let value = try number(count)
    guard value < 1 << 48 else { throw damaged("a length is \(value)") }
    return Int(value)
  }

  mutating func length() throws(FileError) -> Int { try count(sizes.length) }

  /// An address, or nil if it is the one that stands for no address.
  mutating func address() throws(FileError) -> Int? {
    let value = try number(sizes.offset)
    if value == UInt64.max >> (64 - 8 * UInt64(sizes.offset)) { return nil }
    guard value < 1 << 62 else { throw damaged("an address is \(value)") }
    return Int(value)
  }

  mutating func neededAddress(_ what: String) throws(FileError) -> Int {
    guard let address = try address() else { throw damaged("\(what) must have an address") }
    return address
  }

  /// Four letters that begin a block.
  mutating func signature(_ expected: String) throws(FileError) {
    guard try bytes(4).elementsEqual(expected.utf8) else {
      throw damaged("a block at \(position - 4) must begin with \(expected)")
    }
  }

  /// Four letters that begin a block, and its version, which must be 0.
  mutating func start(_ signature: String) throws(FileError) {
    try self.signature(signature)
    let version = try byte()
    guard version == 0 else {
      throw damaged("a block \(signature) must be of version 0, found \(version)")
    }
  }

  /// Checks that the check sum here is that of the bytes from `start` on.
  mutating func checkSum(from start: Int) throws(FileError) {
    let part = UnsafeRawBufferPointer(rebasing: all[start..<position])
    let expected = try number(4)
    guard UInt64(lookup3(part)) == expected else {
      throw damaged("the check sum of the \(part.count) bytes at \(start) is another")
    }
  }

  /// Text of `count` bytes, up to the first zero.
  mutating func text(_ count: Int) throws(FileError) -> String {
    String(decoding: try bytes(count).prefix { $0 != 0 }, as: UTF8.self)
  }

  /// Text up to a zero, which is read as well.
  mutating func terminatedText() throws(FileError) -> String {
    let rest = all[position..<end]
    guard let zero = rest.firstIndex(of: 0) else { throw damaged("a name must end with a zero") }
    defer { position = zero + 1 }
    return String(decoding: all[position..<zero], as: UTF8.self)
  }
}

/// Bob Jenkins's hash `lookup3`, which HDF5 takes for check sums of metadata.
func lookup3(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
  var a = 0xdead_beef &+ UInt32(truncatingIfNeeded: bytes.count)
  var (b, c) = (a, a)
  func turn(_ x: UInt32, _ k: UInt32) -> UInt32 { x << k | x >> (32 - k) }
  var place = 0
  while bytes.count - place > 12 {
    func word(_ k: Int) -> UInt32 {
      bytes.loadUnaligned(fromByteOffset: place + 4 * k, as: UInt32.self)
    }
    a &+= word(0)
    b &+= word(1)
    c &+= word(2)
    a = (a &- c) ^ turn(c, 4)
    c &+= b
    b = (b &- a) ^ turn(a, 6)
    a &+= c
    c = (c &- b) ^ turn(b, 8)
    b &+= a
    a = (a &- c) ^ turn(c, 16)
    c &+= b
    b = (b &- a) ^ turn(a, 19)
    a &+= c
    c = (c &- b) ^ turn(b, 4)
    b &+= a
    place += 12
  }
  guard place < bytes.count else { return c }
  for k in 0..<(bytes.count - place) {
    let value = UInt32(bytes[place + k]) << UInt32(8 * (k % 4))
    switch k / 4 {
    case 0: a &+= value
    case 1: b &+= value
    default: c &+= value
    }
  }
  c = (c ^ b) &- turn(b, 14)
  a = (a ^ c) &- turn(c, 11)
  b = (b ^ a) &- turn(a, 25)
  c = (c ^ b) &- turn(b, 16)
  a = (a ^ c) &- turn(c, 4)
  b = (b ^ a) &- turn(a, 14)
  c = (c ^ b) &- turn(b, 24)
  return c
}
