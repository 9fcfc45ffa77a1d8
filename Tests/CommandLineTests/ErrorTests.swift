import Foundation
import TestSupport
import Testing

/// Bad input: one sentence, a non-zero exit, and nothing lost.
struct ErrorTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Whether a file system can be mounted here, which a container may forbid to root as well.
  private static let canMount: Bool = {
    guard getuid() == 0, let folder = try? TemporaryFolder() else { return false }
    defer { umount(folder.url.path) }
    return mount("tmpfs", folder.url.path, "tmpfs", 0, "size=4k") == 0
  }()

  func run(_ arguments: String...) throws -> Program.Result {
    try Program.run(arguments, in: folder.url)
  }

  /// What was said, one line, without the folder's name.
  func sentence(_ result: Program.Result) -> String {
    result.error.replacingOccurrences(of: folder.url.path + "/", with: "")
      .replacingOccurrences(of: "/private", with: "")
  }

  func collect(_ output: String = "data", episodes: Int = 4) throws -> Program.Result {
    try run(
      "collect", "--environment", "fetch-reach", "--policy", "scripted", "--episodes",
      "\(episodes)", "--seed", "0", "--shard-episodes", "2", "--output", output)
  }

  @Test func anUnknownWorld() throws {
    let result = try run(
      "collect", "--environment", "fetch-pusch", "--policy", "random", "--episodes", "1", "--seed",
      "0", "--output", "data")
    #expect(result.status == 1)
    #expect(
      result.error
        == "Error: no environment is called 'fetch-pusch': did you mean fetch-push?\n")
    #expect(!FileManager.default.fileExists(atPath: folder.url.path + "/data"))
  }

  @Test func unknownSettingsAndLearners() throws {
    #expect(try collect().status == 0)
    var result = try run(
      "train", "--dataset", "data", "--seed", "0", "--set", "bachSize=3", "--updates", "1")
    #expect(result.status == 1)
    #expect(result.error.contains("no setting is called 'bachSize': did you mean batchSize?"))
    #expect(!FileManager.default.fileExists(atPath: folder.url.path + "/runs"))
    result = try run("train", "--dataset", "data", "--seed", "0", "--learner", "wgscl")
    #expect(result.status == 1)
    #expect(result.error.contains("no learner is called 'wgscl': did you mean wgcsl?"))
  }

  @Test func unknownSchemes() throws {
    #expect(try collect().status == 0)
    for (scheme, sentence) in [
      ("futur", "no scheme is called 'futur': did you mean future or her-future?"),
      ("her-future:k=0", "her-future: k must be a whole number from 1 to 16777216, found '0'"),
    ] {
      let result = try run("sample", "data", "--scheme", scheme, "--inspect")
      #expect(result.status == 1 && result.error == "Error: \(sentence)\n")
    }
    let result = try run(
      "train", "--dataset", "data:0.5", "--dataset", "data", "--seed", "0", "--updates", "1")
    #expect(result.status == 1)
    #expect(
      result.error.hasSuffix("data: give every dataset a weight, or none: this one has none\n"))
  }

  @Test func wrongArguments() throws {
    for arguments in [
      ["collect"], ["collect", "--environment", "fetch-push"], ["frobnicate"],
      ["train"], ["verify"], ["evaluate"], ["verify", "data", "--replay", "some"],
      ["evaluate", "x", "--video", "film.avi"], ["evaluate", "x", "--format", "word"],
      ["evaluate", "x", "--measure", "succes"],
      ["train", "--dataset", "d", "--seed", "1", "--seeds", "0-3"],
      ["train", "--dataset", "d", "--seed", "268435456"],
      ["sample", "d"],
      ["sample", "d", "--scheme", "future", "--learner", "gcsl", "--inspect"],
      ["sample", "d", "--scheme", "future", "--inspect", "--plot", "a.png"],
      ["mix", "--output", "o"], ["mix", "d"], ["mix", "d", "--output", "o", "--split", "1"],
      ["mix", "d", "--output", "o", "--episodes", "0"],
      ["mix", "d", "--output", "o", "--episodes", "3", "--only-episodes", "1"],
      ["mix", "d", "--output", "o", "--split", "0.5", "--repeat"],
      ["mix", "d", "--output", "o", "--compress", "--decompress"],
      ["inspect"], ["inspect", "x", "--plot", "figure.png"], ["inspect", "x", "--episode", "3"],
      ["inspect", "x", "--video", "film.mp4"], ["inspect", "x", "--workers", "0"],
      ["inspect", "x", "--episode", "3", "--video", "film.avi"],
      ["inspect", "x", "--episode", "-1", "--video", "film.mp4"],
    ] {
      let result = try Program.run(arguments, in: folder.url)
      #expect(result.status == 64, "\(arguments)")
      #expect(result.error.hasPrefix("Error: "), "\(arguments)")
    }
  }

  @Test func somethingThatIsNoDataset() throws {
    var result = try run("verify", "nothing")
    #expect(result.status == 1)
    #expect(sentence(result) == "Error: nothing: is missing\n")
    try FileManager.default.createDirectory(
      at: folder.url.appendingPathComponent("other"), withIntermediateDirectories: true)
    try Data("mine".utf8).write(to: folder.url.appendingPathComponent("other/thesis.txt"))
    result = try run("train", "--dataset", "other", "--seed", "0")
    #expect(result.status == 1)
    #expect(sentence(result).contains("other/manifest.json: is missing"))
    // A folder of something else is not collected into.
    result = try collect("other")
    #expect(result.status == 1)
    #expect(result.error.contains("thesis.txt"))
    #expect(
      try String(contentsOf: folder.url.appendingPathComponent("other/thesis.txt"), encoding: .utf8)
        == "mine")
  }

  @Test func whatIsInspected() throws {
    #expect(try collect().status == 0)
    var result = try run("inspect", "data", "--json")
    #expect(result.status == 0 && result.output.hasPrefix("{") && result.output.hasSuffix("}\n"))
    result = try run("inspect", "data", "--plot", "figures/data.svg")
    #expect(result.status == 0 && result.output.hasSuffix("\nfigure: figures/data.svg\n"))
    #expect(result.output.hasPrefix("data: fetch-reach, 4 episodes, 200 steps in 2 shards, "))
    #expect(
      FileManager.default.fileExists(
        atPath: folder.url.appendingPathComponent("figures/data.svg").path))
    result = try run("inspect", "data", "--episode", "4", "--video", "film.mp4")
    #expect(result.status == 1)
    #expect(sentence(result) == "Error: data: has no episode 4, only 0-3\n")
    result = try run("inspect", "nothing")
    #expect(result.status == 1)
    #expect(
      result.error
        == "Error: nothing: must be a dataset, a checkpoint or a run: the path does not exist\n")
  }

  @Test func aTruncatedAndAnAlteredShard() throws {
    #expect(try collect().status == 0)
    let shard = folder.url.appendingPathComponent("data/shards/shard-00001.h5")
    let bytes = try Data(contentsOf: shard)
    try bytes.prefix(bytes.count / 2).write(to: shard)
    for command in [["verify", "data"], ["train", "--dataset", "data", "--seed", "0"]] {
      let result = try Program.run(command, in: folder.url)
      #expect(result.status == 1)
      #expect(result.error.split(separator: "\n").count { $0.hasPrefix("Error: ") } == 1)
      #expect(result.error.contains("shard-00001.h5"))
    }
    var altered = bytes
    altered[bytes.count / 2] ^= 64
    try altered.write(to: shard)
    let result = try run("verify", "data")
    #expect(result.status == 1)
    #expect(result.error.contains("shard-00001.h5"))
    // The collector leaves a shard alone that is not the listed one.
    #expect(try collect().status == 1)
    #expect(try Data(contentsOf: shard) == altered)
    // Once removed, it is made again to the bit.
    try FileManager.default.removeItem(at: shard)
    #expect(try collect().status == 0)
    #expect(try Data(contentsOf: shard) == bytes)
  }

  @Test func anotherRecipeInTheSameFolder() throws {
    #expect(try collect().status == 0)
    let manifest = try Data(contentsOf: folder.url.appendingPathComponent("data/manifest.json"))
    let result = try collect(episodes: 3)
    #expect(result.status == 1)
    #expect(result.error.contains("episodes"))
    #expect(
      try Data(contentsOf: folder.url.appendingPathComponent("data/manifest.json")) == manifest)
  }

  @Test func somethingThatIsNoCheckpoint() throws {
    var result = try run("evaluate", "nowhere", "--episodes", "1")
    #expect(result.status == 1)
    #expect(
      result.error
        == "Error: nowhere: must be a run, a checkpoint or a policy.safetensors: "
        + "the path does not exist\n")
    try Data("not tensors at all".utf8).write(
      to: folder.url.appendingPathComponent("p.safetensors"))
    result = try run("evaluate", "p.safetensors", "--episodes", "1")
    #expect(result.status == 1)
    #expect(result.error.contains("p.safetensors"))
    #expect(result.error.split(separator: "\n").count == 1)
    result = try run("evaluate", "scripted", "--episodes", "1")
    #expect(result.error.contains("need --environment"))
  }

  @Test func aCheckpointOfAnotherWorld() throws {
    #expect(try collect().status == 0)
    #expect(
      try run(
        "train", "--dataset", "data", "--seed", "0", "--updates", "2", "--evaluate-every", "0",
        "--output", "run"
      ).status == 0)
    let result = try run("evaluate", "run", "--environment", "fetch-push", "--episodes", "1")
    #expect(result.status == 1)
    #expect(
      result.error
        == "Error: run: this checkpoint was trained for fetch-reach, not for fetch-push\n")
  }

  @Test func missingModels() throws {
    let result = try Program.run(
      ["evaluate", "scripted", "--environment", "fetch-push", "--episodes", "1"], in: folder.url,
      environment: ["GOALPOST_DEPS": folder.url.path])
    #expect(result.status == 1)
    #expect(result.error.contains("run `make setup`"))
    #expect(result.error.split(separator: "\n").count == 1)
  }

  @Test(.enabled(if: Self.canMount, "mounting needs root and a kernel that lets it"))
  func aFullTargetCostsNothing() throws {
    // A file system of 200 kB: one shard of 250 episodes does not fit.
    let small = folder.url.appendingPathComponent("small")
    try FileManager.default.createDirectory(at: small, withIntermediateDirectories: true)
    try #require(mount("tmpfs", small.path, "tmpfs", 0, "size=200k") == 0)
    defer { umount(small.path) }
    let arguments = [
      "collect", "--environment", "fetch-reach", "--policy", "random", "--episodes", "60", "--seed",
      "0", "--shard-episodes", "20", "--output", "small/data",
    ]
    let result = try Program.run(arguments, in: folder.url)
    #expect(result.status == 1)
    #expect(result.error.contains("the disk is full"))
    var elsewhere = arguments
    elsewhere[elsewhere.count - 1] = "data"
    #expect(try Program.run(elsewhere, in: folder.url).status == 0)
    // What is named is what was asked for, not the file in the making.
    let converted = try run("convert", "data", "--to", "wgcsl-npy", "--output", "small/arrays")
    #expect(converted.status == 1)
    #expect(
      converted.error.hasSuffix(
        "small/arrays: the disk is full; make room and run again to go on\n"))
    // With room, the same command goes on, to the bytes of an undisturbed run.
    #expect(mount("tmpfs", small.path, "tmpfs", UInt(32), "size=20m") == 0)
    #expect(try Program.run(arguments, in: folder.url).status == 0)
    #expect(
      try Data(contentsOf: small.appendingPathComponent("data/manifest.json"))
        == Data(contentsOf: folder.url.appendingPathComponent("data/manifest.json")))
  }

  @Test(.enabled(if: Self.canMount, "mounting needs root and a kernel that lets it"))
  func aReadOnlyTargetIsRefused() throws {
    let fixed = folder.url.appendingPathComponent("fixed")
    try FileManager.default.createDirectory(at: fixed, withIntermediateDirectories: true)
    try #require(mount("tmpfs", fixed.path, "tmpfs", UInt(1), "size=1m") == 0)
    defer { umount(fixed.path) }
    let result = try collect("fixed/data")
    #expect(result.status == 1)
    #expect(result.error.split(separator: "\n").count == 1)
    #expect(result.error.contains("fixed/data"))
  }
}
