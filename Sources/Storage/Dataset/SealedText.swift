public import Foundation
import GoalCore

/// JSON that ends with its own SHA-256.
///
/// Keys are sorted, indented by two blanks, a newline ends the file. The last entry is
///
///       "sha256" : "<64 digits>"
///     }
///
/// and the digits are the SHA-256 of every byte before these two lines, so that
/// `head -n -2 manifest.json | sha256sum` prints them.
enum SealedText {
  private static let opening = "\n  \"sha256\" : \""
  private static let closing = "\"\n}\n"

  /// The deterministic JSON of a value, with a newline at its end and no seal.
  static func json(_ value: some Encodable) throws(StorageError) -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    do {
      return try encoder.encode(value) + Data("\n".utf8)
    } catch {
      preconditionFailure("\(type(of: value)) must be writable as JSON: \(error)")
    }
  }

  /// The sealed JSON of a value, which must be an object with an entry.
  static func seal(_ value: some Encodable) throws(StorageError) -> Data {
    var text = try json(value)
    text.removeLast("\n}\n".utf8.count)
    text += Data(",\n".utf8)
    let digest = Digest.sha256(of: text)
    text += Data((opening.dropFirst() + digest + closing).utf8)
    return text
  }

  /// The seal of a sealed text, after checking that it is the text's own.
  static func check(_ data: Data, path: String) throws(StorageError) -> String {
    let length = opening.utf8.count + 64 + closing.utf8.count
    let end = String(decoding: data.suffix(length), as: UTF8.self)
    guard data.count > length, end.hasPrefix(opening), end.hasSuffix(closing) else {
      throw .malformed(
        path, rule: "must end with its own SHA-256",
        found: data.isEmpty ? "an empty file" : "'\(String(end.suffix(24)).debugDescription)'")
    }
    let listed = String(end.dropFirst(opening.count).prefix(64))
    let found = Digest.sha256(of: data.prefix(data.count - length + 1))
    guard listed == found else { throw .altered(path, expected: listed, found: found) }
    return listed
  }

  /// Reads a sealed value of schema `schema`, and its seal.
  static func read<Value: Decodable>(
    _ type: Value.Type, from url: URL, schema: Int
  ) throws(StorageError) -> (value: Value, seal: String) {
    let data = try StoredJSON.bytes(of: url)
    let seal = try check(data, path: url.path)
    let decoder = StoredJSON.decoder
    do {
      let found = try decoder.decode(Version.self, from: data).schema
      guard found == schema else {
        throw StorageError.unknownSchema(url.path, known: schema, found: found)
      }
      return (try decoder.decode(type, from: data), seal)
    } catch let error as StorageError {
      throw error
    } catch {
      let fault = StoredJSON.fault(error, in: data)
      throw .malformed(url.path, rule: fault.statement, found: fault.found)
    }
  }

  private struct Version: Decodable { let schema: Int }
}

/// JSON that this code has written, read back.
public enum StoredJSON {
  /// Reads "inf", "-inf" and "nan" as numbers too.
  static var decoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return decoder
  }

  /// Decodes a value; throws `malformed` with the first key that is wrong, the rule, and what was found.
  public static func decode<Value: Decodable>(
    _ type: Value.Type, from data: Data, path: String
  ) throws(StorageError) -> Value {
    do { return try decoder.decode(type, from: data) } catch {
      let fault = fault(error, in: data)
      throw .malformed(path, rule: fault.statement, found: fault.found)
    }
  }

  /// Reads a file of JSON; throws `missing`, `cannotRead`, or as `decode` does.
  public static func read<Value: Decodable>(
    _ type: Value.Type, from url: URL
  ) throws(StorageError) -> Value {
    try decode(type, from: try bytes(of: url), path: url.path)
  }

  /// All bytes of a file.
  static func bytes(of url: URL) throws(StorageError) -> Data {
    try WholeFile.read(url)
  }

  /// What a decoder has against a document.
  static func fault(_ error: any Error, in data: Data) -> InvalidValue {
    switch error {
    case let error as InvalidValue: error
    case let error as DecodingError:
      InvalidValue(error, in: try? decoder.decode(JSONValue.self, from: data))
    default: InvalidValue("", "must be JSON", found: "\(error)")
    }
  }
}
