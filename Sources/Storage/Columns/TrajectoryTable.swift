import HDF5
public import Support

/// Some episodes in flat columns, of whatever types their source has; what a shard is written from,
/// and what passes between formats.
///
/// Columns are named by their paths in a shard (`ShardColumn`, and `extra/<name>` for what has no
/// column of its own). Lengths and numbers of the episodes are no columns of it: they are always
/// there.
public struct TrajectoryTable: Sendable {
  /// The episodes' numbers, `[E]`.
  public let indices: [Int64]
  /// Steps of each episode, `[E]`.
  public let lengths: [Int]
  /// The columns, by path.
  public private(set) var columns: [String: TableColumn] = [:]
  /// Steps of all episodes, `T`.
  public let steps: Int
  /// Episodes, `E`.
  public var episodes: Int { lengths.count }

  /// Episodes without columns; at least one, each of a step or more.
  public init(indices: [Int64], lengths: [Int]) {
    precondition(
      !lengths.isEmpty && indices.count == lengths.count && lengths.allSatisfy { $0 > 0 },
      "a table has episodes, each with steps")
    self.indices = indices
    self.lengths = lengths
    steps = lengths.reduce(0, +)
  }

  /// A column by its path; its rows must be as many as its axis has.
  public subscript(path: String) -> TableColumn? {
    get { columns[path] }
    set {
      if let newValue {
        precondition(
          newValue.rows == rows(of: newValue.axis),
          "'\(path)' must have \(rows(of: newValue.axis)) rows, found \(newValue.rows)")
      }
      columns[path] = newValue
    }
  }

  /// A column of the layout's own.
  public subscript(column: ShardColumn) -> TableColumn? {
    get { self[column.rawValue] }
    set { self[column.rawValue] = newValue }
  }

  /// Rows that a column of an axis has.
  public func rows(of axis: RowAxis) -> Int {
    switch axis {
    case .steps: steps
    case .states: steps + episodes
    case .episodes: episodes
    }
  }

  /// The first row of each episode on an axis, and the end of the last, `[E + 1]`.
  public func starts(on axis: RowAxis) -> [Int] {
    var starts = [0]
    for length in lengths {
      starts.append(starts[starts.count - 1] + TrajectoryTable.rows(on: axis, length: length))
    }
    return starts
  }

  static func rows(on axis: RowAxis, length: Int) -> Int {
    switch axis {
    case .steps: length
    case .states: length + 1
    case .episodes: 1
    }
  }

  /// Whether goals have a row for each state rather than for each episode.
  public var goalsMove: Bool { self[.desiredGoals]?.axis == .states }

  /// The episodes at some places, ascending; in place if they are neighbours.
  public func selecting(_ places: [Int]) -> TrajectoryTable {
    precondition(!places.isEmpty && zip(places, places.dropFirst()).allSatisfy { $0 < $1 })
    if places.count == episodes { return self }
    var table = TrajectoryTable(
      indices: places.map { indices[$0] }, lengths: places.map { lengths[$0] })
    var runs: [Range<Int>] = []
    for place in places {
      if runs.last?.upperBound == place {
        runs[runs.count - 1] = runs[runs.count - 1].lowerBound..<(place + 1)
      } else {
        runs.append(place..<(place + 1))
      }
    }
    let starts = Dictionary(
      uniqueKeysWithValues: [RowAxis.steps, .states, .episodes].map { ($0, self.starts(on: $0)) })
    for (path, column) in columns {
      let first = starts[column.axis] ?? []
      let parts = runs.map { (column, first[$0.lowerBound]..<first[$0.upperBound]) }
      table[path] = parts.count == 1 ? column.slice(parts[0].1) : .gathered(parts)
    }
    return table
  }

  /// The episodes of several tables, one after the other; of one at least.
  ///
  /// - Throws: `cannotConvert` with the first column that is not alike in all; `name` is what it is
  ///   about.
  public static func joined(
    _ tables: [TrajectoryTable], name: String
  ) throws(FileError) -> TrajectoryTable {
    if tables.count == 1 { return tables[0] }
    for other in tables.dropFirst() {
      let paths = Set(other.columns.keys).union(tables[0].columns.keys).sorted()
      let path = paths.first { path in
        guard let a = tables[0][path], let b = other[path] else { return true }
        return a.type != b.type || a.rowShape != b.rowShape || a.axis != b.axis
      }
      if let path {
        throw .cannotConvert(
          name, reason: "'\(path)' differs in its type or shape between shards of one dataset")
      }
    }
    var table = TrajectoryTable(
      indices: tables.flatMap(\.indices), lengths: tables.flatMap(\.lengths))
    for path in tables[0].columns.keys {
      table[path] = .gathered(
        tables.map { other in
          guard let column = other[path] else {
            preconditionFailure("all tables must have '\(path)'")
          }
          return (column, 0..<column.rows)
        })
    }
    return table
  }
}
