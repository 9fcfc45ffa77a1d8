import Foundation
import GoalCore
import Testing

@testable import Statistics

/// How often the intervals hold what they are about, in simulated designs whose truth is known.
///
/// A run i has on start j the ease μ + a_i + b_j + e_ij, all normal; b and e have the variance 1 together, and a has such
/// a one that runs differ not at all, as much as a run's mean does by its starts, or ten times as much in variance.
/// A success is an ease above 0, a return is 24 + 20 times the ease, cut off at 0 and 47.
struct CoverageTests {
  enum Outcome: String, Sendable { case success, `return` }

  struct Design: Sendable, CustomTestStringConvertible {
    var runs: Int
    var starts: Int
    /// The variance that runs give a run's mean, in parts of what starts give it.
    var seeds: Double
    /// The share of an episode's variance that its start gives, whichever the run.
    var shared: Double
    var outcome: Outcome
    /// The share of successes.
    var success = 0.6
    /// The runs of the method that it is compared with; nil for a level.
    var others: Int?

    var testDescription: String {
      "\(runs)\(others.map { " against \($0)" } ?? "") runs, \(starts) starts, seeds \(seeds), shared \(shared), "
        + "\(outcome) \(success)"
    }
  }

  /// Ease with a mean and a standard deviation over runs that give the design's successes and variance.
  struct Ease {
    var mean: Double
    var ofRuns: Double

    /// The standard normal distribution, in 400 pieces.
    private static let grid: [(x: Double, weight: Double)] = {
      let places = (0...400).map { -5 + Double($0) / 40 }
      let weights = places.map { exp(-$0 * $0 / 2) }
      let total = weights.reduce(0, +)
      return zip(places, weights).map { ($0, $1 / total) }
    }()

    static func average(_ value: (Double) -> Double) -> Double {
      grid.reduce(0) { $0 + $1.weight * value($1.x) }
    }

    init(_ design: Design, success: Double) {
      func below(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }
      func quantile(_ p: Double) -> Double {
        Self.root(from: -9, to: 9) { below($0) - p }
      }
      // Marginally the ease has variance 1 + ofRuns².
      func mean(_ ofRuns: Double) -> Double {
        quantile(success) * (1 + ofRuns * ofRuns).squareRoot()
      }
      guard design.seeds > 0 else {
        (self.mean, ofRuns) = (mean(0), 0)
        return
      }
      ofRuns = Self.root(from: 0, to: 8) { ofRuns in
        let mean = mean(ofRuns)
        let shares = { (x: Double) in below(mean + ofRuns * x) }
        let spread = Self.average { shares($0) * shares($0) } - success * success
        let own = Self.average { shares($0) * (1 - shares($0)) } / Double(design.starts)
        return spread - design.seeds * own
      }
      self.mean = mean(ofRuns)
    }

    /// Where a rising function passes 0.
    private static func root(from low: Double, to high: Double, of f: (Double) -> Double) -> Double {
      var (low, high) = (low, high)
      for _ in 0..<40 {
        let middle = (low + high) / 2
        if f(middle) < 0 { low = middle } else { high = middle }
      }
      return (low + high) / 2
    }
  }

  static func score(_ ease: Double, _ outcome: Outcome) -> Double {
    outcome == .success ? (ease > 0 ? 1 : 0) : min(47, max(0, 24 + 20 * ease))
  }

  static func range(_ outcome: Outcome) -> ClosedRange<Double> {
    outcome == .success ? 0...1 : 0...49
  }

  /// Two uniform draws a normal one, in pairs.
  struct Normals {
    var generator: Xoshiro256
    var kept: Double?

    mutating func next() -> Double {
      if let kept {
        self.kept = nil
        return kept
      }
      func unit() -> Double { (Double(generator.next() >> 11) + 0.5) * 0x1p-53 }
      let radius = (-2 * log(unit())).squareRoot()
      let angle = 2 * .pi * unit()
      kept = radius * sin(angle)
      return radius * cos(angle)
    }
  }

  /// The shares of trials in which the interval holds the truth, and in which it has no width though outcomes differ.
  static func coverage(
    of design: Design, trials: Int, _ interval: (CrossedScores, CrossedScores?) -> Estimate
  ) -> (held: Double, empty: Int) {
    var normals = Normals(generator: Xoshiro256(seed: 11))
    let sides = [Ease(design, success: design.success)]
      + (design.others == nil ? [] : [Ease(design, success: design.success + 0.2)])
    let truths = sides.map { ease in
      let spread = (1 + ease.ofRuns * ease.ofRuns).squareRoot()
      return design.outcome == .success
        ? 0.5 * erfc(-ease.mean / spread / 2.0.squareRoot())
        : Ease.average { score(ease.mean + spread * $0, design.outcome) }
    }
    let truth = truths[0] - (truths.count > 1 ? truths[1] : 0)
    let (common, own) = (design.shared.squareRoot(), (1 - design.shared).squareRoot())
    var (held, empty) = (0, 0)
    for _ in 0..<trials {
      let starts = (0..<design.starts).map { _ in common * normals.next() }
      let drawn = zip(sides, [design.runs] + (design.others.map { [$0] } ?? [])).map { ease, runs in
        CrossedScores(
          (0..<runs).map { _ in
            let level = ease.mean + ease.ofRuns * normals.next()
            return starts.map { score(level + $0 + own * normals.next(), design.outcome) }
          })
      }
      let found = interval(drawn[0], drawn.count > 1 ? drawn[1] : nil)
      if found.low <= truth, truth <= found.high { held += 1 }
      if found.low == found.high { empty += 1 }
    }
    return (Double(held) / Double(trials), empty)
  }

  /// What the share of trials may differ from a true one by: three standard errors.
  static func room(_ trials: Int) -> Double { 3 * (0.95 * 0.05 / Double(trials)).squareRoot() }

  static let levels: [Design] = [3, 5, 10].flatMap { runs in
    [20, 100].flatMap { starts in
      [0.0, 1, 10].flatMap { seeds in
        [0.0, 0.5].flatMap { shared in
          [Outcome.success, .return].map {
            Design(runs: runs, starts: starts, seeds: seeds, shared: shared, outcome: $0)
          }
        }
      }
    }
  }

  @Test(arguments: levels)
  func levelsCover(design: Design) {
    let trials = 400
    let (held, empty) = Self.coverage(of: design, trials: trials) { scores, _ in
      scores.level(in: Self.range(design.outcome))
    }
    #expect(0.93 - Self.room(trials)...0.975 + Self.room(trials) ~= held)
    #expect(empty == 0)
  }
}
