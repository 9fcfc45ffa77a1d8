public import GoalCore

extension WGCSL {
  /// What can be set; the defaults are the reference's, `wgcsl/algo/config.py`.
  public struct Configuration: CyclicConfiguration {
    /// Rows in a batch, `B`.
    public var batchSize = 128
    /// Updates in a cycle, after which the targets move.
    public var batchesPerCycle = 4
    /// Units of each hidden layer of policy and critic.
    public var hiddenWidths = [256, 256, 256]
    /// Adam's step size for the policy.
    public var policyLearningRate = 5e-4
    /// Adam's step size for the critic.
    public var criticLearningRate = 5e-4
    /// γ.
    public var discount = Discount.horizon
    /// Share of a target that stays when it moves.
    public var polyak = 0.9
    /// What counts as a reward.
    public var rewards = RewardConvention.zeroOrOne
    /// Whether the critic's targets are clipped to ±1 / (1 − γ).
    public var clipsReturn = true
    /// Share of rows that the critic sees with their original goal.
    public var originalValueGoals = 0.2
    /// Whether rows are weighted by γ^d.
    public var relabelWeight = true
    /// Whether rows are weighted by exp A.
    public var exponentialWeight = true
    /// The largest exp A.
    public var exponentialClip = 10.0
    /// Whether rows below a percentile of recent advantages count less.
    public var bestAdvantageWeight = true
    /// By how much the percentile grows with each update.
    public var bestAdvantageStep = 0.1
    /// Where the percentile stops growing, in 0...100.
    public var bestAdvantageLimit = 80.0
    /// How many recent advantages the percentile is taken of.
    public var bestAdvantageQueue = 50_000
    /// The weight of rows below the percentile.
    public var otherAdvantageWeight = 0.05
    /// How inputs are normalised.
    public var normalizer = NormalizerSettings()
    /// How it learns online.
    public var online = OnlineSettings.wgcsl(updatesPerEpisode: 4)

    /// The reference's defaults.
    public init() {}
  }
}

extension WGCSL.Configuration {
  /// The reference's settings for the task.
  public static func preset(for task: GoalTask) -> Self {
    var configuration = cycled(for: task)
    configuration.bestAdvantageStep = PaperSchedule(task: task).bestAdvantageStep
    return configuration
  }

  /// Throws `SettingsError` for the first value out of its range.
  public func validate() throws {
    try validateActorCritic()
    try Settings.require(batchesPerCycle, in: SettingRange.count, "batchesPerCycle")
    try Settings.requireShare(originalValueGoals, "originalValueGoals")
    try Settings.requirePositive(exponentialClip, "exponentialClip")
    try Settings.requireShare(bestAdvantageStep, "bestAdvantageStep", upTo: 100)
    try Settings.requireShare(bestAdvantageLimit, "bestAdvantageLimit", upTo: 100)
    try Settings.require(bestAdvantageQueue, in: SettingRange.batch, "bestAdvantageQueue")
    try Settings.requireShare(otherAdvantageWeight, "otherAdvantageWeight")
  }

  /// Every setting's key, meaning and source.
  public static var documentation: [(key: String, meaning: String, source: String)] {
    actorCriticDocumentation + [
      ("batchesPerCycle", "updates after which the targets move once", "config.py, n_batches"),
      (
        "originalValueGoals", "share of rows that the critic sees with their original goal",
        "supervised_sampler.py, keep_origin_rate"
      ),
      ("relabelWeight", "whether rows are weighted by discount^offset", "paper, section 4; gamma"),
      ("exponentialWeight", "whether rows are weighted by exp(advantage)", "paper; exp_adv"),
      ("exponentialClip", "the largest exp(advantage)", "su_method clip10"),
      (
        "bestAdvantageWeight",
        "whether rows below a percentile of recent advantages count less", "paper; baw"
      ),
      ("bestAdvantageStep", "growth of the percentile with each update", "config.py, baw_delta"),
      ("bestAdvantageLimit", "where the percentile stops growing", "config.py, baw_max"),
      ("bestAdvantageQueue", "recent advantages that the percentile is taken of", "adv_que.py"),
      (
        "otherAdvantageWeight", "weight of rows below the percentile", "supervised_sampler.py"
      ),
    ] + NormalizerSettings.documentation + OnlineSettings.documentation(source: "config.py")
  }
}
