import Formats
import Foundation
import GoalCore
import Storage
import Support
import TestSupport
import Testing

@testable import Experiments

/// Minari's, robomimic's and D4RL's HDF5 files come in and go out as they were, and their own code
/// reads ours.
struct HDF5ConversionTests {
  private let tools: ConversionTests

  init() throws { tools = try ConversionTests() }

  private func url(_ name: String) -> URL { tools.url(name) }

  @discardableResult
  private func python(_ arguments: String...) throws -> [String] {
    lines(try PythonReference.run("hdf5_reference.py", arguments: arguments))
  }

  private func peer(_ arguments: String...) throws -> [String: Any] {
    let output = try PythonReference.runPeer("peers_reference.py", arguments: arguments)
    let last = lines(output).last ?? "{}"
    return try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any] ?? [:]
  }

  private func lines(_ data: Data) -> [String] {
    String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  private func data(_ name: String) -> String { url(name + "/data/main_data.hdf5").path }

  /// Random pushes with states of the simulator, split for validation.
  private func collect(_ name: String, episodes: Int = 8) throws {
    try Recipe(
      environment: "fetch-push", policy: "random", seed: 3, episodes: episodes, shardEpisodes: 5,
      states: true
    ).collect(in: url(name))
  }

  private func digests(_ name: String) throws -> [String] {
    try Dataset(at: url(name)).manifest.shards.map(\.sha256)
  }

  // MARK: - Minari

  @Test(arguments: ["chunked", "latest"])
  func minarisFileComesInAndGoesOutAsItWas(storage: String) throws {
    try python("write_minari", url("in/test/made-v0").path, storage)
    let report = try tools.convert("in/test/made-v0", to: "ours")[0]
    #expect(report.from == "minari" && report.episodes == 3 && report.steps == 11)
    #expect(
      report.notes.lost == [
        "metadata.json's action_space, which has no finite bounds for a row of numbers",
        "metadata.json's author, ['someone']", "metadata.json's dataset_id, 'test/made-v0'",
        "metadata.json's observation_space: the bounds of observations",
      ])
    let manifest = try Dataset(at: url("ours")).manifest
    #expect(manifest.task.identifier == "Made-v0")
    #expect(manifest.totals.terminated == 1 && manifest.totals.truncated == 2)
    #expect(manifest.columns["observations"]?.type == "f64")
    #expect(try tools.rows("ours", "seeds").rows == 3)
    #expect(try tools.rows("ours", "desired_goals").rows == 3)
    try tools.expectSound("ours")
    for compress in [false, true] {
      let name = "out/test/made-v\(compress ? 1 : 0)"
      try tools.convert("ours", to: name) {
        $0.to = "minari"
        $0.compress = compress
      }
      #expect(try python("compare", data("in/test/made-v0"), data(name)) == ["27"])
      #expect(try tools.files(name) == ["data"])
      try tools.convert(name, to: "again\(compress)")
      #expect(try digests("again\(compress)") == digests("ours"))
    }
    #expect(try tools.files("out/test") == ["made-v0", "made-v1", "namespace_metadata.json"])
    let error = #expect(throws: FileError.self) {
      try tools.convert("ours", to: "out/x/noversion") { $0.to = "minari" }
    }
    #expect("\(error.map { "\($0)" } ?? "")".contains("ROOT/<namespace>/<name>-v<number>"))
  }

  @Test func everyColumnOfOursComesBackFromEachFormat() throws {
    try collect("ours")
    let outputs = [
      ("minari", "mine/data-v0"), ("robomimic", "r.hdf5"), ("d4rl", "d.hdf5"), ("lerobot", "l"),
    ]
    for (format, name) in outputs {
      let report = try tools.convert("ours", to: name) { $0.to = format }[0]
      #expect(!report.notes.lines.isEmpty)
      let back = try tools.convert(name, to: "back-" + format) { $0.environment = "fetch-push" }[0]
      #expect(back.from == format)
      #expect(try Dataset(at: url("back-" + format)).manifest.columns["states"]?.origin == .native)
      let source = try Dataset(at: url("ours")).source()
      let found = try Dataset(at: url("back-" + format)).source()
      #expect(source.lengths == found.lengths)
      let (left, right) = (try source.table(of: 0..<8), try found.table(of: 0..<8))
      #expect(Set(left.columns.keys) == Set(right.columns.keys), "\(format)")
      for (path, column) in left.columns {
        let other = try #require(right[path])
        #expect(
          column.type == other.type && column.bytes.elementsEqual(other.bytes),
          "\(format): \(path)")
      }
    }
  }

  /// The contents of the files of a folder, by their paths in it.
  private func contents(_ name: String) throws -> [String: Data] {
    var contents: [String: Data] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: url(name).path) {
      let file = url(name).appendingPathComponent(path)
      if !file.hasDirectoryPath { contents[path] = try? Data(contentsOf: file) }
    }
    return contents
  }

  @Test(arguments: Formats.written.map(\.name))
  func threadsMakeTheFileThatOneMakes(format: String) throws {
    try collect("ours")
    for workers in [1, 3] {
      try tools.convert("ours", to: "out-\(workers)/mine/data-v0") {
        $0.to = format
        $0.workers = workers
      }
    }
    let (one, three) = (try contents("out-1"), try contents("out-3"))
    #expect(!one.isEmpty && one == three)
    let back = try tools.convert("out-3/mine/data-v0", to: "back") {
      $0.from = format
      $0.environment = "fetch-push"
    }
    #expect(back[0].episodes == 8)
    try tools.expectSound("back")
  }

  @Test(arguments: Formats.written.map(\.name))
  func ofAnAlteredShardNothingIsMade(format: String) throws {
    try collect("ours")
    let shard = url("ours/shards/shard-00001.h5")
    var bytes = try Data(contentsOf: shard)
    bytes[bytes.count / 2] ^= 64
    try bytes.write(to: shard)
    let error = #expect(throws: FileError.self) {
      try tools.convert("ours", to: "out/data-v0") { $0.to = format }
    }
    guard case .altered(shard.path, _, _)? = error else {
      Issue.record("\(error.map { "\($0)" } ?? "no error")")
      return
    }
    #expect(try contents("out").isEmpty)
  }

  @Test(.enabled(if: PythonReference.hasPeers(for: "Minari's own code")))
  func minariRecordsAndReads() throws {
    try tools.makeFolder("theirs")
    _ = try peer("record", url("theirs").path, "5")
    let report = try tools.convert("theirs/fetch/recorded-v0", to: "ours")[0]
    #expect(report.episodes == 5 && report.steps == 250)
    #expect(try Dataset(at: url("ours")).manifest.task.identifier == "fetch-push")
    try tools.expectSound("ours")
    try tools.convert("ours", to: "root/fetch/back-v0") { $0.to = "minari" }
    #expect(
      try python("compare", data("theirs/fetch/recorded-v0"), data("root/fetch/back-v0")) == ["35"])
    let uses = try peer("minari_uses", url("root").path, "fetch/back-v0")
    #expect(uses["episodes"] as? Int == 5 && uses["steps"] as? Int == 250)
    #expect(uses["even"] as? Int == 3 && uses["seeds"] as? [Int] == [0, 1, 2, 3, 4])
    #expect((uses["types"] as? [String: String])?["observation"] == "float64")
    // What Minari combined out of ours comes in again.
    let both = try tools.convert("root/fetch/both-v0", to: "both")[0]
    #expect(both.episodes == 10)
    #expect(
      try tools.rows("both", "actions").slice(0..<250).floats()
        == tools.rows("ours", "actions").floats())
  }

  // MARK: - robomimic

  @Test func robomimicsFileComesInAndGoesOutAsItWas() throws {
    try tools.makeFolder("in")
    try python("write_robomimic", url("in/demos.hdf5").path)
    let report = try tools.convert("in/demos.hdf5", to: "ours") { $0.environment = "made" }[0]
    #expect(report.from == "robomimic" && report.episodes == 15 && report.steps == 55)
    #expect(report.notes.lost == ["env_kwargs, reward_type"])
    let manifest = try Dataset(at: url("ours")).manifest
    #expect(manifest.totals.terminated == 7 && manifest.totals.truncated == 8)
    #expect(try tools.rows("ours", "extra/mask_train").integers().reduce(0, +) == 2)
    // Demos are in the order of their numbers, not of their names.
    #expect(try Dataset(at: url("ours")).source().lengths[9..<12] == [4, 1, 6])
    try tools.convert("ours", to: "out.hdf5") { $0.to = "robomimic" }
    #expect(
      try python("compare", url("in/demos.hdf5").path, url("out.hdf5").path, "mask,env_args")
        == ["150"])
  }

  @Test func withoutNextObservationsTheLastActionIsLeftOutAndSaid() throws {
    try tools.makeFolder("in")
    try python("write_robomimic", url("in/demos.hdf5").path, "no-next")
    let report = try tools.convert("in/demos.hdf5", to: "ours") { $0.environment = "made" }[0]
    #expect(report.steps == 5 * (3 + 1 + 5))
    #expect(
      report.notes.lost.contains {
        $0.hasPrefix("actions, rewards and dones of each episode's last row")
      })
  }

  @Test(.enabled(if: PythonReference.hasPeers(for: "robomimic's SequenceDataset")))
  func robomimicReadsOurs() throws {
    try collect("ours", episodes: 8)
    try collect("ours-val", episodes: 2)
    try tools.convert("ours", to: "demos.hdf5") { $0.to = "robomimic" }
    let uses = try peer("robomimic_uses", url("demos.hdf5").path, "masks")
    #expect(uses["name"] as? String == "FetchPush-v4")
    #expect(uses["lengths"] as? [Int] == Array(repeating: 50, count: 10))
    let found = try #require(uses["found"] as? [String: [Double]])
    #expect(found["None"]?.prefix(2) == [500, 10])
    #expect(found["train"]?.prefix(2) == [400, 8] && found["valid"]?.prefix(2) == [100, 2])
    // Two frames and three steps are given of each row; the goal is the last next_obs.
    let achieved = try tools.rows("ours-val", "achieved_goals").doubles()
    let goals = (0..<2).map { achieved[($0 * 51 + 50) * 3..<($0 * 51 + 51) * 3].reduce(0, +) }
    #expect(abs((found["valid"]?[3] ?? 0) - 50 * goals.reduce(0, +)) < 0.05)
  }

  // MARK: - D4RL

  @Test func d4rlsFileComesInAndGoesOutToItsRules() throws {
    try tools.makeFolder("in")
    try python("write_d4rl", url("in/made-v2.hdf5").path, "")
    let report = try tools.convert("in/made-v2.hdf5", to: "ours") { $0.goalIndices = [1, 2] }[0]
    #expect(report.from == "d4rl" && report.episodes == 3 && report.steps == 11)
    #expect(report.notes.assumed.contains { $0.hasPrefix("the last 6 rows, which no flag ends") })
    #expect(report.notes.lost.map { $0.prefix(20) } == ["'metadata/algorithm'"])
    let manifest = try Dataset(at: url("ours")).manifest
    #expect(manifest.totals.terminated == 1 && manifest.totals.truncated == 2)
    #expect(manifest.columns["extra/qpos"]?.type == "f64")
    #expect(try tools.rows("ours", "desired_goals").rows == 3)
    try tools.convert("ours", to: "out.hdf5") { $0.to = "d4rl" }
    #expect(
      try python(
        "compare", url("in/made-v2.hdf5").path, url("out.hdf5").path,
        "metadata,rewards,timeouts") == ["6"])
    #expect(try python("read_d4rl", url("out.hdf5").path, url("read.h5").path) == ["[4, 1, 6]"])
    try tools.convert("out.hdf5", to: "again") { $0.goalIndices = [1, 2] }
    #expect(try digests("again") == digests("ours"))
  }

  @Test func withoutNextObservationsAnEpisodesLastRowIsItsLastState() throws {
    try tools.makeFolder("in")
    try python("write_d4rl", url("in/made-v0.hdf5").path, "next_observations")
    let report = try tools.convert("in/made-v0.hdf5", to: "ours") { $0.goalIndices = [1, 2] }[0]
    #expect(report.episodes == 2 && report.steps == 3 + 5)
    #expect(
      report.notes.lost.contains {
        $0.hasPrefix("actions, rewards and terminals of each episode's last row")
      })
    let totals = try Dataset(at: url("ours")).manifest.totals
    #expect(totals.terminated == 0 && totals.truncated == 2)
    // With a world whose horizon is known, an episode without timeouts ends there as well.
    try python("write_d4rl", url("in/none-v0.hdf5").path, "timeouts")
    let none = try tools.convert("in/none-v0.hdf5", to: "none") { $0.goalIndices = [1, 2] }[0]
    #expect(none.episodes == 2)
    #expect(
      none.notes.assumed.contains { $0.hasPrefix("episodes end at terminals and with the file") })
  }

  // MARK: - What is refused

  @Test func whatIsWrongIsOneSentenceWithItsPlace() throws {
    try python("write_minari", url("in/test/made-v0").path, "chunked")
    let metadata = url("in/test/made-v0/data/metadata.json")
    let text = try String(contentsOf: metadata, encoding: .utf8)
    try Data(text.replacingOccurrences(of: "hdf5", with: "arrow").utf8).write(to: metadata)
    let error = #expect(throws: FileError.self) {
      try tools.convert("in/test/made-v0", to: "ours")
    }
    #expect("\(error.map { "\($0)" } ?? "")".contains("its data are of format 'arrow'"))
    try Data(text.utf8).write(to: metadata)
    let small = #expect(throws: FileError.self) {
      try tools.convert("in/test/made-v0", to: "ours") { $0.maximumBytes = 100 }
    }
    #expect("\(small.map { "\($0)" } ?? "")".contains("--max-bytes"))
  }

  @Test func rowsThatAreJoinedByVirtualDatasetsComeInAsIfTheyWereThere() throws {
    try tools.makeFolder("in")
    try python("parts", url("in/joined.hdf5").path, "3")
    try tools.convert("in/joined.hdf5", to: "joined") { $0.goalIndices = [1, 2] }
    let plain = try tools.convert("in/plain.hdf5", to: "plain") { $0.goalIndices = [1, 2] }[0]
    #expect(plain.from == "d4rl" && plain.steps == 33)
    #expect(try digests("joined") == digests("plain"))
    let conversion = try #require(try Dataset(at: url("joined")).manifest.identity.conversion)
    #expect(
      conversion.files.map(\.name) == ["joined.hdf5", "p0.hdf5", "p1.hdf5", "p2.hdf5"])
    #expect(
      try conversion.files[2].sha256 == Digest.sha256(ofFile: url("in/parts/p1.hdf5")))
  }
}
