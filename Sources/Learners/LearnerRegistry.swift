public import GoalCore
public import Support
internal import Torch

/// The learners that there are.
public enum LearnerRegistry {
  /// One line a learner, in the order of printing.
  public static let all: [LearnerEntry] = [
    LearnerEntry(GoalBC.self),
    LearnerEntry(GCSL.self),
    LearnerEntry(WGCSL.self),
    LearnerEntry(GoalMARVIL.self),
    LearnerEntry(DDPG<OriginalGoals>.self),
    LearnerEntry(DDPG<HindsightGoals>.self),
    LearnerEntry(TD3BC.self),
    LearnerEntry(GoalTransformer.self),
    LearnerEntry(GCBC.self),
    LearnerEntry(GCIVL.self),
    LearnerEntry(GCIQL.self),
    LearnerEntry(HIQL.self),
    LearnerEntry(CRL.self),
    LearnerEntry(QRL.self),
    LearnerEntry(LAVL.self),
  ]

  /// The learner of an id; throws `LearnerError.unknown`.
  public static func entry(_ identifier: String) throws -> LearnerEntry {
    guard let found = all.first(where: { $0.identifier == identifier }) else {
      throw LearnerError.unknown(identifier: identifier, known: all.map(\.identifier))
    }
    return found
  }
}

/// A learner that can be made by name.
public struct LearnerEntry: Sendable {
  /// The id.
  public let identifier: String
  /// The idea in one sentence.
  public let summary: String
  /// Every setting with its default, meaning and source.
  public let settings: [SettingDescription]

  private typealias Values = [String: JSONValue]
  private let resolveSettings: @Sendable (GoalTask, Values) throws -> Values
  private let resolveOnline: @Sendable (GoalTask, Values) throws -> OnlineSettings
  private let makeLearner: @Sendable (GoalTask, Values, UInt64, Int?) throws -> any Learner
  private let countUpdates: @Sendable (GoalTask) -> Int

  /// Makes the entry of a learner, of this package or of yours.
  public init<L: Learner>(_ type: L.Type) {
    identifier = L.identifier
    summary = L.summary
    let defaults = (try? Settings.values(of: L.Configuration())) ?? [:]
    settings = SettingTable(L.Configuration()).rows.map { entry in
      SettingDescription(
        key: entry.key, defaultValue: JSONValue.object(defaults).at(entry.key).description,
        meaning: entry.meaning, source: entry.source)
    }
    let configured: @Sendable (GoalTask, Values) throws -> L.Configuration = { task, overrides in
      let configuration = try Settings.applying(
        overrides, to: L.Configuration.preset(for: task))
      try configuration.validate()
      return configuration
    }
    resolveSettings = { try Settings.values(of: configured($0, $1)) }
    resolveOnline = { try configured($0, $1).online }
    makeLearner = { task, values, seed, limit in
      let configuration = try configured(task, values)
      try NetworkSize.check(configuration, for: task, limit: limit)
      let learner = try L(task: task, configuration: configuration, seed: seed)
      try NetworkSize.check(learner.scheme, for: task)
      return learner
    }
    countUpdates = { L.Configuration.updates(for: $0) }
  }

  /// All settings for a task: the paper's, then `overrides`.
  ///
  /// Throws `SettingsError`.
  public func resolve(
    task: GoalTask, overrides: [String: JSONValue] = [:]
  ) throws -> [String: JSONValue] {
    try resolveSettings(task, overrides)
  }

  /// Every setting with the paper's value for a task.
  ///
  /// Throws `SettingsError`.
  public func settings(for task: GoalTask) throws -> [SettingDescription] {
    let values = JSONValue.object(try resolve(task: task))
    return settings.map {
      SettingDescription(
        key: $0.key, defaultValue: values.at($0.key).description, meaning: $0.meaning,
        source: $0.source)
    }
  }

  /// How it learns online with the paper's settings for the task, then `overrides`.
  ///
  /// Throws `SettingsError`.
  public func online(
    task: GoalTask, overrides: [String: JSONValue] = [:]
  ) throws -> OnlineSettings {
    try resolveOnline(task, overrides)
  }

  /// Gradient steps that the paper trains for on a task.
  public func updates(for task: GoalTask) -> Int { countUpdates(task) }

  /// Makes a learner with the paper's settings for the task, then `overrides`.
  ///
  /// What `resolve` gave can be given as `overrides`, and gives the same learner. Throws
  /// `SettingsError`, `LearnerError`, and `TorchError` if the libtorch that was loaded will not do.
  /// From then on, operators called from this thread use `threads` threads; sums are cut up
  /// otherwise for another number, so a run's last bits depend on it. The learner's tensors lie on
  /// `device`: `cpu`, `cuda` or `cuda:1`. Throws `LearnerError.unknownDevice` for any other, and
  /// `LearnerError.tooLarge` for settings that need too much memory. If weights will be restored,
  /// they have some `restoring` numbers, and the networks may not be many times larger.
  public func make(
    task: GoalTask, overrides: [String: JSONValue] = [:], seed: UInt64, threads: Int = 1,
    device: String = "cpu", restoring: Int? = nil
  ) throws -> any Learner {
    try TorchRuntime.start()
    TorchRuntime.threads = threads
    guard let place = Device(device) else { throw LearnerError.unknownDevice(device) }
    if place != .cpu { try TorchRuntime.loadCUDA() }
    TorchRuntime.device = place
    // What is bounded from above by its parts is larger than it, and small networks need no care.
    let limit = restoring.map { min(NetworkSize.limit, 65_536 + [64, $0].clampedProduct) }
    return try makeLearner(task, overrides, seed, limit)
  }
}

extension JSONValue {
  /// The value at a path of names separated by dots.
  fileprivate func at(_ path: String) -> JSONValue {
    path.split(separator: ".").reduce(self) { value, key in
      if case .object(let inner) = value { inner[String(key)] ?? .null } else { .null }
    }
  }
}
