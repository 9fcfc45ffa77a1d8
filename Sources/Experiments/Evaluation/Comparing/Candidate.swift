import Environments
import Foundation
import GoalCore

/// A policy that is to be evaluated in a world, and what tells methods apart.
struct Candidate: Sendable {
  let name: String
  let policy: NamedPolicy
  let world: World
  /// Its checkpoint's header; nil for `scripted` and `random`.
  let header: PolicyHeader?

  /// Finds policies by name, world by world.
  ///
  /// Checkpoints go with their own world, unless one is named: then they must be of that one.
  static func all(_ names: [String], environment: String?) throws -> [Candidate] {
    var worlds = try environment.map { [try EnvironmentRegistry.world($0)] } ?? []
    var found: [(name: String, loaded: (policy: NamedPolicy, header: PolicyHeader)?)] = []
    for name in names {
      guard name != "random", name != "scripted" else {
        found.append((name, nil))
        continue
      }
      let loaded = try Checkpoint.policy(name, for: environment == nil ? nil : worlds[0].task)
      if environment == nil,
        !worlds.contains(where: { $0.task.identifier == loaded.header.task.identifier })
      {
        worlds.append(try EnvironmentRegistry.world(loaded.header.task.identifier))
      }
      found.append((name, loaded))
    }
    guard !worlds.isEmpty else {
      throw ExperimentError.badSettings(
        path: "evaluate", reason: "scripted and random policies need --environment")
    }
    return try worlds.flatMap { world in
      try found.compactMap { name, loaded in
        if let loaded {
          guard loaded.header.task.identifier == world.task.identifier else { return nil }
          guard loaded.header.task == world.task else {
            throw ExperimentError.otherWorld(
              path: name, trainedFor: loaded.header.task.identifier,
              asked: world.task.identifier)
          }
          return Candidate(name: name, policy: loaded.policy, world: world, header: loaded.header)
        }
        // Of several worlds some may have no script.
        if name == "scripted", world.script == nil, worlds.count > 1 { return nil }
        return Candidate(
          name: name, policy: try Policies.named(name, for: world), world: world, header: nil)
      }
    }
  }

  /// The parts that seeds of one method share: all but the seed.
  private var family: String {
    guard let header else { return "\(world.task.identifier) \(name)" }
    let settings = header.settings.sorted { $0.key < $1.key }
    return
      "\(world.task.identifier) \(header.learner) \(header.updates) \(header.datasets) \(settings)"
  }

  /// Names of what they are seeds of, as short as tells them apart within each world.
  ///
  /// That is the learner, or else the run's folder without its seed, or else the first path.
  static func methods(of all: [Candidate]) -> [String] {
    var firsts: [String: Candidate] = [:]
    for candidate in all.reversed() { firsts[candidate.family] = candidate }
    let choices: [(Candidate) -> String] = [
      { $0.header?.learner ?? $0.name }, { RunName.short($0.name) }, { $0.name },
    ]
    return all.map { candidate in
      let first = firsts[candidate.family] ?? candidate
      let rivals = firsts.values.filter {
        $0.world.task.identifier == candidate.world.task.identifier && $0.family != first.family
      }
      let names = choices.map { choice in (choice(first), rivals.map(choice)) }
      return names.first { !$0.1.contains($0.0) }?.0 ?? first.name
    }
  }
}

/// The run's name in a checkpoint's path.
enum RunName {
  /// The last part of a path that says something, if that tells it from the others; else the path.
  static func short(_ path: String, among all: [String]) -> String {
    func last(_ path: String) -> String {
      let parts = URL(fileURLWithPath: path).pathComponents
      return parts.last { $0 != "policy.safetensors" && Int($0) == nil && $0 != "checkpoints" }
        ?? path
    }
    let name = last(path)
    return all.contains { $0 != path && last($0) == name } ? path : name
  }

  /// The run's folder without a seed at its end, and which checkpoint if it is not the last.
  static func short(_ path: String) -> String {
    var parts = URL(fileURLWithPath: path).pathComponents
    if parts.last == "policy.safetensors" { parts.removeLast() }
    var which = ""
    if parts.count > 2, parts[parts.count - 2] == "checkpoints" {
      which = " " + (Int(parts[parts.count - 1]).map { "at \($0)" } ?? parts[parts.count - 1])
      parts.removeLast(2)
    }
    let folder = parts.last ?? path
    let name = folder.replacing(/-s[0-9]+$/, with: "")
    return (name.isEmpty ? folder : name) + which
  }
}
