import Foundation
import Learners
import TestSupport
import Testing

@testable import Experiments
@testable import Reporting

/// What a run writes down about its course.
final class RunRecordsTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  // RFC 3720, appendix B.4.
  @Test func theCheckIsCastagnolis() {
    #expect(CRC32C.check([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(CRC32C.check([UInt8](repeating: 255, count: 32)) == 0x62A8_AB43)
    #expect(CRC32C.check(Array(0..<32)) == 0x46DD_794E)
  }

  private func metrics(_ loss: Float) -> Metrics {
    var metrics = Metrics()
    metrics.append("policy_loss", loss)
    metrics.append("action_entropy", 1.5)
    metrics.append(sample: "action/0", [-1, -0.5, 0, 0.25, 0.25, loss])
    metrics.append(sample: "same", [100.5, 100.5])
    return metrics
  }

  /// What Python's TensorBoard finds in the folder.
  private struct Found: Decodable {
    struct Bins: Decodable {
      let step: Int
      let min, max, num, sum: Double
      let limits, counts: [Double]
    }
    let scalars: [String: [[Double]]]
    let histograms: [String: [Bins]]
    let plugins: [String: String]
    let last: [String: Double]
  }

  @Test func tensorBoardReadsTheEventsAlsoAfterAResume() throws {
    let run = RunFolder(folder.url)
    var records = try RunRecords(run, upTo: 0)
    for update in [100, 200, 300] { try records.append(update, metrics(Float(update) / 400)) }
    // A kill in the middle of a record, and a resume from update 250.
    let whole = try Data(contentsOf: run.events)
    try (whole + whole.prefix(70)).write(to: run.events)
    records = try RunRecords(run, upTo: 250)
    try records.append(300, metrics(0.9))

    let said = try PythonReference.run("tensorboard_reference.py", arguments: [folder.url.path])
    let found = try JSONDecoder().decode(Found.self, from: said)
    let losses = [[100, 0.25], [200, 0.5], [300, Double(Float(0.9))]]
    #expect(found.scalars["policy_loss"] == losses)
    #expect(found.scalars["action_entropy"]?.count == 3)
    #expect(found.plugins["policy_loss"] == "scalars")
    #expect(found.plugins["action/0"] == "histograms")
    #expect(found.last["policy_loss"] == Double(Float(0.9)))
    let bins = try #require(found.histograms["action/0"]?.last)
    #expect(bins.step == 300 && bins.num == 6 && bins.min == -1 && bins.max == Double(Float(0.9)))
    #expect(bins.counts.reduce(0, +) == 6)
    #expect(abs(bins.sum - (-0.1)) < 1e-6)
    // Every value lies under the end of its bin.
    let below = zip(bins.limits, bins.counts).filter { $0.0 <= 0.2 }.map(\.1).reduce(0, +)
    #expect(below == 3)
    #expect(found.histograms["same"]?.last?.counts.reduce(0, +) == 2)
  }

  @Test func linesHoldWhatHappenedAndAResumeDropsWhatIsMadeAgain() throws {
    let run = RunFolder(folder.url)
    var records = try RunRecords(run, upTo: 0)
    try records.append(100, metrics(0.5))
    try records.append(100, .actionsCollapsed(entropy: 0, ofData: 1))
    try records.append(200, metrics(.nan))
    try appendBytes(Data("{\"update\":1".utf8), to: run.lines)
    #expect(
      try MetricsLines.warnings(in: run.lines) == [
        "update 100: actions-collapsed: the policy's actions have collapsed: their entropy is 0 nats "
          + "where that of the data is 1"
      ])
    records = try RunRecords(run, upTo: 100)
    let lines = try String(contentsOf: run.lines, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 2)
    let first = try JSONDecoder().decode(MetricsLines.Line.self, from: Data(lines[0].utf8))
    #expect(first.metrics == ["policy_loss": 0.5, "action_entropy": 1.5])
    #expect(first.histograms?["action/0"]?.counts.reduce(0, +) == 6)
  }

  @Test func aCollapseIsSaidOnceAndAgainAfterARecovery() {
    func row(_ entropy: Float) -> Metrics {
      var metrics = Metrics()
      metrics.append("action_entropy", entropy)
      metrics.append("data_action_entropy", 1)
      return metrics
    }
    var monitor = RunMonitor()
    let entropies: [Float] = [1, 0.05, 0.05, 0.05, 0.05, 0.5, 0.05, 0.05, 0.05]
    let warned = entropies.map { monitor.warning(about: row($0)) != nil }
    #expect(warned == [false, false, false, true, false, false, false, false, true])
    // The last row of a part does not count, neither to a collapse nor to a recovery.
    var parted = RunMonitor()
    let regular = [0.05, 0.05].map { parted.warning(about: row($0)) != nil }
    let last = [0.05, 1].map { parted.warning(about: row($0), isRegular: false) != nil }
    #expect(regular + last == [false, false, false, false])
    #expect(parted.warning(about: row(0.05)) != nil)
    #expect(monitor.warning(about: metrics(.infinity)) == .notFinite(metric: "policy_loss"))
  }

  @Test func aRowThatWasCutShortIsNone() throws {
    let run = RunFolder(folder.url)
    var records = try RunRecords(run, upTo: 0)
    for update in [100, 200, 300] { try records.append(update, metrics(0.5)) }
    let text = try String(contentsOf: run.metrics, encoding: .utf8)
    func rows(_ cut: String) throws -> [Int] {
      try Data(cut.utf8).write(to: run.metrics)
      _ = try RunRecords(run, upTo: 250)
      return try MetricsTable(contentsOf: run.metrics).rows.map { Int($0[0]) }
    }
    // Within the first number of the third row, where it reads as a smaller one.
    let third = try #require(text.range(of: "\n300,"))
    #expect(try rows(String(text[..<text.index(third.lowerBound, offsetBy: 2)])) == [100, 200])
    #expect(try rows(String(text[..<text.index(third.lowerBound, offsetBy: 9)])) == [100, 200])
    // Within the head: there is no row, and the next one writes the head again.
    #expect(try rows(String(text.prefix(9))) == [])
    records = try RunRecords(run, upTo: 250)
    try records.append(300, metrics(0.5))
    #expect(try MetricsTable(contentsOf: run.metrics).names.first == "update")
    // A row in the middle that is none is damage, and no absence.
    let damaged = text.replacingOccurrences(of: "\n200,", with: "\n200\n")
    try Data(damaged.utf8).write(to: run.metrics)
    #expect(throws: ExperimentError.self) { try RunRecords(run, upTo: 250) }
    #expect(throws: ExperimentError.self) { try MetricsTable(contentsOf: run.metrics) }
  }

  @Test func damagedLinesAndEventsAreNoAbsence() throws {
    let run = RunFolder(folder.url)
    var records = try RunRecords(run, upTo: 0)
    for update in [100, 200] { try records.append(update, metrics(0.5)) }
    let (lines, events) = (try Data(contentsOf: run.lines), try Data(contentsOf: run.events))
    try (Data("{\"upd\n".utf8) + lines).write(to: run.lines)
    #expect(throws: ExperimentError.self) { try RunRecords(run, upTo: 250) }
    #expect(throws: ExperimentError.self) { try MetricsLines.warnings(in: run.lines) }
    try lines.write(to: run.lines)
    var broken = events
    broken[3] ^= 1
    try broken.write(to: run.events)
    #expect(throws: ExperimentError.self) { try RunRecords(run, upTo: 250) }
    try events.prefix(events.count - 5).write(to: run.events)
    _ = try RunRecords(run, upTo: 250)
  }
}
