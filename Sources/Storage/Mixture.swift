/// A dataset that was given to a mixture.
public struct MixtureInput: Codable, Sendable, Equatable {
  /// Its id.
  public let id: String
  /// Its manifest's own SHA-256.
  public let sha256: String
  /// Its share of the episodes, relative to the other inputs', or nil where none was given.
  public let weight: Double?
  /// How many episodes were taken of it.
  public let episodes: Int

  /// Makes an input from its parts.
  public init(id: String, sha256: String, weight: Double?, episodes: Int) {
    self.id = id
    self.sha256 = sha256
    self.weight = weight
    self.episodes = episodes
  }
}

/// A collected or converted dataset that episodes of a mixture come from, straight or by way of other
/// mixtures.
public struct MixtureSource: Codable, Sendable, Equatable {
  /// Its id.
  public let id: String
  /// Its manifest's own SHA-256.
  public let sha256: String
  /// What it was made from: with an episode's number, all that decides the episode.
  ///
  /// In JSON the entry `recipe` or the entry `conversion`.
  public let origin: EpisodeOrigin
  /// Which of its episodes are in the mixture.
  public let episodes: EpisodeSet

  /// Makes a source from its parts.
  public init(id: String, sha256: String, origin: EpisodeOrigin, episodes: EpisodeSet) {
    self.id = id
    self.sha256 = sha256
    self.origin = origin
    self.episodes = episodes
  }

  private enum CodingKeys: String, CodingKey { case id, sha256, episodes }

  /// Reads a source.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    id = try container.decode(String.self, forKey: .id)
    sha256 = try container.decode(String.self, forKey: .sha256)
    origin = try EpisodeOrigin(from: decoder)
    episodes = try container.decode(EpisodeSet.self, forKey: .episodes)
  }

  /// Writes a source.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(id, forKey: .id)
    try container.encode(sha256, forKey: .sha256)
    try origin.encode(to: encoder)
    try container.encode(episodes, forKey: .episodes)
  }
}

/// What a dataset is made from that holds episodes of others.
///
/// Each shard holds episodes of one source: `ShardEntry.source` is its place in `sources`, and the
/// shard's `/episode_indices` and `/seeds` are those of the source.
public struct Mixture: Codable, Sendable, Equatable {
  /// Which side of a split a dataset is.
  public enum Part: String, Codable, Sendable {
    /// The first share.
    case train
    /// The rest.
    case validation
  }

  /// What was given.
  public let inputs: [MixtureInput]
  /// Where the episodes were collected.
  public let sources: [MixtureSource]
  /// What the draw was made from, below 2²⁸, or nil where nothing was drawn.
  public let seed: UInt64?
  /// The share of episodes that the train part of a split has, or nil where nothing was split.
  public let split: Double?
  /// Which part of the split this is.
  public let part: Part?
  /// Whether an episode may be there several times.
  public let repeats: Bool
  /// Whether all shards are compressed, or none is; nil where each is as it was.
  public let compress: Bool?

  /// Makes a mixture from its parts.
  public init(
    inputs: [MixtureInput], sources: [MixtureSource], seed: UInt64?, split: Double? = nil,
    part: Part? = nil, repeats: Bool = false, compress: Bool? = nil
  ) {
    self.inputs = inputs
    self.sources = sources
    self.seed = seed
    self.split = split
    self.part = part
    self.repeats = repeats
    self.compress = compress
  }
}
