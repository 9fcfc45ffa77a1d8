import Foundation
import Learners
import Statistics
import Storage

/// Everything that a run writes down about its course: `metrics.csv`, `metrics.jsonl` and TensorBoard's
/// events.
///
/// What lies after the update that a run goes on from is dropped, so that a run that was stopped and
/// resumed leaves the same rows as one that was not, but for the times.
struct RunRecords {
  private var table: MetricsFile
  private let lines: MetricsLines
  private let events: TensorBoardEvents
  private let started = ProcessInfo.processInfo.systemUptime
  private let before: Double

  /// Opens the records of a run that goes on from `updates`.
  init(_ run: RunFolder, upTo updates: Int) throws {
    table = try MetricsFile(run.metrics, upTo: updates)
    lines = try MetricsLines(run.lines, upTo: updates)
    events = try TensorBoardEvents(run.events, upTo: updates)
    before = table.lastSeconds
  }

  /// Seconds that the run has taken, all its parts together.
  private var seconds: Double { before + ProcessInfo.processInfo.systemUptime - started }

  /// Writes down what was measured at an update.
  ///
  /// `waiting` are the seconds of this process that its loop waited for batches or episodes.
  mutating func append(_ update: Int, _ metrics: Metrics, waiting: Double = 0) throws {
    try table.append(update, seconds: seconds, waiting: waiting, metrics)
    try lines.append(update, seconds: seconds, metrics)
    try events.append(
      update, scalars: metrics.entries.map { ($0.name, Double($0.value)) },
      histograms: metrics.samples.map { ($0.name, $0.values) })
  }

  /// Writes down an evaluation.
  func append(_ update: Int, _ evaluation: Evaluation) throws {
    try lines.append(MetricsLines.Line(update: update, evaluation: evaluation))
    try events.append(
      update,
      scalars: evaluation.byName.map { ("evaluation/\($0.name)", $0.value.estimate) })
  }

  /// Writes down a warning.
  func append(_ update: Int, _ warning: RunWarning) throws {
    try lines.append(
      MetricsLines.Line(update: update, warning: warning.name, text: warning.description))
  }
}

/// `metrics.csv`: a row of numbers every so many updates.
struct MetricsFile {
  private let file: URL
  private var names: [String]?
  /// The seconds in the last row that was kept; 0 where there is none.
  private(set) var lastSeconds = 0.0

  /// Opens the file; rows after `updates` are dropped, since those updates are made again.
  init(_ file: URL, upTo updates: Int) throws {
    self.file = file
    guard updates > 0, let text = try? String(contentsOf: file, encoding: .utf8) else {
      try? FileManager.default.removeItem(at: file)
      return
    }
    let lines = text.split(separator: "\n").map(String.init)
    let kept = lines.enumerated().filter { index, line in
      index == 0 || (Int(line.prefix { $0 != "," }) ?? .max) <= updates
    }
    names = lines.first?.split(separator: ",").map(String.init)
    lastSeconds =
      kept.last.flatMap { Double($0.element.split(separator: ",").dropFirst().first ?? "") } ?? 0
    try writeWhole(Data((kept.map(\.element).joined(separator: "\n") + "\n").utf8), to: file)
  }

  /// Appends a row.
  mutating func append(
    _ update: Int, seconds: Double, waiting: Double, _ metrics: Metrics
  ) throws {
    var text = ""
    if names == nil {
      names = ["update", "seconds"] + metrics.entries.map(\.name) + ["waiting"]
      text = (names ?? []).joined(separator: ",") + "\n"
    }
    let values = metrics.entries.map { "\($0.value)" }
    text +=
      (["\(update)", String(format: "%.2f", seconds)] + values
      + [String(format: "%.4f", waiting)])
      .joined(separator: ",") + "\n"
    try appendBytes(Data(text.utf8), to: file)
  }
}

/// `metrics.jsonl`: a line of JSON for whatever happened at an update.
struct MetricsLines {
  /// A line; of `metrics`, `evaluation` and `warning` it has one.
  struct Line: Codable {
    var update: Int
    var seconds: Double?
    var metrics: [String: Double]?
    var histograms: [String: Histogram]?
    var evaluation: Evaluation?
    var warning: String?
    var text: String?
  }

  private let file: URL

  /// Opens the file; lines after `updates` are dropped.
  init(_ file: URL, upTo updates: Int) throws {
    self.file = file
    guard updates > 0, let old = try? Data(contentsOf: file) else {
      try writeWhole(Data(), to: file)
      return
    }
    let kept = old.split(separator: UInt8(ascii: "\n")).filter {
      (try? JSONDecoder().decode(Place.self, from: $0).update <= updates) ?? false
    }
    try writeWhole(Data(kept.flatMap { $0 + [UInt8(ascii: "\n")] }), to: file)
  }

  /// The warnings that a file holds, as people read them.
  static func warnings(in file: URL) -> [String] {
    guard let text = try? Data(contentsOf: file) else { return [] }
    return text.split(separator: UInt8(ascii: "\n")).compactMap { line in
      guard let found = try? JSONDecoder().decode(Warning.self, from: line) else { return nil }
      return "update \(found.update): \(found.warning): \(found.text)"
    }
  }

  private struct Warning: Decodable {
    let update: Int
    let warning: String
    let text: String
  }

  private struct Place: Decodable { let update: Int }

  /// Appends what was measured.
  func append(_ update: Int, seconds: Double, _ metrics: Metrics) throws {
    let numbers = metrics.entries.map { ($0.name, Double($0.value)) }
    let histograms = metrics.samples.map { sample in
      (sample.name, Histogram(sample.values.map(Double.init)))
    }
    try append(
      Line(
        update: update, seconds: (100 * seconds).rounded() / 100,
        metrics: Dictionary(numbers) { $1 }, histograms: Dictionary(histograms) { $1 }))
  }

  /// Appends a line.
  func append(_ line: Line) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    try appendBytes(try encoder.encode(line) + Data("\n".utf8), to: file)
  }
}

/// Appends bytes to a file, which is made where it is absent; throws `ExperimentError.cannotWrite`.
func appendBytes(_ data: Data, to file: URL) throws {
  let descriptor = open(file.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
  guard descriptor >= 0 else {
    throw ExperimentError.cannotWrite(path: file.path, reason: String(cString: strerror(errno)))
  }
  do {
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    try handle.write(contentsOf: data)
  } catch {
    throw ExperimentError.cannotWrite(path: file.path, reason: systemReason(of: error))
  }
}
