import CHDF5
public import Support

/// The value of an attribute that is written.
public enum HDF5Attribute: Sendable {
  /// A signed integer.
  case integer(Int64)
  /// An unsigned integer.
  case unsigned(UInt64)
  /// A float.
  case number(Double)
  /// Text in UTF-8, of any length.
  case text(String)
}

extension HDF5File {
  /// Gives a group or a dataset attributes, which it must not have yet.
  public func setAttributes(
    _ attributes: [(name: String, value: HDF5Attribute)], of path: String
  ) throws(FileError) {
    let object = try HDF5Handle("open '\(path)'", file: name, close: H5Oclose) {
      H5Oopen(identifier, path, hid_t(H5P_DEFAULT))
    }
    let space = try HDF5Handle("make a shape", file: name, close: H5Sclose) {
      H5Screate(H5S_SCALAR)
    }
    for (key, value) in attributes {
      func write(_ type: hid_t, _ bytes: UnsafeRawPointer) throws(FileError) {
        let attribute = try HDF5Handle(
          "make attribute '\(key)' of '\(path)'", file: name, close: H5Aclose
        ) {
          H5Acreate2(
            object.identifier, key, type, space.identifier, hid_t(H5P_DEFAULT), hid_t(H5P_DEFAULT))
        }
        try checked("write attribute '\(key)' of '\(path)'", file: name) {
          H5Awrite(attribute.identifier, type, bytes)
        }
      }
      switch value {
      case .integer(var number): try write(chdf5_int64(), &number)
      case .unsigned(var number): try write(chdf5_uint64(), &number)
      case .number(var number): try write(chdf5_float64(), &number)
      case .text(let text):
        let type = try HDF5Handle("make a type of text", file: name, close: H5Tclose) {
          chdf5_make_text(0)
        }
        try text.withCString { characters in
          Result { () throws(FileError) in
            var pointer: UnsafePointer<CChar>? = characters
            try write(type.identifier, &pointer)
          }
        }.get()
      }
    }
  }

  /// Writes a list of texts, filled up with zeros to the length of the longest.
  public func write(_ path: String, texts: [String]) throws(FileError) {
    let width = max(1, texts.map(\.utf8.count).max() ?? 1)
    var bytes = [UInt8](repeating: 0, count: width * texts.count)
    for (row, text) in texts.enumerated() {
      for (place, byte) in text.utf8.enumerated() { bytes[row * width + place] = byte }
    }
    let type = try HDF5Handle("make a type of text", file: name, close: H5Tclose) {
      chdf5_make_text(width)
    }
    let dataset = try create(path, type.identifier, shape: [texts.count])
    try checked("write '\(path)'", file: name) {
      H5Dwrite(
        dataset.identifier, type.identifier, hid_t(H5S_ALL), hid_t(H5S_ALL), hid_t(H5P_DEFAULT),
        bytes)
    }
  }
}
