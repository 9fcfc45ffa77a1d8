import GoalCore

/// A shard that is to be made: its number and its episodes.
public struct PlannedShard: Sendable, Equatable {
  /// Its number.
  public let index: Int
  /// Its episodes.
  public let episodes: EpisodeSet
}

/// Which episodes go to which shard; a function of the identity alone.
public enum DatasetPlan {
  /// Bytes that a shard's columns may take if every episode has all its steps.
  public static let byteLimit = 64_000_000

  /// Episodes in a whole shard: the recipe's, or as many as the limit allows.
  public static func episodesPerShard(_ identity: DatasetIdentity) -> Int {
    let spec = identity.task.spec
    let bytes = ShardColumn.byteCount(
      for: spec, steps: spec.horizon, stateLength: identity.stateLength)
    return max(1, min(identity.recipe.shardEpisodes, byteLimit / bytes))
  }

  /// All shards: episode `e` is in shard `e / episodesPerShard`; shards without episodes are left out.
  public static func shards(_ identity: DatasetIdentity) -> [PlannedShard] {
    let size = episodesPerShard(identity)
    let total = identity.recipe.episodes
    let wanted = identity.recipe.onlyEpisodes ?? EpisodeSet(0..<Int64(total))
    return (0..<((total + size - 1) / size)).compactMap { index in
      let episodes = wanted.intersection(
        Int64(index * size)..<Int64(min((index + 1) * size, total)))
      return episodes.count > 0 ? PlannedShard(index: index, episodes: episodes) : nil
    }
  }
}
