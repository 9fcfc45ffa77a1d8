import Foundation
import GoalCore
import HDF5
import SafeHDF5

/// Episodes of an HDF5 file that has a group for each, read a run at a time.
///
/// What Minari and robomimic have in common: a column lies in pieces, datasets of one path in every
/// episode's group, of which all rows are wanted or one.
struct EpisodeGroups: Sendable {
  /// Which rows of a dataset are wanted.
  enum Rows: Sendable {
    case all
    case first
    case last
    case afterFirst
    case beforeLast
  }

  /// A dataset of each episode, and which of its rows.
  struct Piece: Sendable {
    let dataset: String
    let axis: RowAxis
    let rows: Rows

    init(_ dataset: String, _ axis: RowAxis, _ rows: Rows = .all) {
      self.dataset = dataset
      self.axis = axis
      self.rows = rows
    }

    /// Rows that the dataset has in an episode.
    func count(_ length: Int) -> Int {
      switch axis {
      case .steps: length
      case .states: length + 1
      case .episodes: 1
      }
    }

    func range(_ length: Int) -> Range<Int> {
      let count = count(length)
      switch rows {
      case .all: return 0..<count
      case .first: return 0..<1
      case .last: return (count - 1)..<count
      case .afterFirst: return 1..<count
      case .beforeLast: return 0..<(count - 1)
      }
    }
  }

  /// What a row of a column must be.
  enum RowKind: Sendable {
    /// One number, which may stand in an axis of its own.
    case number
    /// Numbers in one axis, into which others are laid.
    case vector
    /// Anything.
    case any
  }

  /// A column, and the pieces that give an episode's rows of it.
  struct Column: Sendable {
    let described: SourceColumn
    let pieces: [Piece]
    /// What the file has it as.
    let stored: HDF5Type
    let storedShape: [Int]
  }

  let file: SafeFile
  let parent: SafeGroup
  /// The episodes' groups, in order.
  let names: [String]
  var lengths: [Int] = []
  private(set) var columns: [String: Column] = [:]
  /// Columns that have a number for each episode, found at opening.
  var numbers: [String: (type: HDF5Type, values: [UInt64])] = [:]
  var notes = ConversionNotes()

  init(_ file: SafeFile, _ parent: SafeGroup, names: [String]) throws(StorageError) {
    self.file = file
    self.parent = parent
    self.names = names
    guard !names.isEmpty else {
      throw .cannotConvert(file.name, reason: "there are no episodes in it")
    }
  }

  /// What `source.columns` is to say.
  var described: [String: SourceColumn] {
    columns.mapValues(\.described).merging(
      numbers.mapValues { SourceColumn($0.type, axis: .episodes) }
    ) { $1 }
  }

  /// The group of an episode.
  func group(_ episode: Int) throws(StorageError) -> SafeGroup {
    try reading { () throws(HDF5Error) in try parent.group(names[episode]) }
  }

  /// A dataset by its path in a group; nil where there is none.
  static func dataset(
    _ path: String, in group: SafeGroup
  ) throws(StorageError) -> SafeDataset? {
    try reading { () throws(HDF5Error) in
      var group = group
      let parts = path.split(separator: "/").map(String.init)
      for part in parts.dropLast() {
        guard group.contains(part) else { return nil }
        group = try group.group(part)
      }
      guard let last = parts.last, group.contains(last) else { return nil }
      return try group.dataset(last)
    }
  }

  /// A dataset that an episode must have.
  func needed(
    _ path: String, in group: SafeGroup
  ) throws(StorageError) -> SafeDataset {
    guard let found = try EpisodeGroups.dataset(path, in: group) else {
      throw .missingDataset(file: file.name, dataset: group.path(of: path))
    }
    return found
  }

  /// Paths of all datasets below a group, sorted.
  static func datasets(below group: SafeGroup) throws(StorageError) -> [String] {
    try reading { () throws(HDF5Error) in try group.datasetPaths() }
  }

  /// Adds a column as the first episode's group has it; a row must be of `kind`, and numbers are turned
  /// into `type` unless it is nil.
  mutating func add(
    _ path: String, _ axis: RowAxis, _ pieces: [Piece], _ kind: RowKind = .any,
    as type: HDF5Type? = nil
  ) throws(StorageError) {
    let group = try group(0)
    let first = try needed(pieces[0].dataset, in: group)
    guard let stored = first.type else {
      throw .wrongType(
        file: file.name, dataset: first.path, expected: "numbers", found: first.typeDescription)
    }
    guard !first.shape.isEmpty, !first.rowShape.contains(0),
      kind != .number || first.rowShape.allSatisfy({ $0 == 1 })
    else {
      throw .cannotConvert(
        file.name,
        reason:
          "'\(first.path)' must have a row\(kind == .number ? " of one number" : "") for each "
          + "step, its shape is \(first.shape)")
    }
    if kind == .vector, first.rowShape.count > 1 {
      notes.lost.append("the shape \(first.rowShape) of a row of '\(pieces[0].dataset)'")
    }
    if let words = first.conversion { notes.computed.append("\(path) as \(words)") }
    let width = first.rowShape.reduce(1, *)
    columns[path] = Column(
      described: SourceColumn(
        type ?? stored,
        rowShape: kind == .number ? [] : kind == .vector ? [width] : first.rowShape, axis: axis),
      pieces: pieces, stored: stored, storedShape: first.rowShape)
  }

  /// Throws if the columns of compressed files would take more than is allowed.
  func checkSize(_ options: FormatOptions) throws(StorageError) {
    let steps = lengths.reduce(0, +)
    let bytes = described.values.reduce(0) { sum, column in
      let rows = column.axis == .episodes ? lengths.count : steps + lengths.count
      return sum + rows * column.width * column.type.byteCount
    }
    guard bytes <= options.maximumBytes else {
      throw .cannotConvert(
        file.name,
        reason: "it unpacks to \(bytes) bytes, and --max-bytes allows \(options.maximumBytes)")
    }
  }

  func wrongRows(_ dataset: SafeDataset, _ piece: Piece, _ episode: Int) -> StorageError {
    .wrongShape(
      file: file.name, dataset: dataset.path,
      expected: [piece.count(lengths[episode])] + dataset.rowShape, found: dataset.shape)
  }

  /// Some neighbouring episodes with the columns that are wanted.
  func table(
    of episodes: Range<Int>, only wanted: Set<String>?
  ) throws(StorageError) -> TrajectoryTable {
    var table = TrajectoryTable(
      indices: episodes.map { Int64($0) }, lengths: Array(lengths[episodes]))
    for (path, numbers) in numbers where wanted?.contains(path) ?? true {
      let values = numbers.values[episodes]
      table[path] =
        numbers.type == .uint64
        ? TableColumn(.uint64, axis: .episodes, Array(values))
        : TableColumn(.uint8, axis: .episodes, values.map { UInt8(truncatingIfNeeded: $0) })
    }
    let columns = columns.filter { wanted?.contains($0.key) ?? true }.map {
      ($0.key, $0.value, $0.value.storedShape.reduce($0.value.stored.byteCount, *))
    }
    guard !columns.isEmpty else { return table }
    let memories = columns.map { (_, column, row) in
      ColumnMemory(count: table.rows(of: column.described.axis) * row)
    }
    var positions = [Int](repeating: 0, count: columns.count)
    for episode in episodes {
      let group = try group(episode)
      for (place, (_, column, row)) in columns.enumerated() {
        for piece in column.pieces {
          let dataset = try needed(piece.dataset, in: group)
          guard dataset.type == column.stored else {
            throw .wrongType(
              file: file.name, dataset: dataset.path, expected: column.stored.rawValue,
              found: dataset.typeDescription)
          }
          let length = lengths[episode]
          guard dataset.shape == [piece.count(length)] + column.storedShape else {
            throw .wrongShape(
              file: file.name, dataset: dataset.path,
              expected: [piece.count(length)] + column.storedShape, found: dataset.shape)
          }
          let range = piece.range(length)
          let end = positions[place] + range.count * row
          let target = memories[place].bytes[positions[place]..<end]
          try reading { () throws(HDF5Error) in
            try dataset.read(range, into: UnsafeMutableRawBufferPointer(rebasing: target))
          }
          positions[place] += target.count
        }
      }
    }
    for (place, (path, column, _)) in columns.enumerated() {
      let memory = memories[place]
      let described = column.described
      let read = TableColumn(
        column.stored, rowShape: described.rowShape, axis: described.axis,
        bytes: UnsafeRawBufferPointer(memory.bytes), owner: memory)
      table[path] = try read.converted(to: described.type, file: file.name, path: path)
    }
    return table
  }
}

extension TableColumn {
  /// The same numbers as another type: floats of 8 bytes, actions' numbers, or flags, which must be 0 or 1.
  func converted(
    to type: HDF5Type, file: String, path: String
  ) throws(StorageError) -> TableColumn {
    if type == self.type { return self }
    switch type {
    case .float64: return TableColumn(type, rowShape: rowShape, axis: axis, doubles())
    case .int32:
      return TableColumn(
        type, rowShape: rowShape, axis: axis, integers().map { Int32(clamping: $0) })
    case .uint8:
      let values = doubles()
      if let row = values.firstIndex(where: { $0 != 0 && $0 != 1 }) {
        throw .wrongValue(
          file: file, dataset: path, rule: "must be 0 or 1", row: row, found: "\(values[row])")
      }
      return TableColumn(type, rowShape: rowShape, axis: axis, values.map { UInt8($0) })
    default: preconditionFailure("no source's columns become \(type.rawValue)")
    }
  }
}
