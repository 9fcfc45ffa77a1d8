import Support

/// The parts of an element of variable-length text: the text's bytes, and where in the global heap
/// it lies.
struct TextReference: Sendable {
  let count: Int
  let address: Int?
  let index: Int

  init(_ cursor: inout ByteCursor) throws(FileError) {
    count = try cursor.word()
    address = try cursor.address()
    index = try cursor.word()
  }

  /// Reads an element that was copied out of a file.
  init(
    _ bytes: UnsafeRawBufferPointer, in file: SafeFile, path: String
  ) throws(FileError) {
    var cursor = try file.cursor(over: bytes, path: path)
    try self.init(&cursor)
  }
}

/// Texts of a file's global heap, each collection of which is looked through once.
struct TextHeap {
  private let file: SafeFile
  private let path: String
  /// Position and bytes of each object, by the address of its collection and its number there.
  private var objects: [Int: [Int: (position: Int, count: Int)]] = [:]
  /// Objects that may still be met: a sound file has no more than fit.
  private var budget: Int
  /// Bytes of text that may still be given: many elements may refer to one text.
  private var room = TextHeap.limit

  /// The maximum number of bytes of text that are read at once.
  static let limit = 1 << 26

  init(_ file: SafeFile, path: String) {
    self.file = file
    self.path = path
    budget = file.byteCount / 16 + 1
  }

  /// A text.
  mutating func text(_ reference: TextReference) throws(FileError) -> String {
    guard reference.count > 0, let address = reference.address else { return "" }
    var cursor = try object(reference.index, at: address)
    guard reference.count <= cursor.left else {
      throw cursor.damaged("a text has \(reference.count) of \(cursor.left) bytes")
    }
    room -= reference.count
    guard room >= 0 else {
      throw cursor.notRead("its texts have more than \(TextHeap.limit) bytes")
    }
    return try cursor.text(reference.count)
  }

  /// A cursor over an object of the collection at an address.
  mutating func object(_ index: Int, at address: Int) throws(FileError) -> ByteCursor {
    if objects[address] == nil { objects[address] = try collection(at: address) }
    var cursor = try file.cursor(at: address, path: path)
    guard let found = objects[address]?[index] else {
      throw cursor.damaged("object \(index) of a heap is missing")
    }
    cursor.position = found.position
    try cursor.limit(to: found.count)
    return cursor
  }

  private mutating func collection(
    at address: Int
  ) throws(FileError) -> [Int: (position: Int, count: Int)] {
    var heap = try file.cursor(at: address, path: path)
    let start = heap.position
    try heap.signature("GCOL")
    try heap.skip(4)
    let total = try heap.length()
    heap.position = start
    try heap.limit(to: total)
    try heap.skip(8 + file.lengthSize)
    var found: [Int: (position: Int, count: Int)] = [:]
    while heap.left >= 8 + file.lengthSize {
      let index = try heap.short()
      try heap.skip(6)
      let bytes = try heap.length()
      if index == 0 { break }
      budget -= 1
      guard budget > 0 else { throw heap.damaged("its heap of texts has more than fits the file") }
      found[index] = (heap.position, bytes)
      try heap.skip((bytes + 7) / 8 * 8)
    }
    return found
  }
}
