import ArgumentParser
import Experiments
import Foundation

/// The subcommand `goalpost evaluate`.
struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Roll policies out on fixed seeds and give success and returns with 95 % intervals.",
    discussion: """
      Returns count 1 for each step at the goal and 0 for the others: return49 over all but the last
      step (as the WGCSL paper counts), return over all, discounted_return by 1 - 1/horizon. All
      policies of one call face the same starts and goals.
      """)

  @Argument(help: "Runs, checkpoints or policy files; scripted and random need --environment.")
  var policies: [String]

  @Option(help: "The world; a checkpoint's own if not given.")
  var environment: String?

  @Option(help: "Episodes for each policy.")
  var episodes: Int = 100

  @Option(help: "The evaluation's seed, below 2^28.")
  var seed: UInt64 = 0

  @Option(help: "Threads; the cores of the machine if not given. The result is the same.")
  var workers: Int?

  @Option(help: "Standard deviation of noise on the policies' actions, in halves of their range.")
  var noise: Double = 0

  @Option(help: "Probability of a uniformly random action at each step.")
  var randomActions: Double = 0

  @Option(help: "Film the first episodes of the first policy: a name that ends in .mp4 or .gif.")
  var video: String?

  @Option(help: "Episodes to film.")
  var videoEpisodes: Int = 9

  @Option(help: "A file of bands that the results must lie in: {\"success\": {\"low\": 0.85}}.")
  var expect: String?

  @Flag(help: "Print JSON.")
  var json = false

  @Option(help: "How to print the table: \(TableFormat.names).")
  var format: String = TableFormat.text.rawValue

  func validate() throws {
    try checkPositive(episodes, "--episodes")
    try checkPositive(videoEpisodes, "--video-episodes")
    try checkPositive(workers, "--workers")
    try checkSeed(seed)
    try checkExploration(noise: noise, randomActions: randomActions)
    if video != nil, noise > 0 || randomActions > 0 {
      throw ValidationError("--video films policies without noise: drop one of the two")
    }
    guard TableFormat(rawValue: format) != nil else {
      throw ValidationError("--format must be one of \(TableFormat.names), found '\(format)'")
    }
    if let video, !video.hasSuffix(".mp4"), !video.hasSuffix(".gif") {
      throw ValidationError("--video takes a name that ends in .mp4 or .gif, found '\(video)'")
    }
  }

  func run() throws {
    let request = EvaluationRequest(
      episodes: episodes, seed: seed,
      workers: workers ?? ProcessInfo.processInfo.activeProcessorCount,
      exploration: Exploration(noise: noise, randomActions: randomActions))
    let bands = try expect.map { try Bands(contentsOf: URL(fileURLWithPath: $0)) }
    let comparison = try Comparison.run(policies, environment: environment, request)
    if json {
      print(try comparison.json())
    } else {
      print(comparison.table().rendered(as: TableFormat(rawValue: format) ?? .text), terminator: "")
    }
    if let video {
      try comparison.film(to: URL(fileURLWithPath: video), episodes: videoEpisodes)
      if !json { print("video: \(video)") }
    }
    try bands?.check(comparison)
  }
}
