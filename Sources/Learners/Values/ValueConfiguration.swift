internal import GoalCore
internal import Replay
import Support

/// What the settings of the learners that OGBench compares have in common.
protocol ValueConfiguration: LearnerConfiguration {
  var batchSize: Int { get set }
  var hiddenWidths: [Int] { get set }
  var learningRate: Double { get set }
  var discount: Discount { get set }
  var goalForm: GoalsOf { get set }
  var success: Success { get set }
  var valueGoals: GoalShares { get set }
  var policyGoals: GoalShares { get set }
  var normalizer: NormalizerSettings { get set }
  var online: OnlineSettings { get set }
}

/// What goals are made of.
public enum GoalsOf: String, SettingChoice {
  /// What a state achieved, m(s).
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
public struct GoalShares: Codable, Sendable, Equatable {
  /// The present state.
  public var current: Double
  /// Later states of the episode.
  public var trajectory: Double
  /// States of all episodes.
  public var random: Double
  /// Whether later states are drawn by the discount; otherwise uniformly, as OGBench rounds.
  public var geometric: Bool

  /// GCIVL's, GCIQL's and HIQL's value goals.
  static let value = GoalShares(current: 0.2, trajectory: 0.5, random: 0.3, geometric: true)
  /// The actor's goals.
  static let policy = GoalShares(current: 0, trajectory: 1, random: 0, geometric: false)

  func selection(discount: Double) -> GoalSelection {
    .mixture(
      GoalMixture(
        current: current, trajectory: trajectory, random: random,
        discount: geometric ? discount : nil, halvesEnds: true))
  }

  func validate(_ key: String) throws {
    for (share, name) in [(current, "current"), (trajectory, "trajectory"), (random, "random")] {
      try Settings.requireShare(share, "\(key).\(name)")
    }
    let sum = current + trajectory + random
    try Settings.require(
      abs(sum - 1) < 1e-9, key, "shares that add up to 1", found: .number(sum))
  }

  static func documentation(
    _ key: String, of whom: String, source: String
  ) -> [(key: String, meaning: String, source: String)] {
    [
      ("\(key).current", "share of present states among \(whom) goals", source),
      ("\(key).trajectory", "share of later states of the episode", source),
      ("\(key).random", "share of random states", source),
      (
        "\(key).geometric", "whether later states are drawn by the discount, else uniformly",
        source
      ),
    ]
  }
}

extension ValueConfiguration {
  /// WGCSL's gradient steps for its tasks, and OGBench's for all others.
  public static func updates(for task: GoalTask) -> Int {
    let schedule = PaperSchedule(task: task)
    return schedule.isListed ? schedule.updates : 1_000_000
  }

  /// The defaults; for WGCSL's tasks its batch, widths, discount, normaliser and rewards.
  ///
  /// Its worlds' numbers are not of unit scale and its goals are places, which many states have in common.
  static func common(for task: GoalTask) -> Self {
    var configuration = Self()
    let schedule = PaperSchedule(task: task)
    configuration.online.updatesPerEpisode = schedule.batchesPerCycle
    guard schedule.isListed else { return configuration }
    configuration.batchSize = schedule.batchSize
    configuration.hiddenWidths = [256, 256, 256]
    configuration.discount = .horizon
    configuration.normalizer.isOn = true
    configuration.success = .next
    return configuration
  }

  /// Goals of value and policy drawn apart, steps of all episodes alike.
  func scheme(horizon: Int, subgoalSteps: Int? = nil) -> SamplingScheme {
    let discount = discount.value(horizon: horizon)
    var scheme = SamplingScheme(
      batchSize: batchSize, policyGoals: policyGoals.selection(discount: discount),
      valueGoals: .own(valueGoals.selection(discount: discount)))
    scheme.episodes = .steps
    scheme.goalForm = goalForm.form
    scheme.rewarded = success.rewarded
    scheme.subgoalSteps = subgoalSteps
    return scheme
  }

  /// Throws `SettingsError` for the first of these values out of its range.
  func validateCommon() throws {
    try Settings.require(batchSize, in: SettingRange.batch, "batchSize")
    try Settings.requireLayers(hiddenWidths, batch: batchSize)
    try Settings.requirePositive(learningRate, "learningRate")
    try valueGoals.validate("valueGoals")
    try policyGoals.validate("policyGoals")
    try normalizer.validate()
    try online.validate()
  }

  /// Meaning and source of the common settings around a learner's own; `code` is its file in OGBench.
  static func documented(
    _ own: [(key: String, meaning: String, source: String)], code: String
  ) -> [(key: String, meaning: String, source: String)] {
    let common: [(key: String, meaning: String, source: String)] = [
      ("batchSize", "rows in a batch; WGCSL's for its tasks", code),
      (
        "hiddenWidths", "units of each hidden layer of every network; 256 each for WGCSL's tasks",
        code
      ),
      ("learningRate", "Adam's step size, of one optimizer for all networks", code),
      (
        "discount",
        "a number from 0 up to below 1, or horizon: 1 - 1/horizon, as for WGCSL's tasks", code
      ),
      (
        "goalForm",
        "achieved: what a state achieves; observation: the whole state, as OGBench, for worlds whose "
          + "goal names it", "ours"
      ),
      (
        "success",
        "where a reward is 0 and a value ends: same-state (the goal is this very state), or present or "
          + "next (that state is at the goal by the world's rule); next for WGCSL's tasks",
        "datasets.py"
      ),
    ]
    return common + own
      + GoalShares.documentation("valueGoals", of: "the value's", source: code)
      + GoalShares.documentation("policyGoals", of: "the policy's", source: code)
      + NormalizerSettings.documented(
        isOn: "whether inputs are normalised: not by OGBench, but for WGCSL's tasks",
        source: "WGCSL, config.py")
      + OnlineSettings.documentation(source: "WGCSL, config.py")
  }

  /// How the policy is taken out of values, for learners that know two ways.
  static func policyLossDocumentation(
    code: String
  ) -> (key: String, meaning: String, source: String) {
    (
      "policyLoss",
      "ddpg-bc: climb the value near the data; awr: imitate, weighted by advantages", code
    )
  }

  /// The settings of weighted imitation, for learners that know another way.
  static func weightingDocumentation(
    temperatureSource: String, code: String
  ) -> [(key: String, meaning: String, source: String)] {
    [
      ("temperature", "awr: what an advantage is multiplied by", temperatureSource),
      ("weightLimit", "awr: the largest weight of a row", code),
    ]
  }

  /// What τ means, for learners with targets.
  static func targetRateDocumentation(
    code: String
  ) -> (key: String, meaning: String, source: String) {
    (
      "targetRate",
      "share of the weights that targets take at each update; a value spreads over about one step in 1/"
        + "targetRate updates, so runs of 20,000 updates or fewer need about 0.05", code
    )
  }
}

extension Settings {
  /// Throws `SettingsError` for what is not between 0 and 1.
  static func requireInside(_ value: Double, _ key: String) throws {
    try require(value > 0 && value < 1, key, "above 0 and below 1", found: .number(value))
  }

  /// Throws `SettingsError` for a width of none or of more than a layer may have.
  static func requireWidth(_ width: Int, _ key: String) throws {
    try require(width, in: SettingRange.width, key)
  }

  /// Throws `SettingsError` for a number of steps that no episode has.
  static func requireSteps(_ steps: Int, _ key: String) throws {
    try require(1..<1 << 31 ~= steps, key, "from 1 to \(1 << 31 - 1)", found: .integer(steps))
  }
}

/// The settings that OGBench's command lines give for its worlds, by a task's name.
///
/// Source: github.com/seohongpark/ogbench at 1d41409, `impls/hyperparameters.sh`. What they change for the
/// kind of data (`explore`, `noisy`, `stitch`) a task does not say: set it.
enum OGBenchWorlds {
  case pointMaze, antMaze, humanoidMaze, antSoccer, manipulation

  /// nil for worlds that are not OGBench's.
  init?(_ task: GoalTask) {
    let worlds: [(String, OGBenchWorlds)] = [
      ("pointmaze", .pointMaze), ("antmaze", .antMaze), ("humanoidmaze", .humanoidMaze),
      ("antsoccer", .antSoccer), ("cube", .manipulation), ("scene", .manipulation),
      ("puzzle", .manipulation),
    ]
    guard let found = worlds.first(where: { task.identifier.hasPrefix($0.0) }) else { return nil }
    self = found.1
  }

  /// γ.
  static func discount(_ task: GoalTask) -> Discount {
    OGBenchWorlds(task) == .humanoidMaze || task.identifier.contains("giant")
      ? .value(0.995) : .value(0.99)
  }

  /// Steps from a state to its subgoal.
  var subgoalSteps: Int {
    switch self {
    case .humanoidMaze: 100
    case .manipulation: 10
    default: 25
    }
  }
}
