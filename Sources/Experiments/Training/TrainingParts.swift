import Foundation
import Storage
import Support

/// Tells of episodes whether a policy was trained on them.
struct TrainingParts: Sendable {
  private var trained: Set<UInt64> = []
  private var heldOut: Set<UInt64> = []
  /// Whether what is in neither is known to be new to the policy.
  private let isComplete: Bool
  /// The digests of datasets that it was given, if it is not known which of their episodes it saw.
  private var given: Set<String> = []

  /// Looks into what a policy's run wrote down; a policy without a header was never trained.
  init(policy path: String, header: PolicyHeader?) throws {
    guard let header else {
      isComplete = true
      return
    }
    guard let seen = try SeenEpisodes(ofPolicy: path, header)?.inherited(at: header.updates) else {
      isComplete = false
      given = Set(header.datasets)
      return
    }
    isComplete = seen.isComplete
    for group in seen.inherited {
      // Origins and contents are alike random numbers of 64 bits.
      let marks = group.marks.flatMap { [$0.origin, $0.content] }
      if group.isHeldOut { heldOut.formUnion(marks) } else { trained.formUnion(marks) }
    }
  }

  /// The part that an episode belongs to; one that was both trained on and held out was trained on.
  ///
  /// `manifests` are the digests of those that list it.
  func part(of episode: EpisodeMarks, in manifests: [String]) -> TrainingPart {
    let marks = [episode.origin, episode.content]
    if marks.contains(where: trained.contains) { return .trained }
    if marks.contains(where: heldOut.contains) { return .heldOut }
    if isComplete { return .other }
    return manifests.contains(where: given.contains) ? .given : .unknown
  }
}

/// Whether a policy has seen an episode in training.
public enum TrainingPart: String, Codable, Sendable, CaseIterable {
  /// It was trained on it.
  case trained = "trained on"
  /// It was given the episode, and held it out of training.
  case heldOut = "held out"
  /// It was given the episode's dataset, and it is not known whether it held the episode out.
  case given = "trained on or held out"
  /// It was never given the episode.
  case other = "not trained on"
  /// It is not known which episodes it was given.
  case unknown = "not known"

  /// A statement about `count` of `total` episodes, as the end of a sentence.
  func sentence(_ count: Int, of total: Int) -> String {
    let was = count == 1 ? "was" : "were"
    return "\(count) of \(total) episodes "
      + {
        switch self {
        case .trained: "\(was) trained on"
        case .heldOut: "\(was) held out of training"
        case .given: "\(was) trained on or held out (the policy's run is not here to tell)"
        case .other: "\(was) not trained on"
        case .unknown: "cannot be told (what the policy was trained on is not known)"
        }
      }()
  }
}

extension SeenEpisodes {
  /// The episodes that a checkpoint's run saw: from its record, or, if an older version wrote none,
  /// from its datasets as far as they still exist.
  ///
  /// It is nil if neither tells.
  init?(ofPolicy path: String, _ header: PolicyHeader) throws {
    // RUN/checkpoints/000001000/policy.safetensors
    let run = RunFolder(
      try Checkpoint.policyFile(path).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent())
    guard run.exists else { return nil }
    let saved = try run.saved()
    // A checkpoint that was copied into another run's folder is not that run's.
    guard saved.datasetDigests == header.datasets, saved.configuration.seed == header.seed,
      saved.configuration.learner == header.learner
    else { return nil }
    if let written = try SeenEpisodes(of: run) {
      self = written
      return
    }
    let configuration = saved.configuration
    guard !configuration.isOnline, configuration.from.isEmpty else { return nil }
    let folders = configuration.datasets.map { WeightedDataset.folder(of: $0) }
    guard
      folders.allSatisfy({
        FileManager.default.fileExists(atPath: $0.appendingPathComponent("manifest.json").path)
      })
    else { return nil }
    let data = try TrainingData.marked(configuration)
    guard data.digests == header.datasets else { return nil }
    datasets = data.groups
  }
}
