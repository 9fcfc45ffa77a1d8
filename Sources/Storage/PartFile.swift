import Foundation
import Glibc
import Synchronization

/// A file in the making, which appears under its name whole or not at all.
///
/// It is written beside its place as `<name>.<host>-<process>-<count>.part`, flushed to the disk and
/// renamed; then the folder is flushed. Dropped before that, it leaves nothing.
final class PartFile {
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
  let descriptor: Int32
  private var isPending = true
  private var isFlushed = false
  private var failure: StorageError?
  /// Whether a write was refused; `commit` says why.
  var hasFailed: Bool { failure != nil }
  /// Bytes written so far.
  private(set) var byteCount = 0

  init(for target: URL) throws(StorageError) {
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
  func append(_ bytes: UnsafeRawBufferPointer) {
    var rest = bytes[...]
    while failure == nil, !rest.isEmpty {
      let chunk = UnsafeRawBufferPointer(rebasing: rest)
      let written = Glibc.write(descriptor, chunk.baseAddress, chunk.count)
      if written < 0 {
        if errno != EINTR { failure = .writing(target.path) }
      } else {
        rest = rest.dropFirst(written)
        byteCount += written
      }
    }
  }

  /// Appends a column's numbers.
  func append(_ column: TableColumn) { column.withBytes { append($0) } }

  /// Writes bytes over some that were appended.
  func overwrite(at offset: Int, with bytes: [UInt8]) {
    precondition(offset + bytes.count <= byteCount, "\(offset) is not written yet")
    guard failure == nil else { return }
    if pwrite(descriptor, bytes, bytes.count, off_t(offset)) != bytes.count {
      failure = .writing(target.path)
    }
  }

  /// Throws the first failure, so that work that cannot be kept ends early.
  func check() throws(StorageError) { if let failure { throw failure } }

  /// Puts the file in its place, over any that is there.
  func commit() throws(StorageError) {
    try finish()
    guard rename(part, target.path) == 0 else { throw .writing(target.path) }
    isPending = false
    try PartFile.flushFolder(of: target)
  }

  /// Puts the file in its place unless one is there; says whether it did.
  func commitIfAbsent() throws(StorageError) -> Bool {
    try finish()
    guard link(part, target.path) == 0 else {
      if errno == EEXIST { return false }
      throw .writing(target.path)
    }
    try PartFile.flushFolder(of: target)
    return true
  }

  /// Waits until the disk has everything; `commit` does so by itself if it was not done.
  func flush() {
    guard !isFlushed, failure == nil else { return }
    if fsync(descriptor) != 0 { failure = .writing(target.path) }
    isFlushed = true
  }

  /// Flushes, and throws the first failure.
  private func finish() throws(StorageError) {
    flush()
    if let failure { throw failure }
  }

  /// Makes the names in a file's folder last.
  static func flushFolder(of url: URL) throws(StorageError) {
    let folder = url.deletingLastPathComponent().path
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .cannotRead(folder, reason: systemReason()) }
    defer { close(descriptor) }
    // Some network file systems cannot flush a folder, and say so with EINVAL.
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw .writing(folder) }
  }

  /// Writes a small file at once.
  static func write(_ data: Data, to url: URL) throws(StorageError) {
    let file = try PartFile(for: url)
    data.withUnsafeBytes { file.append($0) }
    try file.commit()
  }

  /// Removes the parts of a file that others left; nobody may be writing it.
  static func removeParts(of url: URL) {
    let folder = url.deletingLastPathComponent()
    let prefix = url.lastPathComponent + "."
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    for name in names where name.hasPrefix(prefix) && name.hasSuffix(".part") {
      // A folder in the making goes as well.
      try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
    }
  }
}
