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
    discussion: """
      goalpost sample DATASET --scheme ogbench:discount=0.95 --inspect
      goalpost sample DATASET --learner wgcsl --inspect

      Schemes, with their parameters and defaults:
      \(SampleInspection.schemes)
      """)

  @Argument(help: "Datasets' folders, each with :WEIGHT or all without.")
  var datasets: [String]

  @Option(help: "What to draw: NAME or NAME:key=value,key=value.")
  var scheme: String?

  @Option(help: "Draw this learner's batches, with the paper's settings.")
  var learner: String?

  @Flag(help: "Count draws and compare them with the expected distribution; the default.")
  var inspect = false

  @Option(help: "Number of batches to draw.")
  var batches = 400

  @Option(help: "The draw's seed, below 2^28.")
  var seed: UInt64 = 0

  @Option(help: "Draw a figure of the offsets: a name that ends in .svg.")
  var plot: String?

  @Flag(help: "Print everything as JSON.")
  var json = false

  func validate() throws {
    try check(batches, "--batches", in: OptionRange.updates)
    try checkSeed(seed)
    guard (scheme == nil) != (learner == nil) else {
      throw ValidationError("give --scheme NAME or --learner ID, one of them")
    }
    if let plot, !plot.hasSuffix(".svg") {
      throw ValidationError("--plot takes a name that ends in .svg, found '\(plot)'")
    }
  }

  func run() throws {
    let found = try SampleInspection.run(
      datasets, scheme: scheme ?? learner ?? "", ofLearner: learner != nil, batches: batches,
      seed: seed)
    if json { Console.print(try found.json()) } else { Console.print(found.text, terminator: "") }
    guard let plot else { return }
    try found.figure().write(to: URL(fileURLWithPath: plot))
    if !json { Console.print("\nfigure: \(plot)") }
  }
}
