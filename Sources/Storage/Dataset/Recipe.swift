public import GoalCore
public import Support

/// The recipe of a collected dataset: with the same world, each episode is a function of this
/// and of its number.
public struct Recipe: Codable, CheckedValue, Hashable {
  /// The world's id.
  public var environment: String
  /// `random`, `scripted`, or the checkpoint's name.
  public var policy: String
  /// The SHA-256 of a checkpoint's weights, or nil for a policy in code.
  public var policyDigest: String?
  /// The seed, below 2²⁸.
  public var seed: UInt64
  /// Episodes in all, numbered from 0.
  public var episodes: Int
  /// Standard deviation of the noise added to the policy's actions.
  public var noise: Double
  /// Probability that an action is drawn from the space instead.
  public var randomActions: Double
  /// Episodes in a shard, at most.
  public var shardEpisodes: Int
  /// Whether shards are compressed.
  public var compress: Bool
  /// Whether the simulator's states are kept.
  public var states: Bool
  /// Whether images of the states are kept; nil for no.
  public var images: Bool?
  /// The episodes that are made, each in its usual shard, or nil for all.
  public var onlyEpisodes: EpisodeSet?
  /// The purpose of the episodes, which is part of their seeds; nil for a collected dataset.
  public var purpose: SeedPurpose?
  /// The world's law for starts and goals of data; nil if episodes start as the world starts them.
  public var goals: String?
  /// Steps of an episode by that law; nil for the task's horizon.
  public var steps: Int?

  /// The seed of an episode's world.
  public func worldSeed(ofEpisode number: Int64) -> UInt64 {
    Seeds.world(purpose ?? .collect, seed: seed, episode: number)
  }

  /// Makes a recipe, which `check` holds to its rules; only the world, the policy, the seed and the
  /// number of episodes have no default.
  public init(
    environment: String, policy: String, policyDigest: String? = nil, seed: UInt64, episodes: Int,
    noise: Double = 0, randomActions: Double = 0, shardEpisodes: Int = 500, compress: Bool = false,
    states: Bool = false, images: Bool = false, onlyEpisodes: EpisodeSet? = nil,
    purpose: SeedPurpose? = nil, goals: String? = nil, steps: Int? = nil
  ) {
    self.environment = environment
    self.policy = policy
    self.policyDigest = policyDigest
    self.seed = seed
    self.episodes = episodes
    self.noise = noise
    self.randomActions = randomActions
    self.shardEpisodes = shardEpisodes
    self.compress = compress
    self.states = states
    self.images = images ? true : nil
    self.onlyEpisodes = onlyEpisodes
    self.purpose = purpose
    self.goals = goals
    self.steps = steps
  }

  /// Throws `InvalidValue` for the first setting that is out of its range.
  public func check() throws(InvalidValue) {
    if let policyDigest { try InvalidValue.requireDigest(policyDigest, "policyDigest") }
    try InvalidValue.require(seed, in: 0...Seeds.limit - 1, "seed")
    try InvalidValue.require(episodes, in: 1...SizeLimit.episodes, "episodes")
    try InvalidValue.requireWeight(noise, "noise")
    try InvalidValue.require(
      0...1 ~= randomActions, "randomActions", "must be from 0 to 1", found: "\(randomActions)")
    try InvalidValue.require(shardEpisodes, in: 1...SizeLimit.episodes, "shardEpisodes")
    if let steps { try InvalidValue.require(steps, in: 1...SizeLimit.horizon, "steps") }
    if let last = onlyEpisodes?.last {
      try InvalidValue.require(last, in: 0...Int64(episodes) - 1, "onlyEpisodes")
    }
  }
}

extension Recipe {
  /// Throws `InvalidValue` for episodes that the recipe does not make.
  func checkHas(_ numbers: EpisodeSet, _ key: String) throws(InvalidValue) {
    try InvalidValue.require(
      numbers.last.map { $0 < Int64(episodes) } ?? false, key,
      "must be of the \(episodes) of the recipe", found: "\(numbers)")
  }

  /// The parameters that decide an episode, without those that decide which episodes exist and how
  /// they are stored: recipes that agree in it give equal episodes for equal numbers.
  public var decidingEpisodes: Recipe {
    var copy = self
    copy.episodes = 1
    copy.shardEpisodes = 1
    copy.compress = false
    copy.states = false
    copy.images = nil
    copy.onlyEpisodes = nil
    return copy
  }
}
