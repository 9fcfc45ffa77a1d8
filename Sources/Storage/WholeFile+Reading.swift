public import Foundation
import Glibc

// Reading.
extension WholeFile {
  /// The bytes of a regular file, which may have at most `limit`.
  ///
  /// A named pipe or device is refused, and is not waited for. Throws `missing` or `cannotRead`.
  public static func read(_ url: URL, limit: Int = 1 << 30) throws(StorageError) -> Data {
    let (descriptor, count) = try opened(url)
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

  /// The first bytes of a regular file, at most `count` of them.
  static func first(_ count: Int, of url: URL) throws(StorageError) -> [UInt8] {
    let (descriptor, _) = try opened(url)
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: count)
    let found = pread(descriptor, &bytes, count, 0)
    guard found >= 0 else { throw .cannotRead(url.path, reason: systemReason()) }
    return Array(bytes.prefix(found))
  }

  /// Opens a regular file, and says how many bytes it has.
  static func opened(_ url: URL) throws(StorageError) -> (descriptor: Int32, count: Int) {
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
