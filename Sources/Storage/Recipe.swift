public import GoalCore

/// What a collected dataset is made from: with the same world, each episode is a function of this and
/// of its number.
public struct Recipe: Codable, Sendable, Equatable {
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
  /// The episodes that are made, each in its usual shard, or nil for all.
  public var onlyEpisodes: EpisodeSet?

  /// Makes a recipe; only the world, the policy, the seed and the number of episodes have no default.
  public init(
    environment: String, policy: String, policyDigest: String? = nil, seed: UInt64, episodes: Int,
    noise: Double = 0, randomActions: Double = 0, shardEpisodes: Int = 500, compress: Bool = false,
    states: Bool = false, onlyEpisodes: EpisodeSet? = nil
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
    self.onlyEpisodes = onlyEpisodes
  }
}

/// All that decides a dataset's bytes; two collectors may only share a folder if theirs are equal.
public struct DatasetIdentity: Codable, Sendable, Equatable {
  /// The layout's version.
  public let schema: Int
  /// The dataset's id, such as `fetch-push-random-v0`.
  public let id: String
  /// The world's goal side.
  public let task: GoalTask
  /// What was asked for.
  public let recipe: Recipe
  /// Numbers in a simulator state, 0 where none are kept.
  public let stateLength: Int
  /// The SHA-256 of the world's model, or nil where it has none.
  public let modelDigest: String?
  /// Versions of the libraries that decide the numbers, by name.
  public let libraries: [String: String]

  /// Makes an identity of the present schema.
  public init(
    id: String, task: GoalTask, recipe: Recipe, stateLength: Int = 0, modelDigest: String? = nil,
    libraries: [String: String] = [:]
  ) {
    precondition(
      recipe.states == (stateLength > 0),
      "states are \(recipe.states ? "" : "not ")asked for, and have \(stateLength) numbers")
    schema = Manifest.schema
    self.id = id
    self.task = task
    self.recipe = recipe
    self.stateLength = stateLength
    self.modelDigest = modelDigest
    self.libraries = libraries
  }

  /// The first setting in which another differs, as its path and both values; nil if they are equal.
  func firstDifference(
    from other: DatasetIdentity
  ) throws(StorageError) -> (setting: String, mine: String, other: String)? {
    if self == other { return nil }
    return JSONValue(self).firstDifference(from: JSONValue(other), path: "")
  }
}
