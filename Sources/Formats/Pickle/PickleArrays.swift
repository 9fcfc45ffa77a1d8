import Foundation
import Storage
import Support

/// The arrays of a pickled dictionary, where they lie in the file.
struct PickleArrays {
  /// The arrays by key, in the order of the dictionary.
  let arrays: [(key: String, array: NumpyArray)]
  /// Other contents, as `key: kind`.
  let others: [(key: String, kind: String)]

  /// Opens a pickle; `options` bounds what texts of protocol 2 are unpacked to.
  init(_ url: URL, _ options: FormatOptions) throws(FileError) {
    let map = try MappedFile.opening(url)
    let dictionary = try PickleReader.dictionary(in: map.bytes, path: url.path)
    try self.init(dictionary, in: map, url, options)
  }

  /// Locates the arrays of a dictionary of a pickle.
  init(
    _ dictionary: PickleDictionary, in map: MappedFile, _ url: URL, _ options: FormatOptions
  ) throws(FileError) {
    var arrays: [(key: String, array: NumpyArray)] = []
    var others: [(key: String, kind: String)] = []
    for (key, value) in dictionary.entries {
      guard case .array(let pickled) = value, let contents = pickled.contents else {
        others.append((key, value.kind))
        continue
      }
      let type = contents.type.type
      guard let known = type.type, !contents.shape.isEmpty else {
        others.append((key, "an array of \(type.words) and shape \(contents.shape)"))
        continue
      }
      let span = contents.bytes
      let raw = UnsafeRawBufferPointer(
        rebasing: map.bytes[span.offset..<(span.offset + span.count)])
      if span.isEncoded {
        let memory = try PickleArrays.decoded(
          raw, count: NumpyArray.byteCount(known, type.form, contents.shape), key: key, url: url,
          options)
        arrays.append(
          (
            key,
            try NumpyArray(
              key, in: url.path, type: known, type.form, shape: contents.shape,
              isFortran: contents.isFortran, bytes: memory.bytes, owner: memory)
          ))
      } else {
        arrays.append(
          (
            key,
            try NumpyArray(
              key, in: url.path, type: known, type.form, shape: contents.shape,
              isFortran: contents.isFortran, bytes: raw, owner: map)
          ))
      }
    }
    if dictionary.unnamed > 0 {
      others.append(("\(dictionary.unnamed) keys", "which are no short texts, and what they name"))
    }
    self.arrays = arrays
    self.others = others.map { (shown($0.key), $0.kind) }
  }

  /// The conversions of arrays that are stored in another way.
  var conversions: [String] { arrays.compactMap(\.array.conversion) }

  /// The array of a key.
  func array(_ key: String, in url: URL) throws(FileError) -> NumpyArray {
    guard let found = arrays.first(where: { $0.key == key })?.array else {
      if let other = others.first(where: { $0.key == key }) {
        throw .cannotConvert(url.path, reason: "'\(key)' is \(other.kind), which cannot be read")
      }
      let keys = arrays.prefix(8).map { shown($0.key) }.joined(separator: ", ")
      throw .malformed(
        url.path, rule: "the dictionary must have an array '\(key)'",
        found: keys.isEmpty ? "no arrays" : "arrays \(keys)")
    }
    return found
  }

  /// Latin-1 text that is written as UTF-8, as bytes in scratch memory.
  private static func decoded(
    _ text: UnsafeRawBufferPointer, count: Int?, key: String, url: URL, _ options: FormatOptions
  ) throws(FileError) -> MappedFile {
    // Each byte takes one or two of the text.
    guard let count, count > 0, count <= text.count, text.count <= 2 * count else {
      throw .malformed(
        url.path, rule: "'\(shown(key))' must have as many bytes as its shape takes",
        found: "a text of \(text.count) for \(count ?? 0)")
    }
    let scratch = try options.scratchMemory(count, for: url)
    let target = scratch.scratchBytes
    var (place, written) = (0, 0)
    while place < text.count, written < count {
      let byte = text[place]
      if byte < 0x80 {
        target[written] = byte
        place += 1
      } else {
        guard byte == 0xc2 || byte == 0xc3, place + 1 < text.count, text[place + 1] & 0xc0 == 0x80
        else { break }
        target[written] = (byte & 3) << 6 | text[place + 1] & 0x3f
        place += 2
      }
      written += 1
    }
    guard place == text.count, written == count else {
      throw .malformed(
        url.path, rule: "'\(shown(key))' must be \(count) bytes written as latin1",
        found: "\(written), then other text at its byte \(place)")
    }
    return scratch
  }
}
