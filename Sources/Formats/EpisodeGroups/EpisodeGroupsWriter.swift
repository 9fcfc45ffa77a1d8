import Foundation
import HDF5
import Storage
import Support

/// Writes an HDF5 file that has a group for each episode, in a part that appears whole or not at
/// all.
///
/// The library lets one thread of a process work, and holds little of the file in memory.
struct EpisodeGroupsWriter {
  /// The group, in that of an episode, of columns that a format has no place for.
  ///
  /// Readers of the format leave it alone, and ours takes it back. Below it: `steps/`, `states/` or
  /// `episodes/`, by the column's axis, and the column's path.
  static let rest = "goalpost"

  private let part: PartFile
  let file: HDF5File
  private let compress: Bool
  private let url: URL

  init(_ url: URL, compress: Bool) throws(FileError) {
    self.url = url
    self.compress = compress
    let part = try PartFile(for: url)
    self.part = part
    file = try HDF5File(writingTo: part.descriptor, name: url.path)
  }

  /// Makes a group, of which all but the last part are there.
  func group(_ path: String) throws(FileError) {
    try writing(file) { () throws(FileError) in try file.createGroup(path) }
  }

  func attributes(
    _ attributes: [(name: String, value: HDF5Attribute)], of path: String
  ) throws(FileError) {
    try writing(file) { () throws(FileError) in try file.setAttributes(attributes, of: path) }
  }

  /// Writes a column's rows.
  func write(_ path: String, _ column: TableColumn) throws(FileError) {
    try write(path, column.type, shape: [column.rows] + column.rowShape, column)
  }

  private func write(
    _ path: String, _ type: HDF5Type, shape: [Int], _ column: TableColumn
  ) throws(FileError) {
    try column.withBytes { bytes throws(FileError) in
      try writing(file) { () throws(FileError) in
        if compress {
          try file.writeCompressed(path, type, shape: shape, bytes: bytes, level: 4, threads: 1)
        } else {
          try file.write(path, type, shape: shape, bytes: bytes)
        }
      }
    }
  }

  /// Writes an episode's rows of columns that the format has no place for.
  func writeRest(
    _ columns: [(path: String, axis: RowAxis)], of table: TrajectoryTable, _ episode: Int,
    starts: EpisodeStarts, to group: String
  ) throws(FileError) {
    guard !columns.isEmpty else { return }
    var made: Set<String> = []
    for (path, axis) in columns {
      let full = "\(EpisodeGroupsWriter.rest)/\(axis.rawValue)/\(path)"
      var walked = group
      for name in full.split(separator: "/").dropLast() {
        walked += "/" + name
        if made.insert(walked).inserted { try self.group(walked) }
      }
      guard let column = table[path] else { continue }
      try write("\(group)/\(full)", column.slice(starts.rows(of: episode, on: axis)))
    }
  }

  /// Closes the file and puts it in its place.
  func commit() throws(FileError) {
    try writing(file) { () throws(FileError) in try file.close() }
    try part.commit()
  }
}

/// Where the episodes of a table begin on each axis.
struct EpisodeStarts {
  private let steps: [Int]
  private let lengths: [Int]

  init(_ table: TrajectoryTable) {
    steps = table.starts(on: .steps)
    lengths = table.lengths
  }

  /// An episode's rows on an axis.
  func rows(of episode: Int, on axis: RowAxis) -> Range<Int> {
    switch axis {
    case .steps: steps[episode]..<steps[episode + 1]
    case .states: (steps[episode] + episode)..<(steps[episode + 1] + episode + 1)
    case .episodes: episode..<(episode + 1)
    }
  }
}

extension TrajectoryTable {
  /// An episode's desired goals with a row for each step or, with `states`, for each state; nil if
  /// it has none.
  func desiredGoals(
    of episode: Int, _ starts: EpisodeStarts, on axis: RowAxis
  ) -> TableColumn? {
    guard let goals = self[.desiredGoals] else { return nil }
    let rows = starts.rows(of: episode, on: axis).count
    if goalsMove {
      let first = starts.rows(of: episode, on: .states).lowerBound
      return goals.slice(first..<(first + rows))
    }
    return goals.gathered(
      repeatElement(episode..<(episode + 1), count: rows), count: rows, axis: axis)
  }
}
