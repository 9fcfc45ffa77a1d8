/// A value that breaks a rule of what holds it: the key, the rule, and what was found.
public struct InvalidValue: Error, Equatable, Sendable, CustomStringConvertible {
  /// Where it stands, names separated by dots; empty for the whole.
  public let key: String
  /// The rule, as in `must be from 1 to 10`.
  public let rule: String
  /// The value found, cut short if it is long.
  public let found: String

  /// Makes an error from its parts.
  public init(_ key: String, _ rule: String, found: String) {
    self.key = key
    self.rule = rule
    self.found = InvalidValue.short(found)
  }

  /// The key, if there is one, and the rule.
  public var statement: String { key.isEmpty ? rule : "'\(InvalidValue.short(key))' \(rule)" }

  /// One sentence.
  public var description: String { "\(statement), found \(found)" }

  /// The same of a value that stands further out.
  public func within(_ path: [any CodingKey]) -> InvalidValue {
    let names = path.map(InvalidValue.name) + (key.isEmpty ? [] : [key])
    return InvalidValue(names.joined(separator: "."), rule, found: found)
  }

  /// A key as people count: of a list the place, from 0.
  private static func name(_ key: any CodingKey) -> String {
    key.intValue.map(String.init) ?? key.stringValue
  }

  /// A text of at most 100 characters, the first ones if it has more.
  public static func short(_ text: String) -> String {
    guard text.unicodeScalars.count > 100 else { return text }
    return String(String.UnicodeScalarView(text.unicodeScalars.prefix(97))) + "..."
  }
}

extension InvalidValue {
  /// Throws unless a rule holds.
  public static func require(
    _ holds: Bool, _ key: String, _ rule: @autoclosure () -> String,
    found: @autoclosure () -> String
  ) throws(InvalidValue) {
    if !holds { throw InvalidValue(key, rule(), found: found()) }
  }

  /// Throws for a number that lies outside of a range.
  public static func require<Number: BinaryInteger>(
    _ value: Number, in range: ClosedRange<Number>, _ key: String
  ) throws(InvalidValue) {
    try require(
      range.contains(value), key, "must be from \(range.lowerBound) to \(range.upperBound)",
      found: "\(value)")
  }

  /// Throws for a number that is below 0 or not finite.
  public static func requireWeight(_ value: Double, _ key: String) throws(InvalidValue) {
    try require(
      value >= 0 && value.isFinite, key, "must be a finite number of at least 0", found: "\(value)")
  }

  /// Throws for what is not the SHA-256 of anything: 64 lower-case hexadecimal digits.
  public static func requireDigest(_ text: String, _ key: String) throws(InvalidValue) {
    try require(
      text.utf8.count == 64
        && text.utf8.allSatisfy { 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 },
      key, "must be a SHA-256 of 64 hexadecimal digits", found: text.debugDescription)
  }

  /// Throws for a part of a value, whose key `key` is, that breaks a rule of its own.
  public static func require(_ part: some CheckedValue, _ key: String) throws(InvalidValue) {
    do { try part.check() } catch { throw error.within([Name(key)]) }
  }

  /// Throws for the first part of a list that breaks a rule of its own.
  public static func require(
    each parts: some Collection<some CheckedValue>, _ key: String
  ) throws(InvalidValue) {
    for (place, part) in parts.enumerated() { try require(part, "\(key).\(place)") }
  }

  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { nil }
    init?(intValue: Int) { nil }
  }
}

extension InvalidValue {
  /// A decoder's complaint about a document, with the value found.
  public init(_ error: DecodingError, in document: JSONValue?) {
    let (path, rule, debug) =
      switch error {
      case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
        (context.codingPath, "must be \(InvalidValue.words(for: type))", context.debugDescription)
      case .keyNotFound(let key, let context):
        (context.codingPath + [key], "must be there", "nothing")
      case .dataCorrupted(let context):
        (context.codingPath, "must be a value that is known here", context.debugDescription)
      @unknown default: ([], "must be readable", "\(error)")
      }
    let found =
      path.isEmpty
      ? debug
      : document.map { document in
        path.reduce(Optional(document)) { $0?.member($1) }.map(\.description) ?? "nothing"
      } ?? debug
    self.init(path.map(InvalidValue.name).joined(separator: "."), rule, found: found)
  }

  private static func words(for type: any Any.Type) -> String {
    switch type {
    case is Bool.Type: "true or false"
    case is any BinaryInteger.Type: "a whole number"
    case is any BinaryFloatingPoint.Type: "a number"
    case is String.Type: "text"
    case is [String: JSONValue].Type: "values by name"
    case is any Collection.Type: "a list or values by name"
    default: "a \(type)"
    }
  }
}

extension JSONValue {
  /// The value at a key; nil if it is missing.
  fileprivate func member(_ key: any CodingKey) -> JSONValue? {
    switch self {
    case .object(let values): values[key.stringValue]
    case .list(let values): key.intValue.flatMap { values.indices.contains($0) ? values[$0] : nil }
    default: nil
    }
  }
}

/// A value with rules, which one function checks: of what this code makes, and of what it reads.
public protocol CheckedValue: Sendable {
  /// Throws for the first key whose value breaks a rule.
  func check() throws(InvalidValue)
}

extension CheckedValue {
  /// Checks a value that was just decoded; the error says where in the document it stands.
  public func check(in decoder: any Decoder) throws {
    do { try check() } catch { throw error.within(decoder.codingPath) }
  }

  /// Traps if a value breaks a rule, which is a bug of whoever made it.
  public func checkMade() {
    do { try check() } catch { preconditionFailure("\(Self.self): \(error)") }
  }
}
