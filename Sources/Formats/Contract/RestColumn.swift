import GoalCore
import HDF5
import SafeHDF5
import Storage
import Support

/// Columns of ours that are kept where a format's own readers do not look.
enum RestColumn {
  /// Throws unless a shard may have such a column, as anybody can write one.
  static func check(
    _ path: String, _ axis: RowAxis, _ dataset: SafeDataset
  ) throws(FileError) {
    try check(
      path, axis, dataset.type, rank: dataset.shape.count,
      words: "'\(dataset.path)'", "\(dataset.typeDescription) of shape \(dataset.shape)",
      file: dataset.fileName)
  }

  /// Throws unless a shard may have a column of such elements and so many axes; messages call it
  /// `words`.
  static func check(
    _ path: String, _ axis: RowAxis, _ type: HDF5Type?, rank: Int, words: String, _ found: String,
    file: String
  ) throws(FileError) {
    if path.hasPrefix("extra/"), isColumnPath(path) { return }
    let reserved: [ShardColumn] = [
      .observations, .actions, .rewards, .terminated, .truncated, .episodeLengths,
      .episodeIndices,
    ]
    guard let column = ShardColumn(rawValue: path), !reserved.contains(column), let type,
      types(of: column).contains(type),
      axis == column.axis || column == .desiredGoals && axis == .states,
      rank == self.rank(of: column)
    else {
      throw .cannotConvert(
        file, reason: "\(words) is no column of ours: \(found) for each of the \(axis.rawValue)")
    }
  }

  /// No column but actions has types that depend on the task.
  private static func types(of column: ShardColumn) -> [HDF5Type] {
    column.types(
      for: GoalSpec(
        observation: 1, goal: 1, action: .continuous(low: [-1], high: [1]), horizon: 1,
        successThreshold: 0, metric: "", controlPeriod: 0))
  }

  private static func rank(of column: ShardColumn) -> Int {
    switch column {
    case .achievedGoals, .desiredGoals, .states: 2
    case .images: 4
    default: 1
    }
  }
}
