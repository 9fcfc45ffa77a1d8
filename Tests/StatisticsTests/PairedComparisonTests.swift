import GoalCore
import Testing

@testable import Statistics

struct PairedComparisonTests {
  /// 0 and 1 of two policies: `both`, only ours, only theirs, neither.
  func pairs(_ both: Int, _ ours: Int, _ theirs: Int, _ neither: Int) -> ([Double], [Double]) {
    let counts = [(both, 1.0, 1.0), (ours, 1, 0), (theirs, 0, 1), (neither, 0, 0)]
    return (
      counts.flatMap { [Double](repeating: $0.1, count: $0.0) },
      counts.flatMap { [Double](repeating: $0.2, count: $0.0) }
    )
  }

  // Bonett and Price's example has 0.7 discordant pairs; this is their formula by hand.
  @Test func proportionsHaveBonettAndPricesInterval() {
    let (ours, theirs) = pairs(40, 30, 10, 20)
    let found = PairedComparison(ours, over: theirs, kind: .proportion)
    let (plus, minus) = (31.0 / 102, 11.0 / 102)
    let half =
      1.959963984540054 * ((plus + minus - (plus - minus) * (plus - minus)) / 102).squareRoot()
    #expect(found.difference.estimate == 0.2)
    #expect(abs(found.difference.low - (plus - minus - half)) < 1e-12)
    #expect(abs(found.difference.high - (plus - minus + half)) < 1e-12)
    #expect(found.verdict == .better)
    #expect(found.improvement?.estimate == 0.6)
    let mirrored = PairedComparison(theirs, over: ours, kind: .proportion)
    #expect(mirrored.verdict == .worse)
    #expect(
      mirrored.sentence("b", "a", on: "success").hasPrefix("b is worse than a: success differs"))
  }

  @Test func episodesThatAllAgreeTellNothing() {
    let same = [Double](repeating: 1, count: 50)
    let found = PairedComparison(same, over: same, kind: .proportion)
    #expect(found.verdict == .unclear && found.wouldTell == nil)
    #expect(found.difference.low < 0 && found.difference.high > 0)
    #expect(
      found.sentence("a", "b", on: "success").hasPrefix(
        "can't tell a from b with these 50 episodes: success differs by 0.000 ["))
  }

  /// With the number of episodes that it names, a difference of the size seen is told about 80
  /// times of 100.
  @Test(arguments: [(20, 9, 2, 9), (10, 6, 1, 3), (5, 12, 2, 1)])
  func theNumberOfEpisodesThatWouldTellDoes(
    both: Int, ours: Int, theirs: Int, neither: Int
  ) throws {
    let (a, b) = pairs(both, ours, theirs, neither)
    let seen = PairedComparison(a, over: b, kind: .proportion)
    let wanted = try #require(seen.wouldTell)
    let power = { (count: Int, seed: UInt64) -> Double in
      var generator = Xoshiro256(seed: seed)
      let trials = 300
      let told = (0..<trials).count { _ in
        let drawn = (0..<count).map { _ in generator.below(a.count) }
        return Self.tells(drawn.map { a[$0] }, drawn.map { b[$0] })
      }
      return Double(told) / Double(trials)
    }
    #expect(0.74...0.95 ~= power(wanted, 4), "\(power(wanted, 4)) with \(wanted) episodes")
    // It is no more than needed, where numbers are not small.
    if wanted > 20 { #expect(power(wanted / 2, 5) < 0.65) }
  }

  /// Whether Bonett and Price's interval, as the test above has it by hand, lies above 0.
  static func tells(_ a: [Double], _ b: [Double]) -> Bool {
    let n = Double(a.count)
    let plus = Double(zip(a, b).count { $0 > $1 } + 1) / (n + 2)
    let minus = Double(zip(a, b).count { $0 < $1 } + 1) / (n + 2)
    let variance = plus + minus - (plus - minus) * (plus - minus)
    return plus - minus - 1.959963984540054 * (variance / (n + 2)).squareRoot() > 0
  }

  /// Runs whose scores are their own level on every start, but for noise that differs from start to
  /// start.
  static func runs(_ levels: [Double], starts: Int = 40) -> CrossedScores {
    CrossedScores(
      levels.map { level in (0..<starts).map { level + ($0 % 2 == 0 ? 1e-3 : -1e-3) } })
  }

  /// The same for seeds, of which there are few: the normal distribution's numbers would be too
  /// low.
  @Test(arguments: [3.0, 2, 1.5, 1])
  func theNumberOfSeedsThatWouldTellDoes(effect: Double) throws {
    // Two values a standard deviation of 1 apart from their mean, and as many above.
    let half = 0.5.squareRoot()
    let seen = PairedComparison(
      Self.runs([effect - half, effect + half]), over: Self.runs([-half, half]))
    let wanted = try #require(seen.wouldTell)
    var generator = Philox(seed: 9, purpose: 1, index: 0)
    let trials = 120
    let told = (0..<trials).count { _ in
      let ours = (0..<wanted).map { _ in effect + generator.normal() }
      let theirs = (0..<wanted).map { _ in generator.normal() }
      return Self.runs(ours, starts: 2).difference(
        less: Self.runs(theirs, starts: 2), in: -.infinity ... .infinity
      ).low > 0
    }
    #expect(84...117 ~= told, "\(told) of \(trials) with \(wanted) seeds")
  }

  /// Where starts leave more doubt than the difference is large, seeds alone cannot tell it.
  @Test func seedsCannotTellWhatStartsLeaveOpen() {
    var generator = Philox(seed: 4, purpose: 1, index: 0)
    let noise = (0..<20).map { _ in generator.normal() }
    let ours = CrossedScores((0..<3).map { k in noise.map { 0.05 * Double(k) + $0 } })
    let theirs = CrossedScores(
      (0..<3).map { k in noise.indices.map { 0.05 * Double(k) + noise[19 - $0] - 0.1 } })
    let found = PairedComparison(ours, over: theirs)
    #expect(found.verdict == .unclear && found.wouldTell == nil && found.improvement == nil)
    #expect(
      found.sentence("a", "b", on: "success").hasSuffix(
        "to tell a difference of this size takes more episodes, not seeds alone"))
  }

  @Test func pairsTellMoreThanTheirParts() {
    // Starts differ widely, and ours is better by 0.1 on each of them.
    var generator = Philox(seed: 3, purpose: 1, index: 0)
    let theirs = (0..<60).map { _ in 10 * generator.normal() }
    let ours = theirs.map { $0 + 0.1 + 0.01 * generator.normal() }
    let found = PairedComparison(ours, over: theirs, kind: .mean)
    #expect(found.verdict == .better)
    #expect(found.difference.high - found.difference.low < 0.02)
    #expect(
      PairedComparison(ours, over: theirs, kind: .mean, higherIsBetter: false).verdict == .worse)
  }

  // t.test(c(1, 2, 3, 4), c(2, 4, 6)) of R 4: −4.878 to 1.878, df = 3.0.
  @Test func seedsHaveWelchsIntervalWhereStartsDoNothing() {
    let found = Self.runs([1, 2, 3, 4]).difference(
      less: Self.runs([2, 4, 6]), in: -.infinity ... .infinity)
    let degrees = Self.welchDegrees(5.0 / 3 / 4, 3, 4.0 / 3, 2)
    let half =
      Intervals.studentQuantile(0.975, degrees: degrees) * (5.0 / 12 + 4.0 / 3).squareRoot()
    #expect(abs(found.estimate - -1.5) < 1e-12)
    #expect(abs(found.high - (-1.5 + half)) < 1e-9)
    let ours = Self.runs([0.9, 0.92, 0.91, 0.9, 0.91])
    let seeds = PairedComparison(ours, over: Self.runs([0.5, 0.52, 0.49, 0.5, 0.5]))
    #expect(seeds.verdict == .better && seeds.units == .seeds && seeds.improvement?.estimate == 1)
    #expect(seeds.difference.episodes == 10)
    // Of three runs a bootstrap has no interval.
    #expect(PairedComparison(ours, over: Self.runs([0.5, 0.52, 0.49])).improvement == nil)
    let ones = CrossedScores([[Double]](repeating: [1, 1, 1, 1], count: 3))
    let shares = PairedComparison(
      ones, over: CrossedScores([[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]]), in: 0...1)
    #expect(shares.difference.high == 1 && shares.verdict == .better)
    let same = PairedComparison(ones, over: ones, in: 0...1)
    #expect(same.difference.low < 0 && same.difference.high > 0)
    #expect(
      PairedComparison(ones, over: ones).sentence("a", "b", on: "distance")
        == "can't tell a from b: distance does not differ between these 6 runs")
  }

  static func welchDegrees(_ a: Double, _ m: Double, _ b: Double, _ n: Double) -> Double {
    (a + b) * (a + b) / (a * a / m + b * b / n)
  }
}
