internal import GoalCore
internal import Replay
import Support

/// The settings shared by learners that OGBench compares.
public struct ValueSettings: SharedSettings {
  /// Rows in a batch, `B`.
  @Setting("rows in a batch; WGCSL's for its tasks", .batch) public var batchSize = 1024
  /// Units of each hidden layer of every network.
  @Setting("units of each hidden layer of every network; 256 each for WGCSL's tasks", .widths)
  public var hiddenWidths = [512, 512, 512]
  /// Adam's step size.
  @Setting("Adam's step size, of one optimiser for all networks", .positive)
  public var learningRate = 3e-4
  /// γ.
  @Setting("a number from 0 up to below 1, or horizon: 1 - 1/horizon, as for WGCSL's tasks")
  public var discount = Discount.value(0.99)
  /// The form of goals.
  @Setting(
    "achieved: what a state achieves; observation: the whole state, as OGBench, for worlds whose "
      + "goal names it", "ours")
  public var goalForm = GoalsOf.achieved
  /// Where a reward is 0 and a value ends.
  @Setting(
    "where a reward is 0 and a value ends: same-state (the goal is this very state), or present or "
      + "next (that state is at the goal by the world's rule); next for WGCSL's tasks",
    "datasets.py")
  public var success = Success.sameState
  /// Goals of values and critics.
  @SettingsFrom(meanings: ["current": "share of present states among the value's goals"])
  public var valueGoals = GoalShares.value
  /// Goals of the policy, or of the one that proposes subgoals.
  @SettingsFrom(meanings: ["current": "share of present states among the policy's goals"])
  public var policyGoals = GoalShares.policy
  /// How inputs are normalised.
  @SettingsFrom(
    "WGCSL, config.py",
    meanings: ["isOn": "whether inputs are normalised: not by OGBench, but for WGCSL's tasks"])
  public var normalizer = NormalizerSettings.off
  /// How the learner learns online.
  @SettingsFrom("WGCSL, config.py") public var online = OnlineSettings()

  /// OGBench's defaults.
  public init() {}
}

/// The settings of a learner that OGBench compares: what all of those share, and its own.
protocol ValueConfiguration: SharingConfiguration where Shared == ValueSettings {}

/// Meanings of settings that some of these learners have.
enum ValueMeaning {
  static let targetRate =
    "share of the weights that targets take at each update; a value spreads over about one step in "
    + "1/targetRate updates, so runs of 20,000 updates or fewer need about 0.05"
  static let expectile = "how far the value leans to the best actions, above 0.5"
  static let policyLoss =
    "ddpg-bc: climb the value near the data; awr: imitate, weighted by advantages"
  static let temperature = "awr: what an advantage is multiplied by"
  static let weightLimit = "awr: the largest weight of a row"
}

/// The form of goals.
public enum GoalsOf: String, SettingChoice {
  /// The achieved goal, m(s).
  case achieved
  /// The whole observation, as in OGBench.
  case observation

  var form: GoalForm { self == .observation ? .observation : .achieved }
}

/// Where a step's reward is 0 and its value ends; elsewhere the reward is −1.
public enum Success: String, SettingChoice {
  /// Where the goal is the very state before the step, by its place in the data, as in OGBench.
  case sameState = "same-state"
  /// Where the state before the step is at the goal by the world's rule.
  case present
  /// Where the state after the step is at the goal by the world's rule.
  case next

  var rewarded: RewardedState {
    switch self {
    case .sameState: .index
    case .present: .current
    case .next: .next
    }
  }
}

/// Shares of the present state, later states of the episode and random states among goals.
public struct GoalShares: SettingGroup {
  /// The present state.
  @Setting("share of present states among goals", .share) public var current = 0.0
  /// Later states of the episode.
  @Setting("share of later states of the episode", .share) public var trajectory = 1.0
  /// States of all episodes.
  @Setting("share of random states", .share) public var random = 0.0
  /// Whether later states are drawn by the discount; otherwise uniformly, as OGBench rounds.
  @Setting("whether later states are drawn by the discount, else uniformly")
  public var geometric = false

  /// Later states alone, drawn uniformly: the actor's goals.
  public init() {}

  /// Other shares.
  public init(current: Double, trajectory: Double, random: Double, geometric: Bool) {
    (self.current, self.trajectory, self.random) = (current, trajectory, random)
    self.geometric = geometric
  }

  /// GCIVL's, GCIQL's and HIQL's value goals.
  static let value = GoalShares(current: 0.2, trajectory: 0.5, random: 0.3, geometric: true)
  /// The actor's goals.
  static let policy = GoalShares()

  func selection(discount: Double) -> GoalSelection {
    .mixture(
      GoalMixture(
        current: current, trajectory: trajectory, random: random,
        discount: geometric ? discount : nil, halvesEnds: true))
  }

  /// Throws `SettingsError` for shares that do not add up to 1.
  public func validateTogether(under path: [String]) throws {
    let sum = current + trajectory + random
    try Settings.require(
      abs(sum - 1) < 1e-9, path.joined(separator: "."), "shares that add up to 1",
      found: .number(sum))
  }
}

extension ValueConfiguration {
  /// WGCSL's gradient steps for its tasks, and OGBench's for all others.
  public static func updates(for task: GoalTask) -> Int {
    WGCSLPreset.listed(task)?.updates ?? 1_000_000
  }

  /// The defaults; for WGCSL's tasks its batch, widths, discount, normaliser and rewards.
  ///
  /// Its worlds' numbers are not of unit scale and its goals are places, which many states have in
  /// common.
  static func common(for task: GoalTask) -> Self {
    var configuration = Self()
    configuration.online.updatesPerEpisode = WGCSLPreset(task: task).batchesPerCycle
    guard let preset = WGCSLPreset.listed(task) else { return configuration }
    configuration.batchSize = preset.batchSize
    configuration.hiddenWidths = [256, 256, 256]
    configuration.discount = .horizon
    configuration.normalizer.isOn = true
    configuration.success = .next
    return configuration
  }

  /// Goals of value and policy drawn apart, steps of all episodes alike.
  func scheme(horizon: Int, subgoalSteps: Int? = nil) -> SamplingScheme {
    let discount = shared.discount.value(horizon: horizon)
    var scheme = SamplingScheme(
      batchSize: shared.batchSize, policyGoals: shared.policyGoals.selection(discount: discount),
      valueGoals: .own(shared.valueGoals.selection(discount: discount)))
    scheme.episodes = .steps
    scheme.goalForm = shared.goalForm.form
    scheme.rewarded = shared.success.rewarded
    scheme.subgoalSteps = subgoalSteps
    return scheme
  }
}
