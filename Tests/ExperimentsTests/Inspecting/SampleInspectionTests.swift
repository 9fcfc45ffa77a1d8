import Foundation
import GoalCore
import Learners
import Replay
import Reporting
import Storage
import Support
import TestSupport
import Testing

@testable import Experiments

/// What `goalpost sample` finds, and datasets as sources of training.
struct SampleInspectionTests {
  let folder: TemporaryFolder
  let random: String
  let scripted: String

  init() throws {
    folder = try TemporaryFolder()
    (random, scripted) = (folder.url.path + "/random", folder.url.path + "/scripted")
    for (policy, path, episodes) in [("random", random, 6), ("scripted", scripted, 12)] {
      let recipe = Recipe(environment: "fetch-reach", policy: policy, seed: 1, episodes: episodes)
      try recipe.collect(in: URL(fileURLWithPath: path))
    }
  }

  /// With the seed fixed, no sound scheme is further from its closed form than one draw in a
  /// thousand.
  @Test func everySchemeIsAsItsClosedForm() throws {
    for name in NamedScheme.all.map(\.name) { try schemeIsAsItsClosedForm(name) }
  }

  private func schemeIsAsItsClosedForm(_ name: String) throws {
    let found = try SampleInspection.run([scripted], scheme: "\(name):batch=64", batches: 80)
    let isShared = found.settings.sharing != .none
    for goals in [found.policy, found.value] {
      #expect(goals.chance > 1e-3, "\(name)")
      for share in goals.shares where !isShared {
        #expect(abs(share.drawn - share.expected) < 0.04, "\(name)")
      }
    }
    #expect(found.text.hasPrefix("\(name):batch=64 on "))
    #expect(found.text.contains("warning: this scheme draws one") == isShared)
    if name == "one-pair-per-batch" { #expect(found.pairs == 1) }
    let json = try found.json()
    #expect(json.contains("\"chiSquared\""))
  }

  /// A scheme is inspected against its own law; counts of another are seen at once.
  @Test func aWrongLawWouldBeSeen() throws {
    let found = try SampleInspection.run([scripted], scheme: "future", batches: 50)
    let uniform = Double(found.policy.offsets.map(\.drawn).reduce(0, +)) / 50
    let squared = found.policy.offsets.reduce(0) {
      $0 + (Double($1.drawn) - uniform) * (Double($1.drawn) - uniform) / uniform
    }
    #expect(found.policy.degreesOfFreedom > 40 && squared > 20 * found.policy.chiSquared)
  }

  @Test func aLearnersSchemeIsItsOwn() throws {
    let found = try SampleInspection.run(
      [scripted], scheme: "wgcsl", ofLearner: true, batches: 20)
    #expect(found.settings.valueGoals == .policys(original: 0.2))
    let shares = Dictionary(uniqueKeysWithValues: found.value.shares.map { ($0.origin, $0) })
    #expect(abs((shares["original"]?.expected ?? 0) - 0.2) < 1e-12)
    #expect(abs((shares["original"]?.drawn ?? 0) - 0.2) < 0.03)
  }

  @Test func theFigureHasBarsAndTheClosedForm() throws {
    let found = try SampleInspection.run([scripted], scheme: "ogbench", batches: 20)
    let figure = try found.figure().rendered()
    #expect(figure.contains("policy&apos;s goals") || figure.contains("policy's goals"))
    #expect(figure.components(separatedBy: "<polyline").count == 3)
    #expect(throws: ExperimentError.self) {
      try SampleInspection.run([scripted], scheme: "original", batches: 2).figure()
    }
  }

  // MARK: - Sources of training

  private func trainingData(
    _ datasets: [String], validationFraction: Double = 0, seed: UInt64
  ) throws -> TrainingData {
    var configuration = RunConfiguration()
    configuration.datasets = datasets
    configuration.validationFraction = validationFraction
    configuration.seed = seed
    return try TrainingData(configuration)
  }

  @Test func weightsAreSharesOfRows() throws {
    let data = try trainingData([random + ":3", scripted + ":1"], seed: 0)
    #expect(data.training.map(\.weight) == [3, 1] && data.validation.isEmpty)
    #expect(data.training.map(\.source.episodeCount) == [6, 12])
    let pooled = try trainingData([random, scripted], seed: 0)
    #expect(pooled.training.map(\.source.episodeCount) == [18])
    #expect(pooled.digests == data.digests)
    #expect(throws: ExperimentError.self) { try trainingData([random + ":3", scripted], seed: 0) }
    #expect(throws: ExperimentError.self) { try trainingData([random + ":-1"], seed: 0) }
    #expect(throws: ExperimentError.self) { try trainingData([], seed: 0) }
  }

  @Test func heldOutEpisodesAreNotTrainedOn() throws {
    let data = try trainingData(
      [random + ":1", scripted + ":1"], validationFraction: 0.25, seed: 4)
    #expect(data.training.map(\.source.episodeCount) == [4, 9])
    #expect(data.validation.map(\.source.episodeCount) == [2, 3])
    #expect(throws: SettingsError.self) {
      try trainingData([random], validationFraction: 1, seed: 4)
    }
  }

  @Test func aWeightedRunIsRepeatedAndInspected() throws {
    var configuration = RunConfiguration()
    configuration.learner = "gcsl"
    configuration.datasets = [random + ":0.7", scripted + ":0.3"]
    configuration.validationFraction = 0.2
    configuration.updates = 10
    configuration.measureEvery = 5
    configuration.evaluateEvery = 0
    configuration.settings = ["batchSize": 32, "hiddenWidths": [16, 16]]
    #expect(RunFolder.usual(configuration).lastPathComponent == "gcsl-random-s0")
    let (one, two) = (
      folder.url.appendingPathComponent("1"), folder.url.appendingPathComponent("2")
    )
    _ = try OfflineTraining.run(configuration, in: one)
    let saved = try RunConfiguration.read(one.appendingPathComponent("config.json"))
    #expect(saved.datasets == configuration.datasets && saved.validationFraction == 0.2)
    _ = try OfflineTraining.run(saved, in: two)
    let policies = try [one, two].map {
      try Data(
        contentsOf: $0.appendingPathComponent("checkpoints/000000010/policy.safetensors"))
    }
    #expect(policies[0] == policies[1])
    let metrics = try String(contentsOf: one.appendingPathComponent("metrics.csv"), encoding: .utf8)
    #expect(metrics.hasPrefix("update,seconds,policy_loss"))
    #expect(try Inspection.run(one.path, workers: 1).text.contains("random:0.7"))
  }
}
