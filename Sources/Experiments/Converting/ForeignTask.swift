import Environments
import Formats
import Foundation
import GoalCore
import Storage

/// The task of foreign episodes: a registered world's, or one of their sizes alone.
struct ForeignTask: Sendable {
  let task: GoalTask
  /// Whether it is known when a goal is reached, so that rewards and successes can be computed.
  let isThresholdKnown: Bool
  let notes: ConversionNotes

  /// The task of a registered world; nil for any other name.
  static func registered(_ identifier: String?) -> GoalTask? {
    EnvironmentRegistry.worlds.first { $0.task.identifier == identifier }?.task
  }

  /// Finds the task of a source.
  ///
  /// Of a world that is not registered only sizes are known. Which of an observation's numbers are
  /// the goal is given, found by comparing, or left open. Without a threshold a goal is reached if
  /// it is met exactly, and rewards are not computed.
  init(
    _ source: any TrajectorySource, _ numbers: SourceNumbers, _ request: DatasetConversion.Request
  ) throws {
    let identifier = request.environment ?? source.environment ?? "unknown"
    guard let states = source.column(.observations), let actions = source.column(.actions) else {
      preconditionFailure("a source has observations and actions")
    }
    let goals = source.column(.desiredGoals) ?? source.column(.achievedGoals)
    if let known = ForeignTask.registered(identifier) {
      let spec = known.spec
      for (what, expected, found) in [
        ("observations", spec.observation, states.width), ("goals", spec.goal, goals?.width),
        ("actions", spec.action.length, actions.width),
      ] where found != nil && found != expected {
        throw ExperimentError.cannotConvert(
          path: request.input.relativePath,
          reason: "\(identifier) has \(what) of \(expected) numbers, these have \(found ?? 0)")
      }
      task = known
      isThresholdKnown = true
      var notes = ForeignTask.notFinite(numbers, source)
      if request.environment != nil {
        notes.assumed.append("the world is \(identifier), as --environment says")
      }
      try ForeignTask.addOutside(spec.action, "the world's", source, &notes)
      self.notes = notes
      return
    }

    var notes = ForeignTask.notFinite(numbers, source)
    if let asked = request.environment {
      notes.assumed.append(
        "the world is \(asked), as --environment says; it is not one of ours, so the physics cannot be checked"
      )
    } else if source.environment == nil {
      notes.assumed.append("the world is not known: --environment names it")
    }
    let indices: [Int]
    if let asked = request.goalIndices {
      let count = goals?.width ?? asked.count
      guard asked.count == count, asked.allSatisfy({ $0 < states.width }) else {
        throw ExperimentError.cannotConvert(
          path: request.input.relativePath,
          reason: "--goal-indices must be \(count) places below \(states.width), found \(asked)")
      }
      indices = asked
      notes.assumed.append("what is achieved: the observation's numbers \(asked)")
    } else if source.column(.achievedGoals) == nil {
      guard (goals?.width ?? states.width) == states.width else {
        throw ExperimentError.cannotConvert(
          path: request.input.relativePath,
          reason:
            "goals of \(goals?.width ?? 0) numbers are asked for and none recorded as achieved: say "
            + "where in an observation a goal stands with --goal-indices")
      }
      indices = Array(0..<states.width)
      notes.assumed.append("a goal is a whole observation: --goal-indices names a part of it")
    } else {
      let found = try ForeignTask.places(in: source)
      indices = found ?? []
      notes.assumed.append(
        found.map { "what is achieved: the observation's numbers \($0), as in the first episodes" }
          ?? "what is achieved is recorded, and follows from no numbers of an observation alone")
    }
    let action: ActionSpace
    if let said = source.actionSpace, ForeignTask.fits(said, actions) {
      action = said
      notes.assumed.append("actions are those of the source's action space")
      try ForeignTask.addOutside(said, "the source's", source, &notes)
    } else if actions.isDiscrete {
      let count = Int(numbers.actions.map { $0.high }.max() ?? 0)
      guard 0..<1_000_000 ~= count, numbers.actions.allSatisfy({ $0.low >= 0 }) else {
        throw ExperimentError.cannotConvert(
          path: request.input.relativePath,
          reason:
            "discrete actions must be numbers from 0 to 999,999, found \(numbers.actions.map { "\($0.low) to \($0.high)" }.joined())"
        )
      }
      action = .discrete(count: count + 1)
      notes.assumed.append("there are as many actions as occur, \(count + 1)")
    } else {
      let range = numbers.actions
      let low = range.map { Float(min($0.low, -1)) }
      let high = range.map { Float(max($0.high, 1)) }
      action = .continuous(low: low, high: high)
      let isUnit = low.allSatisfy { $0 == -1 } && high.allSatisfy { $0 == 1 }
      let others = numbers.notFinite[ShardColumn.actions.rawValue].map {
        " but the \($0.count) numbers that are not finite"
      }
      notes.assumed.append(
        isUnit
          ? "actions lie between -1 and 1, as all of these do\(others ?? "")"
          : "actions lie where these do\(others ?? ""), which is outside of -1 to 1: from \(low) to \(high)"
      )
    }
    if let threshold = request.threshold {
      notes.assumed.append("a goal is reached within \(threshold), as --threshold says")
    } else {
      notes.assumed.append(
        "when a goal is reached is not known, so rewards and successes are not computed, and a "
          + "learner's relabelled reward is 0 only if a goal is met exactly: give --threshold"
      )
    }
    task = GoalTask(
      identifier: identifier,
      spec: GoalSpec(
        observation: states.width, goal: goals?.width ?? indices.count, action: action,
        horizon: source.lengths.max() ?? 1, successThreshold: request.threshold ?? 0,
        metric: "distance, in a unit that is not known", controlPeriod: 0),
      goalIndices: indices)
    isThresholdKnown = request.threshold != nil
    self.notes = notes
  }

  /// Where the achieved goals of the first episodes stand in their observations; nil if they do
  /// not.
  private static func places(in source: any TrajectorySource) throws -> [Int]? {
    let count = min(source.lengths.count, 20)
    let wanted: Set = [ShardColumn.observations.rawValue, ShardColumn.achievedGoals.rawValue]
    let table = try source.table(of: 0..<count, only: wanted)
    guard let states = table[.observations], let achieved = table[.achievedGoals] else {
      return nil
    }
    let (s, a) = (states.doubles(), achieved.doubles())
    var places: [Int] = []
    for k in 0..<achieved.width {
      let place = (0..<states.width).first { i in
        (0..<states.rows).allSatisfy { s[$0 * states.width + i] == a[$0 * achieved.width + k] }
      }
      guard let place else { return nil }
      places.append(place)
    }
    return places
  }

  /// Says which numbers are not finite.
  private static func notFinite(
    _ numbers: SourceNumbers, _ source: any TrajectorySource
  ) -> ConversionNotes {
    var notes = ConversionNotes()
    for (path, found) in numbers.notFinite.sorted(by: { $0.key < $1.key }) {
      let row =
        switch source.columns[path]?.axis {
        case .steps: ", step \(found.row)"
        case .states: ", state \(found.row)"
        default: ""
        }
      notes.found.append(
        "\(found.count) of the numbers of \(path) \(found.count == 1 ? "is" : "are") not finite, first in "
          + "episode \(found.episode)\(row): \(found.value); kept, and `goalpost train` stops at them: "
          + "--skip-bad leaves their episodes out")
    }
    return notes
  }

  /// Whether actions are of a space's kind and length.
  private static func fits(_ space: ActionSpace, _ actions: SourceColumn) -> Bool {
    switch space {
    case .continuous(let low, _): !actions.isDiscrete && actions.width == low.count
    case .discrete: actions.isDiscrete
    }
  }

  /// The episodes with actions clipped to the space of their world, or that which the file states,
  /// or else to -1 to 1.
  static func clippingActions(
    of source: any TrajectorySource, _ request: DatasetConversion.Request
  ) throws -> any TrajectorySource {
    guard let actions = source.column(.actions), !actions.isDiscrete else {
      throw ExperimentError.cannotConvert(
        path: request.input.relativePath,
        reason: "--clip-actions is for actions of numbers, and these are choices")
    }
    let known = registered(request.environment ?? source.environment)?.spec.action
    let unit = ActionSpace.continuous(
      low: [Float](repeating: -1, count: actions.width),
      high: [Float](repeating: 1, count: actions.width))
    let stated = source.actionSpace.flatMap { fits($0, actions) ? $0 : nil }
    let space = known ?? stated ?? unit
    guard fits(space, actions) else { return source }
    let whose =
      known != nil
      ? "the world's action space" : stated != nil ? "the file's action space" : "-1 to 1"
    return try source.clippingActions(to: range(of: space), of: whose)
  }

  /// The range of each number of an action.
  private static func range(of space: ActionSpace) -> [(low: Float, high: Float)] {
    switch space {
    case .continuous(let low, let high): zip(low, high).map { ($0, $1) }
    case .discrete(let count): [(0, Float(count - 1))]
    }
  }

  /// Says how many actions lie outside of a space, which are kept.
  private static func addOutside(
    _ space: ActionSpace, _ whose: String, _ source: any TrajectorySource,
    _ notes: inout ConversionNotes
  ) throws {
    let range = range(of: space)
    let isChoice = if case .discrete = space { true } else { false }
    guard let found = try SourceNumbers.outside(range, source) else { return }
    let isUnit = range.allSatisfy { $0.low == -1 && $0.high == 1 }
    notes.found.append(
      "\(found.count) of \(source.steps) actions lie outside of \(whose) action space"
        + (isUnit ? ", -1 to 1" : "") + ", first in episode \(found.episode), step \(found.step): "
        + "\(found.value); kept as they are, and `goalpost verify` calls them broken"
        + (isChoice ? "" : ": --clip-actions clips them"))
  }
}
