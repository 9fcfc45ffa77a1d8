import Foundation
import GoalCore
import HDF5
import Support
import TestSupport
import Testing

@testable import Storage

struct ShardRoundTripTests {
  private let folder: TemporaryFolder
  private var file: URL { folder.url.appendingPathComponent("shard.h5") }

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: [false, true], [false, true])
  func episodesComeBack(discrete: Bool, compress: Bool) throws {
    let spec = sampleSpec(discrete: discrete)
    for stateLength in [0, 7] {
      let isCategorical = stateLength > 0
      let episodes = sampleEpisodes(
        3..<43, spec: spec, stateLength: stateLength, isCategorical: isCategorical)
      let written = try ShardWriter.write(episodes, spec: spec, to: file, compress: compress)
      let reader = try ShardReader(contentsOf: file, spec: spec)
      #expect(try reader.trajectories() == episodes)
      #expect(reader.stateLength == stateLength)
      #expect(reader.has(.logProbabilities) == isCategorical)
      #expect(reader.lengths == episodes.map(\.length))
      #expect(written.sha256 == (try Digest.sha256(ofFile: file)))
      #expect(written.bytes == byteCount(of: file))
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["shard.h5"])
  }

  @Test(arguments: [false, true])
  func oneEpisodeOfOneStepComesBack(compress: Bool) throws {
    let spec = sampleSpec()
    let episodes = sampleEpisodes(0..<1, spec: spec) { _ in 1 }
    try ShardWriter.write(episodes, spec: spec, to: file, compress: compress)
    #expect(try ShardReader(contentsOf: file, spec: spec).trajectories() == episodes)
  }

  /// Columns of several megabytes, so that pieces of the writer and chunks of the file are many.
  @Test(arguments: [false, true])
  func largeColumnsComeBack(compress: Bool) throws {
    let spec = sampleSpec()
    let episodes = sampleEpisodes(0..<700, spec: spec) { 30 + Int($0 % 21) }
    try ShardWriter.write(episodes, spec: spec, to: file, compress: compress, threads: 3)
    #expect(try ShardReader(contentsOf: file, spec: spec).trajectories() == episodes)
  }

  @Test(arguments: [false, true])
  func imagesAreAColumnOfBytes(compress: Bool) throws {
    let spec = sampleSpec()
    var episodes = sampleEpisodes(0..<5, spec: spec)
    for k in episodes.indices {
      let count = (episodes[k].length + 1) * 2 * 3 * 6
      episodes[k].images = (0..<count).map { UInt8(truncatingIfNeeded: $0 * (k + 3)) }
    }
    _ = try ShardWriter.draft(
      TrajectoryTable(episodes, spec: spec, imageShape: [2, 3, 6]), for: file, compress: compress,
      threads: 2
    ).commit(expecting: nil)
    let reader = try ShardReader(contentsOf: file, spec: spec)
    #expect(reader.imageShape == [2, 3, 6])
    #expect(
      try reader.column(.images, as: UInt8.self).elementsEqual(episodes.flatMap(\.images)))
    let table = try reader.table(at: 1..<3)
    #expect(table[.images]?.rowShape == [2, 3, 6])
    #expect(table[.images]?.rows == episodes[1].length + episodes[2].length + 2)
    #expect(try reader.trajectories()[0].images.isEmpty)
  }

  @Test(arguments: [[16, 12], [16, 2, 3], [15, 2, 3, 1], [16, 2, 3, 1, 1]])
  func imagesOfAnotherShapeAreAnError(shape: [Int]) throws {
    let spec = sampleSpec()
    let episodes = sampleEpisodes(0..<2, spec: spec) { _ in 7 }
    let opened = try HDF5File(creating: file)
    let table = TrajectoryTable(episodes, spec: spec)
    for group in Set(table.spots.flatMap(\.groups)) { try opened.createGroup(group) }
    for spot in table.spots {
      try table.withBytes(at: spot.path) {
        try opened.write(spot.path, spot.type, shape: spot.shape, bytes: $0)
      }
    }
    try [UInt8](repeating: 1, count: shape.reduce(1, *)).withUnsafeBytes {
      try opened.write("images", .uint8, shape: shape, bytes: $0)
    }
    try opened.close()
    let error = #expect(throws: FileError.self) {
      try ShardReader(contentsOf: file, spec: spec)
    }
    guard case .wrongShape(_, "images", _, shape)? = error else {
      Issue.record("\(shape): \(String(describing: error))")
      return
    }
  }

  @Test func specialNumbersComeBackToTheBit() throws {
    let spec = sampleSpec()
    var episodes = sampleEpisodes(0..<2, spec: spec)
    let special: [Float] = [
      .nan, .infinity, -.infinity, -0.0, .leastNonzeroMagnitude, Float(bitPattern: 0x7fc1_2345),
    ]
    for (k, value) in special.enumerated() { episodes[0].observations[k] = value }
    for compress in [false, true] {
      try ShardWriter.write(episodes, spec: spec, to: file, compress: compress)
      let found = try ShardReader(contentsOf: file, spec: spec).trajectories()[0].observations
      #expect(found.map(\.bitPattern) == episodes[0].observations.map(\.bitPattern))
    }
  }

  /// Across a change of the clock's second, to other names, with other numbers of threads.
  @Test(arguments: [false, true])
  func equalEpisodesAreEqualBytes(compress: Bool) throws {
    let spec = sampleSpec()
    let episodes = sampleEpisodes(0..<300, spec: spec, stateLength: 3)
    let first = try ShardWriter.write(
      episodes, spec: spec, to: file, compress: compress, threads: 1)
    usleep(1_100_000)
    let other = folder.url.appendingPathComponent("of-another-name-and-length.h5")
    let second = try ShardWriter.write(
      episodes, spec: spec, to: other, compress: compress, threads: 3)
    #expect(first == second)
    #expect(try Data(contentsOf: file) == Data(contentsOf: other))
  }

  @Test func mappedColumnsEqualDecodedOnes() throws {
    let spec = sampleSpec()
    let episodes = sampleEpisodes(0..<200, spec: spec)
    let other = folder.url.appendingPathComponent("compressed.h5")
    try ShardWriter.write(episodes, spec: spec, to: file)
    try ShardWriter.write(episodes, spec: spec, to: other, compress: true)
    let reader = try ShardReader(contentsOf: file, spec: spec)
    #expect(try reader.floats(.observations).isMapped)
    let mapped = try reader.columns()
    let decoded = try ShardReader(contentsOf: other, spec: spec).columns()
    #expect(mapped.observations.elementsEqual(decoded.observations))
    #expect(mapped.achievedGoals.elementsEqual(decoded.achievedGoals))
    #expect(
      try #require(mapped.desiredGoals).elementsEqual(try #require(decoded.desiredGoals)))
    #expect(mapped.lengths == decoded.lengths)
    guard case .continuous(let a) = mapped.actions, case .continuous(let b) = decoded.actions else {
      Issue.record("actions must be continuous")
      return
    }
    #expect(a.elementsEqual(b))
    #expect(mapped.observations.elementsEqual(episodes.flatMap(\.observations)))
  }

  @Test func columnsOutliveTheirReaderAndTheirFilesName() throws {
    let spec = sampleSpec()
    let episodes = sampleEpisodes(0..<20, spec: spec)
    try ShardWriter.write(episodes, spec: spec, to: file)
    let columns = try ShardReader(contentsOf: file, spec: spec).columns()
    try FileManager.default.removeItem(at: file)
    #expect(columns.observations.elementsEqual(episodes.flatMap(\.observations)))
  }

  @Test func columnsStartAtMultiplesOf64Bytes() throws {
    let spec = sampleSpec()
    try ShardWriter.write(
      sampleEpisodes(0..<9, spec: spec, stateLength: 5), spec: spec, to: file)
    let opened = try HDF5File(reading: file)
    for column in ShardColumn.allCases where column != .logProbabilities && column != .images {
      guard case .contiguous(let offset) = try opened.dataset(column.rawValue).layout else {
        Issue.record("\(column) must be contiguous")
        continue
      }
      #expect(offset % 64 == 0)
    }
    #expect(
      try opened.listing()
        == (ShardColumn.allCases.map(\.rawValue).filter { !$0.contains("/") && $0 != "images" }
        + ["behaviour"]).sorted())
    #expect(try opened.listing(of: "behaviour") == ["sources"])
  }

  /// A source in f64, chunked as h5py would and not as we do, with goals that move.
  @Test func floatsOfEightBytesAreNarrowedAndGoalsMayMove() throws {
    let spec = sampleSpec()
    let opened = try HDF5File(creating: file)
    func write<Element: BitwiseCopyable>(
      _ column: ShardColumn, _ type: HDF5Type, _ shape: [Int], _ values: [Element]
    ) throws {
      try values.withUnsafeBytes {
        try opened.write(column.rawValue, type, shape: shape, bytes: $0)
      }
    }
    let observations = (0..<(5 * 25)).map { Double($0) / 3 }
    try write(.observations, .float64, [5, 25], observations)
    try write(.actions, .float64, [3, 4], (0..<12).map { Double($0) / 7 })
    try write(.episodeLengths, .int32, [2], [Int32(1), 2])
    try write(.episodeIndices, .int64, [2], [Int64(4), 2])
    try write(.achievedGoals, .float32, [5, 3], (0..<15).map { Float($0) })
    try write(.desiredGoals, .float32, [5, 3], (0..<15).map { Float($0) })
    try opened.close()
    let reader = try ShardReader(contentsOf: file, spec: spec)
    let columns = try reader.columns()
    #expect(columns.goalsMove)
    #expect(columns.observations.elementsEqual(observations.map { Float($0) }))
    let first = try reader.trajectories()[0]
    #expect(first.rewards.isEmpty && first.successes.isEmpty && first.sources.isEmpty)
    #expect(first.desiredGoal.count == 6)
  }
}
