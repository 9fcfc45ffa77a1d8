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
    let estimate = Intervals.student([1, 2, 3])
    #expect(estimate.estimate == 2)
    #expect(abs(estimate.high - (2 + 4.302653 / 3.0.squareRoot())) < 1e-4)
  }

  @Test func theBootstrapCoversAndRepeats() {
    var generator = Philox(seed: 1, purpose: 1, index: 1)
    let values = (0..<400).map { _ in generator.normal() + 3 }
    let interval = Intervals.bootstrap(values)
    // The mean ± 1.96 σ/√n = ± 0.098, to the bootstrap's own error.
    #expect(abs((interval.high - interval.low) / 2 - 0.098) < 0.012)
    #expect(interval.low < interval.estimate && interval.estimate < interval.high)
    #expect(interval == Intervals.bootstrap(values))
  }

  // scipy.stats.trim_mean(x, 0.25), which rliable takes.
  @Test func theInterquartileMeanLeavesAQuarterOutAtEachEnd() {
    #expect(Intervals.interquartile([9, 1, 2, 3, 4, 5, 6, 100]).estimate == 4.5)
    #expect(Intervals.interquartile([0, 1, 5]).estimate == 2)
    #expect(abs(Intervals.interquartile([0.1, 0.9, 0.4, 0.5, 0.6]).estimate - 0.5) < 1e-12)
    let interval = Intervals.interquartile([1, 2, 3, 4, 5])
    #expect(interval.low >= 1 && interval.low < 3 && interval.high > 3 && interval.high <= 5)
  }
}
