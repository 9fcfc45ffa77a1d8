import ArgumentParser
import Experiments
import Foundation
import Reporting

/// The subcommand `goalpost export`.
struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write runs up as a study: rows, figures, an executed notebook, a page.",
    discussion: """
      goalpost export runs/gcsl-demo-s* runs/wgcsl-demo-s* --output notebooks-export/demo \\
        --question "Does weighting help?"

      All runs are evaluated on the same episodes. Runs that differ only in their seed form one \
      method. Exporting more runs into the folder adds them to its runs.csv, and keeps the page's \
      question and answer unless they are given.
      """)

  @Argument(help: "The folders of training runs.")
  var runs: [String]

  @Option(help: "The study's folder; its name is the study's.")
  var output: String

  @Option(help: "The study's question.")
  var question: String = ""

  @Option(help: "The study's answer; default: a summary of the differences.")
  var answer: String = ""

  @Option(help: "Number of episodes per run.")
  var episodes: Int = 100

  @Option(help: "The evaluation's seed, below 2^28.")
  var seed: UInt64 = 0

  @Option(help: "Number of threads; default: one per core. The result is the same for any number.")
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
