import ArgumentParser
import Experiments
import Foundation
import Reporting
import Support

/// The subcommand `goalpost sample`.
struct Sample: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Show what a sampling scheme draws from a dataset, next to the expected distribution.",
    usage: "goalpost sample [<options>] [<DIR> ...]",
    discussion: """
      goalpost sample data --scheme ogbench:discount=0.95
      goalpost sample data --learner wgcsl
      goalpost sample --schemes
      """)

  @Argument(
    help: help("Datasets' folders, each with :WEIGHT or all without.", of: "DIR"),
    completion: .directory)
  var datasets: [String] = []

  @Option(help: help("What to draw: NAME or NAME:key=value,key=value.", of: "SCHEME"))
  var scheme: String?

  @Option(
    help: help("Draw this learner's batches, with the paper's settings.", of: "ID"),
    completion: .list(Listings.learnerNames))
  var learner: String?

  @Flag(help: "List the schemes, with their parameters and defaults.")
  var schemes = false

  @Flag(help: "Count draws and compare them with the expected distribution; the default.")
  var inspect = false

  @Option(help: help("Number of batches to draw.", of: "N"))
  var batches = 400

  @Option(help: help("The draw's seed, below 2^28.", of: "N"))
  var seed: UInt64 = 0

  @Option(
    help: help("Draw a figure of the offsets: a name that ends in .svg.", of: "FILE"),
    completion: .file())
  var plot: String?

  @Flag(help: "Print everything as JSON.")
  var json = false

  func validate() throws {
    try check(batches, "--batches", in: OptionRange.updates)
    try checkSeed(seed)
    if schemes {
      guard datasets.isEmpty, scheme == nil, learner == nil, plot == nil, !json else {
        throw ValidationError("--schemes lists all schemes: drop the others")
      }
      return
    }
    if datasets.isEmpty { throw ValidationError("give a dataset's folder, or --schemes") }
    guard (scheme == nil) != (learner == nil) else {
      throw ValidationError("give --scheme NAME or --learner ID, one of them")
    }
    if let plot, !plot.hasSuffix(".svg") {
      throw ValidationError("--plot takes a name that ends in .svg, found '\(plot)'")
    }
  }

  func run() throws {
    if schemes { return Console.print(SampleInspection.schemes) }
    let found = try SampleInspection.run(
      datasets, scheme: scheme ?? learner ?? "", ofLearner: learner != nil, batches: batches,
      seed: seed)
    if json { Console.print(try found.json()) } else { Console.print(found.text, terminator: "") }
    guard let plot else { return }
    try found.figure().write(to: URL(fileURLWithPath: plot))
    if !json { Console.print("\nfigure: \(plot)") }
  }
}
