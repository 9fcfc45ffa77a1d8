import GoalCore
import Replay
import Support
import Testing
import Torch

@testable import Learners

/// The log's faults by name, each beside what was meant; and gathered gradients.
struct QuirkTests {
  private func learner(
    _ change: (inout GoalTransformer.Configuration) -> Void
  ) throws -> GoalTransformer {
    var configuration = GoalTransformer.Configuration()
    configuration.batchSize = 8
    configuration.hiddenWidths = [6]
    change(&configuration)
    return try GoalTransformer(task: SmallWorld.task, configuration: configuration, seed: 2)
  }

  private func batch(_ learner: GoalTransformer, _ number: UInt64 = 1) -> GoalBatch {
    var batch = GoalBatch(learner.scheme, spec: SmallWorld.task.spec)
    SmallWorld.replay.draw(learner.scheme, seed: 3, number: number, into: &batch)
    return batch
  }

  /// The window in which a policy acts after three states, of seven places.
  private func window(
    _ change: (inout GoalTransformer.Configuration) -> Void
  ) throws -> ActingWindow {
    let policy = try #require(try learner(change).makePolicy() as? TransformerPolicy)
    let window = try #require(policy.configuration.window(horizon: SmallWorld.task.spec.horizon))
    return ActingWindow(
      window, policy, [[1, 2], [3, 4], [5, 6]], [.continuous([0, 1]), .continuous([1, 0])], [7, 8],
      steps: 2)
  }

  @Test func theGoalStandsBehindTheStatesOrAtTheEnd() throws {
    func idm(_ change: (inout QuirkSettings) -> Void = { _ in }) throws -> ActingWindow {
      try window {
        $0.architecture.form = .trajectory
        $0.architecture.mask = .randomGoal
        $0.goals = .full
        change(&$0.quirks)
      }
    }
    let meant = try idm()
    #expect(meant.columns.observations == [1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0])
    #expect(meant.columns.mask == [1, 1, 1, 1, 0, 0, 0])
    #expect(meant.read == 2 && meant.columns.starts == [2] && meant.columns.goals == [3])
    #expect(meant.goalColumns == [Int](repeating: 3, count: 7))
    let atEnd = try idm { $0.goalAtEnd = true }
    #expect(atEnd.columns.mask == [1, 1, 1, 0, 0, 0, 1] && atEnd.columns.goals == [6])
    #expect(atEnd.read == 2)
    let last = try idm { $0.readsLast = true }
    #expect(last.read == 3)
  }

  @Test func actionTokensAreAsManyAsStepsAreLeftOrOne() throws {
    func tokens(_ change: (inout QuirkSettings) -> Void = { _ in }) throws -> ActingWindow {
      try window {
        $0.architecture.form = .trajectoryTokens
        change(&$0.quirks)
      }
    }
    // Two of six steps are done.
    #expect(try tokens().columns.goals == [6])
    #expect(try tokens { $0.oneActingToken = true }.columns.goals == [3])
  }

  @Test func historiesAreThereOrNot() throws {
    func decoder(_ change: (inout QuirkSettings) -> Void = { _ in }) throws -> ActingWindow {
      try window {
        $0.architecture.form = .decoder
        $0.architecture.history = 4
        change(&$0.quirks)
      }
    }
    #expect(try decoder().columns.mask == [0, 1, 1, 1])
    #expect(try decoder().columns.observations == [0, 0, 1, 2, 3, 4, 5, 6])
    let alone = try decoder { $0.actsWithoutHistory = true }
    #expect(alone.columns.mask == [0, 0, 0, 1] && alone.read == 3)
  }

  @Test(arguments: [ModelForm.trajectory, .trajectoryTokens, .decoder])
  func theActionAtTheGoalIsAskedForOrNot(form: ModelForm) throws {
    let counts = try [false, true].map { asks -> Int in
      let learner = try learner {
        $0.architecture.form = form
        $0.architecture.mask = form == .trajectory ? .base : .all
        $0.objectives.imitation.actions = .all
        $0.quirks.asksAtGoal = asks
      }
      let batch = batch(learner)
      let metrics = try #require(learner.update(on: batch, measuring: true))
      return try #require(metrics.samples.first { $0.name == "action/0" }).values.count
    }
    let steps = batch(try learner { _ in }).offsets.reduce(0) { $0 + Int($1) + 1 }
    #expect(counts[0] == steps)
    // `pairs` leaves the last state out, so that every goal has an action.
    #expect(counts[1] == steps + 8)
  }

  @Test func theOutputLayerIsThereOrNot() throws {
    func names(_ omits: Bool) throws -> [String] {
      try learner {
        $0.architecture.width = 16
        $0.quirks.omitsOutput = omits
      }.saved().policy.map(\.name).filter { $0.hasPrefix("actor.out") }
    }
    #expect(try names(false) == ["actor.out.0.weight", "actor.out.0.bias"])
    #expect(try names(true).isEmpty)
  }

  /// Weights after each of four updates with gradients of two batches a step: where they moved.
  @Test(arguments: [(false, [false, true, false, true]), (true, [true, true, true, true])])
  func gradientsAreGatheredForAStep(isFaulty: Bool, moves: [Bool]) throws {
    let learner = try learner {
      $0.accumulations = 2
      $0.quirks.stepsOnSums = isFaulty
    }
    func weights() -> [Float] { learner.saved().policy.flatMap(\.tensor.floats) }
    var before = weights()
    for (number, moved) in moves.enumerated() {
      learner.update(on: batch(learner, UInt64(number)))
      let now = weights()
      #expect((now != before) == moved)
      before = now
    }
  }

  @Test func settingsThatNoModelHasTogetherAreRefused() throws {
    let entry = try LearnerRegistry.entry(GoalTransformer.identifier)
    func complaint(_ overrides: [String: JSONValue]) -> String? {
      do {
        _ = try entry.resolve(task: SmallWorld.task, overrides: overrides)
        return nil
      } catch {
        return "\(error)"
      }
    }
    #expect(
      complaint(["architecture": ["form": "mlp", "conditioning": "gate"]])?.contains(
        "'architecture.conditioning' must be token for all forms but tokens and decoder") == true)
    #expect(
      complaint(["architecture": ["mask": "random-goal"]])?.contains("'architecture.mask'") == true)
    #expect(
      complaint(["architecture": ["form": "planner"], "pairs": "original"])?.contains("'pairs'")
        == true)
    #expect(
      complaint(["objectives": ["nextState": ["weight": 1]]])?.contains("interleaved") == true)
    #expect(
      complaint(["architecture": ["heads": 3]])?.contains("a multiple of architecture.heads")
        == true)
    let nowhere = GoalTask(
      identifier: "foreign", spec: SmallWorld.task.spec, goalIndices: [])
    #expect(throws: LearnerError.unknownGoals(learner: "goal-transformer", task: "foreign")) {
      try entry.make(task: nowhere, overrides: ["goals": "full"], seed: 0)
    }
  }
}
