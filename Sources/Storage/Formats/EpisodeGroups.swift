import Foundation
import GoalCore
import HDF5
import Synchronization

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

  let file: ForeignFile
  let parent: ForeignGroup
  /// The episodes' groups, in order.
  let names: [String]
  var lengths: [Int] = []
  private(set) var columns: [String: Column] = [:]
  /// Columns that have a number for each episode, found at opening.
  var numbers: [String: (type: HDF5Type, values: [UInt64])] = [:]
  var notes = ConversionNotes()

  init(_ file: ForeignFile, _ parent: ForeignGroup, names: [String]) throws(StorageError) {
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
  func group(_ episode: Int) throws(StorageError) -> ForeignGroup {
    try reading { () throws(HDF5Error) in try parent.group(names[episode]) }
  }

  /// A dataset by its path in a group; nil where there is none.
  static func dataset(
    _ path: String, in group: ForeignGroup
  ) throws(StorageError) -> ForeignDataset? {
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
    _ path: String, in group: ForeignGroup
  ) throws(StorageError) -> ForeignDataset {
    guard let found = try EpisodeGroups.dataset(path, in: group) else {
      throw .missingDataset(file: file.name, dataset: group.path(of: path))
    }
    return found
  }

  /// Paths of all datasets below a group, sorted; groups may be nested 8 deep.
  static func datasets(
    below group: ForeignGroup, prefix: String = "", depth: Int = 0
  ) throws(StorageError) -> [String] {
    var paths: [String] = []
    for name in group.names {
      let path = prefix + name
      let isGroup = try reading { () throws(HDF5Error) in try group.isGroup(name) }
      if isGroup, depth < 8 {
        let inner = try reading { () throws(HDF5Error) in try group.group(name) }
        paths += try datasets(below: inner, prefix: path + "/", depth: depth + 1)
      } else if !isGroup {
        paths.append(path)
      }
    }
    return paths
  }

  /// Adds a column as the first episode's group has it.
  ///
  /// - Parameters:
  ///   - kind: What a row must be.
  ///   - type: The type that its numbers are turned into; as they are, if nil.
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
        reason: "'\(first.path)' must have a row\(kind == .number ? " of one number" : "") for each "
          + "step, its shape is \(first.shape)")
    }
    if kind == .vector, first.rowShape.count > 1 {
      notes.lost.append("the shape \(first.rowShape) of a row of '\(pieces[0].dataset)'")
    }
    let width = first.rowShape.reduce(1, *)
    columns[path] = Column(
      described: SourceColumn(
        type ?? stored, rowShape: kind == .number ? [] : kind == .vector ? [width] : first.rowShape,
        axis: axis),
      pieces: pieces, stored: stored, storedShape: first.rowShape)
  }

  /// Adds what tasks are about: observations, actions, rewards and goals, with what was turned into what.
  mutating func addUsual(
    _ column: ShardColumn, _ pieces: [Piece], axis: RowAxis? = nil
  ) throws(StorageError) {
    let dataset = try needed(pieces[0].dataset, in: try group(0))
    let isFloat = dataset.type == .float32 || dataset.type == .float64
    let path = column.rawValue
    switch column {
    case .actions where !isFloat:
      guard dataset.rowShape.allSatisfy({ $0 == 1 }) else {
        throw .cannotConvert(
          file.name,
          reason: "'\(dataset.path)' must be floats, or one integer a step, found "
            + "\(dataset.typeDescription) of shape \(dataset.shape)")
      }
      try add(path, .steps, pieces, .number, as: .int32)
    case .rewards: try add(path, .steps, pieces, .number, as: isFloat ? nil : .float64)
    default: try add(path, axis ?? column.axis, pieces, .vector, as: isFloat ? nil : .float64)
    }
    if !isFloat, let found = dataset.type, columns[path]?.described.type == .float64 {
      notes.computed.append("\(path) as f64, which were \(found.rawValue)")
    }
  }

  /// Adds desired goals: one for each episode where they do not move.
  mutating func addGoals(_ pieces: [Piece], _ options: FormatOptions) throws(StorageError) {
    if try isConstant(pieces, options) {
      try addUsual(
        .desiredGoals, [Piece(pieces[0].dataset, pieces[0].axis, .first)], axis: .episodes)
    } else {
      try addUsual(.desiredGoals, pieces, axis: .states)
    }
  }

  /// Adds a dataset that has a row for each state as an extra, or says that it is left out.
  mutating func addExtra(
    _ name: String, _ piece: Piece, _ first: ForeignGroup, note: String
  ) throws(StorageError) {
    let dataset = try needed(piece.dataset, in: first)
    let path = "extra/" + name
    guard dataset.type != nil, dataset.rows == piece.count(lengths[0]), !dataset.shape.isEmpty,
      !dataset.rowShape.contains(0), columns[path] == nil
    else {
      notes.lost.append(
        "\(note), \(dataset.typeDescription) of shape \(dataset.shape), which is not a row of numbers "
          + "for each \(piece.axis == .states ? "state" : "step")")
      return
    }
    try add(path, piece.axis, [piece])
  }

  /// Reads how long episodes are and how each ended, out of flags of which the last row counts.
  ///
  /// - Parameter truncated: Nil where the format has none: then time cut off what did not end by itself.
  mutating func readEnds(
    terminated: String, truncated: String?, _ options: FormatOptions
  ) throws(StorageError) {
    let groups = self
    let found = Mutex<[Int: (length: Int, flags: [UInt64], inside: Bool)]>([:])
    try forEachInParallel(names.count, threads: options.threads) { episode throws(StorageError) in
      let group = try groups.group(episode)
      var length = 0
      var flags: [UInt64] = []
      var inside = false
      for name in [terminated, truncated].compactMap({ $0 }) {
        let dataset = try groups.needed(name, in: group)
        guard let type = dataset.type, dataset.rowShape.allSatisfy({ $0 == 1 }), dataset.rows > 0,
          dataset.rows <= options.maximumBytes / 8, length == 0 || dataset.rows == length
        else {
          throw .wrongShape(
            file: groups.file.name, dataset: dataset.path, expected: [max(1, length)], found: dataset.shape)
        }
        length = dataset.rows
        let values = try reading { () throws(HDF5Error) in
          let memory = ColumnMemory(count: length * type.byteCount)
          try dataset.read(0..<length, into: memory.bytes)
          return TableColumn(
            type, rowShape: [], axis: .steps, bytes: UnsafeRawBufferPointer(memory.bytes),
            owner: memory)
        }.integers()
        flags.append(values[length - 1] == 0 ? 0 : 1)
        if values.dropLast().contains(where: { $0 != 0 }) { inside = true }
      }
      found.withLock { $0[episode] = (length, flags, inside) }
    }
    let all = found.withLock { found in names.indices.compactMap { found[$0] } }
    lengths = all.map(\.length)
    let inside = all.count { $0.inside }
    if inside > 0 {
      notes.lost.append("flags of an end before the last step, in \(inside) episodes, which go on")
    }
    numbers[ShardColumn.terminated.rawValue] = (.uint8, all.map { $0.flags[0] })
    numbers[ShardColumn.truncated.rawValue] = (
      .uint8, all.map { $0.flags.count > 1 ? $0.flags[1] : 1 - $0.flags[0] }
    )
  }

  /// Reads every episode's attributes: the seeds, where all have one, and the names of others, which are
  /// said to be lost.
  mutating func readAttributes(
    leaving isKnown: @Sendable (String) -> Bool, _ options: FormatOptions
  ) throws(StorageError) -> [UInt64]? {
    let groups = self
    let seeds = Mutex([UInt64?](repeating: nil, count: names.count))
    let others = Mutex<Set<String>>([])
    try forEachInParallel(names.count, threads: options.threads) { episode throws(StorageError) in
      let group = try groups.group(episode)
      let found = try reading { () throws(HDF5Error) in try group.attributes() }
      if let seed = found["seed"]?.unsigned { seeds.withLock { $0[episode] = seed } }
      let more = found.keys.filter { $0 != "seed" && !isKnown($0) }
      if !more.isEmpty { others.withLock { $0.formUnion(more) } }
    }
    let names = others.withLock { $0.sorted() }
    if !names.isEmpty { notes.lost.append("attributes of episodes: \(names.joined(separator: ", "))") }
    let all = seeds.withLock { $0 }
    let known = all.compactMap { $0 }
    if known.count == all.count { return known }
    if !known.isEmpty {
      notes.lost.append("seeds, which \(all.count - known.count) of \(all.count) episodes lack")
    }
    return nil
  }

  /// Adds columns that were written for a format that has no place for them.
  mutating func addRest() throws(StorageError) {
    let group = try group(0)
    let rest = EpisodeGroupsWriter.rest
    guard group.contains(rest) else { return }
    for axis in [RowAxis.steps, .states, .episodes] {
      let inner = try reading { () throws(HDF5Error) in try group.group(rest) }
      guard inner.contains(axis.rawValue) else { continue }
      let place = try reading { () throws(HDF5Error) in try inner.group(axis.rawValue) }
      for path in try EpisodeGroups.datasets(below: place) {
        try add(path, axis, [Piece("\(rest)/\(axis.rawValue)/\(path)", axis)])
      }
    }
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

  /// Whether rows of a dataset are the same all through each episode.
  func isConstant(_ pieces: [Piece], _ options: FormatOptions) throws(StorageError) -> Bool {
    let moves = Flag()
    try forEachInParallel(names.count, threads: options.threads) { episode throws(StorageError) in
      if moves.isSet { return }
      let group = try group(episode)
      var first: [UInt8]?
      for piece in pieces {
        let dataset = try needed(piece.dataset, in: group)
        let row = dataset.rowShape.reduce(dataset.type?.byteCount ?? 1, *)
        guard dataset.rows == piece.count(lengths[episode]), row > 0 else {
          throw wrongRows(dataset, piece, episode)
        }
        guard dataset.rows <= options.maximumBytes / row else {
          throw .cannotConvert(
            file.name, reason: "'\(dataset.path)' unpacks to more than --max-bytes allows")
        }
        let bytes = try reading { () throws(HDF5Error) in
          let memory = ColumnMemory(count: dataset.rows * row)
          try dataset.read(0..<dataset.rows, into: memory.bytes)
          return memory
        }
        let all = bytes.bytes
        let start = first ?? Array(all.prefix(row))
        first = start
        let isSame = stride(from: 0, to: all.count, by: row).allSatisfy {
          all[$0..<($0 + row)].elementsEqual(start)
        }
        if !isSame { moves.set() }
      }
    }
    return !moves.isSet
  }

  private func wrongRows(_ dataset: ForeignDataset, _ piece: Piece, _ episode: Int) -> StorageError {
    .wrongShape(
      file: file.name, dataset: dataset.path,
      expected: [piece.count(lengths[episode])] + dataset.rowShape, found: dataset.shape)
  }

  /// Some neighbouring episodes with the columns that are wanted.
  func table(
    of episodes: Range<Int>, only wanted: Set<String>?
  ) throws(StorageError) -> EpisodeTable {
    var table = EpisodeTable(
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
          let target = memories[place].bytes[positions[place]..<(positions[place] + range.count * row)]
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
      return TableColumn(type, rowShape: rowShape, axis: axis, integers().map { Int32(clamping: $0) })
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

/// Whether something was seen by any of several threads.
private final class Flag: Sendable {
  private let value = Atomic(false)
  var isSet: Bool { value.load(ordering: .relaxed) }
  func set() { value.store(true, ordering: .relaxed) }
}
