public import HDF5
import Support

/// The type of a dataset's or an attribute's elements.
enum ElementType: Equatable, Sendable {
  /// A number, and how it is stored.
  case number(HDF5Type, NumberForm)
  /// Text of so many bytes, filled up with zeros or spaces.
  case text(bytes: Int)
  /// Text in the file's global heap, to which so many bytes refer.
  case variableText(bytes: Int)
  /// Any other, in words; elements of so many bytes.
  case other(String, bytes: Int)

  /// Bytes of a stored element.
  var byteCount: Int {
    switch self {
    case .number(let type, let form): form.isHalf ? 2 : type.byteCount
    case .text(let bytes), .variableText(let bytes), .other(_, let bytes): bytes
    }
  }

  /// It in words.
  var words: String {
    switch self {
    case .number(let type, let form):
      form.words(type)
    case .text(let bytes): "text of \(bytes) bytes"
    case .variableText: "text"
    case .other(let words, _): words
    }
  }

  /// Reads a datatype message.
  init(_ cursor: inout ByteCursor) throws(FileError) {
    let head = try cursor.byte()
    let flags = Int(try cursor.number(3))
    let size = try cursor.word()
    guard size > 0 else { throw cursor.damaged("its elements have no bytes") }
    switch head & 15 {
    case 0:
      let (offset, bits) = (try cursor.short(), try cursor.short())
      self = ElementType.integer(size, flags, isWhole: offset == 0 && bits == 8 * size)
    case 1: self = ElementType.float(size, flags, Array(try cursor.bytes(12)))
    case 3: self = .text(bytes: size)
    case 8: self = try ElementType.enumeration(&cursor, version: head >> 4, flags, size)
    case 9:
      self =
        flags & 15 == 1 ? .variableText(bytes: size) : .other("lists of any length", bytes: size)
    case 6: self = .other("a compound of \(size) bytes", bytes: size)
    default: self = .other("a type of \(size) bytes that is no number", bytes: size)
    }
  }

  private static func integer(_ size: Int, _ flags: Int, isWhole: Bool) -> ElementType {
    let types: [Int: (HDF5Type, HDF5Type)] = [
      1: (.int8, .uint8), 2: (.int16, .uint16), 4: (.int32, .uint32), 8: (.int64, .uint64),
    ]
    guard isWhole, let (signed, unsigned) = types[size] else {
      return .other("a \(size)-byte integer of another kind", bytes: size)
    }
    return .number(
      flags & 8 != 0 ? signed : unsigned, NumberForm(isBigEndian: size > 1 && flags & 1 != 0))
  }

  /// A float as IEEE 754 has it; `layout` is the bits' offset and number, then those of the
  /// exponent and the fraction, then the exponent's bias.
  private static func float(_ size: Int, _ flags: Int, _ layout: [UInt8]) -> ElementType {
    let known: [Int: (HDF5Type, [UInt8])] = [
      2: (.float32, [0, 0, 16, 0, 10, 5, 0, 10, 15, 0, 0, 0]),
      4: (.float32, [0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0]),
      8: (.float64, [0, 0, 64, 0, 52, 11, 0, 52, 255, 3, 0, 0]),
    ]
    // Bits 0 and 6 are the order of bytes, 4 and 5 that the first bit of a fraction is left out.
    guard let (type, expected) = known[size], layout == expected, flags & 0x40 == 0,
      flags & 0x30 == 0x20, flags >> 8 & 0xff == 8 * size - 1
    else { return .other("a \(size)-byte float of another kind", bytes: size) }
    return .number(type, NumberForm(isBigEndian: flags & 1 != 0, isHalf: size == 2))
  }

  private static func enumeration(
    _ cursor: inout ByteCursor, version: Int, _ flags: Int, _ size: Int
  ) throws(FileError) -> ElementType {
    let other = ElementType.other("a \(size)-byte enumeration", bytes: size)
    guard flags & 0xffff == 2,
      try ElementType(&cursor) == .number(.int8, NumberForm())
    else { return other }
    for expected in ["FALSE", "TRUE"] {
      let start = cursor.position
      guard try cursor.terminatedText() == expected else { return other }
      if version < 3 { cursor.position = start + (cursor.position - start + 7) / 8 * 8 }
    }
    let values = (try cursor.byte(), try cursor.byte())
    return values == (0, 1) ? .number(.bool, NumberForm()) : other
  }
}

/// How a number is stored if not as `HDF5Type` has it.
public struct NumberForm: Equatable, Sendable {
  /// Whether its first byte is the highest.
  public var isBigEndian: Bool
  /// Whether it is a float of two bytes, which is read as one of four.
  public var isHalf: Bool

  /// A form; as `HDF5Type` has it if nothing is said.
  public init(isBigEndian: Bool = false, isHalf: Bool = false) {
    self.isBigEndian = isBigEndian
    self.isHalf = isHalf
  }

  /// Whether numbers are stored as `HDF5Type` has them.
  public var isPlain: Bool { !isBigEndian && !isHalf }

  /// Stored numbers of `type` in words, as in "big-endian f16".
  public func words(_ type: HDF5Type) -> String {
    (isBigEndian ? "big-endian " : "") + (isHalf ? "f16" : type.rawValue)
  }

  /// Makes numbers of `type` of those that are stored; of half floats, they are in the second half
  /// of `memory`.
  public func restore(_ type: HDF5Type, in memory: UnsafeMutableRawBufferPointer) {
    if isHalf {
      let count = memory.count / 4
      for place in 0..<count {
        let bits = memory.loadUnaligned(fromByteOffset: 2 * count + 2 * place, as: UInt16.self)
        let value = NumberForm.float(half: isBigEndian ? bits.byteSwapped : bits)
        memory.storeBytes(of: value, toByteOffset: 4 * place, as: Float.self)
      }
    } else if isBigEndian {
      switch type.byteCount {
      case 2: swap(UInt16.self, in: memory)
      case 4: swap(UInt32.self, in: memory)
      case 8: swap(UInt64.self, in: memory)
      default: break
      }
    }
  }

  private func swap<Word: FixedWidthInteger & BitwiseCopyable>(
    _: Word.Type, in memory: UnsafeMutableRawBufferPointer
  ) {
    for place in stride(from: 0, to: memory.count, by: MemoryLayout<Word>.size) {
      let word = memory.loadUnaligned(fromByteOffset: place, as: Word.self)
      memory.storeBytes(of: word.byteSwapped, toByteOffset: place, as: Word.self)
    }
  }

  /// The same number as a half float of IEEE 754, which is exact.
  static func float(half bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10 & 31)
    let fraction = UInt32(bits & 1023)
    switch exponent {
    case 0: return (sign == 0 ? 1 : -1) * Float(fraction) * 0x1p-24
    case 31: return Float(bitPattern: sign | 0x7f80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }
}

/// The lengths of a dataset's axes, and what they can grow to.
struct Dataspace: Sendable {
  let shape: [Int]
  /// The largest length of an axis; nil for an unlimited one.
  let limits: [Int?]

  /// Reads a dataspace message; nil for a null dataspace, which has no elements.
  init?(_ cursor: inout ByteCursor) throws(FileError) {
    let version = try cursor.byte()
    let rank = try cursor.byte()
    let flags = try cursor.byte()
    switch version {
    case 1: try cursor.skip(5)
    case 2: if try cursor.byte() == 2 { return nil }
    default: throw cursor.damaged("its shape is of no known version")
    }
    guard rank <= 32 else { throw cursor.damaged("it has \(rank) axes") }
    var shape: [Int] = []
    var count = 1
    for _ in 0..<rank {
      let length = try cursor.length()
      // An axis of none counts as one: the others are multiplied without it, as in the bytes of a
      // row.
      let (product, overflowed) = count.multipliedReportingOverflow(by: max(1, length))
      guard !overflowed, product < 1 << 48 else {
        throw cursor.damaged("its shape is \(shape + [length])")
      }
      count = product
      shape.append(length)
    }
    var limits = shape.map { Optional($0) }
    if flags & 1 != 0 {
      for axis in shape.indices {
        let limit = try cursor.number(cursor.sizes.length)
        if limit == UInt64.max >> (64 - 8 * UInt64(cursor.sizes.length)) {
          limits[axis] = nil
        } else if limit >= shape[axis], limit < 1 << 48 {
          limits[axis] = Int(limit)
        } else {
          throw cursor.damaged("axis \(axis) has \(shape[axis]) of at most \(limit)")
        }
      }
    }
    self.shape = shape
    self.limits = limits
  }
}
