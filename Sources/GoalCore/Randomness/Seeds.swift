/// The purpose of an episode.
///
/// It is part of its seed, so evaluation never meets a training start.
public enum SeedPurpose: UInt64, Codable, Sendable {
  /// Episodes of a dataset.
  case collect = 0
  /// Episodes of an evaluation.
  case evaluate = 1
  /// Episodes of an online run.
  case online = 2
}

/// The seeds that everything else is drawn from.
public enum Seeds {
  /// The first seed that a run may not have: S < 2²⁸.
  public static let limit: UInt64 = 1 << 28

  /// The purpose, in an episode's Philox streams, of what a policy draws by itself.
  public static let policyPurpose: UInt64 = 1

  /// The seed of a world's episode: purpose · 2⁶⁰ + S · 2³² + e.
  ///
  /// Injective for S < 2²⁸ and e < 2³², so that no two episodes share one.
  public static func world(_ purpose: SeedPurpose, seed: UInt64, episode: Int64) -> UInt64 {
    precondition(seed < limit, "a seed must be below 2^28, found \(seed)")
    precondition(episode >= 0 && episode < 1 << 32, "an episode's number is below 2^32")
    return purpose.rawValue << 60 | seed << 32 | UInt64(episode)
  }
}
