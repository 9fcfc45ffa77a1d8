public import Foundation
import Glibc

/// Files that appear under their name whole or not at all, and are there after a power loss.
public enum WholeFile {
  /// Writes a file beside its place, flushes it, renames it over any that is there, and flushes the folder.
  public static func write(_ data: Data, to url: URL) throws(StorageError) {
    try PartFile.write(data, to: url)
  }

  /// Removes what kills left half written of a file by calls of `write`; nobody may be writing it.
  public static func removeParts(of url: URL) { PartFile.removeParts(of: url) }

  /// Makes the names in a folder last.
  public static func flush(folder: URL) throws(StorageError) {
    try PartFile.flush(folder: folder.path)
  }

  /// Makes what was written to a file last; one that is not there is left so.
  public static func flush(file: URL) throws(StorageError) {
    let descriptor = open(file.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      if errno == ENOENT { return }
      throw .cannotRead(file.path, reason: systemReason())
    }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .writing(file.path) }
  }
}

/// Files of JSON that end with their own SHA-256, as a manifest does.
public enum SealedFile {
  /// Writes a value, which must be an object with an entry.
  public static func write(_ value: some Encodable, to url: URL) throws(StorageError) {
    try PartFile.write(try SealedText.seal(value), to: url)
  }

  /// Reads a value whose entry `schema` is the one given.
  ///
  /// - Throws: `missing`, `malformed` (cut off, or not of this form), `altered` (its own digest does
  ///   not fit) or `unknownSchema`.
  public static func read<Value: Decodable>(
    _ type: Value.Type, from url: URL, schema: Int
  ) throws(StorageError) -> Value {
    try SealedText.read(type, from: url, schema: schema).value
  }
}
