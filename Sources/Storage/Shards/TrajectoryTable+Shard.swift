import HDF5

extension TrajectoryTable: ShardContents {
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

  func feed(_ path: String, to sink: BufferedSink) {
    switch ShardColumn(rawValue: path) {
    case .episodeLengths: sink.append(lengths.map { Int32($0) })
    case .episodeIndices: sink.append(indices)
    default: columns[path]?.withBytes { sink.append($0) }
    }
  }
}

extension ShardSpot {
  init(_ path: String, _ column: TableColumn) {
    self.init(path: path, type: column.type, shape: [column.rows] + column.rowShape)
  }
}
