import Environments
import Experiments
import Foundation
import GoalCore
import Storage
import Synchronization

// Whole datasets of random fetch-push. The amount is steps.

/// Collects 400 episodes into a new dataset as `goalpost collect` does: shards, digests, manifest.
func collect(threads: Int) throws {
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("goalpost-benchmark-\(getpid())")
  defer { try? FileManager.default.removeItem(at: folder) }
  var seed: UInt64 = 0
  try serve {
    try? FileManager.default.removeItem(at: folder)
    seed += 1
    return try collected(400, seed: seed, in: folder, threads: threads)
  }
}

private func collected(
  _ episodes: Int, seed: UInt64, in folder: URL, threads: Int
) throws -> Double {
  let recipe = Recipe(
    environment: "fetch-push", policy: "random", seed: seed, episodes: episodes,
    shardEpisodes: 100)
  _ = try TrajectoryCollection.run(recipe, in: folder, workers: threads)
  return Double(try Dataset(at: folder).manifest.totals.steps)
}

/// Rolls 400 episodes out and forgets them, the threads taking one after the other as the
/// collector's do.
func simulateOnly(threads: Int) throws {
  let world = try EnvironmentRegistry.world("fetch-push")
  let policy = try Policies.named("random", for: world)
  let episodes: Int64 = 400
  let loaded = try world.load()
  nonisolated(unsafe) let rollouts = try (0..<threads).map { _ in
    Rollout(environment: try loaded.makeEnvironment(), policy: policy)
  }
  try serve {
    let next = Atomic<Int64>(0)
    let steps = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: threads) { thread in
      while true {
        let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard number < episodes else { return }
        let seed = Seeds.world(.collect, seed: 0, episode: number)
        let episode = rollouts[thread].episode(index: number, seed: seed)
        steps.wrappingAdd(episode.length, ordering: .relaxed)
      }
    }
    return Double(steps.load(ordering: .relaxed))
  }
}

/// Makes the dataset that both sides of the claims below read, 1,000 episodes.
func makeDataset(_ path: String) throws {
  _ = try collected(1000, seed: 0, in: URL(fileURLWithPath: path), threads: 2)
}

/// Reads every column of every episode of a dataset into memory.
func readDataset(_ path: String) throws {
  try serve {
    let dataset = try Dataset(at: URL(fileURLWithPath: path))
    return try dataset.manifest.shards.reduce(0) { steps, shard in
      try dataset.open(shard).trajectories().reduce(steps) { $0 + Double($1.length) }
    }
  }
}

/// Writes a dataset's episodes as one compressed shard, digest and flush included.
func writeCompressed(_ path: String, threads: Int) throws {
  let dataset = try Dataset(at: URL(fileURLWithPath: path))
  let episodes = try dataset.manifest.shards.flatMap { try dataset.open($0).trajectories() }
  let file = FileManager.default.temporaryDirectory
    .appendingPathComponent("goalpost-benchmark-\(getpid()).h5")
  defer { try? FileManager.default.removeItem(at: file) }
  try serve {
    try ShardWriter.write(
      episodes, spec: dataset.manifest.task.spec, to: file, compress: true, threads: threads)
    return Double(dataset.manifest.totals.steps)
  }
}
