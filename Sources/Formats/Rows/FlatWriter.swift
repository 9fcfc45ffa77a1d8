import Foundation
import HDF5
import Storage
import Support

/// Writes an HDF5 file of flat arrays, in a part that appears whole or not at all.
final class FlatWriter {
  private let request: FormatRequest
  private let composition: HDF5Composition
  private var arrays: [String: FlatArray] = [:]
  private var groups: Set<String> = []

  init(_ request: FormatRequest) throws(FileError) {
    self.request = request
    composition = try HDF5Composition(name: request.url.path)
  }

  /// Makes a group and those above it.
  func group(_ path: String) throws(FileError) {
    var walked = ""
    for part in path.split(separator: "/") {
      walked += (walked.isEmpty ? "" : "/") + part
      guard groups.insert(walked).inserted else { continue }
      try writing(composition.file) { () throws(FileError) in
        try composition.file.createGroup(walked)
      }
    }
  }

  /// Adds an array, and the groups that it lies in.
  func add(_ array: FlatArray) throws(FileError) {
    try group(array.name.split(separator: "/").dropLast().joined(separator: "/"))
    try writing(composition.file) { () throws(FileError) in
      try composition.reserve(array.name, array.type, shape: array.shape)
    }
    arrays[array.name] = array
  }

  /// Writes the file.
  func write() throws(FileError) {
    let file = try PartFile(for: request.url)
    let pieces = try writing(composition.file) { () throws(FileError) in
      try composition.finish()
    }
    var placed: [PlacedArray] = []
    for piece in pieces {
      switch piece {
      case .bytes(let bytes): file.append(bytes)
      case .dataset(let path, let byteCount):
        guard let array = arrays[path], array.byteCount == byteCount else {
          preconditionFailure("'\(path)' of \(byteCount) bytes was not added")
        }
        placed.append(PlacedArray(array, atEndOf: file))
      }
    }
    try request.fill(placed)
    try file.commit()
  }
}
