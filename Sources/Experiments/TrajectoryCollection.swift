import Environments
public import Foundation
import GoalCore
import Learners
public import Storage
import Synchronization
import Yams

/// Collects trajectories into a dataset.
public enum TrajectoryCollection {
  /// What came of it.
  public struct Summary: Sendable {
    /// The manifest, where the dataset is finished.
    public let manifest: Manifest?
    /// Episodes made by this call.
    public let made: Int
    /// Episodes that are still to be made, by another collector or by a later call.
    public let left: Int
  }

  /// Makes what a recipe lacks in `folder`, with `workers` threads.
  ///
  /// An episode depends on the recipe and its number only, so the same bytes come out for any number
  /// of workers, in any order, after any interruption. Shards that are there are left alone.
  public static func run(
    _ asked: Recipe, in folder: URL, workers: Int, silent: Bool = false
  ) throws -> Summary {
    let started = Date()
    let world = try EnvironmentRegistry.world(asked.environment)
    let policy = try Policies.named(asked.policy, for: world)
    let loaded = try world.load()
    let probe = try loaded.makeEnvironment()
    let stateLength =
      asked.states ? (probe as? any RestorableEnvironment)?.stateLength ?? 0 : 0
    let recipe = resolved(asked, policy: policy, stateLength: stateLength)
    let exploration = Exploration(noise: recipe.noise, randomActions: recipe.randomActions)
    let identity = DatasetIdentity(
      id: folder.lastPathComponent, task: world.task, recipe: recipe, stateLength: stateLength,
      modelDigest: Digest.sha256(of: Data(loaded.modelBytes)),
      libraries: ["simulator": loaded.simulator])
    let writer = try DatasetWriter(at: folder, identity: identity)
    let pending = try writer.pendingShards(threads: workers)
    let wanted = writer.plan.reduce(0) { $0 + $1.episodes.count }
    let lacking = pending.reduce(0) { $0 + $1.episodes.count }
    let progress = ProgressReport(
      "collect \(recipe.environment)", total: wanted, unit: "episodes",
      alreadyDone: wanted - lacking, rateUnit: "steps",
      rateScale: Double(world.task.spec.horizon), silent: silent || lacking == 0)

    let queue = ShardQueue(writer: writer, pending: pending)
    let made = Atomic(0)
    try Parallel.run(workers: workers) { _ in
      let rollout = Rollout(
        environment: try loaded.makeEnvironment(), policy: policy, exploration: exploration,
        keepStates: recipe.states)
      while !Interruption.isAsked, let (shard, number) = try queue.next() {
        let seed = Seeds.world(.collect, seed: recipe.seed, episode: number)
        try queue.finish(shard, rollout.episode(index: number, seed: seed))
        made.wrappingAdd(1, ordering: .relaxed)
        progress.advance()
      }
    }
    progress.finish()
    let left = try writer.pendingShards(threads: workers).reduce(0) { $0 + $1.episodes.count }
    let manifest = left == 0 ? try writer.finish() : nil
    if lacking > 0 {
      try Provenance(started: started, commit: RunFolder.commit).write(to: folder)
    }
    return Summary(manifest: manifest, made: made.load(ordering: .relaxed), left: left)
  }

  /// The recipe as it decides the bytes: a checkpoint by its digest, not by its place.
  private static func resolved(
    _ asked: Recipe, policy: NamedPolicy, stateLength: Int
  ) -> Recipe {
    var recipe = asked
    recipe.states = stateLength > 0
    if !policy.digest.isEmpty {
      recipe.policy = "checkpoint"
      recipe.policyDigest = policy.digest
    }
    return recipe
  }

  /// Reads a recipe from a file of YAML; unknown keys are errors that list the known ones.
  public static func recipe(_ file: URL) throws -> Recipe {
    let values = try RunConfiguration.yaml(file)
    guard case .text(let environment) = values["environment"] ?? .null,
      case .text(let policy) = values["policy"] ?? .null,
      let episodes = values["episodes"]?.integer, episodes > 0,
      let seed = values["seed"]?.integer, 0..<Int(Seeds.limit) ~= seed
    else {
      throw ExperimentError.badSettings(
        path: file.path,
        reason: "a recipe needs environment, policy, episodes (at least 1) and seed (below 2^28)")
    }
    let base = Recipe(
      environment: environment, policy: policy, seed: UInt64(seed), episodes: episodes)
    return try RecipeSettings.applying(values, to: base, file: file)
  }
}

/// The shards that a process is working on: episodes are handed out one by one, and whoever brings a
/// shard's last one writes it.
private final class ShardQueue: Sendable {
  /// A shard in the making.
  final class Open: Sendable {
    let claim: ShardClaim
    let episodes = Mutex<[Int64: Trajectory]>([:])

    init(_ claim: ShardClaim) { self.claim = claim }
  }

  private struct State {
    var pending: [PlannedShard]
    var current: (shard: Open, left: [Int64])?
    var failed = false
  }

  private let writer: DatasetWriter
  private let state: Mutex<State>

  init(writer: DatasetWriter, pending: [PlannedShard]) {
    self.writer = writer
    state = Mutex(State(pending: pending.reversed()))
  }

  /// The next episode to make and its shard; nil where nothing is left for this process.
  func next() throws -> (Open, Int64)? {
    try state.withLock { state in
      while !state.failed {
        if let number = state.current?.left.popLast(), let shard = state.current?.shard {
          return (shard, number)
        }
        guard let planned = state.pending.popLast() else { return nil }
        if case .mine(let claim) = try writer.claim(planned) {
          state.current = (Open(claim), planned.episodes.numbers.reversed())
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
