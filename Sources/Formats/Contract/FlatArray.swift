import Foundation
import HDF5
import Storage
import Support
import Synchronization

/// An array of a flat format: a row for each step, state or episode of all episodes, one after the
/// other.
struct FlatArray: Sendable {
  /// Its name in the format.
  let name: String
  let type: HDF5Type
  /// Lengths of its axes, as the format has them.
  let shape: [Int]
  /// The axis of its rows.
  let axis: RowAxis
  /// The columns that its rows are made of.
  let columns: Set<String>
  /// A table's part of it, one that has `columns`.
  let rows: @Sendable (TrajectoryTable) -> TableColumn

  var byteCount: Int { shape.reduce(type.byteCount, *) }

  /// An array over columns of the layout's own and, beside them, another.
  init(
    _ name: String, _ type: HDF5Type, shape: [Int], _ axis: RowAxis, of columns: [ShardColumn],
    and other: String? = nil, rows: @escaping @Sendable (TrajectoryTable) -> TableColumn
  ) {
    self.name = name
    self.type = type
    self.shape = shape
    self.axis = axis
    self.columns = Set(columns.map(\.rawValue) + (other.map { [$0] } ?? []))
    self.rows = rows
  }
}

/// An array whose place in a file is known before any of it is written; several threads may write
/// its parts.
struct PlacedArray: Sendable {
  let array: FlatArray
  let file: PartFile
  /// Where in the file it begins.
  let offset: Int
  /// The sum of its parts, if one is wanted.
  let checkSum: PartialSums?

  /// Leaves room for an array at the end of a file.
  init(_ array: FlatArray, atEndOf file: PartFile, checkSum: PartialSums? = nil) {
    self.array = array
    self.file = file
    self.checkSum = checkSum
    offset = file.reserve(array.byteCount)
  }

  /// Writes a table's part, whose rows are `rows` of all that there are, `count`.
  func write(
    _ table: TrajectoryTable, rows: Range<Int>, of count: Int
  ) throws(FileError) {
    let column = array.rows(table)
    let rowBytes = array.byteCount / count
    precondition(
      column.type == array.type && column.bytes.count == rows.count * rowBytes,
      "'\(array.name)' takes \(rows.count * rowBytes) bytes of \(array.type.rawValue), got "
        + "\(column.bytes.count) of \(column.type.rawValue)")
    let place = offset + rows.lowerBound * rowBytes
    try column.withBytes { bytes throws(FileError) in
      checkSum?.add(bytes, at: place)
      try file.write(bytes, at: place)
    }
  }
}

extension FormatRequest {
  /// Bytes of the columns that a thread has in hand; what is made of them stays in the processor's
  /// cache.
  private static let flatBlockBytes = 4_000_000

  /// Writes arrays whose places are known, on all threads, and does the source's checks meanwhile.
  func fill(_ arrays: [PlacedArray]) throws(FileError) {
    let blocks = source.blocks(byteLimit: FormatRequest.flatBlockBytes)
    let columns = arrays.reduce(into: Set<String>()) { $0.formUnion($1.array.columns) }
    var starts = [(steps: 0, episodes: 0)]
    let lengths = source.lengths
    for block in blocks {
      let steps = lengths[block].reduce(starts[starts.count - 1].steps, +)
      starts.append((steps, block.upperBound))
    }
    let ends = starts
    @Sendable func rows(_ axis: RowAxis, _ block: Int) -> Range<Int> {
      let (start, end) = (ends[block], ends[block + 1])
      return switch axis {
      case .steps: start.steps..<end.steps
      case .states: (start.steps + start.episodes)..<(end.steps + end.episodes)
      case .episodes: start.episodes..<end.episodes
      }
    }
    func count(_ axis: RowAxis) -> Int { rows(axis, blocks.count - 1).upperBound }
    let counts = Dictionary(
      uniqueKeysWithValues: [RowAxis.steps, .states, .episodes].map { ($0, count($0)) })
    try share(blocks.count) { block throws(FileError) in
      let table = try source.table(of: blocks[block], only: columns)
      for array in arrays {
        let axis = array.array.axis
        try array.write(table, rows: rows(axis, block), of: counts[axis] ?? 0)
      }
      progress(blocks[block].count)
    }
  }

  /// Does the source's checks.
  func check() throws(FileError) { try share(0) { _ in } }

  /// Writes so many blocks and does the source's checks, on all threads.
  ///
  /// A file system takes one write to a file at a time: while there are checks to do, one thread
  /// writes. Afterwards threads take the checks with the most bytes left, so that they all finish
  /// at about the same time.
  private func share(
    _ blocks: Int, _ write: @Sendable (Int) throws(FileError) -> Void
  ) throws(FileError) {
    let work = Mutex((block: 0, writers: 0, checks: source.checks, hasFailed: false))
    try Parallel.forEach(threads, threads: threads) { _ throws(FileError) in
      do throws(FileError) {
        while true {
          if isStopped() { throw .stopped(url.path) }
          let (block, check) = work.withLock { work -> (Int?, SourceCheck?) in
            if work.hasFailed { return (nil, nil) }
            if work.writers > 0 || work.block == blocks,
              let longest = work.checks.indices.max(by: {
                work.checks[$0].rest < work.checks[$1].rest
              })
            {
              return (nil, work.checks.remove(at: longest))
            }
            guard work.block < blocks else { return (nil, nil) }
            work.block += 1
            work.writers += 1
            return (work.block - 1, nil)
          }
          if let block {
            defer { work.withLock { $0.writers -= 1 } }
            try write(block)
          } else if let check {
            if try !check.goOn() { work.withLock { $0.checks.append(check) } }
          } else {
            return
          }
        }
      } catch {
        work.withLock { $0.hasFailed = true }
        throw error
      }
    }
  }
}
