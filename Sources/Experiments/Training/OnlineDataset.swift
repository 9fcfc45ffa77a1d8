import Environments
import Foundation
import GoalCore
import Learners
import Storage
import Support

/// The dataset that an online run leaves: `dataset/` in the run's folder.
///
/// Whole shards are committed as they fill. The episodes of the present shard are part of each
/// checkpoint (`episodes.h5`), so a resumed run has every episode that it had.
final class OnlineDataset {
  private static let pendingFile = "episodes.h5"

  private let writer: DatasetWriter
  /// The digest of where its episodes come from, as their marks have it.
  let origin: String
  private let folder: URL
  private let spec: GoalSpec
  private var pending: [Trajectory] = []
  private var nextShard = 0

  /// Opens the dataset of a run; `made` tells apart what else decides its episodes.
  init(
    of run: RunFolder, _ configuration: RunConfiguration, world: LoadedWorld, task: GoalTask,
    episodes: Int, settings: OnlineSettings, made: [String]
  ) throws {
    folder = run.dataset
    spec = task.spec
    var deciding = configuration
    deciding.datasets = made
    deciding.from = ""
    let recipe = Recipe(
      environment: task.identifier, policy: "online \(configuration.learner)",
      policyDigest: Digest.sha256(of: try JSON.canonical(deciding)), seed: configuration.seed,
      episodes: episodes, noise: settings.noise, randomActions: settings.randomActions,
      shardEpisodes: configuration.online.shardEpisodes, purpose: .online)
    let identity = DatasetIdentity(
      id: "\(task.identifier)-\(configuration.learner)-online-s\(configuration.seed)", task: task,
      recipe: recipe, modelDigest: Digest.sha256(of: Data(world.modelBytes)),
      libraries: ["simulator": world.simulator])
    writer = try DatasetWriter(at: folder, identity: identity)
    origin = try EpisodeOrigin.collected(recipe).digest()
  }

  /// The world seed of an episode.
  func seed(ofEpisode number: Int) -> UInt64 {
    guard let recipe = writer.identity.recipe else {
      preconditionFailure("an online dataset has a recipe")
    }
    return recipe.worldSeed(ofEpisode: Int64(number))
  }

  /// Takes the next episode in, and commits its shard if it was the last there.
  func append(_ trajectory: Trajectory) throws {
    pending.append(trajectory)
    let shard = writer.plan[nextShard]
    guard pending.count == shard.episodes.count else { return }
    switch try writer.claim(shard) {
    case .mine(let claim): try writer.commit(pending, claim: claim)
    // A run that goes on makes episodes again that it had made after its last checkpoint.
    case .done: break
    case .busy:
      throw ExperimentError.cannotResume(
        path: folder.path, reason: "another process is writing its shard \(shard.index)")
    }
    pending = []
    nextShard += 1
  }

  /// Writes the episodes of the shard in hand into a checkpoint.
  func save(to checkpoint: URL) throws {
    guard !pending.isEmpty else { return }
    _ = try ShardWriter.write(
      pending, spec: spec, to: checkpoint.appendingPathComponent(Self.pendingFile))
  }

  /// All episodes, `count` of them, that a run had at a checkpoint.
  func restore(_ count: Int, from checkpoint: URL) throws -> [Trajectory] {
    var all: [Trajectory] = []
    // Those that are there have their digests.
    let lacking = Set(try writer.pendingShards().map(\.index))
    for shard in writer.plan {
      guard all.count + shard.episodes.count <= count else { break }
      guard !lacking.contains(shard.index) else {
        throw ExperimentError.cannotResume(
          path: folder.path, reason: "its shard \(shard.index) is missing")
      }
      let file = folder.appendingPathComponent(
        String(format: "shards/shard-%05d.h5", shard.index))
      all += try ShardReader(contentsOf: file, spec: spec).trajectories()
      nextShard += 1
    }
    if all.count < count {
      let file = checkpoint.appendingPathComponent(Self.pendingFile)
      pending = try ShardReader(contentsOf: file, spec: spec).trajectories()
      all += pending
    }
    guard all.map(\.index) == (0..<Int64(count)).map({ $0 }) else {
      throw ExperimentError.cannotResume(
        path: folder.path, reason: "it must hold episodes 0 to \(count - 1)")
    }
    return all
  }

  /// Writes the manifest, when all shards are there.
  func finish() throws { _ = try writer.finish() }
}
