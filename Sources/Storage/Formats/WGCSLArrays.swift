import Foundation
import GoalCore
import HDF5

/// The set of `.npy` files that WGCSL's converter makes for BCQ and CQL: one row for each step.
///
///     state.npy       [N, O + 2 G]   observation, desired goal, achieved goal before the step
///     next_state.npy  [N, O + 2 G]   the same after it
///     action.npy      [N, A]
///     reward.npy      [N, 1]
///     done.npy        [N, 1]         1 in the last row of each episode
///     not_done.npy    [N, 1]         1 − done
///
/// Widths do not say where a goal begins: that takes the world's task or the length of a goal. Of `done`
/// and `not_done` one is enough; they end episodes by time.
///
/// Source: github.com/YangRui2015/AWGCSL at d8f1c56, `convert_buffer_to_npy.py`. That script rewards the
/// state before the step; what is written here has the reward of the state after it, as the world gives
/// it.
struct WGCSLArrays: DatasetFormat {
  let name = "wgcsl-npy"
  let summary = "WGCSL's state.npy, next_state.npy, action.npy, reward.npy, done.npy"

  func recognizes(_ url: URL) -> Bool {
    let folder = WGCSLArrays.folder(of: url)
    return ["state.npy", "next_state.npy", "action.npy"].allSatisfy {
      FileManager.default.fileExists(atPath: folder.appendingPathComponent($0).path)
    }
  }

  func isMeant(by output: URL) -> Bool { false }

  func files(of url: URL) throws(StorageError) -> [URL] {
    let folder = WGCSLArrays.folder(of: url)
    return ["state", "next_state", "action", "reward", "done", "not_done"].map {
      folder.appendingPathComponent($0 + ".npy")
    }.filter { FileManager.default.fileExists(atPath: $0.path) }
  }

  func open(_ url: URL, _ options: FormatOptions) throws(StorageError) -> any EpisodeSource {
    try WGCSLSteps(WGCSLArrays.folder(of: url), options)
  }

  /// The folder, or that of one of its files.
  private static func folder(of url: URL) -> URL {
    url.pathExtension == "npy" ? url.deletingLastPathComponent() : url
  }

  func write(_ request: FormatRequest) throws(StorageError) -> ConversionNotes {
    let source = request.source
    let remedy = "name the world with --environment, or say when a goal is reached with --threshold"
    let observations = try request.needed(.observations, "every dataset has them")
    let achieved = try request.achieved()
    let desired = try request.needed(.desiredGoals, "the episodes were not collected with goals")
    let actions = try request.needed(.actions, "every dataset has them")
    let rewards = try request.needed(.rewards, remedy)
    let isWide = [observations, achieved, desired].contains { $0.type == .float64 }
    let type: HDF5Type = isWide ? .float64 : .float32
    let width = observations.width + desired.width + achieved.width
    let steps = source.steps

    let folder = try PartFolder(for: request.url)
    func add(
      _ name: String, _ type: HDF5Type, _ width: Int, _ columns: [ShardColumn],
      counting: Bool = false,
      _ rows: (EpisodeTable) -> TableColumn?
    ) throws(StorageError) {
      let writer = try NumpyWriter(
        folder.url.appendingPathComponent(name + ".npy"), type, shape: [steps, width])
      try request.forEachBlock(columns, counting: counting) { table throws(StorageError) in
        if let column = rows(table) { writer.file.append(column) }
        try writer.file.check()
      }
      try writer.commit()
    }
    for (name, offset) in [("state", 0), ("next_state", 1)] {
      let columns: [ShardColumn] = [.observations, .achievedGoals, .desiredGoals]
      try add(name, type, width, columns, counting: offset == 0) { table in
        guard let states = table[.observations], let goals = table[.desiredGoals] else {
          return nil
        }
        return WGCSLArrays.joined(
          table, [states, goals, table.achieved].map { $0.widened(isWide) }, offset: offset)
      }
    }
    try add("action", actions.type, actions.width, [.actions]) { $0[.actions] }
    try add("reward", rewards.type, 1, [.rewards]) { $0[.rewards] }
    for (name, last) in [("done", Float(1)), ("not_done", 0)] {
      try add(name, .float32, 1, []) { table in
        var flags = [Float](repeating: 1 - last, count: table.steps)
        for end in table.starts(on: .steps).dropFirst() { flags[end - 1] = last }
        return TableColumn(.float32, axis: .steps, flags)
      }
    }
    try folder.commit()

    var notes = ConversionNotes()
    let kept: [ShardColumn] = [
      .observations, .actions, .achievedGoals, .desiredGoals, .rewards,
    ]
    notes.lost = request.lost(but: Set(kept.map(\.rawValue)))
    notes.computed.append("done, 1 in the last row of each episode, however it ended")
    return notes
  }

  /// Rows of steps: an observation, a desired and an achieved goal each, of the state before the step or,
  /// with `offset` 1, after it.
  private static func joined(
    _ table: EpisodeTable, _ parts: [TableColumn], offset: Int
  ) -> TableColumn {
    let width = parts.reduce(0) { $0 + $1.width }
    let moves = table.goalsMove
    return TableColumn(parts[0].type, rowShape: [width], axis: .steps, rows: table.steps) {
      target in
      guard var place = target.baseAddress else { return }
      var state = 0
      for (episode, length) in table.lengths.enumerated() {
        for t in 0..<length {
          let row = state + t + offset
          for (number, part) in parts.enumerated() {
            let index = number == 1 && !moves ? episode : row
            let size = part.rowBytes
            if let base = part.bytes.baseAddress {
              place.copyMemory(from: base + index * size, byteCount: size)
            }
            place += size
          }
        }
        state += length + 1
      }
      withExtendedLifetime(parts) {}
    }
  }
}

/// Episodes of a set of files with a row for each step.
private struct WGCSLSteps: EpisodeSource {
  let lengths: [Int]
  let columns: [String: SourceColumn]
  let environment: String? = nil
  private(set) var notes: ConversionNotes
  private let state: NumpyArray
  private let next: NumpyArray
  private let action: NumpyArray
  private let reward: NumpyArray?
  private let starts: [Int]
  private let widths: (observation: Int, goal: Int)

  init(_ folder: URL, _ options: FormatOptions) throws(StorageError) {
    func open(_ name: String) throws(StorageError) -> NumpyArray {
      try NumpyFile.open(folder.appendingPathComponent(name + ".npy"))
    }
    func has(_ name: String) -> Bool {
      FileManager.default.fileExists(
        atPath: folder.appendingPathComponent(name + ".npy").path)
    }
    state = try open("state")
    next = try open("next_state")
    action = try open("action")
    try state.check(shape: [nil, nil], "[N, O + 2 G]")
    let (rows, width) = (state.shape[0], state.shape[1])
    try next.check(shape: [rows, width], "[\(rows), \(width)]")
    try action.check(shape: [rows, nil], "[\(rows), A]")
    for array in [state, next, action] { try array.checkIsFloat() }
    guard state.type == next.type else {
      throw .malformed(
        next.path, rule: "must have the elements of state.npy, \(state.type.rawValue)",
        found: next.type.rawValue)
    }
    reward = has("reward") ? try open("reward") : nil
    if let reward { try WGCSLSteps.checkFlat(reward, rows) }
    if let reward { try reward.checkIsFloat() }

    var notes = ConversionNotes()
    guard let goal = options.task?.spec.goal ?? options.goalLength else {
      throw .cannotConvert(
        state.path,
        reason:
          "its \(width) numbers are an observation and two goals: say how long a goal is with "
          + "--goal-length, or name the world with --environment")
    }
    guard goal > 0, width > 2 * goal else {
      throw .malformed(
        state.path, rule: "must have more numbers in a row than two goals of \(goal)",
        found: "\(width)")
    }
    widths = (width - 2 * goal, goal)

    let isDone = has("done")
    guard isDone || has("not_done") else { throw .missing(folder.path + "/done.npy") }
    let flags = try open(isDone ? "done" : "not_done")
    try WGCSLSteps.checkFlat(flags, rows)
    let values = flags.rows(0..<rows, leading: 1, axis: .steps)
    var starts = [0]
    for row in stride(from: 0, to: rows, by: 65_536) {
      let piece = values.slice(row..<min(row + 65_536, rows)).floats()
      for (place, value) in piece.enumerated() where (value != 0) == isDone {
        starts.append(row + place + 1)
      }
    }
    if starts.last != rows {
      notes.assumed.append("the last row ends an episode, though \(flags.name) does not say so")
      starts.append(rows)
    }
    self.starts = starts
    lengths = zip(starts, starts.dropFirst()).map { $1 - $0 }

    columns = [
      ShardColumn.observations.rawValue: SourceColumn(
        state.type, rowShape: [widths.observation], axis: .states),
      ShardColumn.achievedGoals.rawValue: SourceColumn(state.type, rowShape: [goal], axis: .states),
      ShardColumn.desiredGoals.rawValue: SourceColumn(
        state.type, rowShape: [goal], axis: .episodes),
      ShardColumn.actions.rawValue: SourceColumn(
        action.type, rowShape: [action.shape[1]], axis: .steps),
    ].merging(
      reward.map { [ShardColumn.rewards.rawValue: SourceColumn($0.type, axis: .steps)] } ?? [:]
    ) { first, _ in first }
    notes.assumed.append("a done step ends its episode by time, and is no terminal state")
    self.notes = notes
    self.notes = timed(notes, options)
  }

  private static func checkFlat(_ array: NumpyArray, _ rows: Int) throws(StorageError) {
    if array.shape.count == 1 { return try array.check(shape: [rows], "[\(rows)]") }
    try array.check(shape: [rows, 1], "[\(rows), 1]")
  }

  /// Adds what the first rewards show: which state they are of, and on which scale.
  private func timed(_ notes: ConversionNotes, _ options: FormatOptions) -> ConversionNotes {
    var notes = notes
    guard let reward, let task = options.task, task.spec.goal == widths.goal,
      let table = try? table(of: 0..<min(lengths.count, 100)),
      let achieved = table[.achievedGoals]?.floats(), let desired = table[.desiredGoals]?.floats()
    else {
      if reward != nil {
        notes.assumed.append(
          "rewards are of the state after the step; WGCSL's own are of that before")
      }
      return notes
    }
    let found = reward.rows(0..<table.steps, leading: 1, axis: .steps).floats()
    let shift: Float = (found.max() ?? 0) > 0.5 ? 1 : 0
    var matches = [0, 0]
    achieved.withUnsafeBufferPointer { achieved in
      desired.withUnsafeBufferPointer { desired in
        guard let a = achieved.baseAddress, let d = desired.baseAddress else { return }
        var (state, step) = (0, 0)
        for (episode, length) in table.lengths.enumerated() {
          for t in 0..<length {
            for offset in 0...1 {
              let value = task.reward(
                a + (state + t + offset) * widths.goal, d + episode * widths.goal)
              matches[offset] += value + shift == found[step + t] ? 1 : 0
            }
          }
          state += length + 1
          step += length
        }
      }
    }
    let scale = shift == 1 ? "0 and 1" : "-1 and 0"
    let share = { (count: Int) in "\(count) of the first \(table.steps)" }
    notes.assumed.append(
      matches[1] >= matches[0]
        ? "rewards are of the state after the step, on \(scale): \(share(matches[1])) agree"
        : "rewards are of the state before the step, on \(scale), as WGCSL's converter makes them: "
          + "\(share(matches[0])) agree; they are kept as they are")
    return notes
  }

  func table(
    of episodes: Range<Int>, only wanted: Set<String>?
  ) throws(StorageError) -> EpisodeTable {
    var table = EpisodeTable(
      indices: episodes.map { Int64($0) }, lengths: Array(lengths[episodes]))
    let range = starts[episodes.lowerBound]..<starts[episodes.upperBound]
    table[.actions] = action.rows(range, leading: 1, axis: .steps)
    if wanted == [ShardColumn.actions.rawValue] { return table }
    let before = state.rows(range, leading: 1, axis: .steps)
    let after = next.rows(range, leading: 1, axis: .steps)
    try check(before, after, table, firstRow: range.lowerBound)
    let (o, g) = widths
    table[.observations] = part(0, o, before, after, table)
    table[.achievedGoals] = part(o + g, g, before, after, table)
    let firsts = table.starts(on: .steps).dropLast()
    let rows = before.rowBytes
    let size = before.type.byteCount
    table[.desiredGoals] = TableColumn(
      before.type, rowShape: [g], axis: .episodes, rows: table.episodes
    ) { target in
      before.withBytes { bytes in
        for (episode, first) in firsts.enumerated() {
          let from = first * rows + o * size
          UnsafeMutableRawBufferPointer(rebasing: target[(episode * g * size)...]).copyMemory(
            from: UnsafeRawBufferPointer(rebasing: bytes[from..<(from + g * size)]))
        }
      }
    }
    if let reward {
      table[.rewards] = reward.rows(range, leading: 1, axis: .steps).viewed(
        rowShape: [], axis: .steps)
    }
    return table
  }

  /// Some numbers of the state before each step, and of the state after the last.
  private func part(
    _ first: Int, _ count: Int, _ before: TableColumn, _ after: TableColumn, _ table: EpisodeTable
  ) -> TableColumn {
    let (row, size) = (before.rowBytes, before.type.byteCount)
    return TableColumn(
      before.type, rowShape: [count], axis: .states, rows: table.steps + table.episodes
    ) { target in
      guard var place = target.baseAddress, let one = before.bytes.baseAddress,
        let two = after.bytes.baseAddress
      else { return }
      var step = 0
      for length in table.lengths {
        for t in 0...length {
          let from = t < length ? one + (step + t) * row : two + (step + t - 1) * row
          place.copyMemory(from: from + first * size, byteCount: count * size)
          place += count * size
        }
        step += length
      }
      withExtendedLifetime((before, after)) {}
    }
  }

  /// Throws unless each next state is the next row's state, and the goal stays.
  private func check(
    _ before: TableColumn, _ after: TableColumn, _ table: EpisodeTable, firstRow: Int
  ) throws(StorageError) {
    guard let one = before.bytes.baseAddress, let two = after.bytes.baseAddress else { return }
    let (row, size) = (before.rowBytes, before.type.byteCount)
    let goal = (widths.observation * size, widths.goal * size)
    var step = 0
    for length in table.lengths {
      for t in step..<(step + length) {
        let last = t == step + length - 1
        if !last, memcmp(two + t * row, one + (t + 1) * row, row) != 0 {
          throw .malformed(
            next.path,
            rule: "must have the state of the next row inside an episode, in row \(firstRow + t)",
            found: "another")
        }
        if memcmp(one + step * row + goal.0, two + t * row + goal.0, goal.1) != 0 {
          throw .cannotConvert(
            next.path,
            reason: "the desired goal changes inside an episode at row \(firstRow + t), which this "
              + "format is not read with")
        }
      }
      step += length
    }
    withExtendedLifetime((before, after)) {}
  }
}
