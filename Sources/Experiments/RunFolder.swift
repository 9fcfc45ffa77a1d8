public import Foundation
import Learners

/// A training run on disk.
///
///     config.json        the resolved configuration; training on it repeats the run
///     provenance.json    host, times, command, commit
///     metrics.csv        a row every so many updates
///     evaluations.json   a list: updates and the evaluation then
///     checkpoints/000012000/
public struct RunFolder: Sendable {
  /// Where it is.
  public let url: URL

  /// Names a folder.
  public init(_ url: URL) { self.url = url }

  var configuration: URL { url.appendingPathComponent("config.json") }
  var metrics: URL { url.appendingPathComponent("metrics.csv") }
  var evaluations: URL { url.appendingPathComponent("evaluations.json") }

  func checkpoint(_ updates: Int) -> URL {
    url.appendingPathComponent("checkpoints").appendingPathComponent(
      String(format: "%09d", updates))
  }

  /// Whether a run was begun here.
  var exists: Bool { FileManager.default.fileExists(atPath: configuration.path) }

  /// Deletes all but the last `count` checkpoints, and what a kill left half written.
  func keepCheckpoints(_ count: Int) {
    let all = Checkpoint.all(in: url)
    for old in all.dropLast(count) { try? FileManager.default.removeItem(at: old) }
    let folder = url.appendingPathComponent("checkpoints")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    for name in names where name.hasSuffix(".part") {
      try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
    }
  }

  /// The folder of a run that is given no name: `runs/<learner>-<dataset>-s<seed>`.
  public static func usual(_ configuration: RunConfiguration) -> URL {
    let dataset =
      configuration.datasets.first.map { TrainingData.folder(of: $0).lastPathComponent } ?? "none"
    return URL(fileURLWithPath: "runs")
      .appendingPathComponent("\(configuration.learner)-\(dataset)-s\(configuration.seed)")
  }

  /// The commit of the code that runs, where the working directory is a checkout that says.
  static let commit: String? = {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["git", "rev-parse", "HEAD"]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { return nil }
    return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }()
}

/// `metrics.csv`: a row of numbers every so many updates.
struct MetricsFile {
  private let file: URL
  private var names: [String]?

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
    try writeWhole(Data((kept.map(\.element).joined(separator: "\n") + "\n").utf8), to: file)
  }

  /// Appends a row: seconds since the start, and how many of them were spent waiting for batches.
  mutating func append(
    _ updates: Int, seconds: Double, waiting: Double, _ metrics: Metrics
  ) throws {
    var text = ""
    if names == nil {
      names = ["update", "seconds", "waiting"] + metrics.entries.map(\.name)
      text = (names ?? []).joined(separator: ",") + "\n"
      try writeWhole(Data(), to: file)
    }
    let values = metrics.entries.map { "\($0.value)" }
    text +=
      (["\(updates)", String(format: "%.2f", seconds), String(format: "%.4f", waiting)] + values)
      .joined(separator: ",") + "\n"
    do {
      let handle = try FileHandle(forWritingTo: file)
      try handle.seekToEnd()
      try handle.write(contentsOf: Data(text.utf8))
      try handle.close()
    } catch {
      throw ExperimentError.cannotWrite(path: file.path, reason: error.localizedDescription)
    }
  }
}
