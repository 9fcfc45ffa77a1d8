import Environments
import Foundation
import GoalCore
import Storage
import Support
import TestSupport
import Testing

@testable import Experiments

/// Collecting and verifying, on real worlds.
struct DatasetTests {
  func recipe(_ environment: String = "fetch-reach", episodes: Int = 7) -> Recipe {
    Recipe(
      environment: environment, policy: "scripted", seed: 5, episodes: episodes, noise: 0.2,
      randomActions: 0.3, shardEpisodes: 3)
  }

  @discardableResult
  func collect(_ recipe: Recipe, in folder: URL, workers: Int = 2) throws -> Manifest {
    try recipe.collect(in: folder, workers: workers)
  }

  @Test func theBytesDependOnTheRecipeOnly() throws {
    let folder = try TemporaryFolder()
    let manifests = try [1, 2, 5].map { workers in
      try collect(
        recipe(), in: folder.url.appendingPathComponent("\(workers)/data"), workers: workers)
    }
    #expect(manifests[0].shards.count == 3)
    #expect(manifests[1] == manifests[0] && manifests[2] == manifests[0])
    var other = recipe()
    other.seed = 6
    let different = try collect(other, in: folder.url.appendingPathComponent("o/data"))
    #expect(different.shards[0].sha256 != manifests[0].shards[0].sha256)
    // An episode does not depend on how many there are.
    let longer = try collect(recipe(episodes: 9), in: folder.url.appendingPathComponent("l/data"))
    #expect(longer.shards[0].sha256 == manifests[0].shards[0].sha256)
  }

  @Test func imagesOfAWorldThatHasSomeAreStored() throws {
    let folder = try TemporaryFolder()
    var recipe = recipe("gap-blocks-1", episodes: 2)
    recipe.images = true
    let data = folder.url.appendingPathComponent("data")
    let manifest = try collect(recipe, in: data)
    let reader = try ShardReader(
      contentsOf: data.appendingPathComponent(manifest.shards[0].file),
      spec: manifest.task.spec)
    #expect(reader.imageShape == [64, 64, 6] && manifest.identity.imageShape == [64, 64, 6])
    let images = try reader.column(.images, as: UInt8.self)
    #expect(images.count == 102 * 64 * 64 * 6)
    // What is seen changes with time, and the goal differs from it.
    let size = 64 * 64 * 6
    #expect(!images[0..<size].elementsEqual(images[(40 * size)..<(41 * size)]))
    let report = try Verification.run(data, replays: .all, workers: 1, silent: true)
    #expect(report.isSound, "\(report.findings)")
    let again = try collect(
      recipe, in: folder.url.appendingPathComponent("again/data"), workers: 1)
    #expect(again.shards[0].sha256 == manifest.shards[0].sha256)

    recipe.environment = "fetch-reach"
    #expect {
      try collect(recipe, in: folder.url.appendingPathComponent("none"))
    } throws: {
      "\($0)" == "fetch-reach has no images to learn from: collect it without images"
    }
  }

  @Test func aFinishedDatasetIsLeftAlone() throws {
    let folder = try TemporaryFolder()
    let data = folder.url.appendingPathComponent("data")
    try collect(recipe(), in: data)
    let shard = data.appendingPathComponent("shards/shard-00000.h5").path
    let before = try FileManager.default.attributesOfItem(atPath: shard)[.modificationDate] as? Date
    let again = try TrajectoryCollection.run(recipe(), in: data, workers: 2, silent: true)
    #expect(again.made == 0 && again.isComplete)
    let after = try FileManager.default.attributesOfItem(atPath: shard)[.modificationDate] as? Date
    #expect(before == after)
  }

  @Test(arguments: ["fetch-reach", "fetch-push"])
  func aSoundDatasetIsFoundSoundHereAndInPython(environment: String) throws {
    let folder = try TemporaryFolder()
    let data = folder.url.appendingPathComponent("data")
    try collect(recipe(environment), in: data)
    let report = try Verification.run(data, replays: .all, workers: 2, silent: true)
    #expect(report.isSound, "\(report.findings)")
    #expect(report.replayed == 7 && report.episodes == 7 && report.steps == 350)
    let some = try Verification.run(data, replays: .some(3), workers: 2, silent: true)
    #expect(some.replayed == 3)
    let said = try PythonReference.run("replay_dataset.py", arguments: [data.path, "5"])
    #expect(String(decoding: said, as: UTF8.self).contains("\"episodes\": 5"))
  }

  @Test func compressedShardsAreReadHereAndInPython() throws {
    let folder = try TemporaryFolder()
    let data = folder.url.appendingPathComponent("data")
    var compressed = recipe()
    compressed.compress = true
    compressed.states = true
    try collect(compressed, in: data)
    #expect(try Verification.run(data, replays: .all, workers: 2, silent: true).isSound)
    _ = try PythonReference.run("replay_dataset.py", arguments: [data.path, "4"])
  }

  @Test func onlyTheAskedEpisodesAreMade() throws {
    let folder = try TemporaryFolder()
    let whole = try collect(recipe(), in: folder.url.appendingPathComponent("whole/data"))
    var some = recipe()
    some.onlyEpisodes = EpisodeSet("3-5")
    let part = try collect(some, in: folder.url.appendingPathComponent("part/data"))
    #expect(part.totals.episodes == 3)
    #expect(part.shards[0].sha256 == whole.shards[1].sha256)
  }

  /// Each slip, and the rule that finds it.
  static let slips: [(rule: String, slip: @Sendable (inout Trajectory) throws -> Void)] = [
    ("rewards follow from the goals", { $0.rewards[7] = $0.rewards[7] == 0 ? -1 : 0 }),
    ("successes follow from the goals", { $0.successes[7].toggle() }),
    ("achieved goals are m(s)", { $0.achievedGoals[6] = $0.achievedGoals[6].nextUp }),
    ("an episode's seed is its recipe's", { $0.seed += 1 }),
    ("observations are finite", { $0.observations[44] = .nan }),
    (
      "actions are in the space",
      {
        var values = try #require($0.actions.continuous)
        values[10] = 1.5
        $0.actions = .continuous(values)
      }
    ),
    // One bit of a velocity, which no other column repeats.
    (
      "the physics give the same bits again",
      { $0.observations[10 * 20 + 5] = $0.observations[10 * 20 + 5].nextUp }
    ),
  ]

  @Test(arguments: slips.indices)
  func everySlipIsFound(number: Int) throws {
    let (rule, slip) = DatasetTests.slips[number]
    let folder = try TemporaryFolder()
    let data = folder.url.appendingPathComponent("data")
    let sound = try collect(recipe(), in: data)
    let spoiled = folder.url.appendingPathComponent("spoiled/data")
    let writer = try DatasetWriter(at: spoiled, identity: sound.identity)
    let dataset = try Dataset(at: data)
    for planned in try writer.pendingShards() {
      var episodes = try dataset.open(sound.shards[planned.index]).trajectories()
      if planned.index == 1 { try slip(&episodes[1]) }
      guard case .mine(let claim) = try writer.claim(planned) else { continue }
      try writer.commit(episodes, claim: claim)
    }
    _ = try writer.finish()
    let report = try Verification.run(spoiled, replays: .all, workers: 1, silent: true)
    let finding = try #require(report.findings.first { $0.rule == rule })
    #expect(finding.count == 1)
    #expect(finding.first.contains("episode 4"))
  }

  @Test func anAlteredShardIsRefused() throws {
    let folder = try TemporaryFolder()
    let data = folder.url.appendingPathComponent("data")
    try collect(recipe(), in: data)
    let shard = data.appendingPathComponent("shards/shard-00001.h5")
    var bytes = try Data(contentsOf: shard)
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: shard)
    #expect(throws: FileError.self) {
      try Verification.run(data, replays: .some(0), workers: 1, silent: true)
    }
  }
}
