import ArgumentParser
import Experiments
import Foundation
import Reporting

/// The subcommand `goalpost export`.
struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write runs up as a study: rows, figures, an executed notebook, a page.",
    usage: "goalpost export [<options>] [<RUN> ...] --output <DIR>",
    discussion: """
      goalpost export runs/gcsl-* runs/wgcsl-* --output notebooks-export/demo
      goalpost export --output notebooks-export/demo --question "Does weighting help?"

      All runs are evaluated on the same episodes. Runs that differ in their seed only are one \
      method. Exporting more runs into the folder adds rows to its runs.csv, or replaces those of \
      the same run. All else is made from these rows, also without any run. What the page says \
      outside its marks stays.

      A study with a study.yaml says there how its rows are grouped, measured and drawn. It takes \
      files of `goalpost evaluate RUN --json` in the place of runs. Documentation/Evaluation.md \
      has all of it.
      """)

  @Argument(
    help: help(
      "The folders of training runs, or files of results; none to make the rest anew.", of: "RUN"),
    completion: .file())
  var runs: [String] = []

  @Option(
    help: help("The study's folder; its name is the study's.", of: "DIR"), completion: .directory)
  var output: String

  @Option(help: help("What the study asks.", of: "TEXT"))
  var question: String = ""

  @Option(help: help("What it found; what the differences come to if not given.", of: "TEXT"))
  var answer: String = ""

  @Option(help: help("Episodes for each run.", of: "N"))
  var episodes: Int = 100

  @Option(help: help("The evaluation's seed, below 2^28.", of: "N"))
  var seed: UInt64 = 0

  @Option(
    help: help("Threads; the cores of the machine if not given. The result is the same.", of: "N"))
  var workers: Int?

  @Flag(help: "Draw no pictures of episodes.")
  var noPictures = false

  @Flag(help: "Leave the notebook unexecuted.")
  var noExecute = false

  func validate() throws {
    try check(episodes, "--episodes", in: OptionRange.evaluated)
    try check(workers, "--workers", in: OptionRange.threads)
    try checkSeed(seed)
  }

  func run() throws {
    var request = Study.Request(
      runs, in: URL(fileURLWithPath: output),
      evaluation: EvaluationRequest(
        episodes: episodes, seed: seed,
        workers: workers ?? ProcessInfo.processInfo.activeProcessorCount))
    request.question = question
    request.answer = answer
    request.films = !noPictures
    request.executes = !noExecute
    let study = try Study.export(request)
    for note in study.notes { Console.note(note) }
    for file in study.files { Console.print("\(output)/\(file)") }
  }
}
