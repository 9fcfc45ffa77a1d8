import Environments
import Foundation
import GoalCore
import Learners
import Storage
import Support
import TestSupport
import Testing

@testable import Experiments
@testable import Reporting

/// Online runs: repeatable and resumable to the bit, whatever the lag, and what they leave.
final class OnlineTrainingTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func run(_ name: String) -> URL { folder.url.appendingPathComponent(name) }

  func configuration(_ learner: String, episodes: Int = 12, lag: Int = 0) -> RunConfiguration {
    var configuration = RunConfiguration()
    configuration.learner = learner
    configuration.seed = 3
    configuration.checkpointEvery = 9
    configuration.measureEvery = 5
    configuration.evaluateEvery = 20
    configuration.evaluationEpisodes = 2
    configuration.online.environment = "fetch-reach"
    configuration.online.steps = 50 * episodes
    configuration.online.lag = lag
    configuration.online.shardEpisodes = 5
    configuration.settings = [
      "batchSize": 32, "hiddenWidths": [16, 16],
      "online": [
        "randomEpisodes": 2, "updatesFrom": 3, "updatesPerEpisode": 4, "bufferSteps": 350,
      ],
    ]
    if learner == "goal-transformer" {
      // Histories, another policy for collecting than for evaluations, and dropout.
      configuration.settings["architecture"] = [
        "form": "decoder", "history": 4, "dropout": 0.1, "positions": "learned",
      ]
      configuration.settings["collecting"] = "sampled"
      configuration.settings["objectives"] = ["teacher": ["role": "acting"]]
    }
    return configuration
  }

  /// The bytes of the last checkpoint and of all shards, by name.
  func bytes(_ run: URL) throws -> [String: Data] {
    let last = try #require(try Checkpoint.all(in: run).last)
    var files: [String: Data] = [:]
    for part in [last, run.appendingPathComponent("dataset/shards")] {
      for name in try FileManager.default.contentsOfDirectory(atPath: part.path) {
        files[name] = try Data(contentsOf: part.appendingPathComponent(name))
      }
    }
    return files
  }

  @Test(arguments: [0, 1])
  func anOnlineRunIsRepeatableAndLeavesASoundDataset(lag: Int) throws {
    let asked = configuration("wgcsl", lag: lag)
    let summary = try OnlineTraining.run(asked, in: run("first"))
    #expect(summary.updates == 4 * 10 && !summary.interrupted)
    _ = try OnlineTraining.run(asked, in: run("second"))
    let files = try bytes(run("first"))
    #expect(try bytes(run("second")) == files)
    #expect(files.keys.filter { $0.hasSuffix(".h5") }.count == 3)

    let data = run("first").appendingPathComponent("dataset")
    let manifest = try Dataset(at: data).manifest
    #expect(manifest.totals.episodes == 12 && manifest.totals.steps == 600)
    #expect(manifest.recipe?.purpose == .online)
    #expect(try Verification.run(data, replays: .all, workers: 2, silent: true).isSound)
    // Two random episodes, then the learner's own exploration: 30 % random, the rest with noise.
    let sources = manifest.totals.sources
    #expect(sources[0] == 0 && sources[2] > 100 + 90 && sources[2] < 100 + 220)
    // It is a dataset like any other.
    var offline = RunConfiguration()
    offline.datasets = [data.path]
    offline.updates = 2
    offline.evaluateEvery = 0
    #expect(try OfflineTraining.run(offline, in: run("offline")).updates == 2)
  }

  @Test func theLagIsAnotherRun() throws {
    for lag in [0, 1] {
      _ = try OnlineTraining.run(configuration("gcsl", lag: lag), in: run("lag\(lag)"))
    }
    let (zero, one) = (try bytes(run("lag0")), try bytes(run("lag1")))
    // Random episodes and the first that the untrained policy makes are the same, later ones
    // differ.
    #expect(zero["shard-00000.h5"] != one["shard-00000.h5"])
    #expect(zero["policy.safetensors"] != one["policy.safetensors"])
  }

  /// Every checkpoint of a run is one that it could have been resumed from.
  @Test(arguments: LearnerRegistry.all.map(\.identifier), [0, 1])
  func aResumedRunEqualsAnUndisturbedOne(learner: String, lag: Int) throws {
    var asked = configuration(learner, lag: lag)
    asked.checkpointsKept = 100
    _ = try OnlineTraining.run(asked, in: run("whole"))
    let checkpoints = try Checkpoint.all(in: run("whole"))
    #expect(checkpoints.count >= 4)
    for kept in [1, checkpoints.count - 2] {
      // What a kill after that checkpoint leaves: later ones are not there, later shards may be.
      let copy = run("resumed-\(kept)")
      try FileManager.default.copyItem(at: run("whole"), to: copy)
      for late in try Checkpoint.all(in: copy)[kept...] {
        try FileManager.default.removeItem(at: late)
      }
      if kept == 1 {
        try FileManager.default.removeItem(at: copy.appendingPathComponent("dataset/manifest.json"))
        for end in ["h5", "json"] {
          try FileManager.default.removeItem(
            at: copy.appendingPathComponent("dataset/shards/shard-00001.\(end)"))
        }
      }
      let summary = try OnlineTraining.run(asked, in: copy, resuming: true)
      #expect(!summary.interrupted)
      #expect(try bytes(copy) == bytes(run("whole")))
      let evaluations = { (run: URL) in try Data(contentsOf: RunFolder(run).evaluations) }
      #expect(try evaluations(copy) == evaluations(run("whole")))
    }
  }

  /// GCSL as its own code has it, with episodes held out, demonstrations first and evaluations by
  /// steps.
  @Test func gcslOnItsOwnWorldIsResumedToTheBit() throws {
    let data = run("data")
    let recipe = Recipe(environment: "lunar-lander", policy: "scripted", seed: 1, episodes: 3)
    try recipe.collect(in: data)
    var asked = configuration("gcsl", episodes: 14)
    asked.checkpointsKept = 100
    asked.datasets = [data.path]
    asked.online.environment = "lunar-lander"
    asked.online.offlineFraction = [0, 0]
    asked.online.demonstrationUpdates = 11
    asked.online.evaluateEverySteps = 200
    let summary = try OnlineTraining.run(asked, in: run("whole"))
    #expect(summary.updates == 11 + 4 * 12)
    let evaluations = try RunEvaluations.saved(in: RunFolder(run("whole")))
    #expect(evaluations.map(\.steps) == [0, 200, 400, 600, 700])
    #expect(evaluations.map(\.updates) == [11, 19, 35, 51, 59])
    // Demonstrations come first and alone; then there is nothing of them.
    let table = try MetricsTable(contentsOf: RunFolder(run("whole")).metrics)
    #expect(table.column("offline_share").prefix(3) == [1, 1, 0])
    // Nothing is held out before the first episode that is.
    let losses = table.column("validation/policy_loss")
    #expect(losses.count == table.column("update").count)
    #expect(losses.first == 0 && (losses.last ?? 0) > 0)

    let checkpoints = try Checkpoint.all(in: run("whole"))
    #expect(checkpoints.count >= 5)
    for kept in [1, 3] {
      let copy = run("resumed-\(kept)")
      try FileManager.default.copyItem(at: run("whole"), to: copy)
      for late in try Checkpoint.all(in: copy)[kept...] {
        try FileManager.default.removeItem(at: late)
      }
      _ = try OnlineTraining.run(asked, in: copy, resuming: true)
      #expect(try bytes(copy) == bytes(run("whole")))
      #expect(try RunEvaluations.saved(in: RunFolder(copy)) == evaluations)
    }
  }

  @Test func aFifthIsHeldOutByLot() throws {
    var online = OnlineRun()
    online.steps = 50 * 2_000
    let schedule = try OnlineSchedule(online, GCSL.Configuration().online, horizon: 50)
    func heldOut(_ seed: UInt64) -> [Int] {
      (0..<2_000).filter { schedule.isHeldOut(episode: $0, seed: seed) }
    }
    #expect(abs(heldOut(1).count - 400) < 60 && heldOut(1) == heldOut(1))
    #expect(heldOut(1) != heldOut(2) && !heldOut(1).contains(0))
    #expect(schedule.updates(afterEpisode: 19) == 0 && schedule.updates(afterEpisode: 20) == 50)
    #expect(schedule.isEvaluated(afterEpisode: 0) == nil)
  }

  @Test func fineTuningBeginsWithACheckpointAndAnnealsTheOfflineShare() throws {
    let data = run("data")
    let recipe = Recipe(environment: "fetch-reach", policy: "scripted", seed: 1, episodes: 8)
    try recipe.collect(in: data)
    var offline = configuration("wgcsl")
    offline.online = OnlineRun()
    offline.datasets = [data.path]
    offline.updates = 7
    _ = try OfflineTraining.run(offline, in: run("offline"))

    var asked = configuration("wgcsl", episodes: 6)
    try asked.begin(from: run("offline").path)
    asked.datasets = [data.path]
    asked.online.environment = ""
    asked.online.offlineFraction = [1, 0]
    asked.measureEvery = 1
    let summary = try OnlineTraining.run(asked, in: run("tuned"))
    #expect(summary.updates == 7 + 4 * 4)
    let table = try MetricsTable(contentsOf: RunFolder(run("tuned")).metrics)
    let shares = table.column("offline_share")
    #expect(shares.count == 16 && abs(shares[0] - 0.6) < 1e-6 && shares[15] == 0)
    #expect(table.column("update").first == 8)
    #expect(table.column("episodes") == [3, 4, 5, 6].flatMap { [$0, $0, $0, $0] })

    // The configuration that was saved repeats it, without the checkpoint's settings given again.
    let again = try RunConfiguration.read(RunFolder(run("tuned")).configuration)
    _ = try Training.run(again, in: run("again"), progress: nil)
    #expect(try bytes(run("again")) == bytes(run("tuned")))
    // The checkpoint of another learner, or of a run that has changed, is refused.
    var other = asked
    other.learner = "gcsl"
    #expect(throws: (any Error).self) { try OnlineTraining.run(other, in: run("other")) }
  }

  @Test func theScheduleIsKnownBeforehand() throws {
    var online = OnlineRun()
    online.steps = 501
    online.offlineFraction = [0.5, 0]
    let schedule = try OnlineSchedule(
      online, GCSL.Configuration().online, horizon: 50)
    #expect(schedule.episodes == 11 && schedule.updates == 0)
    #expect(schedule.exploration(ofEpisode: 10) == Exploration(noise: 0, randomActions: 1))
    #expect(schedule.offlineShare(afterEpisode: 0) == 0.5)
    #expect(schedule.offlineShare(afterEpisode: 5) == 0.25)
    #expect(schedule.offlineShare(afterEpisode: 10) == 0)
    #expect(OnlineRun.shares("0.5→0") == [0.5, 0] && OnlineRun.shares("0.5-0") == [0.5, 0])
    #expect(OnlineRun.shares("0.5:0.25") == [0.5, 0.25] && OnlineRun.shares("0.3") == [0.3, 0.3])
    #expect(OnlineRun.shares("2") == nil && OnlineRun.shares("0.5-0-1") == nil)
  }
}
