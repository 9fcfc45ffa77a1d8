import Foundation
import GoalCore
import Learners
import Reporting
import Storage
import Support
import TestSupport
import Testing

@testable import Experiments

/// Whether an episode was trained on, whichever way it came to the policy and to the data it is
/// held against.
final class SeenEpisodesTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func path(_ name: String) -> String { folder.url.appendingPathComponent(name).path }

  @discardableResult
  func collect(_ name: String, episodes: Int = 20, seed: UInt64 = 1) throws -> String {
    let recipe = Recipe(
      environment: "point-reach", policy: "scripted", seed: seed, episodes: episodes, noise: 0.2,
      shardEpisodes: 5)
    try recipe.collect(in: folder.url.appendingPathComponent(name), workers: 1)
    return path(name)
  }

  func mix(
    _ datasets: [String], to name: String, _ change: (inout Mixing.Request) -> Void = { _ in }
  ) throws -> String {
    var request = Mixing.Request(datasets, seed: 5)
    change(&request)
    _ = try Mixing.run(
      request, in: folder.url.appendingPathComponent(name), workers: 1, silent: true)
    return path(name)
  }

  func convert(_ input: String, to name: String, _ format: String?) throws -> String {
    var request = DatasetConversion.Request(
      URL(fileURLWithPath: input), to: URL(fileURLWithPath: path(name)), workers: 1)
    request.to = format
    request.environment = format == nil ? "point-reach" : nil
    _ = try DatasetConversion.run(request)
    return path(name)
  }

  func train(
    _ name: String, on datasets: [String], from: String = "",
    _ change: (inout RunConfiguration) -> Void = { _ in }
  ) throws -> String {
    var configuration = RunConfiguration()
    configuration.learner = "gcsl"
    configuration.datasets = datasets
    configuration.updates = 4
    configuration.evaluateEvery = 0
    configuration.settings = ["batchSize": 8, "hiddenWidths": [4]]
    if !from.isEmpty { try configuration.begin(from: from) }
    change(&configuration)
    _ = try Training.run(configuration, in: folder.url.appendingPathComponent(name), progress: nil)
    return path(name)
  }

  /// How many episodes of a dataset belong to which part.
  func parts(_ policy: String, _ dataset: String) throws -> [TrainingPart: Int] {
    let found = try DatasetEvaluation.run(
      [policy], DatasetEvaluation.Request([dataset], workers: 1), silent: true)
    let parts = found.entries[0].parts.map { ($0.part, $0.episodes) }
    return Dictionary(parts) { $0 + $1 }
  }

  @Test func episodesThatCameThroughAMixtureWereTrainedOn() throws {
    let (data, other) = (try collect("data"), try collect("other", seed: 2))
    let part = try mix([data], to: "part") { $0.onlyEpisodes = "0-15" }
    let whole = try mix([part, other], to: "whole")
    let run = try train("run", on: [whole])
    #expect(try parts(run, data) == [.trained: 16, .other: 4])
    #expect(try parts(run, other) == [.trained: 20])
    #expect(try parts(run, try collect("new", seed: 3)) == [.other: 20])
    let found = try DatasetEvaluation.run(
      [run], DatasetEvaluation.Request([data], workers: 1), silent: true)
    #expect(
      found.text(.text).contains(
        "16 of 20 episodes were trained on, 4 of 20 episodes were not trained on"))
    // The other way round: trained on the source, held against mixtures of it.
    let first = try train("first", on: [data])
    #expect(try parts(first, whole) == [.trained: 16, .other: 20])
    // The same recipe again, in shards of another size.
    let again = Recipe(
      environment: "point-reach", policy: "scripted", seed: 1, episodes: 24, noise: 0.2,
      shardEpisodes: 7)
    try again.collect(in: folder.url.appendingPathComponent("again"), workers: 1)
    #expect(try parts(first, path("again")) == [.trained: 20, .other: 4])
    // What was trained on need not be there any more.
    for name in ["data", "part", "whole", "other"] {
      try FileManager.default.removeItem(atPath: path(name))
    }
    #expect(try parts(run, path("again")) == [.trained: 16, .other: 8])
  }

  @Test func bothSidesOfASplitAreToldApart() throws {
    let data = try collect("data")
    _ = try mix([data], to: "split") { $0.split = 0.75 }
    let run = try train("run", on: [path("split")])
    #expect(try parts(run, data) == [.trained: 15, .other: 5])
    #expect(try parts(run, path("split-val")) == [.other: 5])
  }

  @Test(arguments: ["wgcsl-pickle", "d4rl", "robomimic"])
  func aConversionOfWhatWasTrainedOnIsFound(format: String) throws {
    let data = try collect("data")
    let there = try convert(data, to: "there", format)
    let back = try convert(there, to: "back", nil)
    #expect(try parts(try train("run", on: [data]), back) == [.trained: 20])
    // Trained on the conversion, held against the source and a mixture of the conversion.
    let run = try train("converted", on: [back])
    #expect(try parts(run, data) == [.trained: 20])
    let some = try mix([back], to: "some") { $0.episodes = 7 }
    #expect(try parts(run, some) == [.trained: 7])
  }

  @Test func whatAnOnlineRunCollectedWasTrainedOn() throws {
    let data = try collect("data")
    let run = try train("run", on: [data]) {
      $0.online.steps = 50 * 12
      $0.online.shardEpisodes = 5
      $0.checkpointEvery = 8
      $0.settings["online"] = [
        "randomEpisodes": 2, "updatesFrom": 1, "updatesPerEpisode": 2, "validationFraction": 0.3,
      ]
    }
    let collected = run + "/dataset"
    let found = try parts(run, collected)
    #expect(found[.trained, default: 0] + found[.heldOut, default: 0] == 12)
    #expect(found[.heldOut, default: 0] > 0)
    #expect(try parts(run, data) == [.trained: 20])
    let some = try mix([collected, data], to: "some") { $0.episodes = 30 }
    #expect(try parts(run, some)[.other] == nil)
    // An earlier checkpoint has seen less: 16 updates are those of 8 episodes.
    let earlier = try parts(run + "/checkpoints/000000016", collected)
    #expect(earlier[.other] == 4)
  }

  @Test func whatARunBeganWithHasSeenItsDataToo() throws {
    let (one, two) = (try collect("one"), try collect("two", seed: 2))
    let first = try train("first", on: [one]) { $0.validationFraction = 0.25 }
    let second = try train("second", on: [two], from: first)
    let third = try train("third", on: [two], from: second) { $0.online = OnlineRun() }
    for run in [second, third] {
      #expect(try parts(run, one) == [.trained: 15, .heldOut: 5])
      #expect(try parts(run, two) == [.trained: 20])
    }
    #expect(try parts(first, two) == [.other: 20])
    // A run that goes on still knows it, without the run that it began with.
    try FileManager.default.removeItem(atPath: first)
    var longer = try RunConfiguration(ofRun: URL(fileURLWithPath: second))
    longer.updates = 8
    _ = try Training.run(longer, in: URL(fileURLWithPath: second), resuming: true, progress: nil)
    #expect(try parts(second, one) == [.trained: 15, .heldOut: 5])
  }

  @Test func whatIsNotKnownIsNotSaid() throws {
    let data = try collect("data")
    let run = try train("run", on: [data]) { $0.validationFraction = 0.25 }
    let other = try collect("other", seed: 2)
    // A policy's file without its run: its head names the dataset.
    let alone = path("policy.safetensors")
    try FileManager.default.copyItem(
      atPath: try Checkpoint.policyFile(run).path, toPath: alone)
    #expect(try parts(alone, data) == [.given: 20])
    #expect(try parts(alone, try mix([data], to: "mixed") { $0.episodes = 9 }) == [.given: 9])
    #expect(try parts(alone, other) == [.unknown: 20])
    // What begins with a checkpoint of which it is not known what it saw.
    let copied = path("copied")
    try FileManager.default.copyItem(
      atPath: try Checkpoint.policyFile(run).deletingLastPathComponent().path, toPath: copied)
    let tuned = try train("tuned", on: [other], from: copied)
    #expect(try parts(tuned, other) == [.trained: 20])
    #expect(try parts(tuned, data) == [.unknown: 20])
    // A run of an older version wrote nothing down: its datasets tell, and where they are gone its
    // head.
    try FileManager.default.removeItem(atPath: run + "/episodes.json")
    #expect(try parts(run, data) == [.trained: 15, .heldOut: 5])
    try FileManager.default.moveItem(atPath: data, toPath: path("moved"))
    #expect(try parts(run, path("moved")) == [.given: 20])
    #expect(try parts(run, other) == [.unknown: 20])
    // Policies in code were never trained.
    #expect(try parts("scripted", other) == [.other: 20])
  }

  @Test func damageIsNoAbsence() throws {
    let data = try collect("data")
    let run = try train("run", on: [data])
    let file = URL(fileURLWithPath: run + "/episodes.json")
    let text = try Data(contentsOf: file)
    for damaged in [text.prefix(text.count / 2), Data(), text + text] {
      try damaged.write(to: file)
      #expect(throws: FileError.self) { try self.parts(run, data) }
    }
  }

  @Test func copiesOfAnEpisodeLieOnOneSideOfAHoldOut() throws {
    let data = try collect("data")
    let there = try convert(data, to: "there", "wgcsl-pickle")
    let back = try convert(there, to: "back", nil)
    var configuration = RunConfiguration()
    configuration.datasets = [data, back]
    configuration.validationFraction = 0.25
    let marked = try TrainingData(configuration, marking: true).seen
    #expect(marked.map(\.marks.count) == [30, 10])
    let contents = marked.map { Set($0.marks.map(\.content)) }
    #expect(contents[0].isDisjoint(with: contents[1]))
  }
}
