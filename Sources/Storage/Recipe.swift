public import GoalCore

/// What a collected dataset is made from: with the same world, each episode is a function of this and
/// of its number.
public struct Recipe: Codable, Sendable, Hashable {
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
  /// What the episodes are for, which is part of their seeds; nil for a collected dataset.
  public var purpose: SeedPurpose?

  /// The seed of an episode's world.
  public func worldSeed(ofEpisode number: Int64) -> UInt64 {
    Seeds.world(purpose ?? .collect, seed: seed, episode: number)
  }

  /// Makes a recipe; only the world, the policy, the seed and the number of episodes have no default.
  public init(
    environment: String, policy: String, policyDigest: String? = nil, seed: UInt64, episodes: Int,
    noise: Double = 0, randomActions: Double = 0, shardEpisodes: Int = 500, compress: Bool = false,
    states: Bool = false, images: Bool = false, onlyEpisodes: EpisodeSet? = nil,
    purpose: SeedPurpose? = nil
  ) {
    precondition(seed < Seeds.limit, "a seed must be below 2^28, found \(seed)")
    precondition(episodes > 0, "a dataset has at least one episode, asked for \(episodes)")
    precondition(shardEpisodes > 0, "a shard has at least one episode, asked for \(shardEpisodes)")
    if let last = onlyEpisodes?.last {
      precondition(last < episodes, "episode \(last) is not one of \(episodes)")
    }
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
  }
}

extension Recipe {
  /// What decides an episode, without what decides which episodes there are and how they are stored:
  /// recipes that agree in it give equal episodes for equal numbers.
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
