import GoalCore
import Replay
import Support
import Testing
import Torch

@testable import Learners

/// What every registered learner promises.
struct LearnerContractTests {
  private let task = PointWorld.task(low: [-1, 0], high: [1, 4])
  private let replay: EpisodeReplay

  init() { replay = PointWorld.replay(task: task, episodes: 20, seed: 3) }

  private func train(_ learner: any Learner, _ updates: Range<UInt64>, seed: UInt64 = 5) {
    var batch = GoalBatch(learner.scheme, spec: task.spec)
    for number in updates {
      replay.draw(learner.scheme, seed: seed, number: number, into: &batch)
      learner.update(on: batch)
    }
  }

  /// Every bit that was saved.
  private func bits(_ learner: any Learner) -> [String: [UInt64]] {
    let saved = learner.saved()
    var bits: [String: [UInt64]] = [:]
    for entry in saved.policy + saved.training {
      bits[entry.name] =
        entry.tensor.elementType == .float64
        ? entry.tensor.values(as: Double.self).map(\.bitPattern)
        : entry.tensor.floats.map { UInt64($0.bitPattern) }
    }
    bits["updates"] = [UInt64(learner.updates)]
    return bits
  }

  private static let entries = LearnerRegistry.all

  @Test func idsAreDistinctAndFound() throws {
    #expect(Set(Self.entries.map(\.identifier)).count == Self.entries.count)
    for entry in Self.entries {
      #expect(try LearnerRegistry.entry(entry.identifier).summary == entry.summary)
    }
    let error = #expect(throws: LearnerError.self) { try LearnerRegistry.entry("regression") }
    #expect(
      error?.description
        == "no learner is called 'regression'; there are: "
        + Self.entries.map(\.identifier).joined(separator: ", "))
  }

  @Test(arguments: entries) func settingsAreAllDocumented(entry: LearnerEntry) throws {
    func keys(_ values: [String: JSONValue], _ prefix: String = "") -> [String] {
      values.flatMap { key, value in
        if case .object(let inner) = value {
          keys(inner, prefix + key + ".")
        } else {
          [prefix + key]
        }
      }
    }
    #expect(Set(entry.settings.map(\.key)) == Set(keys(try entry.resolve(task: task))))
    for setting in entry.settings {
      #expect(setting.defaultValue != "null" && !setting.meaning.isEmpty && !setting.source.isEmpty)
    }
  }

  @Test(arguments: entries) func anUnknownSettingIsNamed(entry: LearnerEntry) throws {
    let error = #expect(throws: SettingsError.self) {
      try entry.make(task: task, overrides: ["lr": 0.1], seed: 0)
    }
    let known = try entry.resolve(task: task).keys.sorted()
    #expect(error == .unknown(key: "lr", known: known))
  }

  @Test(arguments: entries) func valuesOutOfRangeAreNamed(entry: LearnerEntry) throws {
    func complaint(_ overrides: [String: JSONValue]) -> String? {
      do {
        _ = try entry.resolve(task: task, overrides: overrides)
        return nil
      } catch {
        return "\(error)"
      }
    }
    #expect(
      complaint(["batchSize": 0]) == "the setting 'batchSize' must be from 1 to 16777216, found 0")
    #expect(
      complaint(["hiddenWidths": [8, 0]])
        == "the setting 'hiddenWidths' must be from 1 to 65536 each, of at most 256 layers, found [8, 0]"
    )
    // Their product is bounded, too.
    #expect(
      complaint(["batchSize": .integer(1 << 20), "hiddenWidths": [1024]])
        == "the setting 'batchSize' must be at most 262144, as a layer gives 1024 numbers a row, "
        + "found 1048576")
    // No whole number is taken whatever it is.
    for setting in entry.settings
    where complaint(JSONValue.at(setting.key, 1.5))?.contains("whole number") == true {
      let found = complaint(JSONValue.at(setting.key, .integer(.max)))
      #expect(found?.contains(" must be ") == true, "\(setting.key): \(found ?? "taken")")
    }
    #expect(
      complaint(["normalizer": ["epsilon": 0]])
        == "the setting 'normalizer.epsilon' must be above 0, found 0.0")
    // Every number is refused somewhere or takes what the caller says, but never traps.
    for setting in entry.settings where !setting.key.contains(".") {
      for value in [-1, 0, 1e300, .integer(.max), .integer(.min)] as [JSONValue] {
        var overrides: [String: JSONValue] = ["hiddenWidths": [4]]
        overrides[setting.key] = value
        _ = try? entry.make(task: task, overrides: overrides, seed: 0)
      }
    }
  }

  @Test(arguments: entries) func resolvedSettingsRepeatTheLearner(entry: LearnerEntry) throws {
    let overrides: [String: JSONValue] = ["batchSize": 32, "normalizer": ["outputClip": 4]]
    let resolved = try entry.resolve(task: task, overrides: overrides)
    #expect(resolved["batchSize"] == 32)
    let learner = try entry.make(task: task, overrides: resolved, seed: 1)
    #expect(try learner.settings() == resolved)
    #expect(learner.scheme.batchSize == 32)
  }

  @Test(arguments: entries.filter { !["gcsl", "goal-transformer"].contains($0.identifier) })
  func discreteWorldsAreRefused(entry: LearnerEntry) throws {
    let spec = GoalSpec(
      observation: 2, goal: 2, action: .discrete(count: 4), horizon: 30, successThreshold: 0.1,
      metric: "distance", controlPeriod: 1)
    let discrete = GoalTask(identifier: "lunar-lander", spec: spec, goalIndices: [0, 1])
    let error = #expect(throws: LearnerError.self) { try entry.make(task: discrete, seed: 0) }
    #expect(
      error?.description
        == "\(entry.identifier) is for continuous actions, and those of lunar-lander are discrete")
  }

  @Test(arguments: entries) func updatesMeasureFiniteNumbersAndMoveWeights(
    entry: LearnerEntry
  ) throws {
    let learner = try entry.small(task: task)
    let before = learner.saved().policy.map(\.tensor.floats)
    var batch = GoalBatch(learner.scheme, spec: task.spec)
    var names: [String] = []
    for number in 0..<12 as Range<UInt64> {
      replay.draw(learner.scheme, seed: 1, number: number, into: &batch)
      let metrics = try #require(learner.update(on: batch, measuring: true))
      for metric in metrics.entries { #expect(metric.value.isFinite, "\(metric.name)") }
      if names.isEmpty { names = metrics.entries.map(\.name) }
      #expect(metrics.entries.map(\.name) == names)
    }
    #expect(learner.updates == 12)
    #expect(learner.update(on: batch, measuring: false) == nil)
    for (old, new) in zip(before, learner.saved().policy) {
      #expect(old != new.tensor.floats, "\(new.name) did not move")
    }
  }

  @Test(arguments: entries) func actionsAreInTheSpaceAndRepeatable(entry: LearnerEntry) throws {
    let learner = try entry.small(task: task)
    train(learner, 0..<20)
    let policy = learner.makePolicy()
    var generator = Philox(seed: 1, purpose: 1, index: 1)
    for scale in [0.1, 1, 1000, 1e30] {
      for _ in 0..<20 {
        let observation = (0..<2).map { _ in Float(generator.normal() * scale) }
        let goal = (0..<2).map { _ in Float(generator.normal() * scale) }
        let actors = [policy.makeActor(), policy.makeActor(), learner.makeActor()]
        let actions = actors.map { actor in
          actor.begin(goal: goal, seed: 7)
          return actor.act(observation)
        }
        #expect(actions[0] == actions[1] && actions[0] == actions[2])
        guard case .continuous(let values) = actions[0] else {
          Issue.record("a continuous action is expected")
          return
        }
        #expect((-1...1).contains(values[0]) && (0...4).contains(values[1]))
      }
    }
  }

  @Test(arguments: entries) func aPolicyIsASnapshot(entry: LearnerEntry) throws {
    let learner = try entry.small(task: task)
    let policy = learner.makePolicy()
    func act() -> Action {
      let actor = policy.makeActor()
      actor.begin(goal: [0.5, 0.5], seed: 0)
      return actor.act([0, 0])
    }
    let before = act()
    train(learner, 0..<10)
    #expect(act() == before)
  }

  @Test(arguments: entries) func equalSeedsGiveEqualBitsAndOthersDoNot(entry: LearnerEntry) throws {
    let learners = try [4, 4, 5].map { try entry.small(task: task, seed: $0) }
    #expect(bits(learners[0]) == bits(learners[1]))
    func weights(_ learner: any Learner) -> [String: [UInt64]] {
      bits(learner).filter { $0.key.hasPrefix("actor.") && $0.key.hasSuffix("0.weight") }
    }
    #expect(weights(learners[0]) != weights(learners[2]))
    for learner in learners { train(learner, 0..<8) }
    #expect(bits(learners[0]) == bits(learners[1]))
    #expect(weights(learners[0]) != weights(learners[2]))
  }

  @Test(arguments: entries) func trainingGoesOnToTheBit(entry: LearnerEntry) throws {
    let whole = try entry.small(task: task, seed: 8)
    train(whole, 0..<23)

    let first = try entry.small(task: task, seed: 8)
    train(first, 0..<11)
    let saved = first.saved()
    train(first, 11..<14)  // what was saved does not change
    let second = try entry.small(task: task, seed: 1)
    try second.restore(saved)
    #expect(second.updates == 11)
    train(second, 11..<23)

    #expect(bits(second) == bits(whole))
  }

  @Test(arguments: entries) func thePolicyAloneIsEnoughToAct(entry: LearnerEntry) throws {
    let learner = try entry.small(task: task)
    train(learner, 0..<10)
    let other = try entry.small(task: task, seed: 1)
    try other.restore(policy: learner.saved().policy)
    let actions = [learner, other].map { learner in
      let actor = learner.makeActor()
      actor.begin(goal: [0.3, -0.2], seed: 0)
      return actor.act([0.1, 0.9])
    }
    #expect(actions[0] == actions[1])
  }

  @Test(arguments: entries) func othersCheckpointsAreRefused(entry: LearnerEntry) throws {
    let learner = try entry.small(task: task)
    let wide = try entry.make(task: task, overrides: ["hiddenWidths": [16, 32]], seed: 0)
    let error = #expect(throws: LearnerError.self) {
      try learner.restore(policy: wide.saved().policy)
    }
    #expect(
      error?.description.hasSuffix("0.weight' of the checkpoint must be [32, 4], found [16, 4]")
        == true)
    var saved = learner.saved()
    let first = String(saved.policy.removeFirst().name.dropFirst("actor.".count))
    #expect(throws: LearnerError.missingTensor(name: first)) { try learner.restore(saved) }
    saved = learner.saved()
    saved.counters = [:]
    #expect(throws: LearnerError.missingCounter(name: "updates")) { try learner.restore(saved) }
  }
}

extension JSONValue {
  /// Settings in which only one has a value.
  fileprivate static func at(_ path: String, _ value: JSONValue) -> [String: JSONValue] {
    let names = path.split(separator: ".").map(String.init)
    let inner = names.dropFirst().reversed().reduce(value) { .object([$1: $0]) }
    return [names[0]: inner]
  }
}
