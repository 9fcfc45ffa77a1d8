import Foundation
import GoalCore

/// A number with a 95 % interval.
public struct Estimate: Codable, Sendable, Equatable {
  /// The estimate.
  public let estimate: Double
  /// Lower end of the interval.
  public let low: Double
  /// Upper end of the interval.
  public let high: Double
  /// How many independent values it rests on: episodes, or seeds.
  public let episodes: Int
}

/// The intervals that results are given with.
public enum Statistics {
  /// Wilson's score interval for a proportion.
  ///
  ///     (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n),   z = 1.95996
  ///
  /// E. B. Wilson, JASA 22 (1927).
  public static func wilson(successes: Int, of count: Int) -> Estimate {
    precondition(count > 0 && 0...count ~= successes, "\(successes) of \(count)")
    let z = 1.959963984540054
    let n = Double(count)
    let p = Double(successes) / n
    let middle = p + z * z / (2 * n)
    let spread = z * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
    let scale = 1 + z * z / n
    return Estimate(
      estimate: p, low: max(0, (middle - spread) / scale), high: min(1, (middle + spread) / scale),
      episodes: count)
  }

  /// The mean and its percentile bootstrap interval: 2.5 % and 97.5 % of the means of `replicates`
  /// resamples drawn with replacement, from a generator of its own with a fixed seed.
  public static func bootstrap(_ values: [Double], replicates: Int = 10_000) -> Estimate {
    bootstrap(values, replicates: replicates) { $0.reduce(0, +) / Double($0.count) }
  }

  /// The interquartile mean and its bootstrap interval.
  ///
  /// A quarter of the values is left out at each end, rounded down, as `rliable` does (Agarwal et
  /// al., NeurIPS 2021, arXiv:2108.13264).
  public static func interquartile(_ values: [Double], replicates: Int = 10_000) -> Estimate {
    bootstrap(values, replicates: replicates) { values in
      let cut = values.count / 4
      let middle = values.sorted()[cut..<values.count - cut]
      return middle.reduce(0, +) / Double(middle.count)
    }
  }

  /// A statistic and its percentile bootstrap interval.
  private static func bootstrap(
    _ values: [Double], replicates: Int, _ statistic: ([Double]) -> Double
  ) -> Estimate {
    precondition(!values.isEmpty, "a statistic needs values")
    var generator = Xoshiro256(seed: 0x626f_6f74)
    var resample = values
    var found = (0..<replicates).map { _ in
      for k in resample.indices { resample[k] = values[generator.below(values.count)] }
      return statistic(resample)
    }
    found.sort()
    return Estimate(
      estimate: statistic(values), low: quantile(found, 0.025), high: quantile(found, 0.975),
      episodes: values.count)
  }

  /// The mean over seeds and Student's interval, mean ± t₀.₉₇₅,ₙ₋₁ s/√n; needs two values.
  public static func student(_ values: [Double]) -> Estimate {
    precondition(values.count >= 2, "an interval over seeds needs two seeds, found \(values.count)")
    let n = Double(values.count)
    let mean = values.reduce(0, +) / n
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n - 1)
    let half = studentQuantile(0.975, degrees: values.count - 1) * (variance / n).squareRoot()
    return Estimate(estimate: mean, low: mean - half, high: mean + half, episodes: values.count)
  }

  /// The value at a fraction of ascending values, between neighbours in proportion.
  static func quantile(_ sorted: [Double], _ fraction: Double) -> Double {
    let place = fraction * Double(sorted.count - 1)
    let lower = Int(place)
    let upper = min(lower + 1, sorted.count - 1)
    return sorted[lower] + (sorted[upper] - sorted[lower]) * (place - Double(lower))
  }

  /// The quantile of Student's distribution, by bisection of its integral (Simpson's rule).
  static func studentQuantile(_ probability: Double, degrees: Int) -> Double {
    let nu = Double(degrees)
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
    for _ in 0..<200 {
      let middle = (low + high) / 2
      if below(middle) < probability { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }
}
