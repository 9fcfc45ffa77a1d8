/// How a learner collects when it learns online, and how often it updates.
///
/// The first `randomEpisodes` episodes are uniformly random; later actions are the policy's with
/// noise, and a share of them uniformly random. After each episode from number `updatesFrom` on
/// (counted from 1) come `updatesPerEpisode` updates on the episodes held.
public struct OnlineSettings: SettingGroup {
  /// Standard deviation of the noise on the policy's actions, in halves of the action's range.
  @Setting("standard deviation of action noise, as a fraction of half the action range", .weight)
  public var noise = 0.2
  /// Probability of a uniformly random action, at each step.
  @Setting("share of uniformly random actions", .share) public var randomActions = 0.3
  /// Episodes at the start that are uniformly random.
  @Setting("uniformly random episodes at the start", .countOrNone) public var randomEpisodes = 20
  /// Episodes after which updates begin.
  @Setting("episodes after which updates begin", .count) public var updatesFrom = 20
  /// Updates after each episode.
  @Setting("updates after each episode", .updates) public var updatesPerEpisode = 4
  /// Steps of the latest episodes that are held and drawn from.
  @Setting("steps of the latest episodes that are drawn from", .bufferSteps)
  public var bufferSteps = 1_000_000
  /// Probability that an episode is held out of training; validation losses are measured on those.
  @Setting("share of episodes held out of training", .share) public var validationFraction = 0.0

  /// WGCSL's: noise 0.2, 30 % random actions, 20 random episodes before all updates, a cycle of 4
  /// updates an episode, the last million transitions.
  ///
  /// Source: github.com/YangRui2015/AWGCSL at d8f1c56, `wgcsl/algo/config.py`: `noise_eps`,
  /// `random_eps`, `random_init`, `n_batches`, `buffer_size`.
  public init() {}

  /// GCSL's: 10,000 random steps, updates after more than 1,000 steps, as many updates as steps, no
  /// noise, the last 20,000 trajectories (of 50 steps) and of the fifth that is held out as many.
  ///
  /// Source: github.com/dibyaghosh/gcsl at cfae560, `gcsl/algo/variants.py`: `explore_timesteps`,
  /// `start_policy_timesteps`, `policy_updates_per_step`, `expl_noise`, `buffer_size`,
  /// and `gcsl/algo/gcsl.py` for the fifth.
  static func gcsl(horizon: Int = 50) -> OnlineSettings {
    var settings = OnlineSettings()
    (settings.noise, settings.randomActions, settings.validationFraction) = (0, 0, 0.2)
    settings.randomEpisodes = (10_000 + horizon - 1) / horizon
    settings.updatesFrom = 1_000 / horizon + 1
    (settings.updatesPerEpisode, settings.bufferSteps) = (horizon, 20_000 * horizon)
    return settings
  }
}
