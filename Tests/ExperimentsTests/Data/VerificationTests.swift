import Foundation
import GoalCore
import Support
import TestSupport
import Testing

@testable import Experiments
@testable import Storage

/// What `verify` finds besides slips of single numbers (`DatasetTests`).
struct VerificationTests {
  let folder: TemporaryFolder
  let manifest: Manifest
  var data: URL { folder.url.appendingPathComponent("data") }

  init() throws {
    folder = try TemporaryFolder()
    let recipe = Recipe(
      environment: "fetch-push", policy: "scripted", seed: 5, episodes: 6, noise: 0.2,
      shardEpisodes: 3)
    manifest = try recipe.collect(in: folder.url.appendingPathComponent("data"))
  }

  /// The episodes of each shard.
  func episodes() throws -> [[Trajectory]] {
    let dataset = try Dataset(at: data)
    return try manifest.shards.map { try dataset.open($0).trajectories() }
  }

  /// Writes the dataset anew with changed episodes, and seals it as if that were right.
  func rewrite(_ change: (inout [[Trajectory]]) -> Void) throws -> Verification.Report {
    var all = try episodes()
    change(&all)
    return try rewrite(all, as: manifest.shards)
  }

  /// Writes these episodes as these shards, and seals them.
  func rewrite(
    _ all: [[Trajectory]], as shards: [ShardEntry]
  ) throws -> Verification.Report {
    var records: [ShardRecord] = []
    for (episodes, listed) in zip(all, shards) {
      let file = try ShardWriter.write(
        episodes, spec: manifest.task.spec, to: data.appendingPathComponent(listed.file))
      records.append(
        ShardRecord(
          shard: ShardEntry(
            index: listed.index, file: listed.file, episodes: listed.episodes, steps: listed.steps,
            bytes: file.bytes, sha256: file.sha256),
          totals: DatasetTotals(of: episodes),
          sums: DatasetSums(
            of: TrajectoryTable(episodes, spec: manifest.task.spec), spec: manifest.task.spec)))
    }
    try seal(manifest.identity, records)
    return try Verification.run(data, replays: .some(0), workers: 2, silent: true)
  }

  func seal(_ identity: DatasetIdentity, _ records: [ShardRecord]) throws {
    try Manifest(identity, columns: manifest.columns, records: records)
      .write(to: data.appendingPathComponent("manifest.json"))
  }

  /// The shards' records as they were collected.
  func records() throws -> [ShardRecord] {
    try manifest.shards.map { shard in
      let file = data.appendingPathComponent(shard.file).deletingPathExtension()
      return try DigestedJSON.read(
        ShardRecord.self, from: file.appendingPathExtension("json"), schema: Manifest.schema
      ).value
    }
  }

  func rules(_ report: Verification.Report) -> [String: Int] {
    Dictionary(uniqueKeysWithValues: report.findings.map { ($0.rule, $0.count) })
  }

  @Test func rewritingAloneBreaksNothing() throws {
    #expect(try rewrite { _ in }.isSound)
  }

  @Test func teleportsAreFound() throws {
    let report = try rewrite { all in
      // From state 20 on, the block is elsewhere on the table.
      for t in 20...50 {
        all[1][2].observations[t * 25 + 3] += 0.3
        all[1][2].achievedGoals[t * 3] += 0.3
      }
    }
    #expect(rules(report)["the block moves at most 0.25 in a step"] == 1)
    let finding = report.findings.first { $0.rule.contains("moves at most") }
    #expect(finding?.first.hasPrefix("shards/shard-00001.h5, episode 5, step 19") == true)
  }

  @Test func everyNumberThatIsNoneOrTooLargeIsCounted() throws {
    let report = try rewrite { all in
      for place in [30, 31, 700] { all[0][1].observations[place] = .nan }
      all[0][1].observations[40] = 11
      all[0][0].desiredGoal[2] = .infinity
      all[0][0].rewards[4] = .nan
      all[0][2].achievedGoals[8] = -.infinity
    }
    let found = rules(report)
    #expect(found["observations are finite"] == 3)
    #expect(found["observations are within 10.0 of 0"] == 1)
    #expect(found["desired goals are finite"] == 1)
    #expect(found["rewards are finite"] == 1)
    #expect(found["achieved goals are finite"] == 1)
    #expect(
      report.findings.first { $0.rule == "observations are finite" }?.first
        == "shards/shard-00000.h5, episode 1, number 30")
  }

  @Test func episodesOutOfOrderAreAnError() throws {
    #expect(
      throws: FileError.wrongValue(
        file: data.appendingPathComponent("shards/shard-00000.h5").path,
        dataset: "episode_indices", rule: "must be the listed ones, 0 here", row: 0, found: "1")
    ) { try rewrite { $0[0].swapAt(0, 1) } }
  }

  @Test func shardsOutOfOrderAreFound() throws {
    let turned = zip(manifest.shards, manifest.shards.reversed()).map { here, there in
      ShardEntry(
        index: here.index, file: here.file, episodes: there.episodes, steps: there.steps, bytes: 0,
        sha256: "")
    }
    let report = try rewrite(episodes().reversed(), as: turned)
    #expect(rules(report) == ["shards are in the order of their episodes": 1])
  }

  @Test func aSeedThatIsThereTwiceIsFoundAcrossShards() throws {
    let report = try rewrite { $0[1][1].seed = $0[0][0].seed }
    #expect(
      rules(report) == [
        "no two episodes of a recipe have one seed": 1, "an episode's seed is its recipe's": 1,
      ])
  }

  @Test func anotherModelOrLibraryIsFound() throws {
    let other = DatasetIdentity(
      id: manifest.id, task: manifest.task, origin: manifest.identity.origin, stateLength: 0,
      isCategorical: false,
      modelDigest: String(repeating: "0", count: 64), libraries: ["simulator": "MuJoCo 2.1.0"])
    try seal(other, records())
    let found = rules(try Verification.run(data, replays: .some(1), workers: 1, silent: true))
    #expect(found == ["the model is the manifest's": 1, "the simulator is the manifest's": 1])
  }

  @Test func countsThatAreNotTheEpisodesAreFound() throws {
    var records = try records()
    var totals = records[1].totals
    totals.successesAtEnd += totals.successesAtEnd == 0 ? 1 : -1
    totals.returnSum -= 1
    records[1] = ShardRecord(shard: records[1].shard, totals: totals, sums: records[1].sums)
    try seal(manifest.identity, records)
    let found = rules(try Verification.run(data, replays: .some(0), workers: 1, silent: true))
    #expect(
      found == [
        "the manifest's counts are those of the episodes": 1,
        "the manifest's sum of rewards is that of the episodes": 1,
      ])
  }

  @Test func piecesCoverEveryEpisodeOnceForAllCores() {
    for (episodes, workers) in [([500], 2), ([3, 1, 500], 16), ([1, 1], 8), ([5], 1)] {
      let pieces = Verification.pieces(of: episodes, workers: workers)
      let numbers = pieces.flatMap { piece in piece.places.map { piece.first + $0 } }
      #expect(numbers == Array(0..<episodes.reduce(0, +)))
    }
    #expect(Verification.pieces(of: [500], workers: 2).count == 8)
    #expect(Verification.pieces(of: Array(repeating: 500, count: 80), workers: 2).count == 80)
  }

  @Test func theReportDoesNotDependOnTheWorkers() throws {
    _ = try rewrite { all in
      for place in 0..<3 { all[place % 2][place].observations[7 * place] = .nan }
    }
    let reports = try [1, 3, 7].map {
      try Verification.run(data, replays: .all, workers: $0, silent: true)
    }
    #expect(reports[0] == reports[1] && reports[0] == reports[2])
    #expect(reports[0].replayed == 6 && !reports[0].isSound)
  }

  /// 1,000 bytes, each changed alone in a shard or in the manifest, are all noticed.
  @Test func everyChangedByteIsNoticed() throws {
    let files = ["manifest.json"] + manifest.shards.map(\.file)
    let whole = try files.map { try Data(contentsOf: data.appendingPathComponent($0)) }
    let total = whole.reduce(0) { $0 + $1.count }
    var random = Xoshiro256(seed: 8)
    var missed: [String] = []
    for change in 0..<1_000 {
      // Every tenth in the manifest, which is small beside the shards.
      var place = change % 10 == 0 ? random.below(whole[0].count) : random.below(total)
      var file = 0
      while place >= whole[file].count {
        place -= whole[file].count
        file += 1
      }
      let url = data.appendingPathComponent(files[file])
      let old = whole[file][whole[file].startIndex + place]
      let new = old ^ UInt8(1 + random.below(255))
      try put(new, at: place, of: url)
      if (try? Dataset(at: data).check(afresh: true)) != nil {
        missed.append("\(files[file]), byte \(place): \(old) to \(new)")
      }
      try put(old, at: place, of: url)
    }
    #expect(missed.isEmpty, "\(missed)")
    try Dataset(at: data).check(afresh: true)
  }

  private func put(_ byte: UInt8, at place: Int, of url: URL) throws {
    let handle = try FileHandle(forUpdating: url)
    try handle.seek(toOffset: UInt64(place))
    try handle.write(contentsOf: Data([byte]))
    try handle.close()
  }
}
