import Foundation
import GoalCore
import Storage
import Support
import TestSupport
import Testing

@testable import Experiments

/// Datasets that grow: only the new episodes are made, and the bytes are those of all at once.
struct GrowthTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func url(_ name: String) -> URL { folder.url.appendingPathComponent(name) }

  func recipe(_ episodes: Int, _ change: (inout Recipe) -> Void = { _ in }) -> Recipe {
    var recipe = Recipe(
      environment: "point-reach", policy: "random", seed: 3, episodes: episodes, shardEpisodes: 4)
    change(&recipe)
    return recipe
  }

  func collect(_ recipe: Recipe, to name: String) throws -> TrajectoryCollection.Summary {
    try TrajectoryCollection.run(recipe, in: url(name), workers: 2, silent: true)
  }

  /// Everything in a dataset that does not say where and when it was made, or checked.
  func contents(_ name: String) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: url(name).path)
    where !["provenance.json", "provenance.lock", "shards", "shards/checked.json"].contains(path) {
      files[path] = try Data(contentsOf: url(name).appendingPathComponent(path))
    }
    return files
  }

  func inode(_ path: String) -> UInt64 {
    var status = stat()
    return stat(url(path).path, &status) == 0 ? UInt64(status.st_ino) : 0
  }

  @Test(arguments: ["plain", "compressed", "states", "without records"])
  func aGrownDatasetIsTheOneCollectedAtOnce(kind: String) throws {
    func asked(_ episodes: Int) -> Recipe {
      recipe(episodes) {
        $0.compress = kind == "compressed"
        if kind == "states" { ($0.environment, $0.states) = ("pointmaze-medium", true) }
      }
    }
    let large = kind == "states" ? 6 : 17
    let small = kind == "states" ? 5 : 10
    #expect(try collect(asked(large), to: "whole/D").isComplete)
    #expect(try collect(asked(small), to: "D").isComplete)
    if kind == "without records" {
      for name in try FileManager.default.contentsOfDirectory(atPath: url("D/shards").path)
      where name.hasSuffix(".json") {
        try FileManager.default.removeItem(at: url("D/shards/\(name)"))
      }
    }
    let kept = inode("D/shards/shard-00000.h5")
    let grown = try collect(asked(large), to: "D")
    #expect(grown.made == large - small && grown.isComplete)
    #expect(try contents("D") == contents("whole/D"), "\(kind)")
    #expect(inode("D/shards/shard-00000.h5") == kept)
    #expect(try collect(asked(large), to: "D").made == 0)
    // It does not shrink, and is nobody else's.
    for other in [asked(small), recipe(30) { $0.seed = 4 }] {
      #expect(throws: FileError.self) { try collect(other, to: "D") }
    }
    #expect(try contents("D") == contents("whole/D"), "\(kind)")
    let report = try Verification.run(url("D"), replays: .all, workers: 2, silent: true)
    #expect(report.isSound && report.replayed == large, "\(report.findings)")
  }

  @Test func anUnfinishedDatasetGrowsToo() throws {
    _ = try collect(recipe(17), to: "whole/D")
    _ = try collect(recipe(10), to: "D")
    for name in ["manifest.json", "shards/shard-00001.h5", "shards/shard-00001.json"] {
      try FileManager.default.removeItem(at: url("D/\(name)"))
    }
    #expect(try collect(recipe(17), to: "D").made == 11)
    #expect(try contents("D") == contents("whole/D"))
  }

  /// Each moment at which a call that makes a dataset grow can be killed.
  @Test func whereverGrowthIsCutOffItGoesOn() throws {
    _ = try collect(recipe(17), to: "whole/D")
    _ = try collect(recipe(10), to: "old/D")
    let steps = [
      "shards/collection.json", "manifest.json", "shards/shard-00002.h5",
      "shards/shard-00002.json", "shards/shard-00003.h5", "shards/shard-00003.json",
    ]
    for done in 1...steps.count {
      let name = "cut-\(done)/D"
      try FileManager.default.createDirectory(
        at: url("cut-\(done)"), withIntermediateDirectories: true)
      try FileManager.default.copyItem(at: url("old/D"), to: url(name))
      for step in steps.prefix(done) {
        try? FileManager.default.removeItem(at: url("\(name)/\(step)"))
        guard step != "manifest.json" else { continue }
        try FileManager.default.copyItem(at: url("whole/D/\(step)"), to: url("\(name)/\(step)"))
      }
      // The smaller number is no longer what is asked for there.
      #expect(throws: FileError.self) { try collect(recipe(10), to: name) }
      #expect(try collect(recipe(17), to: name).isComplete)
      #expect(try contents(name) == contents("whole/D"), "cut off after \(done) steps")
    }
  }

  @Test func whatIsMissingOrAlteredDoesNotGrow() throws {
    _ = try collect(recipe(10), to: "D")
    let shard = url("D/shards/shard-00000.h5")
    let bytes = try Data(contentsOf: shard)
    try Data(repeating: 7, count: bytes.count).write(to: shard)
    let before = try contents("D")
    #expect(throws: FileError.self) { try collect(recipe(17), to: "D") }
    try FileManager.default.removeItem(at: shard)
    #expect(throws: FileError.missing(shard.path)) { try collect(recipe(17), to: "D") }
    #expect(try contents("D") == before.filter { $0.key != "shards/shard-00000.h5" })
  }
}
