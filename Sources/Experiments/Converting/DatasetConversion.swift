import Formats
public import Foundation
import GoalCore
import Reporting
public import Storage
import Support
import Synchronization

/// Converts datasets from one format to another.
public enum DatasetConversion {
  /// The name of Goalpost's own format.
  public static let ownFormat = "goalpost"

  /// The names of all formats, and what they are.
  public static var formats: String {
    Formats.all.map { "\n  \($0.name): \($0.summary)" }.joined()
  }

  /// The formats' names.
  public static var formatNames: [String] { Formats.all.map(\.name) }

  /// A command line's request.
  public struct Request: Sendable {
    /// A file or folder.
    public var input: URL
    /// A file or folder; a dataset of ours may be there, begun.
    public var output: URL
    /// The input's format, or nil if it is to be seen.
    public var from: String?
    /// The output's format, or nil for the one that its name means, or else ours.
    public var to: String?
    /// The world's id.
    public var environment: String?
    /// The distance within which a goal is reached, in a world that is not registered.
    public var threshold: Double?
    /// Where in an observation the goal stands, in a world that is not registered.
    public var goalIndices: [Int]?
    /// Numbers in a goal, if a format does not say.
    public var goalLength: Int?
    /// The names of what an observation is joined from, in order.
    public var observationKeys: [String]?
    /// The names of what a goal is joined from, in order.
    public var goalKeys: [String]?
    /// Which flags end an episode, of a format that has two.
    public var ends: String?
    /// Whether episodes that break a rule are left out, instead of all.
    public var skipsBad = false
    /// Whether actions are clipped to their space.
    public var clipsActions = false
    /// Whether the output is to be compressed.
    public var compress = false
    /// The maximum number of bytes that a packed input may unpack to, or nil for
    /// `FormatOptions.usualMaximumBytes`.
    public var maximumBytes: Int?
    /// Threads.
    public var workers: Int
    /// Whether nothing is said on the way.
    public var isSilent = false

    /// Makes a request with nothing else asked for.
    public init(_ input: URL, to output: URL, workers: Int? = nil) {
      self.input = input
      self.output = output
      self.workers = workers ?? Parallel.cores
    }

    /// Whether something is asked for that only foreign files have.
    var hasSourceOptions: Bool {
      observationKeys != nil || goalKeys != nil || ends != nil || skipsBad || clipsActions
    }

    /// The options that decide the result, as the manifest keeps them.
    var options: [String: String] {
      [
        "environment": environment, "threshold": threshold.map { "\($0)" },
        "goal-indices": goalIndices.map { $0.map(String.init).joined(separator: ",") },
        "goal-length": goalLength.map(String.init),
        "observation-keys": observationKeys?.joined(separator: ","),
        "goal-keys": goalKeys?.joined(separator: ","), "ends": ends,
        "skip-bad": skipsBad ? "true" : nil, "clip-actions": clipsActions ? "true" : nil,
      ].compactMapValues { $0 }
    }
  }

  /// The result.
  public struct Report: Encodable, Sendable {
    /// The input.
    public let input: String
    /// The input's format.
    public let from: String
    /// The output.
    public let output: String
    /// The output's format.
    public let to: String
    /// Episodes.
    public let episodes: Int
    /// Steps.
    public let steps: Int
    /// The manifest's SHA-256, of a dataset of ours.
    public let sha256: String?
    /// Episodes that are still to be converted.
    public let left: Int
    /// What was lost, computed and assumed.
    public let notes: ConversionNotes

    /// It in a line, and its notes in theirs.
    public var text: String {
      let head = "\(output): \(episodes) episodes, \(steps) steps, \(to) from \(from)"
      return ([head + (sha256.map { ", sha256 \($0)" } ?? "")] + notes.lines.map { "  " + $0 })
        .joined(separator: "\n")
    }
  }

  /// Converts the input, and the validation episodes that lie beside it if both formats have such.
  public static func run(_ asked: Request) throws -> [Report] {
    var request = asked
    let files = FileManager.default
    guard files.fileExists(atPath: request.input.path) else {
      throw FileError.missing(request.input.relativePath)
    }
    let isOwn =
      request.from.map { $0 == ownFormat }
      ?? files.fileExists(atPath: request.input.appendingPathComponent("manifest.json").path)
    let from =
      isOwn ? nil : try request.from.map { try Formats.named($0) } ?? Formats.guessed(request.input)
    let named = request.to.map { $0 == ownFormat ? nil : $0 } ?? nil
    let to =
      try named.map { try Formats.named($0) }
      ?? (request.to == nil ? Formats.all.first { $0.isMeant(by: request.output) } : nil)
    guard !isOwn || to != nil else {
      let meant = Formats.all.filter { $0.mayBeMeant(by: request.output) }.map(\.name)
      guard meant.isEmpty else {
        throw ExperimentError.cannotConvert(
          path: request.output.relativePath,
          reason: "its name may mean \(meant.joined(separator: " or ")): say which with --to")
      }
      throw ExperimentError.cannotConvert(
        path: request.input.relativePath,
        reason:
          "is a dataset of ours already: name another format with --to, or use `goalpost mix` "
          + "to compress it")
    }
    if isOwn, request.hasSourceOptions {
      throw ExperimentError.cannotConvert(
        path: request.input.relativePath,
        reason:
          "is a dataset of ours: --observation-keys, --goal-keys, --ends, --skip-bad and --clip-actions are for "
          + "others"
      )
    }
    var reports = [try convert(request, from, to)]
    // Validation episodes lie beside the others, under a name that follows from theirs.
    let input = from.map { $0.validation(of: asked.input) } ?? folder(asked.input)
    let output = to.map { $0.validation(of: asked.output) } ?? folder(asked.output)
    if let input, let output, reports.allSatisfy({ $0.left == 0 }),
      files.fileExists(atPath: input.path)
    {
      request.input = input
      request.output = output
      reports.append(try convert(request, from, to))
    }
    return reports
  }

  /// Whether an error says that a file was not written as work was to stop.
  public static func isStop(_ error: any Error) -> Bool {
    if case FileError.stopped = error { true } else { false }
  }

  /// The folder of a dataset's validation episodes, as `goalpost mix --split` names it.
  private static func folder(_ url: URL) -> URL? {
    let name = url.relativePath
    return URL(
      fileURLWithPath: (name.hasSuffix("/") ? String(name.dropLast()) : name) + "-val")
  }

  private static func convert(
    _ request: Request, _ from: (any DatasetFormat)?, _ to: (any DatasetFormat)?
  ) throws -> Report {
    var (source, task, otherFiles) = try open(request, from)
    if let to {
      let validation = from.map { $0.validation(of: request.input) } ?? folder(request.input)
      if to.keepsValidationInside, let validation,
        FileManager.default.fileExists(atPath: validation.path)
      {
        var other = request
        other.input = validation
        source = try source.joined(
          withValidation: try open(other, from).source, name: request.input.relativePath)
      }
      return try write(source, task, request, from?.name ?? ownFormat, to)
    }
    guard let from else { preconditionFailure("one side is foreign") }
    return try ConvertedDataset(
      request: request, format: from, source: source, otherFiles: otherFiles, task: task
    ).make()
  }

  /// Opens an input, and completes what follows from its task.
  private static func open(
    _ request: Request, _ from: (any DatasetFormat)?
  ) throws -> (source: any TrajectorySource, task: GoalTask, otherFiles: [URL]) {
    guard let from else {
      let dataset = try Dataset(at: request.input)
      return (try dataset.source(), dataset.manifest.task, [])
    }
    var options = FormatOptions(
      goalLength: request.goalLength, goalIndices: request.goalIndices,
      maximumBytes: try request.maximumBytes
        ?? FormatOptions.usualMaximumBytes(of: from.files(of: request.input)),
      scratch: request.output.absoluteURL.deletingLastPathComponent(), threads: request.workers)
    options.isUsualMaximum = request.maximumBytes == nil
    options.task = ForeignTask.registered(request.environment)
    try check(request, from)
    options.observationKeys = request.observationKeys
    options.goalKeys = request.goalKeys
    options.ends = request.ends.flatMap { EpisodeEnds(rawValue: $0) } ?? .both
    options.skipsBad = request.skipsBad
    var opened = try from.open(request.input, options)
    let otherFiles = opened.otherFiles
    var numbers = try opened.numbers(threads: request.workers)
    if request.skipsBad, !numbers.episodes.isEmpty {
      opened = try opened.leavingOut(numbers.episodes, request)
      numbers = try opened.numbers(threads: request.workers)
    }
    if request.clipsActions {
      opened = try ForeignTask.clippingActions(of: opened, request)
      numbers = try opened.numbers(threads: request.workers)
    }
    let found = try ForeignTask(opened, numbers, request)
    let source = opened.completed(
      for: found.task, isThresholdKnown: found.isThresholdKnown, notes: found.notes)
    return (source, found.task, otherFiles)
  }

  /// Throws if options are given that the format has no use for.
  private static func check(_ request: Request, _ format: any DatasetFormat) throws {
    func refuse(_ option: String, _ formats: [any DatasetFormat]) throws {
      throw ExperimentError.cannotConvert(
        path: request.input.relativePath,
        reason:
          "\(option) is for \(formats.map(\.name).joined(separator: ", ")), and this is \(format.name)"
      )
    }
    if let ends = request.ends {
      guard EpisodeEnds(rawValue: ends) != nil else {
        throw ExperimentError.cannotConvert(
          path: request.input.relativePath,
          reason:
            "--ends takes \(EpisodeEnds.allCases.map(\.rawValue).joined(separator: ", ")), found '\(ends)'"
        )
      }
      if !format.hasTwoKindsOfEnds { try refuse("--ends", Formats.all.filter(\.hasTwoKindsOfEnds)) }
    }
    if !format.joinsKeys, request.observationKeys != nil || request.goalKeys != nil {
      try refuse(
        request.observationKeys != nil ? "--observation-keys" : "--goal-keys",
        Formats.all.filter(\.joinsKeys))
    }
  }

  /// Writes a foreign file or folder, which appears whole or not at all.
  private static func write(
    _ source: any TrajectorySource, _ task: GoalTask, _ request: Request, _ from: String,
    _ to: any DatasetFormat
  ) throws -> Report {
    let output = request.output
    let progress = ProgressReport(
      "convert \(output.lastPathComponent)", total: source.lengths.count, unit: "episodes",
      silent: request.isSilent)
    var notes = source.notes
    notes.merge(
      try Interruption.heeded {
        try Formats.write(
          FormatRequest(
            source: source, task: task, url: output, compress: request.compress,
            scratch: output.absoluteURL.deletingLastPathComponent(), threads: request.workers,
            progress: { progress.advance(by: $0) }, isStopped: { Interruption.isAsked }),
          as: to)
      })
    progress.finish()
    return Report(
      input: request.input.relativePath, from: from, output: output.relativePath, to: to.name,
      episodes: source.lengths.count, steps: source.steps, sha256: nil, left: 0, notes: notes)
  }
}

extension TrajectorySource {
  /// The episodes but for some, which are named.
  fileprivate func leavingOut(
    _ bad: [Int], _ request: DatasetConversion.Request
  ) throws -> any TrajectorySource {
    let left = Set(bad)
    let others = lengths.indices.filter { !left.contains($0) }
    guard !others.isEmpty else {
      throw ExperimentError.cannotConvert(
        path: request.input.relativePath,
        reason: "all \(lengths.count) episodes have numbers that are not finite, so none is left")
    }
    var notes = ConversionNotes()
    notes.lost.append(
      "\(bad.count) of \(lengths.count) episodes with numbers that are not finite, as --skip-bad says: numbers "
        + bad.prefix(20).map(String.init).joined(separator: ", ") + (bad.count > 20 ? ", ..." : "")
        + " of those that are read")
    return selecting(others, notes: notes)
  }
}
