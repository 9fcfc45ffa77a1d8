import Environments
public import Foundation
import GoalCore
import Learners
import Replay
import Storage

/// Trains a learner on datasets.
public enum OfflineTraining {
  /// What came of a run.
  public struct Summary: Sendable {
    /// The run's folder.
    public let folder: URL
    /// Updates made in all.
    public let updates: Int
    /// Whether it was stopped before its end.
    public let interrupted: Bool
  }

  /// An evaluation while training.
  struct TimedEvaluation: Codable {
    let updates: Int
    let evaluation: Evaluation
  }

  /// What `config.json` holds besides the configuration.
  struct SavedConfiguration: Codable {
    let configuration: RunConfiguration
    let datasetDigests: [String]
  }

  /// Trains in `folder` until `configuration.updates` are made; with `resuming`, from the last
  /// checkpoint there.
  ///
  /// Batch k is a function of the run's seed and k, and a checkpoint holds all that updates need, so
  /// a run that was stopped and resumed equals one that was not, bit for bit on one machine.
  public static func run(
    _ asked: RunConfiguration, in folder: URL, resuming: Bool = false,
    progress: ProgressReport? = nil
  ) throws -> Summary {
    let started = Date()
    var configuration = asked
    let run = RunFolder(folder)
    if run.exists, !resuming { throw ExperimentError.runExists(path: folder.path) }

    let (task, columns, digests, isLarge) = try open(configuration.datasets)
    let entry = try LearnerRegistry.entry(configuration.learner)
    configuration.settings = try entry.resolve(task: task, overrides: configuration.settings)
    if configuration.updates == 0 { configuration.updates = entry.updates(for: task) }
    let learner = try entry.make(
      task: task, overrides: configuration.settings, seed: configuration.seed,
      threads: configuration.threads)
    let replay = EpisodeReplay(task: task, columns: columns, isLarge: isLarge)
    guard replay.hasDesiredGoals || !learner.scheme.usesDesiredGoals else {
      throw ExperimentError.noDesiredGoals(
        path: configuration.datasets.joined(separator: ", "), learner: configuration.learner)
    }
    let loaded =
      configuration.evaluateEvery > 0
      ? try EnvironmentRegistry.world(task.identifier).load() : nil

    if let last = resuming ? Checkpoint.all(in: folder).last : nil {
      let (saved, header) = try Checkpoint.read(last)
      guard header.datasets == digests else {
        throw ExperimentError.cannotResume(
          path: folder.path, reason: "the dataset is not the one that it was trained on")
      }
      try learner.restore(saved)
    }
    let header = { (updates: Int) in
      PolicyHeader(
        learner: configuration.learner, task: task, settings: configuration.settings,
        updates: updates, seed: configuration.seed, datasets: digests)
    }
    try begin(run, configuration, digests)
    run.keepCheckpoints(configuration.checkpointsKept)
    var metrics = try MetricsFile(run.metrics, upTo: learner.updates)
    var evaluations = savedEvaluations(run, upTo: learner.updates)
    progress?.advance(by: learner.updates)

    var batch = GoalBatch(count: learner.scheme.batchSize, spec: task.spec)
    var note = ""
    while learner.updates < configuration.updates, !Interruption.isAsked {
      replay.draw(
        learner.scheme, seed: configuration.seed, number: UInt64(learner.updates), into: &batch)
      let next = learner.updates + 1
      let isLast = next == configuration.updates
      let measured = learner.update(
        on: batch, measuring: next % configuration.measureEvery == 0 || isLast)
      if let measured {
        try metrics.append(next, seconds: Date().timeIntervalSince(started), measured)
        if let broken = measured.entries.first(where: { !$0.value.isFinite }) {
          throw ExperimentError.notFinite(metric: broken.name, update: next)
        }
        note = measured.entries.prefix(2).map { "\($0.name) \(String(format: "%.4f", $0.value))" }
          .joined(separator: ", ")
      }
      if let loaded, next % configuration.evaluateEvery == 0 || isLast {
        let evaluation = try evaluate(learner, in: loaded, configuration)
        evaluations.append(TimedEvaluation(updates: next, evaluation: evaluation))
        try save(evaluations, in: run)
      }
      let success = evaluations.last.map {
        String(format: ", success %.2f", $0.evaluation.success.estimate)
      }
      progress?.advance(note: note + (success ?? ""))
      if next % configuration.checkpointEvery == 0 || isLast {
        try Checkpoint.write(learner.saved(), header: header(next), to: run.checkpoint(next))
        run.keepCheckpoints(configuration.checkpointsKept)
      }
    }
    let interrupted = learner.updates < configuration.updates
    if interrupted {
      try Checkpoint.write(
        learner.saved(), header: header(learner.updates), to: run.checkpoint(learner.updates))
    }
    try Provenance(started: started, commit: RunFolder.commit).write(to: folder)
    return Summary(folder: folder, updates: learner.updates, interrupted: interrupted)
  }

  /// How many updates a configuration comes to: its own number, or the paper's for the task.
  static func updates(of configuration: RunConfiguration) throws -> Int {
    if configuration.updates > 0 { return configuration.updates }
    guard let path = configuration.datasets.first else { return 0 }
    let task = try Dataset(at: URL(fileURLWithPath: path)).manifest.task
    return try LearnerRegistry.entry(configuration.learner).updates(for: task)
  }

  /// The configuration that a run was begun with.
  public static func configuration(of run: URL) throws -> RunConfiguration {
    let file = RunFolder(run).configuration
    do {
      return try JSONDecoder().decode(SavedConfiguration.self, from: Data(contentsOf: file))
        .configuration
    } catch {
      throw ExperimentError.cannotResume(path: run.path, reason: "config.json can't be read")
    }
  }

  // MARK: - Parts

  private static func open(
    _ paths: [String]
  ) throws -> (task: GoalTask, columns: [TrajectoryColumns], digests: [String], isLarge: Bool) {
    var task: GoalTask?
    var columns: [TrajectoryColumns] = []
    var digests: [String] = []
    let datasets = try paths.map { try Dataset(at: URL(fileURLWithPath: $0)) }
    try MemoryLimit.checkFits(datasets)
    for (path, dataset) in zip(paths, datasets) {
      if let task, task != dataset.manifest.task {
        throw ExperimentError.otherDataset(
          path: path, world: dataset.manifest.task.identifier, expected: task.identifier)
      }
      task = dataset.manifest.task
      columns += try dataset.columns()
      digests.append(try dataset.manifest.digest())
    }
    guard let task else {
      throw ExperimentError.badSettings(path: "train", reason: "at least one --dataset is needed")
    }
    return (task, columns, digests, MemoryLimit.isExceeded(by: datasets))
  }

  private static func begin(
    _ run: RunFolder, _ configuration: RunConfiguration, _ digests: [String]
  ) throws {
    do {
      try FileManager.default.createDirectory(at: run.url, withIntermediateDirectories: true)
    } catch {
      throw ExperimentError.cannotWrite(path: run.url.path, reason: error.localizedDescription)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    let saved = SavedConfiguration(configuration: configuration, datasetDigests: digests)
    try writeWhole(try encoder.encode(saved) + Data("\n".utf8), to: run.configuration)
  }

  private static func evaluate(
    _ learner: any Learner, in loaded: LoadedWorld, _ configuration: RunConfiguration
  ) throws -> Evaluation {
    let policy = NamedPolicy(
      name: "training", digest: "", policy: learner.makePolicy(), source: .policy)
    let request = EvaluationRequest(
      episodes: configuration.evaluationEpisodes, seed: configuration.seed, workers: 1)
    return Evaluation(try Evaluation.scores(of: policy, in: loaded, request))
  }

  private static func savedEvaluations(_ run: RunFolder, upTo updates: Int) -> [TimedEvaluation] {
    guard updates > 0, let data = try? Data(contentsOf: run.evaluations),
      let all = try? JSONDecoder().decode([TimedEvaluation].self, from: data)
    else { return [] }
    return all.filter { $0.updates <= updates }
  }

  private static func save(_ evaluations: [TimedEvaluation], in run: RunFolder) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    try writeWhole(try encoder.encode(evaluations) + Data("\n".utf8), to: run.evaluations)
  }
}
