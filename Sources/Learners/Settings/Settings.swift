internal import FoundationEssentials
import GoalCore
public import Support

/// One setting, for people: what `goalpost learners <id>` prints.
public struct SettingDescription: Sendable, Equatable {
  /// Its name; names within a group are separated by dots.
  public let key: String
  /// The default, as JSON.
  public let defaultValue: String
  /// Its meaning, with units and range.
  public let meaning: String
  /// Where the default comes from.
  public let source: String
}

/// A setting that cannot be taken.
public enum SettingsError: Error, Equatable, CustomStringConvertible {
  /// The name is unknown, and these are the names of settings.
  case unknown(key: String, known: [String])
  /// A setting of the learner stands where a run's own settings do.
  case misplaced(key: String)
  /// The setting takes another kind of value.
  case wrongValue(key: String, expected: String, found: JSONValue)

  /// Rule, found, and what there is.
  public var description: String {
    switch self {
    case .unknown(let key, let known):
      NearNames.complaint("setting", key, among: known)
    case .misplaced(let key):
      "'\(key)' is a setting of the learner, and those stand under 'settings'"
    case .wrongValue(let key, let expected, let found):
      "the setting '\(key)' must be \(expected), found \(InvalidValue.short("\(found)"))"
    }
  }
}

/// Settings as values by name, over any type that can be encoded.
public enum Settings {
  /// Units of a layer.
  static let width = 1...1 << 16
  /// Layers of a network at most.
  static let layers = 1 << 8
  /// Numbers that a layer gives for a batch at most, 1 GiB of them.
  static let activations = 1 << 28

  /// The settings of a value; those that learners share stand among its own.
  public static func values(of value: some Encodable) throws -> [String: JSONValue] {
    lifted(try encoded(value))
  }

  /// A copy of `value` in which the settings named in `overrides` have other values.
  ///
  /// Only existing settings can be overridden, so a slip of the pen is an error and not a default.
  /// Throws `SettingsError`.
  public static func applying<Value: Codable>(
    _ overrides: [String: JSONValue], to value: Value
  ) throws -> Value {
    let encoded = try encoded(value)
    let defaults = lifted(encoded)
    let merged = try merge(overrides, into: defaults, path: [])
    // JSON, by which values are decoded, has no such numbers.
    for (path, value) in leaves(of: overrides) where !value.isFinite {
      throw SettingsError.wrongValue(
        key: path.joined(separator: "."), expected: "finite", found: value)
    }
    do {
      return try decoded(merged, as: encoded)
    } catch let error as DecodingError {
      // Of a number that is not whole the decoder does not say where it stands.
      for (path, value) in leaves(of: overrides) {
        let single = path.reversed().reduce(value) { .object([$1: $0]) }
        guard case .object(let values) = single else { continue }
        do {
          let _: Value = try decoded(
            merge(values, into: defaults, path: []), as: encoded)
        } catch DecodingError.dataCorrupted(let context) where context.codingPath.isEmpty {
          let isList = if case .list = value { true } else { false }
          throw SettingsError.wrongValue(
            key: path.joined(separator: "."), expected: isList ? "whole numbers" : "a whole number",
            found: value)
        } catch {}
      }
      throw explained(error, in: merged)
    }
  }

  /// Throws `SettingsError` if a setting's value is not in its range.
  public static func require(
    _ holds: Bool, _ key: String, _ expected: String, found: JSONValue
  ) throws {
    guard holds else { throw SettingsError.wrongValue(key: key, expected: expected, found: found) }
  }

  /// Throws `SettingsError` for a count out of its range.
  public static func require(_ value: Int, in range: ClosedRange<Int>, _ key: String) throws {
    try require(
      range ~= value, key, "from \(range.lowerBound) to \(range.upperBound)",
      found: .integer(value))
  }

  /// Throws `SettingsError` for hidden layers that give too many numbers for a batch.
  static func requireLayers(_ widths: [Int], batch: Int) throws {
    let widest = widths.max() ?? 1
    try require(
      batch * widest <= activations, "batchSize",
      "at most \(activations / widest), as a layer gives \(widest) numbers a row",
      found: .integer(batch))
  }

  private static func encoded(_ value: some Encodable) throws -> [String: JSONValue] {
    try JSONDecoder().decode([String: JSONValue].self, from: JSONEncoder().encode(value))
  }

  /// Settings that learners share, moved beside the learner's own.
  private static func lifted(_ values: [String: JSONValue]) -> [String: JSONValue] {
    guard case .object(let shared)? = values[SettingTable.shared] else { return values }
    return values.filter { $0.key != SettingTable.shared }.merging(shared) { own, _ in own }
  }

  /// A value of settings that were lifted, the shared ones put back in the group that `encoded` has
  /// them in.
  private static func decoded<Value: Codable>(
    _ values: [String: JSONValue], as encoded: [String: JSONValue]
  ) throws -> Value {
    var values = values
    if case .object(let shared)? = encoded[SettingTable.shared] {
      values[SettingTable.shared] = .object(values.filter { shared[$0.key] != nil })
      for key in shared.keys { values[key] = nil }
    }
    return try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(values))
  }

  /// Every value that is no group, with the names that lead to it.
  private static func leaves(
    of values: [String: JSONValue]
  ) -> [(path: [String], value: JSONValue)] {
    values.sorted { $0.key < $1.key }.flatMap { key, value in
      guard case .object(let inner) = value else { return [(path: [key], value: value)] }
      return leaves(of: inner).map { (path: [key] + $0.path, value: $0.value) }
    }
  }

  private static func merge(
    _ overrides: [String: JSONValue], into values: [String: JSONValue], path: [String]
  ) throws -> [String: JSONValue] {
    var merged = values
    for (key, value) in overrides.sorted(by: { $0.key < $1.key }) {
      let name = (path + [key]).joined(separator: ".")
      guard let present = values[key] else {
        let known = values.keys.sorted().map { (path + [$0]).joined(separator: ".") }
        throw SettingsError.unknown(key: name, known: known)
      }
      if case .object(let inner) = present {
        guard case .object(let outer) = value else {
          throw SettingsError.wrongValue(
            key: name, expected: "a group of \(inner.keys.sorted().joined(separator: ", "))",
            found: value)
        }
        merged[key] = .object(try merge(outer, into: inner, path: path + [key]))
      } else {
        merged[key] = value
      }
    }
    return merged
  }

  /// The decoder's complaint in terms of settings.
  private static func explained(
    _ error: DecodingError, in values: [String: JSONValue]
  ) -> any Error {
    let expected: String
    let context: DecodingError.Context
    switch error {
    case .typeMismatch(let type, let found), .valueNotFound(let type, let found):
      (expected, context) = (described(type), found)
    case .dataCorrupted(let found):
      (expected, context) = (found.debugDescription, found)  // the text of a choice
    case .keyNotFound(_, let found): (expected, context) = ("complete", found)
    @unknown default: return error
    }
    var found = JSONValue.object(values)
    let path = context.codingPath.drop { $0.stringValue == SettingTable.shared }
    for key in path {
      switch found {
      case .object(let inner): found = inner[key.stringValue] ?? .null
      case .list(let inner): found = key.intValue.map { inner[$0] } ?? .null
      default: break
      }
    }
    let name = path.map { $0.intValue.map(String.init) ?? $0.stringValue }
    var hint = ""
    if case .text(let text) = found, expected == "a list" {
      hint = ", as in [\(InvalidValue.short(text))]"
    }
    return SettingsError.wrongValue(
      key: name.joined(separator: "."), expected: expected + hint, found: found)
  }

  private static func described(_ type: any Any.Type) -> String {
    switch type {
    case is Bool.Type: "true or false"
    case is Int.Type: "a whole number"
    case is Double.Type, is Float.Type: "a number"
    case is String.Type: "text"
    case is any Collection.Type: "a list"
    default: "\(type)"
    }
  }
}

/// A setting that is one of a few words.
public protocol SettingChoice: RawRepresentable<String>, CaseIterable, Codable, Sendable {}

extension SettingChoice {
  /// Reads one of the words; the error of any other lists them.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let word = try? container.decode(String.self), let choice = Self(rawValue: word) else {
      let words = Self.allCases.map(\.rawValue).joined(separator: ", ")
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "one of \(words)")
    }
    self = choice
  }
}
