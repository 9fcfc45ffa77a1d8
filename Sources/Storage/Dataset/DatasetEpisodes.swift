import Foundation
import GoalCore
import Support

/// A dataset's episodes as a source, with all their columns as they are stored.
struct DatasetEpisodes: TrajectorySource {
  let lengths: [Int]
  let columns: [String: SourceColumn]
  let notes = ConversionNotes()
  private let dataset: Dataset
  /// The shards that are read in place, which takes no memory; nil if one is compressed.
  private let tables: [TrajectoryTable?]
  private let maps: [MappedFile]
  /// Where each shard's episodes begin, counted over the dataset, and their end.
  private let starts: [Int]

  var environment: String? { dataset.manifest.task.identifier }

  /// The digest of each shard, of the bytes that are read in place, not of what may by now lie
  /// under its name.
  var checks: [SourceCheck] {
    zip(dataset.manifest.shards, maps).map { shard, map in
      let file = dataset.url(of: shard)
      return SourceCheck(of: map.bytes, kept: map) { digest throws(FileError) in
        try shard.check(digest, of: file)
      }
    }
  }

  /// Opens every shard and checks that they agree.
  init(_ dataset: Dataset) throws(FileError) {
    self.dataset = dataset
    var lengths: [Int] = []
    var starts = [0]
    var columns: [String: SourceColumn]?
    var tables: [TrajectoryTable?] = []
    var maps: [MappedFile] = []
    for shard in dataset.manifest.shards {
      let reader = try DatasetEpisodes.open(shard, of: dataset)
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
      tables.append(reader.isMapped ? try reader.table() : nil)
      maps.append(reader.map)
    }
    self.lengths = lengths
    self.starts = starts
    self.columns = columns ?? [:]
    self.tables = tables
    self.maps = maps
  }

  /// Opens a shard, whose digest is one of the source's checks; if that fails because it is not the
  /// listed one, it says so.
  private static func open(
    _ shard: ShardEntry, of dataset: Dataset
  ) throws(FileError) -> ShardReader {
    do throws(FileError) {
      return try dataset.openUnchecked(shard, threads: 1)
    } catch {
      try dataset.check(shard)
      throw error
    }
  }

  func table(
    of episodes: Range<Int>, only columns: Set<String>?
  ) throws(FileError) -> TrajectoryTable {
    var parts: [TrajectoryTable] = []
    for (place, shard) in dataset.manifest.shards.enumerated() {
      let part = episodes.clamped(to: starts[place]..<starts[place + 1])
      guard !part.isEmpty else { continue }
      let places = (part.lowerBound - starts[place])..<(part.upperBound - starts[place])
      if let table = tables[place] {
        parts.append(table.selecting(Array(places)))
      } else {
        parts.append(try dataset.openUnchecked(shard, threads: 1).table(at: places, only: columns))
      }
    }
    return try .joined(parts, name: dataset.folder.path)
  }

  /// Runs within a shard, and whole shards if they are compressed, so that each is decoded once.
  func blocks(byteLimit: Int) -> [Range<Int>] {
    tables.indices.flatMap { place in
      let episodes = starts[place]..<starts[place + 1]
      return tables[place] == nil ? [episodes] : blocks(of: episodes, byteLimit: byteLimit)
    }
  }
}
