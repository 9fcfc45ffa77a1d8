import Foundation
import Reporting
import Storage
import Support

/// A file of events that TensorBoard reads: scalars and histograms by update.
///
/// It is a sequence of records, each
///
///     8 bytes   length N, little-endian          4 bytes   masked CRC-32C of these 8
///     N bytes   a message `Event`                4 bytes   masked CRC-32C of the message
///
/// The first event says `brain.Event:2`. The messages are `Event`, `Summary`, `HistogramProto` of
/// TensorFlow's `event.proto` and `summary.proto`; the framing that of its `record_writer.cc`.
struct TensorBoardEvents {
  private let file: URL

  /// Opens the file; events after `updates` are dropped, since those updates are made again, and a
  /// last one that was cut short.
  ///
  /// Throws `ExperimentError.damaged` if a record's length does not fit its check.
  init(_ file: URL, upTo updates: Int) throws {
    self.file = file
    var start = Self.record(of: Self.event(at: 0, Date(), field: 3, Array("brain.Event:2".utf8)))
    if updates > 0, FileManager.default.fileExists(atPath: file.path) {
      let kept = try Self.records(
        of: [UInt8](try WholeFile.read(file)), upTo: updates, path: file.path)
      if !kept.isEmpty { start = kept }
    }
    try WholeFile.write(Data(start), to: file)
  }

  /// Appends the numbers and the distributions that were found at an update.
  func append(
    _ update: Int, scalars: [(name: String, value: Double)] = [],
    histograms: [(name: String, values: [Float])] = []
  ) throws {
    var summary = ProtocolBuffer()
    for (name, value) in scalars {
      var entry = ProtocolBuffer()
      entry.add(1, Array(name.utf8))
      entry.add(2, float: Float(value))
      summary.add(1, entry.bytes)
    }
    for (name, values) in histograms {
      var entry = ProtocolBuffer()
      entry.add(1, Array(name.utf8))
      entry.add(5, Self.histogram(of: values))
      summary.add(1, entry.bytes)
    }
    let event = Self.event(at: update, Date(), field: 5, summary.bytes)
    try appendBytes(Data(Self.record(of: event)), to: file)
  }

  // MARK: - Messages

  /// An `Event`: wall time, step, and one other field.
  private static func event(
    at update: Int, _ time: Date, field: Int, _ content: [UInt8]
  ) -> [UInt8] {
    var event = ProtocolBuffer()
    event.add(1, double: time.timeIntervalSince1970)
    event.add(2, integer: UInt64(update))
    event.add(field, content)
    return event.bytes
  }

  /// A `HistogramProto`: the bins' upper ends, none of which is below a value of its bin.
  private static func histogram(of values: [Float]) -> [UInt8] {
    let numbers = values.map(Double.init).filter(\.isFinite)
    let bins = Histogram(numbers)
    var message = ProtocolBuffer()
    message.add(1, double: numbers.min() ?? 0)
    message.add(2, double: numbers.max() ?? 0)
    message.add(3, double: Double(numbers.count))
    message.add(4, double: numbers.reduce(0, +))
    message.add(5, double: numbers.reduce(0) { $0 + $1 * $1 })
    let ends = bins.counts.indices.map { bins.low + Double($0 + 1) * bins.width }
    message.add(6, doubles: ends)
    message.add(7, doubles: bins.counts.map(Double.init))
    return message.bytes
  }

  // MARK: - Records

  private static func record(of message: [UInt8]) -> [UInt8] {
    let length = bytes(UInt64(message.count))
    return length + bytes(CRC32C.masked(length)) + message + bytes(CRC32C.masked(message))
  }

  private static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { Array($0) }
  }

  /// The whole records at the start of a file whose events are of at most `updates`.
  private static func records(
    of file: [UInt8], upTo updates: Int, path: String
  ) throws -> [UInt8] {
    var end = 0
    while end + 16 <= file.count {
      let (length, check) = file.withUnsafeBytes {
        (
          $0.loadUnaligned(fromByteOffset: end, as: UInt64.self).littleEndian,
          $0.loadUnaligned(fromByteOffset: end + 8, as: UInt32.self).littleEndian
        )
      }
      guard check == CRC32C.masked(Array(file[end..<(end + 8)])) else {
        throw ExperimentError.damaged(
          path: path, reason: "the record at byte \(end) must have a length that fits its check")
      }
      guard length >= 11, length <= UInt64(file.count - end - 16),
        step(of: file[(end + 12)..<(end + 12 + Int(length))]) <= UInt64(updates)
      else { break }
      end += 16 + Int(length)
    }
    return Array(file[..<end])
  }

  /// The step of an event as `event` writes it: after a tag and a double comes a tag and a varint.
  private static func step(of event: ArraySlice<UInt8>) -> UInt64 {
    var step: UInt64 = 0
    for (place, byte) in event.dropFirst(10).prefix(9).enumerated() {
      step |= UInt64(byte & 127) << (7 * place)
      if byte < 128 { break }
    }
    return step
  }
}

/// A message of protocol buffers in the making.
private struct ProtocolBuffer {
  private(set) var bytes: [UInt8] = []

  mutating func add(_ field: Int, integer: UInt64) {
    varint(UInt64(field) << 3)
    varint(integer)
  }

  mutating func add(_ field: Int, double: Double) {
    varint(UInt64(field) << 3 | 1)
    withUnsafeBytes(of: double.bitPattern.littleEndian) { bytes += $0 }
  }

  mutating func add(_ field: Int, float: Float) {
    varint(UInt64(field) << 3 | 5)
    withUnsafeBytes(of: float.bitPattern.littleEndian) { bytes += $0 }
  }

  /// Text, or another message.
  mutating func add(_ field: Int, _ content: [UInt8]) {
    varint(UInt64(field) << 3 | 2)
    varint(UInt64(content.count))
    bytes += content
  }

  /// A packed list.
  mutating func add(_ field: Int, doubles: [Double]) {
    var packed: [UInt8] = []
    for number in doubles {
      withUnsafeBytes(of: number.bitPattern.littleEndian) { packed += $0 }
    }
    add(field, packed)
  }

  private mutating func varint(_ number: UInt64) {
    var rest = number
    while rest > 127 {
      bytes.append(UInt8(rest & 127) | 128)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}

/// The cyclic redundancy check of Castagnoli's polynomial, as record files use it.
enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { start in
    (0..<8).reduce(UInt32(start)) { value, _ in
      value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1
    }
  }

  /// The check of some bytes (RFC 3720, appendix B.4).
  static func check(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(UInt32.max) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
  }

  /// The check, turned by 15 bits to the right, plus a constant.
  static func masked(_ bytes: [UInt8]) -> UInt32 {
    let value = check(bytes)
    return (value >> 15 | value << 17) &+ 0xA282_EAD8
  }
}
