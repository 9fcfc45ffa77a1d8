import Environments
import Foundation
import GoalCore
import Learners
import Reporting
import Statistics
import Storage
import Support
import TestSupport
import Testing

@testable import Experiments

/// Training runs: repeatable, resumable, and refused where they would be wrong.
final class TrainingTests {
  let folder: TemporaryFolder
  let data: URL

  init() throws {
    folder = try TemporaryFolder()
    data = folder.url.appendingPathComponent("data")
    let recipe = Recipe(
      environment: "fetch-reach", policy: "scripted", seed: 1, episodes: 12, noise: 0.2,
      randomActions: 0.3)
    try recipe.collect(in: data)
  }

  func configuration(_ learner: String, updates: Int = 40) -> RunConfiguration {
    var configuration = RunConfiguration()
    configuration.learner = learner
    configuration.datasets = [data.path]
    configuration.updates = updates
    configuration.seed = 3
    configuration.checkpointEvery = 10
    configuration.measureEvery = 5
    configuration.evaluateEvery = 20
    configuration.evaluationEpisodes = 2
    configuration.settings = ["batchSize": 32, "hiddenWidths": [16, 16]]
    return configuration
  }

  func run(_ name: String) -> URL { folder.url.appendingPathComponent(name) }

  /// The bytes of the last checkpoint.
  func bytes(_ run: URL) throws -> [Data] {
    let last = try #require(try Checkpoint.all(in: run).last)
    return try ["policy.safetensors", "training.safetensors", "state.json"].map {
      try Data(contentsOf: last.appendingPathComponent($0))
    }
  }

  /// All episodes of a dataset.
  func episodes(_ folder: URL) throws -> [Trajectory] {
    let dataset = try Dataset(at: folder)
    return try dataset.manifest.shards.flatMap { try dataset.open($0).trajectories() }
  }

  @Test(arguments: LearnerRegistry.all.map(\.identifier))
  func aResumedRunEqualsAnUndisturbedOne(learner: String) throws {
    let whole = configuration(learner)
    _ = try OfflineTraining.run(whole, in: run("whole"))
    var half = whole
    half.updates = 20
    _ = try OfflineTraining.run(half, in: run("half"))
    _ = try OfflineTraining.run(whole, in: run("half"), resuming: true)
    #expect(try bytes(run("half")) == bytes(run("whole")))
    let rows = { (name: String) in
      try String(contentsOf: self.run(name).appendingPathComponent("metrics.csv"), encoding: .utf8)
        .split(separator: "\n").map { row in
          // All but the times: the second column, and the last.
          row.split(separator: ",").dropLast().enumerated().filter { $0.offset != 1 }
            .map { String($0.element) }
        }
    }
    #expect(try rows("half") == rows("whole"))
    #expect(try rows("whole").count == 9)
    let evaluations = { (name: String) in
      try Data(contentsOf: self.run(name).appendingPathComponent("evaluations.json"))
    }
    #expect(try evaluations("half") == evaluations("whole"))
  }

  @Test func anotherSeedIsAnotherRunAndTheConfigurationRepeatsOne() throws {
    var first = configuration("gcsl", updates: 10)
    _ = try OfflineTraining.run(first, in: run("first"))
    let again = try RunConfiguration.read(run("first").appendingPathComponent("config.json"))
    _ = try OfflineTraining.run(again, in: run("again"))
    #expect(try bytes(run("again")) == bytes(run("first")))
    // A file of YAML that says the same.
    let yaml = folder.url.appendingPathComponent("train.yaml")
    try Data(
      """
      learner: gcsl
      datasets: [\(data.path)]
      updates: 10
      seed: 3
      settings: {batchSize: 32, hiddenWidths: [16, 16]}
      """.utf8
    ).write(to: yaml)
    _ = try OfflineTraining.run(try RunConfiguration.read(yaml), in: run("yaml"))
    #expect(try bytes(run("yaml")) == bytes(run("first")))
    first.seed = 4
    _ = try OfflineTraining.run(first, in: run("other"))
    #expect(try bytes(run("other"))[0] != bytes(run("first"))[0])
  }

  @Test func onlyOneTrainsInAFolder() throws {
    let one = configuration("gcsl", updates: 10)
    let busy = ExperimentError.runBusy(path: run("r").path)
    let lock = try RunFolder(run("r")).claim()
    #expect(throws: busy) { try OfflineTraining.run(one, in: run("r")) }
    #expect(throws: busy) { try OfflineTraining.run(one, in: run("r"), resuming: true) }
    withExtendedLifetime(lock) {}
  }

  @Test func aFolderIsFreeAgainAtTheEnd() throws {
    let one = configuration("gcsl", updates: 10)
    _ = try OfflineTraining.run(one, in: run("r"))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: run("r").path).sorted().contains(
        "training.lock") == false)
    _ = try RunFolder(run("r")).claim()
  }

  @Test func seedsSideBySideEqualSeedsAlone() throws {
    let one = configuration("wgcsl", updates: 20)
    _ = try OfflineTraining.run(one, in: run("alone"))
    let folders = (0..<3).map { run("together-\($0)") }
    let together = try Parallel.map(count: 3, workers: 3, context: {}) { _, index in
      var copy = one
      copy.seed = UInt64(2 + index)
      return try OfflineTraining.run(copy, in: folders[index])
    }
    #expect(together.count == 3)
    #expect(try bytes(run("together-1")) == bytes(run("alone")))
  }

  @Test func evaluationDoesNotDependOnWorkers() throws {
    _ = try OfflineTraining.run(configuration("wgcsl", updates: 10), in: run("r"))
    let world = try EnvironmentRegistry.world("fetch-reach")
    let policy = try Checkpoint.policy(run("r").path).policy
    let scores = try [1, 3].map {
      try Evaluation.scores(
        of: policy, in: world, EvaluationRequest(episodes: 5, seed: 9, workers: $0))
    }
    #expect(scores[0] == scores[1])
  }

  /// The noise of an evaluation is that of collecting: its return is what a dataset would have.
  @Test func anEvaluationUnderNoiseIsWhatACollectorSees() throws {
    let world = try EnvironmentRegistry.world("fetch-reach")
    let exploration = Exploration(noise: 0.2, randomActions: 0.3)
    let request = EvaluationRequest(episodes: 4, seed: 9, workers: 2, exploration: exploration)
    let policy = try Policies.named("scripted", for: world)
    let found = try Evaluation.scores(of: policy, in: world, request)
    let rollout = Rollout(
      environment: try world.load().makeEnvironment(), policy: policy, exploration: exploration)
    let expected = try (0..<4).map {
      EpisodeScore(
        try rollout.episode(index: $0, seed: Seeds.world(.evaluate, seed: 9, episode: $0)),
        task: world.task)
    }
    #expect(found == expected)
    let quiet = EvaluationRequest(episodes: 4, seed: 9, workers: 2)
    #expect(try Evaluation.scores(of: policy, in: world, quiet) != found)
  }

  @Test func aRecipeNamesThePolicyBesideIt() throws {
    _ = try OfflineTraining.run(configuration("ddpg-her", updates: 10), in: run("r"))
    let card = run("fetch-reach-expert-v0")
    try FileManager.default.createDirectory(at: card, withIntermediateDirectories: true)
    let policy = card.appendingPathComponent("policy.safetensors")
    try FileManager.default.copyItem(at: Checkpoint.policyFile(run("r").path), to: policy)
    let file = card.appendingPathComponent("recipe.yaml")
    let text = "environment: fetch-reach\npolicy: policy.safetensors\nepisodes: 2\nseed: 1\n"
    try Data(text.utf8).write(to: file)
    let made = try TrajectoryCollection.run(
      recipeFile: file, onlyEpisodes: nil, in: nil, workers: 1)
    let recipe = try #require(made.manifest?.recipe)
    #expect(recipe.policy == "checkpoint")
    #expect(try recipe.policyDigest == Digest.sha256(ofFile: policy))
  }

  @Test func aCheckpointCollects() throws {
    _ = try OfflineTraining.run(configuration("gcsl", updates: 10), in: run("r"))
    let recipe = Recipe(
      environment: "fetch-reach", policy: run("r").path, seed: 1, episodes: 3)
    let manifest = try recipe.collect(in: run("made"))
    #expect(manifest.recipe?.policy == "checkpoint")
    #expect(manifest.recipe?.policyDigest?.count == 64)
    #expect(manifest.totals.sources[0] == 150)
    #expect(try Verification.run(run("made"), replays: .all, workers: 1, silent: true).isSound)
  }

  @Test func aCategoricalCheckpointRecordsLogProbabilities() throws {
    var configuration = configuration("gcsl", updates: 10)
    configuration.settings["actions"] = "discretized"
    configuration.settings["choosing"] = "sampled"
    _ = try OfflineTraining.run(configuration, in: run("r"))
    let recipe = Recipe(
      environment: "fetch-reach", policy: run("r").path, seed: 1, episodes: 4, randomActions: 0.5)
    let column = try recipe.collect(in: run("made")).columns["behaviour/log_probabilities"]
    #expect(column?.origin == .native)
    #expect(try Verification.run(run("made"), replays: .all, workers: 1, silent: true).isSound)

    // What is stored is what the policy gives to the stored actions, random ones included.
    let actor = try Checkpoint.policy(run("r").path).policy.policy.makeActor()
    let episodes = try self.episodes(run("made"))
    #expect(episodes.count == 4)
    for episode in episodes {
      actor.begin(goal: episode.desiredGoal, seed: episode.seed)
      let actions = try #require(episode.actions.continuous)
      for t in 0..<episode.length {
        _ = actor.act(Array(episode.observations[t * 10..<(t + 1) * 10]))
        let action = Action.continuous(Array(actions[t * 4..<(t + 1) * 4]))
        #expect(actor.logProbability(of: action) == episode.logProbabilities[t])
      }
    }
    #expect(episodes.flatMap(\.sources).contains(.random))

    // A policy that is not categorical leaves the column out.
    #expect(try Dataset(at: data).manifest.columns["behaviour/log_probabilities"] == nil)
    #expect(try self.episodes(data).allSatisfy { $0.logProbabilities.isEmpty })
  }

  @Test func aCheckpointOfAnotherWorldIsRefused() throws {
    _ = try OfflineTraining.run(configuration("gcsl", updates: 10), in: run("r"))
    let push = try EnvironmentRegistry.world("fetch-push")
    #expect(
      throws: ExperimentError.otherWorld(
        path: run("r").path, trainedFor: "fetch-reach", asked: "fetch-push")
    ) { try Checkpoint.policy(run("r").path, for: push.task) }
  }

  @Test func aRunIsNeverWrittenOver() throws {
    _ = try OfflineTraining.run(configuration("gcsl", updates: 10), in: run("r"))
    #expect(throws: ExperimentError.runExists(path: run("r").path)) {
      try OfflineTraining.run(configuration("gcsl", updates: 10), in: run("r"))
    }
  }

  @Test func aHalfWrittenCheckpointIsPassedOver() throws {
    _ = try OfflineTraining.run(configuration("gcsl", updates: 20), in: run("r"))
    // What a kill in the middle of writing leaves.
    let part = run("r").appendingPathComponent("checkpoints/000000030.part")
    try FileManager.default.createDirectory(at: part, withIntermediateDirectories: true)
    try Data("half".utf8).write(to: part.appendingPathComponent("policy.safetensors"))
    let whole = configuration("gcsl", updates: 40)
    _ = try OfflineTraining.run(whole, in: run("r"), resuming: true)
    _ = try OfflineTraining.run(whole, in: run("whole"))
    #expect(try bytes(run("r")) == bytes(run("whole")))
    #expect(!FileManager.default.fileExists(atPath: part.path))
  }

  @Test func aLossThatIsNotFiniteStopsTheRunWithItsStateSaved() throws {
    var broken = configuration("wgcsl")
    broken.settings["criticLearningRate"] = 1e15
    broken.measureEvery = 1
    let error = #expect(throws: ExperimentError.self) {
      try OfflineTraining.run(broken, in: run("r"))
    }
    guard case .notFinite(let metric, let update, let saved, let last) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(metric.hasSuffix("_loss") && update > 1 && update < 10 && last == nil)
    let state = try Checkpoint.read(URL(fileURLWithPath: saved))
    #expect(state.saved.counters["updates"]?.integer == update)
    #expect(try Checkpoint.all(in: run("r")).isEmpty)
    let inspection = try RunInspection.run(run("r"))
    #expect(
      inspection.warnings == ["update \(update): not-finite: \(metric) is not a finite number"])
  }

  @Test func aCheckpointNeverHoldsWhatIsNotFinite() throws {
    var broken = configuration("gcsl")
    broken.settings["learningRate"] = 1e30
    broken.measureEvery = 1000
    let error = #expect(throws: ExperimentError.self) {
      try OfflineTraining.run(broken, in: run("r"))
    }
    guard case .notFinite(let metric, 10, _, nil) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(metric.hasPrefix("actor."))
    #expect(try Checkpoint.all(in: run("r")).isEmpty)
  }

  @Test func theBestCheckpointIsKeptApartWithItsEvaluation() throws {
    var short = configuration("wgcsl", updates: 60)
    short.evaluateEvery = 6
    short.checkpointsKept = 1
    _ = try OfflineTraining.run(short, in: run("r"))
    let all = try RunEvaluations.saved(in: RunFolder(run("r")))
    #expect(all.map(\.updates) == Array(stride(from: 6, through: 60, by: 6)))
    let best = run("r").appendingPathComponent("checkpoints/best")
    let state = try Checkpoint.state(of: best)
    #expect(state.evaluation == RunEvaluations.best(of: all))
    #expect(state.header.updates == state.evaluation?.updates)
    // It is the policy that was evaluated.
    let world = try EnvironmentRegistry.world("fetch-reach")
    let scores = try Evaluation.scores(
      of: Checkpoint.policy(best.path).policy, in: world,
      EvaluationRequest(episodes: 2, seed: short.evaluationSeed, workers: 1))
    #expect(Evaluation(scores, task: world.task) == state.evaluation?.evaluation)
    #expect(try Checkpoint.all(in: run("r")).map(\.lastPathComponent) == ["000000060"])
    #expect(try Checkpoint.policyFile(run("r").path).path.contains("000000060"))
  }

  @Test func aCheckpointThatWasBeingReplacedComesBack() throws {
    _ = try OfflineTraining.run(configuration("gcsl", updates: 20), in: run("r"))
    let best = run("r").appendingPathComponent("checkpoints/best")
    let bytes = try Data(contentsOf: best.appendingPathComponent("policy.safetensors"))
    try FileManager.default.moveItem(at: best, to: best.appendingPathExtension("old"))
    RunFolder(run("r")).tidy()
    #expect(try Data(contentsOf: best.appendingPathComponent("policy.safetensors")) == bytes)
  }

  @Test func everyCallIsAPartOfTheProvenance() throws {
    let place = run("r")
    func parts() throws -> [Provenance.Part] { try Provenance(in: place)?.parts ?? [] }
    _ = try OfflineTraining.run(configuration("gcsl", updates: 10), in: place)
    let first = try parts()
    #expect(first.map(\.fromUpdate) == [0] && first.map(\.toUpdate) == [10])
    #expect(first[0].instructionSet?.contains("libtorch") == true)
    #expect(first[0].libraries?["libtorch"] != nil && first[0].libraries?["simulator"] != nil)
    #expect(first[0].finished != nil && first[0].command == CommandLine.arguments)
    // A resume of a finished run makes nothing, and changes nothing.
    _ = try OfflineTraining.run(configuration("gcsl", updates: 10), in: place, resuming: true)
    #expect(try parts() == first)
    _ = try OfflineTraining.run(configuration("gcsl", updates: 20), in: place, resuming: true)
    let both = try parts()
    #expect(both[0] == first[0] && both.map(\.fromUpdate) == [0, 10])
    #expect(both.map(\.toUpdate) == [10, 20])
    let text = try RunInspection.run(place).text
    #expect(text.contains("updates from 0 to 10") && text.contains("updates from 10 to 20"))
    #expect(try RunInspection.run(place).warnings.isEmpty)
  }

  @Test func aRunThatIsMovedToOtherInstructionsWarns() throws {
    let place = run("r")
    _ = try OfflineTraining.run(configuration("gcsl", updates: 10), in: place)
    var before = try #require(try Provenance(in: place))
    before.parts[0].instructionSet = "libtorch AVX1024"
    try before.write(to: place)
    _ = try OfflineTraining.run(configuration("gcsl", updates: 20), in: place, resuming: true)
    let warnings = try RunInspection.run(place).warnings
    #expect(warnings.count == 1)
    #expect(
      warnings[0].hasPrefix("update 10: other-numerics: the run goes on with the instructions"))
    #expect(warnings[0].contains("libtorch AVX1024"))
  }

  @Test func damagedEvaluationsAreNoAbsence() throws {
    _ = try OfflineTraining.run(configuration("gcsl", updates: 20), in: run("r"))
    let file = run("r").appendingPathComponent("evaluations.json")
    let best = run("r").appendingPathComponent("checkpoints/best/policy.safetensors")
    let (text, policy) = (try Data(contentsOf: file), try Data(contentsOf: best))
    for damaged in [Data(), text.prefix(text.count - 9), Data("{}".utf8)] {
      try damaged.write(to: file)
      #expect(throws: ExperimentError.self) {
        try OfflineTraining.run(
          self.configuration("gcsl", updates: 40), in: self.run("r"), resuming: true)
      }
      #expect(throws: ExperimentError.self) { try RunInspection.run(self.run("r")) }
      #expect(try Data(contentsOf: best) == policy && Data(contentsOf: file) == damaged)
    }
  }

  @Test func whatTheMonitorSawIsPartOfACheckpoint() throws {
    _ = try OfflineTraining.run(configuration("gcsl", updates: 20), in: run("r"))
    let file = run("r").appendingPathComponent("checkpoints/000000020/state.json")
    let text = try String(contentsOf: file, encoding: .utf8)
    #expect(text.contains("\"monitor\":{\"collapsedRows\":0}"))
    // Two rows of a collapse before the stop: the next one is the third.
    let changed = text.replacingOccurrences(
      of: "\"collapsedRows\":0", with: "\"collapsedRows\":2")
    try Data(changed.utf8).write(to: file)
    let resumed = try trainingRun("r", resuming: true)
    var monitor = resumed.monitor
    var row = Metrics()
    row.append("action_entropy", 0.01)
    row.append("data_action_entropy", 1)
    #expect(monitor.warning(about: row) != nil)
  }

  private func trainingRun(_ name: String, resuming: Bool) throws -> TrainingRun {
    let dataset = try Dataset(at: data)
    return try TrainingRun(
      configuration("gcsl", updates: 20), in: run(name), task: dataset.manifest.task,
      digests: [try dataset.manifest.digest()], episodes: [], resuming: resuming, progress: nil)
  }

  @Test(arguments: [false, true])
  func aRunWhoseFolderGoesStops(isMadeAgain: Bool) throws {
    let one = try trainingRun("r", resuming: false)
    try FileManager.default.removeItem(at: run("r"))
    if isMadeAgain {
      try FileManager.default.createDirectory(at: run("r"), withIntermediateDirectories: true)
    }
    #expect(throws: ExperimentError.runGone(path: run("r").path)) {
      try one.settle(since: 0, isLast: true, evaluating: false)
    }
    let left = run("r").appendingPathComponent("checkpoints")
    #expect(!FileManager.default.fileExists(atPath: left.path))
  }

  @Test func aRunsFilesAreWrittenInOneWay() throws {
    _ = try OfflineTraining.run(configuration("gcsl", updates: 20), in: run("r"))
    let part = run("r").appendingPathComponent("evaluations.json.elsewhere-1-1.part")
    try Data("half".utf8).write(to: part)
    _ = try OfflineTraining.run(configuration("gcsl", updates: 40), in: run("r"), resuming: true)
    #expect(!FileManager.default.fileExists(atPath: part.path))
    let names = try FileManager.default.contentsOfDirectory(atPath: run("r").path).sorted()
    #expect(
      names == [
        "checkpoints", "config.json", "episodes.json", "evaluations.json",
        "events.out.tfevents.goalpost", "metrics.csv", "metrics.jsonl", "provenance.json",
      ])
  }

  /// Readers that `verify` is none of refuse a shard with another digest, too.
  @Test func nothingIsTrainedOnAlteredData() throws {
    _ = try OfflineTraining.run(configuration("gcsl", updates: 10), in: run("r"))
    let shard = data.appendingPathComponent("shards/shard-00000.h5")
    var bytes = try Data(contentsOf: shard)
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: shard)
    func expectAltered(_ body: () throws -> Void) {
      let error = #expect(throws: FileError.self) { try body() }
      guard case .altered(shard.path, _, _)? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
    expectAltered { _ = try OfflineTraining.run(configuration("gcsl"), in: run("new")) }
    expectAltered {
      _ = try OfflineTraining.run(configuration("gcsl"), in: run("r"), resuming: true)
    }
    expectAltered { _ = try SampleInspection.run([data.path], scheme: "gcsl", ofLearner: true) }
    expectAltered { _ = try DatasetInspection.run(data, workers: 1, silent: true) }
    expectAltered {
      _ = try DatasetEvaluation.run(
        [run("r").path], DatasetEvaluation.Request([data.path], workers: 1), silent: true)
    }
    #expect(!FileManager.default.fileExists(atPath: run("new").path))
  }

  @Test func severalSeedsHaveOneSummary() throws {
    let summaries = try ([3, 4, 5] as [UInt64]).map { seed in
      var one = configuration("gcsl", updates: 5)
      one.seed = seed
      return try OfflineTraining.run(one, in: run("s\(seed)"))
    }
    let summary = SeedsSummary(runs: summaries)
    let table = try #require(summary.table())
    #expect(table.heads[0...1] == ["seed", "success"] && table.heads.last == "episodes")
    #expect(table.rows.map { $0[0].shown } == ["3", "4", "5", "mean over 3 seeds"])
    // It is the interval that `goalpost evaluate` gives these runs on these episodes.
    let evaluated = try Comparison.run(
      summaries.map(\.folder.path), environment: nil,
      EvaluationRequest(
        episodes: configuration("gcsl", updates: 5).evaluationEpisodes,
        seed: RunConfiguration().evaluationSeed, workers: 1), silent: true)
    #expect(evaluated.table().rows.last?.map(\.shown) == table.rows.last?.map(\.shown))
    #expect(summary.notes.count == 2 && summary.notes[1].contains("interquartile mean"))
    // Five seeds have an interquartile mean too.
    let five = SeedsSummary(runs: summaries + summaries.prefix(2))
    #expect(
      five.table()?.rows.dropFirst(5).map { $0[0].shown } == [
        "IQM over 5 seeds", "mean over 5 seeds",
      ])
    #expect(five.notes.count == 1)
  }

  @Test func settingsComeFromTextInLayers() throws {
    let file = folder.url.appendingPathComponent("train.yaml")
    try Data(
      """
      learner: gcsl       # why it is this one
      updates: 7
      settings:
        batchSize: 16
      """.utf8
    ).write(to: file)
    var configuration = try RunConfiguration.read(file)
    try configuration.assign(["batchSize=64", "policyLearningRate=1e-3"])
    #expect(configuration.learner == "gcsl" && configuration.updates == 7)
    #expect(configuration.settings == ["batchSize": 64, "policyLearningRate": 0.001])
    #expect(throws: ExperimentError.badAssignment("batchSize")) {
      try configuration.assign(["batchSize"])
    }
  }
}
