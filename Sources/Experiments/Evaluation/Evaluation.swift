public import Environments
import Foundation
public import GoalCore
public import Statistics

/// What an evaluation is asked to do.
public struct EvaluationRequest: Sendable {
  /// Episodes to roll out.
  public var episodes: Int
  /// The evaluation's seed S: episode e starts from the world seed of (evaluate, S, e).
  public var seed: UInt64
  /// Threads; the result does not depend on it.
  public var workers: Int
  /// What is added to the policy's actions.
  public var exploration: Exploration

  /// Makes a request.
  public init(episodes: Int, seed: UInt64, workers: Int, exploration: Exploration = .none) {
    self.episodes = episodes
    self.seed = seed
    self.workers = workers
    self.exploration = exploration
  }
}

/// How one episode of an evaluation went.
public struct EpisodeScore: Codable, Sendable, Equatable {
  /// Whether the goal was reached at the last step.
  public let success: Bool
  /// Rewards of the first H − 1 steps in the 0/1 convention (the world's own plus 1), summed.
  public let returnBeforeLast: Double
  /// The same over all steps.
  public let fullReturn: Double
  /// The same over all steps, discounted by γ = 1 − 1/H from the first step on.
  public let discountedReturn: Double
  /// Distance of the achieved from the desired goal at the end, in the metric's unit.
  public let finalDistance: Double
  /// Whether the goal was reached in the state before the last action, where GCSL's code ends.
  public let successBeforeLast: Bool
  /// The distance there.
  public let distanceBeforeLast: Double

  /// Scores an episode under its own desired goal.
  public init(_ trajectory: Trajectory, task: GoalTask) {
    let horizon = task.spec.horizon
    let gamma = 1 - 1 / Double(horizon)
    let gains = trajectory.rewards.map { Double($0) + 1 }
    success = trajectory.successes.last ?? false
    fullReturn = gains.reduce(0, +)
    returnBeforeLast = gains.prefix(horizon - 1).reduce(0, +)
    var weight = 1.0
    var sum = 0.0
    for gain in gains {
      sum += weight * gain
      weight *= gamma
    }
    discountedReturn = sum
    let goals = trajectory.achievedGoals.suffix(2 * task.spec.goal)
    let desired = Array(trajectory.desiredGoal.suffix(task.spec.goal))
    finalDistance = task.distance(Array(goals.suffix(task.spec.goal)), desired)
    let before = Array(goals.prefix(task.spec.goal))
    distanceBeforeLast = task.distance(before, desired)
    successBeforeLast = task.isReached(before, desired)
  }
}

/// The results of an evaluation, each with its 95 % interval: of this policy only, on starts in general.
///
/// Shares have Wilson's interval, means Student's within what the measure can be (`Intervals.mean`).
public struct Evaluation: Codable, Sendable, Equatable {
  /// Share of episodes that end in success.
  public let success: Estimate
  /// Mean undiscounted 0/1 return over the first H − 1 steps, as the WGCSL paper counts (49 of 50).
  public let return49: Estimate
  /// Mean undiscounted 0/1 return over all steps.
  public let `return`: Estimate
  /// Mean discounted 0/1 return over all steps, γ = 1 − 1/H.
  public let discountedReturn: Estimate
  /// Mean distance from the goal at the end, in the metric's unit.
  public let finalDistance: Estimate
  /// Share of episodes that are at the goal in the state before the last action (the 50th of 51), as GCSL's code
  /// scores them.
  public let success49: Estimate
  /// Mean distance from the goal in that state.
  public let distance49: Estimate

  enum CodingKeys: String, CodingKey {
    case success, return49, `return`, success49, distance49
    case discountedReturn = "discounted_return"
    case finalDistance = "final_distance"
  }

  /// Summarises episodes of a world with that horizon.
  public init(_ scores: [EpisodeScore], horizon: Int) {
    func share(_ isReached: (EpisodeScore) -> Bool) -> Estimate {
      Intervals.wilson(successes: scores.count(where: isReached), of: scores.count)
    }
    func mean(_ value: (EpisodeScore) -> Double, _ range: ClosedRange<Double>) -> Estimate {
      Intervals.mean(scores.map(value), in: range)
    }
    success = share(\.success)
    return49 = mean(\.returnBeforeLast, MeasureRange.returnBeforeLast(horizon))
    `return` = mean(\.fullReturn, MeasureRange.fullReturn(horizon))
    discountedReturn = mean(\.discountedReturn, MeasureRange.discountedReturn(horizon))
    finalDistance = mean(\.finalDistance, MeasureRange.distance)
    success49 = share(\.successBeforeLast)
    distance49 = mean(\.distanceBeforeLast, MeasureRange.distance)
  }

  /// The estimates by the names that they have in JSON, in the order of tables.
  public var byName: [(name: String, value: Estimate)] {
    [
      ("success", success), ("return49", return49), ("return", `return`),
      ("discounted_return", discountedReturn), ("final_distance", finalDistance),
      ("success49", success49), ("distance49", distance49),
    ]
  }
}

/// What measures of an episode of H steps can be.
enum MeasureRange {
  static let share = 0.0...1.0
  /// A step counts 0 or 1; the last does not count.
  static func returnBeforeLast(_ horizon: Int) -> ClosedRange<Double> {
    0...Double(max(0, horizon - 1))
  }
  static func fullReturn(_ horizon: Int) -> ClosedRange<Double> { 0...Double(horizon) }
  /// Σ γ^t over H steps, γ = 1 − 1/H: H (1 − γ^H).
  static func discountedReturn(_ horizon: Int) -> ClosedRange<Double> {
    let h = Double(horizon)
    return 0...(h * (1 - pow(1 - 1 / h, h)))
  }
  /// A distance has no upper bound that holds in every world.
  static let distance = 0.0...Double.infinity
}

extension Evaluation {
  /// Rolls a policy out on the evaluation's seeds.
  public static func scores(
    of policy: NamedPolicy, in world: World, _ request: EvaluationRequest,
    progress: ProgressReport? = nil
  ) throws -> [EpisodeScore] {
    let loaded = try world.load()
    return try scores(of: policy, in: loaded, request, progress: progress)
  }

  /// The same in a world that is loaded already.
  static func scores(
    of policy: NamedPolicy, in loaded: LoadedWorld, _ request: EvaluationRequest,
    progress: ProgressReport? = nil
  ) throws -> [EpisodeScore] {
    let scores = try Parallel.map(
      count: request.episodes, workers: request.workers,
      context: {
        Rollout(
          environment: try loaded.makeEnvironment(), policy: policy,
          exploration: request.exploration)
      }
    ) { rollout, episode in
      let seed = Seeds.world(.evaluate, seed: request.seed, episode: Int64(episode))
      let trajectory = rollout.episode(index: Int64(episode), seed: seed)
      progress?.advance()
      return EpisodeScore(trajectory, task: rollout.environment.task)
    }
    progress?.finish()
    return scores
  }
}
