public import Foundation
import Glibc

/// Files that are read at once, and that appear under their name whole or not at all, also after a
/// power loss.
public enum WholeFile {
  /// Writes a file beside its place, flushes it, renames it over any that is there, and flushes the
  /// folder.
  public static func write(_ data: Data, to url: URL) throws(FileError) {
    try PartFile.write(data, to: url)
  }

  /// Removes what kills left half written of a file by calls of `write`; nobody may be writing it.
  public static func removeParts(of url: URL) { PartFile.removeParts(of: url) }

  /// Makes the names in a folder last.
  public static func flush(folder: URL) throws(FileError) {
    try PartFile.flush(folder: folder.path)
  }

  /// Makes what was written to a file last; one that is not there is left so.
  public static func flush(file: URL) throws(FileError) {
    let descriptor = Glibc.open(file.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      if errno == ENOENT { return }
      throw .cannotRead(file.path, reason: systemReason())
    }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .writing(file.path) }
  }

  /// The bytes of a regular file, which may have at most `limit`.
  ///
  /// A named pipe or device is refused, and is not waited for. Throws `missing` or `cannotRead`.
  public static func read(_ url: URL, limit: Int = 1 << 30) throws(FileError) -> Data {
    let (descriptor, count) = try open(url)
    defer { close(descriptor) }
    guard count <= limit else {
      throw .cannotRead(url.path, reason: "it has \(count) bytes, and at most \(limit) are read")
    }
    var data = Data(count: count)
    var done = 0
    while done < count {
      let found = data.withUnsafeMutableBytes {
        Glibc.read(descriptor, $0.baseAddress?.advanced(by: done), count - done)
      }
      if found < 0, errno == EINTR { continue }
      guard found >= 0 else { throw .cannotRead(url.path, reason: systemReason()) }
      if found == 0 { break }
      done += found
    }
    return data.prefix(done)
  }

  /// How many bytes a regular file has.
  ///
  /// Throws `missing` or `cannotRead`.
  public static func byteCount(of url: URL) throws(FileError) -> Int {
    let (descriptor, count) = try open(url)
    close(descriptor)
    return count
  }

  /// The first bytes of a regular file, at most `count` of them.
  package static func first(_ count: Int, of url: URL) throws(FileError) -> [UInt8] {
    let (descriptor, _) = try open(url)
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: count)
    let found = pread(descriptor, &bytes, count, 0)
    guard found >= 0 else { throw .cannotRead(url.path, reason: systemReason()) }
    return Array(bytes.prefix(found))
  }

  /// Opens a regular file, and says how many bytes it has.
  static func open(_ url: URL) throws(FileError) -> (descriptor: Int32, count: Int) {
    // Without O_NONBLOCK, opening a named pipe would wait for a writer.
    let descriptor = Glibc.open(url.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      let code = errno
      throw code == ENOENT ? .missing(url.path) : .cannotRead(url.path, reason: systemReason(code))
    }
    var status = stat()
    let isKnown = fstat(descriptor, &status) == 0
    guard isKnown, status.st_mode & S_IFMT == S_IFREG else {
      let reason = isKnown ? "it is not a regular file" : systemReason()
      close(descriptor)
      throw .cannotRead(url.path, reason: reason)
    }
    return (descriptor, Int(status.st_size))
  }
}
