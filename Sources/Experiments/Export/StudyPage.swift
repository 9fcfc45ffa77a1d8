import Foundation
import GoalCore
import Reporting
import Statistics
import Storage

/// The `README.md` of a study.
struct StudyPage {
  let request: Study.Request
  let rows: [StudyRow]
  let levels: [StudyLevel]
  let comparison: Comparison
  let sources: [Study.Source]
  let study: Study
  /// The page already in the folder; nil for a new study.
  let before: String?

  /// Reads the page that is there; throws `ExperimentError.damaged` for one that cannot be read,
  /// since its question and answer would be lost.
  static func before(in folder: URL) throws -> String? {
    let file = folder.appendingPathComponent("README.md")
    return FileManager.default.fileExists(atPath: file.path) ? try textOf(file) : nil
  }

  var title: String { request.folder.lastPathComponent }

  var question: String {
    request.question.isEmpty ? kept("Question") ?? "" : request.question
  }

  /// The page.
  func text() throws -> String {
    // An answer of ours is as old as the runs that it was said of.
    let kept = kept("Answer").flatMap { $0.hasPrefix(Self.ours) ? nil : $0 }
    let answer = request.answer.isEmpty ? kept ?? suggestion : request.answer
    var text = "# \(title)\n\n"
    text += "## Question\n\n\(question.isEmpty ? "(not stated)" : question)\n\n"
    text += "## Answer\n\n\(answer)\n\n"
    text += "## Results\n\n" + results + "\n"
    if !comparison.sentences.isEmpty {
      text += comparison.sentences.map { "- \($0)\n" }.joined() + "\n"
    }
    text += """
      Each run of this export was evaluated on the same \(comparison.request.episodes) episodes \
      (seed \(comparison.request.seed)). Intervals are 95 %: of a method with several seeds for training \
      seeds and starts in general, of one run for this checkpoint on starts in general. `runs.csv` \
      has every run's numbers, `methods.csv` every method's; `study.ipynb` draws from both.


      """
    if let note = inexact { text += note + "\n\n" }
    text += "## Figures\n\n"
    for file in study.files where file.hasPrefix("figures/") {
      text += "\(caption(of: file))\n\n![\(file)](\(file))\n\n"
    }
    text += "## How it was made\n\n"
    text += "```sh\n" + commands.joined(separator: "\n") + "\n```\n\n"
    text += provenance
    if !study.notes.isEmpty {
      text += "\n" + study.notes.map { "- \($0)\n" }.joined()
    }
    return text
  }

  /// A table of what `methods.csv` holds in the end: a row a method and world, a column a measure.
  private var results: String {
    let finals = levels.filter { $0.kind == .final }
    let measures = finals.map(\.measure).uniqued
    var table = Table(["environment", "method", "seeds"] + measures)
    for environment in finals.map(\.environment).uniqued {
      let here = finals.filter { $0.environment == environment }
      for method in here.map(\.method).uniqued {
        let own = here.filter { $0.method == method }
        let cells = measures.map { measure in
          own.first { $0.measure == measure }?.value
        }
        table.rows.append([environment, method, "\(own.first?.runs ?? 0)"] + cells)
      }
    }
    return table.rendered(as: .md)
  }

  /// Of which methods the table's intervals are wider than they need be.
  private var inexact: String? {
    let names = levels.filter { $0.kind == .final && !$0.isExact }.map(\.method).uniqued
    return names.isEmpty
      ? nil
      : "The runs of \(names.joined(separator: ", ")) were not all exported at once, and their episodes "
        + "are gone: their intervals take all of the episodes' share as common to the runs, so they are "
        + "too wide rather than too narrow."
  }

  /// How an answer begins that was not given.
  private static let ours = "By the table"

  /// The answer if none is given.
  private var suggestion: String {
    let sentences = comparison.sentences
    return Self.ours
      + (sentences.isEmpty ? "." : ": " + sentences.joined(separator: "; ") + ".")
  }

  /// The commands of runs whose provenance is known, then this one's.
  private var commands: [String] {
    let trained = sources.flatMap { $0.provenance?.parts ?? [] }.map(\.commandLine)
    return
      (earlier { $0.hasPrefix("goalpost ") } + trained
      + [Provenance.Part.line(Invocation.command)]).uniqued
  }

  /// Lines of how the page that is there was made: those of runs that were exported before.
  private func earlier(_ isWanted: (Substring) -> Bool) -> [String] {
    (kept("How it was made") ?? "").split(separator: "\n").filter(isWanted).map(String.init)
  }

  private var provenance: String {
    var table = Table(["run", "seed", "commit", "host", "finished"])
    func words(_ all: [String]?) -> String {
      all.flatMap { $0.isEmpty ? nil : $0.joined(separator: ", ") } ?? "–"
    }
    table.rows = sources.map { source in
      [
        source.folder.lastPathComponent, "\(source.configuration.seed)",
        words(source.provenance?.commits.map { String($0.prefix(12)) }),
        words(source.provenance?.parts.map(\.host).uniqued),
        source.provenance?.parts.last?.finished ?? "–",
      ]
    }
    let runs = Set(table.rows.map { "| \($0[0].shown) |" })
    let before = earlier { line in line.hasPrefix("| ") && !runs.contains { line.hasPrefix($0) } }
      .dropFirst(2).map { line in
        line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      }
    table.rows = before.filter { $0.count == table.heads.count } + table.rows
    let commit = SourceCommit.built.map { " at commit \($0.prefix(12))" } ?? ""
    return table.rendered(as: .md) + "\nExported\(commit).\n"
  }

  private func caption(of file: String) -> String {
    let name = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
    switch name {
    case "curves":
      return
        "Success and return49 while training: means over seeds (their number) with 95 % intervals, which take "
        + "all of the episodes' share as common to the runs."
    case "profile":
      return
        "The share of runs with more than a success or return49, on these starts; with a 95 % band "
        + "over runs from \(PairedComparison.leastRuns) runs of each world on."
    default: break
    }
    if let learner = name.suffix(after: "sampler-") {
      return "How far ahead the goals are that \(learner) draws, with the paper's settings."
    }
    if let data = name.suffix(after: "data-") { return "The dataset \(data)." }
    return "Three episodes of \(name.suffix(after: "episodes-") ?? name): starts above, ends below."
  }

  /// The text under a heading of the page already in the folder; nil if it is missing.
  private func kept(_ heading: String) -> String? {
    guard let text = before, let start = text.range(of: "## \(heading)\n\n") else { return nil }
    let rest = text[start.upperBound...]
    let end = rest.range(of: "\n\n## ")?.lowerBound ?? rest.endIndex
    let found = String(rest[..<end]).trimmingCharacters(in: .whitespacesAndNewlines)
    return found.isEmpty || found == "(not stated)" ? nil : found
  }
}

extension String {
  fileprivate func suffix(after start: String) -> String? {
    hasPrefix(start) ? String(dropFirst(start.count)) : nil
  }
}
