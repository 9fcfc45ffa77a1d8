import Support

/// Elements of a dataset that are picked along each axis, in row-major order: a hyperslab of
/// HDF5's.
struct Selection: Sendable {
  /// Blocks of an axis that follow each other at equal distances.
  private struct Blocks: Sendable {
    /// Picked places of the axis before them.
    let before: Int
    let start: Int
    let stride: Int
    let count: Int
    let block: Int
    var picked: Int { count * block }
  }

  /// The maximum number of blocks of a selection that lists each; such a list takes memory.
  private static let limit = 1 << 20

  private let axes: [[Blocks]]
  /// Picked places along each axis.
  private let counts: [Int]
  /// Elements from one place of an axis to the next.
  private let steps: [Int]
  /// The last axis that is not picked whole; a run of elements goes along it.
  private let inner: Int
  /// Picked elements.
  let count: Int
  /// Picked elements of a picked row.
  private let rowCount: Int

  /// Reads a selection of a dataset of some shape; all must lie inside of it.
  init(_ cursor: inout ByteCursor, shape: [Int]) throws(FileError) {
    let shape = shape.isEmpty ? [1] : shape
    let (kind, version) = (try cursor.word(), try cursor.word())
    switch kind {
    case 0, 3:
      guard version == 1 else { throw cursor.damaged("a selection is of no known version") }
      try cursor.skip(8)
      axes = shape.map {
        [Blocks(before: 0, start: 0, stride: 1, count: kind == 3 ? $0 : 0, block: 1)]
      }
    case 1: throw cursor.notRead("it is a virtual dataset that picks single elements of others")
    case 2: axes = try Selection.axes(&cursor, version, shape)
    default: throw cursor.damaged("a selection is of no known kind")
    }
    counts = axes.map { $0.reduce(0) { $0 + $1.picked } }
    count = counts.reduce(1, *)
    rowCount = counts.dropFirst().reduce(1, *)
    var inner = shape.count - 1
    while inner > 0, counts[inner] == shape[inner] { inner -= 1 }
    self.inner = inner
    steps = shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
  }

  private static func axes(
    _ cursor: inout ByteCursor, _ version: Int, _ shape: [Int]
  ) throws(FileError) -> [[Blocks]] {
    var (isRegular, size) = (false, 4)
    switch version {
    case 1: try cursor.skip(8)
    case 2, 3:
      isRegular = try cursor.byte() & 1 != 0
      size = 8
      if version == 2 { try cursor.skip(4) } else { size = try cursor.byte() }
    default: throw cursor.notRead("it is a virtual dataset with a selection of version \(version)")
    }
    guard try cursor.word() == shape.count, [2, 4, 8].contains(size) else {
      throw cursor.damaged("a selection must have \(shape.count) axes")
    }
    guard isRegular else { return try list(&cursor, size, shape) }
    var axes: [[Blocks]] = []
    for length in shape {
      var numbers: [Int] = []
      for _ in 0..<4 {
        let number = try cursor.number(size)
        guard number != UInt64.max >> (64 - 8 * UInt64(size)) else {
          throw cursor.notRead("it is a virtual dataset that grows with its sources")
        }
        // What is larger than any axis lies outside of each.
        numbers.append(Int(min(number, 1 << 48)))
      }
      let (start, stride, count, block) = (numbers[0], numbers[1], numbers[2], numbers[3])
      let (before, overflows) = max(0, count - 1).multipliedReportingOverflow(by: stride)
      guard block > 0, stride >= block || count < 2, !overflows, before < 1 << 48,
        count == 0 || start + before + block <= length
      else { throw outside(cursor, length) }
      axes.append([
        Blocks(before: 0, start: start, stride: max(stride, block), count: count, block: block)
      ])
    }
    return axes
  }

  private static func outside(_ cursor: ByteCursor, _ length: Int) -> FileError {
    cursor.damaged(
      "a selection must pick places of an axis in order and below its length, \(length)")
  }

  /// Reads a list of boxes, which must be all combinations of ranges of each axis.
  private static func list(
    _ cursor: inout ByteCursor, _ size: Int, _ shape: [Int]
  ) throws(FileError) -> [[Blocks]] {
    let count = try cursor.count(size)
    guard count <= cursor.left / (2 * size * shape.count) else {
      throw cursor.damaged("a selection of \(count) blocks must fit its \(cursor.left) bytes")
    }
    guard count <= limit else {
      throw cursor.notRead("it is a virtual dataset with a selection of \(count) blocks")
    }
    var boxes: Set<[Range<Int>]> = []
    var ranges = shape.map { _ in Set<Range<Int>>() }
    for _ in 0..<count {
      var (low, high) = ([Int](), [Int]())
      for _ in shape { low.append(try cursor.count(size)) }
      for _ in shape { high.append(try cursor.count(size)) }
      var box: [Range<Int>] = []
      for (axis, length) in shape.enumerated() {
        guard low[axis] <= high[axis], high[axis] < length else { throw outside(cursor, length) }
        box.append(low[axis]..<(high[axis] + 1))
        ranges[axis].insert(box[axis])
      }
      boxes.insert(box)
    }
    var combinations = 1
    var axes: [[Blocks]] = []
    for (found, length) in zip(ranges, shape) {
      let sorted = found.sorted { $0.lowerBound < $1.lowerBound }
      guard zip(sorted, sorted.dropFirst()).allSatisfy({ $0.upperBound <= $1.lowerBound }) else {
        throw outside(cursor, length)
      }
      combinations = min(combinations * sorted.count, limit + 1)
      var (blocks, before) = ([Blocks](), 0)
      for range in sorted {
        blocks.append(
          Blocks(
            before: before, start: range.lowerBound, stride: range.count, count: 1,
            block: range.count))
        before += range.count
      }
      axes.append(blocks)
    }
    guard boxes.count == count, combinations == count else {
      throw cursor.notRead(
        "it is a virtual dataset that picks blocks which are not the same along each axis")
    }
    return axes
  }

  /// The last of some blocks, sorted, of which a number is at most `limit`; nil if all are above
  /// it.
  private static func last(
    _ blocks: [Blocks], _ number: KeyPath<Blocks, Int>, atMost limit: Int
  ) -> Blocks? {
    var (low, high) = (0, blocks.count)
    while low < high {
      let middle = (low + high) / 2
      if blocks[middle][keyPath: number] <= limit { low = middle + 1 } else { high = middle }
    }
    return low > 0 ? blocks[low - 1] : nil
  }

  /// Where the picked place of a number lies on an axis, and how many are side by side from there
  /// on.
  private func place(_ number: Int, on axis: Int) -> (index: Int, left: Int) {
    guard let blocks = Selection.last(axes[axis], \.before, atMost: number) else { return (0, 0) }
    let inside = number - blocks.before
    return (
      blocks.start + inside / blocks.block * blocks.stride + inside % blocks.block,
      blocks.stride == blocks.block ? blocks.picked - inside : blocks.block - inside % blocks.block
    )
  }

  /// The row of a picked element, by its number.
  func row(of element: Int) -> Int { place(element / rowCount, on: 0).index }

  /// How many picked elements lie before a row.
  func count(before row: Int) -> Int {
    guard let blocks = Selection.last(axes[0], \.start, atMost: row) else { return 0 }
    let inside = row - blocks.start
    let picked = inside / blocks.stride * blocks.block + min(inside % blocks.stride, blocks.block)
    return (blocks.before + min(picked, blocks.picked)) * rowCount
  }

  /// Where a picked element lies among all elements, and how many are picked side by side from
  /// there on.
  func run(at element: Int) -> (offset: Int, count: Int) {
    let width = steps[inner]
    var number = element / width
    var (offset, count) = (element % width, 0)
    for axis in stride(from: inner, through: 0, by: -1) {
      let (index, left) = place(number % counts[axis], on: axis)
      if axis == inner { count = left * width - offset }
      number /= counts[axis]
      offset += index * steps[axis]
    }
    return (offset, count)
  }
}
