import ArgumentParser
import Experiments
import Foundation
import Reporting
import Support

/// The subcommand `goalpost convert`.
struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Turn other systems' datasets into ours, and ours into theirs.",
    discussion: """
      goalpost convert buffer.pkl --environment fetch-reach --output reach
      goalpost convert reach --to wgcsl-pickle --output buffer.pkl

      Formats: \(DatasetConversion.formats)

      What a format cannot hold, what was worked out and what was assumed is
      printed, and kept in the dataset's card and manifest. The same command goes
      on where it was stopped. Documentation/Formats.md has each format.
      """)

  @Argument(help: "A file or folder; its format is guessed from its name and first bytes.")
  var input: String

  @Option(help: "The input's format, where it is not clear.")
  var from: String?

  @Option(help: "The output's format; ours, or the one that the output's name means, if not given.")
  var to: String?

  @Option(help: "The world's id. Of one that is not ours, only sizes are known.")
  var environment: String?

  @Option(help: "The distance within which a goal is reached, in a world that is not ours.")
  var threshold: Double?

  @Option(help: "Where in an observation the goal stands, as in 0,1, in a world that is not ours.")
  var goalIndices: String?

  @Option(help: "Numbers in a goal, where a format does not say.")
  var goalLength: Int?

  @Option(help: "What an observation is joined from, in order, as in object,robot0_eef_pos.")
  var observationKeys: String?

  @Option(help: "What a goal is joined from, in order, as in kettle,microwave.")
  var goalKeys: String?

  @Option(help: "What ends an episode of d4rl's rows: timeouts, terminals or both.")
  var ends: String?

  @Flag(
    help: "Leave out, and name, episodes that break a rule or have numbers that are not finite.")
  var skipBad = false

  @Flag(help: "Clip actions to the range of the world, or of the file, or to -1 to 1.")
  var clipActions = false

  @Flag(help: "Compress the output, where its format can be.")
  var compress = false

  @Option(
    help: """
      The most bytes that a compressed input may unpack to; 100 times its own, and 1 GiB at least, if not given.
      """)
  var maxBytes: Int?

  @Option(help: "Threads; the cores of the machine if not given.")
  var workers: Int?

  @Option(help: "The file or folder to make.")
  var output: String

  @Flag(help: "Print the result as JSON.")
  var json = false

  func validate() throws {
    try check(workers, "--workers", in: OptionRange.threads)
    try check(goalLength, "--goal-length", in: OptionRange.goal)
    try check(maxBytes, "--max-bytes", in: OptionRange.bytes)
    for (keys, name) in [(observationKeys, "--observation-keys"), (goalKeys, "--goal-keys")] {
      guard let keys else { continue }
      let names = Convert.names(keys)
      guard !names.contains(""), Set(names).count == names.count else {
        throw ValidationError("\(name) takes different names as in a,b,c, found '\(keys)'")
      }
    }
    if let threshold, !(threshold > 0 && threshold.isFinite) {
      throw ValidationError("--threshold must be above 0, found \(threshold)")
    }
    if let goalIndices, indices == nil {
      throw ValidationError("--goal-indices takes numbers as in 0,1, found '\(goalIndices)'")
    }
  }

  private static func names(_ text: String) -> [String] {
    text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
  }

  private var indices: [Int]? {
    guard let goalIndices else { return nil }
    let numbers = goalIndices.split(separator: ",", omittingEmptySubsequences: false).map {
      Int($0).flatMap { $0 >= 0 ? $0 : nil }
    }
    return numbers.contains(nil) ? nil : numbers.compactMap { $0 }
  }

  func run() throws {
    Interruption.listen(toGoOn: "the same command goes on")
    var request = DatasetConversion.Request(
      URL(fileURLWithPath: input), to: URL(fileURLWithPath: output), workers: workers)
    request.from = from
    request.to = to
    request.environment = environment
    request.threshold = threshold
    request.goalIndices = indices
    request.goalLength = goalLength
    request.observationKeys = observationKeys.map(Convert.names)
    request.goalKeys = goalKeys.map(Convert.names)
    request.ends = ends
    request.skipsBad = skipBad
    request.clipsActions = clipActions
    request.compress = compress
    request.maximumBytes = maxBytes
    let reports: [DatasetConversion.Report]
    do { reports = try DatasetConversion.run(request) } catch {
      guard DatasetConversion.isStop(error) else { throw error }
      Console.note("stopped: \(error); the same command begins again")
      throw ExitCode(130)
    }
    if let left = reports.first(where: { $0.left > 0 })?.left {
      Console.note(
        Interruption.isAsked
          ? "stopped: \(left) episodes are left; the same command goes on"
          : "\(left) episodes are being converted by another call")
      throw ExitCode(Interruption.isAsked ? 130 : 0)
    }
    if json { return try printJSON(reports) }
    for report in reports { Console.print(report.text) }
  }
}
