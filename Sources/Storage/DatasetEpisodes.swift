import GoalCore

/// A dataset's episodes as a source, with all their columns as they are stored.
struct DatasetEpisodes: TrajectorySource {
  let lengths: [Int]
  let columns: [String: SourceColumn]
  let notes: ConversionNotes
  private let dataset: Dataset
  /// Where each shard's episodes begin, counted over the dataset, and their end.
  private let starts: [Int]

  var environment: String? { dataset.manifest.task.identifier }

  /// Opens every shard and checks that they agree; `deep` also checks their digests.
  init(_ dataset: Dataset, deep: Bool, threads: Int) throws(StorageError) {
    self.dataset = dataset
    try dataset.check(deep: deep, threads: threads)
    var lengths: [Int] = []
    var starts = [0]
    var columns: [String: SourceColumn]?
    for shard in dataset.manifest.shards {
      let reader = try dataset.open(shard, threads: 1)
      lengths += reader.lengths
      starts.append(lengths.count)
      let found = try reader.sourceColumns()
      if let columns, columns != found {
        let paths = Set(columns.keys).union(found.keys).sorted()
        let path = paths.first { columns[$0] != found[$0] } ?? ""
        throw .cannotConvert(
          reader.path, reason: "'\(path)' differs in its type or shape from the shards before")
      }
      columns = found
    }
    self.lengths = lengths
    self.starts = starts
    self.columns = columns ?? [:]
    notes = ConversionNotes()
  }

  func table(
    of episodes: Range<Int>, only columns: Set<String>?
  ) throws(StorageError) -> TrajectoryTable {
    var tables: [TrajectoryTable] = []
    for (place, shard) in dataset.manifest.shards.enumerated() {
      let part = episodes.clamped(to: starts[place]..<starts[place + 1])
      guard !part.isEmpty else { continue }
      let reader = try dataset.open(shard, threads: 1)
      tables.append(
        try reader.table(
          at: (part.lowerBound - starts[place])..<(part.upperBound - starts[place]),
          only: columns))
    }
    return .joined(tables)
  }

  /// The shards' own runs, which are read in place.
  func blocks(byteLimit: Int) -> [Range<Int>] {
    zip(starts, starts.dropFirst()).map { $0..<$1 }
  }
}
