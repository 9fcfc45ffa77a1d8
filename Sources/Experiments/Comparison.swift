public import Environments
public import Foundation
import GoalCore

/// Policies evaluated on the same starts and goals.
public struct Comparison: Sendable {
  /// One policy's results.
  public struct Entry: Sendable {
    /// The name that it was given by.
    public let name: String
    /// The policy.
    public let policy: NamedPolicy
    /// Learner and settings, for those that are seeds of one thing; empty for scripts.
    let family: String
    /// The results.
    public let evaluation: Evaluation
  }

  /// The world.
  public let world: World
  /// What was asked.
  public let request: EvaluationRequest
  /// The results in the order of the names.
  public let entries: [Entry]

  /// Evaluates policies; the world is the first checkpoint's own unless it is named.
  public static func run(
    _ names: [String], environment: String?, _ request: EvaluationRequest, silent: Bool = false
  ) throws -> Comparison {
    var world = try environment.map { try EnvironmentRegistry.world($0) }
    if world == nil {
      for name in names where name != "random" && name != "scripted" {
        world = try EnvironmentRegistry.world(Checkpoint.policy(name).header.task.identifier)
        break
      }
    }
    guard let world else {
      throw ExperimentError.badSettings(
        path: "evaluate", reason: "scripted and random policies need --environment")
    }
    let loaded = try world.load()
    let entries = try names.map { name in
      var family = ""
      let policy: NamedPolicy
      if name == "random" || name == "scripted" {
        policy = try Policies.named(name, for: world)
      } else {
        let (found, header) = try Checkpoint.policy(name, for: world.task)
        policy = found
        family = "\(header.learner) \(header.updates) \(header.settings.sorted { $0.key < $1.key })"
      }
      let progress = ProgressReport(
        "evaluate \(name)", total: request.episodes, unit: "episodes", rateUnit: "steps",
        rateScale: Double(world.task.spec.horizon), silent: silent)
      let scores = try Evaluation.scores(of: policy, in: loaded, request, progress: progress)
      return Entry(name: name, policy: policy, family: family, evaluation: Evaluation(scores))
    }
    return Comparison(world: world, request: request, entries: entries)
  }

  /// Means over runs that differ in their seed only, with Student's intervals; nil for fewer than
  /// two runs or for runs that differ otherwise.
  public var overSeeds: [(name: String, value: Estimate)]? {
    guard entries.count >= 2, let family = entries.first?.family, !family.isEmpty,
      entries.allSatisfy({ $0.family == family })
    else { return nil }
    return entries[0].evaluation.byName.indices.map { index in
      let values = entries.map { $0.evaluation.byName[index].value.estimate }
      return (entries[0].evaluation.byName[index].name, Statistics.student(values))
    }
  }

  /// A row a policy, then one over seeds where the policies are that.
  public func table() -> Table {
    let heads = entries.first?.evaluation.byName.map(\.name) ?? []
    var table = Table(["policy"] + heads + ["episodes"])
    for entry in entries {
      table.rows.append(
        [entry.name] + entry.evaluation.byName.map(\.value.text) + ["\(request.episodes)"])
    }
    if let overSeeds {
      table.rows.append(
        ["mean over \(entries.count) seeds"] + overSeeds.map(\.value.text) + ["\(request.episodes)"]
      )
    }
    return table
  }

  /// One object for one policy; for several, an object with all of them.
  public func json() throws -> String {
    struct One: Encodable {
      let policy: String
      let digest: String
      let environment: String
      let seed: UInt64
      let exploration: Exploration
      let evaluation: Evaluation

      enum Keys: String, CodingKey {
        case policy, digest, environment, seed, noise
        case randomActions = "random_actions"
      }

      func encode(to encoder: any Encoder) throws {
        try evaluation.encode(to: encoder)
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(policy, forKey: .policy)
        try container.encode(digest, forKey: .digest)
        try container.encode(environment, forKey: .environment)
        try container.encode(seed, forKey: .seed)
        guard exploration != .none else { return }
        try container.encode(exploration.noise, forKey: .noise)
        try container.encode(exploration.randomActions, forKey: .randomActions)
      }
    }
    struct Several: Encodable {
      let policies: [One]
      let over_seeds: [String: Estimate]?
    }
    let all = entries.map {
      One(
        policy: $0.name, digest: $0.policy.digest, environment: world.task.identifier,
        seed: request.seed, exploration: request.exploration, evaluation: $0.evaluation)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    let data: Data
    if all.count == 1 {
      data = try encoder.encode(all[0])
    } else {
      let seeds = overSeeds.map { Dictionary($0.map { ($0.name, $0.value) }) { $1 } }
      data = try encoder.encode(Several(policies: all, over_seeds: seeds))
    }
    return String(decoding: data, as: UTF8.self)
  }

  /// Films the first policy.
  public func film(to file: URL, episodes: Int, silent: Bool = false) throws {
    guard let first = entries.first else { return }
    let progress = ProgressReport(
      "film \(first.name)", total: episodes, unit: "episodes", silent: silent)
    try Video.write(
      first.policy, in: world, seed: request.seed, episodes: episodes, to: file,
      progress: progress)
  }
}
