package import Foundation
import Glibc
import Synchronization

/// A file in the making, which appears under its name whole or not at all.
///
/// It is written beside its place as `<name>.<host>-<process>-<count>.part`, flushed to the disk
/// and renamed; then the folder is flushed. Dropped before that, it leaves nothing.
///
/// One thread appends and reserves; several may write to what was reserved.
package final class PartFile: @unchecked Sendable {
  private static let count = Atomic<Int>(0)
  /// `<host>-<process>`, the owner in the name of a part.
  static let owner: String = {
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, 255)
    let host = String(
      decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return "\(host.replacingOccurrences(of: "/", with: "_"))-\(getpid())"
  }()

  private let target: URL
  private let part: String
  /// The open file, for what reads it back.
  package let descriptor: Int32
  private var isPending = true
  private var isFlushed = false
  private var failure: FileError?
  /// Whether a write was refused; `commit` says why.
  package var hasFailed: Bool { failure != nil }
  /// Bytes appended or reserved so far.
  package private(set) var byteCount = 0
  /// Where the disk has not been asked to write yet.
  private var unsent = 0
  /// So many bytes are sent to the disk at a time.
  private static let sendingBytes = 8_000_000

  /// Starts a file beside its place.
  package init(for target: URL) throws(FileError) {
    self.target = target
    let number = PartFile.count.add(1, ordering: .relaxed).newValue
    part = "\(target.path).\(PartFile.owner)-\(number).part"
    // Read as well: HDF5 reads back what its cache of metadata had no room for.
    descriptor = open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .writing(target.path) }
  }

  deinit {
    close(descriptor)
    if isPending { unlink(part) }
  }

  /// Appends bytes; the first failure is kept, and thrown when the file is to be committed.
  package func append(_ bytes: UnsafeRawBufferPointer) {
    guard failure == nil else { return }
    do throws(FileError) {
      try put(bytes, at: byteCount)
    } catch {
      failure = error
      return
    }
    byteCount += bytes.count
    if byteCount - unsent >= PartFile.sendingBytes {
      Writeback.start(descriptor, at: unsent, count: byteCount - unsent)
      unsent = byteCount
    }
  }

  /// Leaves room for bytes that are written later, and says where.
  package func reserve(_ count: Int) -> Int {
    byteCount += count
    unsent = byteCount
    return byteCount - count
  }

  /// Writes bytes where room was reserved, or over some that were appended; any thread may.
  package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
    precondition(offset + bytes.count <= byteCount, "\(offset) is beyond \(byteCount)")
    try put(bytes, at: offset)
    Writeback.start(descriptor, at: offset, count: bytes.count)
  }

  /// Writes a few bytes over some that were appended.
  package func write(_ bytes: [UInt8], at offset: Int) throws(FileError) {
    let failure: FileError? = bytes.withUnsafeBytes { bytes in
      do throws(FileError) {
        try write(bytes, at: offset)
        return nil
      } catch {
        return error
      }
    }
    if let failure { throw failure }
  }

  private func put(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      let written = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
      if written < 0 {
        if errno != EINTR { throw .writing(target.path) }
      } else {
        done += written
      }
    }
  }

  /// Throws the first failure, so that work that cannot be kept ends early.
  package func check() throws(FileError) { if let failure { throw failure } }

  /// Puts the file in its place, over any that is there.
  package func commit() throws(FileError) {
    try finish()
    try PartFile.move(part, to: target)
    isPending = false
    try PartFile.flushFolder(of: target)
  }

  /// Puts the file in its place unless one is there; says whether it did.
  package func commitIfAbsent() throws(FileError) -> Bool {
    try finish()
    guard link(part, target.path) == 0 else {
      if errno == EEXIST { return false }
      throw .writing(target.path)
    }
    try PartFile.flushFolder(of: target)
    return true
  }

  /// Waits until the disk has everything; `commit` does so by itself if it was not done.
  package func flush() {
    guard !isFlushed, failure == nil else { return }
    if fsync(descriptor) != 0 { failure = .writing(target.path) }
    isFlushed = true
  }

  /// Flushes, and throws the first failure.
  private func finish() throws(FileError) {
    flush()
    if let failure { throw failure }
  }

  /// Gives a file or a folder another name, in one step, over a file or an empty folder of that
  /// name.
  package static func move(_ path: String, to target: URL) throws(FileError) {
    guard rename(path, target.path) == 0 else { throw .writing(target.path) }
  }

  /// Makes the names in a file's folder last.
  static func flushFolder(of url: URL) throws(FileError) {
    try flush(folder: url.deletingLastPathComponent().path)
  }

  /// Makes the names in a folder last.
  static func flush(folder: String) throws(FileError) {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .cannotRead(folder, reason: systemReason()) }
    defer { close(descriptor) }
    // Some network file systems cannot flush a folder, and say so with EINVAL.
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw .writing(folder) }
  }

  /// Writes a small file at once.
  package static func write(_ data: Data, to url: URL) throws(FileError) {
    let file = try PartFile(for: url)
    data.withUnsafeBytes { file.append($0) }
    try file.commit()
  }

  /// Removes the parts of a file that others left; nobody may be writing it.
  package static func removeParts(of url: URL) {
    let folder = url.deletingLastPathComponent()
    let prefix = url.lastPathComponent + "."
    // A folder that cannot be read is said by whoever needs it.
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    for name in names where name.hasPrefix(prefix) && name.hasSuffix(".part") {
      // A folder in the making goes as well.
      try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
    }
  }
}
