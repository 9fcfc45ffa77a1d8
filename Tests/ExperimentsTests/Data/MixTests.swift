import Foundation
import GoalCore
import Storage
import Support
import TestSupport
import Testing

@testable import Experiments

/// Mixtures, subsets, splits and merges, on real worlds.
struct MixTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func url(_ name: String) -> URL { folder.url.appendingPathComponent(name) }

  @discardableResult
  func collect(
    _ name: String, policy: String = "random", seed: UInt64 = 3, episodes: Int = 12,
    environment: String = "fetch-reach", compress: Bool = false, states: Bool = false
  ) throws -> Manifest {
    let recipe = Recipe(
      environment: environment, policy: policy, seed: seed, episodes: episodes, shardEpisodes: 4,
      compress: compress, states: states)
    return try recipe.collect(in: url(name))
  }

  @discardableResult
  func mix(
    _ datasets: [String], to output: String, seed: UInt64 = 1, workers: Int = 2,
    _ change: (inout Mixing.Request) -> Void = { _ in }
  ) throws -> [Manifest] {
    var request = Mixing.Request(datasets.map { url($0).path }, seed: seed)
    change(&request)
    return try Mixing.run(request, in: url(output), workers: workers, silent: true)
      .compactMap(\.manifest)
  }

  /// All episodes with the id of the source that each came from.
  func episodes(_ name: String) throws -> [(source: String, episode: Trajectory)] {
    let dataset = try Dataset(at: url(name))
    return try dataset.manifest.shards.flatMap { shard in
      let source = try dataset.manifest.source(of: shard).id
      return try dataset.open(shard).trajectories().map { (source, $0) }
    }
  }

  func inode(_ name: String, shard: Int) -> UInt64 {
    var status = stat()
    return stat(url("\(name)/shards/shard-0000\(shard).h5").path, &status) == 0
      ? UInt64(status.st_ino) : 0
  }

  func expectSound(_ name: String) throws {
    let report = try Verification.run(url(name), replays: .all, workers: 2, silent: true)
    #expect(report.isSound, "\(report.findings)")
    #expect(report.replayed == report.episodes)
  }

  @Test func aWeightedMixtureHasItsSharesAndKeepsEveryEpisode() throws {
    try collect("A")
    try collect("B", policy: "scripted", compress: true)
    let mixed = try mix(["A:0.25", "B:0.75"], to: "M") { $0.episodes = 12 }[0]
    #expect(mixed.totals.episodes == 12)
    #expect(mixed.mixture?.inputs.map(\.episodes) == [3, 9])
    #expect(mixed.mixture?.inputs.map(\.weight) == [0.25, 0.75])
    #expect(mixed.mixture?.sources.map(\.id) == ["A", "B"])
    let originals = try ["A", "B"].map { try episodes($0).map(\.episode) }
    let found = try episodes("M")
    #expect(found.count == 12)
    for (source, episode) in found {
      // Numbers, seeds and all else are the source's.
      #expect(originals[source == "A" ? 0 : 1][Int(episode.index)] == episode)
    }
    #expect(Set(found.map { "\($0.source) \($0.episode.index)" }).count == 12)
    try expectSound("M")
  }

  @Test func theBytesDependOnTheRequestOnly() throws {
    try collect("A")
    let one = try mix(["A"], to: "1/M", workers: 1) { $0.episodes = 7 }[0]
    let five = try mix(["A"], to: "5/M", workers: 5) { $0.episodes = 7 }[0]
    #expect(one == five)
    #expect(try mix(["A"], to: "o/M", seed: 2) { $0.episodes = 7 }[0].shards != one.shards)
    // A mixture that lacks shards is completed to the same bytes; what is there stays.
    let kept = inode("1/M", shard: 0)
    for name in ["manifest.json", "shards/shard-00001.h5", "shards/shard-00001.json"] {
      try FileManager.default.removeItem(at: url("1/M/\(name)"))
    }
    try Data("half".utf8).write(to: url("1/M/shards/shard-00001.h5.host-1-1.part"))
    #expect(try mix(["A"], to: "1/M") { $0.episodes = 7 }[0] == one)
    #expect(inode("1/M", shard: 0) == kept)
    #expect(
      !FileManager.default.fileExists(atPath: url("1/M/shards/shard-00001.h5.host-1-1.part").path))
    #expect(throws: FileError.self) { try mix(["A"], to: "1/M") { $0.episodes = 8 } }
  }

  @Test func whatIsTakenWholeIsLinkedAndCopiedOnRequest() throws {
    let a = try collect("A")
    let b = try collect("B", policy: "scripted")
    let merged = try mix(["A", "B"], to: "M")[0]
    #expect(merged.totals.episodes == 24 && merged.mixture?.seed == nil)
    #expect(merged.shards.map(\.sha256) == (a.shards + b.shards).map(\.sha256))
    #expect(
      inode("M", shard: 0) == inode("A", shard: 0) && inode("M", shard: 3) == inode("B", shard: 0))
    try mix(["A", "B"], to: "C/M") { $0.copies = true }
    #expect(inode("C/M", shard: 0) != inode("A", shard: 0))
    #expect(
      try Data(contentsOf: url("C/M/manifest.json")) == Data(contentsOf: url("M/manifest.json")))
    // The inputs may go.
    for name in ["A", "B"] { try FileManager.default.removeItem(at: url(name)) }
    try expectSound("M")
    #expect(try Dataset(at: url("M")).columns().map(\.lengths.count) == [4, 4, 4, 4, 4, 4])
  }

  @Test func aSplitIsDisjointAndComplete() throws {
    try collect("A")
    try collect("B", policy: "scripted", episodes: 8)
    let parts = try mix(["A", "B"], to: "T") { $0.split = 0.75 }
    #expect(parts.map(\.id) == ["T", "T-val"])
    #expect(parts.map(\.totals.episodes) == [15, 5])
    #expect(parts.map { $0.mixture?.inputs.map(\.episodes) } == [[9, 6], [3, 2]])
    #expect(parts.map(\.mixture?.part) == [.train, .validation])
    let names = try ["T", "T-val"].map { name in
      Set(try episodes(name).map { "\($0.source) \($0.episode.index)" })
    }
    #expect(names[0].isDisjoint(with: names[1]))
    #expect(names[0].union(names[1]).count == 20)
    try expectSound("T")
    try expectSound("T-val")
  }

  @Test func subsetsAreTheAskedEpisodes() throws {
    try collect("A")
    try mix(["A"], to: "S") { $0.onlyEpisodes = "0-4,7" }
    #expect(try episodes("S").map(\.episode.index) == [0, 1, 2, 3, 4, 7])
    #expect(inode("S", shard: 0) == inode("A", shard: 0))
    // A subset of a subset has the collected dataset as its source.
    try mix(["S"], to: "U") { $0.onlyEpisodes = "3-4" }
    #expect(try episodes("U").map { "\($0.source) \($0.episode.index)" } == ["A 3", "A 4"])
    try expectSound("U")
    #expect(throws: ExperimentError.cannotMix(path: url("S").path, reason: "has no episode 6")) {
      try mix(["S"], to: "V") { $0.onlyEpisodes = "4,6" }
    }
  }

  @Test func repeatsAreWholeRoundsAndMustBeAskedFor() throws {
    let a = try collect("A")
    let many = #expect(throws: ExperimentError.self) {
      try mix(["A"], to: "D") {
        $0.episodes = 1 << 24
        $0.repeats = true
      }
    }
    #expect(
      "\(try #require(many))".hasSuffix(
        "would be taken 1398102 times with --repeat, in 4194306 shards, and 65536 are allowed: ask for fewer "
          + "episodes"))
    let repeated = try mix(["A"], to: "R") {
      $0.episodes = 30
      $0.repeats = true
    }[0]
    #expect(repeated.shards.prefix(6).map(\.sha256) == (a.shards + a.shards).map(\.sha256))
    #expect(repeated.totals.episodes == 30)
    try expectSound("R")
    for datasets in [["A", "A"], ["R"]] {
      let error = #expect(throws: ExperimentError.self) { try mix(datasets, to: "D") }
      #expect("\(error.map { "\($0)" } ?? "")".contains("would be there twice: --repeat allows it"))
    }
    let error = #expect(throws: ExperimentError.self) {
      try mix(["A"], to: "D") { $0.episodes = 13 }
    }
    #expect(
      "\(error.map { "\($0)" } ?? "")".contains("there are 12 episodes, and 13 are asked for"))
    // The same recipe under another name is the same episodes.
    try collect("A2")
    #expect(throws: ExperimentError.self) { try mix(["A", "A2"], to: "D") }
    #expect(!FileManager.default.fileExists(atPath: url("D").path))
  }

  @Test func aMixtureOfAMixtureKeepsItsSources() throws {
    try collect("A")
    try collect("B", policy: "scripted")
    try collect("C", seed: 4)
    try mix(["A", "B"], to: "M") { $0.episodes = 10 }
    let outer = try mix(["M:0.5", "C:0.5"], to: "N") { $0.episodes = 16 }[0]
    #expect(outer.mixture?.inputs.map(\.id) == ["M", "C"])
    #expect(outer.mixture?.sources.map(\.id) == ["A", "B", "C"])
    try expectSound("N")
  }

  @Test func compressedShardsAreWrittenUncompressedAndBack() throws {
    let whole = try collect("A", states: true)
    try collect("B/A", compress: true, states: true)
    let plain = try mix(["B/A"], to: "P") { $0.compress = false }[0]
    #expect(plain.shards.map(\.sha256) == whole.shards.map(\.sha256))
    #expect(try !plain.isCompressed(plain.shards[0]))
    let again = try mix(["P"], to: "Q") { $0.compress = true }[0]
    #expect(
      again.shards.map(\.sha256) == (try Dataset(at: url("B/A")).manifest.shards.map(\.sha256)))
    try expectSound("Q")
  }

  @Test func aCompressedDatasetThatDoesNotFitSaysWhatToDo() throws {
    try collect("B", compress: true)
    try collect("A")
    let datasets = try ["A", "B"].map { try Dataset(at: url($0)) }
    // 12 episodes of 50 steps: observations of 10 and goals of 3, actions of 4.
    #expect(try datasets[1].manifest.decodedBytes() == 4 * (12 * 51 * 13 + 12 * 50 * 4 + 12 * 3))
    #expect(try datasets[0].manifest.decodedBytes() == 0)
    try MemoryLimit.checkFits(datasets, limit: 100_000)
    let error = #expect(throws: ExperimentError.self) {
      try MemoryLimit.checkFits(datasets, limit: 50_000)
    }
    #expect("\(error.map { "\($0)" } ?? "")".contains("--decompress"))
    #expect(MemoryLimit.bytes > 1 << 20)
  }

  @Test func whatDoesNotBelongTogetherIsRefused() throws {
    try collect("A")
    try collect("P", episodes: 1, environment: "fetch-push")
    try collect("S", policy: "scripted", episodes: 2, states: true)
    for (datasets, words) in [
      (["A", "P"], "must have one task"), (["A", "S"], "must have one length of simulator states"),
      (["A:1", "P"], "must have one task"), (["A:0"], "a weight must be a number from 1e-12"),
      (["A:-1"], "from 1e-12 to 1e+12"), (["A:1", "S"], "states"),
    ] {
      let error = #expect(throws: ExperimentError.self) { try mix(datasets, to: "D") }
      #expect("\(error.map { "\($0)" } ?? "")".contains(words), "\(datasets)")
    }
    #expect(throws: ExperimentError.self) { try mix(["A"], to: "A") }
    #expect(throws: ExperimentError.self) { try mix(["A"], to: "D") { $0.split = 0.01 } }
    #expect(throws: FileError.self) { try mix(["nothing"], to: "D") }
    #expect(!FileManager.default.fileExists(atPath: url("D").path))
    // An altered input is not written into another dataset.
    var bytes = try Data(contentsOf: url("A/shards/shard-00001.h5"))
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: url("A/shards/shard-00001.h5"))
    #expect(throws: FileError.self) { try mix(["A"], to: "D") { $0.episodes = 11 } }
    #expect(throws: FileError.self) { try mix(["A"], to: "E") }
    #expect(throws: FileError.self) { try mix(["A"], to: "F") { $0.copies = true } }
  }

  @Test func aMixtureIsTrainedOn() throws {
    try collect("A")
    try mix(["A"], to: "M") { $0.episodes = 5 }
    var configuration = RunConfiguration()
    configuration.datasets = [url("M").path]
    configuration.updates = 2
    configuration.evaluateEvery = 0
    let summary = try OfflineTraining.run(configuration, in: url("run"))
    #expect(summary.updates == 2)
  }

  // MARK: - Draws

  @Test func sharesAddUpByLargestRemainders() {
    #expect(MixtureSelection.apportion(40_000, shares: [0.1, 0.9]) == [4_000, 36_000])
    #expect(MixtureSelection.apportion(10, shares: [1, 1, 1]) == [4, 3, 3])
    #expect(MixtureSelection.apportion(7, shares: [0.2, 0.3, 0.5]) == [1, 2, 4])
    #expect(MixtureSelection.most([12, 10], shares: [0.25, 0.75]) == 13)
    #expect(MixtureSelection.most([4_000, 40_000], shares: [0.1, 0.9]) == 40_000)
  }

  @Test func everySubsetIsDrawnAlike() {
    // 10 subsets of 2 out of 5: each is binomial with mean 400 and deviation 19.
    var counts: [[Int]: Int] = [:]
    for seed in 0..<4_000 {
      let drawn = MixtureSelection.draw(
        2, of: 5, seed: UInt64(seed), stream: .draw, number: seed % 3)
      counts[drawn, default: 0] += 1
    }
    #expect(counts.count == 10)
    #expect(counts.values.allSatisfy { abs($0 - 400) < 95 }, "\(counts)")
  }

  /// As caches of hubs and large-file stores lay out what they hold.
  @Test(arguments: ["m", "deep/m"])
  func aMixtureOfLinkedShardsHasTheFiles(output: String) throws {
    try collect("store")
    let files = FileManager.default
    try files.createDirectory(at: url("data/shards"), withIntermediateDirectories: true)
    try files.copyItem(at: url("store/manifest.json"), to: url("data/manifest.json"))
    for name in try files.contentsOfDirectory(atPath: url("store/shards").path) {
      try files.createSymbolicLink(
        atPath: url("data/shards/\(name)").path, withDestinationPath: "../../store/shards/\(name)")
    }
    try mix(["data"], to: output)
    try expectSound(output)
    #expect(inode(output, shard: 0) == inode("store", shard: 0))
    // Neither the links nor the store are needed any more.
    try files.removeItem(at: url("data"))
    try files.removeItem(at: url("store"))
    try expectSound(output)
  }

  @Test func aMixtureKeepsTheShapeOfImages() throws {
    var recipe = Recipe(
      environment: "gap-blocks-1", policy: "random", seed: 1, episodes: 2, shardEpisodes: 1)
    recipe.images = true
    let data = try recipe.collect(in: url("data"), workers: 1)
    let mixed = try #require(try mix(["data"], to: "m").first)
    #expect(!data.identity.imageShape.isEmpty)
    #expect(mixed.identity.imageShape == data.identity.imageShape)
  }
}
