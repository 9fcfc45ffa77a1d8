public import Foundation
import GoalCore
import Learners
import Storage
public import Support

/// All that a training run is made from; saved as `config.json`, from which it can be repeated.
public struct RunConfiguration: Codable, Sendable, Equatable {
  /// The first seed that a run may not have.
  public static let seedLimit = Seeds.limit

  /// The learner's id.
  public var learner = "wgcsl"
  /// Folders of datasets, each with `:WEIGHT` or all without.
  ///
  /// With weights, rows of a batch come from each dataset in proportion; without, all episodes are
  /// drawn alike.
  public var datasets: [String] = []
  /// Share of each source's episodes that is held out of training, 0 up to below 1.
  ///
  /// Which ones depends on the run's seed.
  public var validationFraction = 0.0
  /// Updates to make; 0 means as many as the paper makes on the task.
  public var updates = 0
  /// The run's seed, below 2²⁸.
  public var seed: UInt64 = 0
  /// Threads of libtorch.
  ///
  /// 1 is best for several runs side by side; a lone run of a small network gains some 1.7 × from
  /// 2. Another number gives other last bits, so it belongs to what is repeated.
  public var threads = 1
  /// Where networks are trained: `cpu`, `cuda` or `cuda:1`; policies act on the processor.
  public var device = "cpu"
  /// Updates between two checkpoints.
  public var checkpointEvery = 1_000
  /// Checkpoints that are kept, the last ones.
  public var checkpointsKept = 2
  /// Updates between two rows of metrics.
  public var measureEvery = 100
  /// Updates between two evaluations; 0 for none while training.
  public var evaluateEvery = 2_000
  /// Episodes of each evaluation while training.
  public var evaluationEpisodes = 20
  /// The seed of all evaluations while training, below 2²⁸.
  ///
  /// They are all on the same episodes, for every seed of a run. `goalpost evaluate` takes other
  /// episodes unless it is given this seed, because these choose the best checkpoint.
  public var evaluationSeed: UInt64 = RunConfiguration.seedLimit - 1
  /// A checkpoint to begin with, its updates counted on; empty for an untrained learner.
  public var from = ""
  /// How the run collects while it trains.
  public var online = OnlineRun()
  /// The learner's settings that differ from the paper's.
  public var settings: [String: JSONValue] = [:]

  /// Whether the run collects while it trains.
  public var isOnline: Bool { online.steps > 0 }

  /// Makes a configuration of defaults.
  public init() {}

  /// The configuration that a run was begun with.
  public init(ofRun run: URL) throws {
    do { self = try RunFolder(run).saved().configuration } catch {
      throw ExperimentError.cannotResume(path: run.path, reason: "\(error)")
    }
  }

  /// Takes a checkpoint to begin with, and its learner and settings.
  ///
  /// A trained policy needs no random episodes at the start. So it has none, and updates begin with
  /// the first episode, unless the settings say otherwise.
  public mutating func begin(from checkpoint: String) throws {
    let header = try Checkpoint.read(policy: Checkpoint.policyFile(checkpoint)).header
    from = checkpoint
    learner = header.learner
    let atOnce: JSONValue = .object(["randomEpisodes": 0, "updatesFrom": 1])
    let theirs = JSONValue.merge(["online": atOnce], over: header.settings)
    settings = JSONValue.merge(settings, over: theirs)
  }

  /// Reads a configuration from a file of YAML or JSON, over the defaults.
  ///
  /// A run's own `config.json` is such a file: it holds the configuration under that name.
  public static func read(_ file: URL) throws -> RunConfiguration {
    let values = try yaml(file)
    if case .object(let saved)? = values["configuration"] {
      return try RunConfiguration().applying(saved)
    }
    return try RunConfiguration().applying(values)
  }

  /// The settings by name of a file of YAML or JSON.
  static func yaml(_ file: URL) throws -> [String: JSONValue] {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder), isFolder.boolValue
    {
      throw ExperimentError.badSettings(
        path: file.path,
        reason:
          "is a folder, not a file of settings: a dataset is given with --dataset, a run to go "
          + "on with --resume")
    }
    let data = try WholeFile.read(file, limit: SettingsText.byteLimit)
    guard let text = String(data: data, encoding: .utf8) else {
      throw ExperimentError.badSettings(path: file.path, reason: "must be text in UTF-8")
    }
    guard case .object(let values) = try SettingsText.value(text, path: file.path) else {
      throw ExperimentError.badSettings(path: file.path, reason: "must hold settings by name")
    }
    return values
  }

  /// A copy with other values, of which the learner's own settings stand under `settings`.
  ///
  /// Throws `SettingsError`.
  public func applying(_ values: [String: JSONValue]) throws -> RunConfiguration {
    // The learner's own settings are checked by the learner.
    var own = values
    var copy = self
    if let given = own.removeValue(forKey: "settings") {
      guard case .object(let inner) = given else {
        throw SettingsError.wrongValue(key: "settings", expected: "settings by name", found: given)
      }
      copy.settings = JSONValue.merge(inner, over: copy.settings)
    }
    let kept = copy.settings
    copy.settings = [:]
    do {
      copy = try Settings.applying(own, to: copy)
    } catch SettingsError.unknown(let key, let known) {
      var learner = copy.learner
      if case .text(let named)? = own["learner"] { learner = named }
      let group = try LearnerRegistry.entry(learner).settings.contains {
        $0.key == key || $0.key.hasPrefix(key + ".")
      }
      throw group ? SettingsError.misplaced(key: key) : .unknown(key: key, known: known)
    }
    copy.settings = kept
    return copy
  }

  /// Throws `SettingsError` for the first value out of its range; the learner's own settings are
  /// checked by the learner.
  func validate() throws {
    try Settings.require(
      0..<1 ~= validationFraction, "validationFraction", "from 0 up to below 1",
      found: .number(validationFraction))
    try Settings.require(updates, in: OptionRange.updatesOrNone, "updates")
    let periods = [
      ("checkpointEvery", checkpointEvery), ("measureEvery", measureEvery),
    ]
    for (key, period) in periods { try Settings.require(period, in: OptionRange.updates, key) }
    try Settings.require(evaluateEvery, in: OptionRange.updatesOrNone, "evaluateEvery")
    try Settings.require(checkpointsKept, in: OptionRange.checkpoints, "checkpointsKept")
    try Settings.require(evaluationEpisodes, in: OptionRange.evaluated, "evaluationEpisodes")
    try Settings.require(threads, in: OptionRange.threads, "threads")
    for (key, seed) in [("seed", seed), ("evaluationSeed", evaluationSeed)] {
      try Settings.require(
        seed < Self.seedLimit, key, "from 0 to \(Self.seedLimit - 1)",
        found: Int(exactly: seed).map { .integer($0) } ?? .number(Double(seed)))
    }
    try online.validate()
  }

  /// Sets learner's settings from `key.path=value` of a command line; values are read as YAML.
  public mutating func assign(_ texts: [String]) throws {
    for text in texts {
      let parts = text.split(separator: "=", maxSplits: 1)
      let path =
        parts.first?.split(separator: ".", omittingEmptySubsequences: false).map(String.init) ?? []
      guard parts.count == 2, path.allSatisfy({ !$0.isEmpty }),
        let inner = try? SettingsText.value(String(parts[1]), path: text)
      else { throw ExperimentError.badAssignment(text) }
      let nested = path.reversed().dropLast().reduce(inner) { .object([$1: $0]) }
      settings = JSONValue.merge([path[0]: nested], over: settings)
    }
  }
}

extension JSONValue {
  /// `upper` over `lower`, group by group.
  static func merge(
    _ upper: [String: JSONValue], over lower: [String: JSONValue]
  ) -> [String: JSONValue] {
    lower.merging(upper) { below, above in
      if case .object(let a) = above, case .object(let b) = below {
        .object(merge(a, over: b))
      } else {
        above
      }
    }
  }
}
