import GoalCore
import Testing

@testable import Statistics

struct IntervalTests {
  @Test func anIntervalHoldsItsShare() {
    for count in 1...400 {
      for successes in [0, 1, count / 2, count] {
        let interval = Intervals.wilson(successes: successes, of: count)
        #expect(interval.low <= interval.estimate && interval.estimate <= interval.high)
      }
    }
  }

  // Values of R 4: prop.test(x, n, correct = FALSE)$conf.int, which is Wilson's.
  @Test(arguments: [
    (50, 100, 0.4038315, 0.5961685), (0, 20, 0, 0.1611252), (20, 20, 0.8388748, 1),
    (94, 100, 0.8751924, 0.9721824),
  ])
  func wilsonIsWilsons(successes: Int, count: Int, low: Double, high: Double) {
    let interval = Intervals.wilson(successes: successes, of: count)
    #expect(abs(interval.low - low) < 1e-4)
    #expect(abs(interval.high - high) < 1e-4)
  }

  @Test(arguments: [(1, 12.70620), (2, 4.302653), (4, 2.776445), (29, 2.045230)])
  func studentsQuantilesAreThoseOfTables(degrees: Int, quantile: Double) {
    #expect(abs(Intervals.studentQuantile(0.975, degrees: Double(degrees)) - quantile) < 1e-4)
  }

  @Test func theIntervalOverSeedsIsStudents() {
    let runs = [1.0, 2, 3].map { Estimate(estimate: $0, low: $0, high: $0, episodes: 1) }
    let estimate = Intervals.overRuns(
      runs, sharingStarts: false, in: -.infinity ... .infinity)
    #expect(estimate.estimate == 2 && estimate.episodes == 3)
    #expect(abs(estimate.high - (2 + 4.302653 / 3.0.squareRoot())) < 1e-4)
    #expect(Intervals.mean([1, 2, 3]) == estimate)
    // Of runs that share their starts all that the starts do is added: one standard error of 0.5
    // each.
    let wide = [1.0, 2, 3].map {
      Estimate(estimate: $0, low: $0 - 0.5 * Intervals.z, high: $0 + 0.5 * Intervals.z, episodes: 9)
    }
    let shared = Intervals.overRuns(wide, sharingStarts: true, in: -.infinity ... .infinity)
    // (t 1/3 + z 1/4) / √(1/3 + 1/4), by hand.
    let half = (4.302653 / 3 + Intervals.z / 4) / (7.0 / 12).squareRoot()
    #expect(abs(shared.high - (2 + half)) < 1e-3)
  }

  /// Bent by a range, an interval of a share is Wilson's, one without bounds is straight, and none
  /// leaves its range.
  @Test func endsStayInTheRange() {
    let (n, p) = (50.0, 0.94)
    let half = Intervals.z * (p * (1 - p) / n).squareRoot()
    let wilson = Intervals.wilson(successes: 47, of: 50)
    let ends = Intervals.ends(p, half: half, in: 0...1)
    #expect(abs(ends.low - wilson.low) < 1e-12 && abs(ends.high - wilson.high) < 1e-12)
    // A scaled range scales the ends.
    let scaled = Intervals.ends(49 * p, half: 49 * half, in: 0...49)
    #expect(abs(scaled.low - 49 * ends.low) < 1e-9 && abs(scaled.high - 49 * ends.high) < 1e-9)
    // One bound is the limit of a far second one, whichever side it is on.
    let one = Intervals.ends(0.1, half: 0.2, in: 0...(.infinity))
    let far = Intervals.ends(0.1, half: 0.2, in: 0...1e9)
    #expect(abs(one.low - far.low) < 1e-6 && abs(one.high - far.high) < 1e-6)
    let mirrored = Intervals.ends(-0.1, half: 0.2, in: -.infinity...0)
    #expect(mirrored.low == -one.high && mirrored.high == -one.low)
    #expect(Intervals.ends(2, half: 3, in: -.infinity ... .infinity) == (-1, 5))
    for mean in [0, 1e-300, 1e-9, 0.5, 1 - 1e-16, 1, 1 + 1e-15] {
      for half in [1e-300, 1e-9, 0.1, 10, 1e200] {
        let (low, high) = Intervals.ends(mean, half: half, in: 0...1)
        #expect(0 <= low && low <= min(1, mean) && min(1, mean) <= high && high <= 1)
      }
    }
  }

  /// Where every outcome agrees, at most about 3.84 in n may be others; towards no bound nothing is
  /// said.
  @Test func agreeingOutcomesHaveARuleOfThree() {
    let all = [Double](repeating: 1, count: 100)
    #expect(
      abs(Intervals.mean(all, in: 0...1).low - Intervals.wilson(successes: 100, of: 100).low) < 1e-9
    )
    #expect(Intervals.mean(all, in: 0...1).high == 1)
    let returns = Intervals.mean([Double](repeating: 49, count: 100), in: 0...49)
    #expect(abs(returns.low - 49 * (1 - 3.8415 / 103.8415)) < 1e-3 && returns.high == 49)
    let distances = Intervals.mean([Double](repeating: 2, count: 100), in: 0...(.infinity))
    #expect(distances.low < 2 && distances.high == 2)
    let seeds = CrossedScores([all, all, all]).level(in: 0...1)
    #expect(seeds.low == Intervals.mean(all, in: 0...1).low && seeds.high == 1)
    let nothing = CrossedScores([all]).difference(less: CrossedScores([all, all]), in: 0...1)
    #expect(nothing.low < -0.03 && nothing.high > 0.03)
  }

  @Test func clustersOfEqualSizeAreTheirMeans() {
    // Ten clusters of 100 equal values each: the spread is that of ten values, not of 1,000.
    let values = (0..<10).map(Double.init)
    let found = Intervals.mean(
      sums: values.map { $0 * 100 }, counts: [Double](repeating: 100, count: 10), in: 0...10)
    let plain = Intervals.mean(values, in: 0...10)
    #expect(found.estimate == 4.5 && found.episodes == 10)
    #expect(abs(found.low - plain.low) < 1e-9 && abs(found.high - plain.high) < 1e-9)
    // A cluster without values says nothing.
    let more = Intervals.mean(
      sums: values.map { $0 * 100 } + [0], counts: [Double](repeating: 100, count: 10) + [0],
      in: 0...10)
    #expect(more.low == found.low && more.high == found.high && more.episodes == 11)
    // Where all agree, one cluster in ten may be another.
    let same = Intervals.mean(sums: [3, 6, 9], counts: [3, 6, 9], in: 0...1)
    #expect(same.high == 1 && abs(same.low - (1 - 3.8415 / 6.8415)) < 1e-4)
  }

  /// Of parts that are not drawn only what differs within them counts.
  @Test func startsInPartsVaryWithinThem() {
    let (easy, hard) = ([1.0, 1, 1, 0, 1, 1, 1, 1], [0.0, 1, 0, 0, 0, 0, 1, 0])
    let found = CrossedScores([easy + hard], parts: 2)
    func variance(_ values: [Double]) -> Double {
      let mean = values.reduce(0, +) / 8
      return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 7 / 8
    }
    let (a, b) = (variance(easy) / 4, variance(hard) / 4)
    let degrees = (a + b) * (a + b) / (a * a / 7 + b * b / 7)
    let half = Intervals.studentQuantile(0.975, degrees: degrees) * (a + b).squareRoot()
    let expected = Intervals.ends(9.0 / 16, half: half, in: 0...1)
    let level = found.level(in: 0...1)
    #expect(abs(level.low - expected.low) < 1e-12 && abs(level.high - expected.high) < 1e-12)
    let whole = CrossedScores([easy + hard]).level(in: 0...1)
    #expect(level.high - level.low < whole.high - whole.low)
    #expect(level.estimate == whole.estimate)
    // Parts of one start say nothing of what is within them.
    #expect(CrossedScores([easy], parts: 8) == CrossedScores([easy]))
    #expect(
      CrossedScores([easy], parts: 8).level(in: 0...1) == CrossedScores([easy]).level(in: 0...1))
  }

  /// The mean over five tasks, from equal ones to some that are always or never solved, holds the
  /// truth in 93 to 100 of 100 trials.
  @Test(arguments: [
    [0.6, 0.6, 0.6, 0.6, 0.6], [0.98, 0.98, 0.98, 0.98, 0.5], [0.9, 0.7, 0.5, 0.3, 0.1],
    [1, 1, 1, 1, 0.8], [0.02, 0.02, 0.02, 0.02, 0.02],
  ])
  func meansOverTasksCover(shares: [Double]) {
    var generator = Xoshiro256(seed: 4)
    func unit() -> Double { Double(generator.next() >> 11) * 0x1p-53 }
    let truth = shares.reduce(0, +) / 5
    for (count, runs) in [(20, 1), (50, 1), (20, 3)] {
      var held = 0
      for _ in 0..<600 {
        let scores = (0..<runs).map { _ in
          shares.flatMap { share in (0..<count).map { _ in unit() < share ? 1.0 : 0 } }
        }
        let found = CrossedScores(scores, parts: 5).level(in: 0...1)
        held += found.low <= truth && truth <= found.high ? 1 : 0
      }
      #expect(held >= 552, "\(count) episodes, \(runs) runs: \(held) of 600")
    }
  }

  // scipy.stats.trim_mean(x, 0.25), which rliable takes.
  @Test func theInterquartileMeanLeavesAQuarterOutAtEachEnd() {
    func mean(_ values: [Double]) -> Estimate {
      StratifiedBootstrap(replicates: 2_000).estimates(
        [.interquartileMean], of: ScoreMatrix([values]))[0]
    }
    #expect(mean([9, 1, 2, 3, 4, 5, 6, 100]).estimate == 4.5)
    #expect(mean([0, 1, 5]).estimate == 2)
    #expect(abs(mean([0.1, 0.9, 0.4, 0.5, 0.6]).estimate - 0.5) < 1e-12)
    let interval = mean([1, 2, 3, 4, 5])
    #expect(interval.low >= 1 && interval.low < 3 && interval.high > 3 && interval.high <= 5)
  }
}
