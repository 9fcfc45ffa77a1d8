import Foundation
import GoalCore
import Storage
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
      report.notes.lost.contains { $0.hasPrefix("the action and reward of each episode's last") })
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

  @Test func olderVersionsAndDamageAreNamed() throws {
    _ = try python("write", tools.url("old").path, "v2.1")
    let old = #expect(throws: StorageError.self) { try tools.convert("old", to: "ours") }
    #expect("\(try #require(old))".contains("convert_dataset_v21_to_v30"))
    _ = try python("write", tools.url("in").path, "v3.0")
    let file = tools.url("in/data/chunk-000/file-001.parquet")
    try Data(try Data(contentsOf: file).dropLast(20)).write(to: file)
    let cut = #expect(throws: StorageError.self) { try tools.convert("in", to: "ours") }
    #expect("\(try #require(cut))".contains("file-001.parquet: must be a Parquet file"))
  }
}
