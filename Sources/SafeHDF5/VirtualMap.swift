import Support

/// Where the elements of a virtual dataset lie: parts of other datasets, of its file or of files
/// beside that.
///
/// Sources are opened with it, and are not virtual themselves, so that nothing leads round. All
/// parts together have no more elements than it, so that each is read once.
struct VirtualMap: Sendable {
  /// Elements of a source, and where they go, one for one.
  private struct Part: Sendable {
    let source: SafeDataset
    let from: Selection
    let to: Selection
  }

  /// Bytes of a source's rows that are read at a time.
  private static let runBytes = 1 << 22
  /// The most parts, for each of which memory is taken.
  private static let partLimit = 100_000
  /// The maximum number of bytes of a source's row.
  private static let rowLimit = 1 << 26
  /// How many times the bytes of its sources a virtual dataset may have: the rest is never written.
  private static let gain = 16
  /// How many bytes may be unpacked for it besides, and how many for each of its own.
  private static let spare = (bytes: 1 << 30, gain: 64)

  private let parts: [Part]
  private let elementBytes: Int
  private let rowElements: Int
  /// Whether each element has a source.
  let isComplete: Bool
  /// Whether a source is compressed.
  var isPacked: Bool { parts.contains { $0.source.isPacked } }

  init(
    _ header: ObjectHeader, _ layout: inout ByteCursor, shape: [Int], element: ElementType
  ) throws(FileError) {
    elementBytes = element.byteCount
    rowElements = shape.dropFirst().reduce(1, *)
    let all = shape.reduce(1, *)
    var parts: [Part] = []
    var sources: [[String]: SafeDataset] = [:]
    var (mapped, unpacked) = (0, 0)
    if let address = try layout.address() {
      var heap = TextHeap(header.file, path: header.path)
      var cursor = try heap.object(try layout.word(), at: address)
      var names: [(file: String, dataset: String)] = []
      let (version, count) = try VirtualMap.begin(&cursor)
      for _ in 0..<count {
        names.append(try VirtualMap.name(&cursor, version, after: names))
        let name = names[names.count - 1]
        let key = [name.file, name.dataset]
        let source: SafeDataset
        if let known = sources[key] {
          source = known
        } else {
          source = try VirtualMap.open(name, header, element)
          sources[key] = source
        }
        let from = try Selection(&cursor, shape: source.shape)
        let to = try Selection(&cursor, shape: shape)
        guard from.count == to.count else {
          throw cursor.damaged(
            "\(to.count) elements of it are \(from.count) of '\(shown(name.dataset))'")
        }
        if to.count == 0 { continue }
        parts.append(Part(source: source, from: from, to: to))
        mapped += to.count
        // Each is fewer than 2⁵⁰ bytes, and parts may be 100,000.
        unpacked = min(unpacked + source.packedBytes, 1 << 60)
        guard mapped <= all else { throw cursor.damaged("its parts have more elements than it") }
      }
      guard cursor.left == 0 else {
        throw cursor.damaged("its list of parts goes on for \(cursor.left) bytes")
      }
    }
    // Each has fewer than 2⁵⁰ bytes.
    let held = sources.values.reduce(header.file.byteCount) { min($0 + $1.storedBytes, 1 << 60) }
    guard all * elementBytes / VirtualMap.gain <= held else {
      throw layout.notRead(
        "it is a virtual dataset of \(all * elementBytes) bytes whose sources have \(held), so most of it was "
          + "never written")
    }
    guard unpacked <= VirtualMap.spare.bytes + VirtualMap.spare.gain * all * elementBytes else {
      throw layout.notRead(
        "it is a virtual dataset of \(all * elementBytes) bytes for which \(unpacked) would be unpacked"
      )
    }
    self.parts = parts
    isComplete = mapped == all
  }

  /// Reads the start of a list of parts, and lets its last byte be read, but for the check sum,
  /// which is right.
  private static func begin(_ cursor: inout ByteCursor) throws(FileError) -> (
    version: Int, count: Int
  ) {
    var sum = cursor
    try sum.skip(cursor.left - 4)
    try sum.checkSum(from: cursor.position)
    try cursor.limit(to: cursor.left - 4)
    let version = try cursor.byte()
    guard version <= 1 else {
      throw cursor.notRead("it is a virtual dataset with a list of parts of version \(version)")
    }
    let count = try cursor.length()
    guard count <= partLimit else {
      throw cursor.notRead("it is a virtual dataset of \(count) parts, of at most \(partLimit)")
    }
    return (version, count)
  }

  /// Reads the names of a source, which may be those of a part before.
  private static func name(
    _ cursor: inout ByteCursor, _ version: Int, after names: [(file: String, dataset: String)]
  ) throws(FileError) -> (file: String, dataset: String) {
    let flags = version > 0 ? try cursor.byte() : 0
    func text(_ isShared: Bool) throws(FileError) -> (file: String, dataset: String) {
      guard isShared else {
        let text = try cursor.terminatedText()
        return (text, text)
      }
      let place = try cursor.length()
      guard place < names.count else { throw cursor.damaged("part \(place) comes after its name") }
      return names[place]
    }
    let file = flags & 4 != 0 ? "." : try text(flags & 1 != 0).file
    return (file, try text(flags & 2 != 0).dataset)
  }

  private static func open(
    _ name: (file: String, dataset: String), _ header: ObjectHeader, _ element: ElementType
  ) throws(FileError) -> SafeDataset {
    let file = try header.file.source(name.file, of: header.path)
    let source = try file.dataset(at: name.dataset, for: header.path)
    func refused(_ reason: String) -> FileError {
      .notRead(
        file: header.file.name, dataset: header.path,
        reason: "it is a virtual dataset, and its source '\(shown(name.dataset))' \(reason)")
    }
    guard source.element == element else {
      throw refused("is of \(source.typeDescription), not of \(element.words) as it is")
    }
    switch element {
    case .number, .text: break
    case .variableText, .other: throw refused("is of \(element.words), which is not joined")
    }
    guard source.storedRowBytes <= rowLimit else {
      throw refused("has rows of \(source.storedRowBytes) bytes, of at most \(rowLimit)")
    }
    return source
  }

  /// Copies what sources have of some rows to its place in `target`.
  func read(
    _ rows: Range<Int>, into target: UnsafeMutableRawBufferPointer
  ) throws(FileError) {
    guard let goal = target.baseAddress else { return }
    for part in parts {
      var element = part.to.count(before: rows.lowerBound)
      let end = part.to.count(before: rows.upperBound)
      let source = part.source
      let length = max(1, VirtualMap.runBytes / max(1, source.storedRowBytes))
      let first = rows.lowerBound * rowElements
      while element < end {
        let row = part.from.row(of: element)
        let next = min(end, part.from.count(before: row + length))
        let last = part.from.row(of: next - 1)
        let start = row * source.rowElements
        try source.withStored(row..<(last + 1)) { bytes in
          guard let bytes = bytes.baseAddress else { return }
          while element < next {
            let (from, to) = (part.from.run(at: element), part.to.run(at: element))
            let count = min(from.count, to.count, next - element)
            (goal + (to.offset - first) * elementBytes).copyMemory(
              from: bytes + (from.offset - start) * elementBytes, byteCount: count * elementBytes)
            element += count
          }
        }
      }
    }
  }
}
