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

  @Test func aFilterTakesTheEpisodesThatSatisfyIt() throws {
    try collect("A", episodes: 30)
    try collect("B", policy: "scripted", compress: true)
    let task = try Dataset(at: url("A")).manifest.task
    let all = try ["A", "B"].map { try episodes($0).map(\.episode) }
    func gain(_ episode: Trajectory) -> Double { episode.rewards.reduce(0) { $0 + Double($1) + 1 } }
    func distance(_ episode: Trajectory) -> Double {
      task.distance(Array(episode.achievedGoals.suffix(3)), Array(episode.desiredGoal.suffix(3)))
    }
    let middle = all[0].map(distance).sorted()[12]
    let conditions: [(String, (Trajectory) -> Bool)] = [
      ("success = 1", { $0.successes.last == true }),
      ("success_ever = 1", { $0.successes.contains(true) }),
      ("return > 30", { gain($0) > 30 }),
      ("final_distance <= \(middle)", { distance($0) <= middle }),
      ("final_distance > \(middle) and length >= 50", { distance($0) > middle }),
    ]
    for (number, (text, holds)) in conditions.enumerated() {
      let mixed = try mix(["A", "B"], to: "M\(number)") { $0.filter = text }[0]
      let wanted = all.map { $0.filter(holds) }
      #expect(wanted.map(\.count) != all.map(\.count), "\(text)")
      // Shards that are taken whole come first.
      let found = try episodes("M\(number)").sorted { $0.episode.index < $1.episode.index }
      #expect(["A", "B"].map { id in found.filter { $0.source == id }.map(\.episode) } == wanted)
      #expect(mixed.mixture?.inputs.map(\.satisfying) == wanted.map(\.count), "\(text)")
      #expect(mixed.mixture?.inputs.map(\.episodes) == wanted.map(\.count))
      #expect(mixed.mixture?.filter?.description == text)
      try expectSound("M\(number)")
    }
    // It belongs to what is asked for.
    #expect(throws: FileError.self) { try mix(["A", "B"], to: "M0") }
    #expect(throws: FileError.self) {
      try mix(["A", "B"], to: "M0") { $0.filter = "success != 0" }
    }
    // Draws, splits and repeats are of the episodes that satisfy it.
    let near = Set(all[0].filter { distance($0) <= middle }.map(\.index))
    #expect(near.count == 13)
    func filtered(_ change: @escaping (inout Mixing.Request) -> Void) -> (inout Mixing.Request) ->
      Void
    {
      {
        $0.filter = "final_distance <= \(middle)"
        change(&$0)
      }
    }
    try mix(["A"], to: "D", filtered { $0.episodes = 6 })
    let drawn = try episodes("D").map(\.episode.index)
    #expect(Set(drawn).count == 6 && near.isSuperset(of: drawn))
    let parts = try mix(["A"], to: "S", filtered { $0.split = 0.5 })
    #expect(parts.map(\.totals.episodes) == [7, 6])
    let both = try ["S", "S-val"].flatMap { try episodes($0).map(\.episode.index) }
    #expect(Set(both) == near && both.count == 13)
    let repeated = try mix(
      ["A"], to: "R",
      filtered {
        $0.episodes = 20
        $0.repeats = true
      })[0]
    #expect(repeated.totals.episodes == 20)
    #expect(Set(try episodes("R").map(\.episode.index)) == near)
    let first = try #require(near.min())
    try mix(["A"], to: "O", filtered { $0.onlyEpisodes = "0-\(first)" })
    #expect(try episodes("O").map(\.episode.index) == [first])
  }

  @Test func aFilterThatKeepsNothingIsASentence() throws {
    try collect("A")
    try collect("B", policy: "scripted")
    func refusal(_ datasets: [String], _ filter: String) throws -> String {
      let error = #expect(throws: ExperimentError.self) {
        try mix(datasets, to: "M") { $0.filter = filter }
      }
      return "\(try #require(error))".replacing(folder.url.path + "/", with: "")
    }
    #expect(
      try refusal(["A", "B"], "length > 50") == "A, B: 0 of 24 episodes satisfy length > 50")
    #expect(
      try refusal(["A:0.5", "B:0.5"], "return > 40")
        == "A: 0 of 12 episodes satisfy return > 40, and its weight asks for some")
    #expect(
      try refusal(["A"], "length")
        == "--where: must be comparisons joined by 'and', as in success = 1 and return > 30, found \"length\""
    )
    #expect(!FileManager.default.fileExists(atPath: url("M").path))
    // Without a filter, a manifest says nothing of one.
    try mix(["A", "B"], to: "N")
    let text = try String(contentsOf: url("N/manifest.json"), encoding: .utf8)
    #expect(!text.contains("satisfying") && !text.contains("\"filter\""))
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
