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
///     study.yaml      how rows are grouped, measured and drawn (`StudyPlan`); optional
///     runs.csv        a row a run: all that is known of it. All else is made from these rows.
///     curves/         a file a run: its evaluations while training
///     published.csv   others' numbers, with their source; an author's, or not there
///     README.md       the author's words; between marks tables, figures, commits
///     methods.csv     a row a group and measure: its runs' mean with its interval
///     curves.csv      the same along the training
///     figures/        SVG; PNG of the first and last pictures of episodes
///     study.ipynb     tables and figures again from the last two tables, executed
///
/// Rows of more runs are added, or take the place of rows with the same key. With no runs the rest
/// is made anew from the rows that are there.
public struct Study: Sendable {
  /// The request.
  public struct Request: Sendable {
    /// The runs' folders; of a study with a `study.yaml`, files of their results.
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

  /// Rows that are added, and curves by their file's name.
  private struct Fresh {
    var rows: [StudyTable.Row] = []
    var columns: [String] = []
    var curves: [String: StudyTable] = [:]
    var comparison: Comparison?
    var sources: [StudySource] = []
  }

  /// Adds rows of runs to a study, and makes all else of it from its rows.
  public static func export(_ request: Request, silent: Bool = false) throws -> Study {
    let folder = request.folder
    let file = folder.appendingPathComponent("study.yaml")
    let isPlanned = FileManager.default.fileExists(atPath: file.path)
    var plan = isPlanned ? try StudyPlan(contentsOf: file) : StudyPlan.ofRuns
    let rows = folder.appendingPathComponent("runs.csv")
    var table = try StudyTable.readIfThere(rows) ?? StudyTable(columns: [])
    if let missing = plan.key.first(where: { !table.columns.contains($0) }), !table.columns.isEmpty
    {
      throw ExperimentError.badSettings(
        path: rows.relativePath,
        reason: "must have a column '\(missing)', and has \(table.columns.joined(separator: ", "))")
    }
    guard !table.rows.isEmpty || !request.runs.isEmpty else {
      throw ExperimentError.badSettings(
        path: rows.relativePath, reason: "has no rows yet: name runs to begin the study with")
    }
    let page = try StudyPage.read(folder.appendingPathComponent("README.md"))
    if isPlanned, !(request.question + request.answer).isEmpty {
      throw ExperimentError.badSettings(
        path: file.relativePath,
        reason: "a study with a plan has its question and answer in README.md: write them there")
    }
    let fresh = isPlanned ? try results(request.runs, plan) : try evaluated(request, silent: silent)
    table.merge(fresh.rows, columns: fresh.columns, by: plan.key)
    if isPlanned { table.rows.sort(by: plan.precedes) }
    if !isPlanned { plan.lay(out: table) }

    var numbers = try StudyNumbers(plan, table, curves: fresh.curves, in: folder)
    if let comparison = fresh.comparison {
      let key = plan.key
      let keys = fresh.rows.map { row in key.map { row[$0] } }
      numbers.exact = { group, measure in
        guard group.rows.count > 1,
          group.rows.allSatisfy({ row in keys.contains(key.map { row[$0] }) })
        else { return nil }
        let method = comparison.methods.first {
          $0.name == group.labels["method"] && $0.environment == group.labels["environment"]
            && $0.entries.count == group.rows.count
        }
        return method?.byName.first { $0.name == measure }?.value
      }
    }
    var study = Study()
    try study.write(
      table, numbers, request, fresh, page, isPlanned: isPlanned, silent: silent)
    return study
  }

  /// Rows of files of results; several of one run are parts of its row.
  private static func results(_ paths: [String], _ plan: StudyPlan) throws -> Fresh {
    var fresh = Fresh()
    var table = StudyTable(columns: [])
    for path in paths {
      var isFolder: ObjCBool = false
      if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
        throw ExperimentError.badSettings(
          path: path,
          reason: "is a folder: a study with a plan takes files of `goalpost evaluate RUN --json`")
      }
      let found = try StudySource.results(path, plan)
      let before = table.rows.first { StudyTable.same($0, found.cells, plan.key) } ?? [:]
      let row = before.merging(found.cells) { $1 }
      table.merge([row], columns: found.columns, by: plan.key)
      if let curve = found.curve, let name = StudyNumbers.curveName(row, plan) {
        fresh.curves[name] = curve
      }
    }
    (fresh.rows, fresh.columns) = (table.rows, table.columns)
    return fresh
  }

  /// Rows of runs that are evaluated now, all on the same episodes.
  private static func evaluated(_ request: Request, silent: Bool) throws -> Fresh {
    var fresh = Fresh()
    guard !request.runs.isEmpty else { return fresh }
    fresh.sources = try request.runs.map(StudySource.init)
    let comparison = try Comparison.run(
      request.runs, environment: nil, request.evaluation, silent: silent)
    for entry in comparison.entries {
      guard let source = fresh.sources.first(where: { $0.path == entry.name }),
        let run = source.run
      else { continue }
      var row = source.cells
      row["environment"] = entry.world.task.identifier
      row["method"] = entry.method
      row["episodes"] = "\(entry.scores.count)"
      row["evaluation_seed"] = "\(request.evaluation.seed)"
      row.merge(StudySource.cells(of: entry.evaluation.byName)) { $1 }
      fresh.rows.append(row)
      fresh.columns +=
        [
          "run", "environment", "method", "learner", "seed", "updates", "environment_steps",
          "configuration", "dataset_sha256", "commit", "host", "finished", "evaluation_seed",
          "episodes",
        ].filter { row[$0] != nil }
        + entry.evaluation.byName.flatMap { [$0.name] + StudySource.ends($0.name) } + ["command"]
      if let name = StudyNumbers.curveName(row, .ofRuns) {
        fresh.curves[name] = try run.curve([])
      }
    }
    fresh.comparison = comparison
    return fresh
  }

  /// Writes the rows and all that is made of them; nothing if they, or the page that is there, are
  /// not what they must be.
  private mutating func write(
    _ table: StudyTable, _ numbers: StudyNumbers, _ request: Request, _ fresh: Fresh,
    _ page: String?, isPlanned: Bool, silent: Bool
  ) throws {
    let folder = request.folder
    let plan = numbers.plan
    let drawn = StudyFigures(numbers: numbers)
    let levels = try numbers.levels()
    let curves = try numbers.curveLevels()
    let figures = try plan.figures.compactMap { part in
      try drawn.figure(part).map { (part: part, figure: $0) }
    }
    for part in figures.map(\.part) where part.drawing == .profile {
      if let note = try drawn.bandlessNote(part) { notes.append(note) }
    }
    let name = "\(folder.lastPathComponent)/README.md"
    if let page {
      let marks = try blocks(numbers, request, fresh, page, [], isPlanned: isPlanned)
      _ = try StudyPage.filled(page, marks, path: name)
    }

    func save(_ table: StudyTable, _ name: String) throws {
      try table.write(to: folder.appendingPathComponent(name))
      files.append(name)
    }
    for (name, curve) in fresh.curves {
      try curve.write(to: folder.appendingPathComponent("curves/\(name).csv"))
    }
    try save(table, "runs.csv")
    try save(levels, "methods.csv")
    try save(curves, "curves.csv")
    var pictures: [Picture] = []
    for (part, figure) in figures {
      let file = "figures/\(part.name).svg"
      try figure.write(to: folder.appendingPathComponent(file))
      pictures.append((file, part.caption.isEmpty ? drawn.title(part) : part.caption))
    }
    let place = folder.appendingPathComponent("figures")
    try drawData(fresh.sources, to: place, silent: silent)
    if request.films, let comparison = fresh.comparison { drawEpisodes(comparison, to: place) }
    pictures += Self.kept(in: place)
    files += pictures.map(\.file)

    let all = try blocks(numbers, request, fresh, page, pictures, isPlanned: isPlanned)
    let text =
      try page.map { try StudyPage.filled($0, all, path: name) }
      ?? StudyPage.fresh(folder.lastPathComponent, all)
    try WholeFile.write(Data(text.utf8), to: folder.appendingPathComponent("README.md"))
    files.append("README.md")
    let notebook = folder.appendingPathComponent("study.ipynb")
    try StudyNotebook(plan: plan, opening: StudyPage.opening(text)).write(to: notebook)
    files.append("study.ipynb")
    if request.executes, let reason = try StudyNotebook.execute(notebook) {
      notes.append("study.ipynb was not executed: \(reason)")
    }
  }

  /// A picture, and what stands above it.
  private typealias Picture = (file: String, caption: String)

  /// The pictures of data, samplers and episodes that are there, of earlier exports too.
  private static func kept(in folder: URL) -> [Picture] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let kinds: [(start: String, caption: (String) -> String)] = [
      ("data-", { "The dataset \($0)." }),
      ("sampler-", { "How far ahead the goals are that \($0) draws, with the paper's settings." }),
      ("episodes-", { "Three episodes of \($0): starts above, ends below." }),
    ]
    return kinds.flatMap { kind in
      names.sorted().filter { $0.hasPrefix(kind.start) }.map { name in
        let of = name.dropFirst(kind.start.count).prefix { $0 != "." }
        return ("figures/\(name)", kind.caption(String(of)))
      }
    }
  }

  /// What stands between the marks of a page.
  private func blocks(
    _ numbers: StudyNumbers, _ request: Request, _ fresh: Fresh, _ page: String?,
    _ pictures: [Picture], isPlanned: Bool
  ) throws -> [StudyPage.Block] {
    var blocks: [StudyPage.Block] = []
    if !isPlanned {
      func kept(_ mark: String) -> String { page.flatMap { StudyPage.kept(mark, in: $0) } ?? "" }
      let question = request.question.isEmpty ? kept("question") : request.question
      blocks.append(
        .init(
          mark: "question", text: question.isEmpty ? "(not stated)" : question,
          heading: "Question"))
      // An answer of ours is as old as the runs that it was said of.
      let ours = "By the table"
      let old = kept("answer")
      let sentences = fresh.comparison?.sentences ?? []
      let suggestion =
        ours + (sentences.isEmpty ? "." : ": " + sentences.joined(separator: "; ") + ".")
      let answer =
        request.answer.isEmpty
        ? (old.isEmpty || old.hasPrefix(ours) ? suggestion : old)
        : request.answer
      blocks.append(.init(mark: "answer", text: answer, heading: "Answer"))
    }
    for part in numbers.plan.tables {
      var text = try numbers.table(part)
      if !isPlanned { text += "\n\n" + numbers.said(fresh.comparison) }
      blocks.append(.init(mark: "table: \(part.name)", text: text, heading: "Results"))
    }
    if !isPlanned || !numbers.plan.figures.isEmpty {
      let text = pictures.map { "\($0.caption)\n\n![\($0.caption)](\($0.file))" }
      blocks.append(
        .init(mark: "figures", text: text.joined(separator: "\n\n"), heading: "Figures"))
    }
    var made = numbers.commits()
    if !isPlanned {
      let commands = numbers.rows.compactMap { $0["command"] }
        .flatMap { $0.components(separatedBy: "; ") }.uniqued
      made =
        "```sh\n" + (commands + [Provenance.Part.line(Invocation.command)]).joined(separator: "\n")
        + "\n```\n\n" + numbers.runs() + (notes.isEmpty ? "" : "\n\n")
        + notes.map { "- \($0)" }.joined(separator: "\n")
    }
    blocks.append(.init(mark: "runs", text: made, heading: "How it was made"))
    return blocks
  }

  /// What the runs were given: their datasets, and how learners draw from them.
  private mutating func drawData(
    _ sources: [StudySource], to figures: URL, silent: Bool
  ) throws {
    let runs = sources.compactMap(\.run)
    for path in runs.flatMap(\.datasetFolders).uniqued {
      let name = URL(fileURLWithPath: path).lastPathComponent
      guard case .dataset(let folder)? = try? Inspection.subject(path) else {
        notes.append("the dataset \(path) is not here, so it was not drawn")
        continue
      }
      let found = try DatasetInspection.run(folder, workers: Parallel.cores, silent: silent)
      try found.figure().write(to: figures.appendingPathComponent("data-\(name).svg"))
    }
    var done: [String] = []
    for run in runs where !run.configuration.isOnline {
      let learner = run.configuration.learner
      let texts = run.configuration.datasets
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
      } catch {
        notes.append("no pictures of \(method.name) in \(method.environment): \(error)")
      }
    }
  }
}
