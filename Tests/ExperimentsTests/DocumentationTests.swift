import Foundation
import Storage
import TestSupport
import Testing

@testable import Experiments

/// What the documentation shows is run as it stands there.
struct DocumentationTests {
  /// The first block of a language in a document.
  func block(_ language: String, of document: String) throws -> String {
    let text = try String(
      contentsOf: PythonReference.checkout.appendingPathComponent(document), encoding: .utf8)
    let parts = text.components(separatedBy: "```\(language)\n")
    return try #require(parts.dropFirst().first?.components(separatedBy: "```").first)
  }

  @Test(arguments: [false, true])
  func theLinesOfH5pyReadADataset(compress: Bool) throws {
    let folder = try TemporaryFolder()
    let data = folder.url.appendingPathComponent("data")
    let recipe = Recipe(
      environment: "fetch-reach", policy: "random", seed: 0, episodes: 5, shardEpisodes: 3,
      compress: compress)
    _ = try TrajectoryCollection.run(recipe, in: data, workers: 2, silent: true)
    let script = folder.url.appendingPathComponent("read.py")
    try Data(block("python", of: "Documentation/Trajectories.md").utf8).write(to: script)
    let said = try PythonReference.run(script: script, arguments: [data.path])
    let lines = String(decoding: said, as: UTF8.self).split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines[0].hasPrefix("shards/shard-00000.h5 153 150 (51, 10) (50, 4) ["))
    #expect(lines[1].hasPrefix("shards/shard-00001.h5 102 100 (51, 10) (50, 4) ["))
  }
}
