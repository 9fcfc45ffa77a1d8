import Foundation
import Support
import TestSupport
import Testing

@testable import Formats

/// What the pickle reader refuses, and that it says where.
struct PickleTests {
  private func message(_ parts: [UInt8]...) -> String {
    let bytes = parts.flatMap { $0 }
    return bytes.withUnsafeBytes { raw in
      do throws(FileError) {
        let dictionary = try PickleReader.dictionary(in: raw, path: "buffer.pkl")
        return "read \(dictionary.entries.map { $0.value.kind })"
      } catch {
        return error.description
      }
    }
  }

  private func text(_ text: String) -> [UInt8] {
    [0x8c, UInt8(text.utf8.count)] + Array(text.utf8)
  }

  @Test func anEmptyDictionaryIsRead() {
    #expect(message([0x80, 2, 0x7d, 0x2e]) == "read []")
  }

  @Test func otherOperationsAreRefusedByName() {
    #expect(
      message([0x80, 4, 0x7d, 0x81, 0x2e])
        == "buffer.pkl: the pickle has the operation NEWOBJ at byte 3, which is none of those that are "
        + "read; nothing of it was run")
    #expect(message([0x80, 4, 0x97]).contains("NEXT_BUFFER at byte 2"))
    #expect(message([0x80, 4, 0xff]).contains("0xff at byte 2"))
  }

  @Test(arguments: [
    "os system", "builtins eval", "numpy load", "posix system", "numpy.core.multiarray array",
  ])
  func otherNamesAreRefused(name: String) {
    let parts = name.split(separator: " ").map(String.init)
    let words = "has the name '\(parts[0]).\(parts[1])'"
    #expect(
      message([0x80, 4], text(parts[0]), text(parts[1]), [0x93, 0x2e]).contains(words))
    #expect(
      message([0x80, 2], Array("c\(parts[0])\n\(parts[1])\n.".utf8)).contains(words + " at byte 2"))
  }

  @Test func thePlaceOfAFaultIsSaid() {
    #expect(message([]).contains("must end with STOP at byte 0, found the file's end"))
    #expect(message([0x80, 9, 0x2e]).contains("must be of protocol 2 to 5 at byte 0, found 9"))
    #expect(message([0x28, 0x2e]).contains("must begin with a protocol"))
    #expect(message([0x80, 2, 0x2e]).contains("must have a value to take at byte 2, found none"))
    #expect(message([0x80, 2, 0x68, 7]).contains("number 7"))
    #expect(message([0x80, 2, 0x4e, 0x2e]).contains("a dictionary of arrays, found None"))
    let absurd = message([0x80, 4, 0x8e] + [UInt8](repeating: 0x7f, count: 8))
    #expect(absurd.contains("must have 9187201950435737471 bytes there at byte 2, found 0 before"))
    #expect(
      message([0x80, 4, 0x8e] + [UInt8](repeating: 0xff, count: 8)).contains("lengths below 2^63"))
  }

  @Test func depthAndNumbersAreBounded() {
    #expect(
      message([0x80, 2, 0x29], [UInt8](repeating: 0x85, count: 100_000)).contains("at most 8 deep"))
    #expect(
      message([0x80, 2], [UInt8](repeating: 0x28, count: 100_000)).contains("at most 10000 things"))
    #expect(
      message([0x80, 2], [UInt8](repeating: 0x4e, count: 100_000)).contains("at most 10000 things"))
    let loop: [UInt8] = (0..<2_200_000).map { $0 % 2 == 0 ? 0x4e : 0x30 }
    #expect(message([0x80, 2], loop).contains("at most 2000000 operations"))
  }
}
