import Foundation
import GoalCore
import Storage
import Support

/// Episodes of a LeRobot dataset.
struct LeRobotEpisodes: TrajectorySource {
  let lengths: [Int]
  let columns: [String: SourceColumn]
  let environment: String?
  let notes: ConversionNotes
  private let all: [String: LeRobotOpening.Stored]
  /// The data's rows of each episode.
  private let rows: [Range<Int>]
  /// The dataset's path, for messages.
  private let folder: String

  init(_ url: URL, _ options: FormatOptions) throws(FileError) {
    var opening = try LeRobotOpening(url, options)
    try opening.addObservations()
    try opening.addActions()
    try opening.addPlaces()
    try opening.addOthers()
    try opening.addOwn()
    try opening.finish()
    lengths = opening.lengths
    rows = opening.rows
    folder = url.path
    all = opening.all
    columns = all.mapValues { stored in
      SourceColumn(stored.type, rowShape: stored.rowShape, axis: stored.axis)
    }
    environment = opening.environment
    notes = opening.notes
  }

  func table(
    of episodes: Range<Int>, only wanted: Set<String>?
  ) throws(FileError) -> TrajectoryTable {
    var table = TrajectoryTable(
      indices: episodes.map { Int64($0) }, lengths: Array(lengths[episodes]))
    for (path, stored) in all where wanted?.contains(path) ?? true {
      table[path] = try rows(of: stored, path, episodes, in: table)
    }
    return table
  }

  /// Some episodes' rows of a column, of which `table` has the lengths.
  private func rows(
    of stored: LeRobotOpening.Stored, _ path: String, _ episodes: Range<Int>,
    in table: TrajectoryTable
  ) throws(FileError) -> TableColumn {
    let whole = rows[episodes]
    let steps = zip(whole, table.lengths).lazy.map { $0.lowerBound..<($0.lowerBound + $1) }
    let column: TableColumn
    switch stored.kind {
    case .steps: column = stored.column.gathered(steps, count: table.steps, axis: .steps)
    case .states(let ends?):
      let known = stored.column.gathered(steps, count: table.steps, axis: .steps)
      column = table.rows(known, withLast: ends.slice(episodes))
    case .states(nil):
      column = stored.column.gathered(whole, count: table.rows(of: .states), axis: .states)
    case .firsts:
      column = stored.column.gathered(
        whole.lazy.map { $0.lowerBound..<($0.lowerBound + 1) }, count: table.episodes,
        axis: .episodes)
    case .own:
      let before = lengths[..<episodes.lowerBound].reduce(0, +)
      let start =
        switch stored.column.axis {
        case .steps: before
        case .states: before + episodes.lowerBound
        case .episodes: episodes.lowerBound
        }
      column = stored.column.slice(start..<(start + table.rows(of: stored.column.axis)))
    case .joined(let parts):
      var columns: [TableColumn] = []
      for part in parts { columns.append(try rows(of: part, path, episodes, in: table)) }
      return .besides(columns)
    }
    return try column.converted(to: stored.type, file: folder, path: path)
  }
}
