/// Where the chunks of a dataset lie, and how they are packed.
///
/// Read are the trees of version 1, and of layouts 4 and 5 a single chunk, chunks in a row and fixed arrays;
/// those of datasets that can grow, which only a file of `libver="latest"` has, are refused by name.
struct ChunkMap: Sendable {
  private struct Chunk: Sendable {
    let address: Int
    let count: Int
    /// Filters that were left out, a bit each.
    let mask: Int
  }

  let filters: ChunkFilters
  private let shape: [Int]
  private let chunk: [Int]
  /// Chunks along each axis.
  private let grid: [Int]
  private let elementBytes: Int
  /// Chunks by their place in the grid, row-major.
  private var chunks: [Int: Chunk] = [:]
  private var chunkBytes: Int { chunk.reduce(elementBytes, *) }

  init(
    _ header: ObjectHeader, _ layout: inout ByteCursor, version: Int, shape: [Int],
    elementBytes: Int
  ) throws(HDF5Error) {
    self.shape = shape
    self.elementBytes = elementBytes
    filters = try ChunkFilters(header, elementBytes: elementBytes)
    let flags = version > 3 ? try layout.byte() : 0
    let rank = try layout.byte() - 1
    let old = version == 3 ? try layout.address() : nil
    let bytes = version > 3 ? try layout.byte() : 4
    var chunk: [Int] = []
    for _ in 0..<max(0, rank) { chunk.append(try layout.count(bytes)) }
    let size = try layout.count(bytes)
    guard rank == shape.count, rank > 0, size == elementBytes, chunk.allSatisfy({ $0 > 0 }) else {
      throw layout.damaged("its chunks are \(chunk) of \(size) bytes, its shape is \(shape)")
    }
    var whole = elementBytes
    for length in chunk {
      let (product, overflowed) = whole.multipliedReportingOverflow(by: length)
      guard !overflowed, product <= 1 << 32 else { throw layout.damaged("its chunks are \(chunk)") }
      whole = product
    }
    self.chunk = chunk
    grid = zip(shape, chunk).map { ($0 + $1 - 1) / $1 }
    if version == 3 {
      var budget = header.file.byteCount / 24 + 2
      if let old { try readTree(old, header, below: nil, &budget) }
    } else {
      try readIndex(header, &layout, flags: flags)
    }
  }

  private mutating func add(
    _ place: Int, _ found: Chunk, _ cursor: ByteCursor, _ file: ForeignFile
  ) throws(HDF5Error) {
    let (most, overflowed) = found.count.multipliedReportingOverflow(by: filters.gain)
    guard overflowed || most >= chunkBytes else {
      throw cursor.damaged("\(found.count) bytes cannot hold a chunk of \(chunkBytes)")
    }
    _ = try file.bytes(at: found.address, count: found.count, path: cursor.path)
    chunks[place] = found
  }

  /// A node of a version 1 tree of chunks and what is below it.
  private mutating func readTree(
    _ address: Int, _ header: ObjectHeader, below level: Int?, _ budget: inout Int
  ) throws(HDF5Error) {
    var cursor = try header.file.cursor(at: address, path: header.path)
    budget -= 1
    guard budget > 0 else { throw cursor.damaged("its tree of chunks has more than fits the file") }
    try cursor.signature("TREE")
    guard try cursor.byte() == 1 else { throw cursor.damaged("its tree of chunks is another tree") }
    let own = try cursor.byte()
    if let level, own != level - 1 { throw cursor.damaged("its tree of chunks has a loop") }
    let count = try cursor.short()
    try cursor.skip(2 * header.file.offsetSize)
    for _ in 0..<count {
      let bytes = try cursor.word()
      let mask = try cursor.word()
      var place = 0
      var isInside = true
      for axis in shape.indices {
        let origin = try cursor.count(8)
        guard origin % chunk[axis] == 0 else { throw cursor.damaged("a chunk begins at \(origin)") }
        // Of a dataset that was made smaller, chunks outside may be left.
        if origin >= shape[axis] { isInside = false }
        place = place &* grid[axis] &+ origin / chunk[axis]
      }
      try cursor.skip(8)
      let child = try cursor.neededAddress("a chunk")
      if own > 0 {
        try readTree(child, header, below: own, &budget)
      } else if isInside {
        budget -= 1
        let found = Chunk(address: child, count: bytes, mask: mask)
        try add(place, found, cursor, header.file)
      }
    }
  }

  /// The chunk index of a layout of version 4 or 5.
  private mutating func readIndex(
    _ header: ObjectHeader, _ layout: inout ByteCursor, flags: Int
  ) throws(HDF5Error) {
    let file = header.file
    let total = grid.reduce(1, *)
    switch try layout.byte() {
    case 1:
      var bytes = chunkBytes
      var mask = 0
      if flags & 2 != 0 {
        bytes = try layout.length()
        mask = try layout.word()
      }
      guard let address = try layout.address() else { return }
      try add(0, Chunk(address: address, count: bytes, mask: mask), layout, file)
    case 2:
      guard let address = try layout.address() else { return }
      guard total <= file.byteCount / chunkBytes else {
        throw layout.damaged("\(total) chunks of \(chunkBytes) bytes do not fit the file")
      }
      for place in 0..<total {
        let (start, overflowed) = address.addingReportingOverflow(place * chunkBytes)
        guard !overflowed else { throw layout.damaged("its chunks lie outside of the file") }
        try add(place, Chunk(address: start, count: chunkBytes, mask: 0), layout, file)
      }
    case 3:
      try layout.skip(1)
      guard let address = try layout.address() else { return }
      try readFixedArray(address, header, total)
    case 4: throw layout.notRead("its chunks are listed in an extensible array (libver=\"latest\")")
    case 5: throw layout.notRead("its chunks are listed in a version 2 tree (libver=\"latest\")")
    case let kind: throw layout.damaged("its chunks are listed in an index of kind \(kind)")
    }
  }

  private mutating func readFixedArray(
    _ address: Int, _ header: ObjectHeader, _ total: Int
  ) throws(HDF5Error) {
    let file = header.file
    var head = try file.cursor(at: address, path: header.path)
    let start = head.position
    try head.signature("FAHD")
    try head.skip(1)
    let isFiltered = try head.byte() == 1
    let entryBytes = try head.byte()
    let pageBits = try head.byte()
    let count = try head.length()
    let data = try head.neededAddress("its list of chunks")
    try head.checkSum(from: start)
    let sizeBytes = entryBytes - file.offsetSize - 4
    guard count == total, isFiltered ? (1...8).contains(sizeBytes) : entryBytes == file.offsetSize,
      pageBits < 32, count <= file.byteCount / entryBytes
    else { throw head.damaged("its list of chunks has \(count) entries of \(entryBytes) bytes") }
    var cursor = try file.cursor(at: data, path: header.path)
    let first = cursor.position
    try cursor.signature("FADB")
    try cursor.skip(2 + file.offsetSize)
    let page = 1 << pageBits
    let isPaged = count > page
    let pages = (count + page - 1) / page
    var isWritten = [Bool](repeating: true, count: pages)
    if isPaged {
      let bits = try cursor.bytes((pages + 7) / 8)
      isWritten = (0..<pages).map { bits[$0 / 8] & (0x80 >> UInt8($0 % 8)) != 0 }
      try cursor.checkSum(from: first)
    }
    for number in 0..<pages {
      let entries = min(page, count - number * page)
      let pageStart = cursor.position
      guard isWritten[number] else {
        try cursor.skip(entries * entryBytes + 4)
        continue
      }
      for entry in 0..<entries {
        let address = try cursor.address()
        let bytes = isFiltered ? try cursor.count(sizeBytes) : chunkBytes
        let mask = isFiltered ? try cursor.word() : 0
        guard let address else { continue }
        let found = Chunk(address: address, count: bytes, mask: mask)
        try add(number * page + entry, found, cursor, file)
      }
      try cursor.checkSum(from: isPaged ? pageStart : first)
    }
  }

  // MARK: - Reading

  private func places(of rows: Range<Int>) -> Range<Int> {
    let columns = grid.dropFirst().reduce(1, *)
    return
      (rows.lowerBound / chunk[0] * columns)..<(((rows.upperBound - 1) / chunk[0] + 1) * columns)
  }

  /// Whether every chunk of some rows is there.
  func isComplete(_ rows: Range<Int>) -> Bool {
    places(of: rows).allSatisfy { chunks[$0] != nil }
  }

  /// Copies what chunks hold of some rows to its place in `target`.
  func read(
    _ rows: Range<Int>, into target: UnsafeMutableRawBufferPointer, file: ForeignFile, path: String
  ) throws(HDF5Error) {
    let columns = grid.dropFirst().reduce(1, *)
    var memory: [UInt8] = []
    for place in places(of: rows) {
      guard let found = chunks[place] else { continue }
      let packed = try file.bytes(at: found.address, count: found.count, path: path)
      let origin = place / columns * chunk[0]
      if filters.isEmpty || found.mask & filters.allBits == filters.allBits {
        try copy(packed, place, origin, rows, to: target, path, file)
      } else {
        guard filters.unpack(packed, mask: found.mask, to: chunkBytes, into: &memory) else {
          throw .damaged(
            file: file.name, dataset: path, rule: "the chunk at row \(origin) does not unpack")
        }
        try memory.withUnsafeBytes { bytes in
          Result { () throws(HDF5Error) in
            try copy(bytes, place, origin, rows, to: target, path, file)
          }
        }.get()
      }
    }
  }

  /// Copies a chunk's runs of elements to their places.
  private func copy(
    _ bytes: UnsafeRawBufferPointer, _ place: Int, _ origin: Int, _ rows: Range<Int>,
    to target: UnsafeMutableRawBufferPointer, _ path: String, _ file: ForeignFile
  ) throws(HDF5Error) {
    guard bytes.count >= chunkBytes, let source = bytes.baseAddress, let goal = target.baseAddress
    else {
      throw .damaged(
        file: file.name, dataset: path, rule: "the chunk at row \(origin) has \(bytes.count) bytes")
    }
    let rank = shape.count
    var start = [Int](repeating: 0, count: rank)
    var rest = place
    for axis in stride(from: rank - 1, through: 0, by: -1) {
      start[axis] = rest % grid[axis] * chunk[axis]
      rest /= grid[axis]
    }
    // From where to where inside the chunk, along each axis.
    var low = [Int](repeating: 0, count: rank)
    var high = zip(start, zip(chunk, shape)).map { min($1.0, $1.1 - $0) }
    low[0] = max(0, rows.lowerBound - start[0])
    high[0] = min(high[0], rows.upperBound - start[0])
    guard low[0] < high[0] else { return }
    // Axes that are whole in chunk and dataset alike are copied in one run.
    var inner = rank - 1
    while inner > 0, chunk[inner] == shape[inner] { inner -= 1 }
    var from = [Int](repeating: elementBytes, count: rank)
    var to = from
    for axis in stride(from: rank - 2, through: 0, by: -1) {
      from[axis] = from[axis + 1] * chunk[axis + 1]
      to[axis] = to[axis + 1] * shape[axis + 1]
    }
    let run = (high[inner] - low[inner]) * from[inner]
    var index = low
    while true {
      var (source, goal) = (source, goal)
      for axis in 0...inner {
        let row = start[axis] + index[axis] - (axis == 0 ? rows.lowerBound : 0)
        source += index[axis] * from[axis]
        goal += row * to[axis]
      }
      goal.copyMemory(from: source, byteCount: run)
      var axis = inner - 1
      while axis >= 0 {
        index[axis] += 1
        if index[axis] < high[axis] { break }
        index[axis] = low[axis]
        axis -= 1
      }
      if axis < 0 { return }
    }
  }
}
