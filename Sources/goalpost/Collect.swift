import ArgumentParser
import Experiments
import Foundation
import Reporting
import Support

/// The subcommand `goalpost collect`.
struct Collect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Roll out a policy and store the trajectories; resumes an interrupted call.",
    discussion: """
      goalpost collect --environment fetch-push --policy random --episodes 400 --output data
      goalpost collect datasets/fetch-reach-scripted-v0/recipe.yaml

      Any number of workers gives the same bytes, after any interruption. A recipe's dataset is \
      written into the folder of its file, unless --output names another.
      """)

  @Argument(
    help: help(
      "A recipe's file, datasets/<id>/recipe.yaml, in place of the options below.", of: "FILE"),
    completion: .file())
  var recipe: String?

  @Option(
    help: help("The world's id (see `goalpost environments`).", of: "ID"),
    completion: .list(Listings.environmentNames))
  var environment: String?

  @Option(
    help: help(
      "random, scripted, or a checkpoint: a run, a checkpoint's folder or its policy.", of: "POLICY"
    ), completion: .file())
  var policy: String?

  @Option(help: help("Number of episodes.", of: "N"))
  var episodes: Int?

  @Option(help: help("The recipe's seed, below 2^28; drawn and printed if not given.", of: "N"))
  var seed: UInt64?

  @Option(
    help: help(
      """
      The distribution of starts and goals, in worlds that name some (see `goalpost environments \
      pointmaze-medium`).
      """, of: "NAME"))
  var goals: String?

  @Option(
    help: help(
      """
      Standard deviation of Gaussian action noise, as a fraction of half the action range; \
      default: 0.
      """, of: "X"))
  var noise: Double?

  @Option(help: help("Probability of a uniformly random action at each step; default: 0.", of: "P"))
  var randomActions: Double?

  @Option(help: help("Number of simulation threads; default: one per core.", of: "N"))
  var workers: Int?

  @Option(help: help("Collect only these episodes, as in 0-499,700.", of: "LIST"))
  var onlyEpisodes: String?

  @Option(
    help: help("Maximum number of episodes in a shard (and at most 64 MB); default: 500.", of: "N"))
  var shardEpisodes: Int?

  @Flag(help: "Compress the shards (shuffle and deflate; any HDF5 library reads them).")
  var compress = false

  @Flag(help: "Store the simulator's state at every step.")
  var states = false

  @Flag(help: "Store an image of every state, in worlds that have images (gap-blocks).")
  var images = false

  @Option(
    help: help("The dataset's folder; its name is the dataset's id.", of: "DIR"),
    completion: .directory)
  var output: String?

  @Flag(help: "Print the result as JSON.")
  var json = false

  func validate() throws {
    if recipe == nil {
      guard environment != nil, policy != nil, episodes != nil, output != nil else {
        throw ValidationError(
          "give a recipe's file, or --environment, --policy, --episodes and --output")
      }
    }
    try check(episodes, "--episodes", in: OptionRange.episodes)
    try check(shardEpisodes, "--shard-episodes", in: OptionRange.shardEpisodes)
    try check(workers, "--workers", in: OptionRange.threads)
    try checkSeed(seed)
    try checkExploration(noise: noise ?? 0, randomActions: randomActions ?? 0)
  }

  func run() throws {
    Interruption.listen(toGoOn: "the same command goes on")
    let summary = try collect()
    guard summary.isComplete else {
      Console.note(
        Interruption.isAsked
          ? summary.stopped
          : "\(summary.left) episodes are being made by another collector")
      throw ExitCode(Interruption.isAsked ? 130 : 0)
    }
    if json { return try printJSON(summary.report) }
    if summary.made == 0 { Console.note("the dataset is complete: nothing to do") }
    Console.print(summary.text)
  }

  private func collect() throws -> TrajectoryCollection.Summary {
    let folder = output.map { URL(fileURLWithPath: $0) }
    // A flag that is not given says nothing.
    var values: [String: JSONValue?] = [
      "environment": environment.map { .text($0) }, "policy": policy.map { .text($0) },
      "episodes": episodes.map { .integer($0) }, "seed": seed.map { .integer(Int($0)) },
      "goals": goals.map { .text($0) }, "noise": noise.map { .number($0) },
      "randomActions": randomActions.map { .number($0) },
      "shardEpisodes": shardEpisodes.map { .integer($0) },
      "compress": compress ? true : nil, "states": states ? true : nil,
      "images": images ? true : nil,
    ]
    // Not before all arguments are known: what follows an unknown option may have been taken for
    // the file.
    if let recipe {
      guard values.values.allSatisfy({ $0 == nil }) else {
        throw ValidationError(
          "a recipe's file already says what to collect: drop the other options")
      }
      return try TrajectoryCollection.run(
        recipeFile: URL(fileURLWithPath: recipe), onlyEpisodes: onlyEpisodes, in: folder,
        workers: workers)
    }
    guard let folder else { preconditionFailure("validated: without a file there is an output") }
    values["seed"] = .integer(Int(seed ?? drawnSeed()))
    return try TrajectoryCollection.run(
      values.compactMapValues { $0 }, onlyEpisodes: onlyEpisodes, in: folder, workers: workers)
  }
}
