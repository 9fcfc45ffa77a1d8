import Environments
import Foundation
import GoalCore
import Learners
import Replay
import Reporting
import Storage
import Support

/// Trains a learner on the episodes that it collects itself, and on datasets beside them.
enum OnlineTraining {
  /// Trains in `folder` until all episodes are collected and their updates made; with `resuming`,
  /// from the last checkpoint there.
  ///
  /// Round r collects episode r and makes its updates on the episodes 0...r. With a lag of 1 the
  /// episode r + 1 is collected while the updates of round r are made, with the policy before them.
  /// An episode is a function of the run's seed, its number and the policy; a batch of the seed,
  /// the number of the update and the episodes held. So the run is repeatable to the bit for either
  /// lag, whatever the threads' timing.
  static func run(
    _ configuration: RunConfiguration, in folder: URL, resuming: Bool = false,
    progress: ProgressReport? = nil
  ) throws -> TrainingSummary {
    let data = configuration.datasets.isEmpty ? nil : try TrainingData(configuration, marking: true)
    let task = try task(of: configuration)
    if data == nil, configuration.online.demonstrationUpdates > 0 {
      throw ExperimentError.badSettings(
        path: "online.demonstrationUpdates", reason: "no dataset to learn from first was given")
    }
    if let data, data.task != task {
      throw ExperimentError.otherDataset(
        path: configuration.datasets[0], world: data.task.identifier, expected: task.identifier)
    }
    let run = try TrainingRun(
      configuration, in: folder, task: task, digests: data?.digests ?? [],
      episodes: data?.seen ?? [], simulates: true, resuming: resuming, progress: progress,
      check: { try data?.checkGoals(for: $0, of: configuration) })
    let loop = try Loop(run, data)
    return try Interruption.heeded {
      try loop.prepare()
      while loop.state.rounds < loop.schedule.episodes, !Interruption.isAsked { try loop.round() }
      let interrupted = loop.state.rounds < loop.schedule.episodes
      if !interrupted { try loop.dataset.finish() }
      return try run.end(interrupted: interrupted, adding: loop.save)
    }
  }

  /// The task of the world that a configuration names, or else of its dataset or checkpoint.
  static func task(of configuration: RunConfiguration) throws -> GoalTask {
    if !configuration.online.environment.isEmpty {
      return try EnvironmentRegistry.world(configuration.online.environment).task
    }
    if let path = configuration.datasets.first {
      return try Dataset(at: WeightedDataset.folder(of: path)).manifest.task
    }
    guard !configuration.from.isEmpty else {
      throw ExperimentError.badSettings(path: "train --online", reason: "give --environment")
    }
    return try Checkpoint.read(policy: Checkpoint.policyFile(configuration.from)).header.task
  }

  /// How far a run has come, besides its learner.
  struct State: Codable, CheckedValue {
    /// Episodes collected.
    var episodes = 0
    /// Episodes whose updates are made.
    var rounds = 0

    /// At the beginning.
    init() {}

    /// Reads a state, and throws `InvalidValue` for one that no run comes to.
    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      episodes = try values.decode(Int.self, forKey: .episodes)
      rounds = try values.decode(Int.self, forKey: .rounds)
      try check(in: decoder)
    }

    /// Throws `InvalidValue` unless the rounds are of episodes, all or all but the last.
    func check() throws(InvalidValue) {
      try InvalidValue.require(episodes, in: 0...SizeLimit.episodes, "episodes")
      try InvalidValue.require(rounds, in: max(0, episodes - 1)...episodes, "rounds")
    }
  }

  /// The state of the rounds.
  private final class Loop {
    private(set) var state = State()
    let schedule: OnlineSchedule
    let dataset: OnlineDataset
    private let run: TrainingRun
    private let buffer: EpisodeBuffer
    private let heldOut: EpisodeBuffer
    private let sampler: Sampler
    private let worker: EpisodeWorker
    private let offlineHeldOut: [WeightedSource]
    private var successes: [Bool] = []
    /// Updates that are made before the next episode is there.
    private var since: Int
    private var batch: GoalBatch
    private var validation: ValidationLosses?
    /// Seconds that were spent waiting for episodes.
    private var waiting = 0.0

    init(_ run: TrainingRun, _ data: TrainingData?) throws {
      guard let world = run.world else { preconditionFailure("an online run has a world") }
      self.run = run
      let settings = run.learner.online
      schedule = try OnlineSchedule(
        run.configuration.online, settings, horizon: run.task.spec.horizon)
      since = run.start + run.configuration.online.demonstrationUpdates
      buffer = EpisodeBuffer(task: run.task, capacity: .steps(settings.bufferSteps))
      var sources = [WeightedSource(buffer)]
      sources += data?.training ?? []
      sampler = Sampler(run.learner.scheme, sources: sources, seed: run.configuration.seed)
      batch = sampler.makeBatch()
      heldOut = EpisodeBuffer(task: run.task, capacity: .steps(settings.bufferSteps))
      offlineHeldOut = data?.validation ?? []
      let isValidated = settings.validationFraction > 0 || !offlineHeldOut.isEmpty
      validation = ValidationLosses(
        of: run.learner, isValidated ? [WeightedSource(heldOut)] + offlineHeldOut : [],
        seed: run.configuration.seed)
      worker = EpisodeWorker(world)
      dataset = try OnlineDataset(
        of: run.folder, run.configuration, world: world, task: run.task,
        episodes: schedule.episodes, settings: settings, made: run.lineage)
      guard let origin = run.origin else { return }
      let file = origin.appendingPathComponent("online.json")
      state = try StoredJSON.read(State.self, from: file)
      guard state.episodes <= schedule.episodes else {
        throw FileError.malformed(
          file.path, rule: "'episodes' must be at most the \(schedule.episodes) of the run",
          found: "\(state.episodes)")
      }
      for episode in try dataset.restore(state.episodes, from: origin) { hold(episode) }
    }

    /// One round: its episode, unless the last round collected it, and its updates.
    func round() throws {
      let number = state.rounds
      if state.episodes == number {
        begin(number)
        try take()
      }
      let overlaps = run.configuration.online.lag == 1 && state.episodes < schedule.episodes
      if overlaps { begin(state.episodes) }
      let before = run.learner.updates
      let updates = schedule.updates(afterEpisode: number)
      let isLast = number + 1 == schedule.episodes
      let share = sampler.sources.count == 1 ? 0 : schedule.offlineShare(afterEpisode: number)
      for update in 1...max(1, updates) where update <= updates {
        try self.update(offlineShare: share, isLast: isLast && update == updates)
      }
      if overlaps { try take() }
      state.rounds += 1
      try run.settle(
        since: before, isLast: isLast, steps: schedule.steps(afterEpisode: number),
        evaluating: schedule.isEvaluated(afterEpisode: number), adding: save)
    }

    /// The work before the first round: the updates on demonstrations, and an evaluation if these
    /// go by steps.
    func prepare() throws {
      guard state.rounds == 0 else { return }
      let online = run.configuration.online
      while run.learner.updates - run.start < online.demonstrationUpdates, !Interruption.isAsked {
        let before = run.learner.updates
        try update(offlineShare: 1, isLast: false)
        let byUpdates: Bool? = online.evaluateEverySteps > 0 ? false : nil
        try run.settle(since: before, isLast: false, evaluating: byUpdates, adding: save)
      }
      if online.evaluateEverySteps > 0, !Interruption.isAsked {
        let now = run.learner.updates
        try run.settle(since: now, isLast: false, steps: 0, evaluating: true, adding: save)
      }
    }

    /// One update, of which a share of the rows is the datasets'.
    private func update(offlineShare share: Double, isLast: Bool) throws {
      let weights = weights(share, sampler.sources)
      sampler.draw(UInt64(run.learner.updates), weights: weights, into: &batch)
      try run.update(on: batch, isLast: isLast, waiting: waiting, adding: measured(share))
    }

    /// The weights of the run's own episodes and of datasets, of which the latter have a share.
    private func weights(_ share: Double, _ sources: [WeightedSource]) -> [Double] {
      let whole = sources.dropFirst().reduce(0) { $0 + $1.weight }
      return [sources[0].source.table.count > 0 ? 1 - share : 0]
        + sources.dropFirst().map { share * $0.weight / whole }
    }

    /// Begins an episode with the present policy.
    private func begin(_ number: Int) {
      worker.begin(
        EpisodeWorker.Request(
          number: number, seed: dataset.seed(ofEpisode: number),
          policy: run.learner.makeCollectingPolicy(),
          exploration: schedule.exploration(ofEpisode: number)))
    }

    /// Waits for the episode that was begun, and keeps it.
    private func take() throws {
      let asked = ContinuousClock.now
      let episode = try worker.result()
      waiting += (ContinuousClock.now - asked) / .seconds(1)
      try dataset.append(episode)
      hold(episode)
      state.episodes += 1
    }

    private func hold(_ episode: Trajectory) {
      let number = successes.count
      let isHeldOut = schedule.isHeldOut(episode: number, seed: run.configuration.seed)
      (isHeldOut ? heldOut : buffer).append(episode)
      run.add(
        EpisodeMarks(
          episode, origin: dataset.origin, observation: run.task.spec.observation),
        since: since, isHeldOut: isHeldOut)
      since += schedule.updates(afterEpisode: number)
      successes.append(episode.successes.last ?? false)
    }

    /// The metrics of collecting, logged with the learner's.
    private func measured(_ share: Double) -> Metrics {
      var metrics = Metrics()
      let recent = successes.suffix(100)
      metrics.append("episodes", Float(successes.count))
      metrics.append("collected_success", Float(recent.count { $0 }) / Float(max(1, recent.count)))
      metrics.append("offline_share", Float(share))
      let weights = weights(share, [WeightedSource(heldOut)] + offlineHeldOut)
      if let losses = validation?.metrics(of: run.learner, on: batch, weights: weights) {
        metrics.append(losses)
      }
      return metrics
    }

    /// Writes the loop's state into a checkpoint in the making.
    func save(to checkpoint: URL) throws {
      try WholeFile.write(
        try JSON.line(state) + Data("\n".utf8),
        to: checkpoint.appendingPathComponent("online.json"))
      try dataset.save(to: checkpoint)
    }
  }
}
