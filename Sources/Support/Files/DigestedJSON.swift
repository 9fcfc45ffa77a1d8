public import Foundation

/// JSON that ends with its own SHA-256.
///
/// Keys are sorted, indented by two blanks, a newline ends the file. The last entry is
///
///       "sha256" : "<64 digits>"
///     }
///
/// and the digits are the SHA-256 of every byte before these two lines, so that
/// `head -n -2 manifest.json | sha256sum` prints them.
public enum DigestedJSON {
  private static let opening = "\n  \"sha256\" : \""
  private static let closing = "\"\n}\n"

  /// Writes a value, which must be an object with an entry, to a file that appears whole.
  public static func write(_ value: some Encodable, to url: URL) throws(FileError) {
    try PartFile.write(seal(value), to: url)
  }

  /// The sealed JSON of a value, which must be an object with an entry.
  package static func seal(_ value: some Encodable) -> Data {
    var text = StoredJSON.text(of: value)
    text.removeLast("\n}\n".utf8.count)
    text += Data(",\n".utf8)
    let digest = Digest.sha256(of: text)
    text += Data((opening.dropFirst() + digest + closing).utf8)
    return text
  }

  /// The seal of a sealed text, after checking that it is the text's own.
  package static func check(_ data: Data, path: String) throws(FileError) -> String {
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

  /// Reads a value whose entry `schema` is the one given, and its seal.
  ///
  /// - Throws: `missing`, `malformed` (cut off, or not of this form), `altered` (its own digest
  ///   does not fit) or `unknownSchema`.
  public static func read<Value: Decodable>(
    _ type: Value.Type, from url: URL, schema: Int
  ) throws(FileError) -> (value: Value, seal: String) {
    let data = try WholeFile.read(url)
    let seal = try check(data, path: url.path)
    let found = try StoredJSON.decode(Version.self, from: data, path: url.path).schema
    guard found == schema else {
      throw FileError.unknownSchema(url.path, known: schema, found: found)
    }
    return (try StoredJSON.decode(type, from: data, path: url.path), seal)
  }

  private struct Version: Decodable { let schema: Int }
}
