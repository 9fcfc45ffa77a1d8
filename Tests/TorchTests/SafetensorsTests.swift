import Foundation
import Support
import TestSupport
import Testing

@testable import Torch

struct SafetensorsTests {
  private let folder: TemporaryFolder
  private var path: String { folder.url.appendingPathComponent("a.safetensors").path }

  init() throws { folder = try TemporaryFolder() }

  private func example() -> Safetensors {
    Safetensors(
      [
        NamedTensor("bytes", Tensor([1, 2, 255] as [UInt8], shape: [3])),
        NamedTensor("actor.0.weight", Tensor([1, 2, 3, 4, 5, 6.5] as [Float], shape: [2, 3])),
        NamedTensor("sums", Tensor([0.1, -2] as [Double], shape: [2])),
        NamedTensor("steps", Tensor(Float(7))),
        NamedTensor("none", Tensor([] as [Float], shape: [0, 4])),
        NamedTensor("count \"quoted\" ü", Tensor([-9] as [Int64], shape: [1])),
      ], metadata: ["goalpost": "{\"a\": 1}", "ü": "line\nbreak"])
  }

  @Test func whatIsWrittenIsRead() throws {
    let written = example()
    try written.write(to: path)
    let read = try Safetensors(contentsOf: path)
    #expect(read.metadata == written.metadata)
    #expect(Set(read.tensors.map(\.name)) == Set(written.tensors.map(\.name)))
    for entry in written.tensors {
      let found = try #require(read[entry.name])
      #expect(found.shape == entry.tensor.shape)
      #expect(found.elementType == entry.tensor.elementType)
    }
    #expect(read["actor.0.weight"]?.floats == [1, 2, 3, 4, 5, 6.5])
    #expect(read["sums"]?.values(as: Double.self) == [0.1, -2])
    #expect(read["steps"]?.float == 7)
    #expect(read["bytes"]?.values(as: UInt8.self) == [1, 2, 255])
    #expect(!FileManager.default.fileExists(atPath: path + ".part"))
  }

  @Test func theHeaderIsAlignedAndEqualTensorsAreEqualBytes() throws {
    try example().write(to: path)
    let first = try Data(contentsOf: URL(fileURLWithPath: path))
    try example().write(to: path)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == first)
    #expect(
      first.prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) } % 8 == 0)
  }

  @Test func aFileWithoutTensorsIsFine() throws {
    try Safetensors([]).write(to: path)
    #expect(try Safetensors(contentsOf: path).tensors.isEmpty)
  }

  /// A file with this header and so many bytes after it.
  private func put(_ header: String, _ count: Int) throws {
    var data = Data()
    withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { data.append(contentsOf: $0) }
    data.append(contentsOf: header.utf8)
    data.append(Data(count: count))
    try data.write(to: URL(fileURLWithPath: path))
  }

  private func complaint() -> String? {
    do {
      _ = try Safetensors(contentsOf: path)
      return nil
    } catch {
      return "\(error)".replacingOccurrences(of: path + ": ", with: "")
    }
  }

  @Test func eachFaultHasASentence() throws {
    #expect(complaint() == "is missing")
    try Data([1, 2, 3]).write(to: URL(fileURLWithPath: path))
    #expect(complaint() == "a safetensors file begins with 8 bytes, found 3 in all")
    try Data([255, 255, 255, 255, 255, 255, 255, 255, 0]).write(to: URL(fileURLWithPath: path))
    #expect(
      complaint() == "a header of 18446744073709551615 bytes is promised, and 1 follow")
    for header in ["", "nonsense", "[]", "{\"a\": 1}", "{\"a\": {\"dtype\": \"F32\"}}"] {
      try put(header, 0)
      #expect(complaint() == "the header is not JSON of the kind that safetensors have")
    }
    try put(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4)
    #expect(complaint() == "the header is not JSON of the kind that safetensors have")
    try put(#"{"a":{"dtype":"F8","shape":[4],"data_offsets":[0,4]}}"#, 4)
    #expect(complaint() == "'a' is of the type F8, which is not supported")
    try put(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4)
    #expect(complaint() == "'a' is F32 [2] and must be at byte 0, found it from 0 to 4")
    try put(#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4)
    #expect(complaint() == "'a' is F32 [-1] and must be at byte 0, found it from 0 to 4")
    try put(
      #"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#, 0)
    #expect(
      complaint()
        == "'a' is F32 [4611686018427387904, 4] and must be at byte 0, found it from 0 to 0")
    for shape in ["0,9223372036854775807,9223372036854775807", "0,4611686018427387904"] {
      try put(#"{"a":{"dtype":"F32","shape":[\#(shape)],"data_offsets":[0,0]}}"#, 0)
      #expect(complaint()?.hasPrefix("'a' is F32 [0, ") == true)
    }
    try put(#"{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}"#, 4)
    #expect(complaint()?.hasPrefix("'a' is F32 [1, 1, ") == true)
    try put(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8)
    #expect(complaint() == "'a' is F32 [1] and must be at byte 0, found it from 4 to 8")
    try put(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 4)
    #expect(complaint() == "'a' ends at byte 8 of 4")
    try put(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 5)
    #expect(complaint() == "the tensors end at byte 4 of 5")
  }

  @Test func truncationAtEveryByteIsNoticed() throws {
    try example().write(to: path)
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    for length in 0..<whole.count {
      try whole.prefix(length).write(to: URL(fileURLWithPath: path))
      #expect(complaint() != nil, "cut to \(length) of \(whole.count) bytes")
    }
  }

  @Test(arguments: 0..<500)
  func mutationsDoNotCrash(seed: UInt64) throws {
    try example().write(to: path)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    for _ in 0..<4 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      bytes[Int(state % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: state >> 32)
    }
    try bytes.write(to: URL(fileURLWithPath: path))
    _ = complaint()
  }

  @Test(
    .enabled(
      if: FileManager.default.isExecutableFile(
        atPath: PythonReference.dependencies.appendingPathComponent("venv/bin/python").path),
      "Python's virtual environment is missing: run `make setup`"))
  func pythonReadsOursAndWeReadPythons() throws {
    try example().write(to: path)
    let other = folder.url.appendingPathComponent("b.safetensors").path
    let output = try PythonReference.run("safetensors_reference.py", arguments: [path, other])
    let text = String(decoding: output, as: UTF8.self)
    #expect(text.contains(#""goalpost": "{\"a\": 1}""#))
    #expect(
      text.contains(
        #""actor.0.weight": {"dtype": "float32", "shape": [2, 3], "values": [1.0, 2.0, 3.0, 4.0, 5.0, 6.5]}"#
      ))
    #expect(text.contains(#""steps": {"dtype": "float32", "shape": [], "values": [7.0]}"#))
    let read = try Safetensors(contentsOf: other)
    #expect(read.metadata == ["from": "python"])
    #expect(read.tensors.count == example().tensors.count + 1)
    #expect(read["extra"]?.values(as: Int32.self) == [0, 1, 2])
    #expect(read["sums"]?.values(as: Double.self) == [0.1, -2])
  }
}
