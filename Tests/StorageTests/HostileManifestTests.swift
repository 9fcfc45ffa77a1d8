import Foundation
import GoalCore
import HDF5
import Support
import TestSupport
import Testing

@testable import Storage

/// Sealed files whose values no code of ours writes: each is an error that names the file, the key,
/// the rule and what was found.
struct HostileManifestTests {
  private let folder: TemporaryFolder
  private let file: URL
  private let manifest: Manifest

  init() throws {
    folder = try TemporaryFolder()
    file = folder.url.appendingPathComponent("manifest.json")
    let recipe = Recipe(
      environment: "sample", policy: "random", seed: 5, episodes: 4, shardEpisodes: 2)
    let identity = DatasetIdentity(id: "sample", task: sampleTask(), recipe: recipe)
    let writer = try DatasetWriter(at: folder.url, identity: identity)
    for shard in writer.plan {
      guard case .mine(let claim) = try writer.claim(shard) else { continue }
      try writer.commit(
        sampleEpisodes(shard.episodes.numbers, spec: sampleSpec()), claim: claim)
    }
    manifest = try writer.finish()
  }

  /// Puts a value at a path of a sealed file and seals it again; nil removes what is there.
  private func change(_ file: URL, _ path: [String], to value: JSONValue?) throws {
    func changed(_ document: JSONValue, _ path: ArraySlice<String>) throws -> JSONValue? {
      guard let key = path.first else { return value }
      switch document {
      case .object(var values):
        values[key] = try changed(values[key] ?? .null, path.dropFirst())
        return .object(values)
      case .list(var values):
        let place = try #require(Int(key))
        values[place] = try #require(try changed(values[place], path.dropFirst()))
        return .list(values)
      default: return try path.count == 0 ? value : changed(.object([:]), path)
      }
    }
    let whole = try JSONDecoder().decode(JSONValue.self, from: Data(contentsOf: file))
    var values = try #require(try changed(whole, path[...])?.object)
    values["sha256"] = nil
    try DigestedJSON.seal(JSONValue.object(values)).write(to: file)
  }

  @Test func theUnchangedManifestIsRead() throws {
    try change(file, ["id"], to: "sample")
    #expect(try Manifest(contentsOf: file) == manifest)
  }

  private static let largest = JSONValue.integer(.max)

  @Test(
    arguments: [
      ("task.goalIndices", [0, 1, 0, 2], "task.goalIndices"),
      ("task.goalIndices", [0, 1, 25], "task.goalIndices"),
      ("task.goalIndices", [0, 1, -1], "task.goalIndices"),
      ("task.distanceDimensions", [-1], "task.distanceDimensions"),
      ("task.distanceDimensions", [3], "task.distanceDimensions"),
      ("task.distanceDimensions", [0, 0], "task.distanceDimensions"),
      ("task.distanceDimensions", [], "task.distanceDimensions"),
      ("task.measure", "angle", "task.distanceDimensions"),
      ("task.measure", "farthest-place", "task.distanceDimensions"),
      ("task.measure", "other", "task.measure"),
      ("task.spec.observation", -1, "task.spec.observation"),
      ("task.spec.observation", largest, "task.spec.observation"),
      ("task.spec.observation", 24, "statistics.observations.mean"),
      ("task.spec.goal", 0, "task.spec.goal"),
      ("task.spec.horizon", 0, "task.spec.horizon"),
      ("task.spec.horizon", largest, "task.spec.horizon"),
      ("task.spec.horizon", 1.5, ""),
      ("task.spec.horizon", nil, "task.spec.horizon"),
      ("task.spec.successThreshold", "nan", "task.spec.successThreshold"),
      ("task.spec.controlPeriod", -1, "task.spec.controlPeriod"),
      ("task.spec.action.continuous.high", [1], "task.spec.action.continuous.high"),
      ("task.spec.action.continuous.low.2", 1, "task.spec.action.continuous.high.2"),
      ("task.spec.action.continuous.low.2", "-inf", "task.spec.action.continuous.high.2"),
      ("task.spec.action", ["discrete": ["count": 0]], "task.spec.action.discrete.count"),
      ("recipe.episodes", 0, "recipe.episodes"),
      ("recipe.episodes", -1, "recipe.episodes"),
      ("recipe.episodes", 3, "shards.1.episodes"),
      ("recipe.seed", .integer(1 << 28), "recipe.seed"),
      ("recipe.shardEpisodes", 0, "recipe.shardEpisodes"),
      ("recipe.randomActions", 2, "recipe.randomActions"),
      ("recipe.onlyEpisodes", "4", "recipe.onlyEpisodes"),
      ("recipe.onlyEpisodes", "-1", "recipe.onlyEpisodes"),
      ("recipe.states", true, "stateLength"),
      ("stateLength", largest, "stateLength"),
      ("imageShape", [0, 0, 3], "imageShape"),
      ("modelDigest", "abc", "modelDigest"),
      ("shards", [], "number of shards"),
      ("shards.0.episodes", "0-4294967295", "shards.0.episodes"),
      ("shards.0.index", 1, "shards.1.index"),
      ("shards.0.steps", largest, "shards.0.steps"),
      ("shards.0.steps", 1, "shards.0.steps"),
      ("shards.0.bytes", -1, "shards.0.bytes"),
      ("shards.0.sha256", "0", "shards.0.sha256"),
      ("shards.0.source", 0, "shards.0.source"),
      ("totals.episodes", largest, "totals.episodes"),
      ("totals.steps", 1_000, "totals.steps"),
      ("totals.successesEver", 5, "totals.successesEver"),
      ("totals.sources", [0, 0], "totals.sources"),
      ("statistics.observations.maximum", [1], "statistics.observations.maximum"),
      ("statistics.actions", nil, "statistics.actions.mean"),
      ("columns.observations.type", "f16", "columns.observations.type"),
      ("columns.rewards", nil, "columns.rewards"),
      ("columns.states.type", "f64", "columns.states.type"),
      ("columns.extra/%", ["origin": "native", "type": "f32"], "columns"),
    ] as [(String, JSONValue?, String)])
  func aValueThatIsNoneIsNamed(path: String, value: JSONValue?, key: String) throws {
    try change(file, path.split(separator: ".").map(String.init), to: value)
    let error = #expect(throws: FileError.self) { try Manifest(contentsOf: file) }
    guard case .malformed(file.path, let rule, let found)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(key.isEmpty ? !rule.isEmpty : rule.hasPrefix("'\(key)' must "), "\(rule), \(found)")
    #expect(!found.isEmpty && found.count < 120)
  }

  @Test(
    arguments: [
      ("totals.episodes", 3, "totals.episodes"), ("totals.steps", 900, "totals.steps"),
      ("shard.steps", 20, "totals.steps"),
      ("sums.observations.mean", [0], "sums.observations.minimum"),
      ("sums.observations.count", 7, "sums.observations.count"),
      ("sums.actions", nil, "sums.actionCounts"),
      ("sums.observations.count", -1, "sums.observations.count"),
    ] as [(String, JSONValue?, String)])
  func sumsThatAreNotTheShardsAreNamed(path: String, value: JSONValue?, key: String) throws {
    let record = folder.url.appendingPathComponent("shards/shard-00001.json")
    try change(record, path.split(separator: ".").map(String.init), to: value)
    try FileManager.default.removeItem(at: file)
    let writer = try DatasetWriter(at: folder.url, identity: manifest.identity)
    let error = #expect(throws: FileError.self) { try writer.finish() }
    guard case .malformed(record.path, let rule, _)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(rule.hasPrefix("'\(key)' must "), "\(rule)")
    // A mixture that takes the shard whole takes its sums too.
    try manifest.write(to: file)
    let shard = manifest.shards[1]
    #expect(throws: FileError.self) {
      try Dataset(at: folder.url).summary(of: shard)
    }
  }

  /// Writes shard 0 anew as `change` makes it, and lists it.
  private func rewrite(_ change: (inout TrajectoryTable) -> Void) throws -> FileError? {
    let shard = manifest.shards[0]
    var table = try Dataset(at: folder.url).open(shard).table()
    change(&table)
    let written = try ShardWriter.draft(
      table, for: folder.url.appendingPathComponent(shard.file), compress: false, threads: 1
    ).commit(expecting: nil)
    let entry = ShardEntry(
      index: 0, file: shard.file, episodes: shard.episodes, steps: shard.steps,
      bytes: written.bytes, sha256: written.sha256)
    try self.change(file, ["shards", "0", "bytes"], to: .integer(entry.bytes))
    try self.change(file, ["shards", "0", "sha256"], to: .text(entry.sha256))
    let dataset = try Dataset(at: folder.url)
    do {
      _ = try dataset.open(dataset.manifest.shards[0])
      return nil
    } catch { return error }
  }

  private var path: String { folder.url.appendingPathComponent("shards/shard-00000.h5").path }

  @Test func theUnchangedShardIsOpened() throws { #expect(try rewrite { _ in } == nil) }

  @Test func aColumnOfAnotherTypeThanListedIsNamed() throws {
    #expect(
      try rewrite { $0[.observations] = $0[.observations]?.widened(true) }
        == .wrongType(
          file: path, dataset: "observations", expected: "f32, as listed", found: "f64"))
  }

  @Test func aColumnThatIsNotListedIsNamed() throws {
    #expect(
      try rewrite { table in
        table["extra/x"] = TableColumn(
          .float32, axis: .steps, [Float](repeating: 0, count: table.steps))
      }
        == .malformed(
          path, rule: "'extra/x' must not be there, as the manifest does not list it", found: "f32")
    )
  }

  @Test func aListedColumnThatIsMissingIsNamed() throws {
    #expect(
      try rewrite { $0[.rewards] = nil } == .missingDataset(file: path, dataset: "rewards"))
  }

  @Test func goalsThatMoveInACollectedDatasetAreNamed() throws {
    let rows = manifest.shards[0].steps + 2
    #expect(
      try rewrite { table in
        table[.desiredGoals] = TableColumn(
          .float32, rowShape: [3], axis: .states, [Float](repeating: 0, count: rows * 3))
      }
        == .wrongShape(file: path, dataset: "desired_goals", expected: [2, 3], found: [rows, 3]))
  }

  @Test(arguments: [[1, 0], [0, 7], [0, 0]] as [[Int64]])
  func numbersThatAreNotListedAreNamed(indices: [Int64]) throws {
    let error = try rewrite { table in
      var other = TrajectoryTable(indices: indices, lengths: table.lengths)
      for (name, column) in table.columns { other[name] = column }
      table = other
    }
    let row = indices[0] == 0 ? 1 : 0
    #expect(
      error
        == .wrongValue(
          file: path, dataset: "episode_indices", rule: "must be the listed ones, \(row) here",
          row: row, found: "\(indices[row])"))
  }

  @Test func tablesThatDifferAreAnError() throws {
    let table = try Dataset(at: folder.url).open(manifest.shards[0]).table()
    var wide = table
    wide[.rewards] = wide[.rewards]?.widened(true)
    #expect(
      throws: FileError.cannotConvert(
        "d", reason: "'rewards' differs in its type or shape between shards of one dataset")
    ) { try TrajectoryTable.joined([table, wide], name: "d") }
  }

  /// The words for what the system refuses, of errors of our own calls and of Foundation's.
  @Test(arguments: [
    (EACCES, "this user has no permission"), (EROFS, "the file system is read-only"),
    (ENOTDIR, "Not a directory"),
  ])
  func aRefusalIsInOneWording(code: Int32, words: String) {
    let inner = NSError(domain: NSPOSIXErrorDomain, code: Int(code))
    let outer = NSError(
      domain: NSCocoaErrorDomain, code: 513, userInfo: [NSUnderlyingErrorKey: inner])
    #expect(systemReason(of: outer) == words)
    #expect(systemReason(code) == words)
    #expect(
      FileError.writing("d", code: code) == .cannotWrite("d", reason: words))
  }

  @Test func aFolderThatCannotBeMadeIsOneSentence() throws {
    let inFile = folder.url.appendingPathComponent("file")
    try Data([1]).write(to: inFile)
    let error = #expect(throws: FileError.self) {
      try DatasetFolder(url: inFile.appendingPathComponent("d")).create()
    }
    #expect(error?.description.contains("Error Domain") == false)
  }
}
