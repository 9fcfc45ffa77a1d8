import Foundation
import Statistics
import Support
import TestSupport
import Testing

@testable import Experiments

/// Studies with a plan: all that is made of rows, files of results, and what is wrong with either.
final class StudyPlanTests {
  static let plan = """
    key: [task, method, seed]
    group: [task, method]
    rival: {method: old}
    runs:
      - {file: "{task}-{method}-s{seed}.json"}
    names:
      task: [near, far]
      method: [old: the old way, new: the new way]
    measures:
      - {name: success, digits: 3}
      - {name: return49, range: [0, 49], digits: 2}
      - {name: end, curve: success, last: 2, range: [0, 1], shared: true, episodes: 50, digits: 3}
    curves: {file: "{task}-{method}-s{seed}", x: updates}
    tables:
      - name: results
        columns:
          - {name: task}
          - {name: method}
          - {count: runs, head: runs}
          - {mean: success}
          - {mean: return49}
          - {each: return49, head: each}
          - {published: return49, head: published}
          - {verdict: return49, head: said}
          - {apart: return49, head: apart}
          - {mean: end}
    figures:
      - {name: returns, levels: return49, panel: [task], line: [method], published: return49}
      - {name: curves, curves: success, panel: [task], line: [method]}
    """

  static let rows = """
    task,method,seed,commit,episodes,return49,success,note
    near,new,0,abc,100,40,1,
    near,new,1,abc,100,41,1,
    near,new,2,abc,100,40.5,0.99,of an odd machine
    near,old,0,abc,100,30,0.5,
    near,old,1,abc,100,31,0.6,
    near,old,2,abc,100,29.5,0.55,
    """

  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try write(Self.plan, "study.yaml")
    try write(Self.rows, "runs.csv")
    try write(
      "method,measure,value,source\nnew,return49,39,a paper\nold,return49,30.2,a paper\n",
      "published.csv")
  }

  func write(_ text: String, _ name: String) throws {
    let file = folder.url.appendingPathComponent("study/\(name)")
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  func text(_ name: String) throws -> String {
    try String(
      contentsOf: folder.url.appendingPathComponent("study/\(name)"), encoding: .utf8)
  }

  @discardableResult
  func export(
    _ runs: [String] = [], question: String = "", in place: URL? = nil
  ) throws -> Study {
    var request = Study.Request(
      runs, in: place ?? folder.url.appendingPathComponent("study"),
      evaluation: EvaluationRequest(episodes: 2, seed: 0, workers: 1))
    request.executes = false
    request.question = question
    return try Study.export(request, silent: true)
  }

  @Test func rowsAloneMakeAStudy() throws {
    for seed in 0..<2 {
      try write(
        "updates,success\n0,0\n10,0.9\n20,\(seed == 0 ? 1 : 0.96)\n", "curves/near-new-s\(seed).csv"
      )
    }
    #expect(
      try export().files == [
        "runs.csv", "methods.csv", "curves.csv", "figures/returns.svg", "figures/curves.svg",
        "README.md", "study.ipynb",
      ])
    let page = try text("README.md")
    // Names stand in the plan's order, and the intervals are those of Statistics.
    func interval(
      _ values: [Double], _ range: ClosedRange<Double>, episodes: Int? = nil, shared: Bool = false
    ) -> Estimate {
      Intervals.overRuns(
        values.map { value in
          let own = episodes.map {
            Intervals.wilson(successes: Int((value * Double($0)).rounded()), of: $0)
          }
          return Estimate(
            estimate: value, low: own?.low ?? value, high: own?.high ?? value, episodes: 1)
        }, sharingStarts: shared, in: range)
    }
    func words(_ value: Estimate, _ digits: Int) -> String {
      let all = [value.estimate, value.low, value.high].map { String(format: "%.\(digits)f", $0) }
      return "\(all[0]) [\(all[1]), \(all[2])]"
    }
    let success = words(interval([1, 1, 0.99], 0...1, episodes: 100), 3)
    let returns = words(interval([40, 41, 40.5], 0...49), 2)
    let end = words(interval([0.95, 0.93], 0...1, episodes: 50, shared: true), 3)
    #expect(
      page.contains(
        "| near | the new way | 3 | \(success) | \(returns) | 40.00, 41.00, 40.50 | 39 | exceeded "
          + "| above | \(end) |"), "\(page)")
    let old = words(interval([30, 31, 29.5], 0...49), 2)
    #expect(page.contains("| \(old) | 30.00, 31.00, 29.50 | 30.2 | reproduced |  |  |"), "\(page)")
    #expect(page.contains("- near, the new way: of an odd machine"))
    #expect(page.contains("| abc | 6 | near, the old way; near, the new way |"))
    let places = try ["the old way", "the new way"].map {
      try #require(page.range(of: "| near | \($0) |")).lowerBound
    }
    #expect(places[0] < places[1])
    // No share passes 0 or 1, however it is made.
    for name in ["methods.csv", "curves.csv"] {
      let table = try StudyTable.read(folder.url.appendingPathComponent("study/\(name)"))
      for row in table.rows where row["measure"] != "return49" {
        for column in ["estimate", "low", "high"] {
          if let value = row[column] { #expect(0...1 ~= (Double(value) ?? -1), "\(row)") }
        }
      }
    }
    // Figures name lines by the plan's words, and nothing by its number.
    for name in ["returns", "curves"] {
      let figure = try text("figures/\(name).svg")
      #expect(figure.contains(">the new way"))
      #expect(!figure.contains(">new") && !figure.contains(">row "))
    }
    // The same rows make the same bytes.
    let before = try ["README.md", "methods.csv", "figures/returns.svg", "study.ipynb"].map(text)
    try export()
    #expect(
      try ["README.md", "methods.csv", "figures/returns.svg", "study.ipynb"].map(text) == before)
  }

  /// Writes a file of results as `goalpost evaluate --json` does.
  func results(_ name: String, return49: Double, settings: String) throws -> String {
    func estimate(_ value: Double, _ low: Double, _ high: Double) -> [String: Any] {
      ["estimate": value, "low": low, "high": high, "episodes": 200]
    }
    let object: [String: Any] = [
      "environment": "point-reach", "policy": "gone", "seed": 7, "digest": "ab",
      "return49": estimate(return49, return49 - 1, return49 + 1),
      "success": estimate(0.5, 0.4, 0.6),
    ]
    let file = folder.url.appendingPathComponent("runs/\(name).json")
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try JSONSerialization.data(withJSONObject: object).write(to: file)
    try Data(settings.utf8).write(to: file.deletingPathExtension().appendingPathExtension("yaml"))
    return file.path
  }

  @Test func resultsTakeThePlaceOfTheirRow() throws {
    let path = try results("near-new-s2", return49: 20, settings: "settings: {rate: 0.5}")
    let other = try results("far-new-s0", return49: 10, settings: "{}")
    try export([path, other])
    let table = try StudyTable.read(folder.url.appendingPathComponent("study/runs.csv"))
    #expect(table.rows.count == 7)
    let row = try #require(
      table.rows.first { $0["task"] == "near" && $0["method"] == "new" && $0["seed"] == "2" })
    #expect(row["return49"] == "20" && row["return49_high"] == "21" && row["note"] == nil)
    #expect(row["settings"] == #"{"rate":0.5}"# && row["episodes"] == "200")
    #expect(row["evaluation_seed"] == "7" && row["policy_sha256"] == "ab")
    #expect(table.rows.last?["task"] == "far")
    // Those of another name are refused, and nothing changes.
    let before = try text("runs.csv")
    let odd = try results("near-other-s0", return49: 1, settings: "{}")
    let error = #expect(throws: ExperimentError.self) { try export([odd]) }
    #expect("\(try #require(error))".hasSuffix("no `runs` of study.yaml has a name that fits it"))
    #expect(throws: ExperimentError.self) { try export([folder.url.path]) }
    #expect(throws: ExperimentError.self) { try export(question: "Why?") }
    #expect(try text("runs.csv") == before)
  }

  @Test func theAuthorsWordsStayAndMissingMarksAreNamed() throws {
    let page =
      "# T\n\nWords.\n\n<!-- table: results -->\nold\n<!-- end -->\n\n<!-- figures -->\n"
      + "<!-- end -->\n\nMore.\n"
    try write(page, "README.md")
    let error = #expect(throws: ExperimentError.self) { try export() }
    #expect(
      "\(try #require(error))".contains("must have the lines '<!-- runs -->' and '<!-- end -->'"))
    try write(page + "<!-- runs -->\n<!-- end -->\nLast.", "README.md")
    try export()
    let made = try text("README.md")
    #expect(made.hasPrefix("# T\n\nWords.\n\n<!-- table: results -->\n| task |"))
    #expect(
      made.contains("\n<!-- end -->\n\nMore.\n<!-- runs -->\n| commit") && made.hasSuffix("Last."))
    #expect(!made.contains("\nold\n"))
  }

  @Test(arguments: [
    ("nonsense: 1", "", "", "no key is called 'nonsense'"),
    ("{}", "", "", "'key' and 'group' must each name a column"),
    ("key: [a]\ngroup: [b]", "", "", "'group' must have columns of 'key' only, found 'b'"),
    ("key: [a]\ngroup: [a]", "", "", "must have tables or figures"),
    (
      "digits: 2", "digits: 20", "", "measures, item 2: 'digits' must be a whole number from 0 to 6"
    ),
    ("last: 2", "last: 0", "", "'last' must be a whole number from 1 to 10000, found 0"),
    (", last: 2", "", "", "'curve' takes 'last', or 'from' and 'to'"),
    (
      "{name: return49, range", "{name: success, range", "",
      "'measures' must name each measure once, found 'success' twice"
    ),
    ("[0, 49]", "[49, 0]", "", "'range' must be [low, high]"),
    ("[0, 49]", "[0, .inf]", "", "numbers must be finite"),
    ("name: returns", "name: ../up", "", "'name' must be 1 to 60 of a-z, 0-9 and -"),
    (
      "{file: \"{task}-{method}-s{seed}\"", "{file: \"../{task}\"", "",
      "'file' must be a path within the folder"
    ),
    ("\"{task}-{method}-s{seed}.json\"", "\"{task\"", "", "must be a path with columns in braces"),
    ("levels: return49", "heights: return49", "", "no key is called 'heights'"),
    ("{mean: end}", "{mean: end, text: task}", "", "must have one of name, text"),
    ("group: [task, method]", "group: &a [task, method]\nrival: *a", "", "aliases are not read"),
    ("", "", "near,new,0,abc,100,50,1,", "must have return49 in 0.0 to 49.0, found '50'"),
    ("", "", "near,new,0,abc,100,nan,1,", "must have return49 in 0.0 to 49.0, found 'nan'"),
    ("", "", "near,new,0,abc,100,40,1.5,", "must have success in 0.0 to 1.0, found '1.5'"),
    ("", "", "near,new,0,abc", "line 8 must have 8 cells, found 4"),
    ("", "", "near,old,1,abc,100,4,1,", "the row 'near old 1' stands there twice"),
  ])
  func whatIsWrongIsOneSentence(old: String, new: String, row: String, reason: String) throws {
    if !old.isEmpty {
      let isWhole = !Self.plan.contains(old)
      try write(isWhole ? old : Self.plan.replacing(old, with: new), "study.yaml")
    }
    if !row.isEmpty {
      let stays = reason.contains("twice") || reason.contains("cells")
      let lines = Self.rows.split(separator: "\n").filter {
        stays || !$0.hasPrefix("near,new,0")
      }
      try write(lines.joined(separator: "\n") + "\n" + row + "\n", "runs.csv")
    }
    let error = #expect(throws: ExperimentError.self) { try export() }
    let said = "\(try #require(error))"
    #expect(said.contains(reason) && !said.contains("\n"), "\(said)")
  }

  @Test func longTablesAreRefusedBeforeTheyAreRead() throws {
    let heads = (0...StudyTable.columnLimit).map { "c\($0)" }.joined(separator: ",")
    try write(heads + "\n", "runs.csv")
    let error = #expect(throws: ExperimentError.self) { try export() }
    #expect("\(try #require(error))".contains("must have at most 500 columns and 10000 rows"))
    try write("a,a\n", "runs.csv")
    #expect(throws: ExperimentError.self) { try export() }
    try write("method,measure,value,source\nnew,return49,inf,x\n", "published.csv")
    try write(Self.rows, "runs.csv")
    #expect(throws: ExperimentError.self) { try export() }
  }

  /// All studies of this checkout are what their rows make, to the byte.
  @Test(arguments: ["experts", "gcsl-online", "modern-learners", "research-log", "wgcsl-offline"])
  func theCommittedStudiesAreMadeOfTheirRows(name: String) throws {
    let committed = PythonReference.checkout.appendingPathComponent("notebooks-export/\(name)")
    let copy = folder.url.appendingPathComponent(name)
    try FileManager.default.copyItem(at: committed, to: copy)
    let made = try export(in: copy).files.filter { $0 != "study.ipynb" }
    for file in made + ["runs.csv"] {
      #expect(
        try Data(contentsOf: copy.appendingPathComponent(file))
          == Data(contentsOf: committed.appendingPathComponent(file)), "\(file)")
    }
    // The committed notebook is the one that these tables make, executed.
    let notebook = try String(
      contentsOf: committed.appendingPathComponent("study.ipynb"), encoding: .utf8)
    #expect(notebook.contains("\"execution_count\": 4") && notebook.utf8.count < 300_000)
  }
}
