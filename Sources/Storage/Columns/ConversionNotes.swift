/// The notes of a conversion.
public struct ConversionNotes: Codable, Sendable, Hashable {
  /// Contents of the source that the result lacks.
  public var lost: [String] = []
  /// Contents of the result that were computed from the source.
  public var computed: [String] = []
  /// Assumptions that the source does not confirm.
  public var assumed: [String] = []
  /// Contents of the source that break a rule and are kept.
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
