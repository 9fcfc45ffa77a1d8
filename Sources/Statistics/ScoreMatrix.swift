/// The scores of a method's runs on several tasks.
///
/// Shapes: `M` tasks, `N_m` runs of task m; tasks may have unlike numbers of runs.
public struct ScoreMatrix: Sendable, Equatable {
  /// Scores by task, then run: `[M][N_m]`; every task has a run.
  public let scores: [[Double]]

  /// Makes a matrix of scores by task.
  public init(_ scores: [[Double]]) {
    precondition(
      !scores.isEmpty && scores.allSatisfy { !$0.isEmpty }, "every task needs a run's score")
    self.scores = scores
  }

  /// Runs over all tasks.
  public var count: Int { scores.reduce(0) { $0 + $1.count } }
}

/// One number for all of a method's scores.
///
/// Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical Precipice", NeurIPS
/// 2021, arXiv:2108.13264; definitions are `rliable`'s (github.com/google-research/rliable,
/// `rliable/metrics.py`), which takes as many runs of every task.
public enum Aggregate: Sendable, Equatable {
  /// The mean over tasks of the means over runs.
  case mean
  /// The median over tasks of the means over runs.
  case median
  /// The mean of all scores but the lowest and the highest quarter, each rounded down.
  case interquartileMean
  /// γ less the mean of min(score, γ): how far scores fall short of γ.
  case optimalityGap(target: Double)

  /// The four, the gap from a score of 1.
  public static let all: [Aggregate] = [
    .mean, .median, .interquartileMean, .optimalityGap(target: 1),
  ]

  /// Its name in tables.
  public var name: String {
    switch self {
    case .mean: "mean"
    case .median: "median"
    case .interquartileMean: "IQM"
    case .optimalityGap: "optimality gap"
    }
  }
}
