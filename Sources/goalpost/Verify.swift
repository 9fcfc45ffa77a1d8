import ArgumentParser
import Experiments
import Foundation
import Reporting
import Support

/// The subcommand `goalpost verify`.
struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check a dataset: digests, schema, goals, rewards, and the physics bit for bit.")

  @Argument(help: "The dataset's folder.")
  var dataset: String

  @Option(help: "Number of episodes to simulate again from their seeds and actions, or all.")
  var replay: String = "100"

  @Option(help: "Number of threads; default: one per core.")
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
