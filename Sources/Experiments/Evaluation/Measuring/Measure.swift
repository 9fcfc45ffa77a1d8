import Environments
import Foundation
public import GoalCore
public import Statistics

/// The measures of an evaluation.
public enum Measure: String, CaseIterable, Sendable {
  /// Share of episodes whose goal is reached at the last step.
  case success
  /// Rewards of the first H − 1 steps in the 0/1 convention (the world's own plus 1), summed, as
  /// the WGCSL paper counts.
  case returnBeforeLast = "return_before_last"
  /// The same over all steps.
  case fullReturn = "return"
  /// The same over all steps, discounted by γ = 1 − 1/H from the first step on.
  case discountedReturn = "discounted_return"
  /// Distance of the achieved from the desired goal at the end, in the metric's unit.
  case finalDistance = "final_distance"
  /// Share of episodes at the goal in the state before the last action, where GCSL's code ends.
  case successBeforeLast = "success_before_last"
  /// The distance there.
  case distanceBeforeLast = "distance_before_last"

  /// Its name in JSON, tables and files for episodes of H steps: `return49` for 50; its raw value
  /// for no one H.
  func name(horizon: Int?) -> String {
    guard let horizon else { return rawValue }
    return rawValue.replacing("_before_last", with: "\(horizon - 1)")
  }

  /// The measure of a name, whatever the horizon in it; nil for any other name.
  public init?(name: String) {
    let digits = name.reversed().prefix { $0.isASCII && $0.isNumber }.reversed()
    let horizon = Int(String(digits)).flatMap { $0 < SizeLimit.horizon ? $0 + 1 : nil }
    guard let found = Self.allCases.first(where: { $0.name(horizon: horizon) == name }) else {
      return nil
    }
    self = found
  }

  /// It of an episode; successes are 0 or 1.
  func value(of score: EpisodeScore) -> Double {
    switch self {
    case .success: score.success ? 1 : 0
    case .returnBeforeLast: score.returnBeforeLast
    case .fullReturn: score.fullReturn
    case .discountedReturn: score.discountedReturn
    case .finalDistance: score.finalDistance
    case .successBeforeLast: score.successBeforeLast ? 1 : 0
    case .distanceBeforeLast: score.distanceBeforeLast
    }
  }

  /// The kind of an episode's value.
  var kind: PairedComparison.Kind {
    self == .success || self == .successBeforeLast ? .proportion : .mean
  }

  /// Whether more is better.
  var higherIsBetter: Bool { self != .finalDistance && self != .distanceBeforeLast }

  /// Whether it says something of episodes that end at their first success.
  var saysOfEnds: Bool {
    switch self {
    case .success, .discountedReturn, .finalDistance: true
    case .returnBeforeLast, .fullReturn, .successBeforeLast, .distanceBeforeLast: false
    }
  }

  /// Its range in a task's world.
  ///
  /// A step counts 0 or 1, and of an episode that ends at its first success one step counts at
  /// most. A discounted return is at most Σ γ^t = H (1 − γ^H).
  func range(_ task: GoalTask) -> ClosedRange<Double> {
    let horizon = Double(task.spec.horizon)
    let most = task.endsAtSuccess ? 1 : Double.infinity
    switch self {
    case .success, .successBeforeLast: return 0...1
    case .returnBeforeLast: return 0...min(max(0, horizon - 1), most)
    case .fullReturn: return 0...min(horizon, most)
    case .discountedReturn:
      return 0...min(horizon * (1 - pow(1 - 1 / horizon, horizon)), most)
    case .finalDistance, .distanceBeforeLast: return 0...Double.infinity
    }
  }

  /// Several runs' scores of it on the same starts, of so many tasks with equally many.
  func crossed(_ runs: [[EpisodeScore]], tasks: Int = 1) -> CrossedScores {
    CrossedScores(runs.map { $0.map(value) }, parts: tasks)
  }

  /// It of one run's episodes, of so many tasks with equally many, task after task.
  ///
  /// Of several tasks a number is the mean over them, and its interval is for starts within these
  /// tasks (`CrossedScores`).
  func estimate(_ scores: [EpisodeScore], task: GoalTask, parts: Int = 1) -> Estimate {
    parts == 1 && kind == .proportion
      ? Intervals.wilson(successes: scores.count { value(of: $0) > 0 }, of: scores.count)
      : crossed([scores], tasks: parts).level(in: range(task))
  }
}

extension GoalTask {
  /// Whether evaluations in its world end at their first success.
  var endsAtSuccess: Bool {
    EnvironmentRegistry.worlds.contains {
      $0.task.identifier == identifier && !$0.tasks.isEmpty
    }
  }
}

/// The results of an evaluation, each with its 95 % interval: of this policy only, on starts in
/// general.
///
/// Shares have Wilson's interval, means Student's within what the measure can be
/// (`Intervals.mean`). JSON has them by their names (`Measure`).
public struct Evaluation: Codable, Sendable, Equatable {
  /// Steps of an episode.
  private let horizon: Int?
  private let estimates: [Measure: Estimate]

  /// Summarises episodes of a task's world, of so many named tasks with equally many episodes, task
  /// after task.
  public init(_ scores: [EpisodeScore], task: GoalTask, parts: Int = 1) {
    horizon = task.spec.horizon
    estimates = Dictionary(
      uniqueKeysWithValues: Measure.allCases.map {
        ($0, $0.estimate(scores, task: task, parts: parts))
      })
  }

  /// Reads what was written; throws for a measure that is not there.
  public init(from decoder: any Decoder) throws {
    let values = try [String: Estimate](from: decoder)
    var found: [Measure: Estimate] = [:]
    for (name, value) in values { if let measure = Measure(name: name) { found[measure] = value } }
    estimates = found
    let counted = values.keys.first { Measure(name: $0) == .returnBeforeLast } ?? ""
    horizon = Int(counted.drop { !$0.isNumber }).map { $0 + 1 }
    if let missing = Measure.allCases.first(where: { found[$0] == nil }) {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "no \(missing.rawValue)"))
    }
  }

  /// Writes each measure by its name.
  public func encode(to encoder: any Encoder) throws {
    try Dictionary(uniqueKeysWithValues: byName.map { ($0.name, $0.value) }).encode(to: encoder)
  }

  /// A measure's estimate.
  public subscript(measure: Measure) -> Estimate {
    guard let found = estimates[measure] else {
      preconditionFailure("an evaluation has every measure")
    }
    return found
  }

  /// The estimates by their names, in the order of tables.
  public var byName: [(name: String, value: Estimate)] {
    Measure.allCases.map { ($0.name(horizon: horizon), self[$0]) }
  }
}
