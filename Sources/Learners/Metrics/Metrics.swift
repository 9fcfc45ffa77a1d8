/// Measurements: numbers and samples with names, in an order that stays the same.
public struct Metrics: Sendable, Equatable {
  /// A number and its name.
  public struct Entry: Sendable, Equatable {
    /// The name; words separated by underscores, groups by slashes.
    public let name: String
    /// The number.
    public let value: Float
  }

  /// Values of which the distribution is to be shown, and their name.
  public struct Sample: Sendable, Equatable {
    /// The name; words separated by underscores, groups by slashes.
    public let name: String
    /// The values, in no order.
    public let values: [Float]
  }

  /// The numbers.
  public private(set) var entries: [Entry] = []
  /// The samples.
  public private(set) var samples: [Sample] = []

  /// Makes an empty list.
  public init() {}

  /// Appends a number.
  public mutating func append(_ name: String, _ value: Float) {
    entries.append(Entry(name: name, value: value))
  }

  /// Appends values whose distribution is to be shown.
  public mutating func append(sample name: String, _ values: [Float]) {
    samples.append(Sample(name: name, values: values))
  }

  /// Appends the numbers and samples of others.
  public mutating func append(_ others: Metrics) {
    entries += others.entries
    samples += others.samples
  }

  /// Appends the numbers of others, their names within a group.
  public mutating func append(_ others: Metrics, within group: String) {
    entries += others.entries.map { Entry(name: "\(group)/\($0.name)", value: $0.value) }
  }

  /// The number of a name.
  public subscript(name: String) -> Float? { entries.first { $0.name == name }?.value }
}
