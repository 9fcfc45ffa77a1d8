import Foundation
import HDF5
import SafeHDF5
import Storage
import Support

/// numpy's `.npy`: a header in text, then an array's bytes.
///
/// Source: numpy 2.4, `numpy/lib/_format_impl.py`. Versions 1 to 3 are read, 1 is written. Arrays
/// of records, strings and objects are refused.
enum NumpyFile {
  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  /// The longest header that is read, as numpy has it.
  private static let headerLimit = 10_000

  /// So many bytes at a file's start have its whole header.
  static let headerRoom = 12 + headerLimit

  /// The description of an array in a file's first bytes.
  struct Header {
    /// The element type.
    let type: HDF5Type
    /// How elements are stored.
    let form: NumberForm
    /// Lengths of the axes; there is one, and none is 0.
    let shape: [Int]
    /// Whether the first axis is the fastest.
    let isFortran: Bool
    /// Where the elements begin.
    let start: Int

    /// Reads a header; `name` and `path` are for messages.
    init(_ name: String, in path: String, bytes: [UInt8]) throws(FileError) {
      let name = shown(name)
      guard bytes.count >= 12, bytes.prefix(6).elementsEqual(magic) else {
        throw .malformed(
          path, rule: "'\(name)' must begin as a .npy file, at byte 0",
          found: "\(Array(bytes.prefix(6)))")
      }
      let version = bytes[6]
      guard (1...3).contains(version) else {
        throw .malformed(
          path, rule: "'\(name)' must be of .npy version 1 to 3", found: "\(version)")
      }
      let start = version == 1 ? 10 : 12
      let length = bytes.withUnsafeBytes { Int($0.number(8, version == 1 ? 2 : 4)) }
      guard length <= headerLimit, start + length <= bytes.count else {
        throw .malformed(
          path,
          rule:
            "'\(name)' must have a header of at most \(min(headerLimit, bytes.count - start)) bytes",
          found: "\(length)")
      }
      var header = NumpyHeader(
        text: Array(bytes[start..<(start + length)]), name: name, path: path, offset: start)
      let (type, shape, isFortran) = try header.read()
      guard let known = type.type else {
        throw .cannotConvert(
          path,
          reason: "'\(name)' has \(type.words) for elements, which cannot be read")
      }
      guard shape.allSatisfy({ $0 > 0 }), !shape.isEmpty else {
        throw .cannotConvert(
          path, reason: "'\(name)' must be a row or more of elements, its shape is \(shape)")
      }
      (self.type, self.shape, self.isFortran, self.start) = (
        known, shape, isFortran, start + length
      )
      form = type.form
    }
  }

  /// The array that a file's bytes hold; `name` and `path` are for messages.
  static func array(
    _ name: String, in path: String, bytes: UnsafeRawBufferPointer, owner: AnyObject
  ) throws(FileError) -> NumpyArray {
    let header = try Header(name, in: path, bytes: Array(bytes.prefix(headerRoom)))
    return try NumpyArray(
      shown(name), in: path, type: header.type, header.form, shape: header.shape,
      isFortran: header.isFortran,
      bytes: UnsafeRawBufferPointer(rebasing: bytes[header.start...]), owner: owner)
  }

  /// Opens a `.npy` file.
  static func open(_ url: URL) throws(FileError) -> NumpyArray {
    let map = try MappedFile.opening(url)
    return try array(url.lastPathComponent, in: url.path, bytes: map.bytes, owner: map)
  }

  /// The header of an array whose last axis is the fastest, of a length that is a multiple of 64.
  static func header(_ type: HDF5Type, shape: [Int]) -> [UInt8] {
    let axes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    let text =
      "{'descr': '\(NumpyType(type).text)', 'fortran_order': False, 'shape': (\(axes)), }"
    let length = (10 + text.utf8.count + 1 + 63) / 64 * 64 - 10
    let padding = String(repeating: " ", count: length - text.utf8.count - 1)
    return magic + [1, 0, UInt8(length & 255), UInt8(length >> 8)]
      + Array((text + padding + "\n").utf8)
  }
}

extension MappedFile {
  /// Maps a file, or says in our words why it cannot be.
  static func opening(_ url: URL) throws(FileError) -> MappedFile {
    guard FileManager.default.fileExists(atPath: url.path) else { throw .missing(url.path) }
    return try MappedFile(contentsOf: url)
  }
}

/// The Python literal in a header: a dictionary of a text, a truth value and a tuple of numbers.
private struct NumpyHeader {
  let text: [UInt8]
  let name: String
  let path: String
  /// Where the text begins in the file.
  let offset: Int
  private var position = 0

  init(text: [UInt8], name: String, path: String, offset: Int) {
    self.text = text
    self.name = name
    self.path = path
    self.offset = offset
  }

  mutating func read() throws(FileError) -> (NumpyType, shape: [Int], isFortran: Bool) {
    var (type, shape, isFortran): (NumpyType?, [Int]?, Bool?)
    try expect("{")
    while !take("}") {
      let key = try quoted()
      try expect(":")
      switch key {
      case "descr" where type == nil: type = NumpyType(try quoted())
      case "fortran_order" where isFortran == nil: isFortran = try truth()
      case "shape" where shape == nil: shape = try numbers()
      default: throw failure("the keys descr, fortran_order and shape, once each")
      }
      if !take(",") {
        try expect("}")
        break
      }
    }
    guard let type, let shape, let isFortran else {
      throw failure("the keys descr, fortran_order and shape")
    }
    return (type, shape, isFortran)
  }

  private mutating func skipBlanks() {
    while position < text.count, text[position] == 0x20 || text[position] == 0x0a { position += 1 }
  }

  private mutating func take(_ mark: Character) -> Bool {
    skipBlanks()
    guard position < text.count, text[position] == mark.asciiValue else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ mark: Character) throws(FileError) {
    guard take(mark) else { throw failure("'\(mark)'") }
  }

  private mutating func quoted() throws(FileError) -> String {
    skipBlanks()
    guard position < text.count, text[position] == 0x27 || text[position] == 0x22 else {
      throw failure("a quoted text")
    }
    let quote = text[position]
    let start = position + 1
    guard let end = text[start...].prefix(64).firstIndex(of: quote) else {
      throw failure("the end of a short text")
    }
    position = end + 1
    return String(decoding: text[start..<end], as: UTF8.self)
  }

  private mutating func truth() throws(FileError) -> Bool {
    skipBlanks()
    for (word, value) in [("True", true), ("False", false)]
    where text[position...].starts(with: word.utf8) {
      position += word.utf8.count
      return value
    }
    throw failure("True or False")
  }

  private mutating func numbers() throws(FileError) -> [Int] {
    try expect("(")
    var numbers: [Int] = []
    while !take(")") {
      skipBlanks()
      let digits = text[position...].prefix(19).prefix { (0x30...0x39).contains($0) }
      guard let number = Int(String(decoding: digits, as: UTF8.self)), numbers.count < 32 else {
        throw failure("at most 32 numbers")
      }
      numbers.append(number)
      position += digits.count
      if !take(",") {
        try expect(")")
        break
      }
    }
    return numbers
  }

  private func failure(_ expected: String) -> FileError {
    let found = String(decoding: text[position...].prefix(16), as: UTF8.self)
    return .malformed(
      path, rule: "the header of '\(name)' must have \(expected) at byte \(offset + position)",
      found: found.isEmpty ? "its end" : found.debugDescription)
  }
}
