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

  /// The mean and its percentile bootstrap interval: 2.5 % and 97.5 % of the means of `replicates`
  /// resamples drawn with replacement, from a generator of its own with a fixed seed.
  public static func bootstrap(
    _ values: [Double], replicates: Int = 10_000, seed: UInt64 = seed
  ) -> Estimate {
    bootstrap(
      sums: values, counts: [Double](repeating: 1, count: values.count), replicates: replicates,
      seed: seed)
  }

  /// The mean of values that come in clusters, such as steps of episodes, and its percentile bootstrap
  /// interval, for which whole clusters are drawn.
  ///
  ///     Σ sums / Σ counts
  ///
  /// `sums` and `counts` have a number for each cluster; some count is above 0.
  public static func bootstrap(
    sums: [Double], counts: [Double], replicates: Int = 2_000, seed: UInt64 = seed
  ) -> Estimate {
    precondition(
      !sums.isEmpty && sums.count == counts.count, "\(sums.count) sums, \(counts.count) counts")
    let total = counts.reduce(0, +)
    precondition(total > 0, "a mean needs values")
    var generator = Xoshiro256(seed: seed)
    var found: [Double] = []
    found.reserveCapacity(replicates)
    sums.withUnsafeBufferPointer { sums in
      counts.withUnsafeBufferPointer { counts in
        while found.count < replicates {
          var (sum, count) = (0.0, 0.0)
          for _ in 0..<sums.count {
            let k = generator.below(sums.count)
            sum += sums[k]
            count += counts[k]
          }
          // A resample of empty clusters has no mean.
          if count > 0 { found.append(sum / count) }
        }
      }
    }
    found.sort()
    return Estimate(
      estimate: sums.reduce(0, +) / total, low: quantile(found, 0.025),
      high: quantile(found, 0.975), episodes: sums.count)
  }

  /// The mean over seeds and Student's interval, mean ± t₀.₉₇₅,ₙ₋₁ s/√n; needs two values.
  public static func student(_ values: [Double]) -> Estimate {
    precondition(values.count >= 2, "an interval over seeds needs two seeds, found \(values.count)")
    let (mean, variance) = moments(values)
    let half =
      studentQuantile(0.975, degrees: Double(values.count - 1))
      * (variance / Double(values.count)).squareRoot()
    return Estimate(estimate: mean, low: mean - half, high: mean + half, episodes: values.count)
  }

  /// The difference of two means, `values` less `others`, with Welch's interval.
  ///
  ///     x̄ − ȳ ± t₀.₉₇₅,ν √(s²ₓ/n + s²ᵧ/m),   ν = (s²ₓ/n + s²ᵧ/m)² / (s⁴ₓ/n²(n−1) + s⁴ᵧ/m²(m−1))
  ///
  /// Each needs two values. B. L. Welch, Biometrika 34 (1947).
  public static func welch(_ values: [Double], less others: [Double]) -> Estimate {
    precondition(values.count >= 2 && others.count >= 2, "two values of each are needed")
    let (mean, variance) = moments(values)
    let (otherMean, otherVariance) = moments(others)
    let (n, m) = (Double(values.count), Double(others.count))
    let (a, b) = (variance / n, otherVariance / m)
    let difference = mean - otherMean
    guard a + b > 0 else {
      return Estimate(
        estimate: difference, low: difference, high: difference,
        episodes: values.count + others.count)
    }
    let degrees = (a + b) * (a + b) / (a * a / (n - 1) + b * b / (m - 1))
    let half = studentQuantile(0.975, degrees: degrees) * (a + b).squareRoot()
    return Estimate(
      estimate: difference, low: difference - half, high: difference + half,
      episodes: values.count + others.count)
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

  /// The quantile of Student's distribution, by bisection of its integral (Simpson's rule).
  static func studentQuantile(_ probability: Double, degrees nu: Double) -> Double {
    let scale = exp(lgamma((nu + 1) / 2) - lgamma(nu / 2)) / (nu * .pi).squareRoot()
    // x = √ν tan θ turns the density into scale · √ν · cos^{ν−1} θ over a finite range.
    func below(_ x: Double) -> Double {
      let end = atan(x / nu.squareRoot())
      let pieces = 400
      let h = end / Double(pieces)
      var sum = 0.0
      for i in 0...pieces {
        let weight: Double = i == 0 || i == pieces ? 1 : (i % 2 == 1 ? 4 : 2)
        sum += weight * pow(cos(Double(i) * h), nu - 1)
      }
      return 0.5 + scale * nu.squareRoot() * sum * h / 3
    }
    var low = 0.0
    var high = 1e4
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if below(middle) < probability { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }
}
