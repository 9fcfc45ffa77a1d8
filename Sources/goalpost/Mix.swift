import ArgumentParser
import Experiments
import Foundation
import Reporting
import Support

/// The subcommand `goalpost mix`.
struct Mix: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a dataset from episodes of others: mixtures, subsets, splits, merges.",
    discussion: """
      goalpost mix random:0.9 expert:0.1 --episodes 40000 --seed 0 --output mixed
      goalpost mix data --episodes 1000 --seed 0 --output small
      goalpost mix data --split 0.9 --seed 0 --output train
      goalpost mix one two --output both
      goalpost mix data --where 'success = 1 and return > 30' --output good

      Shards used in full are hard-linked and take no extra space; other episodes are written to \
      new shards. Every episode keeps its number, its seed and its recipe. The same command resumes \
      an interrupted call.
      """)

  @Argument(
    help: help("Datasets' folders, each with :WEIGHT or all without.", of: "DIR"),
    completion: .directory)
  var datasets: [String]

  @Option(help: help("Number of episodes; default: all, or as many as the weights allow.", of: "N"))
  var episodes: Int?

  @Option(help: help("Take only these episodes of one dataset, as in 0-499,700.", of: "LIST"))
  var onlyEpisodes: String?

  @Option(
    name: .customLong("where"),
    help: help(
      """
      Take only episodes that satisfy this: comparisons by =, !=, <, <=, > or >= with a number, \
      joined by 'and'. Measures: \(Mixing.Request.measures). A return counts 1 for each step at the \
      goal.
      """, of: "CONDITION"))
  var filter: String?

  @Option(
    help: help("The draw's seed, below 2^28; drawn and printed if needed and not given.", of: "N"))
  var seed: UInt64?

  @Option(
    help: help(
      "Make two datasets: this share of the episodes, and the rest in OUTPUT-val.", of: "SHARE"))
  var split: Double?

  @Flag(name: .customLong("repeat"), help: "Take episodes several times if a dataset has too few.")
  var repeats = false

  @Flag(help: "Copy shards used in full instead of hard-linking them.")
  var copy = false

  @Flag(help: "Compress all shards.")
  var compress = false

  @Flag(help: "Write all shards uncompressed, so that training can map them.")
  var decompress = false

  @Option(help: help("Number of threads; default: one per core.", of: "N"))
  var workers: Int?

  @Option(
    help: help("The dataset's folder; its name is the dataset's id.", of: "DIR"),
    completion: .directory)
  var output: String

  @Flag(help: "Print the result as JSON.")
  var json = false

  func validate() throws {
    try check(episodes, "--episodes", in: OptionRange.episodes)
    if repeats { try check(episodes, "--episodes with --repeat", in: OptionRange.repeated) }
    try check(workers, "--workers", in: OptionRange.threads)
    try checkSeed(seed)
    if let filter {
      do { try Mixing.Request.check(filter: filter) } catch {
        throw ValidationError("--where \(error)")
      }
    }
    if episodes != nil, onlyEpisodes != nil {
      throw ValidationError("give --episodes or --only-episodes, not both")
    }
    if compress, decompress { throw ValidationError("give --compress or --decompress, not both") }
    if let split, !(split > 0 && split < 1) {
      throw ValidationError("--split takes a share between 0 and 1, found \(split)")
    }
    if split != nil, repeats {
      throw ValidationError("a split takes every episode once: drop --repeat")
    }
  }

  func run() throws {
    Interruption.listen(toGoOn: "the same command goes on")
    var request = Mixing.Request(datasets, seed: seed)
    request.episodes = episodes
    request.onlyEpisodes = onlyEpisodes
    request.filter = filter
    request.split = split
    request.repeats = repeats
    request.copies = copy
    if compress || decompress { request.compress = compress }
    let summaries = try Mixing.run(
      request, in: URL(fileURLWithPath: output), workers: workers, drawSeed: drawnSeed)
    guard summaries.allSatisfy(\.isComplete) else {
      for summary in summaries where !summary.isComplete {
        Console.note(
          Interruption.isAsked
            ? summary.stopped : "\(summary.left) episodes are being made by another call")
      }
      throw ExitCode(Interruption.isAsked ? 130 : 0)
    }
    if json { return try printJSON(summaries.compactMap(\.report)) }
    if summaries.allSatisfy({ $0.made == 0 }) {
      Console.note("the dataset is complete: nothing to do")
    }
    for summary in summaries { Console.print(summary.text) }
  }
}
