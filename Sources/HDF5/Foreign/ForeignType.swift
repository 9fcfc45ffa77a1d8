/// The type of a dataset's or an attribute's elements.
enum ForeignType: Equatable, Sendable {
  case number(HDF5Type)
  /// Text of so many bytes, filled up with zeros or spaces.
  case text(bytes: Int)
  /// Text in the file's global heap.
  case variableText
  /// Any other, in words; elements of so many bytes.
  case other(String, bytes: Int)

  /// Bytes of an element.
  var byteCount: Int {
    switch self {
    case .number(let type): type.byteCount
    case .text(let bytes), .other(_, let bytes): bytes
    case .variableText: 16
    }
  }

  /// It in words.
  var words: String {
    switch self {
    case .number(let type): type.rawValue
    case .text(let bytes): "text of \(bytes) bytes"
    case .variableText: "text"
    case .other(let words, _): words
    }
  }

  /// Reads a datatype message.
  init(_ cursor: inout ByteCursor) throws(HDF5Error) {
    let head = try cursor.byte()
    let flags = Int(try cursor.number(3))
    let size = try cursor.word()
    guard size > 0 else { throw cursor.damaged("its elements have no bytes") }
    switch head & 15 {
    case 0:
      let isSigned = flags & 8 != 0
      let (offset, bits) = (try cursor.short(), try cursor.short())
      let isWhole = offset == 0 && bits == 8 * size
      self = ForeignType.integer(size, isSigned: isSigned, isPlain: isWhole && flags & 1 == 0)
    case 1:
      let layout = try cursor.bytes(12)
      let isPlain = { (expected: [UInt8]) in flags & 0x41 == 0 && layout.elementsEqual(expected) }
      if size == 4, isPlain([0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0]) {
        self = .number(.float32)
      } else if size == 8, isPlain([0, 0, 64, 0, 52, 11, 0, 52, 255, 3, 0, 0]) {
        self = .number(.float64)
      } else {
        self = .other("a \(size)-byte float of another kind", bytes: size)
      }
    case 3: self = .text(bytes: size)
    case 8: self = try ForeignType.enumeration(&cursor, version: head >> 4, flags, size)
    case 9: self = flags & 15 == 1 ? .variableText : .other("lists of any length", bytes: size)
    case 6: self = .other("a compound of \(size) bytes", bytes: size)
    default: self = .other("a type of \(size) bytes that is no number", bytes: size)
    }
  }

  private static func integer(_ size: Int, isSigned: Bool, isPlain: Bool) -> ForeignType {
    let types: [Int: (HDF5Type, HDF5Type)] = [
      1: (.int8, .uint8), 2: (.int16, .uint16), 4: (.int32, .uint32), 8: (.int64, .uint64),
    ]
    guard isPlain, let (signed, unsigned) = types[size] else {
      return .other("a \(size)-byte integer of another kind", bytes: size)
    }
    return .number(isSigned ? signed : unsigned)
  }

  private static func enumeration(
    _ cursor: inout ByteCursor, version: Int, _ flags: Int, _ size: Int
  ) throws(HDF5Error) -> ForeignType {
    let other = ForeignType.other("a \(size)-byte enumeration", bytes: size)
    guard flags & 0xffff == 2, try ForeignType(&cursor) == .number(.int8) else { return other }
    for expected in ["FALSE", "TRUE"] {
      let start = cursor.position
      guard try cursor.terminatedText() == expected else { return other }
      if version < 3 { cursor.position = start + (cursor.position - start + 7) / 8 * 8 }
    }
    let values = (try cursor.byte(), try cursor.byte())
    return values == (0, 1) ? .number(.bool) : other
  }

  /// Reads a dataspace message: the lengths of the axes; nil where there are no elements at all.
  static func shape(_ cursor: inout ByteCursor) throws(HDF5Error) -> [Int]? {
    let version = try cursor.byte()
    let rank = try cursor.byte()
    try cursor.skip(1)
    switch version {
    case 1: try cursor.skip(5)
    case 2: if try cursor.byte() == 2 { return nil }
    default: throw cursor.damaged("its shape is of no known version")
    }
    guard rank <= 32 else { throw cursor.damaged("it has \(rank) axes") }
    var shape: [Int] = []
    var count = 1
    for _ in 0..<rank {
      let length = try cursor.length()
      let (product, overflowed) = count.multipliedReportingOverflow(by: length)
      guard !overflowed, product < 1 << 48 else {
        throw cursor.damaged("its shape is \(shape + [length])")
      }
      count = product
      shape.append(length)
    }
    return shape
  }
}
