import Foundation
import GoalCore
import HDF5
import SafeHDF5
import Storage
import Support

/// Episodes of an HDF5 file that has a group for each, read a run at a time.
///
/// The common layout of Minari and robomimic: a column lies in pieces, datasets of one path in
/// every episode's group, of which all rows are wanted or one.
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

  /// The type and shape of a column's rows.
  enum RowKind: Sendable {
    /// One number, which may stand in an axis of its own.
    case number
    /// Numbers in one axis, into which others are laid.
    case vector
    /// Anything.
    case any
  }

  /// Numbers of a column's rows, and the pieces that give an episode's rows of them.
  struct Part: Sendable {
    let pieces: [Piece]
    /// Its type in the file.
    let stored: HDF5Type
    let storedShape: [Int]

    var rowBytes: Int { storedShape.reduce(stored.byteCount, *) }
  }

  /// A column, whose rows are those of its parts side by side.
  struct Column: Sendable {
    let described: SourceColumn
    let parts: [Part]
  }

  let file: SafeFile
  let parent: SafeGroup
  /// The episodes' groups, in order.
  private(set) var names: [String]
  var lengths: [Int] = []
  private(set) var columns: [String: Column] = [:]
  /// Columns that have a number for each episode, found at opening.
  var numbers: [String: (type: HDF5Type, values: [UInt64])] = [:]
  var notes = ConversionNotes()

  init(_ file: SafeFile, _ parent: SafeGroup, names: [String]) throws(FileError) {
    self.file = file
    self.parent = parent
    self.names = names
    guard !names.isEmpty else {
      throw .cannotConvert(file.name, reason: "it has no episodes")
    }
  }

  /// Leaves episodes out; those that stay are given by their places.
  mutating func keep(_ places: [Int]) throws(FileError) {
    names = places.map { names[$0] }
    if !lengths.isEmpty { lengths = places.map { lengths[$0] } }
    numbers = numbers.mapValues { entry in (entry.type, places.map { entry.values[$0] }) }
    guard !names.isEmpty else {
      throw .cannotConvert(file.name, reason: "none of its episodes can be read")
    }
  }

  /// What `source.columns` is to say.
  var described: [String: SourceColumn] {
    columns.mapValues(\.described).merging(
      numbers.mapValues { SourceColumn($0.type, axis: .episodes) }
    ) { $1 }
  }

  /// The group of an episode.
  func group(_ episode: Int) throws(FileError) -> SafeGroup {
    try parent.group(names[episode])
  }

  /// A dataset by its path in a group; nil if it is missing.
  static func dataset(
    _ path: String, in group: SafeGroup
  ) throws(FileError) -> SafeDataset? {
    var group = group
    let parts = path.split(separator: "/").map(String.init)
    for part in parts.dropLast() {
      guard group.contains(part) else { return nil }
      group = try group.group(part)
    }
    guard let last = parts.last, group.contains(last) else { return nil }
    return try group.dataset(last)
  }

  /// A dataset that an episode must have.
  func needed(
    _ path: String, in group: SafeGroup
  ) throws(FileError) -> SafeDataset {
    guard let found = try EpisodeGroups.dataset(path, in: group) else {
      throw .missingDataset(file: file.name, dataset: group.path(of: path))
    }
    return found
  }

  /// Paths of all datasets below a group, sorted.
  static func datasets(below group: SafeGroup) throws(FileError) -> [String] {
    try group.datasetPaths()
  }

  /// Adds a column as the first episode's group has it; a row must be of `kind`, and numbers are
  /// turned into `type` unless it is nil.
  mutating func add(
    _ path: String, _ axis: RowAxis, _ pieces: [Piece], _ kind: RowKind = .any,
    as type: HDF5Type? = nil
  ) throws(FileError) {
    let part = try part(pieces, kind)
    let width = part.storedShape.reduce(1, *)
    columns[path] = Column(
      described: SourceColumn(
        type ?? part.stored,
        rowShape: kind == .number ? [] : kind == .vector ? [width] : part.storedShape, axis: axis),
      parts: [part])
  }

  /// Adds a column of floats that is joined from the rows of several datasets.
  mutating func addJoined(
    _ path: String, _ axis: RowAxis, _ parts: [[Piece]]
  ) throws(FileError) {
    var found: [Part] = []
    for pieces in parts { found.append(try part(pieces, .vector)) }
    let isWide = found.contains { !$0.stored.fitsFloat }
    let width = found.reduce(0) { $0 + $1.storedShape.reduce(1, *) }
    columns[path] = Column(
      described: SourceColumn(isWide ? .float64 : .float32, rowShape: [width], axis: axis),
      parts: found)
  }

  /// A part as the first episode's group has it.
  private mutating func part(_ pieces: [Piece], _ kind: RowKind) throws(FileError) -> Part {
    let first = try needed(pieces[0].dataset, in: try group(0))
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
    if let words = first.conversion {
      notes.computed.append("'\(pieces[0].dataset)' as \(words)")
    }
    return Part(pieces: pieces, stored: stored, storedShape: first.rowShape)
  }

  /// Throws if the columns of compressed files would take more than is allowed.
  func checkSize(_ options: FormatOptions) throws(FileError) {
    let steps = lengths.reduce(0, +)
    let bytes = described.values.reduce(0) { sum, column in
      let rows = column.axis == .episodes ? lengths.count : steps + lengths.count
      return sum + rows * column.width * column.type.byteCount
    }
    try options.checkSize(bytes, of: file)
  }

  func wrongRows(_ dataset: SafeDataset, _ piece: Piece, _ episode: Int) -> FileError {
    .wrongShape(
      file: file.name, dataset: dataset.path,
      expected: [piece.count(lengths[episode])] + dataset.rowShape, found: dataset.shape)
  }

  /// Some neighbouring episodes with the columns that are wanted.
  func table(
    of episodes: Range<Int>, only wanted: Set<String>?
  ) throws(FileError) -> TrajectoryTable {
    var table = TrajectoryTable(
      indices: episodes.map { Int64($0) }, lengths: Array(lengths[episodes]))
    for (path, numbers) in numbers where wanted?.contains(path) ?? true {
      let values = numbers.values[episodes]
      table[path] =
        numbers.type == .uint64
        ? TableColumn(.uint64, axis: .episodes, Array(values))
        : TableColumn(.uint8, axis: .episodes, values.map { UInt8(truncatingIfNeeded: $0) })
    }
    var parts: [(path: String, described: SourceColumn, part: Part)] = []
    for (path, column) in columns where wanted?.contains(path) ?? true {
      parts += column.parts.map { (path, column.described, $0) }
    }
    guard !parts.isEmpty else { return table }
    let memories = parts.map { _, described, part in
      ColumnMemory(count: table.rows(of: described.axis) * part.rowBytes)
    }
    var positions = [Int](repeating: 0, count: parts.count)
    for episode in episodes {
      let group = try group(episode)
      for (place, (_, _, part)) in parts.enumerated() {
        for piece in part.pieces {
          let dataset = try needed(piece.dataset, in: group)
          try check(dataset, piece, part, episode)
          let range = piece.range(lengths[episode])
          let end = positions[place] + range.count * part.rowBytes
          let target = memories[place].bytes[positions[place]..<end]
          try dataset.read(range, into: UnsafeMutableRawBufferPointer(rebasing: target))
          positions[place] += target.count
        }
      }
    }
    var read: [String: [TableColumn]] = [:]
    for (place, (path, described, part)) in parts.enumerated() {
      let memory = memories[place]
      let isAlone = columns[path]?.parts.count == 1
      let column = TableColumn(
        part.stored,
        rowShape: isAlone ? described.rowShape : [part.storedShape.reduce(1, *)],
        axis: described.axis, bytes: UnsafeRawBufferPointer(memory.bytes), owner: memory)
      read[path, default: []].append(
        try column.converted(to: described.type, file: file.name, path: path))
    }
    for (path, columns) in read {
      table[path] = columns.count == 1 ? columns[0] : .besides(columns)
    }
    return table
  }

  /// Throws unless a dataset is of an episode's length and as the first episode has it.
  func check(
    _ dataset: SafeDataset, _ piece: Piece, _ part: Part, _ episode: Int
  ) throws(FileError) {
    guard dataset.type == part.stored else {
      throw .wrongType(
        file: file.name, dataset: dataset.path, expected: part.stored.rawValue,
        found: dataset.typeDescription)
    }
    let expected = [piece.count(lengths[episode])] + part.storedShape
    guard dataset.shape == expected else {
      throw .wrongShape(
        file: file.name, dataset: dataset.path, expected: expected, found: dataset.shape)
    }
  }
}

extension TableColumn {
  /// The same numbers as another type: floats of 8 bytes, actions' numbers, or flags, which must be
  /// 0 or 1.
  func converted(
    to type: HDF5Type, file: String, path: String
  ) throws(FileError) -> TableColumn {
    if type == self.type { return self }
    switch type {
    case .float64: return TableColumn(type, rowShape: rowShape, axis: axis, doubles())
    case .float32: return TableColumn(type, rowShape: rowShape, axis: axis, floats())
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

extension HDF5Type {
  /// Whether floats of 4 bytes have all of its numbers.
  var fitsFloat: Bool { [.float32, .uint8, .int8, .uint16, .int16, .bool].contains(self) }
}
