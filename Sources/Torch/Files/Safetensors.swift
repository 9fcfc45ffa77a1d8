internal import Foundation
import Support

/// Named tensors and some text in one file, in the format that Python's `safetensors` reads.
///
///     8 bytes     length N of the header, little-endian
///     N bytes     JSON: {"__metadata__": {text: text},
///                 name: {"dtype", "shape", "data_offsets"}, ...}
///     the rest    the tensors' values, little-endian, row-major, without gaps
///
/// The header is padded with spaces to a multiple of 8, and wider elements come first, so that
/// every tensor is aligned. Source: github.com/huggingface/safetensors, README.md, "Format".
public struct Safetensors: Sendable {
  /// The tensors, in the order in which they were given or found.
  public var tensors: [NamedTensor]
  /// Text besides the tensors.
  public var metadata: [String: String]

  /// Collects tensors for a file.
  public init(_ tensors: [NamedTensor], metadata: [String: String] = [:]) {
    self.tensors = tensors
    self.metadata = metadata
  }

  /// The tensor of a name.
  public subscript(name: String) -> Tensor? { tensors.first { $0.name == name }?.tensor }

  /// Writes the file whole or not at all; throws `FileError`.
  public func write(to path: String) throws {
    let ordered = tensors.enumerated().sorted { a, b in
      let (wide, narrow) = (a.element.tensor.elementType, b.element.tensor.elementType)
      return (-wide.byteCount, a.offset) < (-narrow.byteCount, b.offset)
    }.map(\.element)
    precondition(Set(tensors.map(\.name)).count == tensors.count, "two tensors of one name")

    var items = ["\"__metadata__\":" + (try Safetensors.json(metadata))]
    if metadata.isEmpty { items = [] }
    var end = 0
    var pieces: [[UInt8]] = []
    for entry in ordered {
      let type = entry.tensor.elementType
      let shape = entry.tensor.shape
      let start = end
      end += shape.reduce(type.byteCount, *)
      let sizes = shape.map(String.init).joined(separator: ",")
      items.append(
        "\(try Safetensors.json(entry.name)):{\"dtype\":\"\(type.safetensorsName)\","
          + "\"shape\":[\(sizes)],\"data_offsets\":[\(start),\(end)]}")
      var bytes = [UInt8](repeating: 0, count: end - start)
      bytes.withUnsafeMutableBytes { entry.tensor.read(into: $0) }
      pieces.append(bytes)
    }
    var header = Array(("{" + items.joined(separator: ",") + "}").utf8)
    header += [UInt8](repeating: 0x20, count: (8 - header.count % 8) % 8)
    let length = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) }
    let file = try PartFile(for: URL(fileURLWithPath: path))
    for piece in [length, header] + pieces { piece.withUnsafeBytes { file.append($0) } }
    try file.commit()
  }

  /// Reads a file; throws a `TorchError` that names the file and the first thing wrong in it, or a
  /// `FileError` if it cannot be read.
  public init(contentsOf path: String) throws {
    let bytes = try WholeFile.read(URL(fileURLWithPath: path), limit: .max)
    func wrong(_ text: String) -> TorchError { TorchError("\(path): \(text)") }

    let length = try Safetensors.headerLength(bytes.prefix(8), of: bytes.count, path)
    let values = 8 + length
    let header = try Safetensors.header(bytes[8..<values], path)

    // In the order of their values, which must fill the file without gap or overlap.
    let entries = header.entries.sorted {
      ($0.value.start, $0.value.end, $0.key) < ($1.value.start, $1.value.end, $1.key)
    }
    var at = 0
    tensors = []
    for (name, entry) in entries {
      guard let type = ElementType.allCases.first(where: { $0.safetensorsName == entry.dtype })
      else {
        throw wrong("'\(name)' is of the type \(entry.dtype.prefix(16)), which is not supported")
      }
      guard let size = entry.byteCount(of: type), entry.start == at, entry.end - at == size else {
        throw wrong(
          "'\(name)' is \(entry.dtype) \(entry.shape.prefix(9)) and must be at byte \(at), found it from "
            + "\(entry.start) to \(entry.end)")
      }
      guard entry.end <= bytes.count - values else {
        throw wrong("'\(name)' ends at byte \(entry.end) of \(bytes.count - values)")
      }
      let tensor = bytes.withUnsafeBytes { buffer in
        Tensor(
          bytes: size == 0 ? nil : buffer.baseAddress.map { $0 + values + at }, shape: entry.shape,
          type: type)
      }
      tensors.append(NamedTensor(name, tensor))
      at = entry.end
    }
    guard at == bytes.count - values else {
      throw wrong("the tensors end at byte \(at) of \(bytes.count - values)")
    }
    metadata = header.metadata
  }

  /// The text at the head of a file, read without the tensors, whose values must end where the file
  /// does; throws as `init` does.
  public static func metadata(of path: String) throws -> [String: String] {
    let file = URL(fileURLWithPath: path)
    let count = try WholeFile.byteCount(of: file)
    let length = try headerLength(Data(try WholeFile.first(8, of: file)), of: count, path)
    guard length <= headerLimit else {
      throw TorchError("\(path): a header has at most \(headerLimit) bytes, found \(length)")
    }
    let head = try header(Data(try WholeFile.first(8 + length, of: file)).dropFirst(8), path)
    let end = head.entries.values.map(\.end).max() ?? 0
    guard end == count - 8 - length else {
      throw TorchError("\(path): the tensors end at byte \(end) of \(count - 8 - length)")
    }
    return head.metadata
  }

  /// Bytes of a header that is read without its tensors, at most.
  private static let headerLimit = 1 << 26

  /// The length of the header that a file of `count` bytes promises in its first 8 bytes.
  private static func headerLength(
    _ first: Data, of count: Int, _ path: String
  ) throws -> Int {
    guard first.count >= 8 else {
      throw TorchError("\(path): a safetensors file begins with 8 bytes, found \(count) in all")
    }
    let length = first.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self).littleEndian }
    guard length <= UInt64(count - 8) else {
      throw TorchError("\(path): a header of \(length) bytes is promised, and \(count - 8) follow")
    }
    return Int(length)
  }

  private static func header(_ bytes: Data, _ path: String) throws -> SafetensorsHeader {
    do { return try JSONDecoder().decode(SafetensorsHeader.self, from: bytes) } catch {
      throw TorchError("\(path): the header is not JSON of the kind that safetensors have")
    }
  }

  private static func json(_ value: some Encodable) throws -> String {
    String(decoding: try JSON.line(value), as: UTF8.self)
  }
}

/// The JSON at the head of a file.
private struct SafetensorsHeader: Decodable {
  struct Entry: Decodable {
    let dtype: String
    let shape: [Int]
    let offsets: [Int]

    enum CodingKeys: String, CodingKey {
      case dtype
      case shape
      case offsets = "data_offsets"
    }

    var start: Int { offsets[0] }
    var end: Int { offsets[1] }

    /// Bytes of the shape, or `nil` for one that no tensor can have: more than 8 axes, a negative
    /// length, or more bytes than 64 bits can count.
    ///
    /// For libtorch counts steps along the axes of an empty tensor too.
    func byteCount(of type: ElementType) -> Int? {
      let steps = shape.reduce(Optional(type.byteCount)) { product, size in
        guard let product, size >= 0 else { return nil }
        let (next, overflow) = product.multipliedReportingOverflow(by: max(1, size))
        return overflow ? nil : next
      }
      guard let steps, shape.count <= 8 else { return nil }
      return shape.contains(0) ? 0 : steps
    }
  }

  struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  var entries: [String: Entry] = [:]
  var metadata: [String: String] = [:]

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    for key in container.allKeys {
      if key.stringValue == "__metadata__" {
        metadata = try container.decode([String: String].self, forKey: key)
        continue
      }
      let entry = try container.decode(Entry.self, forKey: key)
      guard entry.offsets.count == 2, entry.start >= 0, entry.end >= entry.start else {
        throw DecodingError.dataCorruptedError(
          forKey: key, in: container, debugDescription: "data_offsets are a start and an end")
      }
      entries[key.stringValue] = entry
    }
  }
}

extension ElementType {
  /// The name of the type in a file.
  fileprivate var safetensorsName: String {
    switch self {
    case .uint8: "U8"
    case .int8: "I8"
    case .int16: "I16"
    case .int32: "I32"
    case .int64: "I64"
    case .float16: "F16"
    case .float32: "F32"
    case .float64: "F64"
    case .bool: "BOOL"
    case .bfloat16: "BF16"
    }
  }
}
