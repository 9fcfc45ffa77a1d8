import Environments
import Foundation
import GoalCore
import Learners
import Replay
import Storage
import Support
import TestSupport
import Testing

@testable import Experiments

/// Files of ours that are well-formed, sealed and hostile are errors of one sentence, or work.
///
/// Never a trap, a hang, or memory that no file asked for.
///
/// Each kind of file is changed 500 times, or as often as `GOALPOST_FUZZ` says, in a process of its
/// own; `make fuzz` makes 10,000 under the address sanitizer. What is decoded without an error goes
/// through a verb. A change is a function of its number: `GOALPOST_FUZZ_FIRST` begins at another,
/// to make one again.
struct HostileValueTests {
  @Test(arguments: HostileKind.allCases)
  func hostileValuesAreErrorsOfOneSentence(kind: HostileKind) async throws {
    let folder = try TemporaryFolder()
    let result = await #expect(processExitsWith: .success) {
      [kind = kind as HostileKind, path = folder.url.path as String] in
      try HostileFiles(kind, in: URL(fileURLWithPath: path)).run()
    }
    if result == nil {
      let last = try? String(
        contentsOf: folder.url.appendingPathComponent("case.txt"), encoding: .utf8)
      Issue.record("the process ended at \(last ?? "its beginning")")
    }
  }
}

/// A kind of file that this code writes and reads.
enum HostileKind: String, CaseIterable, Codable, Sendable {
  case manifest, mixture, conversion, record, collection, recipe
  case head, tensors, state, online, evaluations, configuration, settings
}

/// Valid files of a kind, and what reads them.
private final class HostileFiles {
  private let kind: HostileKind
  private let folder: URL
  private let count = number("GOALPOST_FUZZ") ?? 500
  private let first = number("GOALPOST_FUZZ_FIRST") ?? 0

  /// Changes beyond the first 500 that once ended the process.
  private static let ended: [HostileKind: [Int]] = [
    .manifest: [8617], .conversion: [6583], .head: [3350],
  ]

  init(_ kind: HostileKind, in folder: URL) throws {
    self.kind = kind
    self.folder = folder
  }

  private static func number(_ name: String) -> Int? {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
  }

  private func url(_ name: String) -> URL { folder.appendingPathComponent(name) }

  func run() throws {
    let reading = try prepared()
    var refused = 0
    for number in (HostileFiles.ended[kind] ?? []) + (first..<(first + count)) {
      var changes = HostileValues(number: number)
      do {
        try reading(number, &changes) { words in
          try Data("\(kind.rawValue) \(number): \(words)\n".utf8).write(to: url("case.txt"))
        }
      } catch {
        refused += 1
        let words = "\(error)"
        #expect(
          !(error is DecodingError) && !(error is EncodingError) && !words.contains("Error Domain")
            && !words.contains("NSCocoa") && !words.contains("\n") && words.count < 1_000,
          "\(kind.rawValue) \(number) (\(changes.changes)): \(words.prefix(1_000))")
      }
    }
    #expect(refused > count / 5, "changes must be noticed, \(refused) of \(count) were")
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let peak = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    let kibibytes = peak.flatMap { Int($0.filter(\.isNumber)) } ?? 0
    #expect(kibibytes < 3 << 20, "\(kibibytes) KiB of memory were taken")
  }

  private typealias Reading = (
    _ number: Int, _ changes: inout HostileValues, _ note: (String) throws -> Void
  ) throws -> Void

  private func prepared() throws -> Reading {
    switch kind {
    case .manifest:
      try collect("d")
      return try manifest(of: "d")
    case .mixture:
      try collect("a")
      try collect("b", policy: "random")
      _ = try Mixing.run(
        Mixing.Request([url("a").path, url("b").path], seed: 1), in: url("d"), workers: 1,
        silent: true)
      return try manifest(of: "d")
    case .conversion:
      var request = DatasetConversion.Request(
        PythonReference.checkout.appendingPathComponent("Tests/Corpus/minari-latest"), to: url("d"),
        workers: 1)
      request.isSilent = true
      _ = try DatasetConversion.run(request)
      return try manifest(of: "d")
    case .record: return try record()
    case .collection: return try collection()
    case .recipe: return try recipe()
    case .head, .tensors: return try policies()
    case .state: return try state()
    case .online: return try online()
    case .evaluations: return try evaluations()
    case .configuration: return try configurations()
    case .settings: return try settings()
    }
  }

  // MARK: - Datasets

  private let made = Recipe(
    environment: "point-reach", policy: "scripted", seed: 1, episodes: 6, noise: 0.2,
    randomActions: 0.3, shardEpisodes: 2)

  private func collect(_ name: String, policy: String = "scripted") throws {
    var recipe = made
    recipe.policy = policy
    try recipe.collect(in: url(name), workers: 1)
  }

  /// A manifest, and a verb on its dataset.
  private func manifest(of name: String) throws -> Reading {
    let (dataset, output) = (url(name), url("output"))
    let file = dataset.appendingPathComponent("manifest.json")
    let original = try document(file)
    return { [self] number, changes, note in
      let text = sealed(changes.changed(original))
      try note("\(changes.changes)")
      try text.write(to: file)
      defer { try? FileManager.default.removeItem(at: output) }
      switch number % 6 {
      case 0: _ = try DatasetInspection.run(dataset, workers: 1, silent: true)
      case 1: _ = try Verification.run(dataset, replays: .some(1), workers: 1, silent: true)
      case 2:
        _ = try SampleInspection.run([dataset.path], scheme: "wgcsl", ofLearner: true, batches: 1)
      case 3:
        var request = Mixing.Request([dataset.path], seed: 1)
        if number % 4 > 0 { request.episodes = 2 }
        _ = try Mixing.run(request, in: output, workers: 1, silent: true)
      case 4:
        var configuration = HostileFiles.configuration("gcsl", [dataset], updates: 1)
        configuration.validationFraction = 0.3
        configuration.evaluateEvery = 0
        _ = try OfflineTraining.run(configuration, in: output)
      default:
        let source = try Dataset(at: dataset).source()
        _ = try source.table(of: 0..<source.lengths.count)
      }
    }
  }

  /// The record of a shard: of a dataset that is to be finished, and of one that is taken whole.
  private func record() throws -> Reading {
    try collect("d")
    let (dataset, output) = (url("d"), url("output"))
    let manifest = dataset.appendingPathComponent("manifest.json")
    let (whole, identity) = (
      try Data(contentsOf: manifest), try Dataset(at: dataset).manifest.identity
    )
    let file = dataset.appendingPathComponent("shards/shard-00001.json")
    let original = try document(file)
    return { [self] number, changes, note in
      let text = sealed(changes.changed(original))
      try note("\(changes.changes)")
      try text.write(to: file)
      defer { try? FileManager.default.removeItem(at: output) }
      if number % 2 == 0 {
        try? FileManager.default.removeItem(at: manifest)
        let writer = try DatasetWriter(at: dataset, identity: identity)
        _ = try writer.pendingShards(threads: 1)
        _ = try writer.finish()
      } else {
        try whole.write(to: manifest)
        _ = try Mixing.run(
          Mixing.Request([dataset.path], seed: 1), in: output, workers: 1, silent: true)
      }
    }
  }

  /// What a collector has begun.
  private func collection() throws -> Reading {
    try collect("d")
    let file = url("d/shards/collection.json")
    try FileManager.default.removeItem(at: url("d/manifest.json"))
    let original = try document(file)
    return { [self] _, changes, note in
      let text = sealed(changes.changed(original))
      try note("\(changes.changes)")
      try text.write(to: file)
      defer { try? FileManager.default.removeItem(at: self.url("d/manifest.json")) }
      _ = try TrajectoryCollection.run(made, in: url("d"), workers: 1, silent: true)
    }
  }

  private func recipe() throws -> Reading {
    let original: JSONValue = [
      "environment": "point-reach", "policy": "scripted", "episodes": 6, "seed": 1, "noise": 0.2,
      "randomActions": 0.3, "shardEpisodes": 2, "compress": false, "states": false,
    ]
    let file = url("recipe.yaml")
    return { _, changes, note in
      let text = changes.changed(original).text
      try note("\(changes.changes)")
      try Data(text.utf8).write(to: file)
      try TrajectoryCollection.recipe(file).check()
    }
  }

  // MARK: - Runs

  private static let learners = ["wgcsl", "gcsl", "goal-transformer"]

  private static func configuration(
    _ learner: String, _ datasets: [URL], updates: Int
  ) -> RunConfiguration {
    var configuration = RunConfiguration()
    configuration.learner = learner
    configuration.datasets = datasets.map(\.path)
    configuration.updates = updates
    configuration.seed = 3
    configuration.evaluateEvery = 2
    configuration.evaluationEpisodes = 1
    configuration.settings = ["batchSize": 8, "hiddenWidths": [4]]
    return configuration
  }

  /// A run of each of three learners.
  private func train() throws -> [(run: URL, configuration: RunConfiguration)] {
    try collect("d")
    return try HostileFiles.learners.map { learner in
      let configuration = HostileFiles.configuration(learner, [url("d")], updates: 2)
      _ = try OfflineTraining.run(configuration, in: url(learner))
      return (url(learner), configuration)
    }
  }

  /// The head of a policy's file, or its list of tensors; and an action, or an update.
  private func policies() throws -> Reading {
    let runs = try train().map(\.run)
    let isHead = kind == .head
    let checkpoints = try runs.map { try #require(Checkpoint.all(in: $0).last) }
    return { [self] number, changes, note in
      let checkpoint = checkpoints[number % checkpoints.count]
      let name = !isHead && number % 2 == 0 ? "training.safetensors" : "policy.safetensors"
      let file = checkpoint.appendingPathComponent(name)
      let whole = try Data(contentsOf: file)
      defer { try? whole.write(to: file) }
      let length = whole.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      var header = try decoded(whole[8..<(8 + length)])
      var text: String
      if isHead {
        guard case .object(var parts) = header, case .object(var metadata)? = parts["__metadata__"],
          case .text(let head)? = metadata["goalpost"]
        else { preconditionFailure("a policy has a head") }
        metadata["goalpost"] = .text(changes.changed(try decoded(Data(head.utf8))).text)
        parts["__metadata__"] = .object(metadata)
        header = .object(parts)
        text = Document(header).text
      } else {
        text = changes.changed(header).text
      }
      try note("\(name) \(changes.changes)")
      text += String(repeating: " ", count: (8 - text.utf8.count % 8) % 8)
      let size = withUnsafeBytes(of: UInt64(text.utf8.count).littleEndian) { Data($0) }
      try (size + Data(text.utf8) + whole[(8 + length)...]).write(to: file)
      let (named, head) = try Checkpoint.policy(checkpoint.path)
      let actor = named.policy.makeActor()
      actor.begin(goal: [Float](repeating: 0, count: head.task.spec.goal), seed: 1)
      _ = actor.act([Float](repeating: 0, count: head.task.spec.observation))
      _ = try CheckpointInspection.run(checkpoint.path)
      _ = try Checkpoint.learner(of: checkpoint.path)
    }
  }

  /// The counters of a checkpoint, from which the run goes on.
  private func state() throws -> Reading {
    let runs = try train()
    return { [self] number, changes, note in
      let (run, asked) = runs[number % runs.count]
      let copy = url("copy")
      try? FileManager.default.removeItem(at: copy)
      try FileManager.default.copyItem(at: run, to: copy)
      let checkpoint = try #require(Checkpoint.all(in: copy).last)
      let file = checkpoint.appendingPathComponent("state.json")
      let text = changes.changed(try decoded(Data(contentsOf: file))).text
      try note("\(changes.changes)")
      try Data(text.utf8).write(to: file)
      var configuration = asked
      configuration.updates = 3
      configuration.evaluateEvery = 0
      _ = try OfflineTraining.run(configuration, in: copy, resuming: true)
      _ = try RunInspection.run(copy)
    }
  }

  /// How far an online run has come.
  private func online() throws -> Reading {
    var configuration = HostileFiles.configuration("gcsl", [], updates: 0)
    configuration.evaluateEvery = 0
    configuration.online.environment = "point-reach"
    configuration.online.steps = 100
    configuration.online.shardEpisodes = 2
    configuration.settings["online"] = [
      "updatesPerEpisode": 1, "updatesFrom": 1, "randomEpisodes": 1,
    ]
    let run = url("run")
    _ = try OnlineTraining.run(configuration, in: run)
    configuration.online.steps = 150
    let asked = configuration
    return { [self] _, changes, note in
      let copy = url("copy")
      try? FileManager.default.removeItem(at: copy)
      try FileManager.default.copyItem(at: run, to: copy)
      let checkpoint = try #require(Checkpoint.all(in: copy).last)
      let file = checkpoint.appendingPathComponent("online.json")
      let text = changes.changed(try decoded(Data(contentsOf: file))).text
      try note("\(changes.changes)")
      try Data(text.utf8).write(to: file)
      _ = try OnlineTraining.run(asked, in: copy, resuming: true)
    }
  }

  private func evaluations() throws -> Reading {
    let run = try train()[0].run
    let file = run.appendingPathComponent("evaluations.json")
    let original = try decoded(Data(contentsOf: file))
    return { _, changes, note in
      let text = changes.changed(original).text
      try note("\(changes.changes)")
      try Data(text.utf8).write(to: file)
      _ = try StoredJSON.read([TimedEvaluation].self, from: file)
      _ = try RunInspection.run(run)
    }
  }

  private func configurations() throws -> Reading {
    let run = try train()[0].run
    let file = run.appendingPathComponent("config.json")
    let original = try decoded(Data(contentsOf: file))
    let task = try EnvironmentRegistry.world("point-reach").task
    return { number, changes, note in
      let text = changes.changed(original).text
      try note("\(changes.changes)")
      try Data(text.utf8).write(to: file)
      let configuration =
        number % 2 == 0 ? try RunConfiguration(ofRun: run) : try RunConfiguration.read(file)
      _ = try LearnerRegistry.entry(configuration.learner).make(
        task: task, overrides: configuration.settings, seed: configuration.seed, restoring: 1_000)
      _ = try RunInspection.run(run)
    }
  }

  /// The settings of every learner.
  private func settings() throws -> Reading {
    let task = try EnvironmentRegistry.world("point-reach").task
    let entries = LearnerRegistry.all
    let originals = try entries.map { JSONValue.object(try $0.resolve(task: task)) }
    return { [self] number, changes, note in
      let entry = entries[number % entries.count]
      let text = changes.changed(originals[number % entries.count]).text
      try note("\(entry.identifier) \(changes.changes)")
      let values = try #require(try decoded(Data(text.utf8)).object)
      _ = try entry.make(task: task, overrides: values, seed: 1, restoring: 1_000).online
    }
  }

  // MARK: - Documents

  private func decoded(_ data: Data) throws -> JSONValue {
    try JSONDecoder().decode(JSONValue.self, from: data)
  }

  /// A sealed document without its seal.
  private func document(_ file: URL) throws -> JSONValue {
    guard case .object(var values) = try decoded(Data(contentsOf: file)) else {
      preconditionFailure("a sealed document is an object")
    }
    values["sha256"] = nil
    return .object(values)
  }

  /// The bytes of a document with a seal of its own.
  private func sealed(_ document: Document) -> Data {
    let text = Data((document.text.dropLast() + ",\n").utf8)
    return text + Data("  \"sha256\" : \"\(Digest.sha256(of: text))\"\n}\n".utf8)
  }
}
