import Environments
import Foundation
import GoalCore
import Learners
import Statistics
import Storage
import Support
import TestSupport
import Testing

@testable import Experiments

/// Studies of runs that are evaluated when they are exported: their rows, figures, page and
/// notebook.
final class StudyTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func train(_ name: String, learner: String, seed: UInt64) throws -> String {
    let data = folder.url.appendingPathComponent("data")
    try Recipe(environment: "point-reach", policy: "scripted", seed: 1, episodes: 6).collect(
      in: data)
    var configuration = RunConfiguration()
    configuration.learner = learner
    configuration.datasets = [data.path]
    configuration.updates = 20
    configuration.seed = seed
    configuration.evaluateEvery = 10
    configuration.evaluationEpisodes = 3
    configuration.settings = ["batchSize": 16, "hiddenWidths": [8]]
    let run = folder.url.appendingPathComponent(name)
    _ = try Training.run(configuration, in: run)
    return run.path
  }

  func export(
    _ runs: [String], question: String = "", executes: Bool = false, films: Bool = false
  ) throws -> Study {
    var request = Study.Request(
      runs, in: folder.url.appendingPathComponent("study"),
      evaluation: EvaluationRequest(episodes: 6, seed: 0, workers: 2))
    request.question = question
    request.executes = executes
    request.films = films
    return try Study.export(request, silent: true)
  }

  func text(_ name: String) throws -> String {
    try String(
      contentsOf: folder.url.appendingPathComponent("study/\(name)"), encoding: .utf8)
  }

  func rows() throws -> StudyTable {
    try StudyTable.read(folder.url.appendingPathComponent("study/runs.csv"))
  }

  @Test func aStudyIsWholeAndItsNotebookRunsAgainFromItsTables() throws {
    let runs = try [
      train("gcsl-s0", learner: "gcsl", seed: 0), train("gcsl-s1", learner: "gcsl", seed: 1),
      train("goal-bc-s0", learner: "goal-bc", seed: 0),
    ]
    let study = try export(runs, question: "Which, \"a\" or b?", executes: true, films: true)
    #expect(
      study.files == [
        "runs.csv", "methods.csv", "curves.csv", "figures/curves-success.svg",
        "figures/curves-return49.svg", "figures/profile-success.svg",
        "figures/profile-return49.svg", "figures/data-data.svg", "figures/sampler-gcsl.svg",
        "figures/episodes-point-reach-gcsl.png", "figures/episodes-point-reach-goal-bc.png",
        "README.md", "study.ipynb",
      ])
    #expect(study.notes.count == 3, "\(study.notes)")
    #expect(
      study.notes.first
        == "figures/profile-success.svg has no band for gcsl, goal-bc: of fewer than 5 runs of a "
        + "world it would be little but their range")
    #expect(study.notes.last?.hasPrefix("no histogram of what goal-bc draws: ") == true)
    for file in study.files {
      #expect(
        FileManager.default.fileExists(
          atPath: folder.url.appendingPathComponent("study/\(file)").path))
    }
    let page = try text("README.md")
    #expect(page.contains("## Question\n\n<!-- question -->\nWhich, \"a\" or b?\n"))
    #expect(page.contains("| point-reach | gcsl | 2 |"))
    #expect(page.contains("](figures/curves-success.svg)"))
    // What the table says is what `goalpost evaluate` says of the same runs on the same episodes.
    let evaluated = try Comparison.run(
      runs, environment: nil, EvaluationRequest(episodes: 6, seed: 0, workers: 2), silent: true)
    let method = try #require(evaluated.methods.first { $0.name == "gcsl" })
    let cells = method.byName.map(\.value.text).joined(separator: " | ")
    #expect(page.contains("| point-reach | gcsl | 2 | \(cells) |"))
    #expect(!page.contains("were not all exported at once"))
    // Lines are named by what they are.
    let curves = try text("figures/curves-success.svg")
    #expect(curves.contains(">gcsl, 2 runs<") && curves.contains(">goal-bc<"))
    // A copy with nothing but the tables and the notebook runs again, in the venv's Jupyter.
    let copy = folder.url.appendingPathComponent("copy")
    try FileManager.default.createDirectory(at: copy, withIntermediateDirectories: true)
    for name in ["runs.csv", "methods.csv", "curves.csv", "study.ipynb"] {
      try FileManager.default.copyItem(
        at: folder.url.appendingPathComponent("study/\(name)"),
        to: copy.appendingPathComponent(name))
    }
    let said = try PythonReference.run("notebook_reference.py", arguments: [copy.path])
    #expect(
      String(decoding: said, as: UTF8.self)
        == "valid, 4 code cells executed, 4 pictures, the text is the same\n")
  }

  @Test func rowsOfOtherRunsStayAndTheAuthorsWordsToo() throws {
    let first = try train("gcsl-s0", learner: "gcsl", seed: 0)
    let second = try train("gcsl-s1", learner: "gcsl", seed: 1)
    _ = try export([first], question: "What of it?")
    let before = try rows()
    #expect(before.rows.count == 1)
    // Words that the author adds outside of the marks.
    let page = folder.url.appendingPathComponent("study/README.md")
    try Data((text("README.md") + "\nIt is so.\n").utf8).write(to: page)
    _ = try export([second])
    let after = try rows()
    #expect(after.rows.count == 2 && after.rows[0] == before.rows[0])
    #expect(Set(after.rows.map { $0["configuration"] }).count == 1)
    // Once more changes nothing, and neither does no run.
    _ = try export([second])
    #expect(try rows() == after)
    let methods = try text("methods.csv")
    _ = try export([])
    #expect(try rows() == after && text("methods.csv") == methods)
    let made = try text("README.md")
    #expect(made.contains("<!-- question -->\nWhat of it?\n") && made.hasSuffix("\nIt is so.\n"))
    #expect(made.contains("| point-reach | gcsl | 2 |"))
    #expect(made.contains("<!-- answer -->\nBy the table.\n"))
    #expect(made.contains("The runs of gcsl were not all exported at once"))
    // How both runs were made stands there, once.
    for run in ["gcsl-s0", "gcsl-s1"] {
      #expect(made.components(separatedBy: "\n| \(run) |").count == 2)
    }
  }

  @Test func whatIsNoRunIsRefused() throws {
    let run = try train("gcsl-s0", learner: "gcsl", seed: 0)
    #expect(throws: ExperimentError.self) { try export([run + "/checkpoints/000000020"]) }
    #expect(throws: ExperimentError.self) { try export([]) }
    let file = folder.url.appendingPathComponent("study/runs.csv")
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data("not,ours\n".utf8).write(to: file)
    let error = #expect(throws: ExperimentError.self) { try export([run]) }
    #expect(
      "\(try #require(error))".hasSuffix("must have a column 'environment', and has not, ours"))
    #expect(try text("runs.csv") == "not,ours\n")
  }

  @Test func cellsWithCommasAndQuotesComeBack() throws {
    let table = StudyTable(
      columns: ["a", "b", "c"],
      rows: [["a": "m, \"x\"", "c": "0.30000000000000004"], ["b": "\"", "c": ",,"]])
    let file = folder.url.appendingPathComponent("rows.csv")
    try table.write(to: file)
    #expect(try StudyTable.read(file) == table)
  }
}
