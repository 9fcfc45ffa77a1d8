import Environments
import Foundation
import GoalCore
import Learners
import Reporting
public import Statistics
import Support

/// Policies held against datasets: their actions, their values, and where they get from its states.
public struct DatasetEvaluation: Encodable, Sendable {
  /// The request.
  public struct Request: Sendable {
    /// The datasets' folders.
    public var datasets: [String]
    /// Episodes that are read of each, spread evenly over it.
    public var readEpisodes = 400
    /// Steps and goals that are drawn of each episode for each offset.
    public var draws = 2
    /// The seed of the draws.
    public var seed: UInt64 = 0
    /// Threads.
    public var workers: Int
    /// Updates of fitted-Q evaluation; 0 for none.
    public var fittedUpdates = 0
    /// Offsets k of goals for episodes in the simulator; empty for none.
    public var offsets: [Int] = []
    /// Episodes in the simulator for each offset.
    public var episodes = 100

    /// Makes a request of what needs no simulator.
    public init(_ datasets: [String], workers: Int) {
      self.datasets = datasets
      self.workers = workers
    }
  }

  /// The results on one part of a dataset, without a simulator.
  public struct Part: Encodable, Sendable {
    /// Whether the policy was trained on it.
    public let part: TrainingPart
    /// Episodes looked at.
    public let episodes: Int
    /// How far its actions are from the data's.
    public let actions: ActionErrors
    /// How its first actions agree; nil if the data ask for no goals.
    public let firstActions: FirstActions?
    /// How its values are calibrated; nil for a policy without values.
    public let values: ValueCalibration?
    /// Mean value of the episodes' first states for their goals, by fitted-Q evaluation; nil if
    /// none was asked for.
    public let fittedQ: Estimate?
    /// What `fittedQ` estimates, by rolling out from such first states; nil without a simulator.
    public let simulatedReturn: Estimate?

    /// By how much fitted-Q evaluation is above the simulator.
    public var fittedQError: Double? {
      if let fittedQ, let simulatedReturn {
        fittedQ.estimate - simulatedReturn.estimate
      } else {
        nil
      }
    }
  }

  /// One policy on one dataset.
  public struct Entry: Encodable, Sendable {
    /// The policy's name.
    public let policy: String
    /// The dataset's folder.
    public let dataset: String
    /// How many of its episodes were looked at.
    public let readEpisodes: Int
    /// How many it has.
    public let datasetEpisodes: Int
    /// Part by part.
    public let parts: [Part]
    /// From the dataset's states; nil if none was asked for.
    public let rollouts: DatasetRollouts?

    /// How each start ended, for comparing policies.
    let outcomes: [DatasetRollouts.Outcome]

    enum CodingKeys: String, CodingKey {
      case policy, dataset, readEpisodes, datasetEpisodes, parts, rollouts
    }
  }

  /// The world's id.
  public let environment: String
  /// γ of fitted-Q evaluation, 1 − 1/horizon.
  public let discount: Double
  /// The results, dataset by dataset, in the order of the policies.
  public let entries: [Entry]

  /// Holds policies against datasets; a simulator is needed only for offsets.
  public static func run(
    _ names: [String], _ request: Request, silent: Bool = false
  ) throws -> DatasetEvaluation {
    let samples = try request.datasets.map {
      try DatasetSample($0, episodes: request.readEpisodes)
    }
    guard let first = samples.first else {
      throw ExperimentError.badSettings(path: "evaluate", reason: "--against needs a dataset")
    }
    for other in samples where other.task != first.task {
      throw ExperimentError.otherDataset(
        path: other.path, world: other.task.identifier, expected: first.task.identifier)
    }
    let policies = try names.map { try Judged($0, task: first.task) }
    let world =
      try request.offsets.isEmpty
      ? nil : EnvironmentRegistry.world(first.task.identifier).load()
    var entries: [Entry] = []
    for sample in samples {
      let drawn =
        try request.offsets.isEmpty
        ? nil
        : DatasetRollouts.starts(
          in: sample, offsets: request.offsets, episodes: request.episodes, seed: request.seed)
      for policy in policies {
        let membership = policy.parts(of: sample)
        let parts = try TrainingPart.allCases.compactMap { part in
          let episodes = zip(sample.episodes, membership).filter { $1 == part }.map(\.0)
          return episodes.isEmpty
            ? nil : try policy.part(part, episodes, of: sample, world, request)
        }
        var (rollouts, outcomes) = (DatasetRollouts?.none, [DatasetRollouts.Outcome]())
        if let drawn, let world {
          let progress = ProgressReport(
            "evaluate \(policy.name)", total: drawn.starts.count, unit: "episodes", silent: silent)
          outcomes = try DatasetRollouts.outcomes(
            of: policy.named, from: drawn.starts, in: sample, world, workers: request.workers,
            progress: progress)
          rollouts = DatasetRollouts(
            drawn.starts, outcomes,
            parts: drawn.starts.map { membership[$0.episode] }, leftOut: drawn.leftOut)
        }
        entries.append(
          Entry(
            policy: policy.name, dataset: sample.path,
            readEpisodes: sample.episodes.count, datasetEpisodes: sample.count, parts: parts,
            rollouts: rollouts, outcomes: outcomes))
      }
    }
    return DatasetEvaluation(
      environment: first.task.identifier, discount: 1 - 1 / Double(first.task.spec.horizon),
      entries: entries)
  }
}

/// A policy that is held against data, with its learner if that has values.
struct Judged {
  let name: String
  let named: NamedPolicy
  let valuing: (any GoalValuing)?
  private let seen: TrainingParts

  init(_ name: String, task: GoalTask) throws {
    self.name = name
    guard name != "random", name != "scripted" else {
      named = try Policies.named(name, for: EnvironmentRegistry.world(task.identifier))
      valuing = nil
      seen = try TrainingParts(policy: name, header: nil)
      return
    }
    let loaded = try Checkpoint.policy(name, for: task)
    named = loaded.policy
    valuing = try Checkpoint.learner(of: name) as? any GoalValuing
    seen = try TrainingParts(policy: name, header: loaded.header)
  }

  /// Of each episode of a sample whether the policy was trained on it.
  func parts(of sample: DatasetSample) -> [TrainingPart] {
    sample.episodes.map { seen.part(of: $0.marks, in: $0.manifests) }
  }

  /// The results on the episodes of a part.
  func part(
    _ part: TrainingPart, _ episodes: [DatasetSample.Episode], of sample: DatasetSample,
    _ world: LoadedWorld?, _ request: DatasetEvaluation.Request
  ) throws -> DatasetEvaluation.Part {
    let (policy, task) = (named.policy, sample.task)
    let rows = try Parallel.map(
      count: episodes.count, workers: request.workers, context: { policy.makeActor() }
    ) { actor, number in
      ActionErrors.rows(
        of: episodes[number], task: task, actor: actor, draws: request.draws, seed: request.seed)
    }
    let values = valuing.flatMap { learner in
      ValueCalibration(
        episodes.enumerated().flatMap { number, episode in
          ValueCalibration.rows(
            of: episode, number: number, task: task, draws: request.draws, seed: request.seed)
        }, of: learner)
    }
    return DatasetEvaluation.Part(
      part: part, episodes: episodes.count, actions: ActionErrors(rows),
      firstActions: FirstActions(episodes, task: task, actor: policy.makeActor()),
      values: values,
      fittedQ: request.fittedUpdates > 0
        ? try FittedQ.value(
          of: named, on: episodes, task: task, updates: request.fittedUpdates,
          seed: request.seed, workers: request.workers) : nil,
      simulatedReturn: try world.flatMap { world in
        request.fittedUpdates > 0
          ? try SimulatedReturn.estimate(
            of: named, on: episodes, in: sample, world, episodes: request.episodes,
            workers: request.workers) : nil
      })
  }
}
