public import Support

/// A condition on an episode's measures, written as `success = 1 and return > 30`.
///
///     condition  = comparison { "and" comparison }
///     comparison = measure ("=" | "!=" | "<" | "<=" | ">" | ">=") number
///
/// An episode satisfies it if all comparisons hold; a measure that is not a number satisfies none.
public struct EpisodeFilter: Sendable, Hashable, Codable, CustomStringConvertible {
  /// A number that an episode has, named as the measures of an evaluation are.
  public enum Measure: String, CaseIterable, Sendable {
    /// Steps.
    case length
    /// 1 if the goal is reached at the last step, else 0.
    case success
    /// 1 if the goal is reached at some step, else 0.
    case successEver = "success_ever"
    /// The sum of all rewards in the 0/1 convention: the stored ones plus 1.
    case fullReturn = "return"
    /// The distance of the last achieved goal from the desired one, in the metric's unit.
    case finalDistance = "final_distance"

    /// All of them, for help and errors.
    public static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
  }

  /// How a measure is compared with a number.
  enum Relation: String, CaseIterable, Sendable {
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case unequal = "!="
    case equal = "="
    case less = "<"
    case greater = ">"

    /// Whether it holds; a value that is not a number never does.
    func holds(_ value: Double, _ bound: Double) -> Bool {
      switch self {
      case .lessOrEqual: value <= bound
      case .greaterOrEqual: value >= bound
      case .unequal: value < bound || value > bound
      case .equal: value == bound
      case .less: value < bound
      case .greater: value > bound
      }
    }
  }

  struct Comparison: Sendable, Hashable {
    let measure: Measure
    let relation: Relation
    let bound: Double
  }

  /// Comparisons, at most.
  private static let most = 16

  let comparisons: [Comparison]

  /// Reads a condition; throws `InvalidValue` for a text that is none.
  public init(_ text: String) throws(InvalidValue) {
    try InvalidValue.require(
      text.utf8.count <= 1_000, "", "must be a condition of at most 1000 bytes", found: text)
    // Each `and` stands between blanks.
    let words = text.split { $0.isWhitespace }
    let parts = words.split(omittingEmptySubsequences: false) { $0 == "and" }
    try InvalidValue.require(
      parts.count <= Self.most, "", "must have at most \(Self.most) comparisons",
      found: "\(parts.count)")
    var comparisons: [Comparison] = []
    for part in parts { comparisons.append(try Self.comparison(part.joined())) }
    self.comparisons = comparisons
  }

  /// Reads one comparison, without blanks.
  private static func comparison(_ text: String) throws(InvalidValue) -> Comparison {
    let name = text.prefix { $0.isLetter || $0 == "_" }
    let rest = text.dropFirst(name.count)
    guard let relation = Relation.allCases.first(where: { rest.hasPrefix($0.rawValue) }) else {
      throw InvalidValue(
        "", "must be comparisons joined by 'and', as in success = 1 and return > 30",
        found: text.debugDescription)
    }
    guard let measure = Measure(rawValue: String(name)) else {
      throw InvalidValue(
        "", "must compare one of \(Measure.names)", found: String(name).debugDescription)
    }
    let number = rest.dropFirst(relation.rawValue.count)
    guard let bound = Double(String(number)), bound.isFinite else {
      throw InvalidValue(
        "", "must compare \(measure.rawValue) with a number", found: number.debugDescription)
    }
    return Comparison(measure: measure, relation: relation, bound: bound)
  }

  /// The condition in its one spelling: single blanks, numbers as short as they can be.
  public var description: String {
    comparisons.map { comparison in
      let whole = Int(exactly: comparison.bound).map(String.init)
      return "\(comparison.measure.rawValue) \(comparison.relation.rawValue) "
        + (whole ?? "\(comparison.bound)")
    }.joined(separator: " and ")
  }

  /// Reads the text form, and throws `InvalidValue` for another text.
  public init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    do { try self.init(text) } catch { throw error.within(decoder.codingPath) }
  }

  /// Writes the text form.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
