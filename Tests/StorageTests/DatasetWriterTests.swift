import Foundation
import GoalCore
import HDF5
import Support
import TestSupport
import Testing

@testable import Storage

struct DatasetWriterTests {
  private let temporary: TemporaryFolder
  private var folder: URL { temporary.url.appendingPathComponent("sample-random-v0") }

  init() throws { temporary = try TemporaryFolder() }

  private func identity(
    seed: UInt64 = 1, episodes: Int = 23, only: EpisodeSet? = nil, compress: Bool = false,
    libraries: [String: String] = ["mujoco": "3.3.0"]
  ) -> DatasetIdentity {
    DatasetIdentity(
      id: "sample-random-v0", task: sampleTask(),
      recipe: Recipe(
        environment: "sample", policy: "random", seed: seed, episodes: episodes, shardEpisodes: 5,
        compress: compress, onlyEpisodes: only),
      libraries: libraries)
  }

  private func make(_ shard: PlannedShard, seed: UInt64 = 1) -> [Trajectory] {
    sampleEpisodes(shard.episodes.numbers, spec: sampleSpec(), seed: seed)
  }

  private func mine(_ claim: DatasetWriter.Claim) throws -> ShardClaim {
    guard case .mine(let claim) = claim else {
      throw FileError.missing("the claim: \(claim)")
    }
    return claim
  }

  @discardableResult
  private func collect(
    _ identity: DatasetIdentity, to folder: URL, reversed: Bool = false
  ) throws -> Manifest {
    let writer = try DatasetWriter(at: folder, identity: identity)
    let pending = try writer.pendingShards()
    for shard in reversed ? pending.reversed() : pending {
      try writer.commit(make(shard), claim: mine(writer.claim(shard)))
    }
    return try writer.finish()
  }

  /// All files of a folder, but those of no dataset: name and contents.
  ///
  /// What was found right is remembered only of files that are older than two seconds, so whether
  /// that file is there depends on the time.
  private func contents(_ folder: URL) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: folder.path) {
      let url = folder.appendingPathComponent(name)
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
      if !isFolder.boolValue, name != "shards/checked.json" {
        files[name] = try Data(contentsOf: url)
      }
    }
    return files
  }

  // MARK: - Planning

  @Test func episodesGoToShardsByNumber() throws {
    let plan = DatasetPlan.shards(identity())
    #expect(plan.map(\.index) == [0, 1, 2, 3, 4])
    #expect(plan.map(\.episodes.description) == ["0-4", "5-9", "10-14", "15-19", "20-22"])
  }

  @Test func onlySomeEpisodesStayInTheirShards() throws {
    let plan = DatasetPlan.shards(identity(only: EpisodeSet("0-4,7,9-10,22")))
    #expect(plan.map(\.index) == [0, 1, 2, 4])
    #expect(plan.map(\.episodes.description) == ["0-4", "7,9", "10", "22"])
  }

  @Test func shardsAreBoundedByBytes() throws {
    let spec = GoalSpec(
      observation: 100_000, goal: 3, action: .discrete(count: 2), horizon: 50,
      successThreshold: 1, metric: "", controlPeriod: 1)
    let task = GoalTask(identifier: "large", spec: spec, goalIndices: [0, 1, 2])
    let identity = DatasetIdentity(
      id: "large-random-v0", task: task,
      recipe: Recipe(environment: "large", policy: "random", seed: 0, episodes: 100))
    let bytes = ShardColumn.byteCount(for: spec, steps: 50, stateLength: 0)
    let recipe = try #require(identity.recipe)
    #expect(DatasetPlan.episodesPerShard(recipe, spec: spec, stateLength: 0) == 3)
    #expect(3 * bytes <= 64_000_000 && 4 * bytes > 64_000_000)
    #expect(DatasetPlan.shards(identity).count == 34)
  }

  @Test func byteCountsAreThoseOfTheColumns() {
    let spec = sampleSpec()
    let table = TrajectoryTable(
      sampleEpisodes([0], spec: spec, stateLength: 6) { _ in 9 }, spec: spec)
    let bytes = table.spots.reduce(0) { $0 + $1.byteCount }
    #expect(ShardColumn.byteCount(for: spec, steps: 9, stateLength: 6) == bytes)
  }

  // MARK: - Making and resuming

  /// Hundreds of shards are mapped at once, and hold no descriptors.
  @Test func openColumnsHoldNoDescriptors() throws {
    let recipe = Recipe(
      environment: "sample", policy: "random", seed: 1, episodes: 300, shardEpisodes: 1)
    try collect(
      DatasetIdentity(id: "sample-random-v0", task: sampleTask(), recipe: recipe), to: folder)
    let columns = try Dataset(at: folder).columns()
    #expect(columns.count == 300)
    let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").filter {
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)"))?
        .contains(temporary.url.lastPathComponent) == true
    }
    #expect(open.isEmpty, "\(open.count) files are open")
    withExtendedLifetime(columns) {}
  }

  @Test(arguments: [false, true])
  func aDatasetIsMadeAndOpened(compress: Bool) throws {
    let manifest = try collect(identity(compress: compress), to: folder)
    let dataset = try Dataset(at: folder)
    #expect(dataset.manifest == manifest)
    try dataset.check(afresh: true)
    var episodes: [Trajectory] = []
    for shard in manifest.shards { episodes += try dataset.open(shard).trajectories() }
    #expect(episodes == sampleEpisodes(0..<23, spec: sampleSpec(), seed: 1))
    #expect(try dataset.columns().map(\.lengths.count) == [5, 5, 5, 5, 3])
    #expect(manifest.totals.steps == episodes.reduce(0) { $0 + $1.length })
    let names = try contents(folder).keys.sorted()
    #expect(
      names
        == ["manifest.json", "shards/collection.json"]
        + (0..<5).flatMap { ["shards/shard-0000\($0).h5", "shards/shard-0000\($0).json"] })
  }

  @Test func theOrderOfShardsDoesNotMatter() throws {
    let other = temporary.url.appendingPathComponent("elsewhere")
    try collect(identity(), to: folder)
    try collect(identity(), to: other, reversed: true)
    #expect(try contents(folder) == contents(other))
  }

  @Test func aShardHasTheSameBytesInASelection() throws {
    let other = temporary.url.appendingPathComponent("some")
    let whole = try collect(identity(), to: folder)
    let some = try collect(identity(only: EpisodeSet("5-9,21")), to: other)
    #expect(some.shards.map(\.index) == [1, 4])
    #expect(some.shards[0] == whole.shards[1])
    #expect(some.shards[1].sha256 != whole.shards[4].sha256)
  }

  @Test func aStoppedCollectionGoesOn() throws {
    let other = temporary.url.appendingPathComponent("undisturbed")
    try collect(identity(), to: other)
    let writer = try DatasetWriter(at: folder, identity: identity())
    for index in [3, 1] {
      try writer.commit(
        make(writer.plan[index]), claim: mine(writer.claim(writer.plan[index])))
    }
    #expect(throws: FileError.incomplete(folder.path, missing: [0, 2, 4])) {
      try writer.finish()
    }
    // What a kill leaves: parts, a lock that nobody holds, a shard without its record.
    let shards = folder.appendingPathComponent("shards")
    for name in [
      "shard-00000.h5.host-1-1.part", "shard-00002.h5", "shard-00002.json.host-1-3.part",
      "shard-00001.lock", "shard-00004.lock", "collection.json.host-1-2.part",
    ] { try Data("rest".utf8).write(to: shards.appendingPathComponent(name)) }
    try Data("rest".utf8).write(to: folder.appendingPathComponent("manifest.json.host-1-4.part"))
    let dates = try [1, 3].map { try modified(shard: $0) }
    let again = try DatasetWriter(at: folder, identity: identity())
    #expect(try again.pendingShards().map(\.index) == [0, 2, 4])
    try collect(identity(), to: folder)
    #expect(try contents(folder) == contents(other))
    #expect(try [1, 3].map { try modified(shard: $0) } == dates, "a shard was written again")
  }

  /// Number of the file's inode and the time of its last change.
  private func modified(shard: Int) throws -> [Int] {
    var status = stat()
    try #require(stat(DatasetFolder(url: folder).shard(shard).path, &status) == 0)
    return [Int(status.st_ino), status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
  }

  @Test func aFinishedDatasetHasNothingPending() throws {
    try collect(identity(), to: folder)
    let before = try contents(folder)
    #expect(try DatasetWriter(at: folder, identity: identity()).pendingShards() == [])
    try collect(identity(), to: folder)
    #expect(try contents(folder) == before)
  }

  // MARK: - Claims

  @Test func aClaimIsHeldOnce() throws {
    let one = try DatasetWriter(at: folder, identity: identity())
    let two = try DatasetWriter(at: folder, identity: identity())
    let shard = one.plan[2]
    let claim = try mine(one.claim(shard))
    guard case .busy = try two.claim(shard), case .busy = try one.claim(shard) else {
      Issue.record("a held shard must be busy")
      return
    }
    claim.giveBack()
    let second = try mine(two.claim(shard))
    try two.commit(make(shard), claim: second)
    guard case .done = try one.claim(shard) else {
      Issue.record("a made shard must be done")
      return
    }
    #expect(try !contents(folder).keys.contains { $0.hasSuffix(".lock") })
  }

  @Test func aDroppedClaimIsFree() throws {
    let writer = try DatasetWriter(at: folder, identity: identity())
    do { _ = try mine(writer.claim(writer.plan[0])) }
    _ = try mine(writer.claim(writer.plan[0]))
  }

  /// Collectors go over the shards at once, in orders of their own.
  @Test func collectorsShareTheWork() async throws {
    let identity = identity(episodes: 100)
    let folder = folder
    let made = try await withThrowingTaskGroup(of: [Int].self) { group in
      for collector in 0..<4 {
        group.addTask {
          let writer = try DatasetWriter(at: folder, identity: identity)
          var made: [Int] = []
          var random = Xoshiro256(seed: UInt64(collector))
          for shard in try writer.pendingShards(threads: 1).shuffled(using: &random) {
            guard case .mine(let claim) = try writer.claim(shard) else { continue }
            try writer.commit(
              sampleEpisodes(shard.episodes.numbers, spec: sampleSpec(), seed: 1), claim: claim)
            made.append(shard.index)
          }
          return made
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    #expect(made.sorted() == Array(0..<20), "each shard is made once")
    let manifest = try DatasetWriter(at: folder, identity: identity).finish()
    try Dataset(at: folder).check(afresh: true)
    let alone = temporary.url.appendingPathComponent("alone")
    #expect(try collect(identity, to: alone) == manifest)
    #expect(try contents(folder) == contents(alone))
  }

  // MARK: - What is refused

  @Test func anotherRecipeIsRefusedWithItsFirstDifference() throws {
    let writer = try DatasetWriter(at: folder, identity: identity())
    try writer.commit(make(writer.plan[0]), claim: mine(writer.claim(writer.plan[0])))
    let before = try contents(folder)
    let cases: [(DatasetIdentity, String, String, String)] = [
      (identity(seed: 2), "recipe.seed", "1", "2"),
      (identity(episodes: 24), "recipe.episodes", "23", "24"),
      (identity(only: EpisodeSet("1")), "recipe.onlyEpisodes", "not set", "'1'"),
      (identity(compress: true), "recipe.compress", "false", "true"),
      (identity(libraries: ["mujoco": "3.3.1"]), "libraries.mujoco", "'3.3.0'", "'3.3.1'"),
    ]
    for (other, setting, there, asked) in cases {
      let error = FileError.otherRecipe(
        folder.path, setting: setting, there: there, asked: asked)
      #expect(throws: error) { try DatasetWriter(at: folder, identity: other) }
    }
    #expect(try contents(folder) == before)
    try collect(identity(), to: folder)
    try FileManager.default.removeItem(at: folder.appendingPathComponent("shards"))
    #expect(throws: FileError.self, "the manifest alone must say it, too") {
      try DatasetWriter(at: folder, identity: identity(seed: 2))
    }
  }

  @Test func aForeignFolderIsRefusedAndLeftAlone() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data("mine".utf8).write(to: folder.appendingPathComponent("thesis.tex"))
    let before = try contents(folder)
    #expect(throws: FileError.foreignFolder(folder.path, entry: "thesis.tex")) {
      try DatasetWriter(at: folder, identity: identity())
    }
    #expect(try contents(folder) == before)
  }

  @Test func aCardAndARecipeAreNotForeign() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for name in ["README.md", "recipe.yaml"] {
      try Data("mine".utf8).write(to: folder.appendingPathComponent(name))
    }
    try collect(identity(), to: folder)
    #expect(try contents(folder)["README.md"] == Data("mine".utf8))
  }

  @Test func aFolderThatCannotBeMadeIsAnError() throws {
    let file = temporary.url.appendingPathComponent("file")
    try Data().write(to: file)
    for target in [file, file.appendingPathComponent("inside"), URL(fileURLWithPath: "/proc/none")]
    {
      let error = #expect(throws: FileError.self) {
        try DatasetWriter(at: target, identity: identity())
      }
      guard case .cannotWrite? = error else {
        Issue.record("\(target.path): \(String(describing: error))")
        continue
      }
    }
  }

  // MARK: - What is listed and absent, or altered

  @Test(arguments: [false, true])
  func aListedShardThatIsAbsentIsMadeAgain(withoutRecords: Bool) throws {
    try collect(identity(), to: folder)
    let before = try contents(folder)
    let there = DatasetFolder(url: folder)
    if withoutRecords {  // As after cloning: the manifest is committed, shards are not.
      try FileManager.default.removeItem(at: there.shards)
    } else {
      try FileManager.default.removeItem(at: there.shard(2))
    }
    #expect(throws: FileError.missing(there.shard(withoutRecords ? 0 : 2).path)) {
      try Dataset(at: folder).check(afresh: true)
    }
    let writer = try DatasetWriter(at: folder, identity: identity())
    let pending = try writer.pendingShards()
    #expect(pending.map(\.index) == (withoutRecords ? [0, 1, 2, 3, 4] : [2]))
    try collect(identity(), to: folder)
    #expect(try contents(folder) == before)
  }

  @Test func aShardMadeAgainMustGiveItsDigest() throws {
    try collect(identity(), to: folder)
    let there = DatasetFolder(url: folder)
    try FileManager.default.removeItem(at: there.shard(2))
    let before = try contents(folder)
    let writer = try DatasetWriter(at: folder, identity: identity())
    let shard = writer.plan[2]
    let error = #expect(throws: FileError.self) {
      try writer.commit(make(shard, seed: 9), claim: mine(writer.claim(shard)))
    }
    guard case .madeDifferently(there.shard(2).path, _, _)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(try contents(folder) == before)
    _ = try mine(writer.claim(shard))
  }

  @Test func anAlteredShardIsFoundAndLeftAlone() throws {
    let manifest = try collect(identity(), to: folder)
    let there = DatasetFolder(url: folder)
    try changeByte(there.shard(3), at: manifest.shards[3].bytes / 2) { $0 ^ 1 }
    let altered = try contents(folder)
    for check in [
      { try Dataset(at: folder).check(afresh: true) },
      { _ = try DatasetWriter(at: folder, identity: identity()).pendingShards() },
    ] {
      let error = #expect(throws: FileError.self) { try check() }
      guard case .altered(there.shard(3).path, manifest.shards[3].sha256, _)? = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
    }
    try Data(contentsOf: there.shard(1)).dropLast().write(to: there.shard(1))
    #expect(
      throws: FileError.wrongSize(
        there.shard(1).path, expected: manifest.shards[1].bytes,
        found: manifest.shards[1].bytes - 1)
    ) { try Dataset(at: folder).check(afresh: true) }
    #expect(try contents(folder)["shards/shard-00003.h5"] == altered["shards/shard-00003.h5"])
  }

  @Test func anAlteredRecordIsAnError() throws {
    let writer = try DatasetWriter(at: folder, identity: identity())
    try writer.commit(make(writer.plan[0]), claim: mine(writer.claim(writer.plan[0])))
    let record = DatasetFolder(url: folder).record(0)
    try changeByte(record, at: 60) { $0 ^ 1 }
    let error = #expect(throws: FileError.self) {
      try DatasetWriter(at: folder, identity: identity()).pendingShards()
    }
    guard case .altered(record.path, _, _)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func everyChangedByteOfAShardIsNoticed() throws {
    let manifest = try collect(identity(episodes: 3), to: folder)
    let shard = DatasetFolder(url: folder).shard(0)
    let whole = try Data(contentsOf: shard)
    #expect(whole.count == manifest.shards[0].bytes)
    var random = Xoshiro256(seed: 4)
    for _ in 0..<300 {
      var changed = whole
      changed[random.below(whole.count)] ^= UInt8(1 << random.below(8))
      try changed.write(to: shard)
      #expect(throws: FileError.self) { try Dataset(at: folder).check(afresh: true) }
    }
  }

  @Test func anUnfinishedDatasetSaysWhatItLacks() throws {
    _ = try DatasetWriter(at: folder, identity: identity())
    #expect(
      throws: FileError.missing(folder.appendingPathComponent("manifest.json").path)
    ) { try Dataset(at: folder) }
  }

  @Test func provenanceIsWrittenPartByPart() throws {
    #expect(try Provenance(in: temporary.url) == nil)
    var first = Provenance.Part(
      started: Date(timeIntervalSince1970: 0), command: ["goalpost", "collect"], commit: "abc",
      instructionSet: "avx2", libraries: ["simulator": "Box2D 3"])
    first.finish()
    var second = first
    second.command += ["--workers", "2"]
    try Provenance.append(first, in: temporary.url)
    try Provenance.append(second, in: temporary.url)
    let found = try #require(try Provenance(in: temporary.url))
    #expect(found.parts == [first, second])
    #expect(found.parts[0].started == "1970-01-01T00:00:00Z")
    #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.url.path).count == 1)
  }

  @Test func theProvenanceOfAnOlderVersionIsOnePart() throws {
    let file = temporary.url.appendingPathComponent("provenance.json")
    let text = """
      {"command": ["goalpost", "train"], "commit": "abc", "finished": "2026-01-01T00:00:01Z",
       "host": "a", "processors": 2, "started": "2026-01-01T00:00:00Z"}
      """
    try Data(text.utf8).write(to: file)
    let found = try #require(try Provenance(in: temporary.url))
    #expect(found.parts.count == 1 && found.parts[0].commit == "abc")
    #expect(found.parts[0].fromUpdate == nil && found.parts[0].instructionSet == nil)
    try Data(text.utf8.dropLast(9)).write(to: file)
    let error = #expect(throws: FileError.self) { try Provenance(in: temporary.url) }
    #expect("\(String(describing: error))".contains("provenance.json"))
  }
}
