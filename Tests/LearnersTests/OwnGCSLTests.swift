import GoalCore
import Replay
import Support
import TestSupport
import Testing
import Torch

@testable import Learners

/// GCSL with the settings of its own code, on the worlds of that code.
struct OwnGCSLTests {
  private func parameters(_ learner: any Learner) -> Int {
    learner.saved().policy.filter { $0.name.hasPrefix("actor.") }
      .reduce(0) { $0 + $1.tensor.floats.count }
  }

  @Test func theLandersNetworkHasAsManyNumbersAsTheReferences() throws {
    let learner = try LearnerRegistry.entry("gcsl").make(task: .lunarLander, seed: 0)
    #expect(parameters(learner) == 127_104)
    let withStepsLeft = try LearnerRegistry.entry("gcsl").make(
      task: .lunarLander, overrides: ["stepsLeft": true], seed: 0)
    #expect(parameters(withStepsLeft) == 127_104 + 50 * 400)
  }

  @Test func itsSettingsComeWithTheWorld() throws {
    let own = GCSL.Configuration.preset(for: .lunarLander)
    #expect(own.batchSize == 256 && own.hiddenWidths == [400, 300] && own.learningRate == 5e-4)
    #expect(own.pairs == .pairBeforeActions && own.actions == .discretized && own.bins == 3)
    #expect(!own.normalizer.isOn && own.initialWeights == .torch && !own.stepsLeft)
    #expect(own.choosing == .greedy && own.collecting == .greedy && own.jointLimit == 100)
    let online = own.online
    #expect(online.randomEpisodes == 200 && online.updatesPerEpisode == 50)
    // Updates begin after more than 1,000 steps.
    #expect(online.updatesFrom == 21 && online.bufferSteps == 20_000 * 50)
    #expect(online.noise == 0 && online.randomActions == 0 && online.validationFraction == 0.2)
    let other = GCSL.Configuration.preset(for: PointWorld.task())
    #expect(other.normalizer.isOn && other.actions == .native && other.initialWeights == .glorot)
  }

  /// Inputs are read as they are, however large.
  @Test func withoutNormaliserInputsAreReadAsTheyAre() throws {
    let task = PointWorld.task()
    let overrides: [String: JSONValue] = [
      "normalizer": ["isOn": false], "hiddenWidths": [], "actions": "discretized",
    ]
    let learner = try LearnerRegistry.entry("gcsl").make(task: task, overrides: overrides, seed: 2)
    let replay = PointWorld.replay(task: task, episodes: 20, seed: 3)
    var batch = GoalBatch(count: learner.scheme.batchSize, spec: task.spec)
    for number in 0..<5 {
      replay.draw(learner.scheme, seed: 1, number: UInt64(number), into: &batch)
      learner.update(on: batch)
    }
    let saved = learner.saved().policy
    let weight = try #require(saved.first { $0.name == "actor.0.weight" }).tensor.floats
    let bias = try #require(saved.first { $0.name == "actor.0.bias" }).tensor.floats
    let row: [Float] = [1000, -3, 0.5, 20]
    let logits = bias.indices.map { k in
      bias[k] + zip(row, weight[4 * k..<4 * k + 4]).reduce(0) { $0 + $1.0 * $1.1 }
    }
    let best = try #require(logits.indices.max { logits[$0] < logits[$1] })
    let actor = learner.makeActor()
    actor.begin(goal: [0.5, 20], seed: 0)
    #expect(actor.act([1000, -3]) == .continuous([Float(best % 3 - 1), Float(best / 3 - 1)]))
  }

  /// In acting the steps left are H − 1 − t; in training they are those to the goal.
  @Test func theStepsLeftAreReadInTrainingAndInActing() throws {
    let task = PointWorld.task()
    let learner = try LearnerRegistry.entry("gcsl").make(
      task: task,
      overrides: [
        "stepsLeft": true, "actions": "discretized", "hiddenWidths": [8],
        "pairs": "pair-before-actions", "normalizer": ["isOn": false],
      ], seed: 2)
    var batch = GoalBatch(count: learner.scheme.batchSize, spec: task.spec)
    PointWorld.replay(task: task, episodes: 5, seed: 3, bins: 3)
      .draw(learner.scheme, seed: 1, number: 0, into: &batch)
    let actions = try #require(batch.actions.continuous)
    // The loss that is trained on is the mean of what an actor says that is as many steps from its
    // end.
    let actor = learner.makeActor()
    var sum = 0.0
    for row in 0..<batch.count {
      let pair = row * 2..<row * 2 + 2
      actor.begin(goal: Array(batch.policyGoals[pair]), seed: 0)
      for _ in 0...(task.spec.horizon - 1 - Int(batch.offsets[row])) {
        _ = actor.act(Array(batch.observations[pair]))
      }
      sum -= Double(try #require(actor.logProbability(of: .continuous(Array(actions[pair])))))
    }
    let loss = try #require(learner.losses(on: batch)["policy_loss"])
    #expect(abs(Double(loss) - sum / Double(batch.count)) < 1e-5)
    #expect(PolicySnapshot.code(3, horizon: 6) == [0, 0, 0, 1, 1, 1])
  }

  /// A random action of a policy that chooses among values is one of them, all alike.
  @Test(arguments: [0, 100]) func randomActionsAreAmongThePolicysChoices(jointLimit: Int) throws {
    let actor = try LearnerRegistry.entry("gcsl").make(
      task: PointWorld.task(),
      overrides: ["actions": "discretized", "jointLimit": .integer(jointLimit)], seed: 3
    ).makeActor()
    var generator = Philox(seed: 1, purpose: 2, index: 3)
    var counts: [[Float]: Int] = [:]
    for _ in 0..<9_000 {
      let values = try #require(actor.randomAction(from: &generator)?.continuous)
      counts[values, default: 0] += 1
    }
    #expect(counts.count == 9 && counts.values.allSatisfy { abs($0 - 1_000) < 150 })
    #expect(counts.keys.allSatisfy { $0.allSatisfy { [-1, 0, 1].contains($0) } })
  }
}
