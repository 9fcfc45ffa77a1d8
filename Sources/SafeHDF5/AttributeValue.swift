import HDF5
import Support

/// The value of an attribute.
public enum AttributeValue: Equatable, Sendable {
  /// An integer that is no larger than an `Int64`.
  case integer(Int64)
  /// An integer that is.
  case large(UInt64)
  /// A float.
  case number(Double)
  /// Text.
  case text(String)
  /// Anything else, in words: lists, for example.
  case other(String)

  /// It in words.
  public var words: String {
    switch self {
    case .integer(let value): "\(value)"
    case .large(let value): "\(value)"
    case .number(let value): "\(value)"
    case .text(let value): "'\(shown(value))'"
    case .other(let words): words
    }
  }

  /// It as an integer from 0 on, or nil.
  public var unsigned: UInt64? {
    switch self {
    case .integer(let value): UInt64(exactly: value)
    case .large(let value): value
    default: nil
    }
  }

  /// All attributes of an object.
  static func attributes(of header: ObjectHeader) throws(FileError) -> [String: AttributeValue] {
    var values: [String: AttributeValue] = [:]
    var heap = TextHeap(header.file, path: header.path)
    func add(_ cursor: inout ByteCursor) throws(FileError) {
      let (name, value) = try read(&cursor, &heap)
      values[name] = value
    }
    for var cursor in try header.all(.attribute) { try add(&cursor) }
    if var information = try header.first(.attributeInformation) {
      try information.skip(1)
      if try information.byte() & 1 != 0 { try information.skip(2) }
      guard let heapAddress = try information.address(), let index = try information.address()
      else { return values }
      let heap = try FractalHeap(header.file, at: heapAddress, path: header.path)
      let tree = try VersionTwoTree(header.file, at: index, path: header.path, kind: 8)
      for var record in try tree.records() {
        var cursor = try heap.object(&record)
        try add(&cursor)
      }
    }
    return values
  }

  private static func read(
    _ cursor: inout ByteCursor, _ heap: inout TextHeap
  ) throws(FileError) -> (String, AttributeValue) {
    let version = try cursor.byte()
    let flags = try cursor.byte()
    let nameBytes = try cursor.short()
    let typeBytes = try cursor.short()
    let spaceBytes = try cursor.short()
    if version == 3 { try cursor.skip(1) }
    guard (1...3).contains(version) else {
      throw cursor.damaged("an attribute is of no known version")
    }
    func part(_ count: Int) throws(FileError) -> ByteCursor {
      var inner = cursor
      try inner.limit(to: count)
      try cursor.skip(version == 1 ? (count + 7) / 8 * 8 : count)
      return inner
    }
    var nameCursor = try part(nameBytes)
    let name = try nameCursor.text(nameBytes)
    guard version == 1 || flags & 3 == 0 else {
      throw cursor.notRead("the type of attribute '\(shown(name))' is shared with others")
    }
    var typeCursor = try part(typeBytes)
    let type = try ElementType(&typeCursor)
    var spaceCursor = try part(spaceBytes)
    guard let shape = try Dataspace(&spaceCursor)?.shape else { return (name, .other("empty")) }
    guard shape.reduce(1, *) == 1 else { return (name, .other("\(type.words) of shape \(shape)")) }
    switch type {
    case .number(let number, let form):
      return (name, value(of: try cursor.number(type.byteCount), number, form))
    case .text(let bytes): return (name, .text(try cursor.text(bytes)))
    case .variableText:
      return (name, .text(try heap.text(try TextReference(&cursor))))
    case .other(let words, _): return (name, .other(words))
    }
  }

  /// The number that the bits of a stored one stand for.
  private static func value(
    of stored: UInt64, _ type: HDF5Type, _ form: NumberForm
  ) -> AttributeValue {
    let unused = 8 * UInt64(8 - (form.isHalf ? 2 : type.byteCount))
    let bits = form.isBigEndian ? stored.byteSwapped >> unused : stored
    switch type {
    case .float32 where form.isHalf:
      return .number(Double(NumberForm.float(half: UInt16(truncatingIfNeeded: bits))))
    case .float32: return .number(Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits))))
    case .float64: return .number(Double(bitPattern: bits))
    case .int8: return .integer(Int64(Int8(truncatingIfNeeded: bits)))
    case .int16: return .integer(Int64(Int16(truncatingIfNeeded: bits)))
    case .int32: return .integer(Int64(Int32(truncatingIfNeeded: bits)))
    case .int64: return .integer(Int64(bitPattern: bits))
    case .uint8, .uint16, .uint32, .uint64, .bool:
      return bits > UInt64(Int64.max) ? .large(bits) : .integer(Int64(bits))
    }
  }
}
