public import GoalCore
public import Replay
public import Torch

/// Goal-conditioned supervised learning: imitate, for every goal that a trajectory happened to reach,
/// the actions that led there.
///
///     minimise  E[ mean_k (π_k(s_t, m(s_j)) − a_tk)² ]    over trajectories, t, and j > t
///
/// Ghosh et al., "Learning to Reach Goals via Iterated Supervised Learning", ICLR 2021,
/// arXiv:1912.06088. For continuous actions the loss, network and draw are those of the baseline
/// "GCSL" in Yang et al., ICLR 2022, arXiv:2202.04478; reference code
/// github.com/YangRui2015/AWGCSL at d8f1c56, `wgcsl/algo/wgcsl.py` with `--su_method ''`.
///
/// It differs from that reference in what `SupervisedPolicy` and `RunningNormalizer` list, and in one
/// switch: `pairs = pair` draws start and goal as GCSL's own code does.
public final class GCSL: Learner {
  /// How a start and a goal of the same trajectory are drawn.
  public enum Pairs: String, SettingChoice {
    /// A step uniformly, then a later state uniformly.
    case future
    /// A pair of states, as in GCSL's own code.
    case pair
  }

  /// What can be set; the defaults are the reference's, `wgcsl/algo/config.py`.
  public struct Configuration: LearnerConfiguration {
    /// Rows in a batch.
    public var batchSize = 128
    /// How starts and goals are drawn.
    public var pairs = Pairs.future
    /// Share of rows whose original goal, not the relabelled one, is shown to the normaliser.
    public var originalGoals = 0.2
    /// Units of each hidden layer.
    public var hiddenWidths = [256, 256, 256]
    /// Adam's step size.
    public var learningRate = 5e-4
    /// How inputs are normalised.
    public var normalizer = NormalizerSettings()
    /// How it learns online.
    public var online = OnlineSettings.gcsl()

    /// The reference's defaults.
    public init() {}
  }

  /// The id, `gcsl`.
  public static let identifier = "gcsl"
  /// The idea in one sentence.
  public static let summary =
    "imitate the data's actions towards goals that the same trajectory reached later"

  /// The settings that it was made with.
  public let configuration: Configuration
  /// Updates made so far.
  public private(set) var updates = 0
  private let policy: SupervisedPolicy

  /// Makes an untrained learner; throws `LearnerError` for discrete actions.
  public init(task: GoalTask, configuration: Configuration, seed: UInt64) throws {
    self.configuration = configuration
    policy = try SupervisedPolicy(
      learner: GCSL.identifier, task: task, hiddenWidths: configuration.hiddenWidths,
      learningRate: configuration.learningRate, normalizer: configuration.normalizer, seed: seed)
  }

  /// Goals that were reached later in the same trajectory.
  public var scheme: SamplingScheme {
    let goals: GoalSelection =
      switch configuration.pairs {
      case .future: .future(fraction: 1)
      case .pair: .pair()
      }
    return SamplingScheme(
      batchSize: configuration.batchSize, policyGoals: goals,
      originalValueGoals: configuration.originalGoals)
  }

  /// One step of gradient descent on `batch`.
  public func update(on batch: GoalBatch, measuring: Bool) -> Metrics? {
    updates += 1
    return policy.imitate(batch, measuring: measuring)
  }

  /// The imitation loss of a batch that is not trained on.
  public func losses(on batch: GoalBatch) -> Metrics { policy.losses(on: batch) }

  /// The present policy.
  public func makePolicy() -> any GoalPolicy { policy.makePolicy() }

  /// Copies of everything that acting and training need.
  public func saved() -> SavedLearner {
    SavedLearner(policy: policy, training: policy.trainingState, updates: updates)
  }

  /// Puts back what acting needs.
  public func restore(policy tensors: [NamedTensor]) throws { try policy.restore(policy: tensors) }

  /// Puts everything back.
  public func restore(_ saved: SavedLearner) throws {
    try policy.restore(policy: saved.policy)
    try policy.restore(training: saved.training)
    updates = try saved.counter("updates")
  }
}

extension GCSL.Configuration {
  /// The reference's batch size for the task.
  public static func preset(for task: GoalTask) -> Self {
    var configuration = Self()
    configuration.batchSize = PaperSchedule(task: task).batchSize
    configuration.online = .gcsl(horizon: task.spec.horizon)
    return configuration
  }

  /// The reference's number of gradient steps for the task.
  public static func updates(for task: GoalTask) -> Int { PaperSchedule(task: task).updates }

  /// Throws `SettingsError` for the first value out of its range.
  public func validate() throws {
    try Settings.requireCount(batchSize, "batchSize")
    try Settings.requireWidths(hiddenWidths, "hiddenWidths")
    try Settings.requireShare(originalGoals, "originalGoals")
    try Settings.requirePositive(learningRate, "learningRate")
    try normalizer.validate()
    try online.validate()
  }

  /// Every setting's key, meaning and source.
  public static var documentation: [(key: String, meaning: String, source: String)] {
    [
      ("batchSize", "rows in a batch; 512 for the hard tasks", "config.py"),
      (
        "pairs", "future: a step, then a later state; pair: two states, as in GCSL's own code",
        "supervised_sampler.py"
      ),
      (
        "originalGoals", "share of original goals among those that the normaliser sees",
        "supervised_sampler.py, keep_origin_rate"
      ),
      ("hiddenWidths", "units of each hidden layer of the policy", "config.py"),
      ("learningRate", "Adam's step size", "config.py, pi_lr"),
    ] + NormalizerSettings.documentation
      + OnlineSettings.documentation(source: "GCSL's variants.py")
  }
}
