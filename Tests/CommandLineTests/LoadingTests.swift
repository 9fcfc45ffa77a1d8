import Foundation
import TestSupport
import Testing

/// libtorch takes half a second to load, so only what trains or acts waits for it.
struct LoadingTests {
  /// What the dynamic loader maps before the program begins.
  @Test func theProgramStartsWithoutLibtorch() throws {
    let folder = try TemporaryFolder()
    let listed = try Program.run(
      ["--version"], in: folder.url, environment: ["LD_TRACE_LOADED_OBJECTS": "1"])
    #expect(listed.output.contains("libmujoco"), "\(listed.output)")
    #expect(!listed.output.contains("torch"), "\(listed.output)")
  }

  @Test func aMissingLibraryIsASentence() throws {
    let folder = try TemporaryFolder()
    let alone = folder.url.appendingPathComponent("goalpost")
    try FileManager.default.copyItem(at: Program.executable, to: alone)
    func run(_ arguments: [String]) throws -> Program.Result {
      try Program.run(arguments, of: alone, in: folder.url)
    }
    let data = try run(
      [
        "collect", "--environment", "point-reach", "--policy", "random", "--episodes", "2",
        "--seed", "0", "--output", "data",
      ])
    #expect(data.status == 0, "\(data.error)")
    let trained = try run(
      [
        "train", "--learner", "gcsl", "--dataset", "data", "--updates", "1", "--seed", "0",
        "--evaluate-every", "0", "--output", "run",
      ])
    #expect(trained.status == 1)
    #expect(
      trained.error.contains("libtorch cannot be loaded") && trained.error.contains("make build"),
      "\(trained.error)")
  }
}
