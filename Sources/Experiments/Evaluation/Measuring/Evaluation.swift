public import Environments
import Foundation
public import GoalCore
public import Reporting
import Support

/// Which of a world's named tasks an evaluation is on.
public enum TaskChoice: Sendable, Equatable {
  /// None: each episode starts as the world starts it.
  case none
  /// Every one.
  case all
  /// Those of these numbers, from 1.
  case some([Int])

  /// Reads `all` or numbers as in `1,3`; nil for anything else.
  public init?(_ text: String) {
    guard text != "all" else {
      self = .all
      return
    }
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Int($0) }.filter { $0 > 0 }
    guard numbers.count == parts.count, Set(numbers).count == numbers.count else { return nil }
    self = .some(numbers)
  }

  /// The tasks of a world that are chosen; throws `ExperimentError.badSettings` for one that it has
  /// not.
  func tasks(of world: World) throws -> [EvaluationTask] {
    let identifier = world.task.identifier
    func fault(_ reason: String) -> ExperimentError {
      .badSettings(path: "--tasks", reason: reason)
    }
    switch self {
    case .none: return []
    case .all, .some:
      guard !world.tasks.isEmpty else { throw fault("\(identifier) has no named tasks") }
    }
    guard case .some(let numbers) = self else { return world.tasks }
    return try numbers.map { number in
      guard let task = world.tasks.first(where: { $0.number == number }) else {
        throw fault("\(identifier) has tasks 1 to \(world.tasks.count), found \(number)")
      }
      return task
    }
  }
}

/// Where the episodes of an evaluation start: so many of each task, task after task, or so many in
/// all.
///
/// Episode e of task k of K starts from the world seed of (evaluate, S, e K + k − 1), whichever
/// other tasks are asked for; without tasks episode e from that of (evaluate, S, e).
struct EvaluationStarts: Sendable {
  private let seed: UInt64
  private let episodes: Int
  private let tasks: [EvaluationTask]
  private let taskCount: UInt64

  /// The starts of a request on some of a world's tasks.
  init(_ request: EvaluationRequest, tasks: [EvaluationTask] = [], of world: World? = nil) {
    self.init(
      seed: request.seed, episodes: request.episodes, tasks: tasks, of: world)
  }

  init(seed: UInt64, episodes: Int, tasks: [EvaluationTask] = [], of world: World? = nil) {
    self.seed = seed
    self.episodes = episodes
    self.tasks = tasks
    taskCount = UInt64(world?.tasks.count ?? 0)
  }

  /// Episodes in all.
  var count: Int { episodes * max(1, tasks.count) }

  /// The start of an episode of all.
  func start(_ number: Int) -> (seed: UInt64, kind: EpisodeKind?) {
    tasks.isEmpty
      ? (Seeds.world(.evaluate, seed: seed, episode: Int64(number)), nil)
      : start(number % episodes, of: tasks[number / episodes])
  }

  /// The start of an episode if the tasks take turns.
  func turn(_ number: Int) -> (seed: UInt64, kind: EpisodeKind?) {
    tasks.isEmpty
      ? start(number) : start(number / tasks.count, of: tasks[number % tasks.count])
  }

  private func start(_ number: Int, of task: EvaluationTask) -> (seed: UInt64, kind: EpisodeKind?) {
    let episode = UInt64(number) * taskCount + UInt64(task.number - 1)
    return (
      Seeds.world(.evaluate, seed: seed, episode: Int64(episode)), .task(task.number)
    )
  }
}

/// The request of an evaluation.
public struct EvaluationRequest: Sendable {
  /// Episodes to roll out; of each task, if there are tasks.
  public var episodes: Int
  /// The named tasks to evaluate on.
  public var tasks = TaskChoice.none
  /// The evaluation's seed S: episode e starts from the world seed of (evaluate, S, e).
  public var seed: UInt64
  /// Threads; the result does not depend on it.
  public var workers: Int
  /// The exploration that is added to the policy's actions.
  public var exploration: Exploration
  /// The policies' planner; nil for policies without one.
  public var plan: PlanRequest?

  /// Makes a request.
  public init(
    episodes: Int, seed: UInt64, workers: Int, exploration: Exploration = .none,
    plan: PlanRequest? = nil
  ) {
    self.episodes = episodes
    self.seed = seed
    self.workers = workers
    self.exploration = exploration
    self.plan = plan
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

extension Evaluation {
  /// Rolls a policy out on the evaluation's seeds.
  public static func scores(
    of policy: NamedPolicy, in world: World, _ request: EvaluationRequest,
    progress: ProgressReport? = nil
  ) throws -> [EpisodeScore] {
    let starts = EvaluationStarts(request, tasks: try request.tasks.tasks(of: world), of: world)
    return try scores(of: policy, in: world.load(), request, starts, progress: progress)
  }

  /// The same in a world that is loaded already, by default without named tasks.
  static func scores(
    of policy: NamedPolicy, in loaded: LoadedWorld, _ request: EvaluationRequest,
    _ asked: EvaluationStarts? = nil, progress: ProgressReport? = nil
  ) throws -> [EpisodeScore] {
    let starts = asked ?? EvaluationStarts(request)
    let scores = try Parallel.map(
      count: starts.count, workers: request.workers,
      context: {
        Rollout(
          environment: try loaded.makeEnvironment(), policy: policy,
          exploration: request.exploration, isEvaluation: true)
      }
    ) { rollout, episode in
      let (seed, kind) = starts.start(episode)
      let trajectory = try rollout.episode(index: Int64(episode), seed: seed, as: kind)
      progress?.advance()
      return EpisodeScore(trajectory, task: rollout.environment.task)
    }
    progress?.finish()
    return scores
  }
}
