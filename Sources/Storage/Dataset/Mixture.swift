import GoalCore
public import Support

/// A dataset that was given to a mixture.
public struct MixtureInput: Codable, CheckedValue, Equatable {
  /// Its id.
  public let id: String
  /// Its manifest's own SHA-256.
  public let sha256: String
  /// Its share of the episodes, relative to the other inputs', or nil if none was given.
  public let weight: Double?
  /// How many episodes were taken of it.
  public let episodes: Int
  /// How many of its episodes satisfy the mixture's filter; nil without one.
  public let satisfying: Int?

  /// Makes an input from its parts.
  public init(
    id: String, sha256: String, weight: Double?, episodes: Int, satisfying: Int? = nil
  ) {
    self.id = id
    self.sha256 = sha256
    self.weight = weight
    self.episodes = episodes
    self.satisfying = satisfying
  }

  /// Reads an input, and throws `InvalidValue` for one that no mixture has.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    id = try values.decode(String.self, forKey: .id)
    sha256 = try values.decode(String.self, forKey: .sha256)
    weight = try values.decodeIfPresent(Double.self, forKey: .weight)
    episodes = try values.decode(Int.self, forKey: .episodes)
    satisfying = try values.decodeIfPresent(Int.self, forKey: .satisfying)
    try check(in: decoder)
  }

  /// Throws `InvalidValue` for the first part that is out of its range.
  public func check() throws(InvalidValue) {
    try InvalidValue.requireDigest(sha256, "sha256")
    if let weight { try InvalidValue.requireWeight(weight, "weight") }
    try InvalidValue.require(episodes, in: 0...SizeLimit.episodes, "episodes")
    if let satisfying {
      try InvalidValue.require(satisfying, in: 0...SizeLimit.episodes, "satisfying")
    }
  }
}

/// A collected or converted dataset that episodes of a mixture come from, straight or by way of
/// other mixtures.
public struct MixtureSource: Codable, CheckedValue, Equatable {
  /// Its id.
  public let id: String
  /// Its manifest's own SHA-256.
  public let sha256: String
  /// Its inputs: with an episode's number, all that decides the episode.
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
    try check(in: decoder)
  }

  /// Throws `InvalidValue` for the first part that breaks a rule.
  public func check() throws(InvalidValue) {
    try InvalidValue.requireDigest(sha256, "sha256")
    guard let recipe = origin.recipe else { return }
    try InvalidValue.require(recipe, "recipe")
    try recipe.checkHas(episodes, "episodes")
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

/// The inputs of a dataset of other datasets' episodes.
///
/// Each shard holds episodes of one source: `ShardEntry.source` is its place in `sources`, and the
/// shard's `/episode_indices` and `/seeds` are those of the source.
public struct Mixture: Codable, CheckedValue, Equatable {
  /// Which side of a split a dataset is.
  public enum Part: String, Codable, Sendable {
    /// The first share.
    case train
    /// The rest.
    case validation
  }

  /// The input.
  public let inputs: [MixtureInput]
  /// Where the episodes were collected.
  public let sources: [MixtureSource]
  /// The draw's seed, below 2²⁸; nil if nothing was drawn.
  public let seed: UInt64?
  /// The share of episodes that the train part of a split has, or nil if nothing was split.
  public let split: Double?
  /// Which part of the split this is.
  public let part: Part?
  /// Whether an episode may be there several times.
  public let repeats: Bool
  /// Whether all shards are compressed, or none is; nil if each is as it was.
  public let compress: Bool?
  /// The condition that all episodes satisfy; nil if none was given.
  public let filter: EpisodeFilter?

  /// Makes a mixture from its parts.
  public init(
    inputs: [MixtureInput], sources: [MixtureSource], seed: UInt64?, split: Double? = nil,
    part: Part? = nil, repeats: Bool = false, compress: Bool? = nil, filter: EpisodeFilter? = nil
  ) {
    self.inputs = inputs
    self.sources = sources
    self.seed = seed
    self.split = split
    self.part = part
    self.repeats = repeats
    self.compress = compress
    self.filter = filter
  }

  /// Reads a mixture, and throws `InvalidValue` for one that could not be drawn.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    inputs = try values.decode([MixtureInput].self, forKey: .inputs)
    sources = try values.decode([MixtureSource].self, forKey: .sources)
    seed = try values.decodeIfPresent(UInt64.self, forKey: .seed)
    split = try values.decodeIfPresent(Double.self, forKey: .split)
    part = try values.decodeIfPresent(Part.self, forKey: .part)
    repeats = try values.decode(Bool.self, forKey: .repeats)
    compress = try values.decodeIfPresent(Bool.self, forKey: .compress)
    filter = try values.decodeIfPresent(EpisodeFilter.self, forKey: .filter)
    try check(in: decoder)
  }

  /// Throws `InvalidValue` for the first part that breaks a rule.
  public func check() throws(InvalidValue) {
    try InvalidValue.require(inputs.count, in: 1...SizeLimit.shards, "number of inputs")
    try InvalidValue.require(sources.count, in: 1...SizeLimit.shards, "number of sources")
    if let seed { try InvalidValue.require(seed, in: 0...Seeds.limit - 1, "seed") }
    if let split {
      try InvalidValue.require(
        split > 0 && split < 1, "split", "must be between 0 and 1", found: "\(split)")
    }
    for (place, input) in inputs.enumerated() {
      try InvalidValue.require(
        (input.satisfying != nil) == (filter != nil), "inputs.\(place).satisfying",
        "must be \(filter == nil ? "absent" : "there"), as the mixture says of a filter",
        found: input.satisfying.map(String.init) ?? "nothing")
    }
  }
}
