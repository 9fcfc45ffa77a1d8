import Foundation
import GoalCore
import HDF5
import Support
import TestSupport
import Testing

@testable import Storage

struct MalformedShardTests {
  private let folder: TemporaryFolder
  private let spec = sampleSpec()
  private var file: URL { folder.url.appendingPathComponent("shard.h5") }

  init() throws { folder = try TemporaryFolder() }

  /// Columns of a sound shard of two episodes of 1 and 2 steps, except for what `change` puts
  /// in a column's place; nil leaves it out.
  private func write(
    _ column: ShardColumn, instead change: (type: HDF5Type, shape: [Int], bytes: [UInt8])?
  ) throws {
    let opened = try HDF5File(creating: file)
    try opened.createGroup("behaviour")
    let table = TrajectoryTable(
      sampleEpisodes([0, 1], spec: spec, stateLength: 2, isCategorical: true) { Int($0) + 1 },
      spec: spec)
    for spot in table.spots {
      if spot.path != column.rawValue {
        try table.withBytes(at: spot.path) {
          try opened.write(spot.path, spot.type, shape: spot.shape, bytes: $0)
        }
      } else if let change {
        try change.bytes.withUnsafeBytes {
          try opened.write(spot.path, change.type, shape: change.shape, bytes: $0)
        }
      }
    }
    try opened.close()
  }

  private func open() throws -> ShardReader { try ShardReader(contentsOf: file, spec: spec) }

  @Test func theUnchangedColumnsAreSound() throws {
    let opened = try HDF5File(creating: file)
    try opened.close()
    try write(.rewards, instead: (.float32, [3], [UInt8](repeating: 0, count: 12)))
    #expect(try open().trajectories().count == 2)
  }

  /// A digest of the file's bytes would be none of what is read.
  @Test(arguments: [
    "external storage", "a virtual dataset", "a link to another file", "a soft link",
  ])
  func elementsElsewhereAreRefused(kind: String) throws {
    try write(.rewards, instead: (.float32, [3], [UInt8](repeating: 0, count: 12)))
    #expect(try open().trajectories().count == 2)
    let raw = folder.url.appendingPathComponent("raw").path
    _ = try PythonReference.run("elsewhere_reference.py", arguments: [file.path, kind, raw])
    let error = #expect(throws: FileError.self) { try open() }
    guard case .notRead(file.path, "actions", let reason)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(reason.contains("must lie in this file") && reason.contains(kind))
    // What the elements lie in is never opened: nobody writes to this pipe.
    if kind != "a soft link" {
      #expect(unlink(raw) == 0 && mkfifo(raw, 0o600) == 0)
      #expect(throws: FileError.self) { try open() }
    }
  }

  @Test(arguments: ShardColumn.allCases.filter(\.isRequired))
  func aMissingColumnIsNamed(column: ShardColumn) throws {
    try write(column, instead: nil)
    #expect(
      throws: FileError.missingDataset(file: file.path, dataset: column.rawValue)
    ) { try open() }
  }

  @Test(arguments: ShardColumn.allCases.filter { $0 != .images })
  func anotherTypeIsNamed(column: ShardColumn) throws {
    let wrong: HDF5Type = column.types(for: spec).contains(.int32) ? .uint8 : .int32
    try write(column, instead: (wrong, [3], [UInt8](repeating: 1, count: 3 * wrong.byteCount)))
    #expect(
      throws: FileError.wrongType(
        file: file.path, dataset: column.rawValue,
        expected: column.types(for: spec).map(\.rawValue).joined(separator: " or "),
        found: wrong.rawValue)
    ) { try open() }
  }

  @Test(arguments: ShardColumn.allCases.filter { $0 != .episodeLengths && $0 != .images })
  func anotherShapeIsNamed(column: ShardColumn) throws {
    let type = column.types(for: spec)[0]
    let expected = column.shape(for: spec, steps: 3, episodes: 2, stateLength: 2)
    for shape in [[expected[0] + 7] + expected.dropFirst(), expected + [1], [2, 2, 2], [1]] {
      try write(
        column,
        instead: (type, shape, [UInt8](repeating: 0, count: shape.reduce(type.byteCount, *))))
      let error = #expect(throws: FileError.self) { try open() }
      guard case .wrongShape(_, column.rawValue, _, shape)? = error else {
        Issue.record("\(column) of shape \(shape): \(String(describing: error))")
        continue
      }
    }
  }

  @Test(arguments: [([1, 0], 1, "0"), ([-1, 2], 0, "-1"), ([Int32.min, 3], 0, "-2147483648")])
  func aLengthBelowOneIsNamed(lengths: [Int32], row: Int, found: String) throws {
    try write(
      .episodeLengths, instead: (.int32, [2], lengths.withUnsafeBytes { Array($0) }))
    #expect(
      throws: FileError.wrongValue(
        file: file.path, dataset: "episode_lengths", rule: "must be at least 1", row: row,
        found: found)
    ) { try open() }
  }

  @Test(arguments: [[2, 2], [Int32.max, Int32.max], [1, 1]])
  func lengthsThatDoNotAddUpAreAnError(lengths: [Int32]) throws {
    try write(
      .episodeLengths, instead: (.int32, [2], lengths.withUnsafeBytes { Array($0) }))
    let error = #expect(throws: FileError.self) { try open() }
    guard case .wrongShape(_, "observations", _, [5, 25])? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func anActionOutsideTheSpaceIsNamed() throws {
    let spec = sampleSpec(discrete: true)
    var episodes = sampleEpisodes([0, 1], spec: spec) { _ in 3 }
    episodes[1].actions = .discrete([0, 5, 1])
    try ShardWriter.write(episodes, spec: spec, to: file)
    #expect(
      throws: FileError.wrongValue(
        file: file.path, dataset: "actions", rule: "must be in 0..<5", row: 4, found: "5")
    ) { try ShardReader(contentsOf: file, spec: spec) }
  }

  @Test(arguments: [
    (ShardColumn.sources, "must be 0, 1 or 2"), (.successes, "must be 0 or 1"),
  ])
  func aMarkThatMeansNothingIsNamed(column: ShardColumn, rule: String) throws {
    try write(column, instead: (.uint8, [3], [0, 1, 9]))
    let reader = try open()
    #expect(
      throws: FileError.wrongValue(
        file: file.path, dataset: column.rawValue, rule: rule, row: 2, found: "9")
    ) { try reader.trajectories() }
  }

  @Test func whatIsNoFileOfHDF5IsAnError() throws {
    #expect(throws: FileError.missing(file.path)) { try open() }
    try Data().write(to: file)
    #expect(throws: FileError.self) { try open() }
    for size in [1, 8, 100, 5_000] {
      try Data(repeating: 65, count: size).write(to: file)
      let error = #expect(throws: FileError.self) { try open() }
      guard case .refused("open the file", file.path, let stack)? = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
      #expect(stack.contains { $0.contains("signature") }, "the library's own words: \(stack)")
    }
    #expect(throws: FileError.self) {
      try ShardReader(contentsOf: folder.url, spec: spec)
    }
    let pipe = folder.url.appendingPathComponent("pipe")
    #expect(mkfifo(pipe.path, 0o600) == 0)
    #expect(throws: FileError.self) { try ShardReader(contentsOf: pipe, spec: spec) }
  }

  @Test(arguments: [false, true])
  func aFileThatIsCutOffIsAnError(compress: Bool) throws {
    try ShardWriter.write(
      sampleEpisodes(0..<40, spec: spec, stateLength: 4, isCategorical: true), spec: spec, to: file,
      compress: compress)
    let whole = try Data(contentsOf: file)
    var random = Xoshiro256(seed: 1)
    let cuts = Array(1..<40) + [whole.count - 1] + (0..<160).map { _ in random.below(whole.count) }
    for count in cuts {
      try whole.prefix(count).write(to: file)
      #expect(throws: FileError.self, "\(count) of \(whole.count) bytes") {
        try open().trajectories()
      }
    }
  }

  /// A chunk is decoded in memory of its size, which nothing in the file need bear out.
  @Test(arguments: [
    (1 << 22, "must not be larger than the whole"), (802, "hold 802 rows"),
  ])
  func aChunkThatIsLargerThanItCanBeIsAnError(rows: Int, words: String) throws {
    try ShardWriter.write(
      sampleEpisodes([0, 1], spec: spec) { _ in 400 }, spec: spec, to: file)
    _ = try PythonReference.run("hostile_shard.py", arguments: [file.path, "\(rows)"])
    let error = #expect(throws: FileError.self) { try open().floats(.observations) }
    guard case .damaged(file.path, "observations", let rule)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(rule.contains(words))
  }

  /// Bytes of the metadata, 500 times or as often as GOALPOST_MUTATIONS says: an error, or the same
  /// episodes if the byte is one that means nothing.
  @Test(arguments: [false, true])
  func changedMetadataIsAnErrorOrNoChange(compress: Bool) throws {
    let episodes = sampleEpisodes(0..<6, spec: spec, stateLength: 2, isCategorical: true)
    try ShardWriter.write(episodes, spec: spec, to: file, compress: compress)
    let whole = try Data(contentsOf: file)
    let places = try compress ? Array(0..<whole.count) : metadata(of: file, size: whole.count)
    var random = Xoshiro256(seed: compress ? 2 : 3)
    var errors = 0
    let mutations =
      ProcessInfo.processInfo.environment["GOALPOST_MUTATIONS"].flatMap(Int.init) ?? 500
    for _ in 0..<mutations {
      var changed = whole
      for _ in 0...random.below(3) {
        let place = places[random.below(places.count)]
        changed[place] =
          [
            changed[place] ^ UInt8(1 << random.below(8)), UInt8(random.below(256)), 0, 255,
          ][random.below(4)]
      }
      try changed.write(to: file)
      do {
        let found = try open()
        #expect(found.lengths == episodes.map(\.length))
        let read = try found.trajectories()
        if !compress { #expect(read == episodes) }
      } catch {
        #expect(error is FileError)
        errors += 1
      }
    }
    #expect(errors > mutations / 5, "changes must be noticed, \(errors) of \(mutations) were")
  }

  /// All bytes that are in no column.
  private func metadata(of url: URL, size: Int) throws -> [Int] {
    var isColumn = [Bool](repeating: false, count: size)
    let opened = try HDF5File(reading: url)
    for column in ShardColumn.allCases where column != .images {
      let dataset = try opened.dataset(column.rawValue)
      guard case .contiguous(let offset) = dataset.layout, let type = dataset.type else { continue }
      for place in offset..<(offset + dataset.count * type.byteCount) { isColumn[place] = true }
    }
    return (0..<size).filter { !isColumn[$0] }
  }

  @Test func everyErrorIsOneSentence() {
    let errors: [(FileError, String)] = [
      (
        .wrongShape(file: "a.h5", dataset: "actions", expected: [3, 4], found: [1000, 3]),
        "a.h5: 'actions' must be [3, 4], found [1000, 3]"
      ),
      (
        .wrongValue(
          file: "a.h5", dataset: "episode_lengths", rule: "must be at least 1", row: 7, found: "0"),
        "a.h5: 'episode_lengths' must be at least 1, found 0 in row 7"
      ),
      (
        .refused(operation: "open the file", file: "a.h5", stack: ["f: why"]),
        "a.h5: HDF5 cannot open the file: f: why"
      ),
      (
        .otherRecipe("d", setting: "recipe.seed", there: "0", asked: "1"),
        "d: holds a dataset whose recipe.seed is 0, asked for 1"
      ),
      (.incomplete("d", missing: [1, 2]), "d: must have all its shards, 2 missing: 1, 2"),
    ]
    for (error, text) in errors { #expect(error.description == text) }
  }
}
