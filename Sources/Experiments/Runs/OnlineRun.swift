import GoalCore
import Learners
import Support

/// How a run collects while it trains; the learner's own settings say with which exploration and
/// how many updates come after an episode.
public struct OnlineRun: Codable, Sendable, Equatable {
  /// The world's id; empty for that of the datasets or of the checkpoint that the run begins with.
  public var environment = ""
  /// Environment steps in all; 0 for a run that does not collect.
  ///
  /// They are rounded up to whole episodes of the world's horizon. An episode that ends early
  /// counts as a whole one.
  public var steps = 0
  /// Episodes that the policy that collects lags behind.
  ///
  /// With 0 an episode is collected with all updates before it made, as the papers do. With 1 it is
  /// collected with the policy before the last episode's updates, while these are made: on two
  /// cores both at once. The order of everything is fixed either way.
  public var lag = 0
  /// Shares of a batch's rows that come from datasets, at the first episode and at the last.
  ///
  /// Between them the share falls or rises in a straight line. Without datasets it has no meaning.
  public var offlineFraction = [0.5, 0]
  /// Updates on the datasets alone, before anything is collected: GCSL's demonstrations first.
  public var demonstrationUpdates = 0
  /// Environment steps between two evaluations, of which the first is before anything is collected;
  /// 0 to go by updates.
  public var evaluateEverySteps = 0
  /// Episodes in a shard of the dataset that the run leaves.
  public var shardEpisodes = 500

  /// A run that does not collect.
  public init() {}

  /// Reads a share or two of them, as in `0.5`, `0.5-0`, `0.5:0` or `0.5→0`; nil for other texts.
  public static func shares(_ text: String) -> [Double]? {
    let parts = text.split(omittingEmptySubsequences: false) { "-:→".contains($0) }
    let shares = parts.compactMap { Double($0) }
    guard shares.count == parts.count, (1...2).contains(shares.count),
      shares.allSatisfy({ 0...1 ~= $0 })
    else { return nil }
    return shares.count == 1 ? [shares[0], shares[0]] : shares
  }

  /// Throws `SettingsError` for the first value out of its range.
  func validate() throws {
    for (key, value) in [
      ("steps", steps), ("demonstrationUpdates", demonstrationUpdates),
      ("evaluateEverySteps", evaluateEverySteps),
    ] {
      try Settings.require(value, in: OptionRange.updatesOrNone, "online.\(key)")
    }
    try Settings.require(lag, in: 0...1, "online.lag")
    try Settings.require(
      offlineFraction.count == 2 && offlineFraction.allSatisfy { 0...1 ~= $0 },
      "online.offlineFraction", "two shares from 0 to 1",
      found: .list(offlineFraction.prefix(8).map { .number($0) }))
    try Settings.require(shardEpisodes, in: OptionRange.shardEpisodes, "online.shardEpisodes")
  }
}

/// Which episodes and updates an online run comes to; all of it is known before it begins.
struct OnlineSchedule: Sendable {
  /// Episodes in all.
  let episodes: Int
  private let run: OnlineRun
  private let learner: OnlineSettings
  private let horizon: Int

  /// The schedule of a run for a learner in a world of that horizon.
  ///
  /// Throws `SettingsError` if it comes to more episodes than a dataset can have.
  init(_ run: OnlineRun, _ learner: OnlineSettings, horizon: Int) throws {
    let most = OptionRange.episodes.upperBound
    try Settings.require(
      (run.steps + horizon - 1) / horizon <= most, "online.steps",
      "at most \(most) episodes of \(horizon) steps", found: .integer(run.steps))
    self.run = run
    self.learner = learner
    self.horizon = horizon
    episodes = (run.steps + horizon - 1) / horizon
  }

  /// Updates after the round of episode `number`, counted from 0.
  func updates(afterEpisode number: Int) -> Int {
    number + 1 >= learner.updatesFrom ? learner.updatesPerEpisode : 0
  }

  /// Updates in all.
  var updates: Int {
    run.demonstrationUpdates
      + max(0, episodes - max(0, learner.updatesFrom - 1)) * learner.updatesPerEpisode
  }

  /// Environment steps after the round of episode `number`; an episode counts as a whole one.
  func steps(afterEpisode number: Int) -> Int { (number + 1) * horizon }

  /// Whether an evaluation is due after the round of episode `number`; nil if that goes by updates.
  func isEvaluated(afterEpisode number: Int) -> Bool? {
    guard run.evaluateEverySteps > 0 else { return nil }
    let steps = steps(afterEpisode: number)
    return number + 1 == episodes
      || (steps - horizon) / run.evaluateEverySteps < steps / run.evaluateEverySteps
  }

  /// Whether episode `number` is held out of training: by lot, drawn from the run's seed, but not
  /// the first.
  func isHeldOut(episode number: Int, seed: UInt64) -> Bool {
    guard number > 0, learner.validationFraction > 0 else { return false }
    var generator = Philox(seed: seed, purpose: Self.holdOutPurpose, index: UInt64(number))
    return generator.unit() < learner.validationFraction
  }

  /// The purpose, in a run's Philox streams, of holding episodes out: "hold out" in ASCII.
  private static let holdOutPurpose: UInt64 = 0x686f_6c64_206f_7574

  /// The exploration of episode `number`, counted from 0.
  func exploration(ofEpisode number: Int) -> Exploration {
    number < learner.randomEpisodes
      ? Exploration(noise: 0, randomActions: 1)
      : Exploration(noise: learner.noise, randomActions: learner.randomActions)
  }

  /// The share of offline rows in the updates after episode `number`.
  func offlineShare(afterEpisode number: Int) -> Double {
    let (first, last) = (run.offlineFraction[0], run.offlineFraction[1])
    return first + (last - first) * Double(number) / Double(max(1, episodes - 1))
  }
}
