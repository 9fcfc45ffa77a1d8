public import GoalCore
import Support

extension TD3BC.Configuration {
  /// WGCSL's batch size and cycle for the task, and otherwise the defaults.
  public static func preset(for task: GoalTask) -> Self {
    let schedule = PaperSchedule(task: task)
    var configuration = Self()
    configuration.batchSize = schedule.batchSize
    configuration.online.updatesPerEpisode = schedule.batchesPerCycle
    return configuration
  }

  /// Throws `SettingsError` for the first value out of its range.
  public func validate() throws {
    try validateActorCritic()
    try Settings.requireShare(originalValueGoals, "originalValueGoals")
    try Settings.require(policyDelay, in: SettingRange.count, "policyDelay")
    for (value, key) in [
      (valueWeight, "valueWeight"), (targetNoise, "targetNoise"),
      (targetNoiseClip, "targetNoiseClip"),
    ] {
      try Settings.require(
        value >= 0 && value.isFinite, key, "at least 0", found: .number(value))
    }
  }

  /// Every setting's key, meaning and source.
  public static var documentation: [(key: String, meaning: String, source: String)] {
    [
      ("batchSize", "rows in a batch; WGCSL's for its tasks", "main.py"),
      ("hiddenWidths", "units of each hidden layer of policy and critics", "TD3_BC.py"),
      ("policyLearningRate", "Adam's step size for the policy", "TD3_BC.py"),
      ("criticLearningRate", "Adam's step size for the critics", "TD3_BC.py"),
      ("discount", "a number from 0 up to below 1, or horizon: 1 - 1/horizon", "WGCSL, gamma"),
      ("polyak", "share of a target that stays when it moves", "main.py, 1 - tau"),
      ("rewards", "0/1: the world's reward plus 1; -1/0: the world's own", "WGCSL"),
      ("clipsReturn", "whether targets are clipped to ±1/(1 - discount)", "WGCSL, clip_return"),
      (
        "originalValueGoals", "share of rows that the critics see with their original goal",
        "WGCSL, keep_origin_rate"
      ),
      ("valueWeight", "weight of the value beside imitation", "main.py, alpha"),
      (
        "policyDelay", "updates of the critics for each of policy and targets",
        "main.py, policy_freq"
      ),
      (
        "targetNoise", "deviation of the noise on target actions, in halves of their range",
        "main.py, policy_noise"
      ),
      ("targetNoiseClip", "where that noise is clipped", "main.py, noise_clip"),
    ] + NormalizerSettings.documentation + OnlineSettings.documentation(source: "WGCSL, config.py")
  }
}
