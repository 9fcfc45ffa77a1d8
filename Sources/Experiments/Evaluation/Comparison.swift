public import Environments
public import Foundation
import GoalCore
public import Statistics

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
    /// What it is a seed of, in its world.
    public let method: String
    /// How each episode went, in the order of the seeds: the same for every policy.
    public let scores: [EpisodeScore]
    /// The results.
    public let evaluation: Evaluation
  }

  /// What was asked.
  public let request: EvaluationRequest
  /// The results, world by world, in the order of the names.
  public let entries: [Entry]

  /// The worlds' ids, in the order of the results.
  public var environments: [String] {
    entries.reduce(into: []) { found, entry in
      let world = entry.world.task.identifier
      if !found.contains(world) { found.append(world) }
    }
  }

  /// Evaluates policies, each in the world that it was trained for, or all in the one that is named.
  ///
  /// `scripted` and `random` are evaluated in every world of the others.
  public static func run(
    _ names: [String], environment: String?, _ request: EvaluationRequest, silent: Bool = false
  ) throws -> Comparison {
    let candidates = try Candidate.all(names, environment: environment)
    let methods = Candidate.methods(of: candidates)
    var loaded: [String: LoadedWorld] = [:]
    var entries: [Entry] = []
    for (candidate, method) in zip(candidates, methods) {
      let world = candidate.world
      let ready = try loaded[world.task.identifier] ?? world.load()
      loaded[world.task.identifier] = ready
      let progress = ProgressReport(
        "evaluate \(candidate.name)", total: request.episodes, unit: "episodes",
        rateUnit: "steps", rateScale: Double(world.task.spec.horizon), silent: silent)
      let scores = try Evaluation.scores(
        of: candidate.policy, in: ready, request, progress: progress)
      entries.append(
        Entry(
          name: candidate.name, policy: candidate.policy, world: world, method: method,
          scores: scores,
          evaluation: Evaluation(scores, horizon: world.task.spec.horizon)))
    }
    return Comparison(request: request, entries: entries)
  }

  /// Means over runs that differ in their seed only, with the intervals of `Method.byName`; nil for fewer than two runs
  /// or for runs that differ otherwise.
  public var overSeeds: [(name: String, value: Estimate)]? {
    guard entries.count >= 2, methods.count == 1, let method = methods.first else { return nil }
    return method.byName.map { ($0.name, $0.value) }
  }

  /// A row a policy, then one for each method with several seeds.
  public func table() -> Table {
    let isOne = environments.count < 2
    let heads = entries.first?.evaluation.byName.map(\.name) ?? []
    var table = Table((isOne ? [] : ["environment"]) + ["policy"] + heads + ["episodes"])
    let episodes = "\(request.episodes)"
    for entry in entries {
      table.rows.append(
        (isOne ? [] : [entry.world.task.identifier]) + [entry.name]
          + entry.evaluation.byName.map(\.value.text) + [episodes])
    }
    for method in methods where method.entries.count > 1 {
      let name = methods.count == 1 ? "mean" : "\(method.name), mean"
      table.rows.append(
        (isOne ? [] : [method.environment])
          + ["\(name) over \(method.entries.count) seeds"]
          + method.byName.map(\.value.text) + [episodes])
    }
    return table
  }

  /// Films the first policy.
  public func film(to file: URL, episodes: Int, silent: Bool = false) throws {
    guard let first = entries.first else { return }
    let progress = ProgressReport(
      "film \(first.name)", total: episodes, unit: "episodes", silent: silent)
    try Video.write(
      first.policy, in: first.world, seed: request.seed, episodes: episodes, to: file,
      progress: progress)
  }
}
