import Foundation
import GoalCore
import Replay
import Support
import TestSupport
import Testing
import Torch

@testable import Learners

/// The learners with values beside their formulas in numpy: every term of the loss, and one whole
/// update.
struct ValueReferenceTests {
  private struct Values: Encodable {
    let shape: [Int]
    let values: [Float]
  }

  private struct Request: Encodable {
    let learner: String
    let settings: [String: JSONValue]
    let discount: Double
    let low, high: [Float]
    let parameters: [String]
    let tensors: [String: Values]
    let batch: [String: [[Float]]]
    let rewards: [Float]

    enum Key: String, CodingKey {
      case learner, settings, discount, low, high, parameters, tensors, batch
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(learner, forKey: .learner)
      try container.encode(settings, forKey: .settings)
      try container.encode(discount, forKey: .discount)
      try container.encode(low, forKey: .low)
      try container.encode(high, forKey: .high)
      try container.encode(parameters, forKey: .parameters)
      try container.encode(tensors, forKey: .tensors)
      var columns = batch.mapValues { JSONValue.list($0.map(Self.list)) }
      columns["valueRewards"] = Self.list(rewards)
      try container.encode(columns, forKey: .batch)
    }

    private static func list(_ values: [Float]) -> JSONValue {
      .list(values.map { .number(Double($0)) })
    }
  }

  private struct Answer: Decodable {
    let losses: [String: Double]
    let after: [String: [Double]]
  }

  static let cases: [(String, [String: JSONValue])] = [
    ("gcbc", [:]), ("gcivl", ["temperature": 2]), ("gciql", [:]), ("gciql", ["policyLoss": "awr"]),
    ("gcivl", ["goalRepresentation": ["kind": "dual", "width": 5, "expectile": 0.7]]),
    ("gciql", ["goalRepresentation": ["kind": "dual", "width": 5]]),
    ("hiql", ["representationWidth": 3, "subgoalSteps": 4]), ("crl", ["representationWidth": 5]),
    ("qrl", ["representationWidth": 6, "components": 2]),
    ("qrl", ["representationWidth": 6, "quasimetric": "mrn"]),
    ("qrl", ["representationWidth": 16, "components": 2, "goalForm": "observation"]),
    ("crl", ["representationWidth": 5, "policyLoss": "awr"]),
    ("qrl", ["representationWidth": 6, "components": 2, "policyLoss": "awr", "temperature": 0.5]),
    (
      "lavl",
      ["representationWidth": 3, "distanceWidth": 4, "subgoalSteps": 4, "discount": 0.9]
    ),
    (
      "lavl",
      [
        "representationWidth": 3, "distanceWidth": 4, "subgoalSteps": 4, "discount": 0.9,
        "policiesMoveGoals": false, "continuityWeight": 0.5,
      ]
    ),
  ]

  /// After a few updates targets, moments and weights differ; then one more is taken by both.
  @Test(arguments: cases.indices)
  func lossesAndUpdatesAreTheFormulas(number: Int) throws {
    let (id, own) = Self.cases[number]
    let task = PointWorld.task(low: [-1, 0], high: [1, 4])
    let replay = PointWorld.replay(task: task, episodes: 12, seed: 2)
    let common: [String: JSONValue] = [
      "hiddenWidths": [3, 4], "batchSize": 8, "learningRate": 0.01,
    ]
    var overrides = common.merging(own) { $1 }
    if !["gcbc", "crl", "qrl"].contains(id) { overrides["targetRate"] = 0.2 }
    let entry = try LearnerRegistry.entry(id)
    let learner = try entry.make(task: task, overrides: overrides, seed: 3)
    var batch = GoalBatch(learner.scheme, spec: task.spec)
    for number in 0..<6 as Range<UInt64> {
      replay.draw(learner.scheme, seed: 1, number: number, into: &batch)
      learner.update(on: batch)
    }
    replay.draw(learner.scheme, seed: 1, number: 99, into: &batch)

    let saved = learner.saved()
    let all = saved.policy + saved.training
    func rows(_ values: [Float]) -> [[Float]] {
      let width = values.count / batch.count
      return (0..<(width > 0 ? batch.count : 0)).map {
        Array(values[$0 * width..<($0 + 1) * width])
      }
    }
    guard case .continuous(let actions) = batch.actions else {
      Issue.record("continuous actions are expected")
      return
    }
    let settings = try entry.resolve(task: task, overrides: overrides)
    let request = Request(
      learner: id, settings: settings,
      discount: own["discount"] == nil && id != "lavl" ? 0.99 : 0.9,
      low: [-1, 0], high: [1, 4],
      parameters: all.map(\.name).filter { name in
        !["target_", "optimizer.", "mean_value"].contains { name.hasPrefix($0) }
      },
      tensors: Dictionary(
        uniqueKeysWithValues: all.map {
          ($0.name, Values(shape: $0.tensor.shape, values: $0.tensor.floats))
        }),
      batch: [
        "observations": rows(batch.observations), "nextObservations": rows(batch.nextObservations),
        "actions": rows(actions), "valueGoals": rows(batch.valueGoals),
        "policyGoals": rows(batch.policyGoals), "subgoals": rows(batch.subgoals),
        "subgoalObservations": rows(batch.subgoalObservations), "lowGoals": rows(batch.lowGoals),
      ], rewards: batch.valueRewards)
    let output = try PythonReference.run(
      "values_reference.py", input: JSONEncoder().encode(request))
    let answer = try JSONDecoder().decode(Answer.self, from: output)

    let held = learner.losses(on: batch)
    let metrics = try #require(learner.update(on: batch, measuring: true))
    #expect(Set(held.entries.map(\.name)) == Set(answer.losses.keys))
    for (name, expected) in answer.losses {
      for found in [held[name], metrics[name]] {
        let found = Double(try #require(found))
        #expect(
          abs(found - expected) < 1e-5 * max(1, abs(expected)), "\(name): \(found), \(expected)")
      }
    }
    let after = learner.saved()
    let found = Dictionary(
      uniqueKeysWithValues: (after.policy + after.training).map { ($0.name, $0.tensor.floats) })
    #expect(answer.after.count == all.count { !$0.name.hasPrefix("optimizer.") })
    for (name, expected) in answer.after {
      let values = try #require(found[name])
      #expect(values.count == expected.count)
      let difference = zip(values, expected).map { abs(Double($0) - $1) }.max() ?? 1
      #expect(difference < 1e-5, "\(name) of \(id): \(difference)")
    }
  }

  /// Goals that name part of an observation cannot be had as observations.
  @Test(
    arguments: LearnerRegistry.all.filter { entry in
      entry.settings.contains { $0.key == "goalForm" }
    })
  func observationsAsGoalsNeedAWorldThatNamesThem(entry: LearnerEntry) throws {
    let spec = GoalSpec(
      observation: 5, goal: 2, action: .continuous(low: [-1], high: [1]), horizon: 30,
      successThreshold: 0.1, metric: "distance", controlPeriod: 1)
    let task = GoalTask(identifier: "part", spec: spec, goalIndices: [1, 3])
    let error = #expect(throws: GoalFormError.self) {
      try entry.make(task: task, overrides: ["goalForm": "observation"], seed: 0)
    }
    #expect(
      error?.description
        == "a goal in the form of an observation needs all its 5 numbers, and part gives 2: use the "
        + "achieved form")
    let learner = try entry.make(task: task, overrides: ["hiddenWidths": [4]], seed: 0)
    let actor = learner.makeActor()
    actor.begin(goal: [0.1, 0.2], seed: 0)
    guard case .continuous(let action) = actor.act([0, 1, 2, 3, 4]) else {
      Issue.record("a continuous action is expected")
      return
    }
    #expect(action.count == 1)
  }

  /// What acts on dual representations is what the networks say, and is put back from the policy
  /// alone.
  @Test(arguments: ["gcivl", "gciql"]) func dualGoalsActAsTheyWereTrained(id: String) throws {
    let task = PointWorld.task()
    let replay = PointWorld.replay(task: task, episodes: 12, seed: 2)
    let entry = try LearnerRegistry.entry(id)
    let overrides: [String: JSONValue] = [
      "hiddenWidths": [8, 8], "batchSize": 16, "learningRate": 0.01,
      "goalRepresentation": ["kind": "dual", "width": 6],
    ]
    let learner = try entry.make(task: task, overrides: overrides, seed: 3)
    var batch = GoalBatch(learner.scheme, spec: task.spec)
    for number in 0..<6 as Range<UInt64> {
      replay.draw(learner.scheme, seed: 1, number: number, into: &batch)
      learner.update(on: batch)
    }
    let other = try entry.make(task: task, overrides: overrides, seed: 4)
    try other.restore(policy: learner.saved().policy)
    let actions = [learner, other].map { learner in
      let actor = learner.makeActor()
      actor.begin(goal: [0.3, -0.2], seed: 0)
      return actor.act([0.1, 0.9])
    }
    #expect(actions[0] == actions[1])
    let networks = HandNetworks(learner)
    let goals = ["dual_goal", "dual_goal_1"].map { networks.gelu($0, [0.3, -0.2]) }
    let read = zip(goals[0], goals[1]).map { ($0 + $1) / 2 }
    let means = networks.gelu("actor", [0.1, 0.9] + read)
    guard case .continuous(let action) = actions[0] else {
      Issue.record("a continuous action is expected")
      return
    }
    for (a, b) in zip(action, means) { #expect(abs(Double(a) - max(-1, min(1, b))) < 1e-5) }
  }

  /// No case above has an advantage that is large enough to be clipped.
  @Test func weightsOfImitationAreClipped() {
    let found = ValueLosses.weights(
      advantages: Tensor([-2, 0, 0.5, 1, 2, 1000] as [Float], shape: [6, 1]), temperature: 3,
      limit: 20)
    let expected: [Float] = [exp(-6), 1, exp(1.5), 20, 20, 20]
    #expect(found.shape == [6, 1])
    for (a, b) in zip(found.floats, expected) { #expect(abs(a - b) < 1e-5) }
  }

  /// A value of −(1 − γ^k)/(1 − γ) says k steps, or one more where the next state's reward is the
  /// first.
  @Test func valueScalesCountFromTheirFirstReward() {
    for startsBeforeStep in [false, true] {
      let scale = ValueScale(
        discount: 0.9, rewards: .minusOneOrZero, startsBeforeStep: startsBeforeStep)
      for steps in [1.0, 2, 7] {
        let states =
          [Bool](repeating: false, count: Int(steps) - 1)
          + [Bool](repeating: true, count: 400)
        #expect(abs(scale.value(reachedIn: steps) - scale.value(ofStates: states)) < 1e-9)
        #expect(abs(scale.steps(of: scale.value(reachedIn: steps)) - steps) < 1e-9)
      }
      #expect(scale.value(reachedIn: 1) == (startsBeforeStep ? -1 : 0))
    }
  }
}
