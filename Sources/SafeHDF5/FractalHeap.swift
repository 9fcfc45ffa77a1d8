import Support

/// A fractal heap: where large groups keep links, and objects with many attributes keep those.
///
/// Only managed objects are read; names and attributes that are larger than a block are refused.
struct FractalHeap {
  private let file: SafeFile
  private let path: String
  private let offsetBytes: Int
  private let lengthBytes: Int
  private let width: Int
  private let startSize: Int
  private let directRows: Int
  private let root: Int
  private let rootRows: Int
  private let idBytes: Int

  init(_ file: SafeFile, at address: Int, path: String) throws(FileError) {
    self.file = file
    self.path = path
    var cursor = try file.cursor(at: address, path: path)
    let start = cursor.position
    try cursor.signature("FRHP")
    guard try cursor.byte() == 0 else { throw cursor.damaged("its heap is of no known version") }
    idBytes = try cursor.short()
    let filterBytes = try cursor.short()
    guard filterBytes == 0 else { throw cursor.notRead("its heap is compressed") }
    try cursor.skip(1)
    let largest = try cursor.word()
    try cursor.skip(2 * file.offsetSize + 10 * file.lengthSize)
    width = try cursor.short()
    startSize = try cursor.length()
    let largestBlock = try cursor.length()
    let bits = try cursor.short()
    try cursor.skip(2)
    root = try cursor.neededAddress("its heap's first block")
    rootRows = try cursor.short()
    try cursor.checkSum(from: start)
    guard [width, startSize, largestBlock].allSatisfy({ $0 > 0 && $0 & ($0 - 1) == 0 }),
      startSize <= largestBlock, (1...64).contains(bits), largest > 0
    else { throw cursor.damaged("its heap has blocks of no possible size") }
    offsetBytes = (bits + 7) / 8
    lengthBytes = min(
      (largestBlock.trailingZeroBitCount + 7) / 8, (FractalHeap.log2(largest) + 7) / 8)
    directRows = largestBlock.trailingZeroBitCount - startSize.trailingZeroBitCount + 2
  }

  private static func log2(_ value: Int) -> Int { Int.bitWidth - 1 - value.leadingZeroBitCount }

  /// The object whose identifier a cursor is at, which is read past.
  func object(_ identifier: inout ByteCursor) throws(FileError) -> ByteCursor {
    var id = identifier
    try id.limit(to: idBytes)
    try identifier.skip(idBytes)
    let flags = try id.byte()
    guard flags >> 4 == 0 else { throw id.notRead("a name or attribute lies outside of its block") }
    let offset = try id.count(offsetBytes)
    let count = try id.count(lengthBytes)
    var place = try block(of: offset, in: root, rows: rootRows, from: 0, depth: 0)
    try place.skip(count)
    place.position -= count
    try place.limit(to: count)
    return place
  }

  /// A cursor at an offset of the heap, `offset` bytes after the start of what `address` is of.
  private func block(
    of offset: Int, in address: Int, rows: Int, from start: Int, depth: Int
  ) throws(FileError) -> ByteCursor {
    var cursor = try file.cursor(at: address, path: path)
    if rows == 0 {
      var check = cursor
      try check.signature("FHDB")
      try cursor.skip(offset)
      return cursor
    }
    let head = cursor.position
    try cursor.signature("FHIB")
    guard depth < 16, rows < 64 else { throw cursor.damaged("its heap is too deep") }
    try cursor.skip(1 + file.offsetSize + offsetBytes)
    let first = cursor.position
    try cursor.skip(rows * width * file.offsetSize)
    try cursor.checkSum(from: head)
    let row =
      offset < startSize * width ? 0 : FractalHeap.log2(offset / (startSize * width)) + 1
    let size = row == 0 ? startSize : startSize << (row - 1)
    let rowStart = row == 0 ? 0 : (startSize * width) << (row - 1)
    let column = (offset - rowStart) / size
    guard row < rows else { throw cursor.damaged("its heap has nothing at \(offset)") }
    cursor.position = first + (row * width + column) * file.offsetSize
    let child = try cursor.neededAddress("a block of its heap")
    let inner = offset - rowStart - column * size
    if row < directRows {
      guard inner < size else { throw cursor.damaged("its heap has nothing at \(offset)") }
      return try block(of: inner, in: child, rows: 0, from: 0, depth: depth + 1)
    }
    let innerRows = FractalHeap.log2(size) - FractalHeap.log2(startSize * width) + 1
    return try block(of: inner, in: child, rows: innerRows, from: 0, depth: depth + 1)
  }
}

/// A version 2 tree, all of whose records are wanted.
struct VersionTwoTree {
  private let file: SafeFile
  private let path: String
  private let kind: Int
  private let recordBytes: Int
  private let depth: Int
  private let root: Int?
  private let rootCount: Int
  private let total: Int
  /// Bytes of the number of records in a node, and in all below a node of each depth.
  private let countBytes: Int
  private let totalBytes: [Int]

  init(
    _ file: SafeFile, at address: Int, path: String, kind: Int
  ) throws(FileError) {
    self.file = file
    self.path = path
    self.kind = kind
    var cursor = try file.cursor(at: address, path: path)
    let start = cursor.position
    try cursor.signature("BTHD")
    guard try cursor.byte() == 0, try cursor.byte() == kind else {
      throw cursor.damaged("its tree is not of kind \(kind)")
    }
    let nodeBytes = try cursor.word()
    recordBytes = try cursor.short()
    depth = try cursor.short()
    try cursor.skip(2)
    root = try cursor.address()
    rootCount = try cursor.short()
    total = try cursor.length()
    try cursor.checkSum(from: start)
    guard recordBytes > 4, nodeBytes >= 10 + recordBytes, depth < 16,
      total <= file.byteCount / recordBytes
    else { throw cursor.damaged("its tree has nodes of no possible size") }
    var most = (nodeBytes - 10) / recordBytes
    countBytes = VersionTwoTree.bytes(for: most)
    var below = most
    var sizes = [0]
    for level in stride(from: 1, through: depth, by: 1) {
      sizes.append(VersionTwoTree.bytes(for: below))
      let pointer = file.offsetSize + countBytes + (level > 1 ? sizes[level] : 0)
      most = max(0, nodeBytes - 10 - pointer) / (recordBytes + pointer)
      let (product, overflowed) = (most + 1).multipliedReportingOverflow(by: below)
      guard !overflowed, product < 1 << 60 else { throw cursor.damaged("its tree is too deep") }
      below = product + most
    }
    totalBytes = sizes
  }

  private static func bytes(for limit: Int) -> Int {
    (Int.bitWidth - 1 - max(limit, 1).leadingZeroBitCount) / 8 + 1
  }

  /// Cursors at all records.
  func records() throws(FileError) -> [ByteCursor] {
    var records: [ByteCursor] = []
    if let root { try read(root, count: rootCount, level: depth, into: &records) }
    return records
  }

  private func read(
    _ address: Int, count: Int, level: Int, into records: inout [ByteCursor]
  ) throws(FileError) {
    var cursor = try file.cursor(at: address, path: path)
    let start = cursor.position
    try cursor.signature(level == 0 ? "BTLF" : "BTIN")
    guard try cursor.byte() == 0, try cursor.byte() == kind else {
      throw cursor.damaged("a node of its tree is of another kind")
    }
    for _ in 0..<count {
      var record = cursor
      try record.limit(to: recordBytes)
      records.append(record)
      try cursor.skip(recordBytes)
    }
    guard records.count <= total else { throw cursor.damaged("its tree has more than \(total)") }
    var children: [(Int, Int)] = []
    if level > 0 {
      for _ in 0...count {
        let child = try cursor.neededAddress("a node of its tree")
        children.append((child, try cursor.count(countBytes)))
        if level > 1 { try cursor.skip(totalBytes[level]) }
      }
    }
    try cursor.checkSum(from: start)
    for (child, count) in children {
      guard count > 0 else { throw cursor.damaged("a node of its tree is empty") }
      try read(child, count: count, level: level - 1, into: &records)
    }
  }
}
