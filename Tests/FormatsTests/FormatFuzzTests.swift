import Foundation
import GoalCore
import Support
import TestSupport
import Testing

@testable import Formats
@testable import Storage

/// Damaged foreign files: no crash, no hang, no more memory than the file's size allows, and one
/// sentence that names the place.
///
/// Each reader gets mutations of the small valid files of `Tests/Corpus`, 500 unless
/// `GOALPOST_FUZZ` says otherwise; `make fuzz` makes 10,000 under the address sanitizer. A mutation
/// is a function of its number: `GOALPOST_FUZZ_FIRST` begins at another, to make one again.
struct FormatFuzzTests {
  static let count = number("GOALPOST_FUZZ") ?? 500
  static let first = number("GOALPOST_FUZZ_FIRST") ?? 0
  static let corpus = PythonReference.checkout.appendingPathComponent("Tests/Corpus")

  private static func number(_ name: String) -> Int? {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
  }

  /// The files and folders of a format in the corpus.
  static func inputs(of format: any DatasetFormat) throws -> [URL] {
    try FileManager.default.contentsOfDirectory(at: corpus, includingPropertiesForKeys: nil)
      .sorted { $0.lastPathComponent < $1.lastPathComponent }
      .filter { url in Formats.all.first { $0.recognizes(url) }?.name == format.name }
  }

  @Test(arguments: Formats.all.map(\.name))
  func theCorpusItselfIsSound(name: String) throws {
    let format = try Formats.named(name)
    let inputs = try FormatFuzzTests.inputs(of: format)
    #expect(!inputs.isEmpty)
    let folder = try TemporaryFolder()
    for input in inputs {
      let source = try format.open(input, options(folder.url))
      #expect(try source.table(of: 0..<source.lengths.count).steps == source.steps)
    }
  }

  @Test(arguments: Formats.all.map(\.name))
  func damagedFilesAreErrorsOfOneSentence(name: String) throws {
    let format = try Formats.named(name)
    let inputs = try FormatFuzzTests.inputs(of: format)
    let folder = try TemporaryFolder()
    var accepted = 0
    for number in FormatFuzzTests.first..<(FormatFuzzTests.first + FormatFuzzTests.count) {
      var random = Mutations(seed: UInt64(number))
      let copy = folder.url.appendingPathComponent("input-\(number)")
      let target = try copied(inputs[random.below(inputs.count)], to: copy, &random)
      let bytes = random.mutated([UInt8](try Data(contentsOf: target)))
      try Data(bytes).write(to: target)
      defer { try? FileManager.default.removeItem(at: copy) }
      do throws(FileError) {
        let size = try read(format, copy, options(folder.url))
        // Goals may be repeated for each state; more than that is invented.
        #expect(size <= 8 * (1 << 20), "\(name) \(number) gave \(size) bytes")
        accepted += 1
      } catch {
        let words = error.description
        #expect(
          !words.unicodeScalars.contains { $0.properties.generalCategory == .control }
            && words.contains(folder.url.lastPathComponent)
            && words.count < 1_000,
          "\(name) \(number): \(words)")
      }
    }
    // Most mutations of numbers are other numbers; but some must be noticed.
    #expect(accepted < FormatFuzzTests.count)
  }

  private func options(_ scratch: URL) -> FormatOptions {
    FormatOptions(goalLength: 3, maximumBytes: 1 << 20, scratch: scratch, threads: 1)
  }

  /// Reads all that a file has; the bytes of its columns.
  private func read(
    _ format: any DatasetFormat, _ url: URL, _ options: FormatOptions
  ) throws(FileError) -> Int {
    let source = try format.open(url, options)
    var size = 0
    for block in source.blocks(byteLimit: 100_000) {
      let table = try source.table(of: block)
      size += table.columns.values.reduce(0) { $0 + $1.bytes.count }
      for column in table.columns.values { _ = column.doubles() }
    }
    return size
  }

  /// Copies an input; of a folder, one of its files is given for mutation.
  private func copied(_ input: URL, to copy: URL, _ random: inout Mutations) throws -> URL {
    try FileManager.default.copyItem(at: input, to: copy)
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: copy.path, isDirectory: &isFolder)
    guard isFolder.boolValue else { return copy }
    let names = try FileManager.default.subpathsOfDirectory(atPath: copy.path).sorted().filter {
      !copy.appendingPathComponent($0).hasDirectoryPath
    }
    return copy.appendingPathComponent(names[random.below(names.count)])
  }
}

/// Damage that a seed decides.
struct Mutations {
  private var generator: Xoshiro256

  init(seed: UInt64) { generator = Xoshiro256(seed: seed) }

  mutating func below(_ count: Int) -> Int { generator.below(count) }

  /// One to four kinds of damage, near the beginning or the end half of the time, where headers
  /// are.
  mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for _ in 0...below(4) where !bytes.isEmpty { damage(&bytes) }
    return bytes
  }

  private mutating func place(in bytes: [UInt8]) -> Int {
    let window = min(bytes.count, 256)
    switch below(4) {
    case 0: return below(window)
    case 1: return bytes.count - 1 - below(window)
    default: return below(bytes.count)
    }
  }

  private mutating func damage(_ bytes: inout [UInt8]) {
    let at = place(in: bytes)
    switch below(8) {
    case 0: bytes[at] ^= 1 << UInt8(below(8))
    case 1: bytes[at] = UInt8(below(256))
    case 2: bytes.removeSubrange(at...)
    case 3: bytes.removeSubrange(at..<min(bytes.count, at + 1 + below(16)))
    case 4:
      // An absurd length, or the end of a range of integers.
      let lengths: [UInt64] = [0, 1, 0x7f, 0xff, 0x7fff_ffff, 0xffff_ffff, 1 << 62, .max, 1 << 40]
      let length = lengths[below(lengths.count)]
      for k in 0..<[1, 2, 4, 8][below(4)] where at + k < bytes.count {
        bytes[at + k] = UInt8(truncatingIfNeeded: length >> (8 * UInt64(k)))
      }
    case 5: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + 1 + below(32))], at: at)
    case 6:
      // The same again and again: depth, marks, repeated operations.
      bytes.insert(contentsOf: repeatElement(bytes[at], count: 1 + below(2_000)), at: at)
    default:
      // Text that stands for another type, order or shape.
      let words = [
        "<f8", ">f8", "|O", "<U9", "True", "(9999999999999,", "(0,", "b1", "i8", "F", "(-1,",
      ]
      let word = Array(words[below(words.count)].utf8)
      bytes.replaceSubrange(at..<min(bytes.count, at + word.count), with: word)
    }
  }
}
