import Foundation
import GoalCore
import TestSupport
import Testing

@testable import Experiments
@testable import Storage

/// What `verify` checks in converted data, and that each sentence says what it was.
struct ConvertedVerificationTests {
  private let tools: ConversionTests

  init() throws { tools = try ConversionTests() }

  private func path(_ name: String) -> String { tools.url(name).path }

  @discardableResult
  private func python(_ arguments: String...) throws -> Data {
    try PythonReference.run("hdf5_reference.py", arguments: arguments)
  }

  private func collect(_ world: String, _ name: String, policy: String = "random") throws {
    try Recipe(environment: world, policy: policy, seed: 4, episodes: 4, noise: 0, shardEpisodes: 4)
      .collect(in: tools.url(name))
  }

  private func verify(_ name: String) throws -> Verification.Report {
    try Verification.run(tools.url(name), replays: .all, workers: 2, silent: true)
  }

  private func rules(_ report: Verification.Report) -> [String: Int] {
    Dictionary(uniqueKeysWithValues: report.findings.map { ($0.rule, $0.count) })
  }

  /// What no sentence may claim: that all is checked.
  private func expect(_ report: Verification.Report, checks: [String], leaves: [String]) {
    for words in checks {
      #expect(report.checked.contains { $0.contains(words) }, "\(words): \(report.text)")
    }
    for words in leaves {
      #expect(report.unchecked.contains { $0.contains(words) }, "\(words): \(report.text)")
    }
  }

  // MARK: - Bounds and jumps

  @Test func aWorldsBoundsHoldInConvertedDataToo() throws {
    try collect("fetch-reach", "ours")
    try tools.convert("ours", to: "rows.hdf5") { $0.to = "d4rl" }
    // The gripper is put to the origin, 1.5 m away, for one state.
    for (dataset, row) in [("observations", "60"), ("next_observations", "59")] {
      try python("put", path("rows.hdf5"), dataset, row, "0")
    }
    try tools.convert("rows.hdf5", to: "back") { $0.environment = "fetch-reach" }
    let report = try verify("back")
    #expect(!report.isSound)
    #expect(rules(report)["the gripper moves at most 0.15 in a step"] == 2, "\(report.text)")
    expect(report, checks: ["bounds: numbers of observations are within 10.0 of 0"], leaves: [])
    #expect(!report.text.contains("sound"))
  }

  @Test func jumpsAreSuspectWhereNoBoundsAreKnown() throws {
    try python("write_walk", path("walk.hdf5"))
    try tools.convert("walk.hdf5", to: "walk")
    let still = try verify("walk")
    #expect(still.isSound && still.suspicions.isEmpty, "\(still.text)")
    expect(
      still, checks: ["jumps: of each number of an observation"],
      leaves: ["bounds, as unknown is no registered world", "the range of actions", "rewards"])
    try python("write_walk", path("jump.hdf5"), "8")
    try tools.convert("jump.hdf5", to: "jump")
    let report = try verify("jump")
    #expect(report.isSound && report.suspicions.count == 2, "\(report.text)")
    #expect(
      report.suspicions.allSatisfy { $0.count == 1 && $0.first.contains("episode 2, step 14") })
    #expect(report.text.contains("\nsuspect 1 ×: number 0 of an observation changes"))
  }

  // MARK: - Seeds

  @Test func keptSeedsAreSimulatedAgain() throws {
    try collect("fetch-push", "ours")
    try tools.convert("ours", to: "mine/push-v0") { $0.to = "minari" }
    try tools.convert("mine/push-v0", to: "back")
    let report = try verify("back")
    #expect(report.isSound && report.replayed == 4 && report.suspicions.isEmpty, "\(report.text)")
    expect(
      report,
      checks: [
        "observations and goals of 4 converted episodes, simulated again from the seeds that they kept: "
          + "4 came out the same to the bit", "rewards, which are the source's own",
        "all 200 are those of the state after the step",
      ], leaves: [])
    #expect(!report.text.contains("no seeds"))

    // One number of one state is another: the others say that the seeds are this world's.
    let file = path("mine/push-v0/data/main_data.hdf5")
    try python("put", file, "episode_2/actions", "3", "0.25")
    try tools.convert("mine/push-v0", to: "altered")
    let altered = try verify("altered")
    #expect(rules(altered) == ["kept seeds give the same episode again, as they do 3 times": 1])
    #expect(altered.findings.first?.first.contains("episode 2, step 3") == true)

    // Seeds of something else are said to be that, and no more.
    try python("shift_seeds", file, "1000")
    try tools.convert("mine/push-v0", to: "others")
    let others = try verify("others")
    #expect(others.isSound && others.replayed == 0)
    expect(others, checks: [], leaves: ["the seeds that were kept give other starts in fetch-push"])
  }

  // MARK: - Rewards and successes

  @Test(arguments: [0, 1])
  func rewardsAreComparedWithBothStates(rewardOffset: Int) throws {
    _ = try PythonReference.run(
      "formats_reference.py", arguments: ["write_arrays", path("in"), "\(rewardOffset)"])
    try tools.convert("in", to: "ours") { $0.environment = "fetch-reach" }
    let report = try verify("ours")
    let state = rewardOffset == 1 ? "after" : "before"
    expect(
      report,
      checks: [
        "all 9 are those of the state \(state) the step, on the scale of -1 and 0, and 6 those of",
        "successes, which the conversion computed",
      ], leaves: ["no seeds to simulate them from"])
    #expect(!report.unchecked.contains { $0.contains("successes") })
  }

  @Test func rewardsThatAreNeitherAreSuspect() throws {
    try collect("fetch-reach", "ours", policy: "scripted")
    try tools.convert("ours", to: "rows.hdf5") { $0.to = "d4rl" }
    try python("fill", path("rows.hdf5"), "rewards", "-1")
    try tools.convert("rows.hdf5", to: "back") { $0.environment = "fetch-reach" }
    let report = try verify("back")
    let finding = try #require(report.suspicions.first { $0.rule.hasPrefix("rewards are not") })
    #expect(report.isSound && finding.count > 50, "\(report.text)")
    #expect(report.text.contains("suspect: no rule is broken"))
  }
}
