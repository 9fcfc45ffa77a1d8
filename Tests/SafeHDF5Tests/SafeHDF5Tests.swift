import Foundation
import HDF5
import SafeHDF5
import Storage
import Support
import TestSupport
import Testing

@testable import Formats

/// Whatever h5py stores is read as h5py reads it, or refused by its name.
struct SafeHDF5Tests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func everyWayOfStoringIsReadAsH5pyDoes() throws {
    let output = try PythonReference.run(
      "hdf5_reference.py", arguments: ["zoo", folder.url.path])
    let expected = try JSONDecoder().decode([String: [String: [Double]]].self, from: output)
    #expect(expected.count == 4)
    for (name, datasets) in expected {
      let root = try SafeFile(contentsOf: folder.url.appendingPathComponent(name)).root()
      #expect(datasets.count >= 40 && datasets["growing/both_packed"] != nil)
      for (path, values) in datasets {
        let found = try numbers(path, in: root)
        #expect(found == values, "\(name): \(path)")
      }
      #expect(name != "latest.h5" || datasets["growing/many"]?.count == 135_200)
      #expect(try numbers("soft", in: root) == [2.5])
      #expect(try numbers("links/sibling", in: root) == datasets["plain/f4"])
      #expect(try numbers("links/near/u8", in: root) == datasets["plain/u8"])
      #expect(try root.group("many").names.count == 900)
      let ordered = try root.group("ordered")
      #expect(ordered.count == 3000)
      for number in [0, 1, 1499, 2999] {
        #expect(try numbers("name_\(number)", in: ordered) == [Double(number)])
      }
      try checkAttributes(try root.group("attributes").attributes())
      #expect(try root.dataset("texts").texts() == ["demo_1", "demo_22"])
      #expect(try root.dataset("strings").texts() == ["a", "b"])
      let long = ["für Elise", "", String(repeating: "x", count: 10_000)]
      #expect(try root.dataset("long_texts").texts() == (0..<60).map { long[$0 % 3] })
    }
  }

  private func numbers(_ path: String, in root: SafeGroup) throws -> [Double] {
    let dataset = try #require(try EpisodeGroups.dataset(path, in: root))
    let type = try #require(dataset.type, "\(path): \(dataset.typeDescription)")
    // In runs of three rows, so that chunks are met at every edge; of many rows, in fewer.
    let run = max(3, dataset.rows / 500)
    var values: [Double] = []
    for first in stride(from: 0, to: dataset.rows, by: run) {
      let rows = first..<min(first + run, dataset.rows)
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

  private func checkAttributes(_ attributes: [String: AttributeValue]) throws {
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
    _ = try PythonReference.run(
      "hdf5_reference.py", arguments: ["zoo", folder.url.path, "earliest"])
    let file = folder.url.appendingPathComponent("earliest.h5")
    let root = try SafeFile(contentsOf: file).root()
    func reason(_ body: () throws -> Void) -> String {
      do {
        try body()
        return "nothing"
      } catch { return "\(error)" }
    }
    #expect(reason { _ = try root.dataset("elsewhere") }.contains("a link to another file"))
    #expect(reason { _ = try root.dataset("absent") }.contains("it is missing"))
    #expect(reason { _ = try root.dataset("many") }.contains("it must be a dataset"))
    #expect(
      reason { _ = try root.dataset("links/nowhere") }
        == "\(file.path): 'links/nowhere' cannot be read: it is missing")
    let links = try root.group("links")
    #expect(
      reason { _ = try links.dataset("nowhere") }
        == "\(file.path): 'links/nowhere' cannot be read: it leads to '/none/at/all', which is missing"
    )
    #expect(reason { _ = try links.dataset("round") }.contains("lead through more than 64 groups"))
    #expect(
      reason { _ = try root.dataset("bool").texts() }.contains("must be of texts, found bool"))
    #expect(try root.dataset("compound").typeDescription == "a compound of 8 bytes")
    let order = try root.group("order")
    #expect(try order.dataset("big_f8").conversion == "f64, which were big-endian f64")
    #expect(try order.dataset("f2").conversion == "f32, which were f16")
    #expect(try root.group("plain").dataset("f4").conversion == nil)
    for bytes in [0, 1, 7, 100, 2_000] {
      let broken = folder.url.appendingPathComponent("broken.h5")
      try Data(repeating: 0x89, count: bytes).write(to: broken)
      #expect(throws: FileError.self) { try SafeFile(contentsOf: broken).root() }
    }
  }

  @Test func snaresAreErrorsOfOneSentenceAtOnce() throws {
    let output = try PythonReference.run(
      "hdf5_reference.py", arguments: ["snares", folder.url.path])
    let whole = try JSONDecoder().decode(Int.self, from: output)
    func words(_ name: String) throws -> String {
      let url = folder.url.appendingPathComponent(name)
      let options = FormatOptions(
        goalLength: 2, maximumBytes: 1 << 20, scratch: folder.url, threads: 1)
      let error = #expect(throws: FileError.self, "\(name)") {
        _ = try Formats.guessed(url).open(url, options)
      }
      return "\(try #require(error))"
    }
    for name in ["loop.hdf5", "soft.hdf5"] {
      #expect(
        try words(name).hasSuffix(
          "'infos/a0' cannot be read: it leads back to a group that it is in"))
    }
    #expect(try words("paths.hdf5").contains("more than 10000 names"))
    #expect(
      try words("chunk.hdf5").hasSuffix(
        "'observations' cannot be read: its chunks unpack to 134217728 bytes each, and all of it has 320"
      ))
    #expect(
      try words("cut.hdf5").hasSuffix(
        "cut.hdf5: is cut short: it has \(whole - 1000) bytes and says that it has \(whole), so the last "
          + "1000 are missing"))
    let url = folder.url.appendingPathComponent("whole.hdf5")
    #expect(try Formats.guessed(url).name == "d4rl")
    // Members of an archive that nobody needs are not unpacked.
    for (name, format) in [("spare.npz", "gcsl-npz"), ("spare_rows.npz", "ogbench")] {
      let url = folder.url.appendingPathComponent(name)
      let options = FormatOptions(
        goalLength: 2, maximumBytes: 1 << 20, scratch: folder.url, threads: 1)
      let source = try Formats.named(format).open(url, options)
      #expect(source.notes.lost.contains { $0.hasPrefix("'spare', an array of shape [8388608]") })
      #expect(try source.table(of: 0..<source.lengths.count).steps == source.steps)
      #expect(format != "ogbench" || source.columns["extra/extra"] != nil)
    }
  }
}
