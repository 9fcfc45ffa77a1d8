public import Foundation
import Learners
import Storage
import Support

/// A training run on disk.
///
///     config.json        the resolved configuration; training on it repeats the run
///     provenance.json    host, times, command, updates, commit, call by call
///     episodes.json      marks of the episodes that it could learn from, and of those held out
///     metrics.csv        a row every so many updates
///     metrics.jsonl      the same with histograms, evaluations and warnings, a line of JSON each
///     events.out.tfevents.goalpost   the same for TensorBoard
///     evaluations.json   a list: updates and the evaluation then
///     dataset/           what an online run collected
///     checkpoints/000012000/         the last ones
///     checkpoints/best/              the one that was evaluated best
///     training.lock      there while a process trains in it
///     checkpoints/000012000.broken/  what a run that had to stop was left with
public struct RunFolder: Sendable {
  /// Where it is.
  public let url: URL

  /// Names a folder.
  public init(_ url: URL) { self.url = url }

  var configuration: URL { url.appendingPathComponent("config.json") }
  var metrics: URL { url.appendingPathComponent("metrics.csv") }
  var lines: URL { url.appendingPathComponent("metrics.jsonl") }
  var events: URL { url.appendingPathComponent("events.out.tfevents.goalpost") }
  var evaluations: URL { url.appendingPathComponent("evaluations.json") }

  var episodes: URL { url.appendingPathComponent("episodes.json") }

  func checkpoint(_ updates: Int) -> URL {
    url.appendingPathComponent("checkpoints").appendingPathComponent(
      String(format: "%09d", updates))
  }

  /// The dataset that an online run collects.
  var dataset: URL { url.appendingPathComponent("dataset") }

  /// The checkpoint that was evaluated best.
  var best: URL { url.appendingPathComponent("checkpoints/best") }

  /// Where the state of a run is saved that cannot go on.
  func broken(_ updates: Int) -> URL { checkpoint(updates).appendingPathExtension("broken") }

  /// Whether a run was begun here.
  var exists: Bool { FileManager.default.fileExists(atPath: configuration.path) }

  /// Makes the folder and takes it for the caller alone; throws `ExperimentError.runBusy` if
  /// another process, or another run of this one, trains in it.
  func claim() throws -> FileLock {
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch {
      throw FileError.cannotWrite(url.path, reason: systemReason(of: error))
    }
    guard let lock = try FileLock.take(url.appendingPathComponent("training.lock"), wait: false)
    else { throw ExperimentError.runBusy(path: url.path) }
    return lock
  }

  /// Writes `config.json` into the folder.
  func begin(_ saved: SavedConfiguration) throws {
    try WholeFile.write(try JSON.pretty(saved) + Data("\n".utf8), to: configuration)
  }

  /// The contents of `config.json`; throws the first fault in it.
  func saved() throws -> SavedConfiguration {
    try StoredJSON.read(SavedConfiguration.self, from: configuration)
  }

  /// Deletes all but the last `count` numbered checkpoints.
  func keepCheckpoints(_ count: Int) throws {
    for old in try Checkpoint.all(in: url).dropLast(count) {
      try? FileManager.default.removeItem(at: old)
    }
  }

  /// Deletes what a kill left half written in a folder that is the caller's alone, and puts a
  /// checkpoint back that was about to be replaced.
  func tidy() {
    let files = FileManager.default
    let provenance = url.appendingPathComponent("provenance.json")
    for file in [configuration, metrics, lines, events, evaluations, episodes, provenance] {
      WholeFile.removeParts(of: file)
    }
    let folder = url.appendingPathComponent("checkpoints")
    let names = (try? files.contentsOfDirectory(atPath: folder.path)) ?? []
    for name in names where name.hasSuffix(".part") || name.hasSuffix(".old") {
      let left = folder.appendingPathComponent(name)
      let whole = left.deletingPathExtension()
      if name.hasSuffix(".old"), !files.fileExists(atPath: whole.path) {
        try? PartFile.move(left.path, to: whole)
      } else {
        try? files.removeItem(at: left)
      }
    }
  }

  /// The folder of a run that is given no name: `runs/<learner>-<dataset>-s<seed>`, or
  /// `runs/<learner>-<environment>-online-s<seed>`.
  public static func usual(_ configuration: RunConfiguration) -> URL {
    var dataset =
      configuration.datasets.first.map { WeightedDataset.folder(of: $0).lastPathComponent }
      ?? "none"
    if configuration.isOnline {
      let environment = configuration.online.environment
      dataset = (environment.isEmpty ? dataset : environment) + "-online"
    }
    return URL(fileURLWithPath: "runs")
      .appendingPathComponent("\(configuration.learner)-\(dataset)-s\(configuration.seed)")
  }
}

/// The contents of `config.json`: the configuration, and what it was applied to.
struct SavedConfiguration: Codable {
  let configuration: RunConfiguration
  let datasetDigests: [String]
  /// The policy that it began with, by its SHA-256; nil for an untrained one.
  var fromDigest: String?
  /// Updates that this policy had.
  var fromUpdates: Int?
}
