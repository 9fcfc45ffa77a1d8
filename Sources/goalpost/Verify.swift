import ArgumentParser
import Experiments
import Foundation

/// The subcommand `goalpost verify`.
struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check a dataset: digests, schema, goals, rewards, and the physics to the bit.")

  @Argument(help: "The dataset's folder.")
  var dataset: String

  @Option(help: "Episodes to simulate again from their seeds and actions: a number, or all.")
  var replay: String = "100"

  @Option(help: "Threads; the cores of the machine if not given.")
  var workers: Int?

  @Flag(help: "Print the report as JSON.")
  var json = false

  func validate() throws {
    try checkPositive(workers, "--workers")
    guard replay == "all" || (Int(replay).map { $0 >= 0 } ?? false) else {
      throw ValidationError("--replay takes a number of episodes or all, found '\(replay)'")
    }
  }

  func run() throws {
    let report = try Verification.run(
      URL(fileURLWithPath: dataset), replays: Int(replay).map { .some($0) } ?? .all,
      workers: workers ?? ProcessInfo.processInfo.activeProcessorCount)
    if json { try printJSON(report) } else { print(text(report), terminator: "") }
    if !report.isSound { throw ExitCode.failure }
  }

  private func text(_ report: Verification.Report) -> String {
    let replayed =
      report.replayed == 0
      ? "no episode was simulated again" : "\(report.replayed) episodes simulated again to the bit"
    let head =
      "\(report.dataset): \(report.episodes) episodes, \(report.steps) steps in \(report.shards) "
      + "\(report.shards == 1 ? "shard" : "shards")\n"
    if report.isSound {
      return head
        + "sound\(report.unchecked.isEmpty ? "" : ", as far as can be checked"): digests, schema, lengths, seeds, goals, rewards, successes and bounds hold; \(replayed)\n"
        + report.unchecked.map { "not checked: \($0)\n" }.joined()
    }
    return head
      + report.findings.map { "broken \($0.count) ×: \($0.rule); first in \($0.first)\n" }.joined()
  }
}
