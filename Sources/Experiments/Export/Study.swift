import Environments
public import Foundation
import GoalCore
import Learners
import Reporting
import Statistics
import Storage
import Support

/// Runs, written up as a folder: rows, figures, a notebook, and a page with the answer.
///
///     README.md      question, answer, table with intervals, commands, commits
///     runs.csv       a row for each run, time and measure
///     methods.csv    a row for each method, time and measure: its runs' mean with its interval
///     figures/       SVG; PNG of the first and last pictures of episodes
///     study.ipynb    the table and the curves again from the two, executed
///
/// Exporting more runs into the folder adds them: rows of other runs stay.
public struct Study: Sendable {
  /// The request.
  public struct Request: Sendable {
    /// The runs' folders.
    public var runs: [String]
    /// The study's folder.
    public var folder: URL
    /// The study's question; if it is empty, the README keeps its own.
    public var question = ""
    /// The study's answer; if it is empty, the README keeps its own.
    public var answer = ""
    /// How the runs are evaluated.
    public var evaluation: EvaluationRequest
    /// Whether pictures of episodes are drawn.
    public var films = true
    /// Whether the notebook is executed.
    public var executes = true

    /// Makes a request.
    public init(_ runs: [String], in folder: URL, evaluation: EvaluationRequest) {
      self.runs = runs
      self.folder = folder
      self.evaluation = evaluation
    }
  }

  /// The files that were written, relative to the folder.
  public private(set) var files: [String] = []
  /// The parts that were left out, and why.
  public private(set) var notes: [String] = []

  /// Evaluates runs and writes them up.
  public static func export(_ request: Request, silent: Bool = false) throws -> Study {
    var study = Study()
    let sources = try request.runs.map(Source.init)
    let comparison = try Comparison.run(
      request.runs, environment: nil, request.evaluation, silent: silent)
    let figures = request.folder.appendingPathComponent("figures")
    do {
      try FileManager.default.createDirectory(at: figures, withIntermediateDirectories: true)
    } catch {
      throw FileError.cannotWrite(
        figures.relativePath, reason: "the folder can't be made")
    }

    let file = request.folder.appendingPathComponent("runs.csv")
    let fresh = try comparison.entries.flatMap { entry in
      try sources.first { $0.path == entry.name }.map { try $0.rows(entry) } ?? []
    }
    let known = Set(fresh.map(\.key))
    let rows = try StudyRow.read(file).filter { !known.contains($0.key) } + fresh
    try StudyRow.write(rows, to: file)
    let levels = StudyLevel.all(of: rows, comparison, fresh: known)
    try StudyLevel.write(levels, to: request.folder.appendingPathComponent("methods.csv"))
    study.files += ["runs.csv", "methods.csv"]

    let drawn = StudyFigures(rows: rows, levels: levels)
    for (name, figure) in [("curves", drawn.curves()), ("profile", drawn.profile())] {
      guard let figure else { continue }
      try figure.write(to: figures.appendingPathComponent("\(name).svg"))
      study.files.append("figures/\(name).svg")
    }
    if let note = drawn.bandlessNote { study.notes.append(note) }
    try study.drawData(sources, to: figures, silent: silent)
    if request.films { study.drawEpisodes(comparison, to: figures) }

    let page = try StudyPage(
      request: request, rows: rows, levels: levels, comparison: comparison, sources: sources,
      study: study, before: StudyPage.before(in: request.folder))
    try WholeFile.write(
      Data(try page.text().utf8), to: request.folder.appendingPathComponent("README.md"))
    study.files.append("README.md")
    let notebook = request.folder.appendingPathComponent("study.ipynb")
    try StudyNotebook(title: page.title, question: page.question).write(to: notebook)
    study.files.append("study.ipynb")
    if request.executes, let reason = try StudyNotebook.execute(notebook) {
      study.notes.append("study.ipynb was not executed: \(reason)")
    }
    return study
  }

  /// What the runs were given: their datasets, and how learners draw from them.
  private mutating func drawData(_ sources: [Source], to figures: URL, silent: Bool) throws {
    for path in sources.flatMap(\.datasets).uniqued {
      let name = URL(fileURLWithPath: path).lastPathComponent
      guard case .dataset(let folder)? = try? Inspection.subject(path) else {
        notes.append("the dataset \(path) is not here, so it was not drawn")
        continue
      }
      let found = try DatasetInspection.run(folder, workers: Parallel.cores, silent: silent)
      try found.figure().write(to: figures.appendingPathComponent("data-\(name).svg"))
      files.append("figures/data-\(name).svg")
    }
    var done: [String] = []
    for source in sources where !source.isOnline {
      let learner = source.configuration.learner
      let texts = source.configuration.datasets
      guard !done.contains("\(learner) \(texts)") else { continue }
      let isSecond = done.contains { $0.hasPrefix("\(learner) ") }
      let name = "sampler-\(learner)" + (isSecond ? "-\(done.count)" : "")
      done.append("\(learner) \(texts)")
      let figure: SVGFigure
      do {
        figure = try SampleInspection.run(
          texts, scheme: learner, ofLearner: true, batches: 200
        ).figure()
      } catch {
        // A learner that takes the goals that were asked for draws no offsets.
        notes.append("no histogram of what \(learner) draws: \(error)")
        continue
      }
      try figure.write(to: figures.appendingPathComponent("\(name).svg"))
      files.append("figures/\(name).svg")
    }
  }

  /// The first and the last pictures of three episodes of each method's first run.
  private mutating func drawEpisodes(_ comparison: Comparison, to figures: URL) {
    for method in comparison.methods {
      guard let first = method.entries.first else { continue }
      let name = "episodes-\(method.environment)-\(method.name.fileName).png"
      do {
        let picture = try Video.ends(
          first.policy, in: first.world, seed: comparison.request.seed, episodes: 3)
        try Film.write([picture], rate: 1, to: figures.appendingPathComponent(name))
        files.append("figures/\(name)")
      } catch {
        notes.append("no pictures of \(method.name) in \(method.environment): \(error)")
      }
    }
  }
}

extension Study {
  /// A run that is written up.
  struct Source: Sendable {
    let path: String
    let folder: URL
    let configuration: RunConfiguration
    let provenance: Provenance?
    let digest: String

    /// Opens a run's folder; throws `ExperimentError.badSettings` for anything else.
    init(_ path: String) throws {
      guard case .run(let folder) = try Inspection.subject(path) else {
        throw ExperimentError.badSettings(
          path: path,
          reason: "must be a run: a study is of runs, whose config.json says how they were made")
      }
      let found = try RunInspection.run(folder)
      self.path = path
      self.folder = folder
      configuration = found.configuration
      provenance = found.provenance
      // The seed has a column of its own, and paths differ between machines.
      var bare = found.configuration
      bare.seed = 0
      bare.datasets = []
      let data = try JSON.canonical(bare) + Data(found.datasets.joined().utf8)
      digest = String(Digest.sha256(of: data).prefix(12))
    }

    var isOnline: Bool { configuration.isOnline }

    /// The datasets' folders; of an online run also what it collected.
    var datasets: [String] {
      configuration.datasets.map { WeightedDataset.folder(of: $0).relativePath }
        + (isOnline ? [RunFolder(folder).dataset.relativePath] : [])
    }

    /// Its evaluations while training, at most some 200 of them, and the study's own.
    func rows(_ entry: Comparison.Entry) throws -> [StudyRow] {
      let name = folder.lastPathComponent
      func row(
        _ kind: StudyRow.Kind, _ updates: Int, _ measure: String, _ value: Estimate
      ) -> StudyRow {
        StudyRow(
          run: name, method: entry.method, environment: entry.world.task.identifier,
          learner: configuration.learner, seed: configuration.seed,
          commit: provenance?.commits.joined(separator: " ") ?? "", configuration: digest,
          kind: kind, updates: updates,
          measure: measure, estimate: value.estimate, low: value.low, high: value.high,
          episodes: value.episodes)
      }
      let all = try RunEvaluations.saved(in: RunFolder(folder))
      let every = max(1, (all.count + 199) / 200)
      let thinned = all.enumerated().filter { ($0.offset + 1) % every == 0 }.map(\.element)
      let updates = all.last?.updates ?? configuration.updates
      return thinned.flatMap { timed in
        timed.evaluation.byName.map { row(.training, timed.updates, $0.name, $0.value) }
      } + entry.evaluation.byName.map { row(.final, updates, $0.name, $0.value) }
    }
  }
}

extension String {
  /// The text as a part of a file's name.
  var fileName: String {
    String(map { $0.isLetter || $0.isNumber || $0 == "-" ? $0 : "-" })
  }
}
