import Foundation
import GoalCore
import HDF5
import Storage
import TestSupport
import Testing

@testable import Experiments

/// Every row and member of a foreign file is in the result or on a printed line.
struct ConversionMembersTests {
  private let tools: ConversionTests

  init() throws { tools = try ConversionTests() }

  private func python(_ arguments: String...) throws -> Data {
    try PythonReference.run("members_reference.py", arguments: arguments)
  }

  /// Every number in the columns of a dataset.
  private func numbers(in name: String) throws -> Set<Double> {
    let source = try Dataset(at: tools.url(name)).source()
    let table = try source.table(of: 0..<source.lengths.count)
    var numbers: Set<Double> = []
    for column in table.columns.values {
      numbers.formUnion(column.doubles())
      // Seeds and others of 8 bytes as they are.
      if column.type == .uint64 { numbers.formUnion(column.integers().map(Double.init)) }
    }
    return numbers
  }

  /// What says how a file is laid out, or follows from the rest; `lengths` show that the flags were
  /// read.
  private static let structure: Set<String> = [
    "terminals", "timeouts", "terminations", "truncations", "dones", "valids", "done.npy",
    "not_done.npy", "id", "total_steps", "num_samples", "total", "json:total_episodes",
    "json:total_steps", "json:data_format", "json:minari_version", "json:action_space",
    "json:codebase_version", "json:total_frames", "json:total_tasks", "json:chunks_size",
    "json:data_path", "json:video_path", "json:features", "length",
  ]

  /// A format, a file's name, the lengths of the episodes, and options.
  struct Case: Sendable, CustomTestStringConvertible {
    let format: String
    let file: String
    let lengths: [Int]
    var observationKeys: [String]?
    var goalKeys: [String]?
    var goalLength: Int?
    var goalIndices: [Int]?

    var testDescription: String { format }
  }

  static let cases = [
    Case(format: "wgcsl-pickle", file: "a.pkl", lengths: [4, 4, 4]),
    Case(format: "wgcsl-npy", file: "npy", lengths: [4, 2, 3], goalLength: 2),
    Case(format: "gcsl", file: "a.npz", lengths: [5, 5, 5]),
    Case(format: "ogbench", file: "a.npz", lengths: [4, 3]),
    Case(format: "ogbench-compact", file: "a.npz", lengths: [4, 2, 3]),
    Case(format: "ogbench-next", file: "a.npz", lengths: [4, 1, 3]),
    Case(format: "minari", file: "test/a-v0", lengths: [4, 1, 6]),
    Case(
      format: "minari", file: "test/a-v0", lengths: [4, 1, 6], goalKeys: ["microwave", "kettle"]),
    Case(
      format: "robomimic", file: "a.hdf5", lengths: [4, 1, 3],
      observationKeys: ["robot0_eef_pos", "object"]),
    Case(
      format: "robomimic-v0", file: "a.hdf5", lengths: [3, 2],
      observationKeys: ["robot0_eef_pos", "object"], goalKeys: ["object"]),
    Case(format: "d4rl", file: "a.hdf5", lengths: [4, 1, 3], goalIndices: [0, 1]),
    Case(format: "d4rl-v0", file: "a.hdf5", lengths: [3, 2], goalIndices: [0, 1]),
    Case(format: "lerobot", file: "l", lengths: [3, 5], goalIndices: [0, 1]),
  ]

  @Test(arguments: cases)
  func everyMemberIsInTheResultOrNamed(_ test: Case) throws {
    let file = tools.url("in/" + test.file)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    _ = try python("write", test.format, file.path)
    let listed = try python("list", file.path)
    let members = try #require(
      try JSONSerialization.jsonObject(with: listed) as? [String: Any])
    #expect(members.count >= 6)
    let report = try tools.convert("in/" + test.file, to: "ours") {
      $0.goalLength = test.goalLength
      $0.observationKeys = test.observationKeys
      $0.goalKeys = test.goalKeys
      $0.goalIndices = test.goalIndices
    }[0]
    let source = try Dataset(at: tools.url("ours")).source()
    #expect(source.lengths == test.lengths)
    let kept = try numbers(in: "ours")
    let lines = report.notes.lines
    for (member, value) in members {
      let name = member.split(separator: "/").last.map(String.init) ?? member
      if Self.structure.contains(name) { continue }
      // The members of a mask are flags of the episodes.
      if member.hasPrefix("mask/"), source.columns["extra/mask_" + name] != nil { continue }
      let isNamed = lines.contains { $0.contains(name.replacing("json:", with: "")) }
      guard let numbers = value as? [Double] else {
        #expect(isNamed, "'\(member)' is on no line of \(lines.joined(separator: "\n"))")
        continue
      }
      let missing = numbers.filter { !kept.contains($0) }
      if missing.isEmpty || isNamed { continue }
      // Rows of episodes that were left out whole.
      let isShort =
        (missing.count < numbers.count || member.contains("demo_1/"))
        && lines.contains { $0.contains("which have one") }
      #expect(
        isShort,
        """
        \(missing.count) of \(numbers.count) numbers of '\(member)' are neither there nor on a line of
        \(lines.joined(separator: "\n"))
        """)
    }
  }
}
