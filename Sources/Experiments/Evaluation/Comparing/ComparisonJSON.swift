import Foundation
import GoalCore
import Statistics
import Environments
import Support

extension Comparison {
  /// One policy's results.
  private struct One: Encodable {
    let policy: String
    let digest: String
    let environment: String
    let method: String
    let seed: UInt64
    let exploration: Exploration
    let plan: PlanRecord?
    let evaluation: Evaluation
    let tasks: [OneTask]

    enum Keys: String, CodingKey {
      case policy, digest, environment, method, seed, noise, plan, tasks
      case randomActions = "random_actions"
    }

    func encode(to encoder: any Encoder) throws {
      try evaluation.encode(to: encoder)
      var container = encoder.container(keyedBy: Keys.self)
      try container.encode(policy, forKey: .policy)
      try container.encode(digest, forKey: .digest)
      try container.encode(environment, forKey: .environment)
      try container.encode(method, forKey: .method)
      try container.encode(seed, forKey: .seed)
      if !tasks.isEmpty { try container.encode(tasks, forKey: .tasks) }
      try container.encodeIfPresent(plan, forKey: .plan)
      guard exploration != .none else { return }
      try container.encode(exploration.noise, forKey: .noise)
      try container.encode(exploration.randomActions, forKey: .randomActions)
    }
  }

  /// Results on a named task.
  private struct OneTask: Encodable {
    let task: Int
    let summary: String
    let results: [String: Estimate]
  }

  /// A method's results task by task.
  private func tasks(of method: Method) -> [OneTask] {
    method.entries[0].tasks.enumerated().map { place, task in
      OneTask(
        task: task.number, summary: task.summary,
        results: Dictionary(method.byName(onTask: place).map { ($0.name, $0.value) }) { $1 })
    }
  }

  private struct Group: Encodable {
    let method: String
    let environment: String
    let seeds: Int
    let results: [String: Estimate]
    /// Nil for an evaluation without named tasks.
    let tasks: [OneTask]?
  }

  private struct Pair: Encodable {
    let method: String
    let over: String
    let environment: String
    let results: [String: PairedComparison]
  }

  private struct Whole: Encodable {
    let method: String
    let aggregates: [String: Estimate]
    let improvement: Estimate?
  }

  private struct Several: Encodable {
    let policies: [One]
    let over_seeds: [String: Estimate]?
    let methods: [Group]
    let differences: [Pair]
    let sentences: [String]
    let notes: [String]
    let overall: [Whole]
  }

  /// One object for one policy; for several, an object with all of them, the methods and
  /// differences.
  public func json() throws -> String {
    let all = entries.map {
      One(
        policy: $0.name, digest: $0.policy.digest, environment: $0.world.task.identifier,
        method: $0.method, seed: request.seed, exploration: request.exploration, plan: plan,
        evaluation: $0.evaluation,
        tasks: tasks(
          of: Method(name: $0.name, environment: $0.world.task.identifier, entries: [$0])))
    }
    guard all.count != 1 else {
      return String(decoding: try JSON.pretty(all[0]), as: UTF8.self)
    }
    let several = Several(
      policies: all,
      over_seeds: overSeeds.map { Dictionary($0.map { ($0.name, $0.value) }) { $1 } },
      methods: methods.map {
        Group(
          method: $0.name, environment: $0.environment, seeds: $0.entries.count,
          results: Dictionary($0.byName.map { ($0.name, $0.value) }) { $1 },
          tasks: $0.entries[0].tasks.isEmpty ? nil : tasks(of: $0))
      },
      differences: differences.map {
        Pair(
          method: $0.method, over: $0.over, environment: $0.environment,
          results: Dictionary($0.byName.map { ($0.name, $0.value) }) { $1 })
      },
      sentences: sentences, notes: notes,
      overall: overall.map {
        Whole(
          method: $0.method,
          aggregates: Dictionary($0.aggregates.map { ($0.name, $0.value) }) { $1 },
          improvement: $0.improvement)
      })
    return String(decoding: try JSON.pretty(several), as: UTF8.self)
  }
}
