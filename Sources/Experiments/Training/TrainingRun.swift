import Environments
public import Foundation
import GoalCore
import Learners
import Replay
import Reporting
import Storage
import Support

/// A run in hand: its learner, and all that is recorded, evaluated and saved on the way.
///
/// Where batches come from is the loop's part, offline or online; a loop calls `update(on:)` for
/// each batch and `settle` whenever its own state could be saved.
final class TrainingRun {
  /// Where it lies.
  let folder: RunFolder
  /// Its configuration, resolved.
  let configuration: RunConfiguration
  /// The task.
  let task: GoalTask
  /// The learner, as far as it has come.
  let learner: any Learner
  /// The world, loaded if anything is simulated.
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
  private var last: LastEvaluation?
  /// The monitor of the metrics so far.
  private(set) var monitor: RunMonitor
  /// The episodes that the run could learn from; its loop adds those that it collects.
  private(set) var seen = SeenEpisodes()
  private var isSeenWritten = false
  /// This call, once it has made an update.
  private var part: Provenance.Part?
  private var note = ""

  /// Begins a run, or, `resuming`, goes on with one from its last checkpoint.
  ///
  /// `digests` are those of its datasets, `episodes` the marks of theirs; the world is loaded if
  /// `simulates`, and for evaluations. `check` throws if the data lack what the learner draws,
  /// before anything is written.
  init(
    _ asked: RunConfiguration, in folder: URL, task: GoalTask, digests: [String],
    episodes: [SeenEpisodes.Group], simulates: Bool = false, resuming: Bool,
    progress: ProgressReport?,
    check: (SamplingScheme) throws -> Void = { _ in }
  ) throws {
    let run = RunFolder(folder)
    if run.exists, !resuming { throw ExperimentError.runExists(path: folder.path) }
    var lock = resuming ? try run.claim() : nil
    if resuming { run.tidy() }
    origin = resuming ? try Checkpoint.all(in: folder).last : nil
    var configuration = asked
    let entry = try LearnerRegistry.entry(configuration.learner)
    configuration.settings = try entry.resolve(task: task, overrides: configuration.settings)
    if configuration.updates == 0, !configuration.isOnline {
      configuration.updates = entry.updates(for: task)
    }
    let learner = try entry.make(
      task: task, overrides: configuration.settings, seed: configuration.seed,
      threads: configuration.threads, device: configuration.device,
      restoring: try Self.numbers(in: origin?.path ?? configuration.from))
    self.learner = learner
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
    monitor = RunMonitor()
    if let origin {
      monitor = try Checkpoint.state(of: origin).monitor ?? monitor
      let (saved, header) = try Checkpoint.read(origin)
      guard header.datasets == digests else {
        throw ExperimentError.cannotResume(
          path: folder.path, reason: "the dataset is not the one that it was trained on")
      }
      try Checkpoint.restoring(origin) { try learner.restore(saved) }
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
      run.tidy()
    }
    self.lock = lock
    try run.begin(saved)
    Console.begin()
    Interruption.advise(Training.goingOn(in: folder))
    records = try RunRecords(run, upTo: learner.updates)
    evaluations = try RunEvaluations(run, upTo: learner.updates)
    progress?.begin(at: learner.updates - start)
    let before = resuming ? try SeenEpisodes(of: run) : nil
    seen = try before ?? Self.inherited(from: configuration, began: origin != nil)
    seen.datasets = episodes.map {
      SeenEpisodes.Group(since: start, isHeldOut: $0.isHeldOut, marks: $0.marks)
    }
    // What was collected comes again from the loop, and may be less than what is written down.
    isSeenWritten = before != nil
    seen.collected = []
    if !isSeenWritten { try writeSeen() }
  }

  /// What the checkpoint had seen that a run begins with, as far as that is known; of a run that
  /// `began` already, the checkpoint may be gone.
  private static func inherited(
    from configuration: RunConfiguration, began: Bool
  ) throws -> SeenEpisodes {
    let path = configuration.from
    if path.isEmpty { return SeenEpisodes() }
    var seen: SeenEpisodes?
    if !began || FileManager.default.fileExists(atPath: path) {
      let header = try Checkpoint.read(policy: Checkpoint.policyFile(path)).header
      seen = try SeenEpisodes(ofPolicy: path, header)?.inherited(at: header.updates)
    }
    if let seen { return seen }
    var unknown = SeenEpisodes()
    unknown.isComplete = false
    return unknown
  }

  /// Adds an episode that was collected before update number `since` + 1.
  func add(_ marks: EpisodeMarks, since: Int, isHeldOut: Bool) {
    seen.collected.append(
      SeenEpisodes.Group(since: since, isHeldOut: isHeldOut, marks: [marks]))
    isSeenWritten = false
  }

  private func writeSeen() throws {
    if isSeenWritten { return }
    try folder.write(seen)
    isSeenWritten = true
  }

  /// Writes down that this call trains the run, before its first update; if the last call had other
  /// instructions or libraries, says that bits may differ.
  private func beginPart() throws {
    guard part == nil else { return }
    var new = Invocation.part(
      started: started, libraries: world.map { ["simulator": $0.simulator] } ?? [:])
    new.fromUpdate = learner.updates
    part = new
    let before = try Provenance(in: folder.url)
    if let last = before?.parts.last, origin != nil {
      let there = last.numerics
      let differing = new.numerics.filter { there[$0.key] != nil && there[$0.key] != $0.value }
      for (name, value) in differing.sorted(by: { $0.key < $1.key }) {
        try heed(.otherNumerics(name: name, before: there[name] ?? "", now: value))
      }
    }
    try Provenance((before?.parts ?? []) + [new]).write(to: folder.url)
  }

  /// Writes down where this call came to, in place of what its beginning said.
  private func endPart() throws {
    guard var part, let all = try Provenance(in: folder.url) else { return }
    part.toUpdate = learner.updates
    part.finish()
    try Provenance(all.parts.dropLast() + [part]).write(to: folder.url)
  }

  /// Throws unless the folder is the one that the run was begun in.
  private func checkPlace() throws {
    guard lock?.isInPlace == true, folder.exists else {
      throw ExperimentError.runGone(path: folder.url.path)
    }
  }

  private func write(
    _ saved: SavedLearner, evaluation: TimedEvaluation? = nil, to place: URL,
    adding: (URL) throws -> Void = { _ in }
  ) throws {
    try checkPlace()
    try writeSeen()
    try records.flush()
    try Checkpoint.write(
      saved, header: header(learner.updates), evaluation: evaluation, monitor: monitor, to: place,
      adding: adding)
  }

  /// One update, measured if that is due.
  ///
  /// `waiting` are the seconds that the loop has waited for batches or episodes so far; `adding` is
  /// what it measures itself.
  func update(
    on batch: GoalBatch, isLast: Bool, waiting: Double,
    adding: @autoclosure () -> Metrics = Metrics()
  ) throws {
    try beginPart()
    if let broken = batch.firstNotFinite { try heed(.notFinite(metric: "the batch's " + broken)) }
    let next = learner.updates + 1
    let isRegular = next % configuration.measureEvery == 0
    let isMeasured = isRegular || isLast
    if var metrics = learner.update(on: batch, measuring: isMeasured) {
      metrics.append(adding())
      try records.append(next, metrics, waiting: waiting)
      note = metrics.entries.filter { $0.name.hasSuffix("_loss") && !$0.name.contains("/") }
        .map { "\($0.name) \(String(format: "%.4f", $0.value))" }.joined(separator: ", ")
      if let warning = monitor.warning(about: metrics, isRegular: isRegular) { try heed(warning) }
    }
    progress?.advance()
  }

  /// Says the last losses and the last success beside the progress.
  private func tell() {
    progress?.tell([note, evaluations.note].filter { !$0.isEmpty }.joined(separator: ", "))
  }

  /// Evaluates and saves if that is due after the updates that followed number `before`.
  ///
  /// `steps` are those collected so far, if the run collects; `evaluating` says whether an
  /// evaluation is due, where that does not go by updates. `adding` writes the loop's own state
  /// into a checkpoint in the making.
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
      let found = try evaluate(in: world)
      last = found
      isBest = try evaluations.append(
        TimedEvaluation(updates: now, steps: steps, evaluation: found.evaluation))
      try records.append(now, found.evaluation)
      tell()
    }
    guard isBest || isDue(configuration.checkpointEvery) else { return }
    let saved = learner.saved()
    if let broken = saved.firstNotFinite { try heed(.notFinite(metric: broken)) }
    // The best comes first: a run that goes on from the numbered one does not evaluate this again.
    if isBest {
      try write(saved, evaluation: evaluations.all.last, to: folder.best)
    }
    if isDue(configuration.checkpointEvery) {
      try write(saved, to: folder.checkpoint(now), adding: adding)
      try folder.keepCheckpoints(configuration.checkpointsKept)
    }
  }

  /// Ends this part of the run: if it was stopped before its end, its state is saved first.
  func end(interrupted: Bool, adding: (URL) throws -> Void = { _ in }) throws -> TrainingSummary {
    let now = learner.updates
    if interrupted {
      try write(learner.saved(), to: folder.checkpoint(now), adding: adding)
      try folder.keepCheckpoints(configuration.checkpointsKept)
    }
    try endPart()
    try checkPlace()
    return TrainingSummary(
      folder: folder.url, seed: configuration.seed, updates: now, interrupted: interrupted,
      last: last)
  }

  // MARK: - Parts

  /// Numbers in the policy that a run begins with or goes on with; nil for an untrained one.
  private static func numbers(in checkpoint: String) throws -> Int? {
    checkpoint.isEmpty
      ? nil : try Checkpoint.read(policy: Checkpoint.policyFile(checkpoint)).saved.numberCount
  }

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
    try Checkpoint.restoring(file) { try learner.restore(saved) }
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
    try write(learner.saved(), to: folder.broken(now))
    try endPart()
    throw ExperimentError.notFinite(
      metric: metric, update: now, saved: folder.broken(now).path,
      last: try Checkpoint.all(in: folder.url).last?.path)
  }

  private func header(_ updates: Int) -> PolicyHeader {
    PolicyHeader(
      learner: configuration.learner, task: task, settings: configuration.settings,
      updates: updates, seed: configuration.seed, datasets: digests)
  }

  private func evaluate(in world: LoadedWorld) throws -> LastEvaluation {
    let policy = NamedPolicy(
      name: "training", digest: "", policy: learner.makePolicy(), source: .policy)
    let request = EvaluationRequest(
      episodes: configuration.evaluationEpisodes, seed: configuration.evaluationSeed, workers: 1)
    let scores = try Evaluation.scores(of: policy, in: world, request)
    return LastEvaluation(scores: scores, task: task, evaluation: Evaluation(scores, task: task))
  }
}

/// The result of a run.
public struct TrainingSummary: Sendable {
  /// The run's folder.
  public let folder: URL
  /// Its seed.
  public let seed: UInt64
  /// Updates made in all.
  public let updates: Int
  /// Whether it was stopped before its end.
  public let interrupted: Bool
  /// The last evaluation that this call made, if it made one.
  let last: LastEvaluation?
}
