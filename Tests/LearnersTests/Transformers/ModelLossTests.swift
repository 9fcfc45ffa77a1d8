import GoalCore
import Replay
import Testing

@testable import Learners

/// Which actions the terms of a loss are about.
struct ModelLossTests {
  /// The terms of one batch, some of whose targets are false.
  private func terms(falsePositives: Double, surrogate: ReachedStateSurrogate) throws -> Metrics {
    var configuration = GoalTransformer.Configuration()
    configuration.batchSize = 32
    configuration.hiddenWidths = [8]
    configuration.architecture.form = .trajectoryTokens
    configuration.pairs = .original
    configuration.objectives.imitation.actions = .all
    configuration.objectives.imitation.falsePositives = falsePositives
    configuration.objectives.reachedState.reachedWeight = 1
    configuration.objectives.reachedState.surrogate = surrogate
    configuration.objectives.reachedState.surrogateWeight = 1
    let learner = try GoalTransformer(task: SmallWorld.task, configuration: configuration, seed: 2)
    var batch = GoalBatch(learner.scheme, spec: SmallWorld.task.spec)
    SmallWorld.replay.draw(learner.scheme, seed: 3, number: 1, into: &batch)
    return try #require(learner.update(on: batch, measuring: true))
  }

  /// What was reached came of the actions that were taken, whatever is imitated in their place.
  @Test(arguments: [ReachedStateSurrogate.scoreFunction, .straightThrough])
  func falsePositivesAreImitatedOnly(surrogate: ReachedStateSurrogate) throws {
    let plain = try terms(falsePositives: 0, surrogate: surrogate)
    let noisy = try terms(falsePositives: 0.9, surrogate: surrogate)
    func value(_ name: String, _ metrics: Metrics) throws -> Float {
      try #require(metrics[name], "\(name)")
    }
    #expect(try value("policy_loss", plain) != value("policy_loss", noisy))
    for name in ["reached_state_loss", "surrogate_loss", "action_accuracy", "data_action_entropy"] {
      #expect(try value(name, plain) == value(name, noisy), "\(name)")
    }
  }
}
