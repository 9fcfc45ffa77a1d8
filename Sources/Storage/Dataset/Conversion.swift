import GoalCore
public import Support

/// What a conversion could not carry over as it was.
public struct ConversionNotes: Codable, Sendable, Hashable {
  /// What the source has and the result has not.
  public var lost: [String] = []
  /// What the result has and was worked out of the source.
  public var computed: [String] = []
  /// What the source does not say and was taken to be so.
  public var assumed: [String] = []
  /// What the source has and is kept, though a rule is against it.
  public var found: [String] = []

  /// No notes.
  public init() {}

  private enum CodingKeys: String, CodingKey { case lost, computed, assumed, found }

  /// Reads notes; those of manifests from before there was `found` have none.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    lost = try container.decode([String].self, forKey: .lost)
    computed = try container.decode([String].self, forKey: .computed)
    assumed = try container.decode([String].self, forKey: .assumed)
    found = try container.decodeIfPresent([String].self, forKey: .found) ?? []
  }

  /// Writes notes; `found` only if there is something.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(lost, forKey: .lost)
    try container.encode(computed, forKey: .computed)
    try container.encode(assumed, forKey: .assumed)
    if !found.isEmpty { try container.encode(found, forKey: .found) }
  }

  /// Adds other notes, each once.
  public mutating func merge(_ other: ConversionNotes) {
    func add(_ notes: [String], to all: inout [String]) {
      for note in notes where !all.contains(note) { all.append(note) }
    }
    add(other.lost, to: &lost)
    add(other.computed, to: &computed)
    add(other.assumed, to: &assumed)
    add(other.found, to: &found)
  }

  /// The notes as lines, in the order lost, computed, assumed, found.
  public var lines: [String] {
    lost.map { "lost: " + $0 } + computed.map { "computed: " + $0 }
      + assumed.map { "assumed: " + $0 } + found.map { "found: " + $0 }
  }
}

/// A file that a dataset was converted from.
public struct ConvertedFile: Codable, CheckedValue, Hashable {
  /// Its name, without the folder.
  public let name: String
  /// Its bytes.
  public let bytes: Int
  /// Its SHA-256.
  public let sha256: String

  /// Makes a description.
  public init(name: String, bytes: Int, sha256: String) {
    self.name = name
    self.bytes = bytes
    self.sha256 = sha256
  }

  /// Reads a description, and throws `InvalidValue` for one that no file has.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    name = try values.decode(String.self, forKey: .name)
    bytes = try values.decode(Int.self, forKey: .bytes)
    sha256 = try values.decode(String.self, forKey: .sha256)
    try check(in: decoder)
  }

  /// Throws `InvalidValue` for the first part that breaks a rule.
  public func check() throws(InvalidValue) {
    try InvalidValue.require(bytes, in: 0...SizeLimit.bytes, "bytes")
    try InvalidValue.requireDigest(sha256, "sha256")
  }
}

/// What a dataset is made from that was converted.
public struct Conversion: Codable, Sendable, Hashable {
  /// The format's name.
  public let format: String
  /// The files, in the order in which the format names them.
  public let files: [ConvertedFile]
  /// What was asked for besides, by the options' names.
  public let options: [String: String]
  /// Whether shards are compressed.
  public let compress: Bool
  /// What could not be carried over as it was.
  public let notes: ConversionNotes

  /// Makes a description.
  public init(
    format: String, files: [ConvertedFile], options: [String: String], compress: Bool,
    notes: ConversionNotes
  ) {
    self.format = format
    self.files = files
    self.options = options
    self.compress = compress
    self.notes = notes
  }

  /// What decides an episode besides its number: the files, by their digests, and how they were read.
  var decidingEpisodes: Conversion {
    Conversion(
      format: format,
      files: files.map { ConvertedFile(name: "", bytes: $0.bytes, sha256: $0.sha256) },
      options: options, compress: false, notes: ConversionNotes())
  }
}
