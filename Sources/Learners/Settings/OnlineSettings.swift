internal import GoalCore
import Support

/// How a learner collects when it learns online, and how often it updates.
///
/// The first `randomEpisodes` episodes are uniformly random; later actions are the policy's with noise,
/// and a share of them uniformly random. After each episode from number `updatesFrom` on (counted from
/// 1) come `updatesPerEpisode` updates on the episodes held.
public struct OnlineSettings: Codable, Sendable, Equatable {
  /// Standard deviation of the noise on the policy's actions, in halves of the action's range.
  public var noise: Double
  /// Probability of a uniformly random action, at each step.
  public var randomActions: Double
  /// Episodes at the start that are uniformly random.
  public var randomEpisodes: Int
  /// Episodes after which updates begin.
  public var updatesFrom: Int
  /// Updates after each episode.
  public var updatesPerEpisode: Int
  /// Steps of the latest episodes that are held and drawn from.
  public var bufferSteps: Int
  /// Probability that an episode is held out of training; validation losses are measured on those.
  public var validationFraction: Double

  /// WGCSL's: noise 0.2, 30 % random actions, 20 random episodes before all updates, a cycle of updates
  /// an episode, the last million transitions.
  ///
  /// Source: github.com/YangRui2015/AWGCSL at d8f1c56, `wgcsl/algo/config.py`: `noise_eps`,
  /// `random_eps`, `random_init`, `n_batches`, `buffer_size`.
  static func wgcsl(updatesPerEpisode: Int) -> OnlineSettings {
    OnlineSettings(
      noise: 0.2, randomActions: 0.3, randomEpisodes: 20, updatesFrom: 20,
      updatesPerEpisode: updatesPerEpisode, bufferSteps: 1_000_000, validationFraction: 0)
  }

  /// GCSL's: 10,000 random steps, updates after more than 1,000 steps, as many updates as steps, no noise, the
  /// last 20,000 trajectories (of 50 steps) and of the fifth that is held out as many.
  ///
  /// Source: github.com/dibyaghosh/gcsl at cfae560, `gcsl/algo/variants.py`: `explore_timesteps`,
  /// `start_policy_timesteps`, `policy_updates_per_step`, `expl_noise`, `buffer_size`,
  /// and `gcsl/algo/gcsl.py` for the fifth.
  static func gcsl(horizon: Int = 50) -> OnlineSettings {
    OnlineSettings(
      noise: 0, randomActions: 0, randomEpisodes: (10_000 + horizon - 1) / horizon,
      updatesFrom: 1_000 / horizon + 1, updatesPerEpisode: horizon,
      bufferSteps: 20_000 * horizon, validationFraction: 0.2)
  }

  func validate() throws {
    try Settings.require(
      noise >= 0 && noise.isFinite, "online.noise", "at least 0", found: .number(noise))
    try Settings.requireShare(randomActions, "online.randomActions")
    try Settings.require(
      randomEpisodes, in: 0...SettingRange.count.upperBound, "online.randomEpisodes")
    try Settings.require(updatesFrom, in: SettingRange.count, "online.updatesFrom")
    try Settings.require(updatesPerEpisode, in: SettingRange.updates, "online.updatesPerEpisode")
    try Settings.require(bufferSteps, in: SettingRange.bufferSteps, "online.bufferSteps")
    try Settings.requireShare(validationFraction, "online.validationFraction")
  }

  /// Every setting's meaning, and where its default comes from.
  static func documentation(
    source: String
  ) -> [(key: String, meaning: String, source: String)] {
    [
      ("online.noise", "deviation of the noise on actions, in halves of their range", source),
      ("online.randomActions", "share of uniformly random actions", source),
      ("online.randomEpisodes", "uniformly random episodes at the start", source),
      ("online.updatesFrom", "episodes after which updates begin", source),
      ("online.updatesPerEpisode", "updates after each episode", source),
      ("online.bufferSteps", "steps of the latest episodes that are drawn from", source),
      ("online.validationFraction", "share of episodes held out of training", source),
    ]
  }
}
