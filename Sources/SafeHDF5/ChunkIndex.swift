import Support

/// Collects the chunks of a dataset out of whichever index the file has for them.
///
/// Up to layout 3 that is a tree of version 1. Layouts 4 and 5 depend on how the shape can grow.
/// They have a single chunk, chunks in a row, a fixed array, an extensible array (one unlimited
/// axis) or a tree of version 2 (several).
struct ChunkIndex {
  private let header: ObjectHeader
  private let grid: ChunkGrid
  private let filters: ChunkFilters
  private var chunks: [StoredChunk] = []
  /// Entries and nodes that may still be met: a sound file has no more than fit.
  private var budget: Int
  private var file: SafeFile { header.file }

  init(_ header: ObjectHeader, _ grid: ChunkGrid, _ filters: ChunkFilters) {
    self.header = header
    self.grid = grid
    self.filters = filters
    budget = header.file.byteCount / 8 + 64
  }

  /// The chunks in order of their places, each once.
  func finished(_ cursor: ByteCursor) throws(FileError) -> [StoredChunk] {
    let sorted = chunks.sorted { $0.place < $1.place }
    for (one, next) in zip(sorted, sorted.dropFirst()) where one.place == next.place {
      throw cursor.damaged("the chunk at row \(grid.row(of: one.place)) is there twice")
    }
    return sorted
  }

  private mutating func spend(_ count: Int, _ cursor: ByteCursor) throws(FileError) {
    budget -= count
    guard budget > 0 else { throw cursor.damaged("its list of chunks has more than fits the file") }
  }

  private mutating func add(
    _ place: Int, address: Int, count: Int, mask: Int, _ cursor: ByteCursor
  ) throws(FileError) {
    let (most, overflowed) = count.multipliedReportingOverflow(by: filters.gain)
    guard overflowed || most >= grid.chunkBytes else {
      throw cursor.damaged("\(count) bytes cannot hold a chunk of \(grid.chunkBytes)")
    }
    _ = try file.bytes(at: address, count: count, path: cursor.path)
    chunks.append(StoredChunk(place: place, address: address, count: count, mask: mask))
  }

  // MARK: - The tree of version 1

  /// Reads a tree of version 1.
  mutating func readTree(_ address: Int) throws(FileError) { try readNode(address, below: nil) }

  /// Reads a node and what is below it.
  private mutating func readNode(_ address: Int, below level: Int?) throws(FileError) {
    var cursor = try file.cursor(at: address, path: header.path)
    try spend(1, cursor)
    try cursor.signature("TREE")
    guard try cursor.byte() == 1 else { throw cursor.damaged("its tree of chunks is another tree") }
    let own = try cursor.byte()
    if let level, own != level - 1 { throw cursor.damaged("its tree of chunks has a loop") }
    let count = try cursor.short()
    try cursor.skip(2 * file.offsetSize)
    for _ in 0..<count {
      let bytes = try cursor.word()
      let mask = try cursor.word()
      var coordinates: [Int] = []
      for length in grid.chunk {
        let origin = try cursor.count(8)
        guard origin % length == 0 else { throw cursor.damaged("a chunk begins at \(origin)") }
        coordinates.append(origin / length)
      }
      try cursor.skip(8)
      let child = try cursor.neededAddress("a chunk")
      try spend(1, cursor)
      if own > 0 {
        try readNode(child, below: own)
      } else if let place = grid.place(of: coordinates) {
        // Of a dataset that was made smaller, chunks outside may be left.
        try add(place, address: child, count: bytes, mask: mask, cursor)
      }
    }
  }

  // MARK: - Layouts 4 and 5

  /// Reads the index that a layout of version 4 or 5 names.
  mutating func read(_ layout: inout ByteCursor, flags: Int) throws(FileError) {
    switch try layout.byte() {
    case 1:
      let isFiltered = flags & 2 != 0
      let count = isFiltered ? try layout.length() : grid.chunkBytes
      let mask = isFiltered ? try layout.word() : 0
      guard let address = try layout.address() else { return }
      try add(0, address: address, count: count, mask: mask, layout)
    case 2:
      guard let address = try layout.address() else { return }
      try readRow(from: address, layout)
    case 3:
      try layout.skip(1)
      guard let address = try layout.address() else { return }
      try readFixedArray(address)
    case 4:
      try layout.skip(5)
      guard let address = try layout.address() else { return }
      try readExtensibleArray(address)
    case 5:
      try layout.skip(6)
      guard let address = try layout.address() else { return }
      try readVersionTwoTree(address)
    case let kind: throw layout.damaged("its chunks are listed in an index of kind \(kind)")
    }
  }

  /// The order in which chunks are numbered: an axis without a limit comes first, then the others;
  /// and how many chunks each can grow to, but for the first.
  private func numbering(_ cursor: ByteCursor) throws(FileError) -> [(axis: Int, count: Int)] {
    let free = grid.limits.indices.filter { grid.limits[$0] == nil }
    guard free.count <= 1 else {
      throw cursor.damaged("its list of chunks is not one for \(free.count) axes without a limit")
    }
    let order = free + grid.limits.indices.filter { grid.limits[$0] != nil }
    return order.map { axis in
      (axis, grid.limits[axis].map { ($0 + grid.chunk[axis] - 1) / grid.chunk[axis] } ?? 0)
    }
  }

  /// The place of the chunk of a number; nil if it lies outside of the shape.
  private func place(of number: Int, _ numbering: [(axis: Int, count: Int)]) -> Int? {
    var coordinates = grid.counts
    var rest = number
    for (axis, count) in numbering.dropFirst().reversed() {
      guard count > 0 else { return nil }
      coordinates[axis] = rest % count
      rest /= count
    }
    coordinates[numbering[0].axis] = rest
    return grid.place(of: coordinates)
  }

  /// How many chunks there are when all axes have grown as far as they can.
  private func total(
    _ numbering: [(axis: Int, count: Int)], _ cursor: ByteCursor
  ) throws(FileError) -> Int {
    var total = 1
    for (axis, count) in numbering {
      guard grid.limits[axis] != nil else {
        throw cursor.damaged("its list of chunks is not one for an axis without a limit")
      }
      let (product, overflowed) = total.multipliedReportingOverflow(by: count)
      guard !overflowed, product < 1 << 48 else { throw cursor.damaged("it can grow too far") }
      total = product
    }
    return total
  }

  /// Chunks that lie one after the other.
  private mutating func readRow(from address: Int, _ layout: ByteCursor) throws(FileError) {
    let numbering = try numbering(layout)
    let total = try total(numbering, layout)
    guard total <= file.byteCount / grid.chunkBytes else {
      throw layout.damaged("\(total) chunks of \(grid.chunkBytes) bytes do not fit the file")
    }
    for number in 0..<total {
      let (start, overflowed) = address.addingReportingOverflow(number * grid.chunkBytes)
      guard !overflowed else { throw layout.damaged("its chunks lie outside of the file") }
      guard let place = place(of: number, numbering) else { continue }
      try add(place, address: start, count: grid.chunkBytes, mask: 0, layout)
    }
  }

  /// How the entries of an array are stored: an address, and of packed chunks also the bytes and a
  /// mask.
  private struct Entries {
    let byteCount: Int
    /// Bytes of a chunk's length; 0 if chunks are not packed.
    let lengthBytes: Int
    let numbering: [(axis: Int, count: Int)]
  }

  private func entries(
    isFiltered: Bool, byteCount: Int, _ cursor: ByteCursor
  ) throws(FileError) -> Entries {
    let lengthBytes = isFiltered ? byteCount - file.offsetSize - 4 : 0
    guard isFiltered ? (1...8).contains(lengthBytes) : byteCount == file.offsetSize else {
      throw cursor.damaged("its list of chunks has entries of \(byteCount) bytes")
    }
    return Entries(
      byteCount: byteCount, lengthBytes: lengthBytes, numbering: try numbering(cursor))
  }

  /// Reads neighbouring entries, the first of which is that of chunk `number`.
  private mutating func read(
    _ count: Int, from number: Int, _ entries: Entries, _ cursor: inout ByteCursor
  ) throws(FileError) {
    guard count <= cursor.left / entries.byteCount else {
      throw cursor.damaged("its list of chunks must have \(count) entries more")
    }
    try spend(count, cursor)
    let isFiltered = entries.lengthBytes > 0
    for entry in 0..<count {
      let address = try cursor.address()
      let bytes = isFiltered ? try cursor.count(entries.lengthBytes) : grid.chunkBytes
      let mask = isFiltered ? try cursor.word() : 0
      guard let address, let place = place(of: number + entry, entries.numbering) else { continue }
      try add(place, address: address, count: bytes, mask: mask, cursor)
    }
  }

  private mutating func readFixedArray(_ address: Int) throws(FileError) {
    var head = try file.cursor(at: address, path: header.path)
    let start = head.position
    try head.start("FAHD")
    let isFiltered = try head.byte() == 1
    let entries = try entries(isFiltered: isFiltered, byteCount: try head.byte(), head)
    let pageBits = try head.byte()
    let count = try head.length()
    let data = try head.neededAddress("its list of chunks")
    try head.checkSum(from: start)
    guard pageBits < 32, count <= file.byteCount / entries.byteCount,
      count == (try total(entries.numbering, head))
    else { throw head.damaged("its list of chunks has \(count) entries") }
    var cursor = try file.cursor(at: data, path: header.path)
    let first = cursor.position
    try cursor.start("FADB")
    try cursor.skip(1 + file.offsetSize)
    let page = 1 << pageBits
    guard count > page else {
      try read(count, from: 0, entries, &cursor)
      return try cursor.checkSum(from: first)
    }
    let pages = (count + page - 1) / page
    let written = try cursor.bytes((pages + 7) / 8)
    try cursor.checkSum(from: first)
    try readPages(pages, of: page, count: count, from: 0, entries, &cursor) { written.hasBit($0) }
  }

  /// Reads entries that stand in pages, each with its check sum, of which not all were written.
  private mutating func readPages(
    _ pages: Int, of page: Int, count: Int, from number: Int, _ entries: Entries,
    _ cursor: inout ByteCursor, isWritten: (Int) -> Bool
  ) throws(FileError) {
    for index in 0..<pages {
      let own = min(page, count - index * page)
      let start = cursor.position
      guard isWritten(index) else {
        try cursor.skip(own * entries.byteCount + 4)
        continue
      }
      try read(own, from: number + index * page, entries, &cursor)
      try cursor.checkSum(from: start)
    }
  }

  /// The sizes of an extensible array's blocks, from its header.
  private struct ArrayBlocks {
    let entries: Entries
    /// Bytes of a block's own place in the array.
    let offsetBytes: Int
    let leastEntries: Int
    let pageEntries: Int

    /// How many blocks group `k` of them has, and how many entries each.
    func group(_ k: Int) -> (blocks: Int, entries: Int) {
      (1 << (k / 2), leastEntries << ((k + 1) / 2))
    }
  }

  /// An extensible array.
  ///
  /// Its first entries are in an index block. Groups of growing blocks follow:
  /// the index block names the first few, and blocks of their own name the others.
  private mutating func readExtensibleArray(_ address: Int) throws(FileError) {
    var head = try file.cursor(at: address, path: header.path)
    let start = head.position
    try head.start("EAHD")
    let isFiltered = try head.byte() == 1
    let entries = try entries(isFiltered: isFiltered, byteCount: try head.byte(), head)
    let bits = try head.byte()
    let indexEntries = try head.byte()
    let leastEntries = try head.byte()
    let leastPointers = try head.byte()
    let pageBits = try head.byte()
    try head.skip(6 * file.lengthSize)
    let root = try head.address()
    try head.checkSum(from: start)
    let isPower = { (value: Int) in value > 0 && value & (value - 1) == 0 }
    guard (1...48).contains(bits), isPower(leastEntries), isPower(leastPointers), leastPointers > 1,
      pageBits < 32, leastEntries.trailingZeroBitCount <= bits
    else { throw head.damaged("its list of chunks has blocks of no possible size") }
    guard let root else { return }
    let blocks = ArrayBlocks(
      entries: entries, offsetBytes: (bits + 7) / 8, leastEntries: leastEntries,
      pageEntries: 1 << pageBits)
    var cursor = try file.cursor(at: root, path: header.path)
    let first = cursor.position
    try cursor.start("EAIB")
    try cursor.skip(1 + file.offsetSize)
    try read(indexEntries, from: 0, entries, &cursor)
    var number = indexEntries
    let own = 2 * leastPointers.trailingZeroBitCount
    for k in 0..<(1 + bits - leastEntries.trailingZeroBitCount) {
      let group = blocks.group(k)
      if k < own {
        for _ in 0..<group.blocks {
          if let block = try cursor.address() {
            try readBlock(block, from: number, group.entries, blocks) { _ in true }
          }
          number += group.entries
        }
      } else {
        if let block = try cursor.address() { try readGroup(block, k, from: number, blocks) }
        number += group.blocks * group.entries
      }
    }
    try cursor.checkSum(from: first)
  }

  /// The block that names the blocks of entries of group `k`.
  private mutating func readGroup(
    _ address: Int, _ k: Int, from number: Int, _ blocks: ArrayBlocks
  ) throws(FileError) {
    let group = blocks.group(k)
    var cursor = try file.cursor(at: address, path: header.path)
    let start = cursor.position
    try cursor.start("EASB")
    try cursor.skip(1 + file.offsetSize + blocks.offsetBytes)
    let pages = group.entries > blocks.pageEntries ? group.entries / blocks.pageEntries : 0
    let written = try cursor.bytes(group.blocks * ((pages + 7) / 8))
    try spend(group.blocks, cursor)
    for block in 0..<group.blocks {
      guard let address = try cursor.address() else { continue }
      try readBlock(address, from: number + block * group.entries, group.entries, blocks) {
        written.hasBit(block * pages + $0)
      }
    }
    try cursor.checkSum(from: start)
  }

  /// A block of entries.
  private mutating func readBlock(
    _ address: Int, from number: Int, _ count: Int, _ blocks: ArrayBlocks,
    isWritten: (Int) -> Bool
  ) throws(FileError) {
    var cursor = try file.cursor(at: address, path: header.path)
    let start = cursor.position
    try cursor.start("EADB")
    try cursor.skip(1 + file.offsetSize + blocks.offsetBytes)
    guard count > blocks.pageEntries else {
      try read(count, from: number, blocks.entries, &cursor)
      return try cursor.checkSum(from: start)
    }
    try cursor.checkSum(from: start)
    let pages = count / blocks.pageEntries
    try spend(pages, cursor)
    try readPages(
      pages, of: blocks.pageEntries, count: count, from: number, blocks.entries, &cursor,
      isWritten: isWritten)
  }

  /// A tree of version 2, whose records have a chunk's numbers along all axes.
  private mutating func readVersionTwoTree(_ address: Int) throws(FileError) {
    let isFiltered = !filters.isEmpty
    let tree = try VersionTwoTree(
      file, at: address, path: header.path, kind: isFiltered ? 11 : 10)
    for var record in try tree.records() {
      try spend(1, record)
      let lengthBytes = record.left - file.offsetSize - 4 - 8 * grid.chunk.count
      guard !isFiltered || (1...8).contains(lengthBytes) else {
        throw record.damaged("its list of chunks has entries of \(record.left) bytes")
      }
      let child = try record.neededAddress("a chunk")
      let bytes = isFiltered ? try record.count(lengthBytes) : grid.chunkBytes
      let mask = isFiltered ? try record.word() : 0
      var coordinates: [Int] = []
      for _ in grid.chunk { coordinates.append(try record.count(8)) }
      guard let place = grid.place(of: coordinates) else { continue }
      try add(place, address: child, count: bytes, mask: mask, record)
    }
  }
}

extension UnsafeRawBufferPointer {
  /// A bit of a map of bits, the highest of a byte first.
  fileprivate func hasBit(_ place: Int) -> Bool {
    self[place / 8] & (0x80 >> UInt8(place % 8)) != 0
  }
}
