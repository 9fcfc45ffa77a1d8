import Environments
import Foundation
import GoalCore
import Reporting
import Statistics

extension StudyPlan {
  /// The plan of a study without a `study.yaml`: runs that are evaluated when it is exported, all
  /// on the same episodes.
  static var ofRuns: StudyPlan {
    var plan = StudyPlan(
      key: ["environment", "configuration", "seed"], group: ["environment", "method"])
    plan.curveFile = StudyPattern("{environment}-{configuration}-s{seed}")
    return plan
  }

  /// Lays out tables and figures for the measures that a study's rows have.
  mutating func lay(out table: StudyTable) {
    let names = table.columns.filter { Measure(name: $0) != nil }
    let worlds = Set(table.rows.compactMap { $0["environment"] })
    let tasks = worlds.compactMap { try? EnvironmentRegistry.world($0).task }
    measures = names.map { name in
      var measure = MeasurePlan(name: name, range: Self.range(ofMeasure: name))
      // Of worlds with one range it is known how far a measure goes.
      if tasks.count == worlds.count, let known = Measure(name: name) {
        let ranges = Set(tasks.map { known.range($0) })
        if ranges.count == 1, let range = ranges.first { measure.range = range }
      }
      measure.sharing = [:]
      return measure
    }
    tables = [
      Part(
        name: "results",
        columns: [
          Column(shown: .name, of: "environment", head: "environment"),
          Column(shown: .name, of: "method", head: "method"),
          Column(shown: .count, of: "runs", head: "seeds"),
        ] + names.map { Column(shown: .mean, of: $0, head: $0) })
    ]
    // Success, and the paper's return, which goes on where success is full.
    let drawn = names.filter { [.success, .returnBeforeLast].contains(Measure(name: $0)) }
    figures = drawn.map { name in
      Part(
        name: "curves-\(name)", drawing: .curves, measure: name, panel: ["environment"],
        line: ["method"])
    }
    figures += drawn.map { name in
      Part(
        name: "profile-\(name)", drawing: .profile, measure: name, panel: ["environment"],
        line: ["method"])
    }
  }
}

extension StudyNumbers {
  /// The means over runs at the end, a row a group and measure: `methods.csv`.
  func levels() throws -> StudyTable {
    var table = StudyTable(
      columns: plan.group + [
        "measure", "runs", "estimate", "low", "high", "published", "verdict",
      ])
    for group in groups(by: plan.group) {
      for measure in measured {
        guard let level = try level(measure, of: group) else { continue }
        var row = group.labels
        row["measure"] = measure
        row["runs"] = "\(level.values.count)"
        row["published"] = published(measure, group)?.text
        row["verdict"] = try verdict(measure, group)
        table.rows.append(row.merging(Self.cells(level)) { $1 })
      }
    }
    return table
  }

  /// The means over runs along the training: `curves.csv`.
  func curveLevels() throws -> StudyTable {
    var table = StudyTable(
      columns: plan.group + ["measure", plan.x, "runs", "estimate", "low", "high"])
    let drawn = plan.figures.filter { $0.drawing == .curves }.map(\.measure).uniqued
    for group in groups(by: plan.group) {
      for measure in drawn {
        for point in try curve(measure, of: group) {
          var row = group.labels
          row["measure"] = measure
          row[plan.x] = StudySource.rounded(point.x)
          row["runs"] = "\(point.level.values.count)"
          table.rows.append(row.merging(Self.cells(point.level, rounded: true)) { $1 })
        }
      }
    }
    return table
  }

  private static func cells(_ level: StudyLevel, rounded: Bool = false) -> StudyTable.Row {
    func text(_ value: Double) -> String { rounded ? StudySource.rounded(value) : "\(value)" }
    return [
      "estimate": text(level.mean), "low": level.interval.map { text($0.lowerBound) },
      "high": level.interval.map { text($0.upperBound) },
    ].compactMapValues { $0 }
  }

  /// The measures that tables and figures have.
  private var measured: [String] {
    let ofTables = plan.tables.flatMap(\.columns).filter { [.mean, .each].contains($0.shown) }
    let ofFigures = plan.figures.filter { $0.drawing != .curves }
    return (ofTables.map(\.of) + ofFigures.map(\.measure)).uniqued
  }

  /// What the intervals of a study of runs are, below its table.
  func said(_ comparison: Comparison?) -> String {
    var text = ""
    if let comparison {
      text += comparison.sentences.map { "- \($0)\n" }.joined()
      text += comparison.sentences.isEmpty ? "" : "\n"
      text +=
        "Each run of this export was evaluated on the same \(comparison.request.episodes) episodes "
        + "(seed \(comparison.request.seed)). "
    }
    text +=
      "Intervals are 95 %: of a method with several seeds for training seeds and starts in general, of one run "
      + "for this checkpoint on starts in general. `runs.csv` has every run's numbers, `methods.csv` "
      + "every method's; `study.ipynb` draws from both."
    let loose = groups(by: plan.group).filter { group in
      group.rows.count > 1 && measured.contains { exact(group, $0) == nil }
    }.compactMap { $0.labels["method"] }.uniqued
    if !loose.isEmpty {
      text +=
        "\n\nThe runs of \(loose.joined(separator: ", ")) were not all exported at once, and their "
        + "episodes are gone: their intervals take all of the episodes' share as common to the runs, "
        + "so they are too wide rather than too narrow."
    }
    return text
  }

  /// Each run's name, seed, commit, machine and end, as Markdown.
  func runs() -> String {
    var table = Table(["run", "seed", "commit", "host", "finished"])
    table.rows = rows.map { row in
      let commits = (row["commit"] ?? "").split(separator: " ").map { String($0.prefix(12)) }
      return [
        row["run"] ?? "–", row["seed"] ?? "–",
        commits.isEmpty ? "–" : commits.joined(separator: ", "), row["host"] ?? "–",
        row["finished"] ?? "–",
      ]
    }
    let commit = SourceCommit.built.map { " at commit \($0.prefix(12))" } ?? ""
    return table.rendered(as: .md) + "\nExported\(commit)."
  }
}
