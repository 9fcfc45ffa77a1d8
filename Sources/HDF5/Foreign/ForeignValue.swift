/// The value of an attribute.
public enum ForeignValue: Equatable, Sendable {
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
  static func attributes(of header: ObjectHeader) throws(HDF5Error) -> [String: ForeignValue] {
    var values: [String: ForeignValue] = [:]
    func add(_ cursor: inout ByteCursor) throws(HDF5Error) {
      let (name, value) = try read(&cursor, of: header)
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
    _ cursor: inout ByteCursor, of header: ObjectHeader
  ) throws(HDF5Error) -> (String, ForeignValue) {
    let version = try cursor.byte()
    let flags = try cursor.byte()
    let nameBytes = try cursor.short()
    let typeBytes = try cursor.short()
    let spaceBytes = try cursor.short()
    if version == 3 { try cursor.skip(1) }
    guard (1...3).contains(version) else {
      throw cursor.damaged("an attribute is of no known version")
    }
    func part(_ count: Int) throws(HDF5Error) -> ByteCursor {
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
    let type = try ForeignType(&typeCursor)
    var spaceCursor = try part(spaceBytes)
    guard let shape = try ForeignType.shape(&spaceCursor) else { return (name, .other("empty")) }
    guard shape.reduce(1, *) == 1 else { return (name, .other("\(type.words) of shape \(shape)")) }
    switch type {
    case .number(let type): return (name, number(try cursor.number(type.byteCount), type))
    case .text(let bytes): return (name, .text(try cursor.text(bytes)))
    case .variableText:
      return (name, .text(try header.file.heapText(&cursor)))
    case .other(let words, _): return (name, .other(words))
    }
  }

  private static func number(_ bits: UInt64, _ type: HDF5Type) -> ForeignValue {
    switch type {
    case .float32: .number(Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits))))
    case .float64: .number(Double(bitPattern: bits))
    case .int8: .integer(Int64(Int8(truncatingIfNeeded: bits)))
    case .int16: .integer(Int64(Int16(truncatingIfNeeded: bits)))
    case .int32: .integer(Int64(Int32(truncatingIfNeeded: bits)))
    case .int64: .integer(Int64(bitPattern: bits))
    case .uint8, .uint16, .uint32, .uint64, .bool:
      bits > UInt64(Int64.max) ? .large(bits) : .integer(Int64(bits))
    }
  }
}

extension ForeignFile {
  /// Text of the global heap, to which an element refers.
  func heapText(_ cursor: inout ByteCursor) throws(HDF5Error) -> String {
    let count = try cursor.word()
    guard let address = try cursor.address() else { return "" }
    let wanted = try cursor.word()
    if count == 0 { return "" }
    var heap = try self.cursor(at: address, path: cursor.path)
    let start = heap.position
    try heap.signature("GCOL")
    try heap.skip(4)
    let total = try heap.length()
    heap.position = start
    try heap.limit(to: total)
    try heap.skip(8 + lengthSize)
    while heap.left >= 8 + lengthSize {
      let index = try heap.short()
      try heap.skip(6)
      let bytes = try heap.length()
      if index == 0 { break }
      if index == wanted {
        guard count <= bytes else { throw cursor.damaged("a text has \(count) of \(bytes) bytes") }
        return try heap.text(count)
      }
      try heap.skip((bytes + 7) / 8 * 8)
    }
    throw cursor.damaged("text \(wanted) of a heap is missing")
  }
}
