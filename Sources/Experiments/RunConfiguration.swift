public import Foundation
public import GoalCore
import Learners
import Yams

/// All that a training run is made from; saved as `config.json`, from which it can be repeated.
public struct RunConfiguration: Codable, Sendable, Equatable {
  /// The first seed that a run may not have.
  public static let seedLimit = Seeds.limit

  /// The learner's id.
  public var learner = "wgcsl"
  /// Folders of datasets, each with `:WEIGHT` or all without.
  ///
  /// With weights, rows of a batch come from each dataset in proportion; without, all episodes are drawn
  /// alike.
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
  /// 1 is best for several runs side by side; a lone run of a small network gains some 1.7 × from 2.
  /// Another number gives other last bits, so it belongs to what is repeated.
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
  /// They are all on the same episodes, for every seed of a run, and on other ones than
  /// `goalpost evaluate` takes unless it is given this seed: the best checkpoint is chosen by them.
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
  /// A policy that has learned needs no random episodes to begin with, so there are none, and updates
  /// come from the first episode on, unless the settings say otherwise.
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
    let text: String
    do { text = try String(contentsOf: file, encoding: .utf8) } catch {
      throw ExperimentError.badSettings(path: file.path, reason: "the file can't be read")
    }
    let parsed: Any?
    do { parsed = try Yams.load(yaml: text) } catch {
      let words = "\(error)".split(separator: "\n").first ?? ""
      throw ExperimentError.badSettings(path: file.path, reason: "not YAML: \(words)")
    }
    guard let parsed, case .object(let values) = try JSONValue(yaml: parsed, path: file.path) else {
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
    copy = try Settings.applying(own, to: copy)
    copy.settings = kept
    return copy
  }

  /// Sets learner's settings from `key.path=value` of a command line; values are read as YAML.
  public mutating func assign(_ texts: [String]) throws {
    for text in texts {
      let parts = text.split(separator: "=", maxSplits: 1)
      guard parts.count == 2, let value = try? Yams.load(yaml: String(parts[1])) else {
        throw ExperimentError.badAssignment(text)
      }
      let path = parts[0].split(separator: ".").map(String.init)
      let inner = try JSONValue(yaml: value, path: text)
      let nested = path.reversed().dropLast().reduce(inner) { .object([$1: $0]) }
      settings = JSONValue.merge([path[0]: nested], over: settings)
    }
  }
}

extension JSONValue {
  /// A value that Yams read.
  init(yaml value: Any, path: String) throws {
    switch value {
    case let value as Bool: self = .truth(value)
    case let value as Int: self = .integer(value)
    case let value as Double: self = .number(value)
    case let value as String: self = .text(value)
    case is NSNull: self = .null
    case let value as [Any]: self = .list(try value.map { try JSONValue(yaml: $0, path: path) })
    case let value as [AnyHashable: Any]:
      var object: [String: JSONValue] = [:]
      for (key, inner) in value { object["\(key.base)"] = try JSONValue(yaml: inner, path: path) }
      self = .object(object)
    default:
      throw ExperimentError.badSettings(path: path, reason: "a value that is no setting: \(value)")
    }
  }

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
