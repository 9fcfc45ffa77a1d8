import ArgumentParser
import Experiments
import Foundation
import Reporting
import Support

/// The subcommand `goalpost inspect`.
struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Show what a dataset, a checkpoint or a run is: counts, statistics, lineage, pictures.",
    discussion: """
      Of a dataset all of it is read: returns and successes with 95 % intervals, statistics of
      observations and actions, goals, sources, lineage. Of a checkpoint or a run: its head, the
      settings that differ from the paper's, evaluations so far.
      """)

  @Argument(help: "A dataset's, a checkpoint's or a run's folder, or a policy.safetensors.")
  var path: String

  @Option(help: "Draw it: a name that ends in .svg.")
  var plot: String?

  @Option(help: "Bands that a dataset's counts and returns must lie in (JSON); exit 1 outside.")
  var expect: String?

  @Option(help: "The number of a stored episode, to film with --video.")
  var episode: Int64?

  @Option(help: "The episode's shard, where a mixture has several episodes of that number.")
  var shard: Int?

  @Option(help: "Film the stored episode: a name that ends in .mp4 or .gif.")
  var video: String?

  @Option(help: "Threads; the cores of the machine if not given. The result is the same.")
  var workers: Int?

  @Flag(help: "Print all of it as JSON.")
  var json = false

  func validate() throws {
    try check(workers, "--workers", in: OptionRange.threads)
    if let plot, !plot.hasSuffix(".svg") {
      throw ValidationError("--plot takes a name that ends in .svg, found '\(plot)'")
    }
    if let video, !video.hasSuffix(".mp4"), !video.hasSuffix(".gif") {
      throw ValidationError("--video takes a name that ends in .mp4 or .gif, found '\(video)'")
    }
    guard (episode == nil) == (video == nil) else {
      throw ValidationError("--episode and --video go together")
    }
    if shard != nil, episode == nil {
      throw ValidationError("--shard goes with --episode and --video")
    }
    if let episode, episode < 0 {
      throw ValidationError("--episode must be at least 0, found \(episode)")
    }
    if expect != nil, video != nil {
      throw ValidationError(
        "--video films one episode, --expect reads all of them: give one of them")
    }
    if video != nil, plot != nil {
      throw ValidationError("--video films one episode, --plot draws all of them: give one of them")
    }
  }

  func run() throws {
    if let video, let episode {
      let film = try EpisodeFilm.write(
        episode: episode, of: path, shard: shard, to: URL(fileURLWithPath: video))
      return json ? try printJSON(film) : Console.print(film.text)
    }
    let bands = try expect.map { try Bands($0) }
    let found = try Inspection.run(
      path, workers: workers ?? ProcessInfo.processInfo.activeProcessorCount)
    if let plot { try found.figure().write(to: URL(fileURLWithPath: plot)) }
    if json { Console.print(try found.json()) } else { Console.print(found.text, terminator: "") }
    if let plot, !json { Console.print("\nfigure: \(plot)") }
    if let bands {
      guard let dataset = found as? DatasetInspection else {
        throw ValidationError("--expect is for datasets; for policies, see `goalpost evaluate`")
      }
      for line in try bands.check(dataset) { Console.note(line) }
    }
  }
}
