import ArgumentParser
import Experiments
import Foundation
import Support

/// The subcommand `goalpost intervals`, for scripts: pipelines keep a row a run and ask here for
/// what the rows say.
struct OverSeeds: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "intervals",
    abstract: "Compute 95 % intervals over seeds from numbers on standard input, for scripts.",
    discussion: """
      Reads a JSON list such as [{"values": [0.7, 0.75], "low": 0, "high": 1, "episodes": 200}] and \
      prints a list of estimates. "shares_starts": true says that all runs were evaluated on the \
      same starts. See Documentation/Evaluation.md.
      """,
    shouldDisplay: false)

  func run() throws {
    print(try RunIntervals.answers(to: FileHandle.standardInput.readDataToEndOfFile()))
  }
}
