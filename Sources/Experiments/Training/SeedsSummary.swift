import GoalCore
public import Reporting
import Statistics

/// The results of several seeds of one configuration.
public struct SeedsSummary: Sendable {
  /// The runs, in the order of their seeds.
  public let runs: [TrainingSummary]

  /// The last evaluation of each run, and what they are together; nil if some had none.
  ///
  /// All runs were evaluated on the same starts, so the mean over seeds has the interval that
  /// `goalpost evaluate` gives a method (`CrossedScores.level`). The interquartile mean has that of
  /// a bootstrap that draws runs and starts, from `PairedComparison.leastRuns` runs on.
  public func table() -> Table? {
    let found = evaluations
    guard let first = found.first, runs.count >= 2, found.count == runs.count else { return nil }
    let episodes = "\(first.evaluation[.success].episodes)"
    var table = Table(["seed"] + first.evaluation.byName.map(\.name) + ["episodes"])
    for (run, each) in zip(runs, found) {
      table.rows.append(["\(run.seed)"] + each.evaluation.byName.map(\.value) + [episodes])
    }
    func row(_ name: String, _ value: (CrossedScores, ClosedRange<Double>) -> Estimate) {
      table.rows.append(
        [name]
          + Measure.allCases.map { measure in
            value(measure.crossed(found.map(\.scores)), measure.range(first.task))
          } + [episodes])
    }
    if hasInterquartile {
      row("IQM over \(runs.count) seeds") { scores, range in
        StratifiedBootstrap(replicates: 5_000).estimates(
          [.interquartileMean], of: [scores], in: range)[0]
      }
    }
    row("mean over \(runs.count) seeds") { $0.level(in: $1) }
    return table
  }

  /// The subject of the table's intervals, and what was left out, a sentence each.
  public var notes: [String] {
    [
      "95 % intervals of one run: this checkpoint, on starts in general; over seeds: the method, for "
        + "training seeds and starts in general"
    ]
      + (hasInterquartile
        ? []
        : [
          "the interquartile mean of fewer than \(PairedComparison.leastRuns) seeds is left out: its "
            + "interval would be little but their range"
        ])
  }

  private var hasInterquartile: Bool { runs.count >= PairedComparison.leastRuns }

  private var evaluations: [LastEvaluation] { runs.compactMap(\.last) }
}

/// A run's last evaluation with its episodes.
struct LastEvaluation: Sendable {
  let scores: [EpisodeScore]
  let task: GoalTask
  let evaluation: Evaluation
}
