import Foundation
import TestSupport
import Testing

/// Streams that are closed or full, and signals: work goes on or ends with a sentence, and nothing
/// is lost.
struct StreamTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func collect(_ output: String, episodes: Int = 6) -> [String] {
    [
      "collect", "--environment", "point-reach", "--policy", "random", "--episodes", "\(episodes)",
      "--seed", "0", "--shard-episodes", "2", "--workers", "1", "--output", output,
    ]
  }

  /// Runs a line of the shell, in which `$G` is the program.
  func shell(_ line: String) throws -> Program.Result {
    try Program.shell(line, in: folder.url)
  }

  func text(_ name: String) throws -> String {
    try String(contentsOf: folder.url.appendingPathComponent(name), encoding: .utf8)
  }

  func digest(_ dataset: String) throws -> Data {
    try Data(contentsOf: folder.url.appendingPathComponent("\(dataset)/manifest.json"))
  }

  @Test func standardErrorThatIsFullOrClosedEndsNoWork() throws {
    let collecting = collect("$name/data").joined(separator: " ")
    for (name, stream) in [("whole", "2>e"), ("full", "2>/dev/full"), ("closed", "2>&-")] {
      let result = try shell("name=\(name); $G \(collecting) \(stream)")
      #expect(result.status == 0, "\(name): \(result)")
      #expect(try digest("\(name)/data") == digest("whole/data"), "\(name)")
    }
    // The seed's line, the progress and the warnings of a training have nowhere to go.
    let training = "train --learner gcsl --dataset whole/data --updates 3 --evaluate-every 0"
    let result = try shell("$G \(training) --set 'hiddenWidths=[4]' --output run 2>/dev/full")
    #expect(result.status == 0 && result.output == "run: 3 updates\n", "\(result)")
  }

  @Test func resultsThatCannotBeWrittenAreAnError() throws {
    #expect(try Program.run(collect("data"), in: folder.url).status == 0)
    let reasons = [">/dev/full": "No space left on device", ">&-": "Bad file descriptor"]
    for verb in [
      "verify data --json", "inspect data", "environments", "help", "collect --help",
      collect("data").joined(separator: " "), "mix data --output mixed",
    ] {
      for (stream, reason) in reasons {
        let result = try shell("$G \(verb) \(stream)")
        #expect(result.status == 1, "\(verb) \(stream): \(result)")
        #expect(
          result.error.hasSuffix(
            "Error: standard output: the results cannot be written: \(reason)\n"),
          "\(verb) \(stream): \(result)")
      }
    }
    // A file that is opened later is not taken for the closed stream.
    #expect(try shell("$G \(collect("closed/data").joined(separator: " ")) >&- 2>&-").status == 1)
    #expect(try digest("closed/data") == digest("data"))
    #expect(try Program.run(["verify", "closed/data"], in: folder.url).status == 0)
  }

  @Test func aReaderThatGoesEndsListingsSilently() throws {
    let result = try shell("{ $G learners wgcsl; echo $? >status; } | :")
    #expect(try text("status") == "141\n" && result.error.isEmpty, "\(result)")
  }

  @Test(arguments: [SIGTERM, SIGHUP, SIGPIPE, SIGUSR1])
  func signalsKeepWhatIsDone(signal: Int32) throws {
    let arguments = collect("data", episodes: 4_000)
    let process = try Program.start(arguments, in: folder.url)
    let shards = folder.url.appendingPathComponent("data/shards")
    func records() -> Int {
      ((try? FileManager.default.contentsOfDirectory(atPath: shards.path)) ?? []).count {
        $0.hasPrefix("shard-") && $0.hasSuffix(".json")
      }
    }
    while process.isRunning, records() < 2 { usleep(1_000) }
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 130)
    let said = try text("stderr.txt")
    #expect(
      said.hasSuffix(
        "stopped: \(2 * records()) of 4000 episodes are kept, in finished shards; "
          + "the same command goes on\n"), "\(said)")
    #expect(records() >= 2 && records() < 2_000)
  }

  @Test func aHangUpIsPassedOverUnderNohup() throws {
    let line = "trap '' HUP; exec $G \(collect("data", episodes: 400).joined(separator: " "))"
    let process = try Program.startShell(line, in: folder.url)
    let shard = folder.url.appendingPathComponent("data/shards/shard-00000.json")
    while process.isRunning, !FileManager.default.fileExists(atPath: shard.path) { usleep(1_000) }
    kill(process.processIdentifier, SIGHUP)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 0)
  }

  @Test func aStopWhileALockIsWaitedForEndsAtOnce() throws {
    let shards = folder.url.appendingPathComponent("data/shards")
    try FileManager.default.createDirectory(at: shards, withIntermediateDirectories: true)
    let lock = open(shards.appendingPathComponent("collection.lock").path, O_RDWR | O_CREAT, 0o644)
    try #require(lock >= 0 && flock(lock, LOCK_EX) == 0)
    defer { close(lock) }
    let process = try Program.start(collect("data"), in: folder.url)
    // It waits when the kernel lists it as one that wants the lock.
    func isWaiting() throws -> Bool {
      try String(contentsOfFile: "/proc/locks", encoding: .utf8).split(separator: "\n").contains {
        $0.contains("->") && $0.contains(" \(process.processIdentifier) ")
      }
    }
    while process.isRunning, try !isWaiting() { usleep(1_000) }
    #expect(process.isRunning)
    kill(process.processIdentifier, SIGTERM)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 130)
    #expect(try text("stderr.txt") == "\nstopped: the same command goes on\n")
  }

  @Test func aLimitOnTheSizeOfFilesIsAnError() throws {
    let all = collect("data", episodes: 200).joined(separator: " ")
    #expect(try Program.run(collect("whole", episodes: 200), in: folder.url).status == 0)
    // Files in memory are limited as well, in which shards and what goes to D4RL are laid out.
    for line in [
      "\(all) --shard-episodes 200",
      "\(collect("packed", episodes: 200).joined(separator: " ")) --shard-episodes 200 --compress",
      "convert whole --to d4rl --output out", "convert whole --to robomimic --output out",
      "convert whole --to minari --output test/out-v0", "convert whole --to lerobot --output out",
      "convert whole --to ogbench --output out",
    ] {
      let result = try shell("ulimit -f 12; $G \(line)")
      #expect(
        result.status == 1 && result.error.hasPrefix("Error: ")
          && result.error.hasSuffix(
            ": cannot be written: it is larger than this process may make files (`ulimit -f`), or than the "
              + "file system has\n")
          && !result.error.contains(".part") && result.error.split(separator: "\n").count == 1,
        "\(line): \(result)")
    }
  }

  @Test func aFileThatIsCutShortWhileItIsReadIsNamed() throws {
    let arrays = folder.url.appendingPathComponent("arrays")
    #expect(
      try Program.run(
        [
          "collect", "--environment", "point-reach", "--policy", "random", "--episodes", "4000",
          "--seed", "0", "--shard-episodes", "4000", "--output", "data",
        ], in: folder.url
      ).status == 0)
    #expect(
      try Program.run(
        ["convert", "data", "--to", "wgcsl-npy", "--output", "arrays"], in: folder.url
      ).status == 0)
    let file = arrays.appendingPathComponent("state.npy")
    let process = try Program.start(
      ["convert", "arrays", "--environment", "point-reach", "--output", "back"], in: folder.url)
    func isMapped() -> Bool {
      let maps = try? String(
        contentsOfFile: "/proc/\(process.processIdentifier)/maps", encoding: .utf8)
      return maps?.contains(file.path) ?? false
    }
    while process.isRunning, !isMapped() {}
    #expect(truncate(file.path, 4_096) == 0)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 1)
    let said = try text("stderr.txt")
    #expect(
      said.hasSuffix(
        "state.npy was cut short while it was read, or its file system failed: mend it, then "
          + "the same command goes on\n"), "\(said)")
  }

  @Test func aStoppedTrainingIsKept() throws {
    #expect(try Program.run(collect("data"), in: folder.url).status == 0)
    let process = try Program.start(
      [
        "train", "--learner", "gcsl", "--dataset", "data", "--updates", "100000000", "--seed", "0",
        "--evaluate-every", "0", "--set", "hiddenWidths=[4]", "--set", "batchSize=4", "--output",
        "run",
      ], in: folder.url)
    let metrics = folder.url.appendingPathComponent("run/metrics.csv")
    while process.isRunning, !FileManager.default.fileExists(atPath: metrics.path) { usleep(1_000) }
    kill(process.processIdentifier, SIGHUP)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 130)
    #expect(
      try text("stderr.txt").hasSuffix("stopped: go on with `goalpost train --resume run`\n"))
    let checkpoints = folder.url.appendingPathComponent("run/checkpoints")
    #expect(try !FileManager.default.contentsOfDirectory(atPath: checkpoints.path).isEmpty)
  }

  @Test func theBarFitsTheTerminal() throws {
    #expect(try Program.run(collect("data"), in: folder.url).status == 0)
    for columns in [40, 80] {
      let screen = try Screen(
        columns, in: folder.url,
        [
          "train", "--learner", "wgcsl", "--dataset", "data", "--updates", "400", "--seed", "0",
          "--evaluate-every", "0", "--set", "hiddenWidths=[4]", "--set", "batchSize=4",
          "--output", "run-\(columns)",
        ])
      #expect(screen.bars >= 2 && screen.widest < columns, "\(columns): \(screen)")
      // The last line of the progress, and the result.
      #expect(screen.lines.count == 2, "\(columns): \(screen)")
    }
  }
}
