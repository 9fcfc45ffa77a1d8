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
  }

  let path: String
  let digest: String
  let task: GoalTask
  /// Episodes of the whole dataset.
  let count: Int
  let episodes: [Episode]

  /// Reads `wanted` episodes, or all where there are fewer.
  init(_ path: String, episodes wanted: Int) throws {
    let dataset = try Dataset(at: URL(fileURLWithPath: path))
    let manifest = dataset.manifest
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
        episodes += zip(chosen, read).map { Episode(place: first + $0, trajectory: $1) }
      }
      first += count
    }
    self.path = path
    digest = try manifest.digest()
    task = manifest.task
    count = total
    self.episodes = episodes
  }
}

/// Whether a policy has seen an episode in training.
public enum TrainingPart: String, Codable, Sendable, CaseIterable {
  /// It was trained on it.
  case trained = "trained on"
  /// It was trained on the dataset, but not on this episode.
  case heldOut = "held out"
  /// The dataset is not one that it was trained on.
  case other = "not trained on"
}

/// Tells for the episodes of a dataset whether a policy was trained on them.
struct TrainingParts: Sendable {
  private let isTrainedOn: Bool
  private let heldOut: Set<Int>

  /// Looks into a checkpoint's head, and its run's configuration where it lies in a run.
  init(policy path: String, header: PolicyHeader?, dataset: DatasetSample) {
    guard let header, let number = header.datasets.firstIndex(of: dataset.digest) else {
      (isTrainedOn, heldOut) = (false, [])
      return
    }
    isTrainedOn = true
    heldOut = Self.heldOut(policy: path, dataset: number, count: dataset.count)
  }

  func part(of place: Int) -> TrainingPart {
    isTrainedOn ? (heldOut.contains(place) ? .heldOut : .trained) : .other
  }

  /// The episodes of a run's dataset that it held out, as `TrainingData` does.
  private static func heldOut(policy path: String, dataset number: Int, count: Int) -> Set<Int> {
    // RUN/checkpoints/000001000/policy.safetensors
    guard let file = try? Checkpoint.policyFile(path) else { return [] }
    let run = file.deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    guard let configuration = try? RunConfiguration(ofRun: run),
      configuration.validationFraction > 0, number < configuration.datasets.count,
      let parts = try? configuration.datasets.map({ try MixtureInputs.parts(of: $0) })
    else { return [] }
    // Without weights all datasets' episodes are split as one.
    let together = parts[number].weight == nil ? parts : [parts[number]]
    guard
      let datasets = try? together.map({ try Dataset(at: URL(fileURLWithPath: $0.path)) }),
      let copies = try? TrainingData.copies(in: datasets)
    else { return [] }
    let first =
      together.count == 1
      ? 0 : datasets[..<number].reduce(0) { $0 + $1.manifest.totals.episodes }
    let held = EpisodeReplay.heldOut(
      of: copies, validationFraction: configuration.validationFraction, seed: configuration.seed)
    return Set((0..<count).filter { held[first + $0] })
  }
}
