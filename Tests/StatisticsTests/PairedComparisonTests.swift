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
    #expect(found.improvement.estimate == 0.6)
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

  /// With the number of episodes that it names, a difference is told about 80 times of 100.
  @Test func theNumberOfEpisodesThatWouldTellDoes() throws {
    let (ours, theirs) = pairs(20, 9, 6, 5)
    let few = PairedComparison(ours, over: theirs, kind: .proportion)
    #expect(few.verdict == .unclear)
    let wanted = try #require(few.wouldTell)
    // The formula smooths small counts, so the truth is taken to be what it was given: 9 : 6 of 40.
    var generator = Xoshiro256(seed: 4)
    var told = 0
    let trials = 100
    for _ in 0..<trials {
      var (a, b) = ([Double](), [Double]())
      for _ in 0..<wanted {
        let u = generator.unit()
        a.append(u < 20.0 / 40 || (20.0 / 40..<29.0 / 40 ~= u) ? 1 : 0)
        b.append(u < 20.0 / 40 || (29.0 / 40..<35.0 / 40 ~= u) ? 1 : 0)
      }
      let plus = Double(zip(a, b).count { $0 > $1 } + 1) / Double(wanted + 2)
      let minus = Double(zip(a, b).count { $0 < $1 } + 1) / Double(wanted + 2)
      let half =
        1.959963984540054
        * ((plus + minus - (plus - minus) * (plus - minus)) / Double(wanted + 2)).squareRoot()
      if plus - minus - half > 0 { told += 1 }
    }
    #expect(65...97 ~= told, "\(told) of \(trials) with \(wanted) episodes")
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
  @Test func seedsHaveWelchsInterval() {
    let found = Intervals.welch([1, 2, 3, 4], less: [2, 4, 6])
    let degrees = Self.welchDegrees(5.0 / 3 / 4, 3, 4.0 / 3, 2)
    let half =
      Intervals.studentQuantile(0.975, degrees: degrees) * (5.0 / 12 + 4.0 / 3).squareRoot()
    #expect(abs(found.estimate - -1.5) < 1e-12)
    #expect(abs(found.high - (-1.5 + half)) < 1e-9)
    let seeds = PairedComparison(seeds: [0.9, 0.92, 0.91], over: [0.5, 0.52, 0.49])
    #expect(seeds.verdict == .better && seeds.units == .seeds && seeds.improvement.estimate == 1)
    #expect(seeds.difference.episodes == 6)
  }

  static func welchDegrees(_ a: Double, _ m: Double, _ b: Double, _ n: Double) -> Double {
    (a + b) * (a + b) / (a * a / m + b * b / n)
  }

  @Test func clustersAreDrawnWhole() {
    // Ten clusters of 100 equal values each: the spread is that of ten values, not of 1,000.
    let sums = (0..<10).map { Double($0) * 100 }
    let found = Intervals.bootstrap(sums: sums, counts: [Double](repeating: 100, count: 10))
    #expect(found.estimate == 4.5)
    #expect(found.high - found.low > 2.5)
    #expect(found.episodes == 10)
  }
}
