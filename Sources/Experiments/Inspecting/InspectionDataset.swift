public import Foundation
import Environments
import GoalCore
public import Reporting
public import Storage
public import Statistics
import Support

/// A description of a dataset and of its contents.
///
/// Each thread reads one shard at a time. It keeps data of fixed size, four numbers per episode,
/// and at most 500,000 rows of each column for quantiles. The result does not depend on the number
/// of threads.
public struct DatasetInspection: Codable, Sendable, Equatable {
  /// Sizes.
  public struct Counts: Codable, Sendable, Equatable {
    /// Episodes.
    public let episodes: Int
    /// Steps.
    public let steps: Int
    /// Shards.
    public let shards: Int
    /// Bytes of all shards.
    public let bytes: Int
  }

  /// Steps of an episode.
  public struct Lengths: Codable, Sendable, Equatable {
    /// The shortest.
    public let minimum: Int
    /// The median.
    public let median: Double
    /// The longest.
    public let maximum: Int
    /// How many there are of which length.
    public let histogram: Histogram
  }

  /// Actions.
  public struct Actions: Codable, Sendable, Equatable {
    /// Statistics of each dimension; nil if actions are discrete.
    public let statistics: ColumnSummary?
    /// Counts of each dimension in 10 bins over the space; nil if actions are discrete.
    public let histograms: [Histogram]?
    /// Values of each dimension outside the space; nil if actions are discrete.
    public let outside: [Int]?
    /// Steps of each action; nil if actions are continuous.
    public let counts: [Int]?
  }

  /// Where a dataset comes from.
  public struct Lineage: Codable, Sendable, Equatable {
    /// Id, task, recipe, digest of the model and versions of libraries.
    public let identity: DatasetIdentity
    /// The manifest's own SHA-256, by which runs name the dataset.
    public let manifest: String
    /// The calls that made it, if they are known.
    public let provenance: Provenance?
  }

  /// The folder.
  public let dataset: String
  /// Sizes.
  public let counts: Counts
  /// Steps of an episode.
  public let lengths: Lengths
  /// Share of episodes whose goal is reached at the end; Wilson's interval.
  ///
  /// This, and all up to `behaviour`, is nil if the column that it comes from is not stored.
  public let success: Estimate?
  /// Share of episodes whose goal is reached at some step; Wilson's interval.
  public let successEver: Estimate?
  /// Share of the episodes still going on whose goal is reached after each step.
  public let successByStep: [Estimate]?
  /// Mean undiscounted 0/1 return (the world's reward plus 1) over all steps, with Student's
  /// interval over episodes.
  ///
  /// It stays between 0 and the longest episode's steps if all returns do.
  public let `return`: Estimate?
  /// The same over the first horizon − 1 steps, as the WGCSL paper counts; in JSON `return49` for
  /// 50.
  public let returnBeforeLast: Estimate?
  /// Episodes by their return over all steps.
  public let returns: Histogram?
  /// Episodes with a reward that is not finite, which the returns leave out; nil if all are finite.
  public let rewardsNotFinite: Int?
  /// Share of steps by the source of their action: policy, noise, random.
  public let behaviour: [String: Double]?
  /// The longest way of each of the world's things in one step, such as the gripper's, in the unit
  /// of its position; nil if the world is not known.
  public let largestSteps: [String: Double]?
  /// Observations.
  public let observations: ColumnSummary
  /// Actions.
  public let actions: Actions
  /// Goals.
  public let goals: GoalCoverage
  /// Where it comes from.
  public let lineage: Lineage
}

extension DatasetInspection {
  /// The property's own name, but `return49` for the return before the last of 50 steps.
  public func name(ofKey key: String) -> String {
    key == "returnBeforeLast"
      ? Measure.returnBeforeLast.name(horizon: lineage.identity.task.spec.horizon) : key
  }

  /// Reads all of a dataset on `workers` threads.
  public static func run(
    _ folder: URL, workers: Int, silent: Bool = false
  ) throws -> DatasetInspection {
    try run(folder, workers: workers, sampleLimit: RowSample.limit, silent: silent)
  }

  static func run(
    _ folder: URL, workers: Int, sampleLimit: Int, silent: Bool
  ) throws -> DatasetInspection {
    let dataset = try Dataset(at: folder)
    let manifest = dataset.manifest
    let spec = manifest.task.spec
    let samples = ShardSummary.Samples(
      states: RowSample(of: manifest.totals.steps + manifest.totals.episodes, limit: sampleLimit),
      steps: RowSample(of: manifest.totals.steps, limit: sampleLimit))
    var firsts: [(step: Int, state: Int)] = [(0, 0)]
    for (shard, first) in zip(manifest.shards, 0...) {
      let before = firsts[first]
      firsts.append(
        (before.step + shard.steps, before.state + shard.steps + shard.episodes.count))
    }
    let starts = firsts
    let world = try? EnvironmentRegistry.world(manifest.task.identifier)
    let things = world?.task == manifest.task ? world?.bounds.things ?? [] : []
    let progress = ProgressReport(
      "inspect \(folder.lastPathComponent)", total: manifest.totals.episodes, unit: "episodes",
      silent: silent)
    let summaries = try Parallel.map(
      count: manifest.shards.count, workers: workers, context: {}
    ) { _, index in
      let reader = try dataset.open(manifest.shards[index], threads: 1)
      let summary = try ShardSummary(
        reader, task: manifest.task, firstStep: starts[index].step,
        firstState: starts[index].state, samples: samples, things: things)
      progress.advance(by: reader.episodes)
      return summary
    }
    guard var all = summaries.first else { preconditionFailure("a dataset has a shard") }
    for summary in summaries.dropFirst() { all.merge(summary) }

    // Goals are counted once their range is known.
    let plane = GoalPlane(around: all.desired, all.achieved)
    let counted = try Parallel.map(
      count: manifest.shards.count, workers: workers, context: {}
    ) { _, index in
      let reader = try dataset.open(manifest.shards[index], threads: 1)
      var counts = plane.empty
      let columns = try reader.columns()
      defer { withExtendedLifetime(columns) {} }
      if let desired = columns.desiredGoals {
        plane.add(desired, width: spec.goal, to: &counts.desired)
      }
      plane.add(columns.achievedGoals, width: spec.goal, to: &counts.achieved)
      return counts
    }
    var cells = plane.empty
    for counts in counted { cells.merge(counts) }
    progress.finish()
    return try DatasetInspection(
      folder: folder, manifest: manifest, all, things: things.map(\.name),
      goals: GoalCoverage(plane, desired: all.desired, achieved: all.achieved, counts: cells),
      workers: workers)
  }

  private init(
    folder: URL, manifest: Manifest, _ all: ShardSummary, things: [String], goals: GoalCoverage,
    workers: Int
  ) throws {
    let episodes = all.lengths.count
    dataset = folder.relativePath
    counts = Counts(
      episodes: episodes, steps: all.lengths.reduce(0, +), shards: manifest.shards.count,
      bytes: manifest.shards.reduce(0) { $0 + $1.bytes })
    let sorted = all.lengths.map { Double($0) }.sorted()
    lengths = Lengths(
      minimum: all.lengths.min() ?? 0, median: Intervals.quantile(sorted, 0.5),
      maximum: all.lengths.max() ?? 0, histogram: Histogram(sorted))
    success = all.successes.map { Intervals.wilson(successes: $0.atEnd, of: episodes) }
    successEver = all.successes.map { Intervals.wilson(successes: $0.ever, of: episodes) }
    // Episodes that have a step t: all but those that are shorter.
    var going = [Int](repeating: 0, count: all.lengths.max() ?? 0)
    for length in all.lengths { going[length - 1] += 1 }
    for step in going.indices.dropLast().reversed() { going[step] += going[step + 1] }
    successByStep = all.successes.map { found in
      zip(found.byStep, going).map { Intervals.wilson(successes: $0, of: $1) }
    }
    let hasReturns = all.returns.count == episodes
    let finite = all.returns.indices.filter { all.returns[$0].isFinite }
    func mean(_ values: [Double]) -> Estimate? {
      guard hasReturns, !finite.isEmpty else { return nil }
      let chosen = finite.map { values[$0] }
      let bounds = 0...Double(all.lengths.max() ?? 0)
      return Intervals.mean(
        chosen, in: chosen.allSatisfy(bounds.contains) ? bounds : -.infinity ... .infinity)
    }
    `return` = mean(all.returns)
    returnBeforeLast = mean(all.returnsBeforeLast)
    returns = hasReturns ? Histogram(all.returns) : nil
    rewardsNotFinite =
      hasReturns && finite.count < episodes ? episodes - finite.count : nil
    let steps = Double(counts.steps)
    behaviour = all.sources.map { sources in
      Dictionary(
        BehaviourSource.allCases.map { ("\($0)", Double(sources[Int($0.rawValue)]) / steps) },
        uniquingKeysWith: { $1 })
    }
    largestSteps =
      things.isEmpty ? nil : Dictionary(zip(things, all.largestSteps), uniquingKeysWith: max)
    observations = try ColumnSummary(
      all.observations, sample: all.sampledObservations, workers: workers)
    let actions = all.actions
    switch manifest.task.spec.action {
    case .continuous(let low, let high):
      self.actions = Actions(
        statistics: try actions.sums.map {
          try ColumnSummary($0, sample: actions.sampled, workers: workers)
        },
        histograms: actions.binned.enumerated().map { k, counts in
          let width = (Double(high[k]) - Double(low[k])) / Double(ActionSummary.bins)
          return Histogram(low: Double(low[k]), width: width, counts: counts)
        },
        outside: actions.outside, counts: nil)
    case .discrete:
      self.actions = Actions(
        statistics: nil, histograms: nil, outside: nil, counts: actions.counts)
    }
    self.goals = goals
    lineage = Lineage(
      identity: manifest.identity, manifest: try manifest.digest(),
      provenance: try Provenance(in: folder))
  }
}
