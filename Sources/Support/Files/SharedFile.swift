package import Foundation
import Glibc

/// A finished file of another dataset, given a second name or copied.
package enum SharedFile {
  /// Gives a file a second name, in place of any file there; false if the file system cannot.
  ///
  /// Both names are then of one file, which stays as long as one of them does; of a symbolic link
  /// it is the file that the link leads to.
  package static func link(_ source: URL, as target: URL) throws(FileError) -> Bool {
    // Not by renaming: two names of one file cannot replace each other.
    if unlink(target.path) != 0, errno != ENOENT { throw .writing(target.path) }
    let isLinked =
      linkat(AT_FDCWD, source.path, AT_FDCWD, target.path, AT_SYMLINK_FOLLOW) == 0
    guard isLinked else {
      let code = errno
      // Another file system, one without links, a file of another owner, or too many names.
      if [EXDEV, EPERM, EACCES, EMLINK, EOPNOTSUPP, ENOSYS].contains(code) { return false }
      throw .writing(target.path, code: code)
    }
    try PartFile.flushFolder(of: target)
    return true
  }

  /// Copies a file beside its place, checks its digest on the way, and renames it.
  package static func copy(_ source: URL, to target: URL, expecting digest: String)
    throws(FileError)
  {
    let part = try PartFile(for: target)
    let stream = DigestStream()
    try forEachPiece(of: source) { piece in
      part.append(piece)
      stream.append(piece)
    }
    let found = stream.finish()
    guard found == digest else { throw .altered(source.path, expected: digest, found: found) }
    try part.commit()
  }
}

/// Gives a file's bytes to `body`, a megabyte at a time.
func forEachPiece(
  of url: URL, _ body: (UnsafeRawBufferPointer) -> Void
) throws(FileError) {
  let (descriptor, _) = try WholeFile.open(url)
  defer { close(descriptor) }
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
  defer { buffer.deallocate() }
  while true {
    let count = read(descriptor, buffer.baseAddress, buffer.count)
    if count < 0 && errno == EINTR { continue }
    guard count >= 0 else { throw .cannotRead(url.path, reason: systemReason()) }
    if count == 0 { return }
    body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
  }
}
