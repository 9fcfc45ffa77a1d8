import GoalCore
public import Support

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

/// The source of a converted dataset.
public struct Conversion: Codable, Sendable, Hashable {
  /// The format's name.
  public let format: String
  /// The files, in the order in which the format names them.
  public let files: [ConvertedFile]
  /// The other options, by name.
  public let options: [String: String]
  /// Whether shards are compressed.
  public let compress: Bool
  /// What was lost, computed and assumed.
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

  /// The parameters that decide an episode, with its number: the files, by their digests, and how
  /// they were read.
  var decidingEpisodes: Conversion {
    Conversion(
      format: format,
      files: files.map { ConvertedFile(name: "", bytes: $0.bytes, sha256: $0.sha256) },
      options: options, compress: false, notes: ConversionNotes())
  }
}
