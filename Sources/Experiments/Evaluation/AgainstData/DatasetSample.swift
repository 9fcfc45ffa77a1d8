import Foundation
import GoalCore
import Replay
import Storage

/// Episodes of a dataset, spread evenly over it, that policies are held against.
struct DatasetSample: Sendable {
  /// One of them.
  struct Episode: Sendable {
    /// Its place, counted over the dataset.
    let place: Int
    let trajectory: Trajectory
    /// What tells it from others.
    let marks: EpisodeMarks
    /// The digests of the manifests that it is listed in: the dataset's, and of a mixture its
    /// source's.
    let manifests: [String]
  }

  let path: String
  let task: GoalTask
  /// Episodes of the whole dataset.
  let count: Int
  let episodes: [Episode]

  /// Reads `wanted` episodes, or all if there are fewer.
  init(_ path: String, episodes wanted: Int) throws {
    let dataset = try Dataset(at: URL(fileURLWithPath: path))
    let manifest = dataset.manifest
    let digest = try manifest.digest()
    let total = manifest.shards.reduce(0) { $0 + $1.episodes.count }
    var first = 0
    var episodes: [Episode] = []
    for shard in manifest.shards {
      let count = shard.episodes.count
      let chosen = (0..<count).filter {
        Verification.isChosen(first + $0, of: total, min(wanted, total))
      }
      if !chosen.isEmpty {
        let read = try dataset.open(shard, threads: 1).trajectories(at: Set(chosen))
        let origin = try manifest.origin(of: shard).digest()
        let manifests =
          [digest] + (manifest.mixture == nil ? [] : [try manifest.source(of: shard).sha256])
        episodes += zip(chosen, read).map {
          Episode(
            place: first + $0, trajectory: $1,
            marks: EpisodeMarks($1, origin: origin, observation: manifest.task.spec.observation),
            manifests: manifests)
        }
      }
      first += count
    }
    self.path = path
    task = manifest.task
    count = total
    self.episodes = episodes
  }
}
