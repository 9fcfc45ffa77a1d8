import CWriteback
import Glibc

/// Functions of Linux that the module Glibc lacks.
public enum Writeback {
  /// Begins to write a part of a file to the disk, so that a later `fsync` has less to wait for.
  ///
  /// It does not wait, and a disk's errors are left to `fsync`.
  public static func start(_ descriptor: Int32, at offset: Int, count: Int) {
    start_writeback(descriptor, off_t(offset), off_t(count))
  }
}
