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

  /// z₀.₉₇₅ + z₀.₈: an interval misses 0 with probability 0.8 if its half is z₀.₉₇₅ / this of the difference.
  private static let reach = Intervals.z + 0.8416212335729143

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
    let mean = differences.reduce(0, +) / n
    let variance: Double
    switch kind {
    case .proportion:
      let plus = (Double(differences.count { $0 > 0 }) + 1) / (n + 2)
      let minus = (Double(differences.count { $0 < 0 }) + 1) / (n + 2)
      variance = plus + minus - (plus - minus) * (plus - minus)
      let half = Intervals.z * (variance / (n + 2)).squareRoot()
      difference = Estimate(
        estimate: mean, low: max(-1, plus - minus - half), high: min(1, plus - minus + half),
        episodes: ours.count)
    case .mean:
      difference = Intervals.bootstrap(differences)
      variance = Intervals.moments(differences).variance
    }
    improvement = Intervals.bootstrap(
      differences.map { sign * $0 > 0 ? 1 : $0 == 0 ? 0.5 : 0 })
    verdict = Self.verdict(difference, sign: sign)
    wouldTell = Self.count(variance: variance, difference: mean)
    units = .episodes
  }

  /// Compares the results of seeds: Welch's interval, and `rliable`'s probability of improvement.
  ///
  /// Of each two seeds are needed.
  public init(seeds ours: [Double], over theirs: [Double], higherIsBetter: Bool = true) {
    let sign: Double = higherIsBetter ? 1 : -1
    difference = Intervals.welch(ours, less: theirs)
    improvement = StratifiedBootstrap(replicates: 10_000).probabilityOfImprovement(
      of: ScoreMatrix([ours.map { sign * $0 }]), over: ScoreMatrix([theirs.map { sign * $0 }]))
    verdict = Self.verdict(difference, sign: sign)
    wouldTell = Self.count(
      variance: Intervals.moments(ours).variance + Intervals.moments(theirs).variance,
      difference: difference.estimate
    ).map { max(2, $0) }
    units = .seeds
  }

  private static func verdict(_ difference: Estimate, sign: Double) -> Verdict {
    let ends = [sign * difference.low, sign * difference.high]
    if ends.allSatisfy({ $0 > 0 }) { return .better }
    if ends.allSatisfy({ $0 < 0 }) { return .worse }
    return .unclear
  }

  /// n = (z₀.₉₇₅ + z₀.₈)² σ² / δ².
  private static func count(variance: Double, difference: Double) -> Int? {
    guard difference != 0, variance > 0 else { return nil }
    let wanted = (reach * reach * variance / (difference * difference)).rounded(.up)
    return wanted < 1e9 ? Int(wanted) : nil
  }

  /// The verdict in a plain sentence about two names.
  public func sentence(_ ours: String, _ theirs: String, on what: String) -> String {
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
