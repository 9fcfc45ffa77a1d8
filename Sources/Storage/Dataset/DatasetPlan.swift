public import GoalCore

/// A shard that is to be made: its number and its episodes.
public struct PlannedShard: Sendable, Equatable {
  /// Its number.
  public let index: Int
  /// Its episodes.
  public let episodes: EpisodeSet
  /// Whether its columns are to be compressed.
  public let isCompressed: Bool
  /// The source of its episodes, a place in `Mixture.sources`; nil if the dataset is no mixture.
  public let source: Int?

  /// Makes a plan of a shard.
  public init(index: Int, episodes: EpisodeSet, isCompressed: Bool = false, source: Int? = nil) {
    self.index = index
    self.episodes = episodes
    self.isCompressed = isCompressed
    self.source = source
  }
}

/// Which episodes of a recipe go to which shard; a function of the identity alone.
public enum DatasetPlan {
  /// Bytes that a shard's columns may take if every episode has all its steps.
  public static let byteLimit = 64_000_000

  /// Episodes in a whole shard: the recipe's, or as many as the limit allows; by a law of the
  /// world's goals count as if they moved.
  public static func episodesPerShard(
    _ recipe: Recipe, spec: GoalSpec, stateLength: Int, imageShape: [Int] = [],
    isCategorical: Bool = false
  ) -> Int {
    let bytes = ShardColumn.byteCount(
      for: spec, steps: recipe.steps ?? spec.horizon, stateLength: stateLength,
      imageShape: imageShape, isCategorical: isCategorical, goalsMove: recipe.goals != nil)
    return max(1, min(recipe.shardEpisodes, byteLimit / bytes))
  }

  /// Shards that the recipe's episodes fill, those without episodes included; 0 for a mixture.
  static func shardCount(_ identity: DatasetIdentity) -> Int {
    guard let recipe = identity.recipe else { return 0 }
    let size = episodesPerShard(
      recipe, spec: identity.task.spec, stateLength: identity.stateLength,
      imageShape: identity.imageShape, isCategorical: identity.isCategorical)
    return (recipe.episodes + size - 1) / size
  }

  /// All shards: episode `e` is in shard `e / episodesPerShard`; shards without episodes are left
  /// out.
  ///
  /// A mixture has no such plan: it follows from the shards of its inputs.
  public static func shards(_ identity: DatasetIdentity) -> [PlannedShard] {
    guard let recipe = identity.recipe else { return [] }
    let size = episodesPerShard(
      recipe, spec: identity.task.spec, stateLength: identity.stateLength,
      imageShape: identity.imageShape,
      isCategorical: identity.isCategorical)
    let total = recipe.episodes
    let wanted = recipe.onlyEpisodes ?? EpisodeSet(0..<Int64(total))
    return (0..<shardCount(identity)).compactMap { index in
      let episodes = wanted.intersection(
        Int64(index * size)..<Int64(min((index + 1) * size, total)))
      return episodes.count > 0
        ? PlannedShard(index: index, episodes: episodes, isCompressed: recipe.compress) : nil
    }
  }
}
