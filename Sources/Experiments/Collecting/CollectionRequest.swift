import Storage

extension TrajectoryCollection {
  /// The request to collect, from a command line or a recipe's file.
  public struct Request: Codable, Sendable {
    /// The world's id.
    public var environment: String
    /// `random`, `scripted` or a checkpoint's path.
    public var policy: String
    /// Episodes in all.
    public var episodes: Int
    /// The recipe's seed.
    public var seed: UInt64
    /// Standard deviation of the noise on actions, in halves of their range.
    public var noise = 0.0
    /// Probability of a uniformly random action at each step.
    public var randomActions = 0.0
    /// Episodes in a shard, at most.
    public var shardEpisodes = 500
    /// Whether shards are compressed.
    public var compress = false
    /// Whether the simulator's states are stored.
    public var states = false
    /// Whether images of the states are stored.
    public var images = false
    /// The world's law for starts and goals; empty if episodes start as the world starts them.
    public var goals = ""

    /// Makes a request with defaults for all that a recipe's file may leave out.
    public init(environment: String, policy: String, episodes: Int, seed: UInt64) {
      (self.environment, self.policy) = (environment, policy)
      (self.episodes, self.seed) = (episodes, seed)
    }

    var recipe: Recipe {
      Recipe(
        environment: environment, policy: policy, seed: seed, episodes: episodes, noise: noise,
        randomActions: randomActions, shardEpisodes: shardEpisodes, compress: compress,
        states: states, images: images, goals: goals.isEmpty ? nil : goals)
    }
  }
}
