import Environments
public import Foundation
import GoalCore
import Learners
import Reporting
public import Storage
public import Support
import Synchronization
import Yams

/// Collects trajectories into a dataset.
public enum TrajectoryCollection {
  /// The result.
  public struct Summary: Sendable {
    /// The manifest, if the dataset is finished.
    let manifest: Manifest?
    /// Episodes made by this call.
    public let made: Int
    /// Episodes that are still to be made, by another collector or by a later call.
    public let left: Int
    /// Episodes in finished shards.
    public let kept: Int

    /// Whether every episode is there.
    public var isComplete: Bool { manifest != nil }

    /// The message of a stopped call: what was kept, and how to go on.
    public var stopped: String {
      "stopped: \(kept) of \(kept + left) episodes are kept, in finished shards; "
        + "the same command goes on"
    }

    /// A finished dataset in a line.
    public var text: String {
      guard let report else { return "\(left) episodes are left" }
      let share = 100 * Double(report.successes) / Double(report.episodes)
      return "\(report.dataset): \(report.episodes) episodes, \(report.steps) steps in "
        + "\(report.shards) \(report.shards == 1 ? "shard" : "shards"), \(String(format: "%.1f", share)) % end in success, "
        + "sha256 \(report.sha256)"
    }

    /// A finished dataset in numbers.
    public struct Report: Encodable, Sendable {
      let dataset: String
      let episodes: Int
      let steps: Int
      let shards: Int
      let successes: Int
      let returnSum: Double
      let made: Int
      let sha256: String
    }

    /// The numbers of a finished dataset.
    public let report: Report?

    init(_ manifest: Manifest?, folder: URL, made: Int, left: Int, of wanted: Int) throws {
      self.manifest = manifest
      self.made = made
      self.left = left
      kept = wanted - left
      report = try manifest.map {
        Report(
          dataset: folder.relativePath, episodes: $0.totals.episodes, steps: $0.totals.steps,
          shards: $0.shards.count, successes: $0.totals.successesAtEnd,
          returnSum: $0.totals.returnSum, made: made, sha256: try $0.digest())
      }
    }
  }

  /// Makes in `folder` what a recipe of these values lacks, which are named as in a recipe's file.
  public static func run(
    _ values: [String: JSONValue], onlyEpisodes: String?, in folder: URL, workers: Int?
  ) throws -> Summary {
    var recipe = try recipe(values, path: "collect")
    recipe.onlyEpisodes = try subset(onlyEpisodes, of: recipe.episodes)
    return try run(recipe, in: folder, workers: workers)
  }

  /// Makes what a recipe's file asks for in `folder`, by default the file's own.
  public static func run(
    recipeFile file: URL, onlyEpisodes: String?, in folder: URL?, workers: Int?
  ) throws -> Summary {
    var recipe = try recipe(file)
    recipe.onlyEpisodes = try subset(onlyEpisodes, of: recipe.episodes)
    return try run(recipe, in: folder ?? file.deletingLastPathComponent(), workers: workers)
  }

  private static func subset(_ text: String?, of episodes: Int) throws -> EpisodeSet? {
    guard let text else { return nil }
    guard let set = EpisodeSet(text), let last = set.last, last < episodes else {
      throw ExperimentError.badSettings(
        path: "--only-episodes",
        reason: "must be ranges as in 0-499,700, below \(episodes), found '\(text)'")
    }
    return set
  }

  /// Makes what a recipe lacks in `folder`, with `workers` threads, by default one a core.
  ///
  /// An episode depends on the recipe and its number only, so the same bytes come out for any
  /// number of workers, in any order, after any interruption. Shards that are there are left alone.
  public static func run(
    _ asked: Recipe, in folder: URL, workers: Int? = nil, silent: Bool = false
  ) throws -> Summary {
    let started = Date()
    let workers = workers ?? Parallel.cores
    do { try asked.check() } catch {
      throw ExperimentError.badSettings(path: "collect", reason: "\(error)")
    }
    let world = try EnvironmentRegistry.world(asked.environment)
    let policy = try Policies.named(asked.policy, for: world)
    let loaded = try world.load()
    let probe = try loaded.makeEnvironment()
    let stateLength =
      asked.states ? (probe as? any RestorableEnvironment)?.stateLength ?? 0 : 0
    let imageShape = asked.images == true ? try imageShape(of: probe) : []
    let law = try asked.goals.map { try world.law($0) }
    if let law, law.movesGoals, !(policy.policy.makeActor() is any AimedActor) {
      throw ExperimentError.badSettings(
        path: "collect",
        reason: "goals \(law.name) move within an episode, which only scripted and random policies "
          + "follow, found \(asked.policy)")
    }
    let recipe = resolved(asked, policy: policy, stateLength: stateLength, law: law)
    let exploration = Exploration(noise: recipe.noise, randomActions: recipe.randomActions)
    try exploration.check(for: world.task)
    let identity = DatasetIdentity(
      id: folder.lastPathComponent, task: world.task, recipe: recipe, stateLength: stateLength,
      imageShape: imageShape, isCategorical: policy.policy.isCategorical,
      modelDigest: Digest.sha256(of: Data(loaded.modelBytes)),
      libraries: ["simulator": loaded.simulator])
    let writer = try DatasetWriter(at: folder, identity: identity, growing: true)
    if let before = writer.grownFrom {
      Console.noteAtStart(
        "\(folder.relativePath): grows from \(before) to \(recipe.episodes) episodes")
    }
    Console.begin()
    let pending = try writer.pendingShards(threads: workers)
    let earlier = Dictionary(
      uniqueKeysWithValues: try pending.map { ($0.index, try writer.earlierEpisodes(of: $0)) })
    let wanted = writer.plan.reduce(0) { $0 + $1.episodes.count }
    let lacking =
      pending.reduce(0) { $0 + $1.episodes.count } - earlier.values.reduce(0) { $0 + $1.count }
    let progress = ProgressReport(
      "collect \(recipe.environment)", total: wanted, unit: "episodes",
      alreadyDone: wanted - lacking, rateUnit: "steps",
      rateScale: Double(recipe.steps ?? world.task.spec.horizon), silent: silent || lacking == 0)

    let queue = ShardQueue(writer: writer, pending: pending, earlier: earlier)
    let made = Atomic(0)
    try Interruption.heeded {
      try Parallel.run(workers: max(1, min(workers, lacking))) { _ in
        let environment = try loaded.makeEnvironment()
        let rollout = Rollout(
          environment: environment, policy: policy, exploration: exploration,
          keepStates: recipe.states)
        let imaged = recipe.images == true ? environment as? any ImageEnvironment : nil
        while !Interruption.isAsked, let (shard, number) = try queue.next() {
          let seed = recipe.worldSeed(ofEpisode: number)
          var images: [UInt8] = []
          var trajectory = try rollout.episode(
            index: number, seed: seed, as: law.map { .data($0) }
          ) { _ in
            if let imaged { images += try imaged.image() }
          }
          trajectory.images = images
          try queue.finish(shard, trajectory)
          made.wrappingAdd(1, ordering: .relaxed)
          progress.advance()
        }
      }
    }
    progress.finish()
    let left = try writer.pendingShards(threads: workers).reduce(0) { $0 + $1.episodes.count }
    let manifest = left == 0 ? try writer.finish() : nil
    let episodes = made.load(ordering: .relaxed)
    if episodes > 0 {
      try Invocation.record(
        episodes, in: folder, started: started, libraries: identity.libraries)
    }
    return try Summary(
      manifest, folder: folder, made: episodes, left: left, of: wanted)
  }

  /// The shape of a world's images; throws if it has none or they cannot be drawn.
  private static func imageShape(of environment: any GoalEnvironment) throws -> [Int] {
    guard let imaged = environment as? any ImageEnvironment else {
      throw ExperimentError.noImages(world: environment.task.identifier)
    }
    _ = environment.reset(seed: 0)
    _ = try imaged.image()
    return imaged.imageShape
  }

  /// The recipe as it decides the bytes: a checkpoint by its digest, not by its place.
  private static func resolved(
    _ asked: Recipe, policy: NamedPolicy, stateLength: Int, law: DataLaw?
  ) -> Recipe {
    var recipe = asked
    recipe.steps = law?.steps
    recipe.states = stateLength > 0
    if !policy.digest.isEmpty {
      recipe.policy = "checkpoint"
      recipe.policyDigest = policy.digest
    }
    return recipe
  }

  /// Reads a recipe from a file of YAML; unknown keys are errors that list the known ones.
  static func recipe(_ file: URL) throws -> Recipe {
    var recipe = try recipe(RunConfiguration.yaml(file), path: file.path)
    // A checkpoint's policy that lies beside its recipe is named without the folder.
    let beside = file.deletingLastPathComponent().appendingPathComponent(recipe.policy)
    if beside.pathExtension == "safetensors", FileManager.default.fileExists(atPath: beside.path) {
      recipe.policy = beside.path
    }
    return recipe
  }

  /// The recipe of values by name, which may be any that are not worked out; `path` is where they
  /// stand.
  private static func recipe(_ values: [String: JSONValue], path: String) throws -> Recipe {
    let needed = ["environment", "policy", "episodes", "seed"]
    let defaults = Recipe(
      environment: "", policy: "", seed: 0, episodes: 1, images: true, goals: "")
    do {
      if let missing = needed.first(where: { values[$0] == nil }) {
        throw InvalidValue(
          missing, "must be there, as a recipe needs \(needed.joined(separator: ", "))",
          found: "nothing")
      }
      var recipe = try Settings.applying(values, to: defaults)
      if values["images"] == nil || recipe.images == false { recipe.images = nil }
      if recipe.goals?.isEmpty == true { recipe.goals = nil }
      try recipe.check()
      return recipe
    } catch let error as any Error & CustomStringConvertible {
      throw ExperimentError.badSettings(path: path, reason: error.description)
    }
  }
}

extension World {
  /// The law of that name for the goals of its data; throws `ExperimentError.badSettings`.
  func law(_ name: String) throws -> DataLaw {
    if let law = laws.first(where: { $0.name == name }) { return law }
    throw ExperimentError.badSettings(
      path: "goals",
      reason: laws.isEmpty
        ? "\(task.identifier) has one way to start, so its data have no goals to choose"
        : NearNames.complaint("goals", name, among: laws.map(\.name)))
  }
}

/// The shards that a process is working on: episodes are handed out one by one, and whoever brings
/// a shard's last one writes it.
private final class ShardQueue: Sendable {
  /// A shard in the making.
  final class Open: Sendable {
    let claim: ShardClaim
    let episodes: Mutex<[Int64: Trajectory]>

    init(_ claim: ShardClaim, _ episodes: [Trajectory]) {
      self.claim = claim
      self.episodes = Mutex(Dictionary(episodes.map { ($0.index, $0) }, uniquingKeysWith: { $1 }))
    }
  }

  private struct State {
    var pending: [PlannedShard]
    var current: (shard: Open, left: [Int64])?
    var failed = false
  }

  private let writer: DatasetWriter
  /// Episodes of pending shards that are there, by the shard's number.
  private let earlier: [Int: [Trajectory]]
  private let state: Mutex<State>

  init(writer: DatasetWriter, pending: [PlannedShard], earlier: [Int: [Trajectory]]) {
    self.writer = writer
    self.earlier = earlier
    state = Mutex(State(pending: pending.reversed()))
  }

  /// The next episode to make and its shard; nil if nothing is left for this process.
  func next() throws -> (Open, Int64)? {
    try state.withLock { state in
      while !state.failed {
        if let number = state.current?.left.popLast(), let shard = state.current?.shard {
          return (shard, number)
        }
        guard let planned = state.pending.popLast() else { return nil }
        if case .mine(let claim) = try writer.claim(planned) {
          let there = earlier[planned.index] ?? []
          let known = Set(there.map(\.index))
          let left = planned.episodes.numbers.filter { !known.contains($0) }
          state.current = (Open(claim, there), left.reversed())
        }
      }
      return nil
    }
  }

  /// Takes an episode, and commits its shard if it was the last.
  func finish(_ shard: Open, _ trajectory: Trajectory) throws {
    let complete = shard.episodes.withLock { made -> [Trajectory]? in
      made[trajectory.index] = trajectory
      guard made.count == shard.claim.shard.episodes.count else { return nil }
      let all = made.values.sorted { $0.index < $1.index }
      made = [:]
      return all
    }
    guard let complete else { return }
    do { try writer.commit(complete, claim: shard.claim) } catch {
      // The others stop too: nothing more can be kept.
      state.withLock { $0.failed = true }
      throw error
    }
  }
}
