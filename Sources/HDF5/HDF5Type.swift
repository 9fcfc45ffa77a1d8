import CHDF5

/// The element types that are written; all little-endian.
public enum HDF5Type: String, Sendable, Equatable, Codable, CaseIterable {
  /// A 4-byte float.
  case float32 = "f32"
  /// An 8-byte float.
  case float64 = "f64"
  /// A signed 4-byte integer.
  case int32 = "i32"
  /// A signed 8-byte integer.
  case int64 = "i64"
  /// An unsigned byte.
  case uint8 = "u8"
  /// An unsigned 8-byte integer.
  case uint64 = "u64"
  /// A signed byte.
  case int8 = "i8"
  /// A signed 2-byte integer.
  case int16 = "i16"
  /// An unsigned 2-byte integer.
  case uint16 = "u16"
  /// An unsigned 4-byte integer.
  case uint32 = "u32"
  /// A byte that is 0 or 1; in a file, h5py's enumeration of FALSE and TRUE.
  case bool

  /// Bytes of one element.
  public var byteCount: Int {
    switch self {
    case .uint8, .int8, .bool: 1
    case .int16, .uint16: 2
    case .float32, .int32, .uint32: 4
    case .float64, .int64, .uint64: 8
    }
  }

  /// The library's type, for files and for memory alike on a little-endian machine.
  var identifier: hid_t {
    switch self {
    case .float32: chdf5_float32()
    case .float64: chdf5_float64()
    case .int32: chdf5_int32()
    case .int64: chdf5_int64()
    case .uint8: chdf5_uint8()
    case .uint64: chdf5_uint64()
    case .int8: chdf5_int8()
    case .int16: chdf5_int16()
    case .uint16: chdf5_uint16()
    case .uint32: chdf5_uint32()
    case .bool: HDF5Type.boolIdentifier
    }
  }

  /// Made once, and never closed.
  private static let boolIdentifier: hid_t = {
    chdf5_prepare()
    return chdf5_make_bool()
  }()

  /// The case for a type of the library; nil for other types.
  init?(_ identifier: hid_t) {
    guard let match = HDF5Type.allCases.first(where: { H5Tequal($0.identifier, identifier) > 0 })
    else { return nil }
    self = match
  }

  /// A type of the library in words, for error messages.
  static func words(for identifier: hid_t) -> String {
    if let known = HDF5Type(identifier) { return known.rawValue }
    let bytes = H5Tget_size(identifier)
    switch H5Tget_class(identifier) {
    case H5T_INTEGER: return "a \(bytes)-byte integer of another kind"
    case H5T_FLOAT: return "a \(bytes)-byte float of another kind"
    case H5T_STRING: return "a string"
    case H5T_ENUM: return "a \(bytes)-byte enumeration"
    case H5T_COMPOUND: return "a compound of \(bytes) bytes"
    default: return "a type of \(bytes) bytes that is no number"
    }
  }
}
