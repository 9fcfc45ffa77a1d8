internal import Foundation

/// What a comparison comes to.
public enum Verdict: String, Codable, Sendable {
  /// The interval of the difference lies on the better side of 0.
  case better
  /// It lies on the worse side.
  case worse
  /// It holds 0.
  case unclear = "can't tell"
}

/// How one policy did beside another on the same episodes, or one method's seeds beside another's.
///
/// Differences are ours less theirs. All intervals are 95 %.
public struct PairedComparison: Codable, Sendable, Equatable {
  /// What is compared.
  public enum Units: String, Codable, Sendable {
    /// The same starts and goals under both.
    case episodes
    /// Training runs of both.
    case seeds
  }

  /// What the values are.
  public enum Kind: Sendable {
    /// 0 or 1 in each episode.
    case proportion
    /// Any number, of which a mean is taken.
    case mean
  }

  /// The mean difference with its interval.
  public let difference: Estimate
  /// The probability that ours beats theirs, ties as halves.
  public let improvement: Estimate
  /// Better, worse or can't tell.
  public let verdict: Verdict
  /// Episodes, or seeds of each, with which a difference of this size would be told from 0 with
  /// probability 0.8; nil where no difference was seen, or there were no two seeds to tell the spread from.
  public let wouldTell: Int?
  /// What was counted.
  public let units: Units

  /// The 80 % quantile of the normal distribution.
  private static let z80 = 0.8416212335729143

  /// Compares values of the same episodes, in one order.
  ///
  /// For proportions, with n episodes, f₊ of which only we reached and f₋ only they:
  ///
  ///     p± = (f± + 1) / (n + 2),   p₊ − p₋ ± z √((p₊ + p₋ − (p₊ − p₋)²) / (n + 2))
  ///
  /// the adjusted Wald interval for paired proportions of Bonett and Price, Br. J. Math. Stat. Psychol.
  /// 65 (2012); the estimate is (f₊ − f₋) / n. For means the interval is the percentile bootstrap's
  /// over episodes, whose differences are drawn as pairs. The probability of improvement is the share of
  /// episodes in which ours is the better, with halves for ties, and its bootstrap interval.
  public init(
    _ ours: [Double], over theirs: [Double], kind: Kind, higherIsBetter: Bool = true
  ) {
    precondition(
      !ours.isEmpty && ours.count == theirs.count,
      "pairs are needed, found \(ours.count) and \(theirs.count) values")
    let differences = zip(ours, theirs).map { $0 - $1 }
    let n = Double(ours.count)
    let sign: Double = higherIsBetter ? 1 : -1
    switch kind {
    case .proportion:
      let (plus, minus) = (differences.count { $0 > 0 }, differences.count { $0 < 0 })
      let (middle, half) = Self.discordance(Double(plus), Double(minus), of: n)
      difference = Estimate(
        estimate: differences.reduce(0, +) / n, low: max(-1, middle - half),
        high: min(1, middle + half), episodes: ours.count)
      wouldTell = Self.pairs(Double(plus) / n, Double(minus) / n)
    case .mean:
      difference = Intervals.bootstrap(differences)
      wouldTell = Self.count(
        variance: Intervals.moments(differences).variance, difference: difference.estimate
      ) { Double($0 - 1) }
    }
    improvement = Intervals.bootstrap(
      differences.map { sign * $0 > 0 ? 1 : $0 == 0 ? 0.5 : 0 })
    verdict = Self.verdict(difference, sign: sign)
    units = .episodes
  }

  /// Compares the results of seeds: Welch's interval, and `rliable`'s probability of improvement.
  ///
  /// Of each two seeds are needed. The interval of a difference of shares ends at −1 and 1.
  public init(
    seeds ours: [Double], over theirs: [Double], kind: Kind = .mean, higherIsBetter: Bool = true
  ) {
    let sign: Double = higherIsBetter ? 1 : -1
    let found = Intervals.welch(ours, less: theirs)
    switch kind {
    case .mean: difference = found
    case .proportion:
      difference = Estimate(
        estimate: found.estimate, low: max(-1, found.low), high: min(1, found.high),
        episodes: found.episodes)
    }
    improvement = StratifiedBootstrap().probabilityOfImprovement(
      of: ScoreMatrix([ours.map { sign * $0 }]), over: ScoreMatrix([theirs.map { sign * $0 }]))
    verdict = Self.verdict(difference, sign: sign)
    let (a, b) = (Intervals.moments(ours).variance, Intervals.moments(theirs).variance)
    wouldTell = Self.count(variance: a + b, difference: difference.estimate) {
      Double($0 - 1) * (a + b) * (a + b) / (a * a + b * b)
    }
    units = .seeds
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

  /// The least number of pairs whose expected interval is as far from 0 as a difference falls short of its
  /// own mean with probability 0.2, for shares `p` and `q` of pairs in which one of the two is the better.
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

  /// The least n ≥ (t₀.₉₇₅,ν + t₀.₈,ν)² σ² / δ² with ν degrees of freedom at n.
  private static func count(
    variance: Double, difference: Double, degrees: (Int) -> Double
  ) -> Int? {
    guard difference != 0, variance > 0 else { return nil }
    let effect = variance / (difference * difference)
    return least(from: 2) { n in
      // Student's quantiles beyond some thousand degrees are the normal's.
      let nu = min(degrees(n), 1e4)
      let reach =
        Intervals.studentQuantile(0.975, degrees: nu) + Intervals.studentQuantile(0.8, degrees: nu)
      return Double(n) >= reach * reach * effect
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
      return "can't tell \(ours) from \(theirs): \(what) is the same in all of these "
        + "\(difference.episodes) \(units == .episodes ? "episodes" : "runs")"
    }
    let shown = Self.signed(difference)
    switch verdict {
    case .better: return "\(ours) is better than \(theirs): \(what) differs by \(shown)"
    case .worse: return "\(ours) is worse than \(theirs): \(what) differs by \(shown)"
    case .unclear:
      let many =
        units == .episodes
        ? "with these \(difference.episodes) episodes" : "with these \(difference.episodes) runs"
      let more: String
      if let wouldTell {
        let unit = units == .episodes ? "episodes" : "seeds of each"
        more = "; about \(wouldTell) \(unit) would tell a difference of this size"
      } else {
        let half = (difference.high - difference.low) / 2
        more = "; a difference below \(Estimate.short(half)) would not be seen"
      }
      return "can't tell \(ours) from \(theirs) \(many): \(what) differs by \(shown)\(more)"
    }
  }

  /// An estimate with its sign, as `+0.020 [-0.050, 0.090]`.
  public static func signed(_ estimate: Estimate) -> String {
    (estimate.estimate > 0 ? "+" : "") + estimate.text
  }
}
