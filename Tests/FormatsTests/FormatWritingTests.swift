import Foundation
import GoalCore
import HDF5
import Support
import TestSupport
import Testing

@testable import Formats
@testable import Storage

/// What every format does with a source: it says what is written, stops when asked, and keeps
/// nothing of a source that is not sound.
struct FormatWritingTests {
  /// Three episodes of two steps with goals that move, of which it is not known how they ended.
  private struct Source: TrajectorySource {
    let lengths = [2, 2, 2]
    let environment: String? = "sample"
    let notes = ConversionNotes()
    var isAltered = false
    let columns: [String: SourceColumn] = [
      "observations": SourceColumn(.float32, rowShape: [3], axis: .states),
      "achieved_goals": SourceColumn(.float32, rowShape: [2], axis: .states),
      "desired_goals": SourceColumn(.float32, rowShape: [2], axis: .states),
      "actions": SourceColumn(.float32, rowShape: [1], axis: .steps),
      "rewards": SourceColumn(.float32, axis: .steps),
      "terminated": SourceColumn(.uint8, axis: .episodes),
      "truncated": SourceColumn(.uint8, axis: .episodes),
      "extra/last_actions": SourceColumn(.float64, rowShape: [1], axis: .episodes),
    ]

    /// Of many pieces, so that they end after the last block.
    var checks: [SourceCheck] {
      let bytes = ColumnMemory(count: 9_000_000)
      bytes.bytes.initializeMemory(as: UInt8.self, repeating: 3)
      return [
        SourceCheck(of: UnsafeRawBufferPointer(bytes.bytes), kept: bytes) {
          [isAltered] digest throws(FileError) in
          let expected = Digest.sha256(of: Data(repeating: isAltered ? 4 : 3, count: 9_000_000))
          if digest != expected { throw .altered("shard", expected: expected, found: digest) }
        }
      ]
    }

    func blocks(byteLimit: Int) -> [Range<Int>] { [0..<2, 2..<3] }

    /// Numbers of a column: row r has r, r + ¼ and so on, and `more`.
    static func rows(_ rows: Range<Int>, _ width: Int, more: Float) -> [Float] {
      rows.flatMap { row in (0..<width).map { Float(row) + more + Float($0) / 4 } }
    }

    func table(
      of episodes: Range<Int>, only columns: Set<String>?
    ) throws(FileError) -> TrajectoryTable {
      var table = TrajectoryTable(
        indices: episodes.map { Int64($0) }, lengths: Array(lengths[episodes]))
      let states = 3 * episodes.lowerBound..<3 * episodes.upperBound
      let steps = 2 * episodes.lowerBound..<2 * episodes.upperBound
      func column(_ width: Int, _ more: Float) -> TableColumn {
        TableColumn(
          .float32, rowShape: [width], axis: .states, Source.rows(states, width, more: more))
      }
      table[.observations] = column(3, 0)
      table[.achievedGoals] = column(2, 100)
      table[.desiredGoals] = column(2, 200)
      table[.actions] = TableColumn(
        .float32, rowShape: [1], axis: .steps, Source.rows(steps, 1, more: 300))
      table[.rewards] = TableColumn(.float32, axis: .steps, Source.rows(steps, 1, more: -400))
      let none = TableColumn(
        .uint8, axis: .episodes, [UInt8](repeating: 0, count: table.episodes))
      (table[.terminated], table[.truncated]) = (none, none)
      table["extra/last_actions"] = TableColumn(
        .float64, rowShape: [1], axis: .episodes, [Double](repeating: 7, count: table.episodes))
      return table
    }
  }

  private let task = GoalTask(
    identifier: "sample",
    spec: GoalSpec(
      observation: 3, goal: 2, action: .continuous(low: [-1], high: [1]), horizon: 2,
      successThreshold: 0.1, metric: "distance", controlPeriod: 1), goalIndices: [1, 2])
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private var output: URL { folder.url.appendingPathComponent("out/mine/data-v0") }

  /// All that there is beside and in the output.
  private func left() throws -> [String] {
    try FileManager.default.subpathsOfDirectory(
      atPath: output.deletingLastPathComponent().path)
  }

  private func write(
    _ format: String, _ source: Source = Source(), compress: Bool = false, stopped: Bool = false,
    progress: @escaping @Sendable (Int) -> Void = { _ in }
  ) throws -> ConversionNotes {
    try Formats.write(
      FormatRequest(
        source: source, task: task, url: output, compress: compress, scratch: folder.url,
        threads: 2, progress: progress, isStopped: { stopped }), as: try Formats.named(format))
  }

  /// Desired goals of the states at some rows.
  private func goals(_ rows: [Int]) -> [Float] {
    rows.flatMap { Source.rows($0..<$0 + 1, 2, more: 200) }
  }

  private func read(_ format: String) throws -> TrajectoryTable {
    let options = FormatOptions(
      task: task, goalLength: 2, goalIndices: [1, 2], scratch: folder.url, threads: 1)
    return try Formats.named(format).open(output, options).table(of: 0..<3)
  }

  @Test(arguments: Formats.written.map(\.name), [false, true])
  func everyEpisodeIsCounted(format: String, compress: Bool) throws {
    let counter = Counter()
    _ = try write(format, compress: compress) { counter.add($0) }
    #expect(counter.value == 3)
  }

  @Test(arguments: Formats.written.map(\.name), [false, true])
  func whatIsStoppedLeavesNothing(format: String, compress: Bool) throws {
    let error = #expect(throws: FileError.self) {
      try write(format, compress: compress, stopped: true)
    }
    guard case .stopped? = error else {
      Issue.record("\(error.map { "\($0)" } ?? "no error")")
      return
    }
    #expect(try left().isEmpty)
  }

  @Test(arguments: Formats.written.map(\.name), [false, true])
  func ofAnAlteredSourceNothingIsMade(format: String, compress: Bool) throws {
    let error = #expect(throws: FileError.self) {
      try write(format, Source(isAltered: true), compress: compress)
    }
    guard case .altered? = error else {
      Issue.record("\(error.map { "\($0)" } ?? "no error")")
      return
    }
    #expect(try left().isEmpty)
  }

  // MARK: - Goals that move, and actions that do not fit

  @Test func wgcslsStatesHaveTheGoalOfTheirMoment() throws {
    _ = try write("wgcsl-npy")
    for (name, offset) in [("state", 0), ("next_state", 1)] {
      let bytes = try Data(contentsOf: output.appendingPathComponent(name + ".npy"))
      let numbers = [Float](unsafeUninitializedCapacity: 6 * 7) { target, count in
        count = 6 * 7
        _ = bytes.suffix(4 * count).copyBytes(to: UnsafeMutableRawBufferPointer(target))
      }
      var expected: [Float] = []
      for row in [0, 1, 3, 4, 6, 7] {
        let rows = (row + offset)..<(row + offset + 1)
        expected += Source.rows(rows, 3, more: 0) + goals([row + offset])
        expected += Source.rows(rows, 2, more: 100)
      }
      #expect(numbers == expected, "\(name)")
    }
  }

  @Test func gcslKeepsTheLastGoalAndRepeatsTheLastAction() throws {
    let notes = try write("gcsl-npz")
    #expect(notes.lost.contains("goals that move: the last one is kept"))
    let table = try read("gcsl-npz")
    let (last, wanted) = (goals([2, 5, 8]), try #require(table["extra/desired_states"]).floats())
    #expect(try #require(table[.desiredGoals]).floats() == last)
    let states: [Float] = [2, 202, 202.25, 5, 205, 205.25, 8, 208, 208.25]
    #expect(wanted == states)
    let actions: [Float] = [301, 303, 305]
    #expect(try #require(table["extra/last_actions"]).floats() == actions)
  }

  @Test func wgcslsPickleHasAGoalForEachStepAndSaysWhichIsLost() throws {
    let notes = try write("wgcsl-pickle")
    #expect(
      notes.lost.contains(
        "the goal at each episode's last state, as g has a row for each step"))
    // What is read gives the last state the goal of the last step.
    let table = try read("wgcsl-pickle")
    let found = try #require(table[.desiredGoals]).floats()
    #expect(found == goals([0, 1, 1, 3, 4, 4, 6, 7, 7]))
  }

  @Test func lastActionsOfAnotherTypeAreNoneForOGBench() throws {
    let notes = try write("ogbench")
    #expect(
      notes.computed.contains("a dummy action in each trajectory's last row, which is 0"))
    let last = try #require(try read("ogbench")["extra/last_actions"]).floats()
    #expect(last == [Float](repeating: 0, count: 3))
  }

  @Test func anEpisodeThatEndedInNoKnownWayTimesOutInD4RL() throws {
    _ = try write("d4rl")
    let table = try read("d4rl")
    #expect(table.lengths == [2, 2, 2])
    #expect(table[.truncated]?.integers() == [1, 1, 1])
    #expect(table[.terminated]?.integers() == [0, 0, 0])
  }

  /// What a LeRobot dataset is read from has its digests in the conversion; texts of tasks and sums
  /// are not read.
  @Test(arguments: ["lerobot", "lerobot-ours"])
  func theFilesOfALeRobotDatasetAreAllThatAreRead(name: String) throws {
    let folder = FormatFuzzTests.corpus.appendingPathComponent(name).resolvingSymlinksInPath()
    let all = try #require(FileManager.default.enumerator(atPath: folder.path))
      .compactMap { $0 as? String }.filter { $0.hasSuffix(".parquet") || $0.hasSuffix(".json") }
    let found = try LeRobot().files(of: folder).map {
      String($0.path.dropFirst(folder.path.count + 1))
    }
    #expect(
      Set(found) == Set(all).subtracting(["meta/tasks.parquet", "meta/stats.json"]))
    #expect(found.count == Set(found).count)
  }
}
