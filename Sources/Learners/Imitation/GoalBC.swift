public import GoalCore
public import Replay

/// Goal-conditioned behaviour cloning: imitate the data's actions towards the goals that were asked
/// for.
///
///     minimise  E[ mean_k (π_k(s_t, g) − a_tk)² ]   over transitions of the data, g their own goal
///
/// The baseline "Goal BC" of Yang et al., "Rethinking Goal-Conditioned Supervised Learning and Its
/// Connection to Offline RL", ICLR 2022, arXiv:2202.04478; reference code
/// github.com/YangRui2015/AWGCSL at d8f1c56, `wgcsl/algo/wgcsl.py` with `--su_method ''` and
/// `--no_relabel`. It differs from the reference in what `SupervisedPolicy` and `RunningNormalizer`
/// list.
public final class GoalBC: ImitationLearner {
  /// The settings; the defaults are the reference's, `wgcsl/algo/config.py`.
  public struct Configuration: LearnerConfiguration {
    /// Rows in a batch.
    @Setting("rows in a batch; 512 for the hard tasks", .batch, "config.py")
    public var batchSize = 128
    /// Units of each hidden layer.
    @Setting("units of each hidden layer of the policy", .widths, "config.py")
    public var hiddenWidths = [256, 256, 256]
    /// Adam's step size.
    @Setting("Adam's step size", .positive, "config.py, pi_lr") public var learningRate = 5e-4
    /// How inputs are normalised.
    @SettingsFrom("config.py") public var normalizer = NormalizerSettings()
    /// How it learns online.
    @SettingsFrom("config.py") public var online = OnlineSettings()

    /// The reference's defaults.
    public init() {}
  }

  /// The id, `goal-bc`.
  public static let identifier = "goal-bc"
  /// The idea in one sentence.
  public static let summary = "imitate the data's actions towards their desired goals"

  /// The settings that it was made with.
  public let configuration: Configuration
  /// Updates made so far.
  public internal(set) var updates = 0
  let policy: any Imitator

  /// Makes an untrained learner; throws `LearnerError` for discrete actions.
  public init(task: GoalTask, configuration: Configuration, seed: UInt64) throws {
    self.configuration = configuration
    policy = try SupervisedPolicy(
      learner: GoalBC.identifier, task: task, hiddenWidths: configuration.hiddenWidths,
      learningRate: configuration.learningRate, normalizer: configuration.normalizer, seed: seed)
  }

  /// The goals that the data were collected with.
  public var scheme: SamplingScheme {
    SamplingScheme(
      batchSize: configuration.batchSize, policyGoals: .original, originalValueGoals: 1)
  }
}

extension GoalBC.Configuration {
  /// The reference's batch size for the task.
  public static func preset(for task: GoalTask) -> Self {
    var configuration = Self()
    configuration.batchSize = WGCSLPreset(task: task).batchSize
    configuration.online.updatesPerEpisode = WGCSLPreset(task: task).batchesPerCycle
    return configuration
  }

  /// Throws `SettingsError` for layers that give too many numbers for a batch.
  public func validateTogether(under path: [String]) throws {
    try Settings.requireLayers(hiddenWidths, batch: batchSize)
  }
}
