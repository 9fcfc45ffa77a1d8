import Foundation
import GoalCore
import SafeHDF5
import Storage
import Support

// What D4RL's rows say: where episodes end, whether goals stay, whether states follow each other.

extension D4RLOpening {
  static func group(
    _ path: String, _ root: SafeGroup
  ) throws(FileError) -> SafeGroup? {
    var group = root
    for part in path.split(separator: "/") {
      guard group.contains(String(part)), try group.isGroup(String(part)) else { return nil }
      group = try group.group(String(part))
    }
    return group
  }

  /// Where episodes end, as the row after, and how.
  static func ends(
    _ terminals: SafeDataset, _ timeouts: SafeDataset?, _ options: FormatOptions,
    _ notes: inout ConversionNotes
  ) throws(FileError) -> [(row: Int, terminated: Bool, truncated: Bool)] {
    let name = terminals.fileName
    let count = terminals.rows
    guard count > 0 else { throw .cannotConvert(name, reason: "it has no steps") }
    for dataset in [terminals, timeouts].compactMap({ $0 }) {
      guard dataset.type != nil, dataset.rows == count, !dataset.shape.isEmpty,
        dataset.rowShape.allSatisfy({ $0 == 1 })
      else {
        throw .wrongShape(
          file: name, dataset: dataset.path, expected: [count], found: dataset.shape)
      }
      guard count <= options.maximumBytes else {
        throw .cannotConvert(
          name, reason: "it has \(count) rows, and --max-bytes allows \(options.maximumBytes) bytes"
        )
      }
    }
    var horizon: Int?
    if options.ends == .timeouts, timeouts == nil {
      throw .cannotConvert(name, reason: "--ends timeouts takes timeouts, and it has none")
    }
    var ignored: (count: Int, first: Int) = (0, 0)
    if options.ends != .both {
      notes.assumed.append(
        "episodes end at \(options.ends.rawValue) and with the file, as --ends says")
    } else if timeouts == nil {
      horizon = options.task?.spec.horizon
      notes.assumed.append(
        horizon.map {
          "episodes also end after \($0) steps, the world's horizon, as the file has no timeouts"
        }
          ?? "episodes end at terminals and with the file, as it has no timeouts")
    }
    var ends: [(row: Int, terminated: Bool, truncated: Bool)] = []
    var start = 0
    for first in stride(from: 0, to: count, by: 1 << 20) {
      let part = first..<min(first + 1 << 20, count)
      let terminated = try numbers(terminals, part)
      let truncated = try timeouts.map { timeouts throws(FileError) in
        try numbers(timeouts, part)
      }
      for row in part {
        let ended = terminated[row - first] != 0
        let cut = truncated.map { $0[row - first] != 0 } ?? (row + 1 - start == horizon && !ended)
        let isEnd =
          switch options.ends {
          case .both: ended || cut
          case .timeouts: cut
          case .terminals: ended
          }
        if (ended || cut) && !isEnd {
          ignored = (ignored.count + 1, ignored.count == 0 ? row : ignored.first)
        }
        guard isEnd else { continue }
        ends.append((row + 1, ended, cut))
        start = row + 1
      }
    }
    if ignored.count > 0 {
      notes.lost.append(
        "\(options.ends == .timeouts ? "terminals" : "timeouts") of \(ignored.count) rows inside of episodes, "
          + "which go on there, first row \(ignored.first)")
    }
    if start < count {
      ends.append((count, false, true))
      notes.assumed.append(
        "the last \(count - start) rows, which no flag ends, are an episode that was cut off by time"
      )
    }
    return ends
  }

  static func numbers(
    _ dataset: SafeDataset, _ rows: Range<Int>
  ) throws(FileError) -> [Int] { try column(dataset, rows, .steps).integers() }

  /// Some rows of a dataset, where they lie or in memory of their own.
  static func column(
    _ dataset: SafeDataset, _ rows: Range<Int>, _ axis: RowAxis
  ) throws(FileError) -> TableColumn {
    guard let type = dataset.type else { preconditionFailure("only datasets of numbers are read") }
    if let bytes = try dataset.stored(rows) {
      return TableColumn(
        type, rowShape: dataset.rowShape, axis: axis, bytes: bytes, owner: dataset.owner)
    }
    let memory = try dataset.copied(rows)
    return TableColumn(
      type, rowShape: dataset.rowShape, axis: axis, bytes: UnsafeRawBufferPointer(memory.bytes),
      owner: memory)
  }

  /// Runs of whole episodes of some 100,000 rows.
  static func runs(_ rows: [Int]) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    var start = 0
    for episode in 1..<rows.count
    where rows[episode] - rows[start] >= 100_000 || episode == rows.count - 1 {
      runs.append(start..<episode)
      start = episode
    }
    return runs
  }

  /// Whether a goal stays the same in every episode.
  static func isConstant(
    _ goals: SafeDataset, _ rows: [Int], _ options: FormatOptions
  ) throws(FileError) -> Bool {
    let runs = runs(rows)
    let moves = Counter()
    try Parallel.forEach(runs.count, threads: options.threads) { place throws(FileError) in
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
  static func checkShift(
    _ now: SafeDataset, _ next: SafeDataset, _ rows: [Int], _ options: FormatOptions
  ) throws(FileError) -> Int {
    let runs = runs(rows)
    let others = Counter()
    try Parallel.forEach(runs.count, threads: options.threads) { place throws(FileError) in
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
}
