import Foundation
import GoalCore
import HDF5
import Storage
import Support
import Synchronization

/// WGCSL's `buffer.pkl`: a pickled dictionary of arrays over episodes of one length.
///
///     o   [E, T + 1, O]   observations
///     ag  [E, T + 1, G]   achieved goals
///     g   [E, T, G]       desired goals
///     u   [E, T, A]       actions
///
/// floats of 8 bytes as WGCSL writes them, of 4 as well; an array of integers `u` `[E, T, 1]` is
/// discrete actions. Other arrays over episodes become extras. The format has no rewards, seeds or
/// flags.
///
/// Source: github.com/YangRui2015/AWGCSL at d8f1c56, `wgcsl/algo/replay_buffer.py`; files of other
/// authors in the same layout are read as well.
struct WGCSLPickle: DatasetFormat {
  let name = "wgcsl-pickle"
  let summary = "WGCSL's buffer.pkl: o, ag, g and u over episodes of one length"

  func recognizes(_ url: URL) -> Bool {
    let first = firstBytes(of: url, 2)
    return first.count == 2 && first[0] == 0x80 && (2...5).contains(first[1])
  }

  func isMeant(by output: URL) -> Bool { ["pkl", "pickle"].contains(output.pathExtension) }

  func open(_ url: URL, _ options: FormatOptions) throws(FileError) -> any TrajectorySource {
    try WGCSLEpisodes(url, options)
  }

  func write(_ request: FormatRequest) throws(FileError) -> ConversionNotes {
    let length = try request.commonLength()
    let episodes = request.source.lengths.count
    let observations = try request.needed(.observations, "every dataset has them")
    let actions = try request.needed(.actions, "every dataset has them")
    let achieved = try request.achieved()
    let desired = try request.needed(
      .desiredGoals, "the episodes were not collected with goals")
    let extras = request.source.columns.filter { path, _ in
      path.hasPrefix("extra/") && !path.dropFirst(6).contains("/")
        && !["o", "ag", "g", "u"].contains(String(path.dropFirst(6)))
    }.sorted { $0.key < $1.key }

    func shape(_ column: SourceColumn) -> [Int] {
      switch column.axis {
      case .steps: [episodes, length] + column.rowShape
      case .states: [episodes, length + 1] + column.rowShape
      case .episodes: [episodes] + column.rowShape
      }
    }
    let integers = SourceColumn(.int64, rowShape: [1], axis: .steps)
    let taken = actions.isDiscrete ? integers : actions
    let arrays =
      [
        FlatArray(
          "o", observations.type, shape: shape(observations), .states, of: [.observations]
        ) { $0.known(.observations) },
        FlatArray("u", taken.type, shape: shape(taken), .steps, of: [.actions]) {
          $0.known(.actions).withWideActions()
        },
        FlatArray(
          "g", desired.type, shape: [episodes, length] + desired.rowShape, .steps,
          of: [.desiredGoals]
        ) { $0.desiredGoalsBySteps },
        FlatArray(
          "ag", achieved.type, shape: shape(achieved), .states, of: [.achievedGoals, .observations]
        ) { $0.achieved },
      ]
      + extras.map { path, column in
        FlatArray(
          String(path.dropFirst(6)), column.type, shape: shape(column), column.axis, of: [],
          and: path
        ) { $0.known(path) }
      }
    let file = try PartFile(for: request.url)
    let pickle = PickleWriter(file, isLong: arrays.contains { $0.byteCount >= 1 << 32 })
    let placed = arrays.map(pickle.add)
    pickle.finish()
    try file.check()
    try request.fill(placed)
    try file.commit()

    var notes = ConversionNotes()
    let kept: [ShardColumn] = [.observations, .actions, .achievedGoals, .desiredGoals]
    notes.lost = request.lost(but: Set(kept.map(\.rawValue) + extras.map(\.key)))
    if desired.axis == .states {
      notes.lost.append("the goal at each episode's last state, as g has a row for each step")
    }
    return notes
  }
}

/// Episodes of a WGCSL pickle.
private struct WGCSLEpisodes: TrajectorySource {
  let lengths: [Int]
  let columns: [String: SourceColumn]
  let environment: String? = nil
  let notes: ConversionNotes
  private let arrays: [(path: String, array: NumpyArray, leading: Int)]
  private let goals: NumpyArray
  private let length: Int

  init(_ url: URL, _ options: FormatOptions) throws(FileError) {
    let pickle = try PickleArrays(url, options)
    let observations = try pickle.array("o", in: url)
    let achieved = try pickle.array("ag", in: url)
    let actions = try pickle.array("u", in: url)
    goals = try pickle.array("g", in: url)
    try observations.check(shape: [nil, nil, nil], "[E, T + 1, O]")
    let (episodes, states) = (observations.shape[0], observations.shape[1])
    guard states > 1 else {
      throw .malformed(url.path, rule: "'o' must have 2 states an episode or more", found: "1")
    }
    length = states - 1
    try achieved.check(shape: [episodes, states, nil], "[\(episodes), \(states), G]")
    try actions.check(shape: [episodes, length, nil], "[\(episodes), \(length), A]")
    try goals.check(
      shape: [episodes, length, achieved.shape[2]], "[\(episodes), \(length), \(achieved.shape[2])]"
    )
    for array in [observations, achieved, goals] { try array.checkIsFloat() }
    let isDiscrete = ![.float32, .float64].contains(actions.type)
    guard !isDiscrete || actions.shape[2] == 1 else {
      throw .malformed(
        url.path, rule: "'u' of integers must have one an action", found: "\(actions.shape[2])")
    }
    lengths = Array(repeating: length, count: episodes)

    var notes = ConversionNotes()
    var columns: [String: SourceColumn] = [:]
    var arrays: [(path: String, array: NumpyArray, leading: Int)] = []
    func add(_ path: String, _ array: NumpyArray, _ axis: RowAxis, rowShape: [Int]? = nil) {
      let leading = axis == .episodes ? 1 : 2
      columns[path] = SourceColumn(
        array.type, rowShape: rowShape ?? Array(array.shape[leading...]), axis: axis)
      arrays.append((path, array, leading))
    }
    add(ShardColumn.observations.rawValue, observations, .states)
    add(ShardColumn.achievedGoals.rawValue, achieved, .states)
    add(ShardColumn.actions.rawValue, actions, .steps)
    if isDiscrete { columns[ShardColumn.actions.rawValue] = SourceColumn(.int32, axis: .steps) }
    for (key, array) in pickle.arrays where !["o", "ag", "g", "u"].contains(key) {
      guard isColumnName(key), array.shape[0] == episodes else {
        notes.lost.append(
          "'\(shown(key))', an array of shape \(array.shape), which is not over episodes, or has no plain name"
        )
        continue
      }
      let axis: RowAxis =
        array.shape.count < 2
        ? .episodes
        : array.shape[1] == length ? .steps : array.shape[1] == states ? .states : .episodes
      add("extra/" + key, array, axis)
    }
    notes.computed += pickle.conversions
    for (key, kind) in pickle.others { notes.lost.append("'\(key)', \(kind)") }

    // Goals have a row for each step; most are the same all along.
    let all = goals
    let steps = length
    let moves = Mutex(false)
    let blocks = stride(from: 0, to: episodes, by: 256).map { $0..<min($0 + 256, episodes) }
    try Parallel.forEach(blocks.count, threads: options.threads) { index throws(FileError) in
      if !WGCSLEpisodes.areConstant(all, blocks[index], steps) { moves.withLock { $0 = true } }
    }
    let goalsMove = moves.withLock { $0 }
    columns[ShardColumn.desiredGoals.rawValue] = SourceColumn(
      goals.type, rowShape: [goals.shape[2]], axis: goalsMove ? .states : .episodes)
    if goalsMove {
      notes.assumed.append("the goal at an episode's last state is that of its last step")
    }
    self.notes = notes
    self.columns = columns
    self.arrays = arrays
  }

  private static func areConstant(
    _ goals: NumpyArray, _ episodes: Range<Int>, _ length: Int
  ) -> Bool {
    let rows = goals.rows(episodes, leading: 2, axis: .steps)
    return rows.withBytes { bytes in
      guard let base = bytes.baseAddress else { return true }
      let row = rows.rowBytes
      // All rows are the first if each is the one before it.
      return stride(from: 0, to: bytes.count, by: row * length).allSatisfy {
        memcmp(base + $0, base + $0 + row, row * (length - 1)) == 0
      }
    }
  }

  func table(
    of episodes: Range<Int>, only wanted: Set<String>?
  ) throws(FileError) -> TrajectoryTable {
    var table = TrajectoryTable(
      indices: episodes.map { Int64($0) }, lengths: Array(lengths[episodes]))
    for (path, array, leading) in arrays where wanted?.contains(path) ?? true {
      guard let described = columns[path] else { continue }
      let rows = array.rows(episodes, leading: leading, axis: described.axis)
      table[path] =
        described.type == rows.type
        ? rows
        : TableColumn(
          .int32, axis: described.axis,
          rows.integers().map { Int32(clamping: $0) })
    }
    guard wanted?.contains(ShardColumn.desiredGoals.rawValue) ?? true else { return table }
    let rows = goals.rows(episodes, leading: 2, axis: .steps)
    let starts = stride(from: 0, to: episodes.count * length, by: length)
    if columns[ShardColumn.desiredGoals.rawValue]?.axis == .states {
      table[.desiredGoals] = rows.gathered(
        starts.lazy.flatMap { [$0..<($0 + length), ($0 + length - 1)..<($0 + length)] },
        count: episodes.count * (length + 1), axis: .states)
    } else {
      table[.desiredGoals] = rows.gathered(
        starts.lazy.map { $0..<($0 + 1) }, count: episodes.count, axis: .episodes)
    }
    return table
  }
}
