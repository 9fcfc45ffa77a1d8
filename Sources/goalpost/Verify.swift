import ArgumentParser
import Experiments
import Foundation
import Reporting
import Support

/// The subcommand `goalpost verify`.
struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check a dataset: digests, schema, goals, rewards, and the physics bit for bit.",
    discussion: """
      goalpost verify data
      goalpost verify data --replay all

      Prints what was checked, what was not, and each rule that is broken; then it exits with 1.
      """)

  @Argument(help: help("The dataset's folder.", of: "DIR"), completion: .directory)
  var dataset: String

  @Option(
    help: help(
      "Number of episodes to simulate again from their seeds and actions, or all.", of: "N"))
  var replay: String = "100"

  @Option(help: help("Number of threads; default: one per core.", of: "N"))
  var workers: Int?

  @Flag(help: "Print the report as JSON.")
  var json = false

  func validate() throws {
    try check(workers, "--workers", in: OptionRange.threads)
    guard
      replay == "all" || (Int(replay).map { 0...OptionRange.episodes.upperBound ~= $0 } ?? false)
    else {
      throw ValidationError("--replay takes a number of episodes or all, found '\(replay)'")
    }
  }

  func run() throws {
    let report = try Verification.run(
      URL(fileURLWithPath: dataset), replays: Int(replay).map { .some($0) } ?? .all,
      workers: workers ?? ProcessInfo.processInfo.activeProcessorCount)
    if json { try printJSON(report) } else { Console.print(report.text, terminator: "") }
    if !report.isSound { throw ExitCode.failure }
  }
}
