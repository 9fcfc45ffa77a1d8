import CHDF5
import Glibc
public import Support

/// An HDF5 file laid out in memory, whose large columns are supplied by who writes it to disk.
///
/// The library never touches the disk: it writes its few kilobytes of metadata, and compressed
/// chunks, to a file in memory, with room where the contiguous datasets go. The caller then writes
/// the pieces one after the other. So a plain `write` meets a full disk, and not the library, which
/// cannot close a file that it cannot flush. No column is copied. Whatever is not written is zero,
/// so that equal contents are equal bytes.
public final class HDF5Composition {
  /// A run of the finished file.
  public enum Piece {
    /// Bytes that are ready; valid as long as the composition lives.
    case bytes(UnsafeRawBufferPointer)
    /// The elements of a reserved dataset, so many bytes.
    case dataset(path: String, byteCount: Int)
  }

  /// The file in memory; groups and compressed datasets are written to it as to any other.
  public let file: HDF5File
  private let descriptor: Int32
  private var reserved: [(offset: Int, byteCount: Int, path: String)] = []
  private var map: MappedFile?

  /// Starts an empty file, which messages call `name`.
  public init(name: String) throws(FileError) {
    descriptor = chdf5_memory_file()
    guard descriptor >= 0 else {
      throw .system(
        operation: "make a file in memory", file: name, reason: String(cString: strerror(errno)))
    }
    do {
      file = try HDF5File(creatingIn: descriptor, name: name)
    } catch {
      Glibc.close(descriptor)
      throw error
    }
  }

  deinit {
    try? file.close()
    close(descriptor)
  }

  /// Reserves room for a contiguous dataset; it becomes a piece of the finished file.
  public func reserve(_ path: String, _ type: HDF5Type, shape: [Int]) throws(FileError) {
    let byteCount = shape.reduce(type.byteCount, *)
    precondition(byteCount > 0, "'\(path)' must have elements, found shape \(shape)")
    let offset = try file.reserve(path, type, shape: shape)
    reserved.append((offset, byteCount, path))
  }

  /// Closes the file and gives its pieces in order, which together are all of it.
  public func finish() throws(FileError) -> [Piece] {
    try file.close()
    let map = try MappedFile(descriptor: descriptor, name: file.name)
    self.map = map
    var pieces: [Piece] = []
    var position = 0
    func addBytes(until end: Int) throws(FileError) {
      guard end > position else { return }
      guard let bytes = map.slice(at: position, count: end - position) else {
        throw .damaged(file: file.name, dataset: "/", rule: "a dataset lies outside the file")
      }
      pieces.append(.bytes(bytes))
    }
    for (offset, byteCount, path) in reserved.sorted(by: { $0.offset < $1.offset }) {
      try addBytes(until: offset)
      pieces.append(.dataset(path: path, byteCount: byteCount))
      position = offset + byteCount
    }
    try addBytes(until: map.bytes.count)
    return pieces
  }
}
