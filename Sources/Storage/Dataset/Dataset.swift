public import Foundation
public import GoalCore
public import Support

/// A finished dataset on disk, opened for reading: its manifest, and its shards as they are asked
/// for.
public struct Dataset: Sendable {
  /// The folder.
  public let folder: URL
  /// Its manifest.
  public let manifest: Manifest
  private let checked: CheckedShards

  /// Opens a folder by its manifest; shards are looked at when they are asked for.
  public init(at folder: URL) throws(FileError) {
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
    let place = DatasetFolder(url: folder)
    manifest = try Manifest(contentsOf: place.manifest)
    checked = CheckedShards(place)
    for shard in manifest.shards where shard.file != DatasetFolder.file(shard.index) {
      throw .malformed(
        place.manifest.path,
        rule: "shard \(shard.index) must be '\(DatasetFolder.file(shard.index))'",
        found: "'\(shown(shard.file))'")
    }
  }

  /// The file of a listed shard.
  public func url(of shard: ShardEntry) -> URL { folder.appendingPathComponent(shard.file) }

  /// Opens a listed shard after checking its size and its digest, and that its episodes and steps
  /// are as listed.
  ///
  /// The digest is not computed again if it was found before and the file is unchanged since.
  public func open(
    _ shard: ShardEntry, threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) throws(FileError) -> ShardReader {
    try check(shard)
    return try openUnchecked(shard, threads: threads)
  }

  /// Opens a listed shard whose digest is checked elsewhere, after checking its size.
  func openUnchecked(_ shard: ShardEntry, threads: Int) throws(FileError) -> ShardReader {
    let url = url(of: shard)
    try hinting { () throws(FileError) in try checkFile(url, is: shard, deep: false) }
    let reader = try ShardReader(contentsOf: url, task: ShardTask(manifest.task), threads: threads)
    for (name, listed, found) in [
      ("episodes", shard.episodes.count, reader.episodes), ("steps", shard.steps, reader.steps),
    ] where listed != found {
      throw .malformed(url.path, rule: "must have \(listed) \(name), as listed", found: "\(found)")
    }
    try reader.checkListed(shard, in: manifest)
    return reader
  }

  /// The columns of all shards, in order: mapped, or decoded if they are compressed.
  public func columns(
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) throws(FileError) -> [TrajectoryColumns] {
    try check(threads: threads)
    var columns: [TrajectoryColumns] = []
    for shard in manifest.shards {
      columns.append(try open(shard, threads: threads).columns())
    }
    return columns
  }

  /// The episodes with all their columns as they are stored; the shards' digests are its checks.
  public func source() throws(FileError) -> any TrajectorySource { try DatasetEpisodes(self) }

  /// Checks that a listed shard is there with the listed size and digest.
  public func check(_ shard: ShardEntry) throws(FileError) {
    try hinting { () throws(FileError) in try checked.check(shard, at: url(of: shard)) }
  }

  /// Runs a check of a shard's file; if the file is missing and a recipe is there, the error names
  /// the recipe.
  private func hinting(_ check: () throws(FileError) -> Void) throws(FileError) {
    do { try check() } catch .missing(let path) {
      let recipe = folder.appendingPathComponent("recipe.yaml").path
      throw FileManager.default.fileExists(atPath: recipe)
        ? .notCollected(path, recipe: recipe) : .missing(path)
    }
  }

  /// Counts and sums over a shard: from its record, or, if that is not there, from its episodes.
  func summary(
    of shard: ShardEntry
  ) throws(FileError) -> (totals: DatasetTotals, sums: DatasetSums) {
    let record = url(of: shard).deletingPathExtension().appendingPathExtension("json")
    if FileManager.default.fileExists(atPath: record.path) {
      let found = try DigestedJSON.read(ShardRecord.self, from: record, schema: Manifest.schema)
        .value
      if found.shard == shard {
        try found.check(manifest.task.spec, path: record.path)
        return (found.totals, found.sums)
      }
    }
    let table = try open(shard, threads: 1).table()
    return (DatasetTotals(of: table), DatasetSums(of: table, spec: manifest.task.spec))
  }

  /// Checks that all shards are there with the listed sizes and digests.
  ///
  /// A shard that was found so before, by this call or another, and is unchanged since is not read
  /// again, unless `afresh`.
  ///
  /// - Throws: The first thing that is wrong, in the order of the shards.
  public func check(
    afresh: Bool = false, threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) throws(FileError) {
    try Parallel.forEach(manifest.shards.count, threads: threads) { index throws(FileError) in
      let shard = manifest.shards[index]
      try hinting { () throws(FileError) in
        try checked.check(shard, at: url(of: shard), afresh: afresh)
      }
    }
    checked.save()
  }
}
