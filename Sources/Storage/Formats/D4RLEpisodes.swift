import Foundation
import GoalCore
import HDF5

/// Episodes of a D4RL file.
struct D4RLEpisodes: EpisodeSource {
  let lengths: [Int]
  let columns: [String: SourceColumn]
  private(set) var notes: ConversionNotes
  let environment: String? = nil
  /// Rows of the file before each episode, and in all; an episode may leave its last row out.
  private let rows: [Int]
  private let datasets: [String: Stored]
  private let flags: (terminated: [UInt8], truncated: [UInt8])
  private let file: ForeignFile

  /// A dataset of the file, and how a column comes of it.
  private struct Stored: Sendable {
    enum Kind: Sendable {
      /// A row for each step of the file.
      case steps
      /// A row for each step; the last state's is that after an episode's last step.
      case states(next: ForeignDataset)
      /// A row for each step, of which an episode's last is repeated.
      case repeated
      /// A row for each step, of which the episode's last belongs to its last state.
      case statesInRows
      /// A row for each episode, the first of its steps.
      case firsts
      /// A column of ours, with its own rows.
      case own
    }
    let dataset: ForeignDataset
    let kind: Kind
  }

  init(_ url: URL, _ options: FormatOptions) throws(StorageError) {
    let (file, root) = try reading { () throws(HDF5Error) in
      let file = try ForeignFile(contentsOf: url)
      return (file, try file.root())
    }
    self.file = file
    func dataset(_ path: String) throws(StorageError) -> ForeignDataset {
      guard let found = try EpisodeGroups.dataset(path, in: root) else {
        throw .missingDataset(file: url.path, dataset: path)
      }
      return found
    }
    var notes = ConversionNotes()
    let terminals = try dataset("terminals")
    let count = terminals.rows
    let timeouts = root.contains("timeouts") ? try dataset("timeouts") : nil
    let ends = try D4RLEpisodes.ends(terminals, timeouts, options, &notes)
    let hasNext = root.contains("next_observations")
    let all = zip([0] + ends.map(\.row), ends).map { $1.row - $0 }

    var kept = all
    if !hasNext {
      kept = all.map { $0 - 1 }
      let short = kept.count { $0 == 0 }
      guard short == 0 else {
        throw .cannotConvert(
          url.path,
          reason: "\(short) of \(all.count) episodes have one row and there are no next_observations, "
            + "so no step of which both states are known")
      }
      notes.lost.append(
        "the action and reward of each episode's last row, as there are no next_observations to say where "
          + "it led; so every episode is cut off by time")
    }
    lengths = kept
    rows = [0] + ends.map(\.row)
    flags = (
      ends.map { hasNext && $0.terminated ? 1 : 0 },
      ends.map { !hasNext || $0.truncated ? 1 : 0 }
    )

    var columns: [String: SourceColumn] = [:]
    var datasets: [String: Stored] = [:]
    func add(
      _ path: String, _ dataset: ForeignDataset, _ kind: Stored.Kind, _ axis: RowAxis,
      rows: Int, flat: Bool = false
    ) throws(StorageError) {
      guard let type = dataset.type else {
        throw .wrongType(
          file: url.path, dataset: dataset.path, expected: "numbers",
          found: dataset.typeDescription)
      }
      guard !dataset.shape.isEmpty, dataset.rows == rows, !dataset.rowShape.contains(0),
        !flat || dataset.rowShape.allSatisfy({ $0 == 1 })
      else {
        throw .wrongShape(
          file: url.path, dataset: dataset.path,
          expected: [rows] + (flat ? [] : dataset.rowShape), found: dataset.shape)
      }
      columns[path] = SourceColumn(type, rowShape: flat ? [] : dataset.rowShape, axis: axis)
      datasets[path] = Stored(dataset: dataset, kind: kind)
    }

    let observations = try dataset("observations")
    let isVector = observations.shape.count == 2
    guard isVector, observations.type == .float32 || observations.type == .float64 else {
      throw .cannotConvert(
        url.path,
        reason: "'observations' must be rows of floats, found \(observations.typeDescription) of shape "
          + "\(observations.shape)")
    }
    let next = hasNext ? try dataset("next_observations") : nil
    if let next, next.shape != observations.shape || next.type != observations.type {
      throw .wrongShape(
        file: url.path, dataset: next.path, expected: observations.shape, found: next.shape)
    }
    try add(
      ShardColumn.observations.rawValue, observations,
      next.map { .states(next: $0) } ?? .statesInRows, .states, rows: count)
    let actions = try dataset("actions")
    let isDiscrete = actions.type != .float32 && actions.type != .float64
    try add(
      ShardColumn.actions.rawValue, actions, .steps, .steps, rows: count, flat: isDiscrete)
    if isDiscrete { columns[ShardColumn.actions.rawValue] = SourceColumn(.int32, axis: .steps) }
    let rewards = try dataset("rewards")
    try add(ShardColumn.rewards.rawValue, rewards, .steps, .steps, rows: count, flat: true)
    if rewards.type != .float32, rewards.type != .float64 {
      columns[ShardColumn.rewards.rawValue] = SourceColumn(.float64, axis: .steps)
      notes.computed.append("rewards as f64, which were \(rewards.typeDescription)")
    }

    // What is below metadata/goalpost is ours, and goes before what can be worked out.
    var isOwnGoal = false
    if let own = try D4RLEpisodes.group(D4RL.rest, root) {
      for axis in [RowAxis.steps, .states, .episodes] {
        guard let place = try D4RLEpisodes.group(axis.rawValue, own) else { continue }
        let total = kept.reduce(0, +)
        let rows = axis == .steps ? total : axis == .states ? total + kept.count : kept.count
        for path in try EpisodeGroups.datasets(below: place) {
          guard let found = try EpisodeGroups.dataset(path, in: place) else { continue }
          try add(path, found, .own, axis, rows: rows)
          if path == ShardColumn.desiredGoals.rawValue { isOwnGoal = true }
        }
      }
    }
    for path in try EpisodeGroups.datasets(below: root) {
      let isKnown = [
        "observations", "next_observations", "actions", "rewards", "terminals", "timeouts",
      ].contains(path)
      if isKnown || path.hasPrefix(D4RL.rest + "/") { continue }
      let found = try dataset(path)
      let isRows = found.shape.first == count && !found.rowShape.contains(0)
      if path == "infos/goal", isRows, found.shape.count == 2,
        found.type == .float32 || found.type == .float64
      {
        if isOwnGoal { continue }
        let stays = try D4RLEpisodes.isConstant(found, rows, options)
        try add(
          ShardColumn.desiredGoals.rawValue, found,
          stays ? .firsts : hasNext ? .repeated : .statesInRows, stays ? .episodes : .states,
          rows: count)
        if !stays, hasNext {
          notes.assumed.append("the goal at an episode's last state is that of its last step")
        }
      } else if path.hasPrefix("infos/"), isRows, found.type != nil {
        try add("extra/" + path.dropFirst(6), found, .steps, .steps, rows: count)
      } else {
        notes.lost.append(
          "'\(path)', \(found.typeDescription) of shape \(found.shape), which is not a row of numbers for "
            + "each step")
      }
    }
    for (path, axis) in [(ShardColumn.terminated, RowAxis.episodes), (.truncated, .episodes)] {
      columns[path.rawValue] = SourceColumn(.uint8, axis: axis)
    }
    let bytes = columns.values.reduce(0) { sum, column in
      sum + (count + kept.count) * column.width * column.type.byteCount
    }
    guard bytes <= options.maximumBytes else {
      throw .cannotConvert(
        url.path,
        reason: "it unpacks to \(bytes) bytes, and --max-bytes allows \(options.maximumBytes)")
    }
    self.columns = columns
    self.datasets = datasets
    self.notes = notes
    if let next {
      let others = try D4RLEpisodes.checkShift(observations, next, rows, options)
      if others > 0 {
        self.notes.lost.append(
          "next_observations inside episodes where they are not the next row's observations, in "
            + "\(others) rows")
      }
    }
  }

  private static func group(
    _ path: String, _ root: ForeignGroup
  ) throws(StorageError) -> ForeignGroup? {
    try reading { () throws(HDF5Error) in
      var group = root
      for part in path.split(separator: "/") {
        guard group.contains(String(part)), try group.isGroup(String(part)) else { return nil }
        group = try group.group(String(part))
      }
      return group
    }
  }

  /// Where episodes end, as the row after, and how.
  private static func ends(
    _ terminals: ForeignDataset, _ timeouts: ForeignDataset?, _ options: FormatOptions,
    _ notes: inout ConversionNotes
  ) throws(StorageError) -> [(row: Int, terminated: Bool, truncated: Bool)] {
    let name = terminals.fileName
    let count = terminals.rows
    guard count > 0 else { throw .cannotConvert(name, reason: "there are no steps in it") }
    for dataset in [terminals, timeouts].compactMap({ $0 }) {
      guard dataset.type != nil, dataset.rows == count, !dataset.shape.isEmpty,
        dataset.rowShape.allSatisfy({ $0 == 1 })
      else {
        throw .wrongShape(
          file: name, dataset: dataset.path, expected: [count], found: dataset.shape)
      }
      guard count <= options.maximumBytes else {
        throw .cannotConvert(
          name, reason: "it has \(count) rows, and --max-bytes allows \(options.maximumBytes) bytes")
      }
    }
    var horizon: Int?
    if timeouts == nil {
      horizon = options.task?.spec.horizon
      notes.assumed.append(
        horizon.map { "episodes also end after \($0) steps, the world's horizon, as there are no timeouts" }
          ?? "episodes end at terminals and with the file, as there are no timeouts")
    }
    var ends: [(row: Int, terminated: Bool, truncated: Bool)] = []
    var start = 0
    for first in stride(from: 0, to: count, by: 1 << 20) {
      let part = first..<min(first + 1 << 20, count)
      let terminated = try numbers(terminals, part)
      let truncated = try timeouts.map { timeouts throws(StorageError) in
        try numbers(timeouts, part)
      }
      for row in part {
        let ended = terminated[row - first] != 0
        let cut = truncated.map { $0[row - first] != 0 } ?? (row + 1 - start == horizon && !ended)
        guard ended || cut else { continue }
        ends.append((row + 1, ended, cut))
        start = row + 1
      }
    }
    if start < count {
      ends.append((count, false, true))
      notes.assumed.append(
        "the last \(count - start) rows, which no flag ends, are an episode that was cut off by time")
    }
    return ends
  }

  private static func numbers(
    _ dataset: ForeignDataset, _ rows: Range<Int>
  ) throws(StorageError) -> [Int] { try column(dataset, rows, .steps).integers() }

  /// Some rows of a dataset, where they lie or in memory of their own.
  private static func column(
    _ dataset: ForeignDataset, _ rows: Range<Int>, _ axis: RowAxis
  ) throws(StorageError) -> TableColumn {
    guard let type = dataset.type else { preconditionFailure("only datasets of numbers are read") }
    return try reading { () throws(HDF5Error) in
      if let bytes = try dataset.stored(rows) {
        return TableColumn(
          type, rowShape: dataset.rowShape, axis: axis, bytes: bytes, owner: dataset.owner)
      }
      let memory = ColumnMemory(count: rows.count * dataset.rowBytes)
      try dataset.read(rows, into: memory.bytes)
      return TableColumn(
        type, rowShape: dataset.rowShape, axis: axis, bytes: UnsafeRawBufferPointer(memory.bytes),
        owner: memory)
    }
  }

  /// Runs of whole episodes of some 100,000 rows.
  private static func runs(_ rows: [Int]) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    var start = 0
    for episode in 1..<rows.count where rows[episode] - rows[start] >= 100_000 || episode == rows.count - 1 {
      runs.append(start..<episode)
      start = episode
    }
    return runs
  }

  /// Whether a goal stays the same in every episode.
  private static func isConstant(
    _ goals: ForeignDataset, _ rows: [Int], _ options: FormatOptions
  ) throws(StorageError) -> Bool {
    let runs = runs(rows)
    let moves = Counter()
    try forEachInParallel(runs.count, threads: options.threads) { place throws(StorageError) in
      if moves.value > 0 { return }
      let run = runs[place]
      let column = try column(goals, rows[run.lowerBound]..<rows[run.upperBound], .steps)
      let size = column.rowBytes
      column.withBytes { bytes in
        for episode in run {
          let start = (rows[episode] - rows[run.lowerBound]) * size
          let count = (rows[episode + 1] - rows[episode] - 1) * size
          if let base = bytes.baseAddress, memcmp(base + start, base + start + size, count) != 0 {
            moves.add(1)
            return
          }
        }
      }
    }
    return moves.value == 0
  }

  /// Rows inside episodes whose next state is not the next row's.
  private static func checkShift(
    _ now: ForeignDataset, _ next: ForeignDataset, _ rows: [Int], _ options: FormatOptions
  ) throws(StorageError) -> Int {
    let runs = runs(rows)
    let others = Counter()
    try forEachInParallel(runs.count, threads: options.threads) { place throws(StorageError) in
      let run = runs[place]
      let range = rows[run.lowerBound]..<rows[run.upperBound]
      let (now, next) = (try column(now, range, .steps), try column(next, range, .steps))
      let size = now.rowBytes
      var count = 0
      now.withBytes { now in
        next.withBytes { next in
          guard let now = now.baseAddress, let next = next.baseAddress else { return }
          for episode in run {
            for row in rows[episode]..<(rows[episode + 1] - 1) {
              let place = (row - range.lowerBound) * size
              if memcmp(next + place, now + place + size, size) != 0 { count += 1 }
            }
          }
        }
      }
      others.add(count)
    }
    return others.value
  }

  func table(
    of episodes: Range<Int>, only wanted: Set<String>?
  ) throws(StorageError) -> EpisodeTable {
    var table = EpisodeTable(
      indices: episodes.map { Int64($0) }, lengths: Array(lengths[episodes]))
    let range = rows[episodes.lowerBound]..<rows[episodes.upperBound]
    // Where each episode's rows begin in what is read, how many it keeps, and how many it has.
    let spans = episodes.map { (rows[$0] - range.lowerBound, lengths[$0], rows[$0 + 1] - rows[$0]) }
    let states = table.rows(of: .states)
    for (path, stored) in datasets where wanted?.contains(path) ?? true {
      guard let described = columns[path] else { continue }
      if case .own = stored.kind {
        let before = lengths[..<episodes.lowerBound].reduce(0, +)
        let first =
          switch described.axis {
          case .steps: before
          case .states: before + episodes.lowerBound
          case .episodes: episodes.lowerBound
          }
        table[path] = try D4RLEpisodes.column(
          stored.dataset, first..<(first + table.rows(of: described.axis)), described.axis)
        continue
      }
      let read = try D4RLEpisodes.column(stored.dataset, range, .steps)
      let column: TableColumn
      switch stored.kind {
      case .steps:
        column =
          spans.allSatisfy { $0.1 == $0.2 }
          ? read
          : read.gathered(
            spans.lazy.map { $0.0..<($0.0 + $0.1) }, count: table.steps, axis: .steps)
      case .statesInRows:
        column = read.viewed(rowShape: read.rowShape, axis: .states)
      case .repeated:
        column = read.gathered(
          spans.lazy.flatMap { [$0.0..<($0.0 + $0.1), ($0.0 + $0.1 - 1)..<($0.0 + $0.1)] },
          count: states, axis: .states)
      case .firsts:
        column = read.gathered(
          spans.lazy.map { $0.0..<($0.0 + 1) }, count: table.episodes, axis: .episodes)
      case .states(let next):
        let after = try D4RLEpisodes.column(next, range, .steps)
        column = .gathered(
          spans.flatMap {
            [
              (read.viewed(rowShape: read.rowShape, axis: .states), $0.0..<($0.0 + $0.1)),
              (after, ($0.0 + $0.1 - 1)..<($0.0 + $0.1)),
            ]
          })
      case .own: preconditionFailure("these were read above")
      }
      table[path] = try column.viewed(rowShape: described.rowShape, axis: described.axis).converted(
        to: described.type, file: file.name, path: stored.dataset.path)
    }
    let known: [(ShardColumn, [UInt8])] = [
      (.terminated, flags.terminated), (.truncated, flags.truncated),
    ]
    for (column, flags) in known where wanted?.contains(column.rawValue) ?? true {
      table[column] = TableColumn(.uint8, axis: .episodes, Array(flags[episodes]))
    }
    return table
  }
}
