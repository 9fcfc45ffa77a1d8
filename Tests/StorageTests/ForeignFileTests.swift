import Foundation
import HDF5
import TestSupport
import Testing

@testable import Storage

/// Whatever h5py stores is read as h5py reads it, or refused by its name.
struct ForeignFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func everyWayOfStoringIsReadAsH5pyDoes() throws {
    let output = try PythonReference.run(
      "hdf5_reference.py", arguments: ["zoo", folder.url.path])
    let expected = try JSONDecoder().decode([String: [String: [Double]]].self, from: output)
    #expect(expected.count == 4)
    for (name, datasets) in expected {
      let root = try ForeignFile(contentsOf: folder.url.appendingPathComponent(name)).root()
      #expect(datasets.count >= 21)
      for (path, values) in datasets {
        let found = try numbers(path, in: root)
        #expect(found == values, "\(name): \(path)")
      }
      #expect(try root.group("many").names.count == 900)
      let ordered = try root.group("ordered")
      #expect(ordered.count == 3000)
      for number in [0, 1, 1499, 2999] {
        #expect(try numbers("name_\(number)", in: ordered) == [Double(number)])
      }
      try checkAttributes(try root.group("attributes").attributes())
      #expect(try root.dataset("texts").texts() == ["demo_1", "demo_22"])
    }
  }

  private func numbers(_ path: String, in root: ForeignGroup) throws -> [Double] {
    let dataset = try #require(try EpisodeGroups.dataset(path, in: root))
    let type = try #require(dataset.type, "\(path): \(dataset.typeDescription)")
    // In runs of three rows, so that chunks are met at every edge.
    var values: [Double] = []
    for first in stride(from: 0, to: dataset.rows, by: 3) {
      let rows = first..<min(first + 3, dataset.rows)
      let memory = ColumnMemory(count: rows.count * dataset.rowBytes)
      guard memory.bytes.count > 0 else { continue }
      try dataset.read(rows, into: memory.bytes)
      values += TableColumn(
        type, rowShape: dataset.rowShape, axis: .steps,
        bytes: UnsafeRawBufferPointer(memory.bytes), owner: memory
      ).doubles()
    }
    return values
  }

  private func checkAttributes(_ attributes: [String: ForeignValue]) throws {
    #expect(attributes.count == 36)
    for number in 0..<30 {
      #expect(attributes["number_\(number)"] == .number(Double(number) * 1.5))
    }
    #expect(attributes["text"] == .text("für Elise") && attributes["fixed"] == .text("abc"))
    #expect(attributes["seed"] == .large(.max) && attributes["minus"] == .integer(-5))
    #expect(attributes["flag"] == .integer(1))
    #expect(attributes["list"] == .other("i64 of shape [3]"))
  }

  @Test func whatIsNotReadIsNamed() throws {
    _ = try PythonReference.run("hdf5_reference.py", arguments: ["zoo", folder.url.path])
    let file = folder.url.appendingPathComponent("earliest.h5")
    let root = try ForeignFile(contentsOf: file).root()
    func reason(_ body: () throws -> Void) -> String {
      do {
        try body()
        return "nothing"
      } catch { return "\(error)" }
    }
    #expect(
      reason { _ = try root.dataset("soft") }
        == "\(file.path): 'soft' cannot be read: it is a soft link, and none is followed")
    #expect(reason { _ = try root.dataset("elsewhere") }.contains("a link to another file"))
    #expect(reason { _ = try root.dataset("absent") }.contains("it is missing"))
    #expect(reason { _ = try root.dataset("many") }.contains("it must be a dataset"))
    #expect(reason { _ = try root.dataset("strings").texts() }.contains("texts of one length"))
    #expect(try root.dataset("big_endian").type == nil)
    for bytes in [0, 1, 7, 100, 2_000] {
      let broken = folder.url.appendingPathComponent("broken.h5")
      try Data(repeating: 0x89, count: bytes).write(to: broken)
      #expect(throws: HDF5Error.self) { try ForeignFile(contentsOf: broken).root() }
    }
  }
}
