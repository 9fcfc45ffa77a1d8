import Foundation
import Glibc
import GoalCore
import HDF5
import Storage
import Support
import TestSupport
import Testing

@testable import Experiments

/// LeRobot's datasets of version 3 come in, and what goes out is read by its rules.
struct LeRobotConversionTests {
  private let tools: ConversionTests

  init() throws { tools = try ConversionTests() }

  private struct Found: Decodable {
    let features: [String]
    let lengths: [Int]
    let state: [Double]
    let action: [Double]
  }

  private func python(_ arguments: String...) throws -> Data {
    try PythonReference.run("lerobot_reference.py", arguments: arguments)
  }

  private func read(_ name: String) throws -> Found {
    try JSONDecoder().decode(Found.self, from: try python("read", tools.url(name).path))
  }

  @Test func aDatasetOfTheirsComesInAndGoesOut() throws {
    _ = try python("write", tools.url("in").path)
    let report = try tools.convert("in", to: "ours") { $0.goalIndices = [1, 2] }[0]
    #expect(report.from == "lerobot" && report.episodes == 3 && report.steps == 3 + 1 + 5)
    #expect(
      report.notes.lost.contains {
        $0.hasPrefix("action, next.reward, next.success of each episode's last row")
      })
    #expect(report.notes.lost.contains { $0.hasPrefix("frame_index, index, timestamp, next.done") })
    #expect(report.notes.lost.contains { $0.hasPrefix("'observation.images.top'") })
    #expect(report.notes.assumed.contains { $0.hasPrefix("every episode was cut off by time") })
    let manifest = try Dataset(at: tools.url("ours")).manifest
    #expect(manifest.totals.truncated == 3 && manifest.columns["extra/observation/touch"] != nil)
    #expect(try tools.rows("ours", "desired_goals").rows == 3)
    #expect(try tools.rows("ours", "observations").rows == 12)
    let out = try tools.convert("ours", to: "out") { $0.to = "lerobot" }[0]
    #expect(out.notes.lost.contains { $0.contains("takes them back from the folder `goalpost`") })
    let found = try read("out")
    #expect(found.lengths == [3, 1, 5])
    #expect(found.features.contains("observation.desired_goal"))
    // All states but each episode's last.
    let states = try tools.rows("ours", "observations").doubles()
    let kept = [0..<3, 4..<5, 6..<11].flatMap { states[(5 * $0.lowerBound)..<(5 * $0.upperBound)] }
    #expect(found.state == kept)
    #expect(found.action == (try tools.rows("ours", "actions").doubles()))
    try tools.convert("out", to: "again") { $0.goalIndices = [1, 2] }
    for path in ["observations", "actions", "rewards", "extra/observation/touch", "truncated"] {
      let (one, two) = (try tools.rows("ours", path), try tools.rows("again", path))
      #expect(one.type == two.type && one.bytes.elementsEqual(two.bytes), "\(path)")
    }
  }

  @Test func observationsOfSeveralKeysAreJoined() throws {
    _ = try python("write", tools.url("in").path)
    let report = try tools.convert("in", to: "ours") {
      $0.observationKeys = ["observation.touch", "observation.state"]
      $0.goalIndices = [2, 3]
    }[0]
    #expect(
      report.notes.assumed.contains(
        "observations: observation.touch, observation.state, joined in this order as f64, as "
          + "--observation-keys says"))
    try tools.convert("in", to: "apart") { $0.goalIndices = [1, 2] }
    let joined = try tools.rows("ours", "observations")
    #expect(joined.type == .float64 && joined.rowShape == [6])
    let states = try tools.rows("apart", "observations").doubles()
    let touch = try tools.rows("apart", "extra/observation/touch").doubles()
    #expect(
      joined.doubles() == touch.indices.flatMap { [touch[$0]] + states[(5 * $0)..<(5 * $0 + 5)] })
    #expect(try Dataset(at: tools.url("ours")).manifest.columns["extra/observation/touch"] == nil)
  }

  @Test func goalsOfSeveralKeysAreJoined() throws {
    _ = try python("write", tools.url("in").path, "v3.0", "2", "goals")
    let report = try tools.convert("in", to: "ours") {
      $0.goalKeys = ["observation.environment_state", "observation.touch"]
    }[0]
    #expect(
      report.notes.assumed.contains {
        $0.hasPrefix(
          "observations are observation.state, and observation.environment_state is an extra")
      })
    let goals = try tools.rows("ours", "achieved_goals")
    #expect(goals.rowShape == [3] && goals.rows == 12)
    try tools.convert("in", to: "apart")
    let touch = try tools.rows("apart", "extra/observation/touch").doubles()
    #expect(stride(from: 2, to: 36, by: 3).map { goals.doubles()[$0] } == touch)
  }

  @Test func keysThatAreNotThereAreRefusedWithThoseThatAre() throws {
    _ = try python("write", tools.url("in").path)
    #expect(
      refusal("in") { $0.observationKeys = ["observation.state", "arm"] }.hasSuffix(
        "--observation-keys names 'arm', which is no feature of numbers: say which make it, in order, with "
          + "--observation-keys observation.achieved_goal,observation.desired_goal,observation.state,"
          + "observation.touch"))
    #expect(
      refusal("in") { $0.goalKeys = ["observation.touch"] }.hasSuffix(
        "--goal-keys has nothing to join: observation.achieved_goal is one array"))
    try tools.convert("in", to: "ours") { $0.goalIndices = [1, 2] }
    try tools.convert("ours", to: "out") { $0.to = "lerobot" }
    #expect(
      refusal("out") { $0.observationKeys = ["observation.state"] }.hasSuffix(
        "--observation-keys has nothing to join: in data that Goalpost wrote, each column has its place"
      ))
  }

  private func refusal(
    _ name: String, _ change: (inout DatasetConversion.Request) -> Void = { _ in }
  ) -> String {
    do {
      try tools.convert(name, to: "refused-" + name) {
        $0.goalIndices = [0, 1]
        change(&$0)
      }
      return "accepted"
    } catch { return "\(error)" }
  }

  @Test func olderVersionsAndDamageAreNamed() throws {
    _ = try python("write", tools.url("old").path, "v2.1")
    #expect(refusal("old").contains("convert_dataset_v21_to_v30"))
    _ = try python("write", tools.url("in").path, "v3.0")
    let file = tools.url("in/data/chunk-000/file-001.parquet")
    let whole = try Data(contentsOf: file)
    try whole.dropLast(20).write(to: file)
    #expect(
      refusal("in").contains(
        "file-001.parquet: must be a Parquet file, found it must end with PAR1"))
    // A footer that says that it is larger than the file.
    var long = whole
    long.replaceSubrange((long.count - 8)..<(long.count - 4), with: [0xff, 0xff, 0xff, 0x7f])
    try long.write(to: file)
    #expect(refusal("in").contains("its footer must have at most"))
    try FileManager.default.removeItem(at: file)
    #expect(mkfifo(file.path, 0o600) == 0)
    #expect(refusal("in").contains("it is not a regular file"))
  }

  /// What Arrow reads without an error, and is no dataset.
  @Test(arguments: [
    ("nulls", "'next.reward' cannot be read: an element is missing"),
    ("ragged", "'action' cannot be read: its rows have"),
    ("narrow", "'observation.state' cannot be read: a row must have 5 elements, found 4"),
    ("texts", "'next.reward' must be of numbers, found string"),
    ("lengths", "'length' must be 4, as in the data"),
    ("backwards", "'episode_index' must be 0 or more and not decrease"),
    ("many", "bytes, and --max-bytes allows 1073741824"),
    ("page", "'episode_index' cannot be read: it unpacks to more than 268435456 bytes at once"),
    ("wide", "must have a shape of at most 8 axes and 2³² numbers"),
  ])
  func whatIsNoDatasetIsRefused(kind: String, words: String) throws {
    _ = try python("write_bad", tools.url("in").path, kind)
    let found = refusal("in")
    #expect(found.contains(words), "\(found)")
  }
}
