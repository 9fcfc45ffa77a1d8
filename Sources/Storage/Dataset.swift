public import Foundation
public import GoalCore

/// A finished dataset on disk, opened for reading: its manifest, and its shards as they are asked for.
public struct Dataset: Sendable {
  /// The folder.
  public let folder: URL
  /// What it is.
  public let manifest: Manifest

  /// Opens a folder by its manifest; shards are looked at when they are asked for.
  public init(at folder: URL) throws(StorageError) {
    self.folder = folder
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder) else {
      throw .missing(folder.path)
    }
    guard isFolder.boolValue else {
      throw .malformed(
        folder.path, rule: "a dataset is a folder",
        found: "a file; `goalpost convert` takes in those of other systems")
    }
    manifest = try Manifest(contentsOf: DatasetFolder(url: folder).manifest)
  }

  /// The file of a listed shard.
  public func url(of shard: ShardEntry) -> URL { folder.appendingPathComponent(shard.file) }

  /// Opens a listed shard after checking its size, and that its episodes and steps are as listed.
  public func open(
    _ shard: ShardEntry, threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) throws(StorageError) -> ShardReader {
    let url = url(of: shard)
    try check(shard, deep: false)
    let reader = try ShardReader(contentsOf: url, task: ShardTask(manifest.task), threads: threads)
    for (name, listed, found) in [
      ("episodes", shard.episodes.count, reader.episodes), ("steps", shard.steps, reader.steps),
    ] where listed != found {
      throw .malformed(url.path, rule: "must have \(listed) \(name), as listed", found: "\(found)")
    }
    try reader.checkListed(shard, in: manifest)
    return reader
  }

  /// The columns of all shards, in order: mapped, or decoded where they are compressed.
  public func columns(
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) throws(StorageError) -> [TrajectoryColumns] {
    var columns: [TrajectoryColumns] = []
    for shard in manifest.shards {
      columns.append(try open(shard, threads: threads).columns())
    }
    return columns
  }

  /// The episodes with all their columns as they are stored; the shards' digests are its checks.
  public func source() throws(StorageError) -> any TrajectorySource { try DatasetEpisodes(self) }

  /// Checks that a listed shard is there with the listed size and, if `deep`, digest.
  public func check(_ shard: ShardEntry, deep: Bool) throws(StorageError) {
    do {
      try checkFile(url(of: shard), is: shard, deep: deep)
    } catch .missing(let path) {
      // A dataset's folder may hold all but its shards.
      let recipe = folder.appendingPathComponent("recipe.yaml").path
      throw FileManager.default.fileExists(atPath: recipe)
        ? .notCollected(path, recipe: recipe) : .missing(path)
    }
  }

  /// Counts and sums over a shard: from its record, or, where that is not there, from its episodes.
  func summary(
    of shard: ShardEntry
  ) throws(StorageError) -> (totals: DatasetTotals, sums: DatasetSums) {
    let record = url(of: shard).deletingPathExtension().appendingPathExtension("json")
    if FileManager.default.fileExists(atPath: record.path) {
      let found = try SealedText.read(ShardRecord.self, from: record, schema: Manifest.schema).value
      if found.shard == shard {
        try found.check(manifest.task.spec, path: record.path)
        return (found.totals, found.sums)
      }
    }
    let table = try open(shard, threads: 1).table()
    return (DatasetTotals(of: table), DatasetSums(of: table, spec: manifest.task.spec))
  }

  /// Checks that all shards are there with the listed sizes and, if `deep`, digests.
  ///
  /// - Throws: The first thing that is wrong, in the order of the shards.
  public func check(
    deep: Bool, threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) throws(StorageError) {
    try forEachInParallel(manifest.shards.count, threads: threads) { index throws(StorageError) in
      let shard = manifest.shards[index]
      try check(shard, deep: deep)
    }
  }
}
