import Foundation
import GoalCore
import Replay
import Storage
import Support

/// The episodes that a run could learn from, and those that it held out: `episodes.json` in its folder.
///
/// They are told apart by their marks, so that an overlap with other data is found episode by episode. With a
/// checkpoint that a run began with come the episodes that this had seen.
struct SeenEpisodes: Codable, Equatable {
  /// Episodes that came at one moment of the run, on one side.
  struct Group: Codable, Equatable {
    /// Updates that the policy had by then: one of more can have learned from them.
    let since: Int
    /// Whether they were held out of training.
    let isHeldOut: Bool
    /// Their marks.
    var marks: [EpisodeMarks]

    init(since: Int, isHeldOut: Bool, marks: [EpisodeMarks]) {
      self.since = since
      self.isHeldOut = isHeldOut
      self.marks = marks
    }

    private enum CodingKeys: String, CodingKey { case since, isHeldOut, origins, contents }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      since = try container.decode(Int.self, forKey: .since)
      isHeldOut = try container.decode(Bool.self, forKey: .isHeldOut)
      func numbers(_ key: CodingKeys) throws -> [UInt64] {
        let text = Array(try container.decode(String.self, forKey: key).utf8)
        let numbers = stride(from: 0, to: text.count, by: 16).compactMap {
          UInt64(String(decoding: text[$0..<min($0 + 16, text.count)], as: UTF8.self), radix: 16)
        }
        guard 16 * numbers.count == text.count else {
          throw DecodingError.dataCorruptedError(
            forKey: key, in: container, debugDescription: "marks are 16 hexadecimal digits each")
        }
        return numbers
      }
      let (origins, contents) = (try numbers(.origins), try numbers(.contents))
      guard origins.count == contents.count else {
        throw DecodingError.dataCorruptedError(
          forKey: .contents, in: container,
          debugDescription: "must have \(origins.count) marks, found \(contents.count)")
      }
      marks = zip(origins, contents).map { EpisodeMarks(origin: $0, content: $1) }
    }

    func encode(to encoder: any Encoder) throws {
      func text(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
      }
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(since, forKey: .since)
      try container.encode(isHeldOut, forKey: .isHeldOut)
      try container.encode(marks.map { text($0.origin) }.joined(), forKey: .origins)
      try container.encode(marks.map { text($0.content) }.joined(), forKey: .contents)
    }
  }

  /// The version of this file that is read and written.
  static let schema = 1

  var schema = SeenEpisodes.schema
  /// Whether these are all: not so where the run began with a checkpoint of which it is not known what it saw.
  var isComplete = true
  /// What the checkpoint had seen that the run began with.
  var inherited: [Group] = []
  /// The datasets' episodes.
  var datasets: [Group] = []
  /// What an online run collected, in order.
  var collected: [Group] = []

  /// What a policy of so many updates has seen, as what a run that begins with it inherits.
  func inherited(at updates: Int) -> SeenEpisodes {
    var seen = SeenEpisodes()
    seen.isComplete = isComplete
    for isHeldOut in [false, true] {
      let marks = (inherited + datasets + collected).filter {
        $0.since < updates && $0.isHeldOut == isHeldOut
      }.flatMap(\.marks)
      if !marks.isEmpty {
        seen.inherited.append(Group(since: 0, isHeldOut: isHeldOut, marks: marks))
      }
    }
    return seen
  }

  /// Reads what a run saw; nil where it wrote nothing, as runs of older versions did not.
  init?(of run: RunFolder) throws {
    guard FileManager.default.fileExists(atPath: run.episodes.path) else { return nil }
    self = try DigestedJSON.read(
      SeenEpisodes.self, from: run.episodes, schema: SeenEpisodes.schema
    ).value
  }

  init() {}

  /// What a checkpoint's run saw: from what it wrote down, or, where an older version wrote nothing, from its
  /// datasets as far as they are still there; nil where neither tells.
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
    let folders = configuration.datasets.map { TrainingData.folder(of: $0) }
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

extension RunFolder {
  /// Writes down what the run could learn from.
  func write(_ seen: SeenEpisodes) throws { try DigestedJSON.write(seen, to: episodes) }
}

/// Tells of episodes whether a policy was trained on them.
struct TrainingParts: Sendable {
  private var trained: Set<UInt64> = []
  private var heldOut: Set<UInt64> = []
  /// Whether what is in neither is known to be new to the policy.
  private let isComplete: Bool
  /// The digests of datasets that it was given, where it is not known which of their episodes it saw.
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
  func part(of episode: DatasetSample.Episode) -> TrainingPart {
    let marks = [episode.marks.origin, episode.marks.content]
    if marks.contains(where: trained.contains) { return .trained }
    if marks.contains(where: heldOut.contains) { return .heldOut }
    if isComplete { return .other }
    return episode.manifests.contains(where: given.contains) ? .given : .unknown
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

  /// What is so of `count` of `total` episodes, as the end of a sentence.
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
