import Foundation
import GoalCore
import Replay
import Support
import Testing
import Torch

@testable import Learners

/// The losses of the learners with a critic against the same in `Double`, by hand.
struct ActorCriticTests {
  private static let task = PointWorld.task()
  private let replay = PointWorld.replay(task: ActorCriticTests.task, episodes: 20, seed: 2)
  private let gamma = 1 - 1 / Double(ActorCriticTests.task.spec.horizon)

  /// One update of a learner whose targets differ from its networks, and its networks around it.
  private struct Step {
    let batch: GoalBatch
    let metrics: Metrics
    let number: Int
    /// Before the update, with the statistics before it.
    let before: HandNetworks
    let after: HandNetworks
    /// The weights before the update, with the statistics after it.
    var fresh: HandNetworks { before.normalized(as: after) }
  }

  private func step(
    _ identifier: String, _ overrides: [String: JSONValue] = [:], updates: Int = 5
  ) throws -> (Step, any Learner) {
    let settings: [String: JSONValue] = ["hiddenWidths": [8, 8], "batchSize": 16, "polyak": 0.5]
    let learner = try LearnerRegistry.entry(identifier).make(
      task: Self.task, overrides: settings.merging(overrides) { $1 }, seed: 3)
    var batch = GoalBatch(count: 16, spec: Self.task.spec)
    for number in 0..<updates {
      replay.draw(learner.scheme, seed: 1, number: UInt64(number), into: &batch)
      learner.update(on: batch)
    }
    let before = HandNetworks(learner)
    replay.draw(learner.scheme, seed: 1, number: 99, into: &batch)
    let metrics = try #require(learner.update(on: batch, measuring: true))
    let step = Step(
      batch: batch, metrics: metrics, number: updates + 1, before: before,
      after: HandNetworks(learner))
    return (step, learner)
  }

  /// The numbers of row `b`.
  private func row(_ values: [Float], _ b: Int) -> ArraySlice<Float> {
    values[2 * b..<2 * b + 2]
  }

  private func actions(_ batch: GoalBatch, _ b: Int) -> [Double] {
    guard case .continuous(let values) = batch.actions else {
      preconditionFailure("a batch of continuous actions is expected")
    }
    return row(values, b).map(Double.init)
  }

  private func mean(over batch: GoalBatch, _ body: (Int) -> Double) -> Double {
    (0..<batch.count).reduce(0) { $0 + body($1) } / Double(batch.count)
  }

  private func advantage(_ step: Step, _ b: Int) -> Double {
    let (networks, batch) = (step.before, step.batch)
    let goal = row(batch.policyGoals, b)
    let now = networks.input(row(batch.observations, b), goal)
    let next = networks.input(row(batch.nextObservations, b), goal)
    return Double(batch.policyRewards[b]) + 1
      + gamma * networks.value("critic", next, networks.actions(next))
      - networks.value("critic", now, networks.actions(now))
  }

  /// The critics' loss; `noise` is that of the target policy's actions, `[B, 2]`.
  private func criticLoss(_ step: Step, critics: [String], noise: [Float]? = nil) -> Double {
    let (networks, batch) = (step.fresh, step.batch)
    return mean(over: batch) { b in
      let goal = row(batch.valueGoals, b)
      let next = networks.input(row(batch.nextObservations, b), goal)
      var actions = networks.actions(next, of: "target_actor")
      if let noise {
        actions = zip(actions, row(noise, b)).map { max(-1, min(1, $0 + Double($1))) }
      }
      let least = critics.map { networks.value("target_\($0)", next, actions) }.min() ?? .nan
      let bound = 1 / (1 - gamma)
      let reward = Double(batch.valueRewards[b]) + 1
      let target = max(-bound, min(bound, reward + gamma * least))
      let now = networks.input(row(batch.observations, b), goal)
      return critics.reduce(0) {
        $0 + pow(networks.value($1, now, self.actions(batch, b)) - target, 2)
      }
    }
  }

  private func expectMetric(_ step: Step, _ name: String, _ expected: Double) throws {
    let found = Double(try #require(step.metrics[name]))
    #expect(abs(found - expected) < 1e-4 * max(1, abs(expected)), "\(name): \(found), \(expected)")
  }

  /// Adam's steps go against the slope: every number that has a clear one moves down it.
  ///
  /// From the first step on a direction is not the last gradient's alone, so this is for fresh
  /// learners.
  private func expectDescent(
    _ step: Step, from networks: HandNetworks, _ names: [String], _ loss: (HandNetworks) -> Double
  ) {
    for name in names {
      var clear = 0
      for k in 0..<networks.count(name) {
        var (up, down) = (networks, networks)
        up[name, k] += 1e-4
        down[name, k] -= 1e-4
        let slope = (loss(up) - loss(down)) / 2e-4
        guard abs(slope) > 1e-3 else { continue }
        clear += 1
        #expect((step.after[name, k] - step.before[name, k]) * slope < 0, "\(name) \(k)")
      }
      #expect(clear > 0, "\(name) has no slope")
    }
  }

  private func imitation(
    _ networks: HandNetworks, _ batch: GoalBatch, weight: (Int) -> Double = { _ in 1 }
  ) -> Double {
    mean(over: batch) { b in
      let input = networks.input(row(batch.observations, b), row(batch.policyGoals, b))
      let error = zip(networks.actions(input), actions(batch, b)).map { ($0 - $1) * ($0 - $1) }
      return weight(b) * error.reduce(0, +) / 2
    }
  }

  // MARK: - Weighted imitation

  @Test func marvilWeighsByTheExponentialOfTheAdvantage() throws {
    let (step, _) = try step("goal-marvil")
    try expectMetric(
      step, "policy_loss", imitation(step.before, step.batch) { exp(advantage(step, $0)) })
    try expectMetric(step, "advantage", mean(over: step.batch) { advantage(step, $0) })
    try expectMetric(step, "critic_loss", criticLoss(step, critics: ["critic"]))
    #expect(step.batch.policyGoals == step.batch.valueGoals)
    #expect(step.batch.policyOrigins.allSatisfy { $0 == .original })
  }

  @Test func marvilsWeightsAreFinite() {
    let weights = GoalMARVIL.weights(advantages: [-1, 0, 1, 200, .infinity])
    #expect(zip(weights, [exp(-1), 1, exp(1), 1e15, 1e15]).allSatisfy { abs($0 / $1 - 1) < 1e-6 })
  }

  /// Every combination of WGCSL's weights: the paper's ablations.
  @Test(arguments: 0..<8) func wgcslsWeightsMultiply(switches: Int) throws {
    let (discounts, exponential, best) = (switches & 1 > 0, switches & 2 > 0, switches & 4 > 0)
    let (step, _) = try step(
      "wgcsl",
      [
        "relabelWeight": .truth(discounts), "exponentialWeight": .truth(exponential),
        "bestAdvantageWeight": .truth(best), "bestAdvantageStep": 11,
      ])
    let threshold = step.metrics["advantage_threshold"].map(Double.init)
    #expect((threshold != nil) == best)
    // The policy's goals are the value goals where those were not put back.
    let loss = imitation(step.before, step.batch) { b in
      var weight = 1.0
      if discounts { weight *= pow(gamma, Double(step.batch.offsets[b])) }
      if exponential { weight *= min(10, exp(advantage(step, b))) }
      if let threshold, advantage(step, b) < threshold { weight *= 0.05 }
      return weight
    }
    try expectMetric(step, "policy_loss", loss)
    let trainsCritic = exponential || best
    #expect((step.metrics["critic_loss"] != nil) == trainsCritic)
    if trainsCritic {
      try expectMetric(step, "critic_loss", criticLoss(step, critics: ["critic"]))
    }
    if best { #expect(try #require(step.metrics["best_advantage_share"]) < 1) }
  }

  // MARK: - DDPG

  private func ddpgLoss(_ networks: HandNetworks, _ batch: GoalBatch, penalty: Double) -> Double {
    mean(over: batch) { b in
      let input = networks.input(row(batch.observations, b), row(batch.policyGoals, b))
      let actions = networks.actions(input)
      return penalty * actions.reduce(0) { $0 + $1 * $1 } / 2
        - networks.value("critic", input, actions)
    }
  }

  @Test(arguments: ["ddpg", "ddpg-her"]) func ddpgClimbsTheValue(id: String) throws {
    let (step, learner) = try step(id, ["actionPenalty": 0.7])
    try expectMetric(
      step, "policy_loss", ddpgLoss(step.fresh, step.batch, penalty: 0.7))
    try expectMetric(step, "critic_loss", criticLoss(step, critics: ["critic"]))
    #expect(step.batch.policyGoals == step.batch.valueGoals)
    let original = step.batch.policyOrigins.count { $0 == .original }
    #expect(id == "ddpg" ? original == 16 : (1..<10).contains(original))
    // What is measured on held-out rows is the same loss.
    let held = learner.losses(on: step.batch)
    let now = Step(
      batch: step.batch, metrics: held, number: 0, before: step.after, after: step.after)
    try expectMetric(now, "policy_loss", ddpgLoss(now.before, now.batch, penalty: 0.7))
    try expectMetric(now, "critic_loss", criticLoss(now, critics: ["critic"]))
  }

  @Test func ddpgsFirstStepsGoDownBothSlopes() throws {
    let (step, _) = try step("ddpg-her", updates: 0)
    expectDescent(step, from: step.fresh, ["actor.4.bias", "actor.2.weight"]) {
      ddpgLoss($0, step.batch, penalty: 1)
    }
    expectDescent(step, from: step.fresh, ["critic.4.bias", "critic.4.weight"]) { networks in
      let moved = Step(
        batch: step.batch, metrics: step.metrics, number: 0, before: networks, after: step.after)
      return criticLoss(moved, critics: ["critic"])
    }
  }

  // MARK: - TD3+BC

  /// The policy's loss with the critic as it is after its step.
  private func td3Loss(_ networks: HandNetworks, _ step: Step) -> Double {
    let batch = step.batch
    var (sum, size) = (0.0, 0.0)
    for b in 0..<batch.count {
      let input = step.after.input(row(batch.observations, b), row(batch.policyGoals, b))
      let value = step.after.value("critic", input, networks.actions(input))
      sum += value
      let first = step.fresh.actions(input)  // the scale has no slope
      size += abs(step.after.value("critic", input, first))
    }
    return imitation(networks, batch) - 2.5 * sum / size
  }

  @Test func td3IsPessimisticNoisyAndStaysNearTheData() throws {
    let (step, learner) = try step("td3-bc")
    let noise = try #require(learner as? TD3BC).targetNoise(rows: 16, update: step.number)
    try expectMetric(
      step, "critic_loss",
      criticLoss(step, critics: ["critic", "critic_1"], noise: noise.floats))
    try expectMetric(step, "policy_loss", td3Loss(step.fresh, step))
  }

  @Test func td3sPolicyGoesDownItsSlope() throws {
    let (step, _) = try step("td3-bc", ["policyDelay": 1], updates: 0)
    expectDescent(step, from: step.fresh, ["actor.4.bias", "actor.2.weight"]) { td3Loss($0, step) }
  }

  @Test func td3sPolicyWaitsItsTurn() throws {
    for updates in 0..<4 {
      let (step, _) = try step("td3-bc", updates: updates)
      let waits = updates % 2 == 0
      for name in ["actor.0.weight", "target_actor.0.weight", "target_critic_1.0.weight"] {
        let same = (0..<step.before.count(name)).allSatisfy {
          step.before[name, $0] == step.after[name, $0]
        }
        #expect(same == waits, "\(name) after update \(updates + 1)")
      }
      #expect(step.before["critic_1.0.weight", 0] != step.after["critic_1.0.weight", 0])
    }
  }

  @Test func td3sNoiseIsClippedAndOfTheUpdate() throws {
    let learner = try TD3BC(task: Self.task, configuration: .init(), seed: 0)
    let noise = learner.targetNoise(rows: 10_000, update: 1).floats
    #expect(noise.allSatisfy { abs($0) <= 0.5 } && noise.contains(0.5) && noise.contains(-0.5))
    let variance = noise.reduce(0) { $0 + Double($1 * $1) } / Double(noise.count)
    // Of N(0, 0.2²) clipped at 2.5 deviations: 0.04 · 0.9773.
    #expect(abs(variance - 0.0391) < 0.0015)
    #expect(learner.targetNoise(rows: 10_000, update: 1).floats == noise)
    #expect(learner.targetNoise(rows: 10_000, update: 2).floats != noise)
  }
}
