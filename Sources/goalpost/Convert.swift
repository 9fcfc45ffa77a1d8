import ArgumentParser
import Experiments
import Foundation
import Reporting
import Support

/// The subcommand `goalpost convert`.
struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Convert datasets from and to other systems' formats.",
    discussion: """
      goalpost convert buffer.pkl --environment fetch-reach --output reach
      goalpost convert reach --to wgcsl-pickle --output buffer.pkl

      Formats: \(DatasetConversion.formats)

      Prints what is lost, computed and assumed, and keeps it in the dataset's card and manifest. \
      The same command resumes an interrupted call. Documentation/Formats.md describes each format.
      """)

  @Argument(
    help: help(
      "A file or folder; its format is guessed from its name and first bytes.", of: "PATH"),
    completion: .file())
  var input: String

  @Option(
    help: help("The input's format; default: guessed.", of: "FORMAT"),
    completion: .list(DatasetConversion.formatNames))
  var from: String?

  @Option(
    help: help(
      "The output's format; default: by the output's name, or Goalpost's own.", of: "FORMAT"),
    completion: .list(DatasetConversion.formatNames))
  var to: String?

  @Option(
    help: help("The world's id. Only sizes are known of a world that is not registered.", of: "ID"),
    completion: .list(Listings.environmentNames))
  var environment: String?

  @Option(
    help: help(
      "The distance within which a goal is reached, in a world that is not registered.", of: "X"))
  var threshold: Double?

  @Option(
    help: help(
      "The goal's indices in an observation, as in 0,1, in a world that is not registered.",
      of: "LIST"))
  var goalIndices: String?

  @Option(help: help("Length of a goal, if the format does not say.", of: "N"))
  var goalLength: Int?

  @Option(
    help: help(
      "Keys to join into an observation, in order, as in object,robot0_eef_pos.", of: "LIST"))
  var observationKeys: String?

  @Option(help: help("Keys to join into a goal, in order, as in kettle,microwave.", of: "LIST"))
  var goalKeys: String?

  @Option(
    help: help(
      "The flags that end an episode of d4rl's rows: timeouts, terminals or both.", of: "FLAGS"),
    completion: .list(["timeouts", "terminals", "both"]))
  var ends: String?

  @Flag(
    help: "Leave out, and list, episodes that break a rule or have numbers that are not finite.")
  var skipBad = false

  @Flag(help: "Clip actions to the range of the world, or of the file, or to -1 to 1.")
  var clipActions = false

  @Flag(help: "Compress the output, if its format allows.")
  var compress = false

  @Option(
    help: help(
      """
      Maximum unpacked size of a compressed input, in bytes; default: 100 times its size, at least 1 GiB.
      """, of: "N"))
  var maxBytes: Int?

  @Option(help: help("Number of threads; default: one per core.", of: "N"))
  var workers: Int?

  @Option(help: help("The file or folder to write.", of: "PATH"), completion: .file())
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
