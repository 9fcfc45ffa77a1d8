public import Environments
public import Foundation
public import GoalCore
public import Reporting
public import Statistics
import Support

/// Policies evaluated on the same starts and goals.
public struct Comparison: Sendable {
  /// One policy's results in one world.
  public struct Entry: Sendable {
    /// The name that it was given by.
    public let name: String
    /// The policy.
    public let policy: NamedPolicy
    /// The world that it was evaluated in.
    public let world: World
    /// The method that it is a seed of, in its world.
    public let method: String
    /// The named tasks that it was evaluated on; none if each episode started as the world starts
    /// it.
    public let tasks: [EvaluationTask]
    /// How each episode went, in the order of the seeds, task after task: the same for every
    /// policy.
    public let scores: [EpisodeScore]
    /// The results.
    public let evaluation: Evaluation
  }

  /// The request.
  public let request: EvaluationRequest
  /// The results, world by world, in the order of the names.
  public let entries: [Entry]
  /// The policies' planner; nil for policies without one.
  public let plan: PlanRecord?

  /// The worlds' ids, in the order of the results.
  public var environments: [String] {
    entries.reduce(into: []) { found, entry in
      let world = entry.world.task.identifier
      if !found.contains(world) { found.append(world) }
    }
  }

  /// Evaluates policies, each in the world that it was trained for, or all in the one that is
  /// named.
  ///
  /// `scripted` and `random` are evaluated in every world of the others. With a plan in the request
  /// every policy acts by it; throws `ExperimentError` for one that has no values to plan by, and
  /// for a dataset of another world.
  public static func run(
    _ names: [String], environment: String?, _ request: EvaluationRequest, silent: Bool = false
  ) throws -> Comparison {
    let candidates = try Candidate.all(names, environment: environment)
    for candidate in candidates { _ = try request.tasks.tasks(of: candidate.world) }
    let methods = Candidate.methods(of: candidates)
    let states = try request.plan.map { try PlanStates($0, seed: request.seed) }
    var loaded: [String: LoadedWorld] = [:]
    var entries: [Entry] = []
    for (given, method) in zip(candidates, methods) {
      let candidate = try states?.planning(given, silent: silent) ?? given
      let world = candidate.world
      let ready = try loaded[world.task.identifier] ?? world.load()
      loaded[world.task.identifier] = ready
      let tasks = try request.tasks.tasks(of: world)
      let starts = EvaluationStarts(request, tasks: tasks, of: world)
      let progress = ProgressReport(
        "evaluate \(candidate.name)", total: starts.count, unit: "episodes",
        rateUnit: "steps", rateScale: Double(world.task.spec.horizon), silent: silent)
      let scores = try Evaluation.scores(
        of: candidate.policy, in: ready, request, starts, progress: progress)
      entries.append(
        Entry(
          name: candidate.name, policy: candidate.policy, world: world, method: method,
          tasks: tasks, scores: scores,
          evaluation: Evaluation(
            scores, task: world.task, parts: max(1, tasks.count))))
    }
    return Comparison(request: request, entries: entries, plan: states?.record)
  }

  /// Means over runs that differ in their seed only, with the intervals of `Method.byName`; nil for
  /// fewer than two runs or for runs that differ otherwise.
  public var overSeeds: [(name: String, value: Estimate)]? {
    guard entries.count >= 2, methods.count == 1, let method = methods.first else { return nil }
    return method.byName.map { ($0.name, $0.value) }
  }

  /// A row a policy, then one for each method with several seeds; of named tasks a row each, and
  /// then their mean.
  public func table() -> Table {
    let isOne = environments.count < 2
    let hasTasks = entries.contains { !$0.tasks.isEmpty }
    var table = Table(
      (isOne ? [] : ["environment"]) + ["policy"] + (hasTasks ? ["task"] : [])
        + shown.map(name) + ["episodes"])
    func add(_ name: String, _ method: Method) {
      let head = (isOne ? [] : [method.environment]) + [name]
      let all = method.entries[0].tasks
      for (place, task) in all.enumerated() {
        table.rows.append(
          head + ["\(task.number)"] + shown.map { method[$0, onTask: place] }
            + ["\(request.episodes)"])
      }
      table.rows.append(
        head + (hasTasks ? ["mean"] : []) + shown.map { method[$0] }
          + ["\(method.entries[0].scores.count)"])
    }
    for entry in entries {
      add(
        entry.name,
        Method(
          name: entry.name, environment: entry.world.task.identifier, entries: [entry]))
    }
    for method in methods where method.entries.count > 1 {
      let name = methods.count == 1 ? "mean" : "\(method.name), mean"
      add("\(name) over \(method.entries.count) seeds", method)
    }
    return table
  }

  /// Whether all episodes ended at their first success, as evaluations in worlds with named tasks
  /// do.
  var endsAtSuccess: Bool { entries.allSatisfy { $0.world.task.endsAtSuccess } }

  /// Where the episodes of a policy started.
  func starts(of entry: Entry) -> EvaluationStarts {
    EvaluationStarts(request, tasks: entry.tasks, of: entry.world)
  }

  /// Films the first policy; named tasks take turns.
  public func film(to file: URL, episodes: Int, silent: Bool = false) throws {
    guard let first = entries.first else { return }
    let progress = ProgressReport(
      "film \(first.name)", total: episodes, unit: "episodes", silent: silent)
    try Video.write(
      first.policy, in: first.world, starts: starts(of: first), episodes: episodes, to: file,
      progress: progress)
  }
}
