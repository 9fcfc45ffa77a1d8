import Foundation
import GoalCore
import Learners
import Replay
import Storage

/// What a run is trained on: its datasets as sources with weights, and what was held out of them.
struct TrainingData {
  /// The datasets' task.
  let task: GoalTask
  /// What batches are drawn from.
  let training: [WeightedSource]
  /// What was held out, with the same weights; empty where nothing was.
  let validation: [WeightedSource]
  /// Whether every episode has a goal that was asked for.
  let hasDesiredGoals: Bool
  /// The digest of each dataset's manifest, in the order given.
  let digests: [String]

  /// Opens `FOLDER` or `FOLDER:WEIGHT`, each, and holds a fraction of each source's episodes out.
  ///
  /// With weights, a share of every batch's rows comes from each dataset. Without, all episodes are
  /// drawn alike.
  init(_ configuration: RunConfiguration) throws {
    let (texts, seed) = (configuration.datasets, configuration.seed)
    let validationFraction = configuration.validationFraction
    let parts = try texts.map { try MixtureInputs.parts(of: $0) }
    guard let first = parts.first else {
      throw ExperimentError.badSettings(path: "train", reason: "at least one --dataset is needed")
    }
    if let bare = parts.first(where: { $0.weight == nil }),
      parts.contains(where: { $0.weight != nil })
    {
      throw ExperimentError.badSettings(
        path: bare.path, reason: "give every dataset a weight, or none: this one has none")
    }
    guard 0..<1 ~= validationFraction else {
      throw ExperimentError.badSettings(
        path: "validationFraction",
        reason: "must be from 0 up to below 1, found \(validationFraction)")
    }
    let datasets = try parts.map { try Dataset(at: URL(fileURLWithPath: $0.path)) }
    try MemoryLimit.checkFits(datasets)
    let task = datasets[0].manifest.task
    for (part, dataset) in zip(parts, datasets) where dataset.manifest.task != task {
      throw ExperimentError.otherDataset(
        path: part.path, world: dataset.manifest.task.identifier, expected: task.identifier)
    }
    let columns = try datasets.map { try $0.columns() }
    let bytes = columns.reduce(0) { $0 + EpisodeReplay.packedBytes(task: task, columns: $1) }
    let placement: EpisodePlacement =
      MemoryLimit.isExceeded(by: datasets)
      ? .paged : MemoryLimit.allowsCopy(of: bytes) ? .packed : .inPlace
    var (training, validation) = ([WeightedSource](), [WeightedSource]())
    // Without weights all episodes are one source.
    let places = Array(datasets.indices)
    let groups =
      first.weight == nil
      ? [(places, 1.0)] : zip(places, parts).map { ([$0], $1.weight ?? 1) }
    for (places, weight) in groups {
      let replay = EpisodeReplay(
        task: task, columns: places.flatMap { columns[$0] }, placement: placement)
      guard validationFraction > 0 else {
        training.append(WeightedSource(replay, weight: weight))
        continue
      }
      let copies = try Self.copies(in: places.map { datasets[$0] })
      guard Set(copies).count > 1 else {
        throw ExperimentError.badSettings(
          path: first.path,
          reason: "two different episodes are needed to hold one out for validation")
      }
      let split = replay.split(
        validationFraction: validationFraction, seed: seed, copies: copies)
      training.append(WeightedSource(split.training, weight: weight))
      validation.append(WeightedSource(split.validation, weight: weight))
    }
    self.task = task
    hasDesiredGoals = columns.joined().allSatisfy { $0.desiredGoals != nil }
    self.training = training
    self.validation = validation
    digests = try datasets.map { try $0.manifest.digest() }
  }

  /// A number for each episode, in order, that only copies of it have too: mixtures may hold an episode
  /// several times, and so may datasets beside each other.
  static func copies(in datasets: [Dataset]) throws -> [Int] {
    struct Identity: Hashable {
      let source: String
      let number: Int64
    }
    var numbers: [Identity: Int] = [:]
    var copies: [Int] = []
    for dataset in datasets {
      for shard in dataset.manifest.shards {
        let source = try dataset.manifest.source(of: shard).sha256
        for number in shard.episodes.numbers {
          let identity = Identity(source: source, number: number)
          let copy = numbers[identity] ?? numbers.count
          numbers[identity] = copy
          copies.append(copy)
        }
      }
    }
    return copies
  }

  /// Throws `ExperimentError.noDesiredGoals` where a scheme draws goals that the episodes lack.
  func checkGoals(for scheme: SamplingScheme, of configuration: RunConfiguration) throws {
    guard hasDesiredGoals || !scheme.usesDesiredGoals else {
      throw ExperimentError.noDesiredGoals(
        path: configuration.datasets.joined(separator: ", "), learner: configuration.learner,
        settings: Self.sharesOfOriginalGoals(configuration.learner))
    }
  }

  /// The settings of a learner that are shares of original goals.
  static func sharesOfOriginalGoals(_ learner: String) -> [String] {
    let settings = (try? LearnerRegistry.entry(learner))?.settings.map(\.key) ?? []
    return settings.filter { ["originalGoals", "originalValueGoals"].contains($0) }
  }

  /// The folder that a dataset of the command line names, without its weight.
  static func folder(of text: String) -> URL {
    URL(fileURLWithPath: (try? MixtureInputs.parts(of: text))?.path ?? text)
  }
}
