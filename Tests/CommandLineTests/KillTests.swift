import Foundation
import GoalCore
import TestSupport
import Testing

/// kill -9 at any moment costs no data.
struct KillTests {
  @Test func aKilledCollectorIsResumedToTheSameBytes() throws {
    let folder = try TemporaryFolder()
    func arguments(_ output: String) -> [String] {
      [
        "collect", "--environment", "fetch-reach", "--policy", "scripted", "--episodes", "60",
        "--seed", "0", "--shard-episodes", "4", "--noise", "0.2", "--output", output,
      ]
    }
    #expect(try Program.run(arguments("whole/data"), in: folder.url).status == 0)
    var generator = Philox(seed: UInt64.random(in: 0..<1000), purpose: 1, index: 1)
    var kills = 0
    while kills < 12 {
      let process = try Program.start(arguments("killed/data"), in: folder.url)
      usleep(UInt32(generator.uniform(50_000, 700_000)))
      guard process.isRunning else { break }
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      kills += 1
    }
    #expect(kills > 0)
    let last = try Program.run(arguments("killed/data"), in: folder.url)
    #expect(last.status == 0)
    let names =
      try FileManager.default.contentsOfDirectory(
        atPath: folder.url.appendingPathComponent("whole/data/shards").path
      ).filter { $0.hasSuffix(".h5") || $0.hasSuffix(".json") } + ["../manifest.json"]
    #expect(names.count > 30)
    for name in names {
      let whole = try Data(
        contentsOf: folder.url.appendingPathComponent("whole/data/shards/\(name)"))
      let killed = try Data(
        contentsOf: folder.url.appendingPathComponent("killed/data/shards/\(name)"))
      #expect(whole == killed, "\(name)")
    }
    let left = try FileManager.default.contentsOfDirectory(
      atPath: folder.url.appendingPathComponent("killed/data/shards").path)
    #expect(!left.contains { $0.hasSuffix(".part") })
  }

  @Test func aKilledTrainerIsResumedToTheSameBytes() throws {
    let folder = try TemporaryFolder()
    #expect(
      try Program.run(
        [
          "collect", "--environment", "fetch-reach", "--policy", "scripted", "--episodes", "6",
          "--seed", "0", "--output", "data",
        ], in: folder.url
      ).status == 0)
    func arguments(_ output: String) -> [String] {
      [
        "train", "--learner", "wgcsl", "--dataset", "data", "--updates", "120", "--seed", "0",
        "--checkpoint-every", "4", "--evaluate-every", "0", "--output", output,
      ]
    }
    #expect(try Program.run(arguments("whole"), in: folder.url).status == 0)
    var process = try Program.start(arguments("killed"), in: folder.url)
    var generator = Philox(seed: UInt64.random(in: 0..<1000), purpose: 1, index: 1)
    for _ in 0..<6 {
      usleep(UInt32(generator.uniform(300_000, 900_000)))
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      let begun = FileManager.default.fileExists(
        atPath: folder.url.appendingPathComponent("killed/config.json").path)
      process = try Program.start(
        begun ? ["train", "--resume", "killed"] : arguments("killed"), in: folder.url)
    }
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    for name in ["policy.safetensors", "training.safetensors", "state.json"] {
      let path = "checkpoints/000000120/\(name)"
      #expect(
        try Data(contentsOf: folder.url.appendingPathComponent("whole/\(path)"))
          == Data(contentsOf: folder.url.appendingPathComponent("killed/\(path)")), "\(name)")
    }
  }
}
