import Foundation
import Learners
import Reporting
import Statistics
import Storage
import Support

/// Everything that a run writes down about its course: `metrics.csv`, `metrics.jsonl` and
/// TensorBoard's events.
///
/// Rows after the update that a run resumes from are dropped. So a stopped and resumed run leaves
/// the same rows as an undisturbed one, except for the times.
struct RunRecords {
  private var table: MetricsFile
  private let lines: MetricsLines
  private let events: TensorBoardEvents
  /// A clock that nobody sets.
  private let started = ContinuousClock.now
  private let before: Double
  private let files: [URL]

  /// Opens the records of a run that goes on from `updates`.
  init(_ run: RunFolder, upTo updates: Int) throws {
    table = try MetricsFile(run.metrics, upTo: updates)
    lines = try MetricsLines(run.lines, upTo: updates)
    events = try TensorBoardEvents(run.events, upTo: updates)
    before = table.lastSeconds
    files = [run.metrics, run.lines, run.events]
  }

  /// Makes what was written down last, so that no checkpoint is there without the rows before it.
  func flush() throws { for file in files { try WholeFile.flush(file: file) } }

  /// Seconds that the run has taken, all its parts together.
  private var seconds: Double { before + (ContinuousClock.now - started) / .seconds(1) }

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
  /// The seconds in the last row that was kept; 0 if none was.
  private(set) var lastSeconds = 0.0

  /// Opens the file; rows after `updates` are dropped, since those updates are made again, and a
  /// last row that was cut short.
  ///
  /// Throws `ExperimentError.damaged` for any other malformed row.
  init(_ file: URL, upTo updates: Int) throws {
    self.file = file
    let lines = updates > 0 ? try WholeLines.read(file) : []
    guard let head = lines.first else {
      if FileManager.default.fileExists(atPath: file.path) {
        try FileManager.default.removeItem(at: file)
      }
      return
    }
    let columns = head.split(separator: ",").map(String.init)
    names = columns
    var kept = [head]
    for (number, line) in lines.enumerated().dropFirst() {
      let cells = line.split(separator: ",")
      guard cells.count == columns.count, let update = Int(cells[0]), let seconds = Double(cells[1])
      else {
        throw ExperimentError.damaged(
          path: file.path,
          reason: "line \(number + 1) must have \(columns.count) numbers, found \(cells.count)")
      }
      guard update <= updates else { continue }
      kept.append(line)
      lastSeconds = seconds
    }
    try WholeFile.write(WholeLines.data(kept), to: file)
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

  /// Opens the file; lines after `updates` are dropped, and a last line that was cut short.
  ///
  /// Throws `ExperimentError.damaged` for any other malformed line.
  init(_ file: URL, upTo updates: Int) throws {
    self.file = file
    let lines = updates > 0 ? try WholeLines.read(file) : []
    let kept = try lines.enumerated().filter { number, line in
      try Self.decode(Place.self, line, number, of: file).update <= updates
    }
    try WholeFile.write(WholeLines.data(kept.map(\.element)), to: file)
  }

  /// The warnings that a file holds, as people read them.
  static func warnings(in file: URL) throws -> [String] {
    try WholeLines.read(file).enumerated().compactMap { number, line in
      let found = try decode(Warning.self, line, number, of: file)
      guard let name = found.warning, let text = found.text else { return nil }
      return "update \(found.update): \(name): \(text)"
    }
  }

  private static func decode<Value: Decodable>(
    _ type: Value.Type, _ line: String, _ number: Int, of file: URL
  ) throws -> Value {
    do { return try JSONDecoder().decode(type, from: Data(line.utf8)) } catch {
      throw ExperimentError.damaged(
        path: file.path, reason: "line \(number + 1) must be JSON with its update")
    }
  }

  private struct Warning: Decodable {
    let update: Int
    let warning: String?
    let text: String?
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
    try appendBytes(try JSON.line(line) + Data("\n".utf8), to: file)
  }
}

/// The lines of a file that other lines are appended to.
enum WholeLines {
  /// The lines that end with a newline: one after the last newline is being written, or was cut
  /// short.
  ///
  /// A file that is not there has none. Throws `FileError` for one that cannot be read.
  static func read(_ file: URL) throws -> [String] {
    guard FileManager.default.fileExists(atPath: file.path) else { return [] }
    let data = try WholeFile.read(file)
    let newline = UInt8(ascii: "\n")
    guard let last = data.lastIndex(of: newline) else { return [] }
    return data[..<last].split(separator: newline).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Lines as a file.
  static func data(_ lines: [String]) -> Data { Data(lines.map { $0 + "\n" }.joined().utf8) }
}

/// Appends bytes to a file, which is made if it is absent; throws `FileError.cannotWrite`.
func appendBytes(_ data: Data, to file: URL) throws {
  let descriptor = open(file.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
  guard descriptor >= 0 else {
    throw FileError.cannotWrite(file.path, reason: String(cString: strerror(errno)))
  }
  do {
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    try handle.write(contentsOf: data)
  } catch {
    throw FileError.cannotWrite(file.path, reason: systemReason(of: error))
  }
}
