import Foundation
import GoalCore
import HDF5
import Storage
import Support

/// Episodes of a set of files with a row for each step.
struct WGCSLSteps: TrajectorySource {
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

  init(_ folder: URL, _ options: FormatOptions) throws(FileError) {
    func open(_ name: String) throws(FileError) -> NumpyArray {
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
    notes.computed += [state, next, action, reward].compactMap { $0?.conversion }
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
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let known = ["state", "next_state", "action", "reward", "done", "not_done"].map { $0 + ".npy" }
    for name in names.sorted() where name.hasSuffix(".npy") && !known.contains(name) {
      notes.lost.append("'\(shown(name))', which is none of the format's files")
    }
    if isDone, has("not_done") {
      notes.assumed.append("not_done.npy says what done.npy does, of which it is made")
    }
    self.notes = notes
    self.notes = timed(notes, options)
  }

  private static func checkFlat(_ array: NumpyArray, _ rows: Int) throws(FileError) {
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
  ) throws(FileError) -> TrajectoryTable {
    var table = TrajectoryTable(
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
    _ first: Int, _ count: Int, _ before: TableColumn, _ after: TableColumn,
    _ table: TrajectoryTable
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
    _ before: TableColumn, _ after: TableColumn, _ table: TrajectoryTable, firstRow: Int
  ) throws(FileError) {
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
