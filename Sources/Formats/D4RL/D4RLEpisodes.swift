import Foundation
import GoalCore
import HDF5
import SafeHDF5
import Storage
import Support

/// Episodes of a D4RL file.
struct D4RLEpisodes: TrajectorySource {
  let lengths: [Int]
  let columns: [String: SourceColumn]
  let notes: ConversionNotes
  let environment: String? = nil
  var otherFiles: [URL] { file.sourceFiles }
  private let rows: [Range<Int>]
  private let datasets: [String: D4RLOpening.Stored]
  private let flags: (terminated: [UInt8], truncated: [UInt8])
  private let file: SafeFile

  init(_ url: URL, _ options: FormatOptions) throws(FileError) {
    var opening = try D4RLOpening(url, options)
    try opening.addRows()
    try opening.addOwn()
    try opening.addOthers()
    try opening.finish()
    file = opening.file
    lengths = opening.lengths
    rows = opening.kept.map { opening.rows[$0]..<opening.rows[$0 + 1] }
    flags = opening.flags
    columns = opening.columns
    datasets = opening.datasets
    notes = opening.notes
  }

  func table(
    of episodes: Range<Int>, only wanted: Set<String>?
  ) throws(FileError) -> TrajectoryTable {
    var table = TrajectoryTable(
      indices: episodes.map { Int64($0) }, lengths: Array(lengths[episodes]))
    let range = rows[episodes.lowerBound].lowerBound..<rows[episodes.upperBound - 1].upperBound
    // Where each episode's rows begin in what is read, how many it keeps, and how many it has.
    let spans = episodes.map {
      (rows[$0].lowerBound - range.lowerBound, lengths[$0], rows[$0].count)
    }
    let isWhole = range.count == spans.reduce(0) { $0 + $1.2 }
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
        table[path] = try D4RLOpening.column(
          stored.dataset, first..<(first + table.rows(of: described.axis)), described.axis)
        continue
      }
      let read = try D4RLOpening.column(stored.dataset, range, .steps)
      let column: TableColumn
      switch stored.kind {
      case .steps:
        column =
          isWhole && spans.allSatisfy { $0.1 == $0.2 }
          ? read
          : read.gathered(
            spans.lazy.map { $0.0..<($0.0 + $0.1) }, count: table.steps, axis: .steps)
      case .statesInRows:
        column =
          isWhole
          ? read.viewed(rowShape: read.rowShape, axis: .states)
          : read.gathered(
            spans.lazy.map { $0.0..<($0.0 + $0.2) }, count: states, axis: .states)
      case .repeated:
        column = read.gathered(
          spans.lazy.flatMap { [$0.0..<($0.0 + $0.1), ($0.0 + $0.1 - 1)..<($0.0 + $0.1)] },
          count: states, axis: .states)
      case .firsts:
        column = read.gathered(
          spans.lazy.map { $0.0..<($0.0 + 1) }, count: table.episodes, axis: .episodes)
      case .states(let next):
        let after = try D4RLOpening.column(next, range, .steps)
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
