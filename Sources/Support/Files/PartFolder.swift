package import Foundation
import Glibc

/// A folder in the making, which appears under its name with all its files or not at all.
package final class PartFolder {
  /// Where its files are written.
  package let url: URL
  private let target: URL
  private var isPending = true

  /// Starts a folder beside its place, where nothing may be.
  package init(for target: URL) throws(FileError) {
    self.target = target
    url = URL(
      fileURLWithPath: "\(target.path).\(PartFile.owner)-\(UInt32.random(in: 0...UInt32.max)).part")
    guard mkdir(url.path, 0o755) == 0 else { throw .writing(target.path) }
  }

  deinit {
    if isPending { try? FileManager.default.removeItem(at: url) }
  }

  /// Puts the folder in its place.
  package func commit() throws(FileError) {
    try PartFile.flushFolder(of: url.appendingPathComponent("."))
    try PartFile.move(url.path, to: target)
    isPending = false
    try PartFile.flushFolder(of: target)
  }
}
