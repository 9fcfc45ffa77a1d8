import Support
import Synchronization

/// Where the chunks of a dataset lie, and how they are packed.
struct ChunkMap: Sendable {
  /// The maximum number of bytes that a packed chunk may have if the whole dataset has fewer: so
  /// many are taken for it.
  private static let spareBytes = 1 << 26
  /// From so many bytes on, packed chunks are unpacked one at a time, and the last one is kept.
  private static let largeBytes = 1 << 24

  let filters: ChunkFilters
  private let grid: ChunkGrid
  /// The chunks there are, in order of their place in the grid.
  private let chunks: [StoredChunk]
  private let last = LastChunk()
  /// Bytes of a chunk, unpacked.
  var chunkBytes: Int { grid.chunkBytes }

  init(
    _ header: ObjectHeader, _ layout: inout ByteCursor, version: Int, shape: [Int],
    limits: [Int?], elementBytes: Int
  ) throws(FileError) {
    filters = try ChunkFilters(header, elementBytes: elementBytes)
    let flags = version > 3 ? try layout.byte() : 0
    let rank = try layout.byte() - 1
    let tree = version == 3 ? try layout.address() : nil
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
    let all = shape.reduce(elementBytes, *)
    guard filters.isEmpty || whole <= max(ChunkMap.spareBytes, all) else {
      throw layout.notRead(
        "its chunks unpack to \(whole) bytes each, and all of it has \(all)")
    }
    grid = ChunkGrid(shape: shape, limits: limits, chunk: chunk, elementBytes: elementBytes)
    var index = ChunkIndex(header, grid, filters)
    if version == 3 {
      if let tree { try index.readTree(tree) }
    } else {
      try index.read(&layout, flags: flags)
    }
    chunks = try index.finished(layout)
  }

  /// Chunks of some rows.
  private func chunks(of rows: Range<Int>) -> (found: ArraySlice<StoredChunk>, all: Int) {
    let places = grid.places(of: rows)
    func first(from place: Int) -> Int {
      var (low, high) = (0, chunks.count)
      while low < high {
        let middle = (low + high) / 2
        if chunks[middle].place < place { low = middle + 1 } else { high = middle }
      }
      return low
    }
    return (chunks[first(from: places.lowerBound)..<first(from: places.upperBound)], places.count)
  }

  /// Whether every chunk of some rows is there.
  func isComplete(_ rows: Range<Int>) -> Bool {
    let (found, all) = chunks(of: rows)
    return found.count == all
  }

  /// Copies what chunks hold of some rows to its place in `target`.
  func read(
    _ rows: Range<Int>, into target: UnsafeMutableRawBufferPointer, file: SafeFile, path: String
  ) throws(FileError) {
    var memory: [UInt8] = []
    for found in chunks(of: rows).found {
      let packed = try file.bytes(at: found.address, count: found.count, path: path)
      if filters.isEmpty || found.mask & filters.allBits == filters.allBits {
        guard grid.copy(packed, found.place, rows, to: target) else {
          throw .damaged(
            file: file.name, dataset: path,
            rule: "the chunk at row \(grid.row(of: found.place)) has \(packed.count) bytes")
        }
        continue
      }
      let isWhole =
        grid.chunkBytes < ChunkMap.largeBytes
        ? unpack(found, packed, into: &memory, rows, target)
        : file.largeChunk.withLock { _ in
          last.bytes.withLock { last in
            if last.place == found.place {
              return grid.copy(last.bytes, found.place, rows, to: target)
            }
            last = (nil, [])
            let isWhole = unpack(found, packed, into: &last.bytes, rows, target)
            if isWhole { last.place = found.place }
            return isWhole
          }
        }
      guard isWhole else {
        throw .damaged(
          file: file.name, dataset: path,
          rule: "the chunk at row \(grid.row(of: found.place)) does not unpack")
      }
    }
  }

  private func unpack(
    _ chunk: StoredChunk, _ packed: UnsafeRawBufferPointer, into memory: inout [UInt8],
    _ rows: Range<Int>, _ target: UnsafeMutableRawBufferPointer
  ) -> Bool {
    filters.unpack(packed, mask: chunk.mask, to: grid.chunkBytes, into: &memory)
      && grid.copy(memory, chunk.place, rows, to: target)
  }
}

/// A chunk that is in the file.
struct StoredChunk: Sendable {
  /// Its place in the grid, row-major.
  let place: Int
  let address: Int
  let count: Int
  /// Filters that were left out, a bit each.
  let mask: Int
}

/// The large chunk of a dataset that was unpacked last.
private final class LastChunk: Sendable {
  let bytes = Mutex<(place: Int?, bytes: [UInt8])>((nil, []))
}

/// How a dataset's shape is cut into chunks.
struct ChunkGrid: Sendable {
  let shape: [Int]
  /// The maximum lengths of the axes.
  let limits: [Int?]
  let chunk: [Int]
  /// Chunks along each axis.
  let counts: [Int]
  let elementBytes: Int
  var chunkBytes: Int { chunk.reduce(elementBytes, *) }

  init(shape: [Int], limits: [Int?], chunk: [Int], elementBytes: Int) {
    self.shape = shape
    self.limits = limits
    self.chunk = chunk
    self.elementBytes = elementBytes
    counts = zip(shape, chunk).map { ($0 + $1 - 1) / $1 }
  }

  /// The place of the chunk at these numbers of chunks; nil if it lies outside of the shape.
  func place(of coordinates: [Int]) -> Int? {
    var place = 0
    for (coordinate, count) in zip(coordinates, counts) {
      guard coordinate < count else { return nil }
      place = place * count + coordinate
    }
    return place
  }

  /// Places of the chunks that some rows are in; there is a row.
  func places(of rows: Range<Int>) -> Range<Int> {
    let columns = counts.dropFirst().reduce(1, *)
    return
      (rows.lowerBound / chunk[0] * columns)..<(((rows.upperBound - 1) / chunk[0] + 1) * columns)
  }

  /// The row at which a chunk begins.
  func row(of place: Int) -> Int { place / counts.dropFirst().reduce(1, *) * chunk[0] }

  /// Copies a chunk's runs of elements to their places.
  func copy(
    _ bytes: [UInt8], _ place: Int, _ rows: Range<Int>, to target: UnsafeMutableRawBufferPointer
  ) -> Bool { bytes.withUnsafeBytes { copy($0, place, rows, to: target) } }

  /// Copies a chunk's runs of elements to their places; false if it has too few bytes.
  func copy(
    _ bytes: UnsafeRawBufferPointer, _ place: Int, _ rows: Range<Int>,
    to target: UnsafeMutableRawBufferPointer
  ) -> Bool {
    guard bytes.count >= chunkBytes, let source = bytes.baseAddress, let goal = target.baseAddress
    else { return false }
    let rank = shape.count
    var start = [Int](repeating: 0, count: rank)
    var rest = place
    for axis in stride(from: rank - 1, through: 0, by: -1) {
      start[axis] = rest % counts[axis] * chunk[axis]
      rest /= counts[axis]
    }
    // From where to where inside the chunk, along each axis.
    var low = [Int](repeating: 0, count: rank)
    var high = zip(start, zip(chunk, shape)).map { min($1.0, $1.1 - $0) }
    low[0] = max(0, rows.lowerBound - start[0])
    high[0] = min(high[0], rows.upperBound - start[0])
    guard low[0] < high[0] else { return true }
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
      if axis < 0 { return true }
    }
  }
}
