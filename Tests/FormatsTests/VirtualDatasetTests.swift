import Foundation
import Storage
import Support
import TestSupport
import Testing

@testable import Formats
@testable import SafeHDF5

/// Virtual datasets are read as h5py reads them, out of their own folder alone, or refused by name.
struct VirtualDatasetTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func partsOfOtherFilesAreReadAsH5pyDoes() throws {
    let output = try PythonReference.run(
      "hdf5_reference.py", arguments: ["virtual", folder.url.path])
    let expected = try JSONDecoder().decode([String: [String: [Double]]].self, from: output)
    #expect(expected.count == 3)
    for (name, datasets) in expected {
      let file = try SafeFile(contentsOf: folder.url.appendingPathComponent(name))
      let root = try file.root()
      #expect(datasets.count == 16)
      for (path, values) in datasets {
        let dataset = try #require(try EpisodeGroups.dataset(path, in: root))
        #expect(try numbers(dataset, run: dataset.rows) == values, "\(name): \(path)")
        #expect(try numbers(dataset, run: 3) == values, "\(name): \(path), three rows at a time")
      }
      #expect(
        file.sourceFiles.map(\.lastPathComponent) == ["p0.h5", "p1.h5", "p2.h5", "beside.h5"])
      #expect(try root.group("rows").dataset("packed").isPacked)
      #expect(try !root.group("rows").dataset("plain").isPacked)
    }
  }

  private func numbers(_ dataset: SafeDataset, run: Int) throws -> [Double] {
    let type = try #require(dataset.type)
    var values: [Double] = []
    for first in stride(from: 0, to: dataset.rows, by: run) {
      let rows = first..<min(first + run, dataset.rows)
      let memory = ColumnMemory(count: rows.count * dataset.rowBytes)
      try dataset.read(rows, into: memory.bytes)
      values += TableColumn(
        type, rowShape: dataset.rowShape, axis: .steps,
        bytes: UnsafeRawBufferPointer(memory.bytes), owner: memory
      ).doubles()
    }
    return values
  }

  @Test func whatLiesOutsideOrCannotBeJoinedIsNamed() throws {
    let output = try PythonReference.run(
      "hdf5_reference.py", arguments: ["virtual_snares", folder.url.path])
    let outside = "and only files in its own folder or below are read"
    let words = [
      "up": "it is a virtual dataset of '../outside.h5', " + outside, "absolute": outside,
      "linked": "it is a virtual dataset of 'link.h5', " + outside,
      "through": "it is a virtual dataset of 'folder/outside.h5', " + outside,
      "missing": "it is a virtual dataset of 'nothing.h5', which cannot be opened: No such file",
      "absent": "p.h5: 'x' cannot be read: it leads to 'nothing', which is missing",
      "type": "its source 'x' is of f32, not of f64 as it is",
      "smaller": "'x' is damaged: 8 elements of it are 6 of 'x'",
      "part":
        "'x' is damaged: a selection must pick places of an axis in order and below its length, 3",
      "itself": "it is a virtual dataset, of which another one is made",
      "round": "it is a virtual dataset, of which another one is made",
      "twice":
        "p.h5: 'again' cannot be read: it is a virtual dataset, of which another one is made",
      "group": "p.h5: '/' cannot be read: it must be a dataset",
      "none": "it is a virtual dataset of 8000000000 bytes whose sources have",
      "empty": "'x' is damaged: its shape is [0, 1099511627776, 1099511627776]",
      "overlap": "'x' is damaged: its parts have more elements than it",
      "wide": "its source 'wide' has rows of 134217728 bytes",
      "packed": "it is a virtual dataset of 2048 bytes for which 2147483648 would be unpacked",
      "grows": "it is a virtual dataset that grows with its sources",
      "pattern": "it is a virtual dataset of 'p-%b.h5', a pattern of names, which is not followed",
    ]
    #expect(try JSONDecoder().decode([String].self, from: output).sorted() == words.keys.sorted())
    for (name, expected) in words {
      let file = folder.url.appendingPathComponent("in/\(name).h5")
      let error = #expect(throws: FileError.self, "\(name)") {
        _ = try SafeFile(contentsOf: file).root().dataset("x")
      }
      #expect("\(try #require(error))".contains(expected), "\(name): \(error as Any)")
    }
  }

  /// Lists of parts with other bytes and the right check sum, which the fuzz of whole files seldom
  /// makes.
  @Test func alteredListsOfPartsAreErrorsOfOneSentence() throws {
    let whole = [UInt8](
      try Data(contentsOf: FormatFuzzTests.corpus.appendingPathComponent("d4rl-virtual.hdf5")))
    // Texts have fewer bytes.
    let lists = try lists(in: whole).filter { $0.count > 40 }
    #expect(lists.count == 7)
    let url = folder.url.appendingPathComponent("altered.hdf5")
    var refused = 0
    let count = FormatFuzzTests.count / 5
    for number in FormatFuzzTests.first..<(FormatFuzzTests.first + count) {
      var random = Mutations(seed: UInt64(number))
      var bytes = whole
      let list = lists[random.below(lists.count)]
      for _ in 0...random.below(3) {
        let place = list.lowerBound + random.below(list.count)
        bytes[place] = [0, 1, 2, 3, 4, 5, 0x7f, 0xff, UInt8(random.below(256))][random.below(9)]
      }
      let sum = bytes.withUnsafeBytes { lookup3(UnsafeRawBufferPointer(rebasing: $0[list])) }
      for k in 0..<4 { bytes[list.upperBound + k] = UInt8(truncatingIfNeeded: sum >> (8 * k)) }
      try Data(bytes).write(to: url)
      do {
        let root = try SafeFile(contentsOf: url).root()
        for path in try root.datasetPaths() {
          let dataset = try #require(try EpisodeGroups.dataset(path, in: root))
          if dataset.type != nil { _ = try numbers(dataset, run: 4) }
        }
      } catch {
        refused += 1
        #expect("\(error)".contains("altered.hdf5") && "\(error)".count < 1_000, "\(number)")
      }
    }
    #expect(refused > count / 2)
  }

  /// Where the lists of parts lie in a file, without their check sums.
  private func lists(in bytes: [UInt8]) throws -> [Range<Int>] {
    func number(_ place: Int) -> Int {
      (0..<8).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
    }
    var lists: [Range<Int>] = []
    for start in bytes.indices.dropLast(16)
    where bytes[start..<(start + 4)].elementsEqual("GCOL".utf8) {
      var place = start + 16
      while place + 16 <= start + number(start + 8), bytes[place] != 0 {
        let count = number(place + 8)
        lists.append((place + 16)..<(place + 16 + count - 4))
        place += 16 + (count + 7) / 8 * 8
      }
    }
    return lists
  }
}
