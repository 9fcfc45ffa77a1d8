public import GoalCore
public import Replay
public import Support
public import Torch

/// The settings of a learner; every value has a default, the reference's.
public protocol LearnerConfiguration: SettingGroup {
  /// The paper's own settings for a task; the defaults if it has none.
  static func preset(for task: GoalTask) -> Self
  /// Gradient steps that the paper trains for on a task.
  static func updates(for task: GoalTask) -> Int
  /// How the learner collects and how often it updates when it learns online.
  var online: OnlineSettings { get }
  /// Hidden units of its dense networks.
  var hiddenWidths: [Int] { get }
  /// Numbers in the largest network that it makes for a task, or some more.
  func parameterCount(for task: GoalTask) -> Double
}

extension LearnerConfiguration {
  /// WGCSL's code's number of gradient steps for the task.
  public static func updates(for task: GoalTask) -> Int { WGCSLPreset(task: task).updates }
}

/// A learner: turns batches of transitions with goals into a policy.
///
/// It never sees a world, a file or a flag. Equal seeds, settings and batches give equal bits on
/// one machine with one torch thread. An instance belongs to one thread at a time.
public protocol Learner: AnyObject, SendableMetatype {
  /// The type of its settings.
  associatedtype Configuration: LearnerConfiguration
  /// The id: lower case and hyphens.
  static var identifier: String { get }
  /// The idea in one sentence.
  static var summary: String { get }

  /// Makes an untrained learner whose networks are drawn from the run's seed; throws
  /// `LearnerError`.
  init(task: GoalTask, configuration: Configuration, seed: UInt64) throws

  /// The settings that it was made with.
  var configuration: Configuration { get }
  /// How its batches are sampled.
  var scheme: SamplingScheme { get }
  /// Updates made so far.
  var updates: Int { get }

  /// One update. Diagnostics cost a little, so they are computed only if `measuring`.
  func update(on batch: GoalBatch, measuring: Bool) -> Metrics?
  /// The loss terms on a batch that is not trained on, by the names that `update` gives them.
  ///
  /// Nothing of the learner changes.
  func losses(on batch: GoalBatch) -> Metrics
  /// The present policy, which later updates do not change; it may be sent to other threads.
  func makePolicy() -> any GoalPolicy
  /// The policy that collects, which may be another than the one that is evaluated; later updates
  /// do not change it either.
  func makeCollectingPolicy() -> any GoalPolicy

  /// Copies of everything that acting and training need.
  func saved() -> SavedLearner
  /// Puts back what acting needs; throws `LearnerError`.
  func restore(policy tensors: [NamedTensor]) throws
  /// Puts everything back, so that training goes on to the bit; throws `LearnerError`.
  func restore(_ saved: SavedLearner) throws
}

extension Learner {
  /// One update without diagnostics.
  public func update(on batch: GoalBatch) { _ = update(on: batch, measuring: false) }

  /// The same policy collects and is evaluated.
  public func makeCollectingPolicy() -> any GoalPolicy { makePolicy() }

  /// An actor with the present policy.
  public func makeActor() -> any GoalActor { makePolicy().makeActor() }

  /// How it collects and how often it updates when it learns online.
  public var online: OnlineSettings { configuration.online }

  /// The settings that it was made with, as values by name.
  public func settings() throws -> [String: JSONValue] { try Settings.values(of: configuration) }
}

/// A learner's part of a checkpoint.
public struct SavedLearner: Sendable {
  /// The tensors that acting needs: weights and normaliser.
  public var policy: [NamedTensor]
  /// The other tensors that training needs: targets, optimisers, sums, queues.
  public var training: [NamedTensor]
  /// Counters.
  public var counters: [String: JSONValue]

  /// Collects the parts.
  public init(policy: [NamedTensor], training: [NamedTensor], counters: [String: JSONValue]) {
    self.policy = policy
    self.training = training
    self.counters = counters
  }

  /// Copies what a supervised learner's policy needs for acting, and the rest.
  init(policy: PolicyNetwork, training: [NamedTensor], updates: Int) {
    self.policy = policy.policyState.map { $0.copied() }
    self.training = training.map { $0.copied() }
    counters = ["updates": .integer(updates)]
  }

  /// The name of a tensor with a number that is not finite; nil if all are.
  public var firstNotFinite: String? {
    (policy + training).first { !$0.tensor.isFinite }?.name
  }

  /// Numbers in all tensors.
  public var numberCount: Int { (policy + training).numberCount }

  /// A counter; throws `LearnerError.missingCounter`.
  func counter(_ name: String) throws -> Int {
    guard let value = counters[name]?.integer else { throw LearnerError.missingCounter(name: name) }
    return value
  }

  /// The number of updates made; throws `LearnerError` if it is missing or impossible.
  public func updates() throws -> Int {
    let updates = try counter("updates")
    guard 0...SizeLimit.steps ~= updates else {
      throw LearnerError.wrongCounter(name: "updates", limit: SizeLimit.steps, found: updates)
    }
    return updates
  }
}

extension [NamedTensor] {
  /// Overwrites these tensors in place by those of the same names among `saved`.
  ///
  /// Throws `LearnerError` for a tensor that is missing, has another shape, or is not finite.
  public func assign(from saved: [NamedTensor]) throws {
    let found = Dictionary(saved.map { ($0.name, $0.tensor) }, uniquingKeysWith: { $1 })
    for target in self {
      guard let tensor = found[target.name] else {
        throw LearnerError.missingTensor(name: target.name)
      }
      guard tensor.shape == target.tensor.shape, tensor.elementType == target.tensor.elementType
      else {
        throw LearnerError.wrongShape(
          name: target.name, expected: target.tensor.shape, found: tensor.shape)
      }
      guard tensor.isFinite else { throw LearnerError.notFinite(name: target.name) }
      target.tensor.assign(tensor)
    }
  }

  /// The tensors of one group, by their names within it.
  func group(_ name: String) -> [NamedTensor] {
    compactMap {
      $0.name.hasPrefix(name + ".")
        ? NamedTensor(String($0.name.dropFirst(name.count + 1)), $0.tensor) : nil
    }
  }
}
