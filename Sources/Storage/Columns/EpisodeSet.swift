import GoalCore
import Support

/// Numbers of episodes, written as `0-499,700`.
public struct EpisodeSet: Sendable, Hashable, Codable, CustomStringConvertible {
  /// Ranges in ascending order, which neither overlap nor touch.
  public let ranges: [ClosedRange<Int64>]

  /// The set of some numbers, given in any order.
  public init(_ numbers: some Sequence<Int64>) {
    ranges = EpisodeSet.merged(numbers.map { $0...$0 })
    precondition((ranges.first?.lowerBound ?? 0) >= 0, "found episodes \(ranges)")
  }

  /// The numbers that any of some sets has; of one at least.
  public init(union sets: some Sequence<EpisodeSet>) {
    ranges = EpisodeSet.merged(sets.flatMap(\.ranges))
  }

  /// The set of all numbers in a range, which must not be empty.
  public init(_ range: Range<Int64>) {
    precondition(range.lowerBound >= 0 && !range.isEmpty, "found episodes \(range)")
    ranges = [range.lowerBound...(range.upperBound - 1)]
  }

  /// Reads `0-499,700`, with the parts in any order; nil for other texts.
  public init?(_ text: String) {
    var parts: [ClosedRange<Int64>] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false)
      guard (1...2).contains(ends.count), let first = Int64(ends[0]),
        let last = Int64(ends[ends.count - 1]), 0 <= first, first <= last, last < 1 << 32,
        ends.allSatisfy({ $0.allSatisfy(\.isNumber) })
      else { return nil }
      parts.append(first...last)
    }
    self.init(ranges: EpisodeSet.merged(parts))
  }

  private init(ranges: [ClosedRange<Int64>]) { self.ranges = ranges }

  /// Ranges in ascending order, with those joined that overlap or touch.
  private static func merged(_ parts: [ClosedRange<Int64>]) -> [ClosedRange<Int64>] {
    var ranges: [ClosedRange<Int64>] = []
    for part in parts.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = ranges.last, part.lowerBound <= last.upperBound + 1 {
        ranges[ranges.count - 1] = last.lowerBound...max(last.upperBound, part.upperBound)
      } else {
        ranges.append(part)
      }
    }
    return ranges
  }

  /// How many there are.
  public var count: Int { ranges.reduce(0) { $0 + Int($1.upperBound - $1.lowerBound) + 1 } }

  /// All of them, ascending.
  public var numbers: [Int64] { ranges.flatMap { Array($0) } }

  /// The lowest; nil for an empty set.
  public var first: Int64? { ranges.first?.lowerBound }

  /// The highest; nil for an empty set.
  public var last: Int64? { ranges.last?.upperBound }

  /// Those of the set that lie in a range, which must not be empty.
  public func intersection(_ range: Range<Int64>) -> EpisodeSet {
    let closed = range.lowerBound...(range.upperBound - 1)
    return EpisodeSet(
      ranges: ranges.filter { $0.overlaps(closed) }.map { $0.clamped(to: closed) })
  }

  /// Whether these are the first ones of a larger set.
  func isBeginning(of other: EpisodeSet) -> Bool {
    guard let last, self != other else { return false }
    return other.intersection(0..<last + 1) == self
  }

  /// Whether a number is one of them.
  public func contains(_ number: Int64) -> Bool { ranges.contains { $0.contains(number) } }

  /// The set as `0-499,700`.
  public var description: String {
    ranges.map {
      $0.lowerBound == $0.upperBound ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)"
    }.joined(separator: ",")
  }

  /// Reads the text form, and throws `InvalidValue` for another text.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let set = EpisodeSet(text) else {
      throw InvalidValue("", "must be episodes as in 0-499,700", found: text.debugDescription)
        .within(decoder.codingPath)
    }
    self = set
  }

  /// Writes the text form.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
