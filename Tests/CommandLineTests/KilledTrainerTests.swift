import Foundation
import Glibc
import Learners
import TestSupport
import Testing

/// kill -9 at any moment costs a trainer no more than what follows its last checkpoint.
struct KilledTrainerTests {
  /// How a trainer is started: offline on `data`, or online.
  static let trainings: [[String]] =
    LearnerRegistry.all.map {
      ["--learner", $0.identifier, "--dataset", "data", "--updates", "16"]
    }
    + ["0", "1"].map {
      [
        "--learner", "wgcsl", "--online", "--environment", "fetch-reach", "--steps", "250", "--lag",
        $0, "--set", "online.randomEpisodes=1", "--set", "online.updatesFrom=2",
      ]
    }

  /// Every trainer, killed twice in the middle of writing a checkpoint, comes to the same bytes.
  @Test(arguments: trainings)
  func aKilledTrainerIsResumedToTheSameBytes(training: [String]) throws {
    let folder = try TemporaryFolder()
    let files = FileManager.default
    if training.contains("--dataset") {
      #expect(
        try Program.run(
          [
            "collect", "--environment", "fetch-reach", "--policy", "scripted", "--episodes", "6",
            "--seed", "0", "--output", "data",
          ], in: folder.url
        ).status == 0)
    }
    let settings = """
      checkpointEvery: 1
      evaluateEvery: 8
      evaluationEpisodes: 1
      settings: {hiddenWidths: [32, 32], batchSize: 16}
      """
    try Data(settings.utf8).write(to: folder.url.appendingPathComponent("train.yaml"))
    func arguments(_ output: String) -> [String] {
      ["train", "train.yaml"] + training + ["--seed", "0", "--output", output]
    }
    let trained = try Program.run(arguments("whole"), in: folder.url)
    #expect(trained.status == 0)
    #expect(trained.error.contains("_loss ") && trained.error.contains(", success "))

    /// The checkpoints that are whole, and those that are being written.
    func checkpoints() -> (whole: [String], parts: [String]) {
      let place = folder.url.appendingPathComponent("killed/checkpoints")
      let names = (try? files.contentsOfDirectory(atPath: place.path)) ?? []
      return (names.filter { $0.count == 9 }.sorted(), names.filter { $0.hasSuffix(".part") })
    }
    var halfWritten = 0
    var process = try Program.start(arguments("killed"), in: folder.url)
    for kill in 1...6 where halfWritten < 2 {
      let before = checkpoints().whole.last ?? ""
      while process.isRunning {
        let (whole, parts) = checkpoints()
        if (whole.last ?? "") > before, whole.last != nil, !parts.isEmpty { break }
      }
      Glibc.kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      if process.terminationReason == .exit { break }
      let left = checkpoints()
      #expect(!left.whole.isEmpty, "kill \(kill) cost the last checkpoint")
      halfWritten += left.parts.isEmpty ? 0 : 1
      process = try Program.start(["train", "--resume", "killed"], in: folder.url)
    }
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(halfWritten > 0, "no kill came in the middle of writing a checkpoint")

    // The last checkpoints, the best one, the evaluations and what was collected are the same.
    let whole = folder.url.appendingPathComponent("whole")
    let names = try files.subpathsOfDirectory(atPath: whole.path).filter {
      $0.hasSuffix(".safetensors") || $0.hasSuffix(".h5") || $0.contains("shard")
        || ["state.json", "evaluations.json", "online.json", "manifest.json"].contains(
          ($0 as NSString).lastPathComponent)
    }
    #expect(names.count > 8)
    for name in names where !files.isFolder(whole.appendingPathComponent(name)) {
      let other = folder.url.appendingPathComponent("killed/\(name)")
      #expect(
        try Data(contentsOf: whole.appendingPathComponent(name)) == Data(contentsOf: other),
        "\(name)")
    }
  }
}

extension FileManager {
  fileprivate func isFolder(_ url: URL) -> Bool {
    var isFolder: ObjCBool = false
    return fileExists(atPath: url.path, isDirectory: &isFolder) && isFolder.boolValue
  }
}
