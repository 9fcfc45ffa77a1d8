import Foundation
import GoalCore
import Support
import TestSupport
import Testing

@testable import Storage

struct ManifestTests {
  private let folder: TemporaryFolder
  private var file: URL { folder.url.appendingPathComponent("manifest.json") }

  init() throws { folder = try TemporaryFolder() }

  private func sample(discrete: Bool = false, noise: Double = 0.2) -> Manifest {
    let task = sampleTask(discrete: discrete)
    let identity = DatasetIdentity(
      id: "sample-random-v0", task: task,
      recipe: Recipe(
        environment: "sample", policy: "random", seed: 5, episodes: 30, noise: noise,
        shardEpisodes: 10),
      modelDigest: Digest.sha256(of: Data()), libraries: ["mujoco": "3.3.0", "a/b": "1"])
    let records = (0..<3).map { index in
      let first = Int64(index * 10)
      let episodes = sampleEpisodes(first..<(first + 10), spec: task.spec)
      return ShardRecord(
        shard: ShardEntry(
          index: index, file: DatasetFolder.file(index),
          episodes: EpisodeSet(first..<(first + 10)), steps: episodes.reduce(0) { $0 + $1.length },
          bytes: 1, sha256: Digest.sha256(of: Data())),
        totals: DatasetTotals(of: episodes),
        sums: DatasetSums(of: TrajectoryTable(episodes, spec: task.spec), spec: task.spec))
    }
    return Manifest(
      identity, columns: Manifest.nativeColumns(for: task.spec, states: false), records: records)
  }

  @Test(arguments: [false, true])
  func aManifestComesBack(discrete: Bool) throws {
    let manifest = sample(discrete: discrete)
    try manifest.write(to: file)
    #expect(try Manifest(contentsOf: file) == manifest)
    let first = try Data(contentsOf: file)
    try manifest.write(to: file)
    #expect(try Data(contentsOf: file) == first)
    #expect(try Manifest(contentsOf: file).identity == manifest.identity)
  }

  /// `head -n -2 manifest.json | sha256sum`, as the documentation says.
  @Test func theSealIsTheDigestOfAllLinesButTheLastTwo() throws {
    let manifest = sample()
    try manifest.write(to: file)
    let lines = try String(contentsOf: file, encoding: .utf8).split(
      separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.suffix(2) == ["}", ""])
    let before = lines.dropLast(3).joined(separator: "\n") + "\n"
    let digest = Digest.sha256(of: Data(before.utf8))
    #expect(lines[lines.count - 3] == "  \"sha256\" : \"\(digest)\"")
    #expect(try manifest.digest() == digest)
  }

  @Test func everyChangedByteIsNoticed() throws {
    try sample().write(to: file)
    let whole = try Data(contentsOf: file)
    for place in whole.indices {
      var changed = whole
      changed[place] ^= UInt8(1 << (place % 7))
      try changed.write(to: file)
      #expect(throws: FileError.self, "byte \(place)") { try Manifest(contentsOf: file) }
    }
    for count in stride(from: 0, to: whole.count, by: 13) {
      try whole.prefix(count).write(to: file)
      #expect(throws: FileError.self, "\(count) bytes") { try Manifest(contentsOf: file) }
    }
  }

  @Test func anAlteredNumberIsAnErrorThatSaysSo() throws {
    try sample().write(to: file)
    let text = try String(contentsOf: file, encoding: .utf8)
    try text.replacingOccurrences(of: "\"seed\" : 5", with: "\"seed\" : 6")
      .write(to: file, atomically: false, encoding: .utf8)
    let error = #expect(throws: FileError.self) { try Manifest(contentsOf: file) }
    guard case .altered(file.path, _, _)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect("\(error ?? .missing(""))".contains("was altered"))
  }

  @Test func anotherSchemaIsNamed() throws {
    struct Later: Encodable {
      let schema = 7
      let novelty = true
    }
    try DigestedJSON.seal(Later()).write(to: file)
    #expect(throws: FileError.unknownSchema(file.path, known: 1, found: 7)) {
      try Manifest(contentsOf: file)
    }
  }

  @Test func aDigestedTextThatIsNoManifestIsNamed() throws {
    struct Empty: Encodable { let schema = 1 }
    try DigestedJSON.seal(Empty()).write(to: file)
    #expect(
      throws: FileError.malformed(
        file.path, rule: "'id' must be there", found: "nothing")
    ) { try Manifest(contentsOf: file) }
    #expect(throws: FileError.missing("/none/manifest.json")) {
      try Manifest(contentsOf: URL(fileURLWithPath: "/none/manifest.json"))
    }
  }

  /// Against sums over all rows at once, by the definitions.
  @Test func statisticsMergeToThoseOfAllRows() throws {
    let task = sampleTask()
    let episodes = sampleEpisodes(0..<30, spec: task.spec)
    let statistics = sample().statistics.observations
    let rows = episodes.flatMap(\.observations)
    for k in 0..<25 {
      let values = stride(from: k, to: rows.count, by: 25).map { Double(rows[$0]) }
      let mean = values.reduce(0, +) / Double(values.count)
      let spread = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
      #expect(statistics.count == values.count)
      #expect(abs(statistics.mean[k] - mean) < 1e-12)
      #expect(abs(statistics.standardDeviation[k] - spread.squareRoot()) < 1e-12)
      #expect(statistics.minimum[k] == values.min())
      #expect(statistics.maximum[k] == values.max())
    }
    let totals = sample().totals
    #expect(totals.episodes == 30)
    #expect(totals.returnSum == episodes.flatMap(\.rewards).reduce(0) { $0 + Double($1) })
    #expect(totals.successesAtEnd == episodes.filter { $0.successes.last == true }.count)
    #expect(totals.sources.reduce(0, +) == totals.steps)
  }

  @Test func aLargeOffsetDoesNotCancel() {
    let values = (0..<1000).map { 1e6 + Float($0 % 2) }
    let sums = ColumnSums(width: 1, pieces: [values])
    #expect(abs(sums.standardDeviation[0] - 0.5) < 1e-12)
  }

  @Test func discreteActionsAreCounted() throws {
    let manifest = sample(discrete: true)
    #expect(manifest.statistics.actions == nil)
    #expect(manifest.statistics.actionCounts?.reduce(0, +) == manifest.totals.steps)
  }

  @Test func notANumberIsWritten() throws {
    let spec = sampleSpec()
    var episodes = sampleEpisodes([0], spec: spec)
    episodes[0].observations[26] = .nan
    let record = ShardRecord(
      shard: ShardEntry(
        index: 0, file: DatasetFolder.file(0), episodes: EpisodeSet([0]), steps: 1, bytes: 1,
        sha256: Digest.sha256(of: Data())),
      totals: DatasetTotals(of: episodes),
      sums: DatasetSums(of: TrajectoryTable(episodes, spec: spec), spec: spec))
    try DigestedJSON.seal(record).write(to: file)
    let found = try DigestedJSON.read(ShardRecord.self, from: file, schema: 1).value
    #expect(found.sums.observations.mean[1].isNaN)
    #expect(found.sums.observations.minimum[1].isFinite)
  }
}
