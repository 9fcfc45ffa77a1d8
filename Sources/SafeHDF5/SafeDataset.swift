public import HDF5
public import Support

/// An open dataset: its type, its shape, and its rows, which any thread may read.
public struct SafeDataset: Sendable {
  /// The path inside the file.
  public let path: String
  /// The element type that reading gives, or nil if it is no number of ours; of half floats, f32.
  public let type: HDF5Type?
  /// The stored element type in words, for messages.
  public let typeDescription: String
  /// What reading makes of elements that are stored in another way, as in "f32, which were f16";
  /// else nil.
  public var conversion: String? {
    type.flatMap {
      $0.rawValue == typeDescription ? nil : "\($0.rawValue), which were \(typeDescription)"
    }
  }
  /// Lengths of the axes, the slowest first; empty for a scalar.
  public let shape: [Int]
  /// Whether elements are compressed, so that the file may hold more than it has bytes.
  public let isPacked: Bool
  private let file: SafeFile
  let element: ElementType
  private let storage: Storage

  private enum Storage: Sendable {
    case bytes(address: Int)
    /// Bytes of a compact dataset, at a position of the file.
    case compact(position: Int)
    case nothing(fill: [UInt8])
    case chunks(ChunkMap, fill: [UInt8])
    case virtual(VirtualMap, fill: [UInt8])
  }

  /// Elements in all.
  public var count: Int { shape.reduce(1, *) }
  /// Rows: the length of the first axis.
  public var rows: Int { shape.first ?? 1 }
  /// Lengths of the other axes.
  public var rowShape: [Int] { Array(shape.dropFirst()) }
  /// Bytes of a row as reading gives it.
  public var rowBytes: Int { rowShape.reduce(type?.byteCount ?? element.byteCount, *) }
  /// Elements of a row.
  var rowElements: Int { rowShape.reduce(1, *) }
  /// Bytes of a row as it is stored.
  var storedRowBytes: Int { rowElements * element.byteCount }
  /// Bytes of all rows as they are stored, unpacked.
  var storedBytes: Int { rows * storedRowBytes }
  /// Bytes that are unpacked for a row at least.
  var packedBytes: Int {
    if case .chunks(let map, _) = storage, isPacked { map.chunkBytes } else { 0 }
  }

  /// Opens what a header describes; `isSource` if a virtual dataset needs it.
  init(_ header: ObjectHeader, isSource: Bool = false) throws(FileError) {
    file = header.file
    path = header.path
    guard var space = try header.first(.dataspace), var type = try header.first(.datatype),
      var layout = try header.first(.layout)
    else {
      throw .damaged(
        file: header.file.name, dataset: header.path, rule: "it lacks a part of its description")
    }
    element = try ElementType(&type)
    let extent = try Dataspace(&space)
    shape = extent?.shape ?? [0]
    typeDescription = element.words
    if case .number(let type, _) = element { self.type = type } else { self.type = nil }
    let count = shape.reduce(1, *)
    let (bytes, overflowed) = count.multipliedReportingOverflow(by: element.byteCount)
    guard !overflowed, bytes < 1 << 50 else { throw layout.damaged("its shape is \(shape)") }
    let fill = try SafeDataset.fill(header, element.byteCount)
    let version = try layout.byte()
    guard (3...5).contains(version) else {
      throw layout.notRead("its layout is of version \(version), known are 3 to 5")
    }
    guard !header.has(.external) else { throw layout.notRead("its elements lie in another file") }
    var available = file.byteCount
    switch try layout.byte() {
    case 0:
      let stored = try layout.short()
      guard stored >= bytes else { throw layout.damaged("it has \(stored) of \(bytes) bytes") }
      storage = .compact(position: layout.position)
      try layout.skip(stored)
      isPacked = false
    case 1:
      if let address = try layout.address() {
        _ = try file.bytes(at: address, count: bytes, path: path)
        storage = .bytes(address: address)
      } else {
        storage = .nothing(fill: fill)
      }
      isPacked = false
    case 2:
      let map = try ChunkMap(
        header, &layout, version: version, shape: shape, limits: extent?.limits ?? [0],
        elementBytes: element.byteCount)
      storage = .chunks(map, fill: fill)
      isPacked = map.filters.gain > 1
      let (most, overflowed) = available.multipliedReportingOverflow(by: map.filters.gain)
      available = overflowed ? .max : most
    case 3:
      guard !isSource else {
        throw layout.notRead("it is a virtual dataset, of which another one is made")
      }
      let map = try VirtualMap(header, &layout, shape: shape, element: element)
      storage = .virtual(map, fill: fill)
      isPacked = map.isPacked
      available = .max
    default: throw layout.damaged("its elements lie in no known way")
    }
    guard bytes <= available else {
      throw layout.damaged("its shape \(shape) is of more than the file's \(file.byteCount) bytes")
    }
  }

  /// The bytes of an element that was never written.
  private static func fill(_ header: ObjectHeader, _ count: Int) throws(FileError) -> [UInt8] {
    var found: [UInt8] = []
    if var cursor = try header.first(.fillValue) {
      let version = try cursor.byte()
      let flags = try cursor.byte()
      if version == 3 {
        if flags & 32 != 0 { found = Array(try cursor.bytes(try cursor.word())) }
      } else {
        try cursor.skip(1)
        let isDefined = try cursor.byte() != 0
        if (version == 1 || isDefined) && cursor.left >= 4 {
          found = Array(try cursor.bytes(try cursor.word()))
        }
      }
    }
    return found.count == count && found.contains { $0 != 0 } ? found : []
  }

  /// The owner of stored bytes.
  public var owner: AnyObject { file }
  /// The file's name, for messages.
  public var fileName: String { file.name }

  /// Where some rows lie in the file, one after the other and as reading gives them; nil if they do
  /// not.
  public func stored(_ rows: Range<Int>) throws(FileError) -> UnsafeRawBufferPointer? {
    if case .number(_, let form) = element, !form.isPlain { return nil }
    return try piece(rows)
  }

  private func piece(_ rows: Range<Int>) throws(FileError) -> UnsafeRawBufferPointer? {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= self.rows, "\(rows) of \(self.rows)")
    let rowBytes = storedRowBytes
    let count = rows.count * rowBytes
    switch storage {
    case .bytes(let address):
      return try file.bytes(at: address + rows.lowerBound * rowBytes, count: count, path: path)
    case .compact(let position):
      return file.map.slice(at: position + rows.lowerBound * rowBytes, count: count)
    case .nothing, .chunks, .virtual: return nil
    }
  }

  /// Copies some rows, which take just `target`.
  public func read(
    _ rows: Range<Int>, into target: UnsafeMutableRawBufferPointer
  ) throws(FileError) {
    precondition(
      target.count == rows.count * rowBytes,
      "'\(path)' takes \(rows.count * rowBytes) bytes, found \(target.count)")
    guard !target.isEmpty else { return }
    guard let type, case .number(_, let form) = element, !form.isPlain else {
      return try readStored(rows, into: target)
    }
    let first = form.isHalf ? target.count / 2 : 0
    try readStored(rows, into: UnsafeMutableRawBufferPointer(rebasing: target[first...]))
    form.restore(type, in: target)
  }

  /// Gives some rows as they are stored.
  func withStored(
    _ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(FileError) {
    if let bytes = try piece(rows) { return body(bytes) }
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: rows.count * storedRowBytes, alignment: 16)
    defer { memory.deallocate() }
    try readStored(rows, into: memory)
    body(UnsafeRawBufferPointer(memory))
  }

  /// Copies some rows as they are stored.
  private func readStored(
    _ rows: Range<Int>, into target: UnsafeMutableRawBufferPointer
  ) throws(FileError) {
    if let bytes = try piece(rows) { return target.copyMemory(from: bytes) }
    switch storage {
    case .nothing(let fill): SafeDataset.put(fill, in: target)
    case .chunks(let map, let fill):
      if !map.isComplete(rows) { SafeDataset.put(fill, in: target) }
      try map.read(rows, into: target, file: file, path: path)
    case .virtual(let map, let fill):
      if !map.isComplete { SafeDataset.put(fill, in: target) }
      try map.read(rows, into: target)
    case .bytes, .compact: preconditionFailure("these are stored in one piece")
    }
  }

  private static func put(_ fill: [UInt8], in target: UnsafeMutableRawBufferPointer) {
    guard !fill.isEmpty else {
      _ = target.initializeMemory(as: UInt8.self, repeating: 0)
      return
    }
    for place in target.indices { target[place] = fill[place % fill.count] }
  }

  /// All elements, which must be texts.
  public func texts() throws(FileError) -> [String] {
    let size = element.byteCount
    let isVariable: Bool
    switch element {
    case .text: isVariable = false
    case .variableText(let bytes):
      guard bytes == 8 + file.offsetSize else {
        throw .damaged(
          file: file.name, dataset: path, rule: "a text is referred to by \(bytes) bytes")
      }
      isVariable = true
    default:
      throw .notRead(
        file: file.name, dataset: path, reason: "it must be of texts, found \(typeDescription)")
    }
    guard count <= TextHeap.limit / size else {
      throw .notRead(
        file: file.name, dataset: path, reason: "its texts have more than \(TextHeap.limit) bytes")
    }
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: count * size, alignment: 16)
    defer { memory.deallocate() }
    try readStored(0..<rows, into: memory)
    var heap = TextHeap(file, path: path)
    var texts: [String] = []
    for place in 0..<count {
      let part = UnsafeRawBufferPointer(rebasing: memory[(place * size)..<((place + 1) * size)])
      texts.append(
        isVariable
          ? try heap.text(try TextReference(part, in: file, path: path))
          : String(decoding: part.prefix { $0 != 0 }, as: UTF8.self))
    }
    return texts
  }
}
