internal import Foundation

/// The verdict of a comparison.
public enum Verdict: String, Codable, Sendable {
  /// The interval of the difference lies on the better side of 0.
  case better
  /// It lies on the worse side.
  case worse
  /// It holds 0.
  case unclear = "can't tell"
}

/// How one policy compares with another on the same episodes, or one method's seeds with another's.
///
/// Differences are ours less theirs, paired by start, and about starts in general. All intervals
/// are 95 %.
public struct PairedComparison: Codable, Sendable, Equatable {
  /// The quantity compared.
  public enum Units: String, Codable, Sendable {
    /// The same starts and goals under both.
    case episodes
    /// Training runs of both.
    case seeds
  }

  /// The kind of the values.
  public enum Kind: Sendable {
    /// 0 or 1 in each episode.
    case proportion
    /// Any number, of which a mean is taken.
    case mean
  }

  /// The mean difference with its interval.
  public let difference: Estimate
  /// The probability that ours beats theirs on these starts, ties as halves; nil over fewer than
  /// `leastRuns` runs of either, of which a bootstrap's interval is little but their range.
  public let improvement: Estimate?
  /// Better, worse or can't tell.
  public let verdict: Verdict
  /// Episodes, or seeds of each on these starts, with which a difference of this size would be
  /// detected with probability 0.8.
  ///
  /// It is nil if no difference was seen or one side alone has several seeds. It is also nil if the
  /// starts are too few for any number of seeds.
  public let wouldTell: Int?
  /// The counted units.
  public let units: Units

  /// Runs of each method below which a bootstrap over runs has no interval here.
  public static let leastRuns = 5

  /// The 80 % quantile of the normal distribution.
  private static let z80 = 0.8416212335729143

  /// Compares two policies on the same episodes, in one order.
  ///
  /// For proportions, with n episodes, f₊ of which only we reached and f₋ only they:
  ///
  ///     p± = (f± + 1) / (n + 2),   p₊ − p₋ ± z √((p₊ + p₋ − (p₊ − p₋)²) / (n + 2))
  ///
  /// the adjusted Wald interval for paired proportions of Bonett and Price, Br. J. Math. Stat.
  /// Psychol. 65 (2012); the estimate is (f₊ − f₋) / n. For means it is Student's over the pairs'
  /// differences. The probability of improvement is the share of episodes in which ours is the
  /// better, with halves for ties.
  public init(
    _ ours: [Double], over theirs: [Double], kind: Kind, higherIsBetter: Bool = true
  ) {
    precondition(
      !ours.isEmpty && ours.count == theirs.count,
      "pairs are needed, found \(ours.count) and \(theirs.count) values")
    guard kind == .proportion else {
      self.init(
        CrossedScores([ours]), over: CrossedScores([theirs]), higherIsBetter: higherIsBetter)
      return
    }
    let differences = zip(ours, theirs).map { $0 - $1 }
    let n = Double(ours.count)
    let sign: Double = higherIsBetter ? 1 : -1
    let (plus, minus) = (differences.count { $0 > 0 }, differences.count { $0 < 0 })
    let (middle, half) = Self.discordance(Double(plus), Double(minus), of: n)
    let difference = Estimate(
      estimate: differences.reduce(0, +) / n, low: max(-1, middle - half),
      high: min(1, middle + half), episodes: ours.count)
    self.init(
      difference: difference, improvement: Self.improvement(differences, sign),
      verdict: Self.verdict(difference, sign: sign),
      wouldTell: Self.pairs(Double(plus) / n, Double(minus) / n), units: .episodes)
  }

  private init(
    difference: Estimate, improvement: Estimate?, verdict: Verdict, wouldTell: Int?, units: Units
  ) {
    self.difference = difference
    self.improvement = improvement
    self.verdict = verdict
    self.wouldTell = wouldTell
    self.units = units
  }

  /// Compares runs of two methods that were evaluated on the same starts, whose scores lie in a
  /// range.
  ///
  /// The difference is `CrossedScores.difference`. If both have several runs, the probability of
  /// improvement is `rliable`'s over runs. Otherwise it is the share of episodes in which the mean
  /// over ours is the better.
  public init(
    _ ours: CrossedScores, over theirs: CrossedScores,
    in range: ClosedRange<Double> = -.infinity ... .infinity, higherIsBetter: Bool = true
  ) {
    let sign: Double = higherIsBetter ? 1 : -1
    difference = ours.difference(less: theirs, in: range)
    verdict = Self.verdict(difference, sign: sign)
    let differences = zip(ours.byStart, theirs.byStart).map { $0 - $1 }
    switch (ours.runs > 1, theirs.runs > 1) {
    case (true, true):
      units = .seeds
      let scores = [ours, theirs].map { side in
        side.scores.map { sign * $0.reduce(0, +) / Double(side.starts) }
      }
      improvement =
        min(ours.runs, theirs.runs) < Self.leastRuns
        ? nil
        : StratifiedBootstrap().probabilityOfImprovement(
          of: ScoreMatrix([scores[0]]), over: ScoreMatrix([scores[1]]))
      let (a, b) = (ours.ofRuns * Double(ours.runs), theirs.ofRuns * Double(theirs.runs))
      wouldTell = Self.count(
        variance: a + b, rest: ours.spread(less: theirs).starts.reduce(0) { $0 + $1.variance },
        difference: difference.estimate
      ) {
        Double($0 - 1) * (a + b) * (a + b) / (a * a + b * b)
      }
    case (false, false):
      units = .episodes
      improvement = Self.improvement(differences, sign)
      wouldTell = Self.count(
        variance: Intervals.moments(differences).variance, difference: difference.estimate
      ) { Double($0 - 1) }
    default:
      units = .episodes
      improvement = Self.improvement(differences, sign)
      wouldTell = nil
    }
  }

  /// The share of differences on the better side, ties as halves.
  private static func improvement(_ differences: [Double], _ sign: Double) -> Estimate {
    Intervals.mean(differences.map { sign * $0 > 0 ? 1 : $0 == 0 ? 0.5 : 0 }, in: 0...1)
  }

  private static func verdict(_ difference: Estimate, sign: Double) -> Verdict {
    let ends = [sign * difference.low, sign * difference.high]
    if ends.allSatisfy({ $0 > 0 }) { return .better }
    if ends.allSatisfy({ $0 < 0 }) { return .worse }
    return .unclear
  }

  /// The middle and the half of Bonett and Price's interval.
  private static func discordance(
    _ plus: Double, _ minus: Double, of n: Double
  ) -> (middle: Double, half: Double) {
    let (p, q) = ((plus + 1) / (n + 2), (minus + 1) / (n + 2))
    return (p - q, Intervals.z * ((p + q - (p - q) * (p - q)) / (n + 2)).squareRoot())
  }

  /// The least number of pairs whose expected interval is as far from 0 as a difference falls short
  /// of its own mean with probability 0.2.
  ///
  /// `p` and `q` are the shares of pairs in which one of the two is the better.
  ///
  ///     |p̃ − q̃| − half(n) ≥ z₀.₈ √((p + q − (p − q)²) / n)
  private static func pairs(_ p: Double, _ q: Double) -> Int? {
    guard p != q else { return nil }
    let spread = p + q - (p - q) * (p - q)
    return least(from: 2) { count in
      let n = Double(count)
      let (middle, half) = discordance(p * n, q * n, of: n)
      return abs(middle) - half >= z80 * (spread / n).squareRoot()
    }
  }

  /// The least n with (t₀.₉₇₅,ν + t₀.₈,ν)² (σ² / n + rest) ≤ δ² with ν degrees of freedom at n; nil
  /// if none has.
  private static func count(
    variance: Double, rest: Double = 0, difference: Double, degrees: (Int) -> Double
  ) -> Int? {
    guard difference != 0, variance > 0 else { return nil }
    return least(from: 2) { n in
      // Student's quantiles beyond some thousand degrees are the normal's.
      let nu = min(degrees(n), 1e4)
      let reach =
        Intervals.studentQuantile(0.975, degrees: nu) + Intervals.studentQuantile(0.8, degrees: nu)
      return reach * reach * (variance / Double(n) + rest) <= difference * difference
    }
  }

  /// The least number from which on a rule holds, by doubling and halving; nil beyond 10⁹.
  private static func least(from start: Int, where holds: (Int) -> Bool) -> Int? {
    var high = start
    while !holds(high) {
      high *= 2
      if high > 1_000_000_000 { return nil }
    }
    var low = max(start - 1, high / 2)
    while high - low > 1 {
      let middle = (low + high) / 2
      if holds(middle) { high = middle } else { low = middle }
    }
    return high
  }

  /// The verdict in a plain sentence about two names.
  public func sentence(_ ours: String, _ theirs: String, on what: String) -> String {
    guard difference.low != difference.high || difference.estimate != 0 else {
      return "can't tell \(ours) from \(theirs): \(what) does not differ between these "
        + "\(difference.episodes) \(units == .episodes ? "episodes" : "runs")"
    }
    let shown = Self.signed(difference)
    switch verdict {
    case .better: return "\(ours) is better than \(theirs): \(what) differs by \(shown)"
    case .worse: return "\(ours) is worse than \(theirs): \(what) differs by \(shown)"
    case .unclear:
      let unit = units == .episodes ? "episodes" : "runs"
      let more: String
      if let wouldTell {
        let wanted = units == .episodes ? "episodes" : "seeds of each"
        more = "about \(wouldTell) \(wanted) would tell a difference of this size"
      } else if units == .seeds, difference.estimate != 0 {
        more = "to tell a difference of this size takes more episodes, not seeds alone"
      } else {
        let half = (difference.high - difference.low) / 2
        more = "a difference below \(Estimate.short(half)) would not be seen"
      }
      return "can't tell \(ours) from \(theirs) with these \(difference.episodes) \(unit): "
        + "\(what) differs by \(shown); \(more)"
    }
  }

  /// An estimate with its sign, as `+0.020 [-0.050, 0.090]`.
  public static func signed(_ estimate: Estimate) -> String {
    (estimate.estimate > 0 ? "+" : "") + estimate.text
  }
}
