/// The parts of a mean's variance, and how well each is known.
///
/// The interval is Student's over a sum of variances that have unlike degrees of freedom. With A
/// for the parts that training runs give and B for those that starts give, it reaches
///
///     h = (t_A A + t_B B) / (A + B) · √(A + B),   A = Σ vᵢ
///     t_A = t₀.₉₇₅ with (Σ vᵢ)² / Σ (vᵢ² / νᵢ) degrees
///
/// to both sides, before a range bends it (`Intervals.ends`). The weights are those of W. G.
/// Cochran, Biometrics 20 (1964), for the Behrens–Fisher problem, the degrees within each sum those
/// of F. E. Satterthwaite, Biometrics Bulletin 2 (1946). Satterthwaite's degrees over all parts at
/// once are too many if runs differ and are few: of two runs such an interval covers 88 %
/// (`CoverageTests` says what this one covers).
struct Spread: Sendable, Equatable {
  /// A variance of the mean, and its degrees of freedom.
  struct Part: Sendable, Equatable {
    var variance: Double
    var degrees: Double
  }

  /// The part of training runs: estimated from few.
  var runs: [Part] = []
  /// The part of starts: estimated from many.
  var starts: [Part] = []
  /// Taken if both are zero by chance, as if runs have equal numbers of successes: the variance
  /// over starts of these very runs.
  var least: Part
  /// Starts, of which nothing else was seen if all outcomes agree.
  var count: Int

  /// The half of the interval, before a range bends it; 0 if all agrees.
  var half: Double {
    let (a, b) = (Self.variance(runs), Self.variance(starts))
    guard a + b > 0 else {
      return least.variance > 0
        ? Intervals.studentQuantile(0.975, degrees: least.degrees) * least.variance.squareRoot() : 0
    }
    return (Self.weighted(runs) + Self.weighted(starts)) / (a + b).squareRoot()
  }

  private static func variance(_ parts: [Part]) -> Double { parts.reduce(0) { $0 + $1.variance } }

  /// A sum of variances times Student's quantile with Satterthwaite's degrees.
  private static func weighted(_ parts: [Part]) -> Double {
    let sum = variance(parts)
    guard sum > 0 else { return 0 }
    return sum * Intervals.studentQuantile(0.975, degrees: degrees(parts))
  }

  /// Satterthwaite's degrees of freedom of a sum.
  static func degrees(_ parts: [Part]) -> Double {
    let sum = variance(parts)
    let below = parts.reduce(0) { $0 + $1.variance * $1.variance / $1.degrees }
    return below > 0 ? sum * sum / below : 1e4
  }

  /// The spread of a mean over several, such as worlds, that vary independently.
  static func mean(_ all: [Spread]) -> Spread {
    let scale = 1 / Double(all.count * all.count)
    func scaled(_ parts: [Part]) -> [Part] {
      parts.map { Part(variance: $0.variance * scale, degrees: $0.degrees) }
    }
    let least = all.map(\.least)
    return Spread(
      runs: scaled(all.flatMap(\.runs)), starts: scaled(all.flatMap(\.starts)),
      least: Part(variance: variance(least) * scale, degrees: degrees(least)),
      count: all.map(\.count).min() ?? 1)
  }
}

extension Intervals {
  /// The interval about a mean, within its range.
  static func around(
    _ mean: Double, _ spread: Spread, in range: ClosedRange<Double>, of count: Int
  ) -> Estimate {
    let half = spread.half
    let (low, high) =
      half > 0
      ? ends(mean, half: half, in: range) : agreeing(mean, count: spread.count, in: range)
    return Estimate(estimate: mean, low: low, high: high, episodes: count)
  }

  /// The ends of an interval that reaches `half` to both sides, bent so that they stay in a range:
  /// a score interval.
  ///
  /// The interval of a mean x̄ in a range from l to u: all μ within the half-width, if the variance
  /// is proportional to (μ − l)(u − μ), as that of a share is:
  ///
  ///     (x̄ − μ)² ≤ half² (μ − l)(u − μ) / ((x̄ − l)(u − x̄))
  ///
  /// For shares with half = z √(p(1 − p)/n) it is Wilson's interval (E. B. Wilson, JASA 22, 1927).
  /// An end that is infinite drops out of both products; without either the interval is x̄ ± half.
  static func ends(
    _ mean: Double, half: Double, in range: ClosedRange<Double>
  ) -> (low: Double, high: Double) {
    let (l, u) = (range.lowerBound, range.upperBound)
    // Rounding may have moved a mean past its range by a last digit, and must not move an end past
    // the mean.
    let mean = min(max(mean, l), u)
    func ordered(_ low: Double, _ high: Double) -> (Double, Double) {
      (min(mean, max(l, low)), max(mean, min(u, high)))
    }
    switch (l.isFinite, u.isFinite) {
    case (true, true):
      let width = u - l
      guard width > 0 else { return (mean, mean) }
      let x = (mean - l) / width
      let spread = x * (1 - x)
      guard spread > 0 else { return ordered(mean - half, mean + half) }
      let k = half * half / (width * width) / spread
      guard k.isFinite else { return (l, u) }
      let middle = (x + k / 2) / (1 + k)
      let reach = (k * spread + k * k / 4).squareRoot() / (1 + k)
      return ordered(l + width * (middle - reach), l + width * (middle + reach))
    case (true, false):
      guard mean > l else { return ordered(mean, mean + half) }
      let c = half * half / (mean - l)
      let reach = (c * (mean - l) + c * c / 4).squareRoot()
      return ordered(mean + c / 2 - reach, mean + c / 2 + reach)
    case (false, true):
      let (low, high) = ends(-mean, half: half, in: (-u)...(.infinity))
      return (-high, -low)
    case (false, false): return (mean - half, mean + half)
    }
  }

  /// The ends of an interval if all of `count` outcomes agree.
  ///
  /// At most the share q of outcomes may be others, and those may lie anywhere in the range:
  ///
  ///     v − q (v − l)  to  v + q (u − v),   q = z² / (count + z²)
  ///
  /// q is Wilson's bound of a share of which none was seen: about 3.84 in `count`, a rule of three
  /// (J. A. Hanley and A. Lippman-Hand, JAMA 249, 1983) for 95 % on two sides. Towards an infinite
  /// end nothing says how far others lie, so that end stays at v.
  static func agreeing(
    _ value: Double, count: Int, in range: ClosedRange<Double>
  ) -> (low: Double, high: Double) {
    let q = z * z / (Double(max(1, count)) + z * z)
    let (l, u) = (range.lowerBound, range.upperBound)
    return (
      l.isFinite ? value - q * max(0, value - l) : value,
      u.isFinite ? value + q * max(0, u - value) : value
    )
  }
}
