import Foundation
import GoalCore
import Learners
import Storage
import Support
import TestSupport
import Testing
import Torch

@testable import Experiments

/// Checkpoints of others: each is refused with one sentence by all that act with it or train on.
struct HostileCheckpointTests {
  private let folder: TemporaryFolder
  private let run: URL
  private let configuration: RunConfiguration
  private let checkpoint: URL

  init() throws {
    folder = try TemporaryFolder()
    run = folder.url.appendingPathComponent("run")
    let data = folder.url.appendingPathComponent("data")
    let recipe = Recipe(environment: "point-reach", policy: "scripted", seed: 1, episodes: 4)
    try recipe.collect(in: data, workers: 1)
    var configuration = RunConfiguration()
    configuration.learner = "wgcsl"
    configuration.datasets = [data.path]
    configuration.updates = 2
    configuration.evaluateEvery = 0
    configuration.settings = ["batchSize": 8, "hiddenWidths": [4]]
    self.configuration = configuration
    _ = try OfflineTraining.run(configuration, in: run)
    checkpoint = try #require(Checkpoint.all(in: run).last)
  }

  /// What acting, going on and beginning with the checkpoint say.
  private func complaints() -> [String] {
    func words(_ body: () throws -> Void) -> String {
      do {
        try body()
        return ""
      } catch { return "\(error)" }
    }
    let other = folder.url.appendingPathComponent("other")
    return [
      words { _ = try Checkpoint.policy(checkpoint.path) },
      words { _ = try Checkpoint.learner(of: checkpoint.path) },
      words {
        var more = configuration
        more.updates = 4
        _ = try OfflineTraining.run(more, in: run, resuming: true)
      },
      words {
        var begun = configuration
        begun.settings = [:]
        try begun.begin(from: checkpoint.path)
        _ = try OfflineTraining.run(begun, in: other)
      },
    ]
  }

  /// Writes the policy's file anew, with another head or other tensors.
  private func rewrite(
    _ name: String, head: (inout [String: JSONValue]) throws -> Void = { _ in },
    tensors: (inout [NamedTensor]) -> Void = { _ in }
  ) throws {
    let path = checkpoint.appendingPathComponent(name).path
    var file = try Safetensors(contentsOf: path)
    tensors(&file.tensors)
    if let text = file.metadata["goalpost"] {
      var values = try JSONDecoder().decode([String: JSONValue].self, from: Data(text.utf8))
      try head(&values)
      let changed = try JSONEncoder().encode(values)
      file.metadata["goalpost"] = String(decoding: changed, as: UTF8.self)
    }
    try file.write(to: path)
  }

  @Test func theUnchangedCheckpointIsTaken() throws {
    try rewrite("policy.safetensors")
    #expect(complaints() == ["", "", "", ""])
  }

  @Test(
    arguments: [
      ("hiddenWidths", [10_000, 10_000], "networks of at most"),
      ("hiddenWidths", [5], "of the checkpoint must be [5, "),
      ("hiddenWidths", [.integer(1 << 40)], "'hiddenWidths' must be from 1 to 65536"),
      ("batchSize", .integer(.max), "batch"),
    ] as [(String, JSONValue, String)])
  func settingsThatAreNotTheWeightsAreRefused(
    key: String, value: JSONValue, words: String
  ) throws {
    try rewrite("policy.safetensors") { head in
      var settings = try #require(head["settings"]?.object)
      settings[key] = value
      head["settings"] = .object(settings)
    }
    let found = complaints()
    // The others read the settings of the run.
    for place in [0, 3] { #expect(found[place].contains(words), "\(place): \(found[place])") }
    #expect(found[0].hasPrefix(checkpoint.path), "\(found[0])")
  }

  @Test(
    arguments: [
      (["task", "spec", "observation"], .integer(.max), "'task.spec.observation' must be from 1"),
      (["task", "goalIndices"], [7, 8], "'task.goalIndices' must be"),
      (["updates"], -1, "'updates' must be from 0"),
      (["seed"], .integer(1 << 28), "'seed' must be"),
      (["datasets"], ["x"], "'datasets.0' must be a SHA-256"),
      (["learner"], .null, "'learner' must be text, found null"),
    ] as [([String], JSONValue, String)])
  func aHeadThatIsNoneIsNamed(path: [String], value: JSONValue, words: String) throws {
    try rewrite("policy.safetensors") { head in
      func changed(_ values: [String: JSONValue], _ path: ArraySlice<String>) -> JSONValue {
        guard let key = path.first else { return value }
        var values = values
        if case .object(let inner)? = values[key], path.count > 1 {
          values[key] = changed(inner, path.dropFirst())
        } else {
          values[key] = value
        }
        return .object(values)
      }
      if case .object(let all) = changed(head, path[...]) { head = all }
    }
    let found = complaints()
    let file = checkpoint.appendingPathComponent("policy.safetensors").path
    #expect(found[0].hasPrefix("\(file): \(words)"), "\(found[0])")
    #expect(!found[3].isEmpty)
  }

  @Test(arguments: ["policy.safetensors", "training.safetensors"], [Float.nan, .infinity])
  func weightsThatAreNotFiniteAreRefused(name: String, value: Float) throws {
    try rewrite(name) { _ in
    } tensors: { tensors in
      for place in tensors.indices where tensors[place].tensor.elementType == .float32 {
        let shape = tensors[place].tensor.shape
        tensors[place] = NamedTensor(
          tensors[place].name,
          Tensor([Float](repeating: value, count: shape.reduce(1, *)), shape: shape))
      }
    }
    let found = complaints()
    for (place, words) in found.enumerated() where name == "policy.safetensors" || place > 0 {
      #expect(words.contains("must be finite, found a number"), "\(place): \(words)")
    }
    #expect((name == "policy.safetensors") == !found[0].isEmpty)
  }

  @Test(arguments: [-1, .integer(.max), .integer(.min), "x", .null] as [JSONValue])
  func aCounterThatCannotBeIsRefused(value: JSONValue) throws {
    let file = checkpoint.appendingPathComponent("state.json")
    var state = try JSONDecoder().decode(
      [String: JSONValue].self, from: Data(contentsOf: file))
    state["counters"] = ["updates": value]
    try JSONEncoder().encode(state).write(to: file)
    let found = complaints()
    #expect(found[0].isEmpty, "acting needs no counters")
    for words in found[1...] {
      #expect(words.contains("the counter") || words.contains("no counter"))
    }
  }

  @Test(arguments: [
    ("{\"episodes\": -1, \"rounds\": 0}", "'episodes' must be from 0"),
    ("{\"episodes\": 1, \"rounds\": 2}", "'rounds' must be from 0 to 1, found 2"),
    ("{\"episodes\": 9223372036854775807, \"rounds\": 0}", "'episodes' must be from 0"),
    ("{\"episodes\": 1}", "'rounds' must be there, found nothing"), ("", "must be a value"),
  ])
  func aStateOfTheLoopThatCannotBeIsNamed(text: String, words: String) throws {
    let file = folder.url.appendingPathComponent("online.json")
    try Data(text.utf8).write(to: file)
    let error = #expect(throws: FileError.self) {
      try StoredJSON.read(OnlineTraining.State.self, from: file)
    }
    #expect("\(error ?? .missing(""))".hasPrefix("\(file.path): \(words)"), "\(error as Any)")
  }
}
