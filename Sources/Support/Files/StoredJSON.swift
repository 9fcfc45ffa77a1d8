public import Foundation

/// JSON that this code has written, read back.
public enum StoredJSON {
  /// The JSON of a value of ours, with a newline at its end.
  package static func text(of value: some Encodable) -> Data {
    do { return try JSON.pretty(value) + Data("\n".utf8) } catch {
      preconditionFailure("\(type(of: value)) must be writable as JSON: \(error)")
    }
  }

  /// Decodes a value; throws `malformed` with the first key that is wrong, the rule, and what was
  /// found.
  public static func decode<Value: Decodable>(
    _ type: Value.Type, from data: Data, path: String
  ) throws(FileError) -> Value {
    do { return try JSON.decode(type, from: data) } catch {
      let fault = fault(error, in: data)
      throw .malformed(path, rule: fault.statement, found: fault.found)
    }
  }

  /// Reads a file of JSON; throws `missing`, `cannotRead`, or as `decode` does.
  public static func read<Value: Decodable>(
    _ type: Value.Type, from url: URL
  ) throws(FileError) -> Value {
    try decode(type, from: try WholeFile.read(url), path: url.path)
  }

  /// A decoder's complaint about a document.
  private static func fault(_ error: any Error, in data: Data) -> InvalidValue {
    switch error {
    case let error as InvalidValue: error
    case let error as DecodingError:
      InvalidValue(error, in: try? JSON.decode(JSONValue.self, from: data))
    default: InvalidValue("", "must be JSON", found: "\(error)")
    }
  }
}
