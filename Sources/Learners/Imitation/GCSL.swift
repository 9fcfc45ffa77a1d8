public import GoalCore
public import Replay

/// Goal-conditioned supervised learning: imitate, for every goal that a trajectory happened to
/// reach, the actions that led there.
///
///     minimise  E[ mean_k (π_k(s_t, m(s_j)) − a_tk)² ]    over trajectories, t, and j > t
///
/// for continuous actions, or E[ −ln π(a_t | s_t, m(s_j)) ] for discrete and discretised ones.
///
/// Ghosh et al., "Learning to Reach Goals via Iterated Supervised Learning", ICLR 2021,
/// arXiv:1912.06088. For continuous actions the loss, network and draw are those of the baseline
/// "GCSL" in Yang et al., ICLR 2022, arXiv:2202.04478. Reference code:
/// github.com/YangRui2015/AWGCSL at d8f1c56, `wgcsl/algo/wgcsl.py` with `--su_method ''`.
///
/// It differs from that reference in what `SupervisedPolicy` and `RunningNormalizer` list.
///
/// On the worlds of GCSL's own code (github.com/dibyaghosh/gcsl at cfae560,
/// `gcsl/algo/{variants,gcsl,networks,buffer}.py`) the settings are that code's: discretised
/// actions, its draw of pairs, no normalisation, its network and its online schedule. Any other
/// world takes them by name. From that code it differs in: 1. classes of a joint choice are
/// numbered in another order (`ActionCodec`); 2. the loss on what is held out is measured with the
/// other metrics, not at each update.
public final class GCSL: ImitationLearner {
  /// How a start and a goal of the same trajectory are drawn.
  public enum Pairs: String, SettingChoice {
    /// A step uniformly, then a later state uniformly.
    case future
    /// A pair of states, as in GCSL's own code.
    case pair
    /// The same without the last state, which GCSL's own code does not store.
    case pairBeforeActions = "pair-before-actions"
  }

  /// The policy's output.
  public enum Actions: String, SettingChoice {
    /// The world's own actions: a vector, or a choice among discrete ones.
    case native
    /// A choice among evenly spaced values of each dimension.
    case discretized
  }

  /// The settings; the defaults are the reference's, `wgcsl/algo/config.py`.
  public struct Configuration: LearnerConfiguration {
    /// Rows in a batch.
    @Setting("rows in a batch; 512 for the hard tasks", .batch, "config.py")
    public var batchSize = 128
    /// How starts and goals are drawn.
    @Setting(
      "future: a step, then a later state; pair: two states, as in GCSL's own "
        + "code; pair-before-actions: the same without the last state, which that code "
        + "does not store",
      "supervised_sampler.py")
    public var pairs = Pairs.future
    /// The policy's output.
    @Setting(
      "native: the world's own; discretized: a choice among values of each dimension", "ours")
    public var actions = Actions.native
    /// Values of each dimension of a discretised action.
    @Setting("values of each dimension of a discretised action", .bins, "gcsl, variants.py")
    public var bins = 3
    /// Classes of a joint choice at most; beyond, each dimension is chosen by itself.
    @Setting(
      "classes of a joint choice at most; beyond, dimensions are chosen apart",
      .joint, "gcsl, variants.py")
    public var jointLimit = 100
    /// How a categorical policy acts where it is evaluated.
    @Setting(
      "how a categorical policy acts in evaluation: greedy, or sampled "
        + "from its distribution",
      "gcsl, variants.py")
    public var choosing = Choosing.greedy
    /// How a categorical policy acts where it collects.
    @Setting("the same in collecting", "gcsl, variants.py")
    public var collecting = Choosing.greedy
    /// Share of rows whose original goal, not the relabelled one, is shown to the normaliser.
    @Setting(
      "share of original goals among those that the normaliser sees",
      .share, "supervised_sampler.py, keep_origin_rate")
    public var originalGoals = 0.2
    /// Units of each hidden layer.
    @Setting("units of each hidden layer of the policy", .widths, "config.py")
    public var hiddenWidths = [256, 256, 256]
    /// How new layers are drawn.
    @Setting("how new layers are drawn: glorot without biases, or as torch does", "config.py")
    public var initialWeights = InitialWeights.glorot
    /// Whether the policy reads how many steps away the goal is, GCSL's "horizon".
    @Setting(
      "whether the policy reads how many steps away the goal is, GCSL's horizon",
      "gcsl, variants.py")
    public var stepsLeft = false
    /// Adam's step size.
    @Setting("Adam's step size", .positive, "config.py, pi_lr") public var learningRate = 5e-4
    /// How inputs are normalised.
    @SettingsFrom("config.py") public var normalizer = NormalizerSettings()
    /// How it learns online.
    @SettingsFrom("GCSL's variants.py") public var online = OnlineSettings.gcsl()

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
  public internal(set) var updates = 0
  let policy: any Imitator

  /// Makes an untrained learner.
  public init(task: GoalTask, configuration: Configuration, seed: UInt64) throws {
    self.configuration = configuration
    let isCategorical =
      if case .discrete = task.spec.action { true } else { configuration.actions == .discretized }
    if isCategorical {
      policy = CategoricalImitation(
        task: task,
        codec: ActionCodec(
          task.spec.action, bins: configuration.bins, jointLimit: configuration.jointLimit),
        choosing: configuration.choosing, collecting: configuration.collecting,
        hiddenWidths: configuration.hiddenWidths, learningRate: configuration.learningRate,
        normalizer: configuration.normalizer, weights: configuration.initialWeights,
        stepsLeft: configuration.stepsLeft, seed: seed)
    } else {
      policy = try SupervisedPolicy(
        learner: GCSL.identifier, task: task, hiddenWidths: configuration.hiddenWidths,
        learningRate: configuration.learningRate, normalizer: configuration.normalizer,
        weights: configuration.initialWeights, stepsLeft: configuration.stepsLeft, seed: seed)
    }
  }

  /// Goals that were reached later in the same trajectory.
  public var scheme: SamplingScheme {
    let goals: GoalSelection =
      switch configuration.pairs {
      case .future: .future(fraction: 1)
      case .pair: .pair()
      case .pairBeforeActions: .pair(.gcsl, states: .beforeActions)
      }
    return SamplingScheme(
      batchSize: configuration.batchSize, policyGoals: goals,
      originalValueGoals: configuration.originalGoals)
  }
}

extension GCSL.Configuration {
  /// The reference's batch size for the task; on the worlds of GCSL's own code, that code's
  /// settings.
  public static func preset(for task: GoalTask) -> Self {
    var configuration = Self()
    if let own = GCSLPreset.listed(task) {
      configuration = own
    } else {
      configuration.batchSize = WGCSLPreset(task: task).batchSize
    }
    configuration.online = .gcsl(horizon: task.spec.horizon)
    return configuration
  }

  /// Throws `SettingsError` for layers that give too many numbers for a batch.
  public func validateTogether(under path: [String]) throws {
    try Settings.requireLayers(hiddenWidths, batch: batchSize)
  }
}
