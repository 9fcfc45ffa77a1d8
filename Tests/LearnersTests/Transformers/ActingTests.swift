import GoalCore
import Replay
import TestSupport
import Testing

@testable import Learners
@testable import Torch

/// Policies act on what their models are trained on.
struct ActingTests {
  private let task = SmallWorld.task

  /// Whether acting has the row's goal where training had it: next, at the horizon, or anywhere.
  private func isAsInActing(
    _ row: Int, _ batch: GoalBatch, _ configuration: GoalTransformer.Configuration
  ) -> Bool {
    guard configuration.pairs != .original else { return true }
    let goal = Int(batch.steps[row]) + 1 + Int(batch.offsets[row])
    switch configuration.architecture.form {
    case .trajectory, .trajectoryDecoder: return batch.offsets[row] == 0
    case .interleaved where configuration.architecture.hasGoalState:
      return batch.offsets[row] == 0
    case .trajectoryTokens: return goal == task.spec.horizon
    case .decoder where configuration.objectives.imitation.actions == .all:
      return goal == task.spec.horizon
    default: return true
    }
  }

  /// After the same states and actions, a policy says of a state what training made of it.
  @Test(arguments: ModelTests.forms.filter { $0.configuration.head != .continuous })
  func policiesSayWhatTheirModelsDo(form: ModelTests.Form) throws {
    var configuration = form.configuration
    configuration.batchSize = 48
    configuration.objectives.distillation.weight = 0
    if configuration.pairs == .pairBeforeActions { configuration.pairs = .pair }
    let learner = try GoalTransformer(task: task, configuration: configuration, seed: 1)
    var batch = GoalBatch(learner.scheme, spec: task.spec)
    SmallWorld.replay.draw(learner.scheme, seed: 3, number: 2, into: &batch)
    let head = ActionHead(
      configuration.head, task.spec.action, bins: configuration.bins,
      jointLimit: configuration.jointLimit)
    guard case .choices(let codec) = head else {
      Issue.record("a head that chooses is expected")
      return
    }
    let choices = (0..<codec.heads).map { $0 % codec.classes }
    let network = ModelNetwork(configuration, task: task, head: head, seed: 1)
    let maker = ModelInputMaker(task: task, head: head, configuration, seed: 1)
    let rows = (0..<batch.count).filter { isAsInActing($0, batch, configuration) }
    #expect(rows.count > 3, "\(form.form): so many rows are as in acting")
    for row in rows {
      let actor = learner.makeActor()
      actor.begin(goal: Array(batch.policyGoals[2 * row..<2 * row + 2]), seed: 0)
      var said: [Float] = []
      let states = states(of: row, batch, configuration)
      for (k, state) in states.enumerated() {
        let action = actor.act(state)
        said.append(try #require(actor.logProbability(of: codec.action(choices))))
        if form.form == .interleaved || form.form == .prompted {
          try batch.window?.put(action, at: row, k)
        }
      }
      let goal = Int(batch.steps[row]) + 1 + Int(batch.offsets[row])
      let input = maker.input(
        observations: batch.observations, goals: batch.policyGoals, window: batch.window,
        rows: batch.count, normalizer: RunningNormalizer(length: 4, settings: .init()), number: 0,
        columns: [Int](repeating: goal, count: task.spec.horizon + 1))
      let output = network.model(input, nil)
      let logarithms = output.actions.reshaped([-1, codec.classes]).logSoftmax().floats
      let numbers: [Int]
      switch (output.asked, batch.window) {
      case (.places(let places), .some(let window)):
        let first = row * window.steps + (isInTurns(form) ? 0 : Int(window.starts[row]))
        let count = isInTurns(form) ? states.count : 1
        numbers = try (first..<first + count).map { try #require(places.firstIndex(of: $0)) }
      default: numbers = [row]
      }
      for (number, found) in zip(numbers, said.suffix(numbers.count)) {
        let expected = (0..<codec.heads).reduce(Float(0)) { sum, h in
          sum + logarithms[(number * codec.heads + h) * codec.classes + choices[h]]
        }
        #expect(abs(found - expected) < 1e-4, "\(form.form), row \(row)")
      }
    }
  }

  /// Whether the window is that from the start to the goal, each of whose states is asked.
  private func isInTurns(_ form: ModelTests.Form) -> Bool {
    [.interleaved, .prompted].contains(form.form)
      && !form.configuration.architecture.hasGoalState
  }

  /// What the policy sees up to the row's state; by turns, from there to the goal.
  private func states(
    of row: Int, _ batch: GoalBatch, _ configuration: GoalTransformer.Configuration
  ) -> [[Float]] {
    let present = [Array(batch.observations[2 * row..<2 * row + 2])]
    guard let window = batch.window else { return present }
    func states(_ places: Range<Int>) -> [[Float]] {
      places.map { row * window.steps + $0 }.filter { window.mask[$0] == 1 }
        .map { Array(window.observations[2 * $0..<2 * $0 + 2]) }
    }
    switch configuration.architecture.form {
    case .interleaved where configuration.architecture.hasGoalState:
      return states(0..<Int(window.starts[row])) + present
    case .interleaved, .prompted: return states(0..<Int(window.goals[row]))
    // Of states before those that are read only is known how many there were.
    case .decoder:
      let isAlone = configuration.objectives.imitation.actions == .all
      let known = isAlone ? [] : states(0..<Int(window.starts[row]))
      let others = (known.count..<Int(batch.steps[row])).map { [Float($0), 0] }
      return others + known + present
    default: return states(0..<Int(window.starts[row])) + present
    }
  }
}

extension WindowColumns {
  /// Puts an action in the place of a row.
  fileprivate mutating func put(_ action: Action, at row: Int, _ place: Int) throws {
    let numbers = try #require(action.continuous)
    var values = try #require(actions.continuous)
    let first = (row * steps + place) * numbers.count
    values.replaceSubrange(first..<first + numbers.count, with: numbers)
    actions = .continuous(values)
  }
}
