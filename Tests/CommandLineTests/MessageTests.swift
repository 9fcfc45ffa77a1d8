import Foundation
import TestSupport
import Testing

/// What the program says of common mistakes, on standard error, and how it ends.
struct MessageTests {
  private func said(_ arguments: [String], in folder: URL) throws -> (text: String, status: Int32) {
    let result = try Program.run(arguments, in: folder)
    return (result.error, result.status)
  }

  @Test func anOptionThatIsMisspelledIsNotTakenForARecipe() throws {
    let folder = try TemporaryFolder()
    let rest = ["--policy", "random", "--episodes", "2", "--output", "data"]
    let misspelled = try said(["collect", "--environmnt", "point-reach"] + rest, in: folder.url)
    #expect(misspelled.text.contains("Unknown option '--environmnt'"), "\(misspelled.text)")
    #expect(misspelled.status == 64)
    let both = try said(["collect", "recipe.yaml"] + rest, in: folder.url)
    #expect(both.text.contains("a recipe's file already says what to collect"), "\(both.text)")
    #expect(both.status == 64)
    for option in [["--noise", "0.1"], ["--shard-episodes", "9"], ["--compress"], ["--states"]] {
      let dropped = try said(["collect", "recipe.yaml"] + option, in: folder.url)
      #expect(dropped.status == 64 && dropped.text.contains("drop the other options"), "\(option)")
    }
  }

  @Test func anotherSystemsWordsAreUnderstood() throws {
    let folder = try TemporaryFolder()
    let world = try said(["environments", "FetchReach-v4"], in: folder.url)
    #expect(world.text.contains("did you mean fetch-reach?"), "\(world.text)")
    try Data("no dataset".utf8).write(to: folder.url.appendingPathComponent("b.pkl"))
    let file = try said(["verify", "b.pkl"], in: folder.url)
    #expect(
      file.text.contains("a dataset is a folder, found a file; `goalpost convert`"), "\(file.text)")
    #expect(file.status == 1)
  }

  @Test func noiseOnChoicesIsRefused() throws {
    let folder = try TemporaryFolder()
    let noise = try said(
      [
        "collect", "--environment", "lunar-lander", "--policy", "random", "--noise", "0.2",
        "--episodes", "1", "--seed", "0", "--output", "data",
      ], in: folder.url)
    #expect(noise.text.contains("an action of lunar-lander is a choice"), "\(noise.text)")
    #expect(noise.status == 1)
    #expect(
      !FileManager.default.fileExists(atPath: folder.url.appendingPathComponent("data").path))
  }

  @Test func aTrainersArgumentsAreReadBeforeItBegins() throws {
    let folder = try TemporaryFolder()
    let collect = try said(
      [
        "collect", "--environment", "point-reach", "--policy", "random", "--episodes", "2",
        "--seed",
        "0", "--output", "data",
      ], in: folder.url)
    #expect(collect.status == 0, "\(collect.text)")
    func train(_ arguments: [String]) throws -> String {
      let (text, status) = try said(["train"] + arguments, in: folder.url)
      #expect(status == 1)
      #expect(!text.contains("drew") && !text.contains("0/2 updates"), "\(text)")
      return text
    }
    let data = ["--dataset", "data", "--updates", "2"]
    #expect(try train(data + ["--set", "hiddenWidths=16,16"]).contains("a list, as in [16,16]"))
    #expect(try train(data + ["--set", "batchSiz=3"]).contains("batchSiz"))
    #expect(try train(data + ["--learner", "wgcls"]).contains("did you mean wgcsl"))
    #expect(try train(["--dataset", "nowhere"]).contains("nowhere: is missing"))
    #expect(try train(["data"]).contains("a dataset is given with --dataset"))
    let file = folder.url.appendingPathComponent("train.yaml")
    try Data("learner: gcsl\ndatasets: [data]\nbatchSize: 64\n".utf8).write(to: file)
    #expect(try train(["train.yaml"]).contains("those stand under 'settings'"))
    try Data("datasets: [data]\nbatchSise: 64\n".utf8).write(to: file)
    #expect(try train(["train.yaml"]).contains("'batchSise'"))
  }

  @Test func samplingCountsWithoutBeingToldTo() throws {
    let folder = try TemporaryFolder()
    _ = try Program.run(
      [
        "collect", "--environment", "point-reach", "--policy", "random", "--episodes", "2",
        "--seed",
        "0", "--output", "data",
      ], in: folder.url)
    let result = try Program.run(
      ["sample", "data", "--scheme", "future", "--batches", "2"], in: folder.url)
    #expect(result.status == 0, "\(result.error)")
    let asked = try Program.run(
      ["sample", "data", "--scheme", "future", "--batches", "2", "--inspect"], in: folder.url)
    #expect(result.output == asked.output && !result.output.isEmpty)
  }
}
