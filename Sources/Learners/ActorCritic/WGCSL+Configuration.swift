public import GoalCore

extension WGCSL {
  /// The settings; the defaults are the reference's, `wgcsl/algo/config.py`.
  public struct Configuration: CyclicConfiguration {
    /// The settings shared by learners with a critic.
    @SettingsFrom("config.py") public var shared = ActorCriticSettings()
    /// Updates in a cycle, after which the targets move.
    @Setting("updates after which the targets move once", .count, "config.py, n_batches")
    public var batchesPerCycle = 4
    /// Share of rows that the critic sees with their original goal.
    @Setting(
      "share of rows that the critic sees with their original goal",
      .share, "supervised_sampler.py, keep_origin_rate")
    public var originalValueGoals = 0.2
    /// Whether rows are weighted by γ^d.
    @Setting("whether rows are weighted by discount^offset", "paper, section 4; gamma")
    public var relabelWeight = true
    /// Whether rows are weighted by exp A.
    @Setting("whether rows are weighted by exp(advantage)", "paper; exp_adv")
    public var exponentialWeight = true
    /// The largest exp A.
    @Setting("the largest exp(advantage)", .positive, "su_method clip10")
    public var exponentialClip = 10.0
    /// Whether rows below a percentile of recent advantages count less.
    @Setting("whether rows below a percentile of recent advantages count less", "paper; baw")
    public var bestAdvantageWeight = true
    /// By how much the percentile grows with each update.
    @Setting("growth of the percentile with each update", .percent, "config.py, baw_delta")
    public var bestAdvantageStep = 0.1
    /// Where the percentile stops growing, in 0...100.
    @Setting("where the percentile stops growing", .percent, "config.py, baw_max")
    public var bestAdvantageLimit = 80.0
    /// How many recent advantages the percentile is taken of.
    @Setting("recent advantages that the percentile is taken of", .batch, "adv_que.py")
    public var bestAdvantageQueue = 50_000
    /// The weight of rows below the percentile.
    @Setting("weight of rows below the percentile", .share, "supervised_sampler.py")
    public var otherAdvantageWeight = 0.05

    /// The reference's defaults.
    public init() {}
  }
}

extension WGCSL.Configuration {
  /// The reference's settings for the task.
  public static func preset(for task: GoalTask) -> Self {
    var configuration = cycled(for: task)
    configuration.bestAdvantageStep = WGCSLPreset(task: task).bestAdvantageStep
    return configuration
  }
}
