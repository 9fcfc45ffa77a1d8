import HDF5

extension TrajectoryTable {
  /// What a shard of it holds, in the order in which it lies in the file.
  var spots: [ShardSpot] {
    let known = ShardColumn.allCases.compactMap { column -> ShardSpot? in
      switch column {
      case .episodeLengths: ShardSpot(path: column.rawValue, type: .int32, shape: [episodes])
      case .episodeIndices: ShardSpot(path: column.rawValue, type: .int64, shape: [episodes])
      default: self[column].map { ShardSpot(column.rawValue, $0) }
      }
    }
    let names = Set(ShardColumn.allCases.map(\.rawValue))
    return known
      + columns.keys.filter { !names.contains($0) }.sorted().compactMap { path in
        columns[path].map { ShardSpot(path, $0) }
      }
  }

  /// Gives the bytes at a spot to `body`.
  func withBytes<Failure>(
    at path: String, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    switch ShardColumn(rawValue: path) {
    case .episodeLengths:
      let column = TableColumn(.int32, axis: .episodes, lengths.map { Int32($0) })
      try column.withBytes(body)
    case .episodeIndices: try TableColumn(.int64, axis: .episodes, indices).withBytes(body)
    default: try columns[path]?.withBytes(body)
    }
  }
}

extension ShardSpot {
  init(_ path: String, _ column: TableColumn) {
    self.init(path: path, type: column.type, shape: [column.rows] + column.rowShape)
  }
}
