import HDF5
import SafeHDF5
import Storage
import Support

/// An element type as numpy writes it, such as `<f8`.
struct NumpyType: Equatable, Sendable {
  /// numpy's text.
  let text: String
  /// Ours, f32 for half floats; nil for types that we do not have, such as strings and objects.
  let type: HDF5Type?
  /// How numbers are stored.
  let form: NumberForm

  /// It for people: what it is if it cannot be read.
  var words: String {
    let code = text.drop { "<>|=".contains($0) }
    let kinds: [Character: String] = [
      "f": "floats", "i": "integers", "u": "integers from 0", "c": "complex numbers",
      "O": "objects",
      "U": "texts", "S": "texts", "V": "records", "M": "times", "m": "times",
    ]
    guard let first = code.first, let kind = kinds[first] else { return "type '\(shown(text))'" }
    let bytes = Int(code.dropFirst()).map { " of \(first == "U" ? 4 * $0 : $0) bytes" } ?? ""
    return (text.hasPrefix(">") ? "big-endian " : "") + kind + bytes
  }

  private static let known: [(code: String, type: HDF5Type)] = [
    ("f4", .float32), ("f8", .float64), ("i1", .int8), ("i2", .int16), ("i4", .int32),
    ("i8", .int64), ("u1", .uint8), ("u2", .uint16), ("u4", .uint32), ("u8", .uint64),
    ("b1", .bool),
  ]

  /// Reads `<f8`, `|u1`, or a code without an order.
  init(_ text: String) {
    self.text = text
    let code = text.drop { "<>|=".contains($0) }
    let isHalf = code == "f2"
    type = isHalf ? .float32 : NumpyType.known.first { $0.code == code }?.type
    form = NumberForm(
      isBigEndian: text.hasPrefix(">") && (isHalf || type?.byteCount ?? 1 > 1), isHalf: isHalf)
  }

  init(_ type: HDF5Type) {
    self.type = type
    form = NumberForm()
    guard let code = NumpyType.known.first(where: { $0.type == type })?.code else {
      preconditionFailure("numpy has no \(type.rawValue)")
    }
    text = (type.byteCount == 1 ? "|" : "<") + code
  }
}
