internal import Glibc

/// Whole files in and out, by POSIX calls.
enum FileBytes {
  /// The bytes of a file; throws what the system says.
  static func read(_ path: String) throws(TorchError) -> [UInt8] {
    // Without O_NONBLOCK, opening a named pipe would wait for a writer.
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw failure("cannot open", path) }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw failure("cannot read", path) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw TorchError("cannot read \(path): it is not a regular file")
    }
    let size = Int(status.st_size)
    var problem: TorchError?
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      while count < size, let start = buffer.baseAddress {
        let got = Glibc.read(file, start + count, size - count)
        if got < 0, errno == EINTR { continue }
        guard got > 0 else {
          problem = got == 0 ? nil : failure("cannot read", path)
          return
        }
        count += got
      }
    }
    if let problem { throw problem }
    return bytes
  }

  /// Writes a file so that it is either whole or absent: to `<path>.part`, synced, then renamed.
  static func write(_ pieces: [[UInt8]], to path: String) throws(TorchError) {
    let part = path + ".part"
    let file = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw failure("cannot write", part) }
    var isOpen = true
    defer { if isOpen { close(file) } }
    for piece in pieces where !piece.isEmpty {
      guard writeAll(piece, to: file) else { throw failure("cannot write", part) }
    }
    guard fsync(file) == 0 else { throw failure("cannot write", part) }
    isOpen = false
    guard close(file) == 0 else { throw failure("cannot write", part) }
    guard rename(part, path) == 0 else { throw failure("cannot rename to", path) }
  }

  private static func writeAll(_ bytes: [UInt8], to file: Int32) -> Bool {
    bytes.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count, let start = buffer.baseAddress {
        let put = Glibc.write(file, start + done, buffer.count - done)
        if put < 0, errno == EINTR { continue }
        guard put > 0 else { return false }
        done += put
      }
      return true
    }
  }

  private static func failure(_ what: String, _ path: String) -> TorchError {
    TorchError("\(what) \(path): \(String(cString: strerror(errno)))")
  }
}
