import HDF5
public import Storage
public import Support

/// Episodes for training and then those for validation as one source, in which a column says which
/// is which.
struct JoinedEpisodes: TrajectorySource {
  let columns: [String: SourceColumn]
  let notes: ConversionNotes
  private let parts: [any TrajectorySource]
  private let masks: [String]

  var lengths: [Int] { parts.flatMap(\.lengths) }
  var environment: String? { parts[0].environment }
  var checks: [SourceCheck] { parts.flatMap(\.checks) }

  /// Joins two sources, which must have the same columns; `name` is what a message is about.
  init(
    _ training: any TrajectorySource, _ validation: any TrajectorySource, name: String
  ) throws(FileError) {
    let differing = Set(training.columns.keys).union(validation.columns.keys).sorted().first {
      training.columns[$0] != validation.columns[$0]
    }
    if let differing {
      throw .cannotConvert(
        name, reason: "'\(differing)' differs between the episodes for training and for validation")
    }
    parts = [training, validation]
    masks = ["train", "valid"].map { Robomimic.maskPrefix + $0 }
    var columns = training.columns
    for mask in masks { columns[mask] = SourceColumn(.uint8, axis: .episodes, origin: .computed) }
    self.columns = columns
    var notes = training.notes
    notes.merge(validation.notes)
    self.notes = notes
  }

  func blocks(byteLimit: Int) -> [Range<Int>] {
    let first = parts[0].lengths.count
    return parts[0].blocks(byteLimit: byteLimit)
      + parts[1].blocks(byteLimit: byteLimit).map {
        ($0.lowerBound + first)..<($0.upperBound + first)
      }
  }

  func table(
    of episodes: Range<Int>, only columns: Set<String>?
  ) throws(FileError) -> TrajectoryTable {
    var tables: [TrajectoryTable] = []
    var start = 0
    for (place, part) in parts.enumerated() {
      let count = part.lengths.count
      let wanted = episodes.clamped(to: start..<(start + count))
      if !wanted.isEmpty {
        var table = try part.table(
          of: (wanted.lowerBound - start)..<(wanted.upperBound - start), only: columns)
        for (number, mask) in masks.enumerated() where columns?.contains(mask) ?? true {
          let flags = [UInt8](repeating: number == place ? 1 : 0, count: wanted.count)
          table[mask] = TableColumn(.uint8, axis: .episodes, flags)
        }
        tables.append(table)
      }
      start += count
    }
    return try .joined(tables, name: "the episodes for training and for validation")
  }
}

extension TrajectorySource {
  /// These episodes and others for validation as one source, for a format that keeps both in one
  /// file.
  public func joined(
    withValidation validation: any TrajectorySource, name: String
  ) throws(FileError) -> any TrajectorySource {
    try JoinedEpisodes(self, validation, name: name)
  }
}
