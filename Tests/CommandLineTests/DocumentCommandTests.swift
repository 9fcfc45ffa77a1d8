import Foundation
import TestSupport
import Testing

/// Every command that a document shows runs as it stands there, or says here how else it is held.
///
/// The blocks marked `sh` of a chain of documents are handed to bash one after the other, in a
/// fresh folder in which the executable is on the path; only sizes are made small, so that it takes
/// seconds.
struct DocumentCommandTests {
  /// A block of commands in a document.
  struct Block {
    let document: String
    let lines: [String]
  }

  /// Documents that readers paste from.
  static func documents() throws -> [String] {
    let files = FileManager.default
    func markdown(in folder: String) throws -> [String] {
      let path = PythonReference.checkout.appendingPathComponent(folder).path
      return try files.contentsOfDirectory(atPath: path).sorted()
        .flatMap { name -> [String] in
          if name.hasSuffix(".md") { return ["\(folder)/\(name)"] }
          let card = "\(folder)/\(name)/README.md"
          let isThere = files.fileExists(
            atPath: PythonReference.checkout.appendingPathComponent(card).path)
          return isThere ? [card] : []
        }
    }
    return try ["README.md", "CONTRIBUTING.md"]
      + ["Documentation", "datasets", "pipelines", "notebooks-export", "Benchmarks"]
      .flatMap(markdown)
  }

  static func text(_ document: String) throws -> String {
    try String(
      contentsOf: PythonReference.checkout.appendingPathComponent(document), encoding: .utf8)
  }

  /// The blocks marked `sh` of a document, with continued lines joined.
  static func blocks(of document: String) throws -> [Block] {
    try text(document).components(separatedBy: "```sh\n").dropFirst().map { rest in
      let block = rest.components(separatedBy: "```")[0].replacing("\\\n", with: "")
      return Block(
        document: document, lines: block.split(separator: "\n").map(String.init))
    }
  }

  /// The examples in a document's tables, a command each: the cells that begin with `goalpost`.
  static func examples(of document: String) throws -> Block {
    let rows = try text(document).split(separator: "\n").filter { $0.hasPrefix("|") }
    return Block(
      document: document,
      lines: rows.flatMap { row in
        row.matches(of: /\| `(goalpost [^`]+)` \|/).map { String($0.1) }
      })
  }

  // MARK: - What is not run

  /// Commands that are not run, by how they begin, and what is held of them in its place.
  private static let held:
    [(start: String, reason: String, holds: @Sendable (String) throws -> Bool)] = [
      ("make ", "makes the whole system, for minutes: the target is there", hasTarget),
      ("scripts/", "needs root, or gigabytes: the script is there", isExecutable),
      (
        ".deps/venv/bin/tensorboard ", "serves until Ctrl-C: set-up's Python has it",
        { _ in isThere(PythonReference.dependencies.appendingPathComponent("venv/bin/tensorboard"))
        }
      ),
      (
        ".deps/venv/bin/python pipelines/", "ExperimentTests runs it: the script is there",
        { command in
          let words = command.split(separator: " ").map(String.init)
          return isThere(PythonReference.checkout.appendingPathComponent(words[1]))
        }
      ),
    ]

  private static func isThere(_ file: URL) -> Bool {
    FileManager.default.isExecutableFile(atPath: file.path)
      || FileManager.default.fileExists(atPath: file.path)
  }

  private static func hasTarget(_ command: String) throws -> Bool {
    let targets = try text("Makefile").split(separator: "\n").compactMap { line in
      line.firstMatch(of: /^([a-z-]+):/).map { String($0.1) }
    }
    let words = command.split(separator: " ").map(String.init)
    guard words.count > 1, targets.contains(words[1]) else { return false }
    guard words[1] == "pipeline" else { return true }
    let name = words.first { $0.hasPrefix("NAME=") }?.dropFirst(5) ?? ""
    return name == "<name>"
      || isThere(PythonReference.checkout.appendingPathComponent("pipelines/\(name)/Snakefile"))
  }

  private static func isExecutable(_ command: String) -> Bool {
    let name = String(command.split(separator: " ")[0])
    return FileManager.default.isExecutableFile(
      atPath: PythonReference.checkout.appendingPathComponent(name).path)
  }

  /// Why a command is not run, or nil.
  private static func reason(_ command: String) -> String? {
    held.first { command.hasPrefix($0.start) }?.reason
  }

  @Test func whatIsNotRunIsHeldOtherwise() throws {
    var count = 0
    for document in try Self.documents() {
      for command in try Self.blocks(of: document).flatMap(\.lines) {
        guard let entry = Self.held.first(where: { command.hasPrefix($0.start) }) else { continue }
        #expect(try entry.holds(command), "\(document): \(command): \(entry.reason)")
        count += 1
      }
    }
    #expect(count > 8)
  }

  // MARK: - What is run

  /// The chain: each document goes on with what the ones before it made.
  private static let chain = [
    "README.md", "Documentation/Commands.md", "Documentation/Checkpoints.md",
    "Documentation/Trajectories.md", "Documentation/Sampling.md", "Documentation/Transformers.md",
    "Documentation/Evaluation.md", "Documentation/Formats.md", "datasets/README.md",
  ]

  /// Numbers and a world of the documents, and those with which it takes no time; no film is drawn
  /// and no notebook executed, which EvaluationTests and StudyTests do.
  private static let smaller = [
    ("--environment fetch-reach --", "--environment point-reach --"),
    (" --video runs/demo/policy.mp4", ""),
    ("goalpost export ", "goalpost export --no-execute --episodes 2 "),
    ("--episodes 400", "--episodes 12"), ("--episodes 300", "--episodes 10"),
    ("--episodes 100", "--episodes 2"), ("--updates 1000", "--updates 6"),
    ("--updates 2000", "--updates 2"), ("--steps 5000", "--steps 100"),
    ("--fitted-q 5000", "--fitted-q 2"), ("updates: 1000", "updates: 2"),
    ("evaluateEvery: 500", "evaluateEvery: 0"),
  ]

  @Test func everyBlockIsOfTheChainOrHasNothingToRun() throws {
    for document in try Self.documents() where !Self.chain.contains(document) {
      for command in try Self.blocks(of: document).flatMap(\.lines) {
        #expect(Self.reason(command) != nil, "\(document): \(command)")
      }
    }
  }

  @Test func theBlocksRunOneAfterTheOther() throws {
    let folder = try TemporaryFolder()
    try prepare(folder.url)
    // README has its examples in a table, which go on from its blocks.
    let examples = try Self.examples(of: "README.md")
    #expect(examples.lines.count > 10)
    for document in Self.chain {
      let further = document == examples.document ? [examples] : []
      for block in try Self.blocks(of: document) + further {
        let lines = block.lines.filter { Self.reason($0) == nil }
        let small = Self.smaller.reduce(lines.joined(separator: "\n")) {
          $0.replacing($1.0, with: $1.1)
        }
        let result = try run("set -eux\n" + small, in: folder.url)
        #expect(result.status == 0, "\(document): \(result.error.suffix(1200))")
      }
    }
    // What the documents say came of it.
    func file(_ path: String) -> URL { folder.url.appendingPathComponent(path) }
    let name = "checkpoints/000000006/policy.safetensors"
    #expect(
      try Data(contentsOf: file("runs/demo/run/" + name))
        == Data(contentsOf: file("runs/demo/again/" + name)))
    for made in [
      "runs/demo/data.svg", "runs/demo/part-val/manifest.json",
      "runs/demo/online/dataset/manifest.json", "offsets.svg", "push.hdf5", "maze-again-val.npz",
      "notebooks-export/demo/runs.csv", "notebooks-export/weights/README.md",
      "datasets/fetch-reach-scripted-v0/shards/shard-00000.h5",
    ] {
      #expect(FileManager.default.fileExists(atPath: file(made).path), "\(made)")
    }
  }

  /// What lies in a checkout's folder, or on a user's disk, before a document's first command.
  private func prepare(_ folder: URL) throws {
    let files = FileManager.default
    try files.createSymbolicLink(
      at: folder.appendingPathComponent(".deps"), withDestinationURL: PythonReference.dependencies)
    let dataset = folder.appendingPathComponent("datasets/fetch-reach-scripted-v0")
    try files.createDirectory(at: dataset, withIntermediateDirectories: true)
    let recipe = try Self.text("datasets/fetch-reach-scripted-v0/recipe.yaml")
      .replacing("episodes: 2000", with: "episodes: 3")
    try Data(recipe.utf8).write(to: dataset.appendingPathComponent("recipe.yaml"))
    // Other systems' files, made of ours; and runs of other names.
    let setting = """
      set -eu
      collect() { goalpost collect --environment "$1" --policy random --episodes "$2" --seed 1 --output "$3"; }
      train() { goalpost train --learner "$1" --seed "$2" --dataset fixture/point --updates 2 --output "runs/$1-s$2"; }
      collect fetch-reach 2 fixture/reach
      collect point-reach 6 fixture/point
      goalpost convert fixture/point --output buffer.pkl
      goalpost mix fixture/point --split 0.5 --seed 0 --output fixture/maze
      goalpost convert fixture/maze --to ogbench --output maze-v0.npz
      goalpost convert fixture/reach --to minari --output "$HOME/.minari/datasets/fetch/push-random-v0"
      for learner in wgcsl gcsl; do for seed in 0 1; do train $learner $seed; done; done
      """
    let result = try run(setting, in: folder)
    #expect(result.status == 0, "\(result.error)")
  }

  private func run(_ command: String, in folder: URL) throws -> Program.Result {
    try Program.run(
      ["-c", command], of: URL(fileURLWithPath: "/bin/bash"), in: folder,
      environment: [
        "HOME": folder.path,
        "PATH": Program.executable.deletingLastPathComponent().path + ":/usr/bin:/bin",
      ])
  }

  // MARK: - Commands within a line

  /// Options of a verb, as its help lists them.
  private func options(of verb: String) throws -> Set<String> {
    let help = try Self.text("Tests/Golden/help-\(verb).txt")
    return Set(help.matches(of: /--[a-z][a-z-]*/).map { String($0.0) })
  }

  @Test func commandsWithinLinesHaveTheirVerbsOptionsAndFiles() throws {
    var count = 0
    for document in try Self.documents() {
      let text = try Self.text(document)
      for match in text.matches(of: /`(?:goalpost )([a-z]+)((?: [^`]*)?)`/) {
        let (verb, rest) = (String(match.1), String(match.2))
        if verb == "help" { continue }
        let known = try options(of: verb)
        for option in rest.matches(of: /--[a-z][a-z-]*/) {
          #expect(known.contains(String(option.0)), "\(document): goalpost \(verb)\(rest)")
        }
        for path in rest.split(separator: " ")
        where path.hasPrefix("datasets/") && !path.contains("<") {
          let file = PythonReference.checkout.appendingPathComponent(String(path))
          #expect(Self.isThere(file), "\(document): \(path)")
        }
        count += 1
      }
    }
    #expect(count > 40)
  }

  /// A promise that names its test would mean nothing if that were gone.
  @Test func testsThatADocumentNamesAreThere() throws {
    let tests = PythonReference.checkout.appendingPathComponent("Tests").path
    let files = Set(
      try FileManager.default.subpathsOfDirectory(atPath: tests)
        .map { URL(fileURLWithPath: $0).lastPathComponent })
    var count = 0
    for document in try Self.documents() {
      for match in try Self.text(document).matches(of: /`([A-Z][A-Za-z]+Tests)`/) {
        #expect(files.contains("\(match.1).swift"), "\(document): \(match.1)")
        count += 1
      }
    }
    #expect(count > 5)
  }

  /// A card's folder without its shards, as in a fresh clone.
  @Test func aCardsDatasetSaysHowItIsMade() throws {
    let folder = try TemporaryFolder()
    let name = "datasets/fetch-reach-scripted-v0"
    let copy = folder.url.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: copy, withIntermediateDirectories: true)
    for file in ["README.md", "recipe.yaml", "expected.json", "manifest.json"] {
      try FileManager.default.copyItem(
        at: PythonReference.checkout.appendingPathComponent("\(name)/\(file)"),
        to: copy.appendingPathComponent(file))
    }
    let result = try Program.run(
      ["inspect", name, "--expect", "\(name)/expected.json"], in: folder.url)
    #expect(result.status == 1)
    let words = result.error.split(separator: " ")
    #expect(words.contains { $0.hasSuffix("\(name)/shards/shard-00000.h5:") }, "\(result.error)")
    #expect(result.error.contains(": is missing: `goalpost collect "), "\(result.error)")
    #expect(words.contains { $0.hasSuffix("\(name)/recipe.yaml`") }, "\(result.error)")
  }

  @Test func aLearnersSettingsAreThoseOfARunOnTheWorld() throws {
    let folder = try TemporaryFolder()
    let result = try Program.run(
      ["learners", "wgcsl", "--environment", "fetch-reach"], in: folder.url)
    #expect(result.status == 0)
    func row(_ key: String) -> [Substring] {
      result.output.split(separator: "\n").first { $0.hasPrefix(key + " ") }?
        .split(separator: " ") ?? []
    }
    // WGCSL's own code has these for fetch-reach.
    #expect(row("batchesPerCycle").dropFirst().prefix(2) == ["5", "4"])
    #expect(row("bestAdvantageStep").dropFirst().prefix(2) == ["0.15", "0.1"])
    #expect(row("batchSize")[1] == "128")
    let alone = try Program.run(["learners", "--environment", "fetch-reach"], in: folder.url)
    #expect(alone.status == 64)
  }
}
