import Foundation
import GoalCore
import HDF5
import Storage
import Support

/// A pickled list of dictionaries, one for each episode, of arrays over its T steps.
///
///     observations [T, O]   actions [T, A]; [T] of integers if they are discrete
///     next_observations [T, O]   the state after each step; optional
///     rewards [T]   terminals or dones [T]   timeouts [T]   optional
///
/// As DAPG keeps demonstrations, and Decision Transformer and Online Decision Transformer keep
/// D4RL's data. Without `next_observations` an episode's last row is its last state, and its action
/// and reward are left out. Other arrays over steps become extras. Read only.
///
/// Source: github.com/kzl/decision-transformer at e2d82e6, `gym/data/download_d4rl_datasets.py`;
/// github.com/aravindr93/hand_dapg, `dapg/examples`.
struct TrajectoryPickle: DatasetFormat {
  let name = "trajectory-pickle"
  let summary = "a pickled list of dictionaries, as of Decision Transformer and DAPG; read only"

  func recognizes(_ url: URL) -> Bool {
    WGCSLPickle().recognizes(url) && PickleReader.beginsWithList(firstBytes(of: url, 12))
  }

  func isMeant(by output: URL) -> Bool { false }

  let isReadOnly = true

  func open(_ url: URL, _ options: FormatOptions) throws(FileError) -> any TrajectorySource {
    try TrajectoryList(url, options)
  }
}

/// Episodes of a list of dictionaries.
private struct TrajectoryList: TrajectorySource {
  let lengths: [Int]
  private(set) var columns: [String: SourceColumn] = [:]
  let environment: String? = nil
  private(set) var notes = ConversionNotes()
  private let episodes: [[String: NumpyArray]]
  private let flags: [ShardColumn: [UInt8]]
  private let hasNext: Bool
  /// The key of each column.
  private var keys: [String: String] = [:]

  init(_ url: URL, _ options: FormatOptions) throws(FileError) {
    let map = try MappedFile.opening(url)
    let list = try PickleReader.dictionaries(in: map.bytes, path: url.path)
    var notes = ConversionNotes()
    if list.others > 0 {
      notes.lost.append("\(list.others) things of the list, which are no dictionaries")
    }
    var episodes: [[String: NumpyArray]] = []
    var others: [String: (count: Int, kind: String)] = [:]
    for dictionary in list.dictionaries {
      let found = try PickleArrays(dictionary, in: map, url, options)
      var arrays: [String: NumpyArray] = [:]
      for (key, array) in found.arrays { arrays[key] = array }
      for words in found.conversions where !notes.computed.contains(words) {
        notes.computed.append(words)
      }
      for (key, kind) in found.others {
        others[key] = ((others[key]?.count ?? 0) + 1, kind)
      }
      episodes.append(arrays)
    }
    for (key, other) in others.sorted(by: { $0.key < $1.key }) {
      notes.lost.append("'\(key)' of \(other.count) episodes, \(other.kind)")
    }
    guard let first = episodes.first, let observations = first["observations"],
      let actions = first["actions"]
    else {
      let keys = (episodes.first?.keys.sorted() ?? []).map(shown).joined(separator: ", ")
      throw .malformed(
        url.path, rule: "each dictionary must have arrays 'observations' and 'actions'",
        found: keys.isEmpty ? "no arrays" : "arrays \(keys)")
    }
    let hasNext = first["next_observations"] != nil
    try observations.checkIsVectors()
    let ending = ["terminals", "dones"].first { first[$0] != nil }
    var lasts: [ShardColumn: [UInt8]] = [.terminated: [], .truncated: []]
    var (kept, bad, short): ([[String: NumpyArray]], [String], [Int]) = ([], [], [])
    var inside = 0
    for (number, arrays) in episodes.enumerated() {
      do throws(FileError) {
        let rows = try TrajectoryList.check(arrays, like: first, number, url)
        guard rows > (hasNext ? 0 : 1) else {
          short.append(number)
          continue
        }
        let ended = try ending.flatMap { arrays[$0] }.map { array throws(FileError) in
          try array.flags(rows)
        }
        let cut = try arrays["timeouts"].map { array throws(FileError) in try array.flags(rows) }
        if ended?.dropLast().contains(true) ?? false { inside += 1 }
        let isEnded = hasNext && ended?.last ?? false
        lasts[.terminated]?.append(isEnded ? 1 : 0)
        lasts[.truncated]?.append(!hasNext || cut?.last ?? !isEnded ? 1 : 0)
        kept.append(arrays)
      } catch {
        guard options.skipsBad else { throw error }
        bad.append("\(number) (\(error.short))")
      }
    }
    guard !kept.isEmpty else {
      throw .cannotConvert(
        url.path,
        reason: "none of its \(episodes.count) episodes has a step of which both states are known")
    }
    if let one = short.first {
      notes.lost.append(
        "all rows of \(short.count) of \(episodes.count) episodes, which have one and no next_observations to "
          + "say where it led, first number \(one)")
    }
    if !bad.isEmpty {
      notes.lost.append(
        "\(bad.count) of \(episodes.count) episodes, as --skip-bad says: numbers "
          + bad.prefix(20).joined(separator: ", ") + (bad.count > 20 ? ", ..." : ""))
    }
    if inside > 0 {
      notes.lost.append("\(ending ?? "") before the last step, in \(inside) episodes, which go on")
    }
    if !hasNext {
      notes.lost.append(
        "actions, rewards and \(ending ?? "ends") of each episode's last row, as the file has no next_observations "
          + "to say where it led; so every episode is cut off by time")
    }
    if ending == nil {
      notes.assumed.append("every episode was cut off by time, as the file has no terminals")
    }
    self.hasNext = hasNext
    self.episodes = kept
    flags = lasts
    lengths = kept.map { ($0["observations"]?.shape[0] ?? 0) - (hasNext ? 0 : 1) }

    for column in lasts.keys {
      columns[column.rawValue] = SourceColumn(.uint8, axis: .episodes)
    }
    add("observations", ShardColumn.observations.rawValue, observations, .states)
    add("actions", ShardColumn.actions.rawValue, actions, .steps, isDiscrete: !actions.isFloat)
    let rows = observations.shape[0]
    let known = ["observations", "actions", "next_observations", "terminals", "dones", "timeouts"]
    for (key, array) in first.sorted(by: { $0.key < $1.key }) where !known.contains(key) {
      if key == "rewards", array.isColumn(of: rows), array.isFloat {
        add(key, ShardColumn.rewards.rawValue, array, .steps, isFlat: true)
      } else if array.shape[0] == rows, isColumnName(key) {
        add(key, "extra/" + key, array, hasNext ? .steps : .states)
      } else {
        notes.lost.append("'\(shown(key))', an array of shape \(array.shape)")
      }
    }
    if ending == "terminals", first["dones"] != nil {
      notes.lost.append("'dones', as there are terminals")
    }
    let all = Set(kept.flatMap(\.keys)).subtracting(first.keys)
    for key in all.sorted() { notes.lost.append("'\(shown(key))', which the first episode lacks") }
    let differing = kept.count { $0.count { self.keys.values.contains($0.key) } < self.keys.count }
    guard differing == 0 else {
      throw .cannotConvert(
        url.path, reason: "\(differing) of \(kept.count) episodes lack an array that the first has")
    }
    if hasNext {
      let others = kept.reduce(0) { sum, arrays in
        guard let now = arrays["observations"], let next = arrays["next_observations"] else {
          return sum
        }
        return sum + NumpyRows.otherNext(now, next, [[0..<now.shape[0]]])
      }
      if others > 0 {
        notes.lost.append(
          "next_observations inside episodes where they are not the next row's observations, in "
            + "\(others) rows")
      }
    }
    self.notes = notes
  }

  private mutating func add(
    _ key: String, _ path: String, _ array: NumpyArray, _ axis: RowAxis, isDiscrete: Bool = false,
    isFlat: Bool = false
  ) {
    keys[path] = key
    columns[path] = SourceColumn(
      isDiscrete ? .int32 : array.type,
      rowShape: isDiscrete || isFlat ? [] : Array(array.shape.dropFirst()), axis: axis)
  }

  /// An episode's rows; throws if its arrays are not as the first's are.
  private static func check(
    _ arrays: [String: NumpyArray], like first: [String: NumpyArray], _ number: Int, _ url: URL
  ) throws(FileError) -> Int {
    let rows = arrays["observations"]?.shape[0] ?? 0
    let all = first["observations"]?.shape[0] ?? 0
    for (key, model) in first where model.shape[0] == all {
      guard let array = arrays[key], array.type == model.type,
        array.shape == [rows] + model.shape.dropFirst()
      else {
        throw .malformed(
          url.path,
          rule: "'\(shown(key))' of episode \(number) must be \(model.type.rawValue) of shape "
            + "\([rows] + model.shape.dropFirst())",
          found: arrays[key].map { "\($0.type.rawValue) of \($0.shape)" } ?? "none")
      }
    }
    if let actions = arrays["actions"] { try actions.checkAreActions(rows) }
    return rows
  }

  func table(
    of range: Range<Int>, only wanted: Set<String>?
  ) throws(FileError) -> TrajectoryTable {
    var table = TrajectoryTable(
      indices: range.map { Int64($0) }, lengths: Array(lengths[range]))
    for (path, key) in keys where wanted?.contains(path) ?? true {
      guard let described = columns[path] else { continue }
      var parts: [(column: TableColumn, rows: Range<Int>)] = []
      for (length, arrays) in zip(table.lengths, episodes[range]) {
        guard let array = arrays[key] else { continue }
        let rows = array.rows(0..<array.shape[0], leading: 1, axis: described.axis)
          .viewed(rowShape: described.rowShape, axis: described.axis)
        let isStates = described.axis == .states
        parts.append((rows, 0..<(isStates && !hasNext ? length + 1 : length)))
        if isStates, hasNext, let next = arrays["next_observations"] {
          let after = next.rows(0..<next.shape[0], leading: 1, axis: .states)
          parts.append((after, (length - 1)..<length))
        }
      }
      let column = TableColumn.gathered(parts)
      table[path] =
        column.type == described.type
        ? column
        : TableColumn(.int32, axis: .steps, column.integers().map { Int32(clamping: $0) })
    }
    for (column, values) in flags where wanted?.contains(column.rawValue) ?? true {
      table[column] = TableColumn(.uint8, axis: .episodes, Array(values[range]))
    }
    return table
  }
}
