import Environments
public import Foundation
import GoalCore
import Learners
import Replay
import Storage

/// A run in hand: its learner, and all that is recorded, evaluated and saved on the way.
///
/// Where batches come from is the loop's part, offline or online; a loop calls `update(on:)` for each
/// batch and `settle` whenever its own state could be saved.
final class TrainingRun {
  /// Where it lies.
  let folder: RunFolder
  /// What it is made from, resolved.
  let configuration: RunConfiguration
  /// The task.
  let task: GoalTask
  /// The learner, as far as it has come.
  let learner: any Learner
  /// The world, loaded where anything is simulated.
  let world: LoadedWorld?
  /// The checkpoint that the run goes on from; nil for a run at its start.
  let origin: URL?

  /// The updates that the learner began with: 0, or those of the checkpoint that the run is from.
  let start: Int

  /// The digests of what the run was made from: datasets, and the checkpoint that it began with.
  var lineage: [String] { digests + (fromDigest.map { [$0] } ?? []) }

  private let lock: FileLock?
  private let digests: [String]
  private let fromDigest: String?
  private let started = Date()
  private let progress: ProgressReport?
  private var records: RunRecords
  private var evaluations: RunEvaluations
  private var monitor = RunMonitor()
  private var note = ""

  /// Begins a run, or, `resuming`, goes on with one from its last checkpoint.
  ///
  /// `digests` are those of its datasets; the world is loaded where `simulates`, and for evaluations.
  /// `check` throws where the data lack what the learner draws, before anything is written.
  init(
    _ asked: RunConfiguration, in folder: URL, task: GoalTask, digests: [String],
    simulates: Bool = false, resuming: Bool, progress: ProgressReport?,
    check: (SamplingScheme) throws -> Void = { _ in }
  ) throws {
    let run = RunFolder(folder)
    if run.exists, !resuming { throw ExperimentError.runExists(path: folder.path) }
    var lock = resuming ? try run.claim() : nil
    var configuration = asked
    try configuration.online.validate()
    let entry = try LearnerRegistry.entry(configuration.learner)
    configuration.settings = try entry.resolve(task: task, overrides: configuration.settings)
    if configuration.updates == 0, !configuration.isOnline {
      configuration.updates = entry.updates(for: task)
    }
    learner = try entry.make(
      task: task, overrides: configuration.settings, seed: configuration.seed,
      threads: configuration.threads, device: configuration.device)
    try check(learner.scheme)
    if configuration.evaluateEvery > 0, !simulates,
      !EnvironmentRegistry.worlds.contains(where: { $0.task.identifier == task.identifier })
    {
      configuration.evaluateEvery = 0
      Console.note(
        "\(task.identifier) is no registered world, so the run is not evaluated in a simulator")
    }
    world =
      simulates || configuration.evaluateEvery > 0
      ? try EnvironmentRegistry.world(task.identifier).load() : nil
    run.tidy()
    origin = resuming ? Checkpoint.all(in: folder).last : nil
    if let origin {
      let (saved, header) = try Checkpoint.read(origin)
      guard header.datasets == digests else {
        throw ExperimentError.cannotResume(
          path: folder.path, reason: "the dataset is not the one that it was trained on")
      }
      try learner.restore(saved)
    }
    var saved = SavedConfiguration(configuration: configuration, datasetDigests: digests)
    if resuming {
      let before = try run.saved()
      (saved.fromDigest, saved.fromUpdates) = (before.fromDigest, before.fromUpdates)
    }
    if !configuration.from.isEmpty, origin == nil {
      let digest = try Self.begin(learner, from: configuration, task)
      guard saved.fromDigest ?? digest == digest else {
        throw ExperimentError.cannotResume(
          path: folder.path,
          reason: "\(configuration.from) is not the checkpoint that it began with")
      }
      (saved.fromDigest, saved.fromUpdates) = (digest, learner.updates)
    }
    start = saved.fromUpdates ?? 0
    fromDigest = saved.fromDigest
    self.folder = run
    self.configuration = configuration
    self.task = task
    self.digests = digests
    self.progress = progress
    if lock == nil {
      // Only here, as until here nothing is written of a run that is refused.
      lock = try run.claim()
      if run.exists { throw ExperimentError.runExists(path: folder.path) }
    }
    self.lock = lock
    try run.begin(saved)
    records = try RunRecords(run, upTo: learner.updates)
    evaluations = RunEvaluations(run, upTo: learner.updates)
    progress?.begin(at: learner.updates - start)
  }

  /// One update, measured where that is due.
  ///
  /// `waiting` are the seconds that the loop has waited for batches or episodes so far; `adding` is
  /// what it measures itself.
  func update(
    on batch: GoalBatch, isLast: Bool, waiting: Double,
    adding: @autoclosure () -> Metrics = Metrics()
  ) throws {
    let next = learner.updates + 1
    let isMeasured = next % configuration.measureEvery == 0 || isLast
    if var metrics = learner.update(on: batch, measuring: isMeasured) {
      metrics.append(adding())
      try records.append(next, metrics, waiting: waiting)
      note = metrics.entries.filter { $0.name.hasSuffix("_loss") && !$0.name.contains("/") }
        .map { "\($0.name) \(String(format: "%.4f", $0.value))" }.joined(separator: ", ")
      if let warning = monitor.warning(about: metrics) { try heed(warning) }
    }
    progress?.advance()
  }

  /// Says the last losses and the last success beside the progress.
  private func tell() {
    progress?.tell([note, evaluations.note].filter { !$0.isEmpty }.joined(separator: ", "))
  }

  /// Evaluates and saves where that is due after the updates that followed number `before`.
  ///
  /// `steps` are those collected so far, where the run collects; `evaluating` says whether an evaluation is due,
  /// where that does not go by updates. `adding` writes the loop's own state into a checkpoint in the making.
  func settle(
    since before: Int, isLast: Bool, steps: Int? = nil, evaluating: Bool? = nil,
    adding: (URL) throws -> Void = { _ in }
  ) throws {
    let now = learner.updates
    func isDue(_ period: Int) -> Bool { isLast || before / period < now / period }
    var isBest = false
    let isEvaluated =
      evaluating ?? (configuration.evaluateEvery > 0 && isDue(configuration.evaluateEvery))
    if let world, isEvaluated {
      let evaluation = try evaluate(in: world)
      isBest = try evaluations.append(
        TimedEvaluation(updates: now, steps: steps, evaluation: evaluation))
      try records.append(now, evaluation)
      tell()
    }
    guard isBest || isDue(configuration.checkpointEvery) else { return }
    let saved = learner.saved()
    if let broken = saved.firstNotFinite { try heed(.notFinite(metric: broken)) }
    // The best comes first: a run that goes on from the numbered one does not evaluate this again.
    if isBest {
      try Checkpoint.write(
        saved, header: header(now), evaluation: evaluations.all.last, to: folder.best)
    }
    if isDue(configuration.checkpointEvery) {
      try Checkpoint.write(
        saved, header: header(now), to: folder.checkpoint(now), adding: adding)
      folder.keepCheckpoints(configuration.checkpointsKept)
    }
  }

  /// Ends this part of the run: where it was stopped before its end, its state is saved first.
  func end(interrupted: Bool, adding: (URL) throws -> Void = { _ in }) throws -> TrainingSummary {
    let now = learner.updates
    if interrupted {
      try Checkpoint.write(
        learner.saved(), header: header(now), to: folder.checkpoint(now), adding: adding)
      folder.keepCheckpoints(configuration.checkpointsKept)
    }
    try Provenance(started: started, commit: SourceCommit.built).write(to: folder.url)
    return TrainingSummary(
      folder: folder.url, seed: configuration.seed, updates: now, interrupted: interrupted,
      evaluation: evaluations.all.last)
  }

  // MARK: - Parts

  /// Puts a whole checkpoint into an untrained learner of the same kind; the policy's digest.
  private static func begin(
    _ learner: any Learner, from configuration: RunConfiguration, _ task: GoalTask
  ) throws -> String {
    let file = try Checkpoint.policyFile(configuration.from)
    let (saved, header) = try Checkpoint.read(file.deletingLastPathComponent())
    guard header.task == task else {
      throw ExperimentError.otherWorld(
        path: configuration.from, trainedFor: header.task.identifier, asked: task.identifier)
    }
    guard header.learner == configuration.learner else {
      throw ExperimentError.badSettings(
        path: configuration.from,
        reason: "is of the learner \(header.learner), not of \(configuration.learner)")
    }
    try learner.restore(saved)
    return try Digest.sha256(ofFile: file)
  }

  /// Says what is wrong; where nothing good can follow, saves the state apart and stops the run.
  private func heed(_ warning: RunWarning) throws {
    let now = learner.updates
    try records.append(now, warning)
    guard case .notFinite(let metric) = warning else {
      Console.note("warning (\(warning.name)): \(warning), at update \(now) of \(folder.url.path)")
      return
    }
    try Checkpoint.write(learner.saved(), header: header(now), to: folder.broken(now))
    throw ExperimentError.notFinite(
      metric: metric, update: now, saved: folder.broken(now).path,
      last: Checkpoint.all(in: folder.url).last?.path)
  }

  private func header(_ updates: Int) -> PolicyHeader {
    PolicyHeader(
      learner: configuration.learner, task: task, settings: configuration.settings,
      updates: updates, seed: configuration.seed, datasets: digests)
  }

  private func evaluate(in world: LoadedWorld) throws -> Evaluation {
    let policy = NamedPolicy(
      name: "training", digest: "", policy: learner.makePolicy(), source: .policy)
    let request = EvaluationRequest(
      episodes: configuration.evaluationEpisodes, seed: configuration.evaluationSeed, workers: 1)
    return Evaluation(try Evaluation.scores(of: policy, in: world, request))
  }
}

/// What came of a run.
public struct TrainingSummary: Sendable {
  /// The run's folder.
  public let folder: URL
  /// Its seed.
  public let seed: UInt64
  /// Updates made in all.
  public let updates: Int
  /// Whether it was stopped before its end.
  public let interrupted: Bool
  /// The last evaluation, where there was one.
  let evaluation: TimedEvaluation?
}
