import Foundation
import GoalCore
import Support
import TestSupport
import Testing

@testable import Storage

/// Digests are found once, and found again where anything of the file changed.
final class CheckedShardsTests {
  let temporary: TemporaryFolder
  var folder: URL { temporary.url.appendingPathComponent("data") }
  var memory: URL { folder.appendingPathComponent("shards/checked.json") }
  var shard: URL { folder.appendingPathComponent("shards/shard-00000.h5") }

  init() throws {
    temporary = try TemporaryFolder()
    try collect()
  }

  private func collect() throws {
    let spec = sampleSpec()
    let writer = try DatasetWriter(
      at: folder,
      identity: DatasetIdentity(
        id: "data", task: sampleTask(),
        recipe: Recipe(
          environment: "sample", policy: "random", seed: 1, episodes: 4,
          shardEpisodes: 2)))
    for shard in try writer.pendingShards() {
      guard case .mine(let claim) = try writer.claim(shard) else { continue }
      try writer.commit(sampleEpisodes(shard.episodes.numbers, spec: spec), claim: claim)
    }
    _ = try writer.finish()
  }

  /// Changes a byte in place, and puts the time of change back.
  private func alter() throws {
    var status = stat()
    let found = stat(shard.path, &status)
    #expect(found == 0)
    let handle = try FileHandle(forUpdating: shard)
    try handle.seek(toOffset: UInt64(status.st_size / 2))
    let byte = try #require(try handle.read(upToCount: 1)?.first)
    try handle.seek(toOffset: UInt64(status.st_size / 2))
    try handle.write(contentsOf: Data([byte ^ 1]))
    try handle.close()
    let set = utimensat(AT_FDCWD, shard.path, [status.st_atim, status.st_mtim], 0)
    #expect(set == 0)
  }

  private func expectAltered(_ body: () throws -> Void) {
    let error = #expect(throws: FileError.self) { try body() }
    guard case .altered(shard.path, _, _)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func everyReaderRefusesAnAlteredShard() throws {
    let dataset = try Dataset(at: folder)
    let entry = dataset.manifest.shards[0]
    _ = try dataset.open(entry)
    try alter()
    expectAltered { _ = try dataset.open(entry) }
    expectAltered { _ = try dataset.columns() }
    expectAltered { try Dataset(at: folder).check() }
    expectAltered { try Dataset(at: folder).check(afresh: true) }
  }

  @Test func whatWasFoundIsRememberedUntilTheFileChanges() throws {
    // A file that was just written is not remembered: its times may not show another change.
    try Dataset(at: folder).check()
    #expect(!FileManager.default.fileExists(atPath: memory.path))
    usleep(2_050_000)
    try Dataset(at: folder).check()
    let text = try String(contentsOf: memory, encoding: .utf8)
    #expect(text.contains("shards/shard-00000.h5") && text.contains("shards/shard-00001.h5"))
    // It is believed: a digest that the manifest does not list is not, whatever is remembered.
    let checked = CheckedShards(DatasetFolder(url: folder))
    let entry = try Dataset(at: folder).manifest.shards[0]
    try checked.check(entry, at: shard)
    let other = ShardEntry(
      index: 0, file: entry.file, episodes: entry.episodes, steps: entry.steps, bytes: entry.bytes,
      sha256: String(repeating: "0", count: 64))
    expectAltered { try checked.check(other, at: shard) }
    try alter()
    expectAltered { try Dataset(at: folder).check() }
  }

  @Test(arguments: ["", "{", "{\"schema\":1}", "null"])
  func aMalformedMemoryIsNone(text: String) throws {
    try Data(text.utf8).write(to: memory)
    try Dataset(at: folder).check()
    try alter()
    expectAltered { try Dataset(at: folder).check() }
  }

  @Test func aShardOfAnotherNameIsRefused() throws {
    let manifest = try Dataset(at: folder).manifest
    let entry = manifest.shards[0]
    try FileManager.default.moveItem(at: shard, to: temporary.url.appendingPathComponent("p.h5"))
    for name in ["../p.h5", "shards/shard-00001.h5", "shards/../shards/shard-00000.h5"] {
      let table = try Dataset.records(of: folder)
      let changed = ShardEntry(
        index: 0, file: name, episodes: entry.episodes, steps: entry.steps, bytes: entry.bytes,
        sha256: entry.sha256)
      let records = table.map {
        $0.shard.index == 0
          ? ShardRecord(shard: changed, totals: $0.totals, sums: $0.sums) : $0
      }
      let file = folder.appendingPathComponent("manifest.json")
      try Manifest(manifest.identity, columns: manifest.columns, records: records).write(to: file)
      let error = #expect(throws: FileError.self) { try Dataset(at: folder) }
      guard case .malformed? = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
    }
  }
}

extension Dataset {
  /// The records of all shards of a folder.
  fileprivate static func records(of folder: URL) throws -> [ShardRecord] {
    let place = DatasetFolder(url: folder)
    return try Manifest(contentsOf: place.manifest).shards.map {
      try DigestedJSON.read(ShardRecord.self, from: place.record($0.index), schema: Manifest.schema)
        .value
    }
  }
}
