/// The scores of training runs that were all evaluated on the same starts: a crossed design.
///
/// Run i of R has on start j of N the score y_ij, modelled as
///
///     y_ij = μ + a_i + b_j + e_ij
///
/// with the run's own level a, the start's difficulty b, which all runs share, and the rest e. The
/// mean of all scores has the variance σ²_a/R + σ²_b/N + σ²_e/RN. Student's interval over the runs'
/// means knows σ²_a/R + σ²_e/RN alone: what the starts do, they do to all runs, so it is not seen
/// in how the runs differ.
///
/// Starts may fall into K equal parts that are not drawn, such as the tasks of a world. Then b_j is
/// drawn within its part, and μ is the mean over these parts. σ²_b/N is that of the parts' own
/// variances, Σ_k σ²_k/n_k / K² with n_k = N/K.
public struct CrossedScores: Sendable, Equatable {
  /// Scores by run, then start: `[R][N]`.
  public let scores: [[Double]]
  /// Parts that the starts fall into, one after the other.
  public let parts: Int
  /// The mean of all scores.
  public let mean: Double
  /// Means over runs, by start: `[N]`.
  let byStart: [Double]
  /// The variance of the mean that runs give, with what is neither the run's nor the start's:
  /// σ²_a/R + σ²_e/RN, from the runs' means with R − 1 degrees of freedom; 0 of one run.
  let ofRuns: Double
  /// The part of it that is neither's: σ²_e/RN; 0 of one run, whose starts hold it.
  let ofRest: Double

  /// Makes a design of scores by run, then start; there is a run and a start, and each run has
  /// every start.
  ///
  /// Parts of one start say nothing of how starts within them differ, and count as one part in all.
  public init(_ scores: [[Double]], parts: Int = 1) {
    let count = scores.first?.count ?? 0
    precondition(parts > 0 && count % parts == 0, "\(count) starts in \(parts) equal parts")
    self.parts = count > parts ? parts : 1
    precondition(
      count > 0 && scores.allSatisfy { $0.count == count },
      "every run needs the score of each start")
    self.scores = scores
    let (r, n) = (Double(scores.count), Double(count))
    let byRun = scores.map { $0.reduce(0, +) / n }
    var byStart = [Double](repeating: 0, count: count)
    for row in scores { for (j, score) in row.enumerated() { byStart[j] += score } }
    for j in byStart.indices { byStart[j] /= r }
    self.byStart = byStart
    let mean = byRun.reduce(0, +) / r
    self.mean = mean
    let largest = scores.reduce(0) { max($0, $1.reduce(0) { max($0, abs($1)) }) }
    func real(_ variance: Double) -> Double { Self.real(variance, largest) }
    guard scores.count > 1 else {
      (ofRuns, ofRest) = (0, 0)
      return
    }
    ofRuns = real(Intervals.moments(byRun).variance / r)
    var rest = 0.0
    for (row, level) in zip(scores, byRun) {
      for (score, ease) in zip(row, byStart) {
        let deviation = score - level - ease + mean
        rest += deviation * deviation
      }
    }
    ofRest = count > 1 ? real(rest / ((r - 1) * (n - 1) * r * n)) : 0
  }

  /// A variance, or 0 if it is no more than rounding leaves of scores as large as that.
  private static func real(_ variance: Double, _ largest: Double) -> Double {
    variance > 1e-24 * largest * largest ? variance : 0
  }

  /// Training runs.
  public var runs: Int { scores.count }
  /// Starts.
  public var starts: Int { byStart.count }

  /// The spread of the mean, or of its difference from another mean on the same starts.
  ///
  ///     runs:    s²_runs / R, of each that has several
  ///     starts:  max(0, s²_starts / N − Σ σ̂²_e / RN),   s²_starts of their means or differences
  func spread(less other: CrossedScores? = nil) -> Spread {
    let sides = [self] + (other.map { [$0] } ?? [])
    let values = other.map { zip(byStart, $0.byStart).map { $0 - $1 } } ?? byStart
    let k = Double(parts)
    let length = starts / parts
    let largest = values.reduce(0) { max($0, abs($1)) }
    let rest = sides.reduce(0) { $0 + $1.ofRest }
    let degrees = max(1, Double(length) - 1)
    let variances = (0..<parts).map { part in
      let own = Array(values[part * length..<(part + 1) * length])
      return Self.real(Intervals.moments(own).variance / (Double(length) * k * k), largest)
    }
    let all = variances.map { Spread.Part(variance: $0, degrees: degrees) }
    return Spread(
      runs: sides.filter { $0.runs > 1 }.map {
        Spread.Part(variance: $0.ofRuns, degrees: Double($0.runs - 1))
      },
      starts: variances.map { variance in
        let shared = max(0, variance - rest / k)
        // What is left when nearly equal numbers are taken from each other is none.
        return Spread.Part(variance: shared > 1e-12 * variance ? shared : 0, degrees: degrees)
      },
      least: parts == 1
        ? all[0]
        : Spread.Part(variance: variances.reduce(0, +), degrees: Spread.degrees(all)),
      count: starts)
  }

  /// The mean and its 95 % interval within a range.
  ///
  /// Of several runs it is about the method: other training seeds, and other starts. Of one run it
  /// is about this run on other starts. The variances and the quantile are those of `spread` and
  /// `Spread`, the ends those of a score interval; if all agree it is a rule of three over the
  /// starts. `episodes` of the estimate is the number of runs, or of starts if there is one run.
  ///
  /// A two-way (pigeonhole) bootstrap, A. B. Owen, Annals of Applied Statistics 1 (2007), is no
  /// better way here: of three runs it draws ten different triples, so that its interval knows
  /// little but their range.
  public func level(in range: ClosedRange<Double>) -> Estimate {
    Intervals.around(mean, spread(), in: range, of: runs > 1 ? runs : starts)
  }

  /// The difference of the means of two on the same starts, these less others, with its 95 %
  /// interval.
  ///
  /// It is paired by start, and about starts in general; of several runs about training seeds in
  /// general, which are taken as drawn apart for the two. The interval ends where the range's width
  /// does.
  public func difference(less other: CrossedScores, in range: ClosedRange<Double>) -> Estimate {
    precondition(
      starts == other.starts && parts == other.parts, "\(starts) and \(other.starts) starts")
    let width = range.upperBound - range.lowerBound
    let found = mean - other.mean
    let spread = spread(less: other)
    let half = spread.half
    let (low, high) =
      half > 0
      ? (found - half, found + half)
      : Intervals.agreeing(found, count: spread.count, in: -width...width)
    return Estimate(
      estimate: found, low: min(found, max(-width, low)), high: max(found, min(width, high)),
      episodes: runs > 1 && other.runs > 1 ? runs + other.runs : starts)
  }

  /// The mean over several worlds of a method's means, with its interval; each world has runs and
  /// starts of its own.
  public static func mean(over worlds: [CrossedScores], in range: ClosedRange<Double>) -> Estimate {
    precondition(!worlds.isEmpty, "a mean over worlds needs a world")
    let mean = worlds.reduce(0) { $0 + $1.mean } / Double(worlds.count)
    return Intervals.around(
      mean, Spread.mean(worlds.map { $0.spread() }), in: range,
      of: worlds.reduce(0) { $0 + $1.runs })
  }
}
