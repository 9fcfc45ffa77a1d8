import HDF5
import Storage
import Support

/// Writes a pickled dictionary of numpy arrays.
///
/// Protocol 3 with the module names of numpy 1, which numpy 2 knows too, so that old code reads it;
/// 4 if an array has 4 GiB or more. The bytes are those of `pickle.dumps` but for the memo, which
/// readers do not need.
struct PickleWriter {
  private let file: PartFile
  private let isLong: Bool

  /// Begins a dictionary; `isLong` if an array has 4 GiB or more.
  init(_ file: PartFile, isLong: Bool) {
    self.file = file
    self.isLong = isLong
    append([0x80, isLong ? 4 : 3] + Array("}(".utf8))
  }

  /// Adds an array, for which there is room then.
  func add(_ array: FlatArray) -> PlacedArray {
    let (type, count) = (array.type, array.byteCount)
    let code = String(NumpyType(type).text.dropFirst())
    append(text(array.name))
    append(Array("cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n".utf8))
    append(integer(0) + [0x85] + Array("C".utf8) + [1] + Array("b".utf8) + [0x87, 0x52])
    append(Array("(".utf8) + integer(1) + Array("(".utf8))
    append(array.shape.flatMap { integer($0) } + Array("tcnumpy\ndtype\n".utf8))
    append(text(code) + [0x89, 0x88, 0x87, 0x52] + Array("(".utf8) + integer(3))
    append(text(type.byteCount == 1 ? "|" : "<") + Array("NNN".utf8))
    append(integer(-1) + integer(-1) + integer(0) + Array("tb".utf8) + [0x89])
    append(isLong ? [0x8e] + little(count, 8) : Array("B".utf8) + little(count, 4))
    let placed = PlacedArray(array, atEndOf: file)
    append(Array("tb".utf8))
    return placed
  }

  /// Ends the dictionary.
  func finish() { append(Array("u.".utf8)) }

  private func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { file.append($0) } }

  private func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  private func text(_ text: String) -> [UInt8] {
    [0x58] + little(text.utf8.count, 4) + Array(text.utf8)
  }

  private func integer(_ value: Int) -> [UInt8] {
    0..<256 ~= value ? [0x4b] + little(value, 1) : [0x4a] + little(value, 4)
  }
}
