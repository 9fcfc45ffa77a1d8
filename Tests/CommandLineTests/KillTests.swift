import Formats
import Foundation
import GoalCore
import TestSupport
import Testing

/// kill -9 at any moment costs no data.
struct KillTests {
  /// How often a collector is killed: `GOALPOST_KILLS`, 12 if that is not set; `make torture` takes
  /// 60.
  static let wantedKills =
    ProcessInfo.processInfo.environment["GOALPOST_KILLS"].flatMap { Int($0) } ?? 12

  func arguments(_ output: String, episodes: Int = 60) -> [String] {
    [
      "collect", "--environment", "fetch-reach", "--policy", "scripted", "--episodes",
      "\(episodes)", "--seed", "0", "--shard-episodes", "4", "--noise", "0.2", "--output", output,
    ]
  }

  /// Expects the same shards, records and manifest in two datasets, and nothing half done.
  func expectSame(_ whole: URL, _ other: URL) throws {
    let names =
      try FileManager.default.contentsOfDirectory(
        atPath: whole.appendingPathComponent("shards").path
      ).filter { $0.hasSuffix(".h5") || $0.hasSuffix(".json") } + ["../manifest.json"]
    #expect(names.count > 30)
    for name in names {
      #expect(
        try Data(contentsOf: whole.appendingPathComponent("shards/\(name)"))
          == Data(contentsOf: other.appendingPathComponent("shards/\(name)")), "\(name)")
    }
    let left = try FileManager.default.contentsOfDirectory(
      atPath: other.appendingPathComponent("shards").path)
    #expect(!left.contains { $0.hasSuffix(".part") || $0.hasSuffix(".lock") }, "\(left)")
  }

  /// Which file each committed shard is: its inode and the time of its last change, by name.
  func committed(_ data: URL) throws -> [String: [Int]] {
    let shards = data.appendingPathComponent("shards")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: shards.path)) ?? []
    var files: [String: [Int]] = [:]
    for name in names where name.hasSuffix(".h5") {
      // The record commits a shard.
      guard names.contains(name.replacingOccurrences(of: ".h5", with: ".json")) else { continue }
      var status = stat()
      try #require(stat(shards.appendingPathComponent(name).path, &status) == 0)
      files[name] = [Int(status.st_ino), status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
    }
    return files
  }

  @Test func aKilledCollectorIsResumedToTheSameBytes() throws {
    let folder = try TemporaryFolder()
    let whole = folder.url.appendingPathComponent("whole/data")
    #expect(try Program.run(arguments("whole/data"), in: folder.url).status == 0)
    var generator = Philox(seed: UInt64.random(in: 0..<1000), purpose: 1, index: 1)
    var kills = 0
    var round = 0
    // A collector that comes to its end between two kills is checked, and another one begun.
    while kills < KillTests.wantedKills {
      round += 1
      let data = folder.url.appendingPathComponent("killed-\(round)/data")
      var kept: [String: [Int]] = [:]
      while kills < KillTests.wantedKills {
        let process = try Program.start(arguments("killed-\(round)/data"), in: folder.url)
        usleep(UInt32(generator.uniform(50_000, 700_000)))
        guard process.isRunning else { break }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        kills += 1
        let now = try committed(data)
        for (name, file) in kept { #expect(now[name] == file, "\(name) was written again") }
        kept = now
      }
      let last = try Program.run(arguments("killed-\(round)/data"), in: folder.url)
      #expect(last.status == 0)
      try expectSame(whole, data)
      let now = try committed(data)
      for (name, file) in kept { #expect(now[name] == file, "\(name) was written again") }
    }
    #expect(kills == KillTests.wantedKills)
  }

  @Test func aKilledGrowthGoesOnToTheSameBytes() throws {
    let folder = try TemporaryFolder()
    #expect(try Program.run(arguments("whole/data"), in: folder.url).status == 0)
    #expect(try Program.run(arguments("grown/data", episodes: 30), in: folder.url).status == 0)
    var generator = Philox(seed: UInt64.random(in: 0..<1000), purpose: 1, index: 2)
    for _ in 0..<KillTests.wantedKills / 2 {
      let process = try Program.start(arguments("grown/data"), in: folder.url)
      usleep(UInt32(generator.uniform(50_000, 400_000)))
      if process.isRunning { kill(process.processIdentifier, SIGKILL) }
      process.waitUntilExit()
    }
    #expect(try Program.run(arguments("grown/data"), in: folder.url).status == 0)
    try expectSame(
      folder.url.appendingPathComponent("whole/data"),
      folder.url.appendingPathComponent("grown/data"))
  }

  @Test func twoCollectorsShareOneTarget() throws {
    let folder = try TemporaryFolder()
    let url = folder.url
    #expect(try Program.run(arguments("whole/data"), in: url).status == 0)
    let data = url.appendingPathComponent("shared/data")
    let processes = try ["one", "two"].map { name in
      let own = url.appendingPathComponent(name)
      try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
      return try Program.start(arguments(data.path) + ["--workers", "1"], in: own)
    }
    // A shard that is seen committed stays that very file.
    var seen: [String: [Int]] = [:]
    while processes.contains(where: \.isRunning) {
      for (name, file) in try committed(data) {
        #expect(seen[name, default: file] == file, "\(name) was made twice")
        seen[name] = file
      }
      usleep(2_000)
    }
    for process in processes { #expect(process.terminationStatus == 0) }
    let now = try committed(data)
    #expect(now.count == 15)
    for (name, file) in seen { #expect(now[name] == file, "\(name) was made twice") }
    #expect(try Program.run(arguments(data.path), in: url).status == 0)
    try expectSame(url.appendingPathComponent("whole/data"), data)
    #expect(try committed(data) == now)
    // What each says that it made adds up to all.
    let said = try ["one", "two"].map { name in
      try String(contentsOf: url.appendingPathComponent("\(name)/stderr.txt"), encoding: .utf8)
    }
    #expect(said.allSatisfy { !$0.contains("Error") }, "\(said)")
  }

  @Test func ctrlCSaysWhatWasKeptAndTheSameCommandGoesOn() throws {
    let folder = try TemporaryFolder()
    #expect(try Program.run(arguments("whole/data"), in: folder.url).status == 0)
    let data = folder.url.appendingPathComponent("stopped/data")
    let process = try Program.start(
      arguments("stopped/data") + ["--workers", "1"], in: folder.url)
    while process.isRunning, try committed(data).count < 2 { usleep(1_000) }
    kill(process.processIdentifier, SIGINT)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 130)
    let kept = try committed(data)
    #expect(kept.count >= 2 && kept.count < 15)
    let said = try String(
      contentsOf: folder.url.appendingPathComponent("stderr.txt"), encoding: .utf8)
    #expect(
      said.contains(
        "stopped: \(4 * kept.count) of 60 episodes are kept, in finished shards; "
          + "the same command goes on\n"), "\(said)")
    let left = try FileManager.default.contentsOfDirectory(
      atPath: data.appendingPathComponent("shards").path)
    #expect(!left.contains { $0.hasSuffix(".part") || $0.hasSuffix(".lock") }, "\(left)")
    #expect(try Program.run(arguments("stopped/data"), in: folder.url).status == 0)
    try expectSame(folder.url.appendingPathComponent("whole/data"), data)
    let now = try committed(data)
    for (name, file) in kept { #expect(now[name] == file, "\(name) was written again") }
  }

  @Test func aKilledMixIsResumedToTheSameBytes() throws {
    let folder = try TemporaryFolder()
    #expect(try Program.run(arguments("data"), in: folder.url).status == 0)
    // Compressed, no shard is taken whole: all are written, which takes a while.
    func mix(_ output: String) -> [String] {
      [
        "mix", "data", "--compress", "--repeat", "--episodes",
        "900", "--seed", "1", "--workers", "1", "--output", output,
      ]
    }
    let start = ContinuousClock.now
    #expect(try Program.run(mix("whole/mixed"), in: folder.url).status == 0)
    let time = (ContinuousClock.now - start) / .microseconds(1)
    var generator = Philox(seed: UInt64.random(in: 0..<1000), purpose: 1, index: 1)
    var kills = 0
    for _ in 0..<40 where kills < 8 {
      let process = try Program.start(mix("killed/mixed"), in: folder.url)
      usleep(UInt32(generator.uniform(0.05, 0.6) * time))
      if process.isRunning {
        kill(process.processIdentifier, SIGKILL)
        kills += 1
      }
      process.waitUntilExit()
    }
    #expect(kills > 0)
    let last = try Program.run(mix("killed/mixed"), in: folder.url)
    #expect(last.status == 0, "\(last)")
    try expectSame(
      folder.url.appendingPathComponent("whole/mixed"),
      folder.url.appendingPathComponent("killed/mixed"))
  }

  @Test func aKilledConversionIsResumedToTheSameBytes() throws {
    let folder = try TemporaryFolder()
    _ = try PythonReference.run(
      "formats_reference.py",
      arguments: ["write_large", folder.url.appendingPathComponent("buffer.pkl").path])
    func convert(_ output: String) -> [String] {
      ["convert", "buffer.pkl", "--output", output, "--workers", "1"]
    }
    for name in ["whole/data", "whole.pkl"] {
      #expect(try Program.run(convert(name), in: folder.url).status == 0)
    }
    var generator = Philox(seed: UInt64.random(in: 0..<1000), purpose: 2, index: 1)
    for name in ["data", "data.pkl"] {
      for _ in 0..<3 {
        let process = try Program.start(convert(name), in: folder.url)
        usleep(UInt32(20_000 + 300_000 * generator.unit()))
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
      }
    }
    #expect(try Program.run(convert("data"), in: folder.url).status == 0)
    let manifests = try ["whole/data", "data"].map {
      try Data(contentsOf: folder.url.appendingPathComponent("\($0)/manifest.json"))
    }
    #expect(manifests[0] == manifests[1])
    #expect(String(decoding: manifests[0], as: UTF8.self).contains("shard-00001.h5"))
    // A foreign file is whole or not there, and what was left half written goes with the next call.
    let file = folder.url.appendingPathComponent("data.pkl")
    if !FileManager.default.fileExists(atPath: file.path) {
      #expect(try Program.run(convert("data.pkl"), in: folder.url).status == 0)
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
      #expect(!names.contains { $0.hasSuffix(".part") || $0.hasSuffix(".lock") }, "\(names)")
    }
    #expect(
      try Data(contentsOf: file)
        == Data(contentsOf: folder.url.appendingPathComponent("whole.pkl")))
  }

  /// The contents of the files in a folder, by their paths in it.
  func contents(_ folder: URL) throws -> [String: Data] {
    var contents: [String: Data] = [:]
    for path in (try? FileManager.default.subpathsOfDirectory(atPath: folder.path)) ?? [] {
      contents[path] = try? Data(contentsOf: folder.appendingPathComponent(path))
    }
    return contents
  }

  @Test func aKilledExportIsWholeOrNotThere() throws {
    let folder = try TemporaryFolder()
    #expect(try Program.run(arguments("data"), in: folder.url).status == 0)
    var halves = 0
    for format in Formats.written.map(\.name) {
      func export(_ place: String) -> [String] {
        ["convert", "data", "--output", "\(place)-\(format)/mine/data-v0", "--to", format]
      }
      #expect(try Program.run(export("whole"), in: folder.url).status == 0)
      let whole = try contents(folder.url.appendingPathComponent("whole-\(format)"))
      #expect(!whole.isEmpty)
      let killed = folder.url.appendingPathComponent("killed-\(format)")
      let mine = killed.appendingPathComponent("mine")
      let process = try Program.start(export("killed"), in: folder.url)
      while process.isRunning,
        !((try? FileManager.default.contentsOfDirectory(atPath: mine.path)) ?? []).contains(where: {
          $0.hasSuffix(".part")
        })
      {}
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      let left = try contents(killed)
      if left.keys.contains(where: { "\($0)/".hasPrefix("mine/data-v0/") }) {
        #expect(left.filter { !$0.key.hasSuffix(".lock") } == whole, "\(format)")
      } else {
        halves += 1
        // The next call clears what was left and makes it.
        let last = try Program.run(export("killed"), in: folder.url)
        #expect(last.status == 0, "\(format): \(last)")
        #expect(try contents(killed) == whole, "\(format)")
      }
    }
    #expect(halves > 0)
  }
}
