public import Support

/// Where episodes come from; in JSON the entry `recipe` or the entry `conversion` of what it
/// belongs to.
public enum EpisodeOrigin: Codable, Sendable, Hashable {
  /// They were rolled out.
  case collected(Recipe)
  /// They were read from files of another format.
  case converted(Conversion)

  private enum CodingKeys: String, CodingKey { case recipe, conversion }

  /// Reads the one entry that is there.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    if let conversion = try container.decodeIfPresent(Conversion.self, forKey: .conversion) {
      self = .converted(conversion)
    } else {
      self = .collected(try container.decode(Recipe.self, forKey: .recipe))
    }
  }

  /// Writes the one entry.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .collected(let recipe): try container.encode(recipe, forKey: .recipe)
    case .converted(let conversion): try container.encode(conversion, forKey: .conversion)
    }
  }

  /// The recipe of what was collected; nil for what was converted.
  public var recipe: Recipe? {
    if case .collected(let recipe) = self { recipe } else { nil }
  }

  /// The parameters that decide an episode, with its number: origins that agree in it give equal
  /// episodes for equal numbers.
  public var decidingEpisodes: EpisodeOrigin {
    switch self {
    case .collected(let recipe): .collected(recipe.decidingEpisodes)
    case .converted(let conversion): .converted(conversion.decidingEpisodes)
    }
  }

  /// The SHA-256 of what decides an episode besides its number.
  public func digest() throws(FileError) -> String {
    Digest.sha256(of: StoredJSON.text(of: decidingEpisodes))
  }

  /// Whether shards were compressed.
  var isCompressed: Bool {
    switch self {
    case .collected(let recipe): recipe.compress
    case .converted(let conversion): conversion.compress
    }
  }
}

/// How a dataset came to be; in JSON the entry `recipe`, `conversion` or `mixture` of what it
/// belongs to.
public enum DatasetOrigin: Codable, Sendable, Equatable {
  /// Episodes were rolled out.
  case collected(Recipe)
  /// Episodes were read from files of another format.
  case converted(Conversion)
  /// Episodes were taken from other datasets.
  case mixed(Mixture)

  private enum CodingKeys: String, CodingKey { case mixture }

  /// Reads the one entry that is there.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    if let mixture = try container.decodeIfPresent(Mixture.self, forKey: .mixture) {
      self = .mixed(mixture)
    } else {
      switch try EpisodeOrigin(from: decoder) {
      case .collected(let recipe): self = .collected(recipe)
      case .converted(let conversion): self = .converted(conversion)
      }
    }
  }

  /// Writes the one entry.
  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .collected(let recipe): try EpisodeOrigin.collected(recipe).encode(to: encoder)
    case .converted(let conversion): try EpisodeOrigin.converted(conversion).encode(to: encoder)
    case .mixed(let mixture):
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(mixture, forKey: .mixture)
    }
  }
}
