import Foundation
import GoalCore
import Learners
import Storage
import Support
import TestSupport
import Testing

@testable import Experiments

/// Foreign files come in and go out as they were, and what could not be so is said.
struct ConversionTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func url(_ name: String) -> URL { folder.url.appendingPathComponent(name) }

  @discardableResult
  func convert(
    _ input: String, to output: String,
    _ change: (inout DatasetConversion.Request) -> Void = { _ in }
  ) throws -> [DatasetConversion.Report] {
    var request = DatasetConversion.Request(url(input), to: url(output), workers: 2)
    request.isSilent = true
    change(&request)
    return try DatasetConversion.run(request)
  }

  func makeFolder(_ name: String) throws {
    try FileManager.default.createDirectory(at: url(name), withIntermediateDirectories: true)
  }

  @discardableResult
  func python(_ command: String, _ arguments: String...) throws -> [String] {
    let output = try PythonReference.run(
      "formats_reference.py", arguments: [command] + arguments.map { url($0).path })
    return String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  func files(_ name: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: url(name).path).sorted()
  }

  func expectSound(_ name: String) throws {
    let report = try Verification.run(url(name), replays: .some(10), workers: 2, silent: true)
    #expect(report.isSound, "\(report.findings)")
    #expect(!report.checked.isEmpty && !report.unchecked.isEmpty)
  }

  func rows(_ name: String, _ path: String) throws -> TableColumn {
    let dataset = try Dataset(at: url(name))
    let source = try dataset.source()
    return try #require(try source.table(of: 0..<source.lengths.count)[path])
  }

  // MARK: - WGCSL

  @Test func numpysPicklesComeInAndGoOutAsTheyWere() throws {
    for name in ["in", "out", "ours"] { try makeFolder(name) }
    try python("write_pickles", "in")
    let pickles = try files("in")
    #expect(pickles.count == 19)
    for name in pickles {
      let report = try convert("in/\(name)", to: "ours/\(name)") { $0.to = "goalpost" }[0]
      #expect(report.episodes == 3 && report.steps == 12)
      try expectSound("ours/\(name)")
      try convert("ours/\(name)", to: "out/\(name)")
    }
    #expect(try python("compare", "in", "out").count == 19)
    // The same numbers give the same shards, whatever wrote the pickle.
    let shard = try Dataset(at: url("ours/p3-f8-C.pkl")).manifest.shards[0].sha256
    for name in ["p2-f8-F.pkl", "p5-f8-C.pkl", "old-p2.pkl"] {
      #expect(try Dataset(at: url("ours/" + name)).manifest.shards[0].sha256 == shard, "\(name)")
    }
  }

  @Test func moreThanWGCSLNeedsIsKeptOrNamed() throws {
    for name in ["in", "out"] { try makeFolder(name) }
    try python("write_pickles", "in")
    let report = try convert("in/rich.pkl", to: "ours")[0]
    #expect(report.notes.lost.map { $0.prefix { $0 != "," } } == ["'note'", "'list'", "'scalar'"])
    let manifest = try Dataset(at: url("ours")).manifest
    #expect(manifest.task.spec.action == .discrete(count: 4))
    #expect(manifest.task.goalIndices == [1, 2])
    #expect(manifest.columns["extra/flag"]?.type == "bool")
    #expect(manifest.columns["desired_goals"]?.type == "f64")
    #expect(try rows("ours", "desired_goals").rows == 15)
    #expect(manifest.columns["rewards"]?.origin == .absent)
    try convert("ours", to: "out/rich.pkl")
    for name in try files("in") where name != "rich.pkl" {
      try FileManager.default.removeItem(at: url("in/" + name))
    }
    #expect(
      try python("compare", "in", "out") == [
        "rich.pkl o u g ag info_is_success seed qpos flag"
      ])
  }

  private static let real = "reach_right_expert_200.pkl"

  @Test(
    .enabled(
      if: PythonReference.shared("data/\(real)") != nil, "the checkout has no ../shared/data"))
  func aRealPickleIsAFetchReachDataset() throws {
    let real = Self.real
    let file = try #require(PythonReference.shared("data/\(real)"))
    for name in ["in", "out"] { try makeFolder(name) }
    try FileManager.default.copyItem(at: file, to: url("in/" + real))
    let report = try convert("in/" + real, to: "reach") { $0.environment = "fetch-reach" }[0]
    #expect(report.episodes == 200 && report.steps == 9800)
    try expectSound("reach")
    try convert("reach", to: "out/" + real)
    #expect(try python("compare", "in", "out") == ["\(real) o u g ag"])
    #expect(try String(contentsOf: url("reach/README.md"), encoding: .utf8).contains("fetch-reach"))

    // Mixtures, training and inspection take it as any other.
    var request = Mixing.Request([url("reach").path], seed: 1)
    request.episodes = 20
    _ = try Mixing.run(request, in: url("part"), workers: 2, silent: true)
    try expectSound("part")
    #expect(try rows("part", "observations").rowBytes == 80)
    _ = try DatasetInspection.run(url("reach"), workers: 2, silent: true)
    var configuration = RunConfiguration()
    configuration.learner = "wgcsl"
    configuration.datasets = [url("part").path]
    configuration.updates = 2
    configuration.evaluateEvery = 0
    #expect(try OfflineTraining.run(configuration, in: url("run")).updates == 2)
  }

  @Test(arguments: [0, 1])
  func wgcslsArraysComeInAndGoOut(rewardOffset: Int) throws {
    _ = try PythonReference.run(
      "formats_reference.py", arguments: ["write_arrays", url("in").path, "\(rewardOffset)"])
    let report = try convert("in", to: "ours") { $0.environment = "fetch-reach" }[0]
    #expect(report.episodes == 3 && report.steps == 9)
    let words = rewardOffset == 1 ? "after the step" : "before the step"
    #expect(report.notes.assumed.contains { $0.contains(words) && $0.contains("9 of the first 9") })
    try expectSound("ours")
    try convert("ours", to: "out") { $0.to = "wgcsl-npy" }
    #expect(try python("compare_arrays", "in", "out").first?.split(separator: " ").count == 6)
  }

  @Test func theLengthOfAGoalIsAskedFor() throws {
    _ = try PythonReference.run(
      "formats_reference.py", arguments: ["write_arrays", url("in").path, "1"])
    let error = #expect(throws: FileError.self) { try convert("in", to: "ours") }
    #expect("\(error.map { "\($0)" } ?? "")".contains("--goal-length"))
    #expect(try convert("in", to: "ours") { $0.goalLength = 3 }[0].steps == 9)
  }

  // MARK: - Archives

  @Test(arguments: [true, false], [nil, [0, 2]])
  func gcslsBufferComesInAndGoesOut(isDiscrete: Bool, goalIndices: [Int]?) throws {
    for name in ["in", "out"] { try makeFolder(name) }
    _ = try PythonReference.run(
      "formats_reference.py",
      arguments: [
        "write_gcsl", url("in/buffer.npz").path, isDiscrete ? "discrete" : "continuous",
      ])
    let report = try convert("in/buffer.npz", to: "ours") { $0.goalIndices = goalIndices }[0]
    #expect(report.from == "gcsl-npz" && report.episodes == 3 && report.steps == 15)
    try expectSound("ours")
    #expect(
      try Dataset(at: url("ours")).columns()[0].achievedGoals.count == 18
        * (goalIndices?.count ?? 4))
    try convert("ours", to: "out/buffer.npz") {
      $0.to = "gcsl-npz"
      $0.compress = isDiscrete
    }
    #expect(try python("compare", "in", "out") == ["buffer.npz states actions desired_states"])
  }

  @Test(arguments: ["stored", "deflate"])
  func ogbenchComesInAndGoesOutWithItsValidation(method: String) throws {
    for name in ["in", "out"] { try makeFolder(name) }
    _ = try PythonReference.run(
      "formats_reference.py", arguments: ["write_ogbench", url("in/maze-v0.npz").path, method])
    let reports = try convert("in/maze-v0.npz", to: "ours") { $0.environment = "pointmaze" }
    #expect(reports.map(\.episodes) == [3, 3] && reports[0].steps == 10)
    #expect(reports[1].output.hasSuffix("ours-val"))
    for name in ["ours", "ours-val"] { try expectSound(name) }
    let manifest = try Dataset(at: url("ours")).manifest
    #expect(manifest.task.identifier == "pointmaze" && manifest.task.spec.goal == 6)
    #expect(manifest.columns["achieved_goals"]?.origin == .absent)
    try convert("ours", to: "out/maze-v0.npz") {
      $0.to = "ogbench"
      $0.compress = method == "deflate"
    }
    #expect(try files("out") == ["maze-v0-val.npz", "maze-v0.npz"])
    #expect(
      try python("compare", "in", "out").allSatisfy {
        $0.hasSuffix("observations actions terminals qpos button_states")
      })
    // OGBench's own loader makes the same of both, in both of its forms.
    let loaded = try ["in", "out"].map { try python("load_ogbench", "\($0)/maze-v0.npz") }
    #expect(loaded[0] == loaded[1] && loaded[0].count == 2)

    // There are no goals to draw, which a learner that wants some says.
    var configuration = RunConfiguration()
    configuration.learner = "wgcsl"
    configuration.datasets = [url("ours").path]
    configuration.updates = 2
    configuration.evaluateEvery = 0
    #expect(throws: ExperimentError.self) {
      try OfflineTraining.run(configuration, in: url("run"))
    }
    // Nothing is begun, so that the same command with other settings can be.
    #expect(!FileManager.default.fileExists(atPath: url("run").path))
    configuration.learner = "gcsl"
    configuration.settings = ["originalGoals": 0]
    #expect(try OfflineTraining.run(configuration, in: url("gcsl")).updates == 2)
  }

  // MARK: - What is refused

  @Test func collectedEpisodesOfSeveralLengthsAreNoPickle() throws {
    _ = try PythonReference.run(
      "formats_reference.py", arguments: ["write_arrays", url("in").path, "1"])
    try convert("in", to: "ours") { $0.goalLength = 3 }
    let error = #expect(throws: FileError.self) { try convert("ours", to: "buffer.pkl") }
    #expect("\(error.map { "\($0)" } ?? "")".contains("one length for all episodes"))
    #expect(try files("") == ["in", "ours"])
  }

  @Test func whatIsThereIsNotWrittenOver() throws {
    try makeFolder("in")
    try python("write_pickles", "in")
    try convert("in/p3-f8-C.pkl", to: "ours")
    try Data("mine".utf8).write(to: url("mine.pkl"))
    let error = #expect(throws: FileError.self) { try convert("ours", to: "mine.pkl") }
    #expect("\(error.map { "\($0)" } ?? "")".contains("is there already"))
    #expect(try Data(contentsOf: url("mine.pkl")) == Data("mine".utf8))
    // Another source for the same folder is another dataset.
    let other = #expect(throws: FileError.self) { try convert("in/p3-f4-C.pkl", to: "ours") }
    #expect("\(other.map { "\($0)" } ?? "")".contains("conversion"))
    // The same again changes nothing.
    let again = try convert("in/p3-f8-C.pkl", to: "ours")[0]
    #expect(again.left == 0)
  }

  @Test func anotherWorldsSizesAreRefused() throws {
    try makeFolder("in")
    try python("write_pickles", "in")
    let error = #expect(throws: ExperimentError.self) {
      try convert("in/p3-f8-C.pkl", to: "ours") { $0.environment = "fetch-push" }
    }
    #expect(
      "\(error.map { "\($0)" } ?? "")".contains(
        "fetch-push has observations of 25 numbers, these have 5"))
    #expect(throws: FileError.self) { try convert("in", to: "ours") }
  }
}
