import Foundation
import HDF5
import Support
import TestSupport
import Testing

/// What the wrapper of the library promises of files of our own.
struct HDF5Tests {
  private let folder: TemporaryFolder
  private var url: URL { folder.url.appendingPathComponent("file.h5") }

  init() throws { folder = try TemporaryFolder() }

  /// Bytes that look random, of whole elements whose values every type can hold.
  private func bytes(_ type: HDF5Type, count: Int) -> [UInt8] {
    (0..<count * type.byteCount).map { place in
      let isLow = place % type.byteCount == 0
      return isLow ? UInt8((place &* 97 &+ place / 7) & (type == .bool ? 1 : 127)) : 0
    }
  }

  private func write(_ file: HDF5File, _ path: String, _ type: HDF5Type, shape: [Int]) throws {
    try bytes(type, count: shape.reduce(1, *)).withUnsafeBytes {
      try file.write(path, type, shape: shape, bytes: $0)
    }
  }

  private func read(_ dataset: HDF5Dataset, as type: HDF5Type) throws -> [UInt8] {
    var found = [UInt8](repeating: 0xFF, count: dataset.count * type.byteCount)
    try found.withUnsafeMutableBytes { try dataset.read(as: type, into: $0) }
    return found
  }

  @Test(arguments: HDF5Type.allCases)
  func everyTypeComesBackAsItWasWritten(type: HDF5Type) throws {
    let shape = [7, 3]
    let file = try HDF5File(creating: url)
    try write(file, "plain", type, shape: shape)
    try bytes(type, count: 21).withUnsafeBytes {
      try file.writeCompressed("packed", type, shape: shape, bytes: $0, level: 6, threads: 2)
    }
    try file.close()
    let again = try HDF5File(reading: url)
    let map = try MappedFile(contentsOf: url)
    for path in ["plain", "packed"] {
      let dataset = try again.dataset(path)
      #expect(dataset.type == type && dataset.shape == shape && dataset.count == 21)
      #expect(try read(dataset, as: type) == bytes(type, count: 21))
    }
    // One lies in the file as it is, the other is unpacked on several threads.
    let mapped = try #require(try again.dataset("plain").mapped(in: map))
    #expect(Array(mapped) == bytes(type, count: 21))
    let packed = try again.dataset("packed")
    #expect(packed.layout == .chunked(rows: 7))
    #expect(try packed.mapped(in: map) == nil)
    var unpacked = [UInt8](repeating: 0xFF, count: 21 * type.byteCount)
    try unpacked.withUnsafeMutableBytes { try packed.decode(from: map, into: $0, threads: 3) }
    #expect(unpacked == bytes(type, count: 21))
  }

  @Test func equalContentsAreEqualBytesForAnyNumberOfThreads() throws {
    let values = bytes(.float32, count: 300_000)
    let files = try [1, 4].map { threads in
      let url = folder.url.appendingPathComponent("\(threads).h5")
      let file = try HDF5File(creating: url)
      try file.createGroup("group")
      try values.withUnsafeBytes {
        try file.writeCompressed(
          "group/values", .float32, shape: [100_000, 3], bytes: $0, level: 1, threads: threads)
      }
      try file.close()
      return try Data(contentsOf: url)
    }
    #expect(files[0] == files[1])
    let file = try HDF5File(reading: folder.url.appendingPathComponent("4.h5"))
    guard case .chunked(let rows) = try file.dataset("group/values").layout else {
      Issue.record("several chunks are expected")
      return
    }
    #expect(rows < 50_000)
    #expect(try file.listing() == ["group"] && file.listing(of: "group") == ["values"])
    #expect(try file.isGroup("group") && !file.isGroup("group/values"))
    #expect(try file.contains("group/values") && !file.contains("group/none"))
  }

  /// The pieces of a composition, one after the other, are the file; h5py would read it as any
  /// other.
  @Test func thePiecesOfACompositionAreAFile() throws {
    let composition = try HDF5Composition(name: "made in memory")
    try composition.reserve("a", .int32, shape: [5])
    try write(composition.file, "small", .uint8, shape: [3])
    try composition.reserve("b", .float64, shape: [2, 2])
    var whole = Data()
    var order: [String] = []
    for piece in try composition.finish() {
      switch piece {
      case .bytes(let bytes): whole.append(contentsOf: bytes)
      case .dataset(let path, let byteCount):
        order.append(path)
        let type = path == "a" ? HDF5Type.int32 : .float64
        #expect(byteCount == (path == "a" ? 20 : 32))
        whole.append(contentsOf: bytes(type, count: byteCount / type.byteCount))
      }
    }
    #expect(order == ["a", "b"])
    try whole.write(to: url)
    let file = try HDF5File(reading: url)
    #expect(try read(file.dataset("a"), as: .int32) == bytes(.int32, count: 5))
    #expect(try read(file.dataset("b"), as: .float64) == bytes(.float64, count: 4))
    #expect(try read(file.dataset("small"), as: .uint8) == bytes(.uint8, count: 3))
  }

  // MARK: - Errors

  /// One sentence that names the file.
  private func complaint(
    about file: URL, _ body: (HDF5File) throws -> Void = { _ in }
  ) throws -> String {
    let error = #expect(throws: (any Error).self) { try body(HDF5File(reading: file)) }
    let text = "\(try #require(error))"
    #expect(text.hasPrefix(file.path) && !text.contains("\n"), "\(text)")
    return text
  }

  @Test func filesThatCannotBeReadAreNamed() throws {
    #expect(try complaint(about: url).contains("cannot open the file"))
    #expect(try complaint(about: folder.url).contains("cannot open the file"))
    for bytes in [Data(), Data("\u{89}HDF\r\n\u{1A}\n".utf8), Data(repeating: 7, count: 4_096)] {
      try bytes.write(to: url)
      #expect(try complaint(about: url).contains("cannot open the file"))
    }
  }

  @Test func pathsThatLeadNowhereAreNamed() throws {
    let file = try HDF5File(creating: url)
    try write(file, "there", .uint8, shape: [2])
    try file.close()
    let missing = try complaint(about: url) { _ = try $0.dataset("missing") }
    #expect(missing.contains("cannot open 'missing'"))
    let group = try complaint(about: url) { _ = try $0.listing(of: "there") }
    #expect(group.contains("cannot open group 'there'"))
  }

  /// A flipped bit of the metadata is found by its checksum, and one of a chunk by the decoder.
  @Test func damagedFilesAreErrorsAndNotCrashes() throws {
    let file = try HDF5File(creating: url)
    let values = bytes(.int32, count: 4_000)
    try values.withUnsafeBytes {
      try file.writeCompressed("packed", .int32, shape: [4_000], bytes: $0, level: 6, threads: 1)
    }
    try file.close()
    let whole = try Data(contentsOf: url)
    var refused = 0
    for place in stride(from: 0, to: whole.count, by: 13) {
      var damaged = whole
      damaged[place] ^= 0x10
      try damaged.write(to: url)
      do {
        let dataset = try HDF5File(reading: url).dataset("packed")
        var found = [UInt8](repeating: 0, count: dataset.count * 4)
        let map = try MappedFile(contentsOf: url)
        try found.withUnsafeMutableBytes { try dataset.decode(from: map, into: $0, threads: 2) }
        // Bytes between the blocks mean nothing, and zlib's sum covers the values.
        #expect(found == values, "byte \(place)")
      } catch {
        refused += 1
        #expect(!"\(error)".contains("\n") && "\(error)".hasPrefix(url.path), "\(error)")
      }
    }
    #expect(refused > 20, "\(refused) of \(whole.count / 13)")
  }

  @Test func aFileThatIsCutShortIsRefused() throws {
    let file = try HDF5File(creating: url)
    try write(file, "values", .float64, shape: [1_000])
    try file.close()
    let whole = try Data(contentsOf: url)
    for count in [whole.count / 2, whole.count - 1] {
      try whole.prefix(count).write(to: url)
      _ = try complaint(about: url) { file in
        let dataset = try file.dataset("values")
        _ = try dataset.mapped(in: MappedFile(contentsOf: url))
      }
    }
  }
}
