import Foundation
import Storage
import Support

/// A `.npy` file in the making.
struct NumpyWriter {
  private let file: PartFile
  /// Its array, which is to be written before the file is put in its place.
  let array: PlacedArray

  /// Begins a file.
  init(_ url: URL, _ array: FlatArray) throws(FileError) {
    let file = try PartFile(for: url)
    NumpyFile.header(array.type, shape: array.shape).withUnsafeBytes { file.append($0) }
    self.file = file
    self.array = PlacedArray(array, atEndOf: file)
  }

  /// Puts the file in its place.
  func commit() throws(FileError) { try file.commit() }
}
