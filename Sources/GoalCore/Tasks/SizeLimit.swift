/// The largest sizes of what is read from files and options: all that is computed from them fits
/// 64 bits.
public enum SizeLimit {
  /// Numbers in an observation, a goal or a simulator state.
  public static let numbers = 1 << 20
  /// Numbers in an action, or actions to choose from.
  public static let actions = 1 << 16
  /// Steps of an episode.
  public static let horizon = 1 << 24
  /// Episodes of a dataset, whose numbers are below 2³² too.
  public static let episodes = 1 << 32
  /// Steps of a dataset.
  public static let steps = 1 << 40
  /// Shards of a dataset.
  public static let shards = 1 << 20
  /// Episodes of a shard.
  public static let shardEpisodes = 1 << 24
  /// Bytes of a file.
  public static let bytes = 1 << 50
}
