import ArgumentParser
import Experiments
import Foundation
import Reporting

/// The subcommand `goalpost train`.
struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a policy on datasets, or on episodes that it collects itself.",
    discussion: """
      goalpost train --dataset data --learner wgcsl
      goalpost train --online --environment fetch-reach --steps 100000
      goalpost train --from runs/one --online --steps 50000 --dataset data
      goalpost train runs/one/config.json --output runs/again
      goalpost train --resume runs/one

      Settings come from the learner's defaults for the task, then a YAML file (or a run's \
      config.json), then the options, then --set key=value. `goalpost learners <id>` lists them.
      """)

  @Argument(
    help: help("A file of settings: YAML, or the config.json of a run to repeat.", of: "FILE"),
    completion: .file())
  var file: String?

  @Option(
    help: help("The learner's id (see `goalpost learners`).", of: "ID"),
    completion: .list(Listings.learnerNames))
  var learner: String?

  @Option(
    help: help(
      """
      A dataset's folder. May be repeated, each with :WEIGHT (its share of every batch) or all \
      without.
      """, of: "DIR"), completion: .directory)
  var dataset: [String] = []

  @Flag(help: "Collect while training; RUN/dataset keeps the episodes.")
  var online = false

  @Option(
    help: help("With --online: the world to collect in; default: the dataset's.", of: "ID"),
    completion: .list(Listings.environmentNames))
  var environment: String?

  @Option(
    help: help("With --online: number of environment steps to collect, in whole episodes.", of: "N")
  )
  var steps: Int?

  @Option(
    help: help(
      """
      With --online: 0 collects each episode after all earlier updates, 1 during the updates of the \
      previous episode.
      """, of: "N"))
  var lag: Int?

  @Option(
    help: help(
      """
      Start from this checkpoint (a run, or a checkpoint's folder), with its learner and settings. \
      Online training then has no random episodes first.
      """, of: "PATH"), completion: .file())
  var from: String?

  @Option(
    help: help(
      """
      With --online and --dataset: the share of each batch from the datasets, as one number or as \
      first and last in 0.5-0 (0.5:0 and 0.5→0 are the same).
      """, of: "SHARE"))
  var offlineFraction: String?

  @Option(
    help: help(
      """
      With --online and --dataset: number of updates on the datasets alone, before collecting.
      """, of: "N"))
  var demonstrationUpdates: Int?

  @Option(help: help("Share of the episodes that is held out of training.", of: "SHARE"))
  var validationFraction: Double?

  @Option(help: help("Number of gradient updates; default: the paper's for the task.", of: "N"))
  var updates: Int?

  @Option(
    name: .customLong("set"),
    help: help("A setting of the learner, as key=value; may be repeated.", of: "KEY=VALUE"))
  var assignments: [String] = []

  @Option(help: help("The run's seed, below 2^28; drawn and printed if not given.", of: "N"))
  var seed: UInt64?

  @Option(
    help: help("Several seeds, as in 0-4 or 0,2,5: runs side by side, one thread each.", of: "LIST")
  )
  var seeds: String?

  @Option(
    help: help("Number of updates between evaluations in the simulator; 0 for none.", of: "N"))
  var evaluateEvery: Int?

  @Option(help: help("Number of updates between checkpoints.", of: "N"))
  var checkpointEvery: Int?

  @Option(
    help: help(
      "Number of libtorch threads per run; default: 1, unless a lone run has more cores.", of: "N"))
  var threads: Int?

  @Option(
    help: help("The device for the networks: cpu, cuda or cuda:1.", of: "DEVICE"),
    completion: .list(["cpu", "cuda"]))
  var device: String?

  @Option(
    help: help("The run's folder; default: runs/<learner>-<dataset>-s<seed>.", of: "DIR"),
    completion: .directory)
  var output: String?

  @Option(
    help: help("Resume the run in this folder from its last checkpoint.", of: "DIR"),
    completion: .directory)
  var resume: String?

  func validate() throws {
    try check(updates, "--updates", in: OptionRange.updates)
    try check(steps, "--steps", in: OptionRange.updates)
    if let lag, !(0...1).contains(lag) {
      throw ValidationError("--lag must be 0 or 1, found \(lag)")
    }
    if let offlineFraction, OnlineRun.shares(offlineFraction) == nil {
      throw ValidationError(
        "--offline-fraction takes shares as in 0.5 or 0.5-0, found '\(offlineFraction)'")
    }
    try check(demonstrationUpdates, "--demonstration-updates", in: OptionRange.updates)
    if !online,
      environment != nil || steps != nil || lag != nil || offlineFraction != nil
        || demonstrationUpdates != nil
    {
      throw ValidationError(
        "--environment, --steps, --lag, --offline-fraction and --demonstration-updates go with --online"
      )
    }
    try check(evaluateEvery, "--evaluate-every", in: OptionRange.updatesOrNone)
    if let validationFraction, !(0..<1 ~= validationFraction) {
      throw ValidationError(
        "--validation-fraction must be from 0 up to below 1, found \(validationFraction)")
    }
    if online, file == nil, steps == nil { throw ValidationError("--online needs --steps") }
    if online, updates != nil {
      throw ValidationError("--online makes the updates that --steps comes to: drop --updates")
    }
    try check(threads, "--threads", in: OptionRange.threads)
    try check(checkpointEvery, "--checkpoint-every", in: OptionRange.updates)
    try checkSeed(seed)
    if seed != nil, seeds != nil { throw ValidationError("give --seed or --seeds, not both") }
    if resume != nil,
      file != nil || learner != nil || !dataset.isEmpty || seeds != nil
        || from != nil || online
    {
      throw ValidationError("--resume goes on with the run's own settings: drop the others")
    }
    if resume == nil, file == nil, dataset.isEmpty, !online {
      throw ValidationError("give --dataset DIR, --online, a file of settings, or --resume RUN")
    }
    if let seeds, SeedList(seeds) == nil {
      throw ValidationError("--seeds takes numbers as in 0-4 or 0,2,5, found '\(seeds)'")
    }
    if seeds != nil, output != nil {
      throw ValidationError("--output names one run; with --seeds each run has its usual folder")
    }
  }

  func run() throws {
    if let resume {
      Interruption.listen(toGoOn: Training.goingOn(in: URL(fileURLWithPath: resume)))
      let folder = URL(fileURLWithPath: resume)
      var configuration = try RunConfiguration(ofRun: folder)
      if let updates { configuration.updates = updates }
      return try report([Training.run(configuration, in: folder, resuming: true)])
    }
    Interruption.listen(toGoOn: "the run was not begun yet; the same command begins it")
    var configuration =
      try file.map { try RunConfiguration.read(URL(fileURLWithPath: $0)) }
      ?? RunConfiguration()
    if let from { try configuration.begin(from: from) }
    if let learner { configuration.learner = learner }
    if let environment { configuration.online.environment = environment }
    if let steps { configuration.online.steps = steps }
    if let lag { configuration.online.lag = lag }
    if let shares = offlineFraction.flatMap(OnlineRun.shares) {
      configuration.online.offlineFraction = shares
    }
    if let demonstrationUpdates {
      configuration.online.demonstrationUpdates = demonstrationUpdates
    }
    if !dataset.isEmpty { configuration.datasets = dataset }
    if let validationFraction { configuration.validationFraction = validationFraction }
    if let updates { configuration.updates = updates }
    if let evaluateEvery { configuration.evaluateEvery = evaluateEvery }
    if let threads { configuration.threads = threads }
    if let device { configuration.device = device }
    if let checkpointEvery { configuration.checkpointEvery = checkpointEvery }
    try configuration.assign(assignments)
    try Training.check(configuration, in: output.map { URL(fileURLWithPath: $0) })
    if let seeds, let list = SeedList(seeds) {
      let runs = list.seeds.map { seed in
        var copy = configuration
        copy.seed = seed
        return copy
      }
      let summary = try Training.run(runs)
      try report(summary.runs)
      if let table = summary.table() {
        Console.print(
          "\n" + table.rendered(as: .text) + "\n" + summary.notes.joined(separator: "\n"))
      }
      return
    }
    if let seed {
      configuration.seed = seed
    } else if file == nil {
      configuration.seed = drawnSeed()
    }
    let folder = output.map { URL(fileURLWithPath: $0) } ?? RunFolder.usual(configuration)
    try report([Training.run(configuration, in: folder)])
  }

  private func report(_ summaries: [TrainingSummary]) throws {
    for summary in summaries {
      Console.print("\(summary.folder.relativePath): \(summary.updates) updates")
    }
    let stopped = summaries.filter(\.interrupted)
    for summary in stopped {
      Console.note("stopped: " + Training.goingOn(in: summary.folder))
    }
    if !stopped.isEmpty { throw ExitCode(130) }
  }
}

/// Seeds as a command line writes them.
struct SeedList {
  let seeds: [UInt64]

  init?(_ text: String) {
    var all: [UInt64] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { UInt64($0) }
      switch (ends.count, ends.first ?? nil, ends.last ?? nil) {
      case (1, let one?, _): all.append(one)
      case (2, let low?, let high?) where low <= high && high - low < 1000: all += low...high
      default: return nil
      }
    }
    guard OptionRange.seeds ~= all.count, Set(all).count == all.count,
      all.allSatisfy({ $0 < 1 << 28 })
    else {
      return nil
    }
    seeds = all
  }
}
