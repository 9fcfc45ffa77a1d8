import ArgumentParser
import Experiments
import Foundation
import Reporting
import Support

/// The subcommand `goalpost inspect`.
struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Describe a dataset, a checkpoint or a run: counts, statistics, lineage, pictures.",
    usage: "goalpost inspect [<options>] <PATH>",
    discussion: """
      goalpost inspect data --plot data.svg
      goalpost inspect runs/gcsl-data-s0
      goalpost inspect data --episode 3 --video episode.mp4

      Reads a whole dataset and prints returns and successes with 95 % intervals, statistics of \
      observations and actions, goals, sources, lineage. For a checkpoint or a run it prints the \
      header, the settings that differ from the paper's, and the evaluations so far.
      """)

  @Argument(
    help: help(
      "A dataset's, a checkpoint's or a run's folder, or a policy.safetensors.", of: "PATH"),
    completion: .file())
  var path: String

  @Option(help: help("Draw a figure: a name that ends in .svg.", of: "FILE"), completion: .file())
  var plot: String?

  @Option(
    help: help(
      """
      JSON file of allowed ranges for a dataset's counts and returns; exits 1 if one is outside.
      """, of: "FILE"), completion: .file())
  var expect: String?

  @Option(help: help("Number of a stored episode to film with --video.", of: "N"))
  var episode: Int64?

  @Option(
    help: help("The episode's shard, if a mixture has several episodes of that number.", of: "N"))
  var shard: Int?

  @Option(
    help: help("Film the stored episode: a name that ends in .mp4 or .gif.", of: "FILE"),
    completion: .file())
  var video: String?

  @Option(
    help: help(
      "Number of threads; default: one per core. The result is the same for any number.", of: "N"))
  var workers: Int?

  @Flag(help: "Print everything as JSON.")
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
