import Foundation
import GoalCore
import TestSupport
import Testing

@testable import Statistics

/// The aggregates and intervals beside `rliable`'s, and what they must be.
struct StratifiedBootstrapTests {
  /// Scores of `runs` runs on `tasks` tasks, drawn about a level for each task.
  static func matrix(runs: Int, tasks: Int, seed: UInt64, shift: Double = 0) -> ScoreMatrix {
    var generator = Philox(seed: seed, purpose: 1, index: 0)
    return ScoreMatrix(
      (0..<tasks).map { task in
        let level = 0.2 + 0.8 * Double(task) / Double(tasks) + shift
        return (0..<runs).map { _ in (20 * (level + 0.2 * generator.normal())).rounded() / 20 }
      })
  }

  @Test(
    .enabled(
      if: PythonReference.peersHave("rliable"), "rliable is not set up: run `make setup-peers`"),
    arguments: [(10, 5, UInt64(1)), (3, 7, 2), (25, 1, 3)])
  func estimatesAreThoseOfRliable(runs: Int, tasks: Int, seed: UInt64) throws {
    let ours = Self.matrix(runs: runs, tasks: tasks, seed: seed)
    let theirs = Self.matrix(runs: runs, tasks: tasks, seed: seed + 100, shift: -0.05)
    let thresholds = [-0.51, 0.01, 0.26, 0.49, 0.77, 1.03, 2.01]
    struct Given: Encodable {
      let ours, theirs: [[Double]]
      let thresholds: [Double]
      let replicates: Int
    }
    struct Found: Decodable {
      let aggregates: [[Double]]
      let improvement: [Double]
      let profile: [[Double]]
    }
    let transposed = { (matrix: ScoreMatrix) in
      (0..<runs).map { run in matrix.scores.map { $0[run] } }
    }
    let given = Given(
      ours: transposed(ours), theirs: transposed(theirs), thresholds: thresholds, replicates: 2_000)
    let found = try JSONDecoder().decode(
      Found.self,
      from: PythonReference.runPeer(
        "statistics_reference.py", input: JSONEncoder().encode(given)))

    let bootstrap = StratifiedBootstrap(replicates: 2_000, seed: 5)
    func compare(_ mine: Estimate, _ other: [Double], _ what: String, grain: Double = 0) {
      #expect(abs(mine.estimate - other[0]) < 1e-9, "\(what)")
      // The ends of an interval are quantiles of draws: they differ by a few percent of its width,
      // and those of a share by one run.
      let room = 0.06 * (other[2] - other[1]) + 0.012 + grain
      #expect(abs(mine.low - other[1]) < room, "\(what): \(mine) beside \(other)")
      #expect(abs(mine.high - other[2]) < room, "\(what): \(mine) beside \(other)")
    }
    for (k, mine) in bootstrap.estimates(of: ours).enumerated() {
      compare(mine, found.aggregates[k], Aggregate.all[k].name)
    }
    compare(
      bootstrap.probabilityOfImprovement(of: ours, over: theirs), found.improvement, "improvement")
    for (k, mine) in bootstrap.profile(of: ours, above: thresholds).enumerated() {
      compare(
        mine, found.profile[k], "profile above \(thresholds[k])",
        grain: 1.001 / Double(runs * tasks))
    }
  }

  @Test func aggregatesAreTheirDefinitions() {
    // Six runs of two tasks: of twelve scores three are left out at each end.
    let matrix = ScoreMatrix([[0, 1, 2, 3, 4, 50], [0.5, 1.5, 2.5, 3.5, 4.5, -50]])
    let found = StratifiedBootstrap(replicates: 10).estimates(of: matrix).map(\.estimate)
    #expect(found[0] == (10 + -6.25) / 2)
    #expect(found[1] == (10 + -6.25) / 2)
    #expect(found[2] == (1 + 1.5 + 2 + 2.5 + 3 + 3.5) / 6)
    #expect(abs(found[3] - (1 - (0 + 5 + 0.5 + 4 - 50) / 12)) < 1e-12)
  }

  @Test func tasksMayHaveUnlikeNumbersOfRuns() {
    let matrix = ScoreMatrix([[1, 1, 1, 1], [0]])
    let found = StratifiedBootstrap(replicates: 10).estimates(of: matrix)
    #expect(found[0].estimate == 0.5 && found[0].low == 0.5 && found[0].high == 0.5)
    #expect(found[0].episodes == 5)
  }

  @Test func aSeedDecidesTheDraws() {
    let matrix = Self.matrix(runs: 8, tasks: 3, seed: 9)
    let one = StratifiedBootstrap(replicates: 200, seed: 1).estimates(of: matrix)
    #expect(one == StratifiedBootstrap(replicates: 200, seed: 1).estimates(of: matrix))
    #expect(one != StratifiedBootstrap(replicates: 200, seed: 2).estimates(of: matrix))
  }

  /// Of many matrices drawn from one distribution, about 95 % of the intervals hold its mean.
  @Test func intervalsCover() {
    var held = 0
    let trials = 100
    for trial in 0..<trials {
      var generator = Philox(seed: UInt64(trial), purpose: 2, index: 0)
      let matrix = ScoreMatrix((0..<4).map { _ in (0..<20).map { _ in generator.normal() } })
      let mean = StratifiedBootstrap(replicates: 300).estimates([.mean], of: matrix)[0]
      if mean.low <= 0, 0 <= mean.high { held += 1 }
    }
    #expect(0.86...1 ~= Double(held) / Double(trials))
  }

  /// With starts drawn as well as runs, what starts do is in the interval: its width is near σ_b/√N
  /// at least.
  @Test func drawnStartsWidenWhatRunsAgreeOn() {
    var generator = Philox(seed: 2, purpose: 3, index: 0)
    let tasks = (0..<3).map { _ in
      let starts = (0..<40).map { _ in 0.5 + 0.2 * generator.normal() }
      return CrossedScores((0..<6).map { _ in starts.map { $0 + 0.001 * generator.normal() } })
    }
    let both = StratifiedBootstrap(replicates: 500).estimates(of: tasks, in: -9...9)
    let runs = StratifiedBootstrap(replicates: 500).estimates(
      of: ScoreMatrix(tasks.map { task in task.scores.map { $0.reduce(0, +) / 40 } }))
    for (wide, narrow) in zip(both, runs) {
      #expect(wide.estimate == narrow.estimate && wide.episodes == 18)
      #expect(narrow.high - narrow.low < 0.002)
    }
    // Of the mean over three worlds: 2 · 1.96 · 0.2 / √(40 · 3) = 0.07.
    #expect(0.05...0.09 ~= both[0].high - both[0].low)
    let level = CrossedScores.mean(over: tasks, in: -9...9)
    #expect(level.estimate == both[0].estimate && 0.05...0.09 ~= level.high - level.low)
    // All agree: a rule of three.
    let ones = CrossedScores([[Double]](repeating: [Double](repeating: 1, count: 40), count: 5))
    let sure = StratifiedBootstrap(replicates: 20).estimates([.mean], of: [ones], in: 0...1)[0]
    #expect(sure.high == 1 && sure.low < 0.95)
  }

  @Test func aProfileFallsFromOneToZero() {
    let matrix = ScoreMatrix([[0.2, 0.4], [0.6, 0.8]])
    let profile = StratifiedBootstrap(replicates: 100).profile(
      of: matrix, above: [0, 0.2, 0.5, 0.8, 1])
    #expect(profile.map(\.estimate) == [1, 0.75, 0.5, 0, 0])
    #expect(profile.allSatisfy { $0.low <= $0.estimate && $0.estimate <= $0.high })
  }
}
