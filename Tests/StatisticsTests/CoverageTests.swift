import Foundation
import GoalCore
import Testing

@testable import Statistics

/// How often the intervals hold what they are about, in simulated designs whose truth is known.
///
/// A run i has on start j the ease μ + a_i + b_j + e_ij, all normal; b and e have the variance 1
/// together, and a has such a one that runs differ not at all, as much as a run's mean does by its
/// starts, or ten times as much in variance. A success is an ease above 0, a return is 24 + 20
/// times the ease, cut off at 0 and 47.
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

  /// Ease with a mean and a standard deviation over runs that give the design's successes and
  /// variance.
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
    private static func root(from low: Double, to high: Double, of f: (Double) -> Double) -> Double
    {
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

  /// The shares of trials in which the interval holds the truth, and in which it has no width
  /// though outcomes differ.
  static func coverage(
    of design: Design, trials: Int, _ interval: (CrossedScores, CrossedScores?) -> Estimate
  ) -> (held: Double, empty: Int) {
    var normals = Normals(generator: Xoshiro256(seed: 11))
    let sides =
      [Ease(design, success: design.success)]
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

  /// `GOALPOST_COVERAGE=4000 swift test --filter CoverageTests` makes so many trials of each of all
  /// designs and prints what they cover; Documentation/Evaluation.md has these numbers.
  static let asked = ProcessInfo.processInfo.environment["GOALPOST_COVERAGE"].flatMap { Int($0) }

  /// Runs, starts, seeds, shared: many of what is quick to draw, some of the rest, and all if they
  /// are asked for.
  static func designs(_ runs: [Int], others: Int? = nil) -> [Design] {
    let outcomes = [Outcome.success, .return]
    let all = runs.flatMap { runs in
      [20, 100, 200].flatMap { starts in
        [0.0, 1, 10].flatMap { seeds in
          [0.0, 0.5, 0.9].flatMap { shared in
            outcomes.flatMap { outcome in
              // Near its bound a mean is skewed, and with few episodes less than 93 % are held.
              (others == nil && asked != nil ? [0.6, 0.9] : [0.6]).map {
                Design(
                  runs: runs, starts: starts, seeds: seeds, shared: shared, outcome: outcome,
                  success: $0, others: others)
              }
            }
          }
        }
      }
    }
    return asked != nil
      ? all
      : all.filter {
        $0.starts == 20 && $0.shared == ($0.outcome == .success ? 0.5 : 0)
          || $0.starts == 100 && $0.shared == 0.5 && $0.outcome == .success
          || $0.starts == 200 && $0.seeds == 1 && $0.shared == 0.5 && $0.outcome == .return
            && $0.runs < 10
      }
  }

  /// Checks that the intervals of a design hold the truth as often as they should.
  static func check(
    _ what: String, _ design: Design, within band: ClosedRange<Double>,
    _ interval: (CrossedScores, CrossedScores?) -> Estimate
  ) {
    let scores = (design.runs + (design.others ?? 0)) * design.starts
    let trials = asked ?? max(120, 20_000 / scores)
    let (held, empty) = coverage(of: design, trials: trials, interval)
    guard asked == nil else {
      print("covers \(what), \(design.testDescription): \(held)")
      return
    }
    // Three standard errors of the trials' share.
    let room = 3 * (0.95 * 0.05 / Double(trials)).squareRoot()
    #expect(
      band.lowerBound - room...band.upperBound + room ~= held, "\(held) of \(trials) trials")
    #expect(empty == 0)
  }

  /// 93 to 97 %; of two or three runs, which say too little of their own spread, to 98.5 %.
  static func band(_ design: Design) -> ClosedRange<Double> {
    0.93...(design.runs < 5 ? 0.985 : 0.97)
  }

  @Test(arguments: designs([2, 3, 5, 10]))
  func levelsCover(design: Design) {
    Self.check("a level", design, within: Self.band(design)) { scores, _ in
      scores.level(in: Self.range(design.outcome))
    }
  }

  /// Methods with as many runs each, and one with a single checkpoint, which has no seeds that
  /// could vary.
  static let pairs =
    [3, 5].flatMap { designs([$0], others: $0) }
    + designs([3], others: 1).filter { $0.seeds == 0 }

  @Test(arguments: pairs)
  func differencesCover(design: Design) {
    Self.check("a difference", design, within: Self.band(design)) { ours, theirs in
      ours.difference(less: theirs ?? ours, in: Self.range(design.outcome))
    }
  }

  /// One checkpoint, for starts in general.
  @Test(arguments: [Outcome.success, .return], [20, 100])
  func oneRunCovers(outcome: Outcome, starts: Int) {
    for success in [0.6, 0.9] {
      let design = Design(
        runs: 1, starts: starts, seeds: 0, shared: 0, outcome: outcome, success: success)
      Self.check("one run", design, within: 0.93...0.97) { scores, _ in
        outcome == .return
          ? scores.level(in: Self.range(outcome))
          : Intervals.wilson(successes: Int(scores.scores[0].reduce(0, +)), of: starts)
      }
    }
  }

  /// Values in clusters of unlike size, such as the steps of an episode, a large part of which is
  /// the cluster's own.
  @Test(arguments: [20, 100])
  func clustersCover(clusters: Int) {
    var normals = Normals(generator: Xoshiro256(seed: 12))
    let trials = 2_000
    var held = 0
    for _ in 0..<trials {
      var (sums, counts) = ([Double](), [Double]())
      for _ in 0..<clusters {
        let own = normals.next()
        let count = 1 + Int(abs(normals.next()) * 10)
        sums.append((0..<count).reduce(0) { sum, _ in sum + 24 + 5 * own + 3 * normals.next() })
        counts.append(Double(count))
      }
      let found = Intervals.mean(sums: sums, counts: counts, in: 0...49)
      if found.low <= 24, 24 <= found.high { held += 1 }
    }
    #expect(0.92...0.97 ~= Double(held) / Double(trials), "\(held) of \(trials)")
  }

  /// What stood here before: Student's interval over the runs' means misses the truth of ten runs a
  /// third of the time.
  @Test func studentsIntervalOverRunsMissesWhatStartsDo() {
    let design = Design(runs: 10, starts: 20, seeds: 0, shared: 0.5, outcome: .success)
    let (held, _) = Self.coverage(of: design, trials: 400) { scores, _ in
      Intervals.mean(scores.scores.map { $0.reduce(0, +) / Double($0.count) })
    }
    #expect(held < 0.75)
  }

  /// Of runs whose episodes are gone, which shared their starts, an interval is too wide rather
  /// than too narrow.
  @Test(arguments: [3, 10])
  func rowsAreEnoughForAWiderInterval(runs: Int) {
    let design = Design(runs: runs, starts: 20, seeds: 1, shared: 0.5, outcome: .success)
    Self.check("rows", design, within: 0.95...0.995) { scores, _ in
      Intervals.overRuns(
        scores.scores.map {
          Intervals.wilson(successes: Int($0.reduce(0, +)), of: $0.count)
        }, sharingStarts: true, in: 0...1)
    }
  }
}
