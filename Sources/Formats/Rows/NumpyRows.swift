import HDF5
import Storage
import Support

/// Episodes of arrays of numpy that have a row for each step, or for each state, of all episodes.
struct NumpyRows: TrajectorySource {
  /// Where an episode's rows lie, in order.
  typealias Rows = [Range<Int>]

  /// An array, and the column that comes of it.
  struct Part: Sendable {
    let path: String
    let array: NumpyArray
    /// The state after each step, of an array of states that has a row for each step.
    let next: NumpyArray?
    /// The use of an episode's rows.
    let kind: Kind
    /// Axes that count rows.
    let leading: Int

    enum Kind: Sendable {
      /// A row for each step; rows of states have one more, which is left out.
      case steps
      /// A row for each state.
      case states
      /// The last row of each episode.
      case lasts
      /// The first row of each episode.
      case firsts
      /// A row for each step, of which the last is repeated.
      case repeated
    }

    init(
      _ path: String, _ array: NumpyArray, _ kind: Kind, next: NumpyArray? = nil, leading: Int = 1
    ) {
      self.path = path
      self.array = array
      self.kind = kind
      self.next = next
      self.leading = leading
    }

    var axis: RowAxis {
      switch kind {
      case .steps: .steps
      case .states, .repeated: .states
      case .lasts, .firsts: .episodes
      }
    }
  }

  let lengths: [Int]
  let columns: [String: SourceColumn]
  let environment: String? = nil
  let notes: ConversionNotes
  private let parts: [Part]
  private let rows: [Rows]
  private let flags: [ShardColumn: [UInt8]]

  /// Makes a source; each episode has a row for each step, or one more with `hasLastRows`.
  init(
    _ parts: [Part], rows: [Rows], hasLastRows: Bool, flags: [ShardColumn: [UInt8]] = [:],
    notes: ConversionNotes
  ) {
    self.parts = parts
    self.rows = rows
    self.flags = flags
    self.notes = notes
    lengths = rows.map { rows in rows.reduce(0) { $0 + $1.count } - (hasLastRows ? 1 : 0) }
    var columns: [String: SourceColumn] = [:]
    for part in parts {
      let isFlat = part.path == ShardColumn.rewards.rawValue
      let isDiscrete = NumpyRows.isDiscrete(part)
      columns[part.path] = SourceColumn(
        isDiscrete ? .int32 : part.array.type,
        rowShape: isFlat || isDiscrete ? [] : Array(part.array.shape[part.leading...]),
        axis: part.axis)
    }
    for column in flags.keys {
      columns[column.rawValue] = SourceColumn(.uint8, axis: .episodes)
    }
    self.columns = columns
  }

  /// Whether an array holds the numbers of actions.
  private static func isDiscrete(_ part: Part) -> Bool {
    let isAction = [ShardColumn.actions.rawValue, "extra/last_actions"].contains(part.path)
    return isAction && ![.float32, .float64].contains(part.array.type)
  }

  func table(
    of episodes: Range<Int>, only wanted: Set<String>?
  ) throws(FileError) -> TrajectoryTable {
    var table = TrajectoryTable(
      indices: episodes.map { Int64($0) }, lengths: Array(lengths[episodes]))
    let all = rows[episodes].flatMap { $0 }
    let low = all.map(\.lowerBound).min() ?? 0
    let high = all.map(\.upperBound).max() ?? 0
    let counts = rows[episodes].map { $0.reduce(0) { $0 + $1.count } }
    let total = counts.reduce(0, +)
    // Rows that lie one after the other are read in place.
    let isInPlace = zip(all, all.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound }
    func read(_ array: NumpyArray, _ leading: Int) -> TableColumn {
      // With two leading axes a row of the first counts for several, so all are read.
      let second = leading == 2 ? array.shape[1] : 1
      let first = low / second
      let column = array.rows(
        first..<((high + second - 1) / second), leading: leading, axis: .steps)
      let shift = first * second
      if isInPlace { return column.slice((low - shift)..<(high - shift)) }
      return column.gathered(
        all.lazy.map { ($0.lowerBound - shift)..<($0.upperBound - shift) }, count: total,
        axis: .steps)
    }
    var starts = [0]
    for count in counts { starts.append(starts[starts.count - 1] + count) }
    let spans = zip(starts, table.lengths)
    for part in parts where wanted?.contains(part.path) ?? true {
      guard let described = columns[part.path] else { continue }
      let found = read(part.array, part.leading)
      let column: TableColumn
      switch part.kind {
      case .steps where total == table.steps: column = found
      case .steps:
        column = found.gathered(
          spans.lazy.map { $0..<($0 + $1) }, count: table.steps, axis: .steps)
      case .states:
        if let next = part.next {
          let after = read(next, part.leading)
          column = .gathered(
            spans.flatMap { [(found, $0..<($0 + $1)), (after, ($0 + $1 - 1)..<($0 + $1))] })
        } else {
          column = found
        }
      case .lasts:
        column = found.gathered(
          starts.dropFirst().lazy.map { ($0 - 1)..<$0 }, count: table.episodes, axis: .episodes)
      case .firsts:
        column = found.gathered(
          starts.dropLast().lazy.map { $0..<($0 + 1) }, count: table.episodes, axis: .episodes)
      case .repeated:
        column = found.gathered(
          spans.lazy.flatMap { [$0..<($0 + $1), ($0 + $1 - 1)..<($0 + $1)] },
          count: table.rows(of: .states), axis: .states)
      }
      let viewed = column.viewed(rowShape: described.rowShape, axis: described.axis)
      table[part.path] =
        described.type == viewed.type
        ? viewed
        : TableColumn(
          .int32, axis: described.axis, viewed.integers().map { Int32(clamping: $0) })
    }
    for (column, values) in flags where wanted?.contains(column.rawValue) ?? true {
      table[column] = TableColumn(.uint8, axis: .episodes, Array(values[episodes]))
    }
    return table
  }

  /// Rows inside of episodes whose next state is not the next row's.
  static func otherNext(
    _ now: NumpyArray, _ next: NumpyArray, _ rows: [Rows], leading: Int = 1
  ) -> Int {
    guard now.type == next.type, now.shape == next.shape else { return 0 }
    let second = leading == 2 ? now.shape[1] : 1
    var count = 0
    for range in rows.joined() where range.count > 1 {
      let first = range.lowerBound / second
      let entries = first..<((range.upperBound + second - 1) / second)
      let place = (range.lowerBound - first * second)
      let before = now.rows(entries, leading: leading, axis: .steps)
      let after = next.rows(entries, leading: leading, axis: .steps)
      for row in place..<(place + range.count - 1)
      where !after.slice(row..<(row + 1)).bytes.elementsEqual(
        before.slice((row + 1)..<(row + 2)).bytes)
      {
        count += 1
      }
      withExtendedLifetime((before, after)) {}
    }
    return count
  }

  /// Rows of episodes in which two arrays differ.
  static func otherRows(
    _ one: NumpyArray, _ two: NumpyArray, _ rows: [Rows], leading: Int = 1
  ) -> Int {
    guard one.type == two.type, one.shape == two.shape else { return 0 }
    let (a, b) = (
      one.rows(0..<one.shape[0], leading: leading, axis: .steps),
      two.rows(0..<two.shape[0], leading: leading, axis: .steps)
    )
    defer { withExtendedLifetime((a, b)) {} }
    return rows.joined().joined().count { row in
      !a.slice(row..<(row + 1)).bytes.elementsEqual(b.slice(row..<(row + 1)).bytes)
    }
  }

  /// Whether rows of an array are the same all through each episode.
  static func areConstant(_ array: NumpyArray, _ rows: [Rows], leading: Int = 1) -> Bool {
    let second = leading == 2 ? array.shape[1] : 1
    return rows.allSatisfy { ranges in
      var first: [UInt8]?
      return ranges.allSatisfy { range in
        let entry = range.lowerBound / second
        let column = array.rows(
          entry..<((range.upperBound + second - 1) / second), leading: leading, axis: .steps)
        let place = range.lowerBound - entry * second
        defer { withExtendedLifetime(column) {} }
        return (place..<(place + range.count)).allSatisfy { row in
          let bytes = column.slice(row..<(row + 1)).bytes
          guard let known = first else {
            first = Array(bytes)
            return true
          }
          return bytes.elementsEqual(known)
        }
      }
    }
  }

  /// The places of the rows whose number is not 0.
  static func marked(_ array: NumpyArray) -> [Int] {
    let rows = array.shape[0]
    let column = array.rows(0..<rows, leading: 1, axis: .steps)
    var places: [Int] = []
    for row in stride(from: 0, to: rows, by: 65_536) {
      for (place, flag) in column.slice(row..<min(row + 65_536, rows)).floats().enumerated()
      where flag != 0 { places.append(row + place) }
    }
    return places
  }
}
