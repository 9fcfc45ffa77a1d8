import Environments
public import Foundation
import GoalCore
import Storage

/// Checks a dataset: its files, its numbers, and that the simulator gives them again.
public enum Verification {
  /// Which episodes are simulated again.
  public enum Replays: Sendable, Equatable {
    /// Some, spread evenly.
    case some(Int)
    /// Every one.
    case all
  }

  /// A rule that the data break.
  public struct Finding: Codable, Sendable, Equatable {
    /// The rule.
    public let rule: String
    /// How often it is broken.
    public var count: Int
    /// Where it is broken first, and by what.
    public let first: String
  }

  /// What was checked and found.
  public struct Report: Codable, Sendable, Equatable {
    /// The folder.
    public let dataset: String
    /// Episodes.
    public let episodes: Int
    /// Steps.
    public let steps: Int
    /// Shards, whose sizes and digests were checked.
    public let shards: Int
    /// Episodes that were simulated again and compared to the bit.
    public let replayed: Int
    /// What is wrong, in the order of the data; empty for a sound dataset.
    public let findings: [Finding]

    /// Whether nothing is wrong.
    public var isSound: Bool { findings.isEmpty }
  }

  /// Checks a dataset on `workers` threads.
  ///
  /// Throws where the files themselves are not as listed (absent, cut off, altered); what the numbers
  /// in sound files break is in the report.
  public static func run(
    _ folder: URL, replays: Replays, workers: Int, silent: Bool = false
  ) throws -> Report {
    let dataset = try Dataset(at: folder)
    try dataset.check(deep: true, threads: workers)
    let manifest = dataset.manifest
    let total = manifest.totals.episodes
    let wanted: Int
    switch replays {
    case .all: wanted = total
    case .some(let count): wanted = min(count, total)
    }
    var found = Findings()
    var loaded: LoadedWorld?
    if wanted > 0 {
      let world = try EnvironmentRegistry.world(manifest.task.identifier)
      let ready = try world.load()
      found.compare(
        "the task is the registered world's", manifest.task == world.task, at: "manifest.json")
      let digest = Digest.sha256(of: Data(ready.modelBytes))
      found.compare(
        "the model is the manifest's", digest == manifest.modelDigest,
        at: "manifest.json lists \(manifest.modelDigest ?? "none"), the model here has \(digest)")
      let simulator = manifest.libraries["simulator"] ?? "none"
      found.compare(
        "the simulator is the manifest's", simulator == ready.simulator,
        at: "manifest.json lists \(simulator), here is \(ready.simulator)")
      loaded = ready
    }

    let progress = ProgressReport(
      "verify \(folder.lastPathComponent)", total: total, unit: "episodes", silent: silent)
    var starts: [Int] = []
    for shard in manifest.shards { starts.append((starts.last ?? 0) + shard.episodes.count) }
    let world = loaded
    let first = [0] + starts
    let results = try Parallel.map(
      count: manifest.shards.count, workers: workers,
      context: { try world?.makeEnvironment() }
    ) { environment, index -> (Findings, Int) in
      let shard = manifest.shards[index]
      var found = Findings()
      var replayed = 0
      let numbers = shard.episodes.numbers
      let trajectories = try dataset.open(shard, threads: 1).trajectories()
      for (row, trajectory) in trajectories.enumerated() {
        let place = "\(shard.file), episode \(trajectory.index)"
        found.compare(
          "episodes are in the listed order", trajectory.index == numbers[row], at: place)
        check(trajectory, manifest, place, &found)
        if let environment, isChosen(first[index] + row, of: total, wanted) {
          replay(trajectory, in: environment, place, &found)
          replayed += 1
        }
        progress.advance()
      }
      return (found, replayed)
    }
    progress.finish()
    for (more, _) in results { found.merge(more) }
    return Report(
      dataset: folder.path, episodes: total, steps: manifest.totals.steps,
      shards: manifest.shards.count, replayed: results.reduce(0) { $0 + $1.1 },
      findings: found.list)
  }

  /// Whether an episode is one of `wanted` that are spread evenly over `total`.
  static func isChosen(_ number: Int, of total: Int, _ wanted: Int) -> Bool {
    (number + 1) * wanted / total > number * wanted / total
  }

  /// The rules that need no simulator.
  static func check(
    _ trajectory: Trajectory, _ manifest: Manifest, _ place: String, _ found: inout Findings
  ) {
    let task = manifest.task
    let spec = task.spec
    found.compare(
      "an episode has at most \(spec.horizon) steps", trajectory.length <= spec.horizon,
      at: "\(place) has \(trajectory.length)")
    found.compare(
      "an episode's seed is its recipe's",
      trajectory.seed
        == Seeds.world(.collect, seed: manifest.recipe.seed, episode: trajectory.index),
      at: "\(place) has \(trajectory.seed)")
    found.compare(
      "an episode is cut off at the horizon or terminated",
      trajectory.terminated || trajectory.truncated == (trajectory.length == spec.horizon),
      at: place)
    for (name, values) in [
      ("observations", trajectory.observations), ("rewards", trajectory.rewards),
      ("desired goals", trajectory.desiredGoal),
    ] {
      let broken = values.firstIndex { !$0.isFinite }
      found.compare("\(name) are finite", broken == nil, at: "\(place), number \(broken ?? 0)")
    }
    switch (trajectory.actions, spec.action) {
    case (.continuous(let values), .continuous(let low, let high)):
      let broken = values.indices.first {
        !(low[$0 % low.count]...high[$0 % high.count] ~= values[$0])
      }
      found.compare(
        "actions are in the space", broken == nil,
        at: "\(place), step \((broken ?? 0) / low.count)")
    case (.discrete(let values), .discrete(let count)):
      let broken = values.firstIndex { !(0..<Int32(count) ~= $0) }
      found.compare("actions are in the space", broken == nil, at: "\(place), step \(broken ?? 0)")
    default: found.compare("actions are of the task's kind", false, at: place)
    }
    let (o, g) = (spec.observation, spec.goal)
    trajectory.observations.withUnsafeBufferPointer { observations in
      trajectory.achievedGoals.withUnsafeBufferPointer { achieved in
        trajectory.desiredGoal.withUnsafeBufferPointer { desired in
          guard let s = observations.baseAddress, let a = achieved.baseAddress,
            let d = desired.baseAddress
          else { return }
          var goal = [Float](repeating: 0, count: g)
          for t in 0...trajectory.length {
            task.achievedGoal(of: s + t * o, into: &goal)
            found.compare(
              "achieved goals are m(s)",
              goal.elementsEqual(achieved[t * g..<(t + 1) * g]), at: "\(place), state \(t)")
          }
          for t in 0..<trajectory.length {
            let next = a + (t + 1) * g
            found.compare(
              "rewards follow from the goals", task.reward(next, d) == trajectory.rewards[t],
              at: "\(place), step \(t)")
            found.compare(
              "successes follow from the goals",
              task.isReached(next, d) == trajectory.successes[t], at: "\(place), step \(t)")
          }
        }
      }
    }
  }

  /// Simulates an episode again from its seed and stored actions.
  private static func replay(
    _ trajectory: Trajectory, in environment: any GoalEnvironment, _ place: String,
    _ found: inout Findings
  ) {
    let rule = "the physics give the same bits again"
    let o = environment.task.spec.observation
    var shown = environment.reset(seed: trajectory.seed)
    guard shown.desiredGoal == trajectory.desiredGoal,
      shown.observation.elementsEqual(trajectory.observations.prefix(o))
    else { return found.compare(rule, false, at: "\(place), at its start") }
    for t in 0..<trajectory.length {
      let action: Action
      switch trajectory.actions {
      case .continuous(let values):
        let width = environment.task.spec.action.length
        action = .continuous(Array(values[t * width..<(t + 1) * width]))
      case .discrete(let values): action = .discrete(Int(values[t]))
      }
      let step = environment.step(action)
      shown = step.next
      guard shown.observation.elementsEqual(trajectory.observations[(t + 1) * o..<(t + 2) * o]),
        step.reward == trajectory.rewards[t], step.isSuccess == trajectory.successes[t]
      else { return found.compare(rule, false, at: "\(place), step \(t)") }
    }
  }

  /// Broken rules as they are found.
  struct Findings: Sendable {
    private(set) var list: [Finding] = []

    mutating func compare(_ rule: String, _ holds: Bool, at place: @autoclosure () -> String) {
      if !holds { merge([Finding(rule: rule, count: 1, first: place())]) }
    }

    mutating func merge(_ other: Findings) { merge(other.list) }

    private mutating func merge(_ others: [Finding]) {
      for other in others {
        if let known = list.firstIndex(where: { $0.rule == other.rule }) {
          list[known].count += other.count
        } else {
          list.append(other)
        }
      }
    }
  }
}
