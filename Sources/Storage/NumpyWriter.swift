import Foundation
import HDF5

/// Writes a `.npy` file whose elements are given as they come.
struct NumpyWriter {
  let file: PartFile
  private let start: Int
  private let byteCount: Int

  /// Begins a file.
  init(_ url: URL, _ type: HDF5Type, shape: [Int]) throws(StorageError) {
    let file = try PartFile(for: url)
    NumpyFile.header(type, shape: shape).withUnsafeBytes { file.append($0) }
    self.file = file
    start = file.byteCount
    byteCount = shape.reduce(type.byteCount, *)
  }

  /// Puts the file in its place.
  func commit() throws(StorageError) {
    try file.check()
    precondition(file.byteCount == start + byteCount, "an array takes \(byteCount) bytes")
    try file.commit()
  }
}
