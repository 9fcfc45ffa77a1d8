import Foundation
import GoalCore
import Learners
import Replay
import Storage
import Support

/// A run's training data: its datasets as sources with weights, and what was held out of them.
struct TrainingData {
  /// The datasets' task.
  let task: GoalTask
  /// The sources of batches.
  let training: [WeightedSource]
  /// The held-out episodes, with the same weights; empty if none are.
  let validation: [WeightedSource]
  /// Whether every episode has a goal that was asked for.
  let hasDesiredGoals: Bool
  /// The digest of each dataset's manifest, in the order given.
  let digests: [String]
  /// The marks of the episodes to train on and of those held out; empty unless they were asked for.
  let seen: [SeenEpisodes.Group]

  /// Opens `FOLDER` or `FOLDER:WEIGHT`, each, and holds a fraction of each source's episodes out.
  ///
  /// With weights, a share of every batch's rows comes from each dataset. Without, all episodes are
  /// drawn alike. With `marking`, `seen` says which episodes these are.
  init(_ configuration: RunConfiguration, marking: Bool = false) throws {
    try configuration.validate()
    let seed = configuration.seed
    let opened = try OpenedDatasets(configuration)
    let (datasets, task) = (opened.datasets, opened.task)
    let validationFraction = configuration.validationFraction
    let columns = try datasets.map { try $0.columns() }
    let marks =
      marking || validationFraction > 0 ? try EpisodeMarks.all(of: datasets, columns) : []
    let bytes = columns.reduce(0) { $0 + EpisodeReplay.packedBytes(task: task, columns: $1) }
    let placement: EpisodePlacement =
      MemoryLimit.isExceeded(by: datasets)
      ? .paged : MemoryLimit.allowsCopy(of: bytes) ? .packed : .inPlace
    var (training, validation) = ([WeightedSource](), [WeightedSource]())
    for (places, weight) in opened.groups {
      let replay = EpisodeReplay(
        task: task, columns: places.flatMap { columns[$0] }, placement: placement)
      guard validationFraction > 0 else {
        training.append(WeightedSource(replay, weight: weight))
        continue
      }
      let copies = try opened.copies(marks, in: places)
      let split = replay.split(
        validationFraction: validationFraction, seed: seed, copies: copies)
      training.append(WeightedSource(split.training, weight: weight))
      validation.append(WeightedSource(split.validation, weight: weight))
    }
    self.task = task
    hasDesiredGoals = columns.joined().allSatisfy { $0.desiredGoals != nil }
    self.training = training
    self.validation = validation
    digests = try opened.digests()
    seen = marking ? try opened.groups(of: marks, configuration) : []
  }

  /// The digests of a configuration's datasets, and the marks of their episodes, without what is
  /// drawn from.
  static func marked(
    _ configuration: RunConfiguration
  ) throws -> (digests: [String], groups: [SeenEpisodes.Group]) {
    let opened = try OpenedDatasets(configuration)
    let marks = try EpisodeMarks.all(
      of: opened.datasets, opened.datasets.map { try $0.columns() })
    return (try opened.digests(), try opened.groups(of: marks, configuration))
  }

  /// Throws `ExperimentError.noDesiredGoals` if a scheme draws goals that the episodes lack.
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
}

/// The datasets of a configuration, opened and found to belong together.
private struct OpenedDatasets {
  let parts: [(path: String, weight: Double?)]
  let datasets: [Dataset]
  let task: GoalTask
  /// Which datasets are drawn from as one, and with what weight: without weights all.
  let groups: [(places: [Int], weight: Double)]

  init(_ configuration: RunConfiguration) throws {
    let texts = configuration.datasets
    let parts = try texts.map { try WeightedDataset.parts(of: $0) }
    guard let first = parts.first else {
      throw ExperimentError.badSettings(path: "train", reason: "at least one --dataset is needed")
    }
    if let bare = parts.first(where: { $0.weight == nil }),
      parts.contains(where: { $0.weight != nil })
    {
      throw ExperimentError.badSettings(
        path: bare.path, reason: "give every dataset a weight, or none: this one has none")
    }
    let datasets = try parts.map { try Dataset(at: URL(fileURLWithPath: $0.path)) }
    try MemoryLimit.checkFits(datasets)
    let task = datasets[0].manifest.task
    for (part, dataset) in zip(parts, datasets) where dataset.manifest.task != task {
      throw ExperimentError.otherDataset(
        path: part.path, world: dataset.manifest.task.identifier, expected: task.identifier)
    }
    let places = Array(datasets.indices)
    groups =
      first.weight == nil
      ? [(places, 1.0)] : zip(places, parts).map { ([$0], $1.weight ?? 1) }
    self.parts = parts
    self.datasets = datasets
    self.task = task
  }

  func digests() throws -> [String] { try datasets.map { try $0.manifest.digest() } }

  /// A number for each episode of some datasets, in order, that only copies of it have too:
  /// mixtures may hold an episode several times, and so may datasets beside each other.
  func copies(_ marks: [[EpisodeMarks]], in places: [Int]) throws -> [Int] {
    let copies = EpisodeMarks.copies(among: places.flatMap { marks[$0] })
    guard Set(copies).count > 1 else {
      throw ExperimentError.badSettings(
        path: parts[0].path,
        reason: "two different episodes are needed to hold one out for validation")
    }
    return copies
  }

  /// The marks of the episodes that a run is trained on, and of those that it holds out.
  func groups(
    of marks: [[EpisodeMarks]], _ configuration: RunConfiguration
  ) throws -> [SeenEpisodes.Group] {
    var (trained, held) = ([EpisodeMarks](), [EpisodeMarks]())
    for (places, _) in groups {
      let all = places.flatMap { marks[$0] }
      guard configuration.validationFraction > 0 else {
        trained += all
        continue
      }
      let isHeld = EpisodeReplay.heldOut(
        of: try copies(marks, in: places), validationFraction: configuration.validationFraction,
        seed: configuration.seed)
      trained += zip(all, isHeld).filter { !$1 }.map(\.0)
      held += zip(all, isHeld).filter { $1 }.map(\.0)
    }
    return [(false, trained), (true, held)].filter { !$1.isEmpty }
      .map { SeenEpisodes.Group(since: 0, isHeldOut: $0, marks: $1) }
  }
}

extension EpisodeMarks {
  /// The marks of all episodes of datasets with their columns, dataset by dataset.
  fileprivate static func all(
    of datasets: [Dataset], _ columns: [[TrajectoryColumns]]
  ) throws -> [[EpisodeMarks]] {
    try zip(datasets, columns).map { dataset, columns in
      let manifest = dataset.manifest
      let origins = try manifest.shards.map { try manifest.origin(of: $0).digest() }
      return try Parallel.map(
        count: columns.count, workers: Parallel.cores, context: {}
      ) { _, place in
        EpisodeMarks.all(
          of: columns[place], numbers: manifest.shards[place].episodes.numbers,
          origin: origins[place], spec: manifest.task.spec)
      }.flatMap { $0 }
    }
  }

  /// A number for each episode that only those have too that are one by a mark, straight or by way
  /// of others.
  fileprivate static func copies(among marks: [EpisodeMarks]) -> [Int] {
    var parents = Array(marks.indices)
    func root(_ place: Int) -> Int {
      var place = place
      while parents[place] != place {
        parents[place] = parents[parents[place]]
        place = parents[place]
      }
      return place
    }
    let keys: [KeyPath<EpisodeMarks, UInt64>] = [\.origin, \.content]
    for key in keys {
      var firsts: [UInt64: Int] = [:]
      for (place, mark) in marks.enumerated() {
        if let first = firsts[mark[keyPath: key]] {
          let (a, b) = (root(first), root(place))
          // The first that comes stands for all.
          parents[max(a, b)] = min(a, b)
        } else {
          firsts[mark[keyPath: key]] = place
        }
      }
    }
    return marks.indices.map(root)
  }
}
