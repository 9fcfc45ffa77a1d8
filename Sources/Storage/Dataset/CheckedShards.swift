import Foundation
import Glibc
import Support
import Synchronization

/// The shards of a dataset whose digests were found to be the listed ones, so that each is read for
/// it once.
///
/// A digest is remembered for a file as it was then: its size, its times of change, its place on
/// the disk. It is kept in the folder as `shards/checked.json`, if that can be written. A file that
/// was changed within the last two seconds is left out, since its times may not show another
/// change. Whoever can write there can forge it, as well as the manifest: `verify` reads all shards
/// and never asks this.
final class CheckedShards: Sendable {
  /// A file's state when it was read: whoever changes its bytes changes one of these.
  struct Stamp: Codable, Equatable {
    let device: UInt64
    let inode: UInt64
    let bytes: Int
    /// When its bytes were changed, and when anything of it was, in nanoseconds since 1970.
    let modified: Int
    let changed: Int

    /// The stamp of the file that a path leads to; nil if it is missing.
    init?(of url: URL) {
      var status = stat()
      guard stat(url.path, &status) == 0 else { return nil }
      device = UInt64(status.st_dev)
      inode = UInt64(status.st_ino)
      bytes = Int(status.st_size)
      modified = Stamp.nanoseconds(status.st_mtim)
      changed = Stamp.nanoseconds(status.st_ctim)
    }

    private static func nanoseconds(_ time: timespec) -> Int {
      Int(time.tv_sec) &* 1_000_000_000 &+ Int(time.tv_nsec)
    }

    /// Whether the file was changed so long ago that another change would show in its times.
    var isSettled: Bool {
      var now = timespec()
      clock_gettime(CLOCK_REALTIME, &now)
      return max(modified, changed) < Stamp.nanoseconds(now) &- 2_000_000_000
    }
  }

  /// A file, and the digest that was found for it.
  struct Finding: Codable, Equatable {
    let stamp: Stamp
    let sha256: String
  }

  private struct State {
    var findings: [String: Finding] = [:]
    var isRead = false
    var isNew = false
  }

  private let file: URL
  private let state = Mutex(State())

  /// The memory of a dataset's folder.
  init(_ folder: DatasetFolder) { file = folder.shards.appendingPathComponent("checked.json") }

  /// Throws unless a shard's file is there with the listed size and digest.
  ///
  /// It is read unless it was found so before and is unchanged since; `afresh`, it is read in any
  /// case.
  func check(_ entry: ShardEntry, at url: URL, afresh: Bool = false) throws(FileError) {
    guard let stamp = Stamp(of: url) else { throw .missing(url.path) }
    guard stamp.bytes == entry.bytes else {
      throw .wrongSize(url.path, expected: entry.bytes, found: stamp.bytes)
    }
    let known = state.withLock { state in
      if !state.isRead {
        state.findings = read()
        state.isRead = true
      }
      return state.findings[entry.file]
    }
    if !afresh, known == Finding(stamp: stamp, sha256: entry.sha256) { return }
    let found = try Digest.sha256(ofFile: url)
    guard found == entry.sha256 else {
      throw .altered(url.path, expected: entry.sha256, found: found)
    }
    // Of a file that was changed while it was read, nothing is known.
    guard Stamp(of: url) == stamp else { return }
    state.withLock {
      $0.findings[entry.file] = Finding(stamp: stamp, sha256: found)
      $0.isNew = true
    }
  }

  /// Keeps what was found for other calls; if the folder cannot be written, it is known to this one
  /// only.
  func save() {
    let settled: [String: Finding]? = state.withLock { state in
      guard state.isNew else { return nil }
      state.isNew = false
      return state.findings.filter { $0.value.stamp.isSettled }
    }
    guard let settled, !settled.isEmpty, settled != read() else { return }
    do throws(FileError) {
      try DigestedJSON.write(Memory(findings: settled), to: file)
    } catch {
      // Not to be able to remember is no fault: shards are read again.
    }
  }

  private struct Memory: Codable {
    var schema = Manifest.schema
    var findings: [String: Finding]
  }

  /// The results of earlier calls; a malformed record counts as none.
  private func read() -> [String: Finding] {
    do throws(FileError) {
      return try DigestedJSON.read(Memory.self, from: file, schema: Manifest.schema).value.findings
    } catch {
      return [:]
    }
  }
}
