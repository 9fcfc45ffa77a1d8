import HDF5
import Support

/// A column's elements, row-major, where they lie in the mapped file or decoded into memory.
public struct StoredColumn<Element: BitwiseCopyable>: RandomAccessCollection {
  /// All elements; valid as long as `owner` lives, which a temporary column does not keep alive.
  let values: UnsafeBufferPointer<Element>
  /// The mapped file, or the memory that the column was decoded into.
  let owner: AnyObject

  /// Always 0.
  public var startIndex: Int { 0 }
  /// How many elements there are.
  public var endIndex: Int { values.count }
  /// Whether the elements are read where they lie in the file.
  public var isMapped: Bool { owner is MappedFile }

  /// An element.
  public subscript(position: Int) -> Element {
    precondition(values.indices.contains(position), "\(position) is not below \(values.count)")
    return withExtendedLifetime(owner) { values[position] }
  }

  /// Gives all elements to `body`, which must not keep the pointer.
  public func withContiguousStorageIfAvailable<Result>(
    _ body: (UnsafeBufferPointer<Element>) throws -> Result
  ) rethrows -> Result? {
    try withExtendedLifetime(owner) { try body(values) }
  }

  /// Maps a dataset's elements where they lie in the file as `type`, or decodes them.
  init(
    _ dataset: HDF5Dataset, in map: MappedFile, as type: HDF5Type, threads: Int, path: String
  ) throws(FileError) {
    let (bytes, owner) = try storedBytes(dataset, in: map, as: type, threads: threads)
    values = bytes.bindMemory(to: Element.self)
    self.owner = owner
  }
}

/// A dataset's elements as `type`, where they lie in the file or decoded, and what keeps them.
func storedBytes(
  _ dataset: HDF5Dataset, in map: MappedFile, as type: HDF5Type, threads: Int
) throws(FileError) -> (UnsafeRawBufferPointer, AnyObject) {
  if dataset.type == type,
    let bytes = try dataset.mapped(in: map)
  {
    return (bytes, map)
  }
  let memory = ColumnMemory(count: dataset.count * type.byteCount)
  if dataset.type == type {
    try dataset.decode(from: map, into: memory.bytes, threads: threads)
  } else {
    try dataset.read(as: type, into: memory.bytes)
  }
  return (UnsafeRawBufferPointer(memory.bytes), memory)
}

/// Memory for a whole column.
package final class ColumnMemory {
  package let bytes: UnsafeMutableRawBufferPointer

  package init(count: Int) { bytes = .allocate(byteCount: count, alignment: 64) }

  deinit { bytes.deallocate() }
}

/// Several owners as one.
final class Owners {
  private let members: [AnyObject]

  init(_ members: [AnyObject]) { self.members = members }
}
