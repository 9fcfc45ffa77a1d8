import Foundation
import TestSupport
import Testing

/// Settings and options out of their ranges: a sentence before anything is taken, made or said.
struct BoundTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    #expect(
      try Program.run(
        [
          "collect", "--environment", "point-reach", "--policy", "scripted", "--episodes", "6",
          "--seed", "0", "--shard-episodes", "2", "--output", "data",
        ], in: folder.url
      ).status == 0)
  }

  func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: folder.url.appendingPathComponent(name))
  }

  /// Runs with at most 8 GB of addresses, and so long as a test may wait.
  func run(_ arguments: [String]) throws -> Program.Result {
    let quoted = arguments.map { "'\($0)'" }.joined(separator: " ")
    return try Program.shell("ulimit -v 8000000; exec timeout 60 $G \(quoted)", in: folder.url)
  }

  /// Expects status and one sentence.
  func expectSentence(_ result: Program.Result, status: Int32, _ part: String) {
    let lines = result.error.split(separator: "\n")
    #expect(result.status == status && result.output.isEmpty, "\(part): \(result)")
    #expect(lines.first?.hasPrefix("Error: ") == true, "\(part): \(result)")
    #expect(status == 64 || lines.count == 1, "\(part): \(result)")
    #expect(result.error.contains(part), "\(part): \(result)")
  }

  @Test func filesOfSettings() throws {
    for (line, sentence) in [
      ("checkpointEvery: 0", "the setting 'checkpointEvery' must be from 1 to"),
      ("measureEvery: 0", "the setting 'measureEvery' must be from 1 to"),
      ("evaluateEvery: -1", "the setting 'evaluateEvery' must be from 0 to"),
      ("threads: 0", "the setting 'threads' must be from 1 to 1024, found 0"),
      ("threads: 1000000000000", "the setting 'threads' must be from 1 to 1024"),
      ("checkpointsKept: -1", "the setting 'checkpointsKept' must be from 1 to"),
      ("checkpointsKept: 0", "the setting 'checkpointsKept' must be from 1 to"),
      ("evaluationEpisodes: 0", "the setting 'evaluationEpisodes' must be from 1 to"),
      ("evaluationSeed: 268435456", "the setting 'evaluationSeed' must be from 0 to 268435455"),
      ("seed: 268435456", "the setting 'seed' must be from 0 to 268435455, found 268435456"),
      ("seed: -1", "'seed'"),
      ("updates: -5", "the setting 'updates' must be from 0 to"),
      ("updates: 9223372036854775807", "the setting 'updates' must be from 0 to"),
      ("validationFraction: 1", "the setting 'validationFraction' must be from 0 up to below 1"),
      ("validationFraction: .nan", "numbers must be finite, found nan"),
      ("settings: {hiddenWidths: [1000000000]}", "'hiddenWidths' must be from 1 to 65536 each"),
      ("settings: {batchSize: 9223372036854775807}", "'batchSize' must be from 1 to 16777216"),
      ("online: {environment: point-reach, steps: -1}", "'online.steps' must be from 0 to"),
      (
        "online: {environment: point-reach, steps: 9223372036854775807}",
        "'online.steps' must be from 0 to"
      ),
      (
        "online: {environment: point-reach, steps: 50, shardEpisodes: 0}",
        "'online.shardEpisodes' must be from 1 to"
      ),
      (
        "online: {environment: point-reach, steps: 1000000000000}",
        "'online.steps' must be at most 4294967296 episodes of 50 steps"
      ),
    ] {
      let key = line.prefix { $0 != ":" }
      let rest = [
        "learner: wgcsl", "datasets: [data]", "updates: 1", "evaluateEvery: 0",
        "settings: {hiddenWidths: [4], batchSize: 8}", "seed: 0",
      ].filter { !$0.hasPrefix("\(key):") }
      try write((rest + [line]).joined(separator: "\n"), to: "s.yaml")
      expectSentence(try run(["train", "s.yaml", "--output", "run"]), status: 1, sentence)
      #expect(!FileManager.default.fileExists(atPath: folder.url.path + "/run/checkpoints"))
    }
  }

  @Test func options() throws {
    let training = ["train", "--learner", "wgcsl", "--dataset", "data", "--updates", "1"]
    let collecting = [
      "collect", "--environment", "point-reach", "--policy", "random", "--output", "new",
    ]
    let huge = "9223372036854775807"
    for (arguments, status, sentence) in [
      (training + ["--set", ".=5"], 1, "--set takes key=value, found '.=5'"),
      (training + ["--set", "a..b=5"], 1, "--set takes key=value, found 'a..b=5'"),
      (training + ["--set", "batchSize=*x"], 1, "--set takes key=value"),
      (training + ["--set", "batchSize=0"], 1, "'batchSize' must be from 1 to 16777216, found 0"),
      (training + ["--threads", "1000000000000"], 64, "--threads must be from 1 to 1024"),
      (training + ["--device", "tpu"], 1, "tpu"),
      (training + ["--validation-fraction", "nan"], 64, "--validation-fraction must be from 0"),
      (["train", "--online", "--environment", "point-reach", "--steps", huge], 64, "--steps must"),
      (collecting + ["--episodes", huge], 64, "--episodes must be from 1 to 4294967296"),
      (
        collecting + ["--episodes", "4", "--workers", "1000000000"], 64, "--workers must be from 1"
      ),
      (
        collecting + ["--episodes", "4", "--noise", "inf"], 64, "--noise must be from 0 to 1000000"
      ),
      (collecting + ["--episodes", "4", "--environment", "nowhere"], 1, "'nowhere'"),
      (["verify", "data", "--workers", huge], 64, "--workers must be from 1 to 1024"),
      (["mix", "data", "--only-episodes", "0-4294967295", "--output", "m"], 1, "no episode 6"),
      (["mix", "data:1e-320", "--output", "m"], 1, "a weight must be a number from 1e-12"),
      (["mix", "data:1e308", "data:1e308", "--output", "m"], 1, "a weight must be a number from"),
      (
        ["mix", "data", "--repeat", "--episodes", "1000000000", "--output", "m"], 64,
        "--episodes with --repeat must be from 1 to 16777216"
      ),
      (["convert", "data", "--goal-length", huge, "--output", "o"], 64, "--goal-length must be"),
      (["evaluate", "scripted", "--episodes", huge], 64, "--episodes must be from 1 to 16777216"),
    ] {
      expectSentence(try run(arguments), status: Int32(status), sentence)
    }
    let made = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
    #expect(Set(made).isSubset(of: ["data", "stdout.txt", "stderr.txt", "runs", "new"]), "\(made)")
  }

  @Test func hostileText() throws {
    var bomb = "environment: point-reach\npolicy: random\nepisodes: 4\nseed: 7\na0: &a0 [x,x]\n"
    for k in 1..<40 { bomb += "a\(k): &a\(k) [*a\(k - 1), *a\(k - 1)]\n" }
    try write(bomb, to: "r.yaml")
    for verb in ["collect", "train"] {
      expectSentence(
        try run([verb, "r.yaml", "--output", "o"]), status: 1,
        "r.yaml: aliases are not read, found '*a0': write the value out")
    }
    try write("? " + String(repeating: "k", count: 500_000) + "\n: 1\n", to: "r.yaml")
    expectSentence(
      try run(["train", "r.yaml", "--output", "o"]), status: 1,
      "no setting is called '" + String(repeating: "k", count: 60) + "...'; there are: ")
    try write(String(repeating: "k", count: 2_000_000) + ": 1\n", to: "r.yaml")
    expectSentence(
      try run(["train", "r.yaml", "--output", "o"]), status: 1,
      "r.yaml: cannot be read: it has 2000004 bytes, and at most 1048576 are read")
    let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
    try write("settings: {a: \(deep)}\n", to: "r.yaml")
    expectSentence(
      try run(["train", "r.yaml", "--output", "o"]), status: 1, "r.yaml: not YAML: ")
    try write("updates: [" + String(repeating: "1,", count: 200_000) + "]\n", to: "r.yaml")
    expectSentence(
      try run(["train", "r.yaml", "--output", "o"]), status: 1,
      "r.yaml: must have at most 100000 values")
  }

  @Test func namedPipesAreRefused() throws {
    #expect(mkfifo(folder.url.appendingPathComponent("pipe").path, 0o644) == 0)
    #expect(mkdir(folder.url.appendingPathComponent("piped").path, 0o755) == 0)
    #expect(mkfifo(folder.url.appendingPathComponent("piped/manifest.json").path, 0o644) == 0)
    let odd = "it is not a regular file"
    for (arguments, sentence) in [
      (["collect", "pipe", "--output", "o"], odd), (["train", "pipe", "--output", "o"], odd),
      (["convert", "pipe", "--output", "o"], odd),
      (["convert", "pipe", "--from", "wgcsl-pickle", "--output", "o"], odd),
      (["convert", "pipe", "--from", "gcsl-npz", "--output", "o"], odd),
      (["convert", "pipe", "--from", "d4rl", "--output", "o"], odd),
      (["evaluate", "pipe", "--episodes", "1"], odd),
      (["inspect", "pipe"], "must be a dataset, a checkpoint or a run"),
      (["inspect", "data", "--expect", "pipe"], "the file of bands is missing or can't be read"),
      (["verify", "piped"], odd),
      (["inspect", "piped"], odd),
      (["mix", "piped", "--output", "o"], odd),
      (["train", "--dataset", "piped", "--output", "o"], odd),
    ] {
      expectSentence(try run(arguments), status: 1, sentence)
    }
  }
}
