package import Foundation

/// JSON as this code writes it and reads it back: keys in alphabetical order, and a number that is
/// not finite as the text `inf`, `-inf` or `nan`.
package enum JSON {
  /// A value over several lines, with slashes as they are and no newline at the end; `naming` gives
  /// other names to keys.
  package static func pretty(
    _ value: some Encodable, naming: (@Sendable (String) -> String)? = nil
  ) throws -> Data {
    let encoder = encoder([.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
    if let naming {
      encoder.keyEncodingStrategy = .custom { path in
        Key(stringValue: path.last.map { naming($0.stringValue) } ?? "")
      }
    }
    return try encoder.encode(value)
  }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// A value on one line, with slashes as they are and no newline at the end.
  package static func line(_ value: some Encodable) throws -> Data {
    try encoder([.sortedKeys, .withoutEscapingSlashes]).encode(value)
  }

  /// A value on one line with slashes escaped, for digests that were taken so since the first
  /// version.
  package static func canonical(_ value: some Encodable) throws -> Data {
    try encoder([.sortedKeys]).encode(value)
  }

  /// Reads what the three above write.
  package static func decode<Value: Decodable>(
    _ type: Value.Type, from data: Data
  ) throws -> Value {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try decoder.decode(type, from: data)
  }

  private static func encoder(_ formatting: JSONEncoder.OutputFormatting) -> JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = formatting
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return encoder
  }
}

extension JSONValue {
  /// Several lines of JSON, or one; nil if a number in it is not finite, which the JSON of others
  /// has no word for.
  package func foreignText(pretty: Bool = false) -> Data? {
    isFinite ? try? pretty ? JSON.pretty(self) : JSON.line(self) : nil
  }
}
