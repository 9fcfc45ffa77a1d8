import GoalCore
import Support

/// Some of a source's episodes, numbered from 0 on.
struct SelectedEpisodes: TrajectorySource {
  let lengths: [Int]
  let notes: ConversionNotes
  private let source: any TrajectorySource
  private let places: [Int]

  var columns: [String: SourceColumn] { source.columns }
  var environment: String? { source.environment }
  var actionSpace: ActionSpace? { source.actionSpace }
  var checks: [SourceCheck] { source.checks }

  /// Takes the episodes at some places, ascending and at least one.
  init(_ source: any TrajectorySource, at places: [Int], notes added: ConversionNotes) {
    self.source = source
    self.places = places
    lengths = places.map { source.lengths[$0] }
    var notes = source.notes
    notes.merge(added)
    self.notes = notes
  }

  func table(
    of episodes: Range<Int>, only columns: Set<String>?
  ) throws(FileError) -> TrajectoryTable {
    let wanted = places[episodes]
    guard let first = wanted.first, let last = wanted.last else {
      preconditionFailure("a table has episodes")
    }
    let all = try source.table(of: first..<(last + 1), only: columns)
    let chosen = all.selecting(wanted.map { $0 - first })
    var table = TrajectoryTable(indices: episodes.map { Int64($0) }, lengths: chosen.lengths)
    for (path, column) in chosen.columns { table[path] = column }
    return table
  }
}

extension TrajectorySource {
  /// The episodes at some places, ascending and at least one, numbered from 0 on, with more to be
  /// said of them.
  public func selecting(_ places: [Int], notes: ConversionNotes) -> any TrajectorySource {
    SelectedEpisodes(self, at: places, notes: notes)
  }
}
