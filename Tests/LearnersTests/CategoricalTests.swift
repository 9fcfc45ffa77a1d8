import Foundation
import GoalCore
import Replay
import Support
import TestSupport
import Testing
import Torch

@testable import Learners

/// Discrete and discretised actions: their numbering, their policy and what it learns.
struct CategoricalTests {
  private let box = ActionSpace.continuous(low: [-1, 0, 2], high: [1, 4, 3])

  @Test func jointChoicesCountTheFirstDimensionFastest() {
    let codec = ActionCodec(box, bins: 3, jointLimit: 100)
    #expect(codec.heads == 1 && codec.classes == 27)
    for number in 0..<27 {
      let digits = [number % 3, number / 3 % 3, number / 9]
      let expected: [Float] = [
        Float(digits[0] - 1), Float(digits[1] * 2), 2 + Float(digits[2]) / 2,
      ]
      #expect(codec.action([number]) == .continuous(expected))
      #expect(codec.choices(of: .continuous(expected)) == [Int64(number)])
    }
    #expect(codec.choices(of: .continuous([-0.4, 0.9, 2.8, 7, -3, 2.2])) == [1 + 18, 2])
  }

  @Test func tooManyJointChoicesAreMadeApart() {
    let claw = ActionSpace.continuous(
      low: [Float](repeating: -1, count: 9), high: [Float](repeating: 1, count: 9))
    #expect(ActionCodec(claw, bins: 3, jointLimit: 100).heads == 9)
    let codec = ActionCodec(box, bins: 3, jointLimit: 26)
    #expect(codec.heads == 3 && codec.classes == 3)
    #expect(codec.action([2, 0, 1]) == .continuous([1, 0, 2.5]))
    #expect(codec.choices(of: .continuous([1, 0, 2.5, -1, 4, 3])) == [2, 0, 1, 0, 2, 2])
  }

  @Test func discreteActionsAreTheirOwnChoices() {
    let codec = ActionCodec(.discrete(count: 4), bins: 3, jointLimit: 100)
    #expect(codec.heads == 1 && codec.classes == 4)
    #expect(codec.action([3]) == .discrete(3))
    #expect(codec.choices(of: .discrete([0, 3, 1])) == [0, 3, 1])
  }

  /// A learner of the box's three dimensions, chosen apart or jointly.
  private func learner(_ task: GoalTask, jointLimit: Int, choosing: String) throws -> any Learner {
    try LearnerRegistry.entry("gcsl").make(
      task: task,
      overrides: [
        "actions": "discretized", "jointLimit": .integer(jointLimit), "choosing": .text(choosing),
        "hiddenWidths": [16],
      ], seed: 3)
  }

  @Test(arguments: [0, 100]) func sampledActionsComeAsOftenAsTheirProbabilitiesSay(
    jointLimit: Int
  ) throws {
    let task = PointWorld.task(low: [-1, 0], high: [1, 4])
    let policy = try learner(task, jointLimit: jointLimit, choosing: "sampled").makePolicy()
    #expect(policy.isCategorical)
    let actor = policy.makeActor()
    let draws = 20_000
    var counts: [[Float]: Int] = [:]
    var expected: [[Float]: Double] = [:]
    actor.begin(goal: [0.7, -0.2], seed: 11)
    for _ in 0..<draws {
      let action = try #require(actor.act([0.3, 0.4]).continuous)
      counts[action, default: 0] += 1
    }
    for x in [-1, 0, 1] as [Float] {
      for y in [0, 2, 4] as [Float] {
        let logarithm = try #require(actor.logProbability(of: .continuous([x, y])))
        expected[[x, y]] = exp(Double(logarithm))
      }
    }
    #expect(abs(expected.values.reduce(0, +) - 1) < 1e-6)
    // Chi-square with 8 degrees of freedom: 26.1 is passed once in a thousand.
    let distance = expected.reduce(0.0) { sum, entry in
      let mean = entry.value * Double(draws)
      let difference = Double(counts[entry.key] ?? 0) - mean
      return sum + difference * difference / mean
    }
    #expect(distance < 26.1)

    let greedy = try learner(task, jointLimit: jointLimit, choosing: "greedy").makeActor()
    greedy.begin(goal: [0.7, -0.2], seed: 11)
    let best = try #require(expected.max { $0.value < $1.value })
    #expect(greedy.act([0.3, 0.4]) == .continuous(best.key))
  }

  @Test func itMayCollectByDrawingAndBeEvaluatedGreedily() throws {
    let learner = try LearnerRegistry.entry("gcsl").make(
      task: PointWorld.task(), overrides: ["actions": "discretized", "collecting": "sampled"],
      seed: 3)
    func actions(of policy: any GoalPolicy) -> Set<[Float]> {
      let actor = policy.makeActor()
      actor.begin(goal: [0.7, -0.2], seed: 11)
      return Set(
        (0..<200).compactMap { _ in
          if case .continuous(let action) = actor.act([0.3, 0.4]) { action } else { nil }
        })
    }
    #expect(actions(of: learner.makePolicy()).count == 1)
    #expect(actions(of: learner.makeCollectingPolicy()).count == 9)
  }

  @Test(arguments: [0, 100]) func theLossIsTheMeanNegativeLogProbability(jointLimit: Int) throws {
    let task = PointWorld.task(low: [-1, 0], high: [1, 4])
    let learner = try learner(task, jointLimit: jointLimit, choosing: "greedy")
    let actor = learner.makeActor()
    var batch = GoalBatch(count: learner.scheme.batchSize, spec: task.spec)
    PointWorld.replay(task: task, episodes: 5, seed: 3)
      .draw(learner.scheme, seed: 1, number: 0, into: &batch)
    let actions = try #require(batch.actions.continuous)
    var sum = 0.0
    for row in 0..<batch.count {
      let pair = row * 2..<row * 2 + 2
      actor.begin(goal: Array(batch.policyGoals[pair]), seed: 0)
      _ = actor.act(Array(batch.observations[pair]))
      sum -= Double(try #require(actor.logProbability(of: .continuous(Array(actions[pair])))))
    }
    let loss = try #require(learner.update(on: batch, measuring: true)?["policy_loss"])
    #expect(abs(Double(loss) - sum / Double(batch.count)) < 1e-5)
  }

  @Test(arguments: [0, 100]) func randomWalksTeachItTheWay(jointLimit: Int) throws {
    let task = PointWorld.task()
    let replay = PointWorld.replay(task: task, episodes: 300, seed: 0, bins: 3)
    let learner = try LearnerRegistry.entry("gcsl").make(
      task: task,
      overrides: [
        "actions": "discretized", "jointLimit": .integer(jointLimit), "hiddenWidths": [64, 64],
      ], seed: 0)
    var batch = GoalBatch(count: learner.scheme.batchSize, spec: task.spec)
    #expect(try PointWorld.success(of: learner.makePolicy(), task: task, episodes: 100) < 0.3)
    for number in 0..<600 {
      replay.draw(learner.scheme, seed: 0, number: UInt64(number), into: &batch)
      learner.update(on: batch)
    }
    #expect(try PointWorld.success(of: learner.makePolicy(), task: task, episodes: 100) > 0.8)
  }

  @Test func aDiscreteWorldIsActedIn() throws {
    let spec = GoalSpec(
      observation: 2, goal: 2, action: .discrete(count: 4), horizon: 30, successThreshold: 0.1,
      metric: "distance", controlPeriod: 1)
    let task = GoalTask(identifier: "discrete", spec: spec, goalIndices: [0, 1])
    let actor = try LearnerRegistry.entry("gcsl").make(task: task, seed: 0).makeActor()
    actor.begin(goal: [0, 1], seed: 0)
    guard case .discrete(let number) = actor.act([1, 0]) else {
      Issue.record("a discrete action is expected")
      return
    }
    #expect(0..<4 ~= number)
    let all = try (0..<4).map { try #require(actor.logProbability(of: .discrete($0))) }
    #expect(all.firstIndex(of: all.max() ?? 0) == number)
  }
}
