import GoalCore
import HDF5
import SafeHDF5
import Storage
import Support
import Synchronization

// What is found out when a file is opened: which columns there are, how long episodes are, what is
// lost.

extension EpisodeGroups {
  /// Adds what tasks are about: observations, actions, rewards and goals, with what was turned into
  /// what.
  mutating func addUsual(
    _ column: ShardColumn, _ pieces: [Piece], axis: RowAxis? = nil
  ) throws(FileError) {
    let dataset = try needed(pieces[0].dataset, in: try group(0))
    let isFloat = dataset.type == .float32 || dataset.type == .float64
    let path = column.rawValue
    // Small integers are exact as floats of 4 bytes.
    let isSmall = dataset.type.map { $0.byteCount <= 2 } ?? false
    let float: HDF5Type = isSmall ? .float32 : .float64
    if column == .observations { try checkIsVector(dataset) }
    switch column {
    case .actions where !isFloat:
      guard dataset.rowShape.allSatisfy({ $0 == 1 }) else {
        throw .cannotConvert(
          file.name,
          reason: "'\(dataset.path)' must be floats, or one integer a step, found "
            + "\(dataset.typeDescription) of shape \(dataset.shape)")
      }
      try add(path, .steps, pieces, .number, as: .int32)
    case .rewards: try add(path, .steps, pieces, .number, as: isFloat ? nil : float)
    default: try add(path, axis ?? column.axis, pieces, .vector, as: isFloat ? nil : float)
    }
    if !isFloat, let found = dataset.type, columns[path]?.described.type == float {
      notes.computed.append("\(path) as \(float.rawValue), which were \(found.rawValue)")
    }
  }

  /// Throws for pictures, which are bytes in two axes or more.
  func checkIsVector(_ dataset: SafeDataset) throws(FileError) {
    if dataset.type == .uint8, dataset.rowShape.count > 1 {
      throw .cannotConvert(
        file.name,
        reason:
          "its observations '\(dataset.path)' are pictures of shape \(dataset.rowShape), which no "
          + "learner here reads")
    }
  }

  /// Says which attributes of a group are left out.
  mutating func addAttributes(
    of group: SafeGroup, leaving known: Set<String>, _ what: String
  ) throws(FileError) {
    let attributes = try group.attributes()
    let others = attributes.keys.filter { !known.contains($0) }.sorted()
    if !others.isEmpty {
      notes.lost.append("attributes of \(what): \(shown(others))")
    }
  }

  /// Adds desired goals: one for each episode if they do not move.
  mutating func addGoals(_ pieces: [Piece], _ options: FormatOptions) throws(FileError) {
    if try isConstant(pieces, options) {
      try addUsual(
        .desiredGoals, [Piece(pieces[0].dataset, pieces[0].axis, .first)], axis: .episodes)
    } else {
      try addUsual(.desiredGoals, pieces, axis: .states)
    }
  }

  /// Adds datasets as an extra, or says that they are left out.
  mutating func addExtra(
    _ name: String, _ axis: RowAxis, _ pieces: [Piece], _ first: SafeGroup, note: String
  ) throws(FileError) {
    let dataset = try needed(pieces[0].dataset, in: first)
    let path = "extra/" + name
    guard dataset.type != nil, dataset.rows == pieces[0].count(lengths[0]), !dataset.shape.isEmpty,
      !dataset.rowShape.contains(0), columns[path] == nil, isColumnPath(name)
    else {
      notes.lost.append(
        "\(note), \(dataset.typeDescription) of shape \(dataset.shape), which is not a plainly named row of numbers "
          + "for each \(axis == .states ? "state" : "step")")
      return
    }
    try add(path, axis, pieces)
  }

  /// The axis of a dataset of the first episode: of steps if it has as many rows as they are, else
  /// of states.
  func axis(of path: String) throws(FileError) -> RowAxis {
    try needed(path, in: try group(0)).rows == lengths[0] ? .steps : .states
  }

  // MARK: - Episodes that differ

  /// Says which datasets of episodes are in no column and in no line so far.
  ///
  /// These are not `known` names of the episode's group, or the first episode lacks them.
  mutating func addLeft(
    known: Set<String>, _ options: FormatOptions
  ) throws(FileError) {
    let groups = self
    let first = Set(try EpisodeGroups.datasets(below: try group(0)))
    let found = Mutex<[String: (count: Int, first: Int)]>([:])
    try Parallel.forEach(names.count, threads: options.threads) { episode throws(FileError) in
      let all = try EpisodeGroups.datasets(below: try groups.group(episode))
      let left = all.filter { path in
        !known.contains(String(path.prefix { $0 != "/" })) || !first.contains(path)
      }
      if left.isEmpty { return }
      found.withLock { found in
        for path in left {
          let entry = found[path] ?? (0, episode)
          found[path] = (entry.count + 1, min(entry.first, episode))
        }
      }
    }
    for (path, entry) in found.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
      let isKnown = known.contains(String(path.prefix { $0 != "/" }))
      notes.lost.append(
        "'\(shown(path))' of \(entry.count) of \(names.count) episodes, first of \(shown(names[entry.first])), "
          + (isKnown ? "which the first episode lacks" : "for which a dataset has no place"))
    }
  }

  /// Leaves out the episodes that lack a column, or have it of another type or number of rows, and
  /// names them.
  mutating func skipBad(_ options: FormatOptions) throws(FileError) {
    guard options.skipsBad else { return }
    let groups = self
    let bad = Mutex<[Int: FileError]>([:])
    try Parallel.forEach(names.count, threads: options.threads) { episode throws(FileError) in
      do throws(FileError) {
        let group = try groups.group(episode)
        for column in groups.columns.values {
          for part in column.parts {
            for piece in part.pieces {
              try groups.check(try groups.needed(piece.dataset, in: group), piece, part, episode)
            }
          }
        }
      } catch {
        bad.withLock { $0[episode] = error }
      }
    }
    try leaveOut(bad.withLock { $0 })
  }

  /// Leaves episodes out, and says which and why.
  private mutating func leaveOut(_ all: [Int: FileError]) throws(FileError) {
    guard !all.isEmpty else { return }
    let listed = all.sorted { $0.key < $1.key }.prefix(20).map { episode, error in
      "\(shown(names[episode])) (\(error.short))"
    }
    notes.lost.append(
      "\(all.count) of \(names.count) episodes, as --skip-bad says: \(listed.joined(separator: ", "))"
        + (all.count > 20 ? ", ..." : ""))
    try keep(names.indices.filter { all[$0] == nil })
  }

  /// Reads how long episodes are and how each ended, from the last row of flags.
  ///
  /// If a format has no `truncated`, time cut off each episode that did not end by itself.
  mutating func readEnds(
    terminated: String, truncated: String?, _ options: FormatOptions
  ) throws(FileError) {
    let groups = self
    let found = Mutex<[Int: (length: Int, flags: [UInt64], inside: Bool)]>([:])
    let bad = Mutex<[Int: FileError]>([:])
    @Sendable func read(
      _ episode: Int
    ) throws(FileError) -> (length: Int, flags: [UInt64], inside: Bool) {
      let group = try groups.group(episode)
      var length = 0
      var flags: [UInt64] = []
      var inside = false
      for name in [terminated, truncated].compactMap({ $0 }) {
        let dataset = try groups.needed(name, in: group)
        guard let type = dataset.type, dataset.rowShape.allSatisfy({ $0 == 1 }),
          dataset.rows > 0 || dataset.shape == [0], !dataset.shape.isEmpty,
          dataset.rows <= options.maximumBytes / 8,
          name == terminated || dataset.rows == length
        else {
          throw .wrongShape(
            file: groups.file.name, dataset: dataset.path, expected: [max(1, length)],
            found: dataset.shape)
        }
        length = dataset.rows
        if length == 0 { continue }
        let memory = try dataset.copied(0..<length)
        let values = TableColumn(
          type, rowShape: [], axis: .steps, bytes: UnsafeRawBufferPointer(memory.bytes),
          owner: memory
        ).integers()
        flags.append(values[length - 1] == 0 ? 0 : 1)
        if values.dropLast().contains(where: { $0 != 0 }) { inside = true }
      }
      return (length, flags, inside)
    }
    try Parallel.forEach(names.count, threads: options.threads) { episode throws(FileError) in
      do throws(FileError) {
        let ends = try read(episode)
        found.withLock { $0[episode] = ends }
      } catch {
        guard options.skipsBad else { throw error }
        bad.withLock { $0[episode] = error }
      }
    }
    try leaveOut(bad.withLock { $0 })
    let count = groups.names.count
    var all = found.withLock { found in (0..<count).compactMap { found[$0] } }
    lengths = all.map(\.length)
    try dropEmpty()
    all.removeAll { $0.length == 0 }
    let inside = all.count { $0.inside }
    if inside > 0 {
      notes.lost.append("flags of an end before the last step, in \(inside) episodes, which go on")
    }
    numbers[ShardColumn.terminated.rawValue] = (.uint8, all.map { $0.flags[0] })
    numbers[ShardColumn.truncated.rawValue] = (
      .uint8, all.map { $0.flags.count > 1 ? $0.flags[1] : 1 - $0.flags[0] }
    )
  }

  /// Leaves episodes out that have no step, and says so.
  private mutating func dropEmpty() throws(FileError) {
    let empty = names.indices.filter { lengths[$0] == 0 }
    guard let first = empty.first else { return }
    notes.lost.append(
      "\(empty.count) of \(names.count) episodes, which have no step, first \(shown(names[first]))")
    try keep(names.indices.filter { lengths[$0] > 0 })
  }

  /// Reads how long episodes are, and that alone.
  mutating func readLengths(of path: String, _ options: FormatOptions) throws(FileError) {
    let groups = self
    let found = Mutex([Int](repeating: 0, count: names.count))
    try Parallel.forEach(names.count, threads: options.threads) { episode throws(FileError) in
      let dataset = try groups.needed(path, in: try groups.group(episode))
      guard !dataset.shape.isEmpty else {
        throw .wrongShape(
          file: groups.file.name, dataset: dataset.path, expected: [1], found: dataset.shape)
      }
      found.withLock { $0[episode] = dataset.rows }
    }
    lengths = found.withLock { $0 }
    try dropEmpty()
  }

  /// Leaves each episode's last step out, which makes all of them end by time, and episodes of one
  /// step whole.
  mutating func dropLastSteps() throws(FileError) {
    let short = names.indices.filter { lengths[$0] < 2 }
    if let first = short.first {
      notes.lost.append(
        "\(short.count) of \(names.count) episodes, which have one step and no next_obs to say where it led, "
          + "first \(shown(names[first]))")
      try keep(names.indices.filter { lengths[$0] > 1 })
    }
    lengths = lengths.map { $0 - 1 }
    numbers[ShardColumn.terminated.rawValue] = (.uint8, lengths.map { _ in 0 })
    numbers[ShardColumn.truncated.rawValue] = (.uint8, lengths.map { _ in 1 })
  }

  /// Reads every episode's attributes: `wanted` as numbers, those that all episodes have; the names
  /// of others, but for `known`, are said to be lost.
  mutating func readAttributes(
    _ wanted: [String], leaving known: Set<String>, _ options: FormatOptions
  ) throws(FileError) -> [String: [UInt64]] {
    let groups = self
    let found = Mutex<[String: [Int: UInt64]]>([:])
    let others = Mutex<Set<String>>([])
    try Parallel.forEach(names.count, threads: options.threads) { episode throws(FileError) in
      let group = try groups.group(episode)
      let attributes = try group.attributes()
      found.withLock { found in
        for name in wanted {
          if let value = attributes[name]?.unsigned { found[name, default: [:]][episode] = value }
        }
      }
      let more = attributes.keys.filter { !wanted.contains($0) && !known.contains($0) }
      if !more.isEmpty { others.withLock { $0.formUnion(more) } }
    }
    let more = others.withLock { $0.sorted() }
    if !more.isEmpty {
      notes.lost.append("attributes of episodes: \(shown(more))")
    }
    var all: [String: [UInt64]] = [:]
    for (name, values) in found.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
      if values.count == names.count {
        all[name] = names.indices.compactMap { values[$0] }
      } else {
        notes.lost.append(
          "attribute \(name), which \(names.count - values.count) of \(names.count) episodes lack")
      }
    }
    return all
  }

  /// Says in how many episodes a row of one dataset is not the next row of another.
  mutating func checkShift(
    _ pairs: [(now: String, next: String)], _ options: FormatOptions
  ) throws(FileError) {
    let groups = self
    let others = Counter()
    try Parallel.forEach(names.count, threads: options.threads) { episode throws(FileError) in
      let group = try groups.group(episode)
      for (now, next) in pairs {
        var parts: [ColumnMemory] = []
        for (path, rows) in [(now, Rows.afterFirst), (next, .beforeLast)] {
          let found = try EpisodeGroups.dataset(path, in: group)
          if options.skipsBad, found?.rows != groups.lengths[episode] { return }
          let dataset = try groups.needed(path, in: group)
          let piece = Piece(path, .steps, rows)
          guard dataset.rows == groups.lengths[episode], !dataset.shape.isEmpty else {
            throw groups.wrongRows(dataset, piece, episode)
          }
          let range = piece.range(groups.lengths[episode])
          let bytes = range.count * dataset.rowBytes
          guard bytes <= options.maximumBytes else {
            throw .cannotConvert(
              groups.file.name, reason: "'\(dataset.path)' unpacks to more than --max-bytes allows")
          }
          parts.append(try dataset.copied(range))
        }
        if !parts[0].bytes.elementsEqual(parts[1].bytes) {
          others.add(1)
          return
        }
      }
    }
    let count = others.value
    if count > 0 {
      notes.lost.append(
        "next_obs of steps before the last where they are not the next step's obs, in \(count) episodes"
      )
    }
  }

  /// Adds columns that were written for a format that has no place for them.
  mutating func addRest() throws(FileError) {
    let group = try group(0)
    let rest = EpisodeGroupsWriter.rest
    guard group.contains(rest) else { return }
    for axis in [RowAxis.steps, .states, .episodes] {
      let inner = try group.group(rest)
      guard inner.contains(axis.rawValue) else { continue }
      let place = try inner.group(axis.rawValue)
      for path in try EpisodeGroups.datasets(below: place) {
        let piece = Piece("\(rest)/\(axis.rawValue)/\(path)", axis)
        try RestColumn.check(path, axis, try needed(piece.dataset, in: group))
        try add(path, axis, [piece])
      }
    }
  }

  /// Whether rows of a dataset are the same all through each episode.
  func isConstant(_ pieces: [Piece], _ options: FormatOptions) throws(FileError) -> Bool {
    let moves = Counter()
    try Parallel.forEach(names.count, threads: options.threads) { episode throws(FileError) in
      if moves.value > 0 { return }
      let group = try group(episode)
      var first: [UInt8]?
      for piece in pieces {
        let found = try EpisodeGroups.dataset(piece.dataset, in: group)
        // Such an episode is left out later, and named then.
        if options.skipsBad, found?.rows != piece.count(lengths[episode]) { return }
        let dataset = try needed(piece.dataset, in: group)
        let row = dataset.rowBytes
        guard dataset.rows == piece.count(lengths[episode]), row > 0 else {
          throw wrongRows(dataset, piece, episode)
        }
        guard dataset.rows <= options.maximumBytes / row else {
          throw .cannotConvert(
            file.name, reason: "'\(dataset.path)' unpacks to more than --max-bytes allows")
        }
        let memory = try dataset.copied(0..<dataset.rows)
        let isSame = withExtendedLifetime(memory) {
          let start = first ?? Array(memory.bytes.prefix(row))
          first = start
          return stride(from: 0, to: memory.bytes.count, by: row).allSatisfy {
            memory.bytes[$0..<($0 + row)].elementsEqual(start)
          }
        }
        if !isSame { moves.add(1) }
      }
    }
    return moves.value == 0
  }
}
