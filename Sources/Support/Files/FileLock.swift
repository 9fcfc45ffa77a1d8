public import Foundation
import Glibc

/// A lock on a file of its own, which the system gives back when this process dies.
///
/// The file is removed while the lock is held. Whoever gets a lock checks that its file is still
/// the one of that name. So none is left behind, and two never hold one. If a file system knows no
/// locks (NFS without its daemon), the lock is granted to all: shards are then made twice, to the
/// same bytes.
public final class FileLock: Sendable {
  private let path: String
  private let descriptor: Int32

  /// Takes the lock, or gives nil if another holds it and `wait` is false; throws `FileError` if
  /// the file can't be made.
  public static func take(_ url: URL, wait: Bool) throws(FileError) -> FileLock? {
    while true {
      let descriptor = open(url.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else { throw .writing(url.path) }
      var answer: Int32
      repeat {
        answer = flock(descriptor, LOCK_EX | (wait ? 0 : LOCK_NB))
      } while answer != 0 && errno == EINTR
      let code = errno
      if answer != 0 && code == EWOULDBLOCK {
        close(descriptor)
        return nil
      }
      let unsupported = [ENOLCK, EOPNOTSUPP, ENOSYS, EINVAL, 524]
      guard answer == 0 || unsupported.contains(code) else {
        close(descriptor)
        throw .cannotWrite(url.path, reason: systemReason(code))
      }
      if isPlace(url.path, of: descriptor) {
        return FileLock(path: url.path, descriptor: descriptor)
      }
      close(descriptor)
    }
  }

  private init(path: String, descriptor: Int32) {
    self.path = path
    self.descriptor = descriptor
  }

  deinit {
    // If the folder was removed and made again, the file there is another's lock.
    if isInPlace { unlink(path) }
    close(descriptor)
  }

  /// Whether the lock's file is still at its name: not so if someone removed it, or its folder.
  public var isInPlace: Bool { FileLock.isPlace(path, of: descriptor) }

  private static func isPlace(_ path: String, of descriptor: Int32) -> Bool {
    var mine = stat()
    var there = stat()
    return fstat(descriptor, &mine) == 0 && stat(path, &there) == 0
      && mine.st_ino == there.st_ino && mine.st_dev == there.st_dev
  }
}
