public import Foundation
import Glibc
import Synchronization

/// A file's bytes, mapped into memory for reading until this object goes.
///
/// Whoever truncates the file meanwhile ends this process by SIGBUS, whose handler can name the
/// file by `path(at:)`. Nothing of ours does so, as files are replaced by renaming only.
public final class MappedFile: @unchecked Sendable {
  /// The file's name, for messages.
  public let name: String
  /// The whole file.
  public let bytes: UnsafeRawBufferPointer
  /// Its place in the table of mapped files; nil if that was full.
  private let place: Int?

  /// Maps a regular file, which must not be empty.
  public convenience init(contentsOf url: URL) throws(FileError) {
    // Without O_NONBLOCK, opening a named pipe would wait for a writer.
    let descriptor = open(url.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw .system(operation: "open", file: url.path, reason: String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    try self.init(descriptor: descriptor, name: url.path)
  }

  /// Maps what an open descriptor holds.
  package init(descriptor: Int32, name: String) throws(FileError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw .system(operation: "look at", file: name, reason: String(cString: strerror(errno)))
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .system(operation: "map", file: name, reason: "it is not a regular file")
    }
    guard status.st_size > 0 else {
      throw .system(operation: "map", file: name, reason: "it is empty")
    }
    let count = Int(status.st_size)
    guard let base = mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0), base != MAP_FAILED
    else {
      throw .system(operation: "map", file: name, reason: String(cString: strerror(errno)))
    }
    self.name = name
    bytes = UnsafeRawBufferPointer(start: base, count: count)
    place = MappedFile.enter(bytes, name: name)
  }

  /// Memory in a nameless file of `folder`.
  ///
  /// The system writes out what is too large for the machine's memory. The file goes with this
  /// object, or with the process.
  ///
  /// The room on the disk is taken at once. Returns nil if the disk is full.
  public static func scratch(count: Int, in folder: URL) -> MappedFile? {
    var template = Array(folder.appendingPathComponent(".goalpost-XXXXXX").path.utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    unlink(template)
    guard count > 0, posix_fallocate(descriptor, 0, off_t(count)) == 0,
      let base = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
      base != MAP_FAILED
    else { return nil }
    return MappedFile(
      name: folder.path, bytes: UnsafeRawBufferPointer(start: base, count: count))
  }

  private init(name: String, bytes: UnsafeRawBufferPointer) {
    self.name = name
    self.bytes = bytes
    place = MappedFile.enter(bytes, name: name)
  }

  /// The bytes of scratch memory, to be written.
  public var scratchBytes: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(mutating: bytes)
  }

  deinit {
    if let place { MappedFile.leave(place) }
    if let base = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), bytes.count) }
  }

  /// The bytes at an offset, or nil if they do not all lie inside the file.
  public func slice(at offset: Int, count: Int) -> UnsafeRawBufferPointer? {
    guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else {
      return nil
    }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)])
  }
}

// MARK: - What is mapped where

extension MappedFile {
  /// A line of the table that a signal's handler reads, which can neither lock nor take memory.
  private struct Line {
    var start: UInt = 0
    var count: UInt = 0
    var path: UnsafeMutablePointer<CChar>?
  }

  /// Files beyond so many at a time have no name in a handler.
  private static let lines = 4_096
  private nonisolated(unsafe) static let table: UnsafeMutablePointer<Line> = {
    let table = UnsafeMutablePointer<Line>.allocate(capacity: lines)
    table.initialize(repeating: Line(), count: lines)
    return table
  }()
  private static let writing = Mutex(())

  /// Makes the table ready, so that a handler need not.
  public static func prepareTable() { _ = table }

  /// The path of the file that is mapped at an address, as C's text; a signal's handler may call
  /// it.
  public static func path(at address: UnsafeRawPointer) -> UnsafePointer<CChar>? {
    let wanted = UInt(bitPattern: address)
    for place in 0..<lines {
      let line = table[place]
      if line.count > 0, wanted >= line.start, wanted - line.start < line.count,
        let path = line.path
      {
        return UnsafePointer(path)
      }
    }
    return nil
  }

  private static func enter(_ bytes: UnsafeRawBufferPointer, name: String) -> Int? {
    writing.withLock { _ in
      guard let place = (0..<lines).first(where: { table[$0].path == nil }) else { return nil }
      table[place] = Line(
        start: UInt(bitPattern: bytes.baseAddress), count: UInt(bytes.count), path: strdup(name))
      return place
    }
  }

  private static func leave(_ place: Int) {
    writing.withLock { _ in
      free(table[place].path)
      table[place] = Line()
    }
  }
}
