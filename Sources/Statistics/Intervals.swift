internal import Foundation
internal import GoalCore

/// The 95 % intervals that single numbers are given with.
public enum Intervals {
  /// The 97.5 % quantile of the normal distribution.
  static let z = 1.959963984540054

  /// The seed of every bootstrap that is given none.
  public static let seed: UInt64 = 0x626f_6f74

  /// Wilson's score interval for a proportion.
  ///
  ///     (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n),   z = 1.95996
  ///
  /// E. B. Wilson, JASA 22 (1927).
  public static func wilson(successes: Int, of count: Int) -> Estimate {
    precondition(count > 0 && 0...count ~= successes, "\(successes) of \(count)")
    let n = Double(count)
    let p = Double(successes) / n
    let middle = p + z * z / (2 * n)
    let spread = z * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
    let scale = 1 + z * z / n
    // Rounding must not move an end of 0 or 1 past the share itself.
    return Estimate(
      estimate: p, low: min(p, max(0, (middle - spread) / scale)),
      high: max(p, min(1, (middle + spread) / scale)), episodes: count)
  }

  /// The mean and its 95 % interval within a range: x̄ ± t₀.₉₇₅,ₙ₋₁ s/√n, bent as a score interval
  /// is (`ends`).
  ///
  /// If all values agree it is a rule of three (`agreeing`).
  public static func mean(
    _ values: [Double], in range: ClosedRange<Double> = -.infinity ... .infinity
  ) -> Estimate {
    CrossedScores([values]).level(in: range)
  }

  /// The mean of values that come in clusters, such as steps of episodes, and its 95 % interval
  /// within a range.
  ///
  ///     r = Σ sᵢ / Σ cᵢ,   variance n/(n−1) · Σ (sᵢ − r cᵢ)² / (Σ cᵢ)²,   n − 1 degrees of freedom
  ///
  /// over the n clusters that have values: the linearised ratio estimator (W. G. Cochran, Sampling
  /// Techniques, 3rd edition, 1977, §6.3). `sums` and `counts` have a number for each cluster; some
  /// count is above 0. `episodes` of the estimate is the number of all clusters.
  public static func mean(
    sums: [Double], counts: [Double], in range: ClosedRange<Double> = -.infinity ... .infinity
  ) -> Estimate {
    precondition(
      !sums.isEmpty && sums.count == counts.count, "\(sums.count) sums, \(counts.count) counts")
    let total = counts.reduce(0, +)
    precondition(total > 0, "a mean needs values")
    let mean = sums.reduce(0, +) / total
    let n = Double(counts.count { $0 > 0 })
    var squares = 0.0
    for (sum, count) in zip(sums, counts) {
      let rest = sum - mean * count
      // Rounding leaves a little of equal numbers.
      if abs(rest) > 1e-12 * abs(mean) * count { squares += rest * rest }
    }
    let part = Spread.Part(
      variance: n > 1 ? n / (n - 1) * squares / (total * total) : 0, degrees: max(1, n - 1))
    return around(
      mean, Spread(starts: [part], least: part, count: Int(n)), in: range, of: sums.count)
  }

  /// The mean over training runs of which nothing but each one's own estimate is left, as in a
  /// table of them.
  ///
  /// Of runs that were evaluated on starts of their own it is Student's interval, x̄ ± t₀.₉₇₅,ᵣ₋₁
  /// s/√r, within the range: the starts' part is in how the runs differ. Of runs that shared their
  /// starts it is not, and without their episodes nobody can say how much of it was shared; so all
  /// of it is taken to be:
  ///
  ///     runs: s² / r,   starts: mean of the runs' own variances ((high − low) / 2z)²
  ///
  /// which is too wide, never too narrow (`CrossedScores` is exact if there are episodes). At least
  /// two runs.
  public static func overRuns(
    _ runs: [Estimate], sharingStarts isShared: Bool, in range: ClosedRange<Double>
  ) -> Estimate {
    precondition(runs.count >= 2, "an interval over runs needs two runs, found \(runs.count)")
    let values = runs.map(\.estimate)
    let r = Double(values.count)
    let (mean, variance) = moments(values)
    let within =
      runs.reduce(0) { $0 + ($1.high - $1.low) * ($1.high - $1.low) / (4 * z * z) } / r
    // Rounding leaves a little of equal numbers.
    let largest = values.reduce(0) { max($0, abs($1)) }
    let ofRuns = variance > 1e-24 * largest * largest ? variance / r : 0
    let large = 1e4
    let spread = Spread(
      runs: [Spread.Part(variance: ofRuns, degrees: r - 1)],
      starts: isShared ? [Spread.Part(variance: within, degrees: large)] : [],
      least: Spread.Part(variance: isShared ? within : within / r, degrees: large),
      count: runs.count)
    return around(mean, spread, in: range, of: runs.count)
  }

  /// The mean of some values, and their variance with n − 1 below.
  static func moments(_ values: [Double]) -> (mean: Double, variance: Double) {
    let n = Double(values.count)
    let mean = values.reduce(0, +) / n
    return (mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / max(1, n - 1))
  }

  /// The value at a fraction of ascending values, between neighbours in proportion.
  public static func quantile(_ sorted: [Double], _ fraction: Double) -> Double {
    let place = fraction * Double(sorted.count - 1)
    let lower = Int(place)
    let upper = min(lower + 1, sorted.count - 1)
    return sorted[lower] + (sorted[upper] - sorted[lower]) * (place - Double(lower))
  }

  /// The quantile of Student's distribution above its middle, by Newton's steps on its integral
  /// (Simpson's rule).
  ///
  /// The distribution function is concave above 0, so that steps from the normal's quantile climb
  /// and never pass the root.
  static func studentQuantile(_ probability: Double, degrees nu: Double) -> Double {
    precondition(0.5..<1 ~= probability && nu > 0, "\(probability) with \(nu) degrees")
    let scale = exp(lgamma((nu + 1) / 2) - lgamma(nu / 2)) / (nu * .pi).squareRoot()
    // x = √ν tan θ turns the density into scale · √ν · cos^{ν−1} θ over a finite range.
    func below(_ x: Double) -> Double {
      let end = atan(x / nu.squareRoot())
      let pieces = 100
      let h = end / Double(pieces)
      var sum = 0.0
      for i in 0...pieces {
        let weight: Double = i == 0 || i == pieces ? 1 : (i % 2 == 1 ? 4 : 2)
        sum += weight * pow(cos(Double(i) * h), nu - 1)
      }
      return 0.5 + scale * nu.squareRoot() * sum * h / 3
    }
    var x = 0.0
    for _ in 0..<100 {
      let step =
        (probability - below(x)) / (scale * pow(1 + x * x / nu, -(nu + 1) / 2))
      x += step
      if abs(step) <= 1e-10 * x { break }
    }
    return x
  }
}
