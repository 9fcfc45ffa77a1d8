import Environments
import GoalCore
public import Reporting
import Statistics
import Support

extension Comparison {
  /// The table that a paper would have.
  ///
  /// In one world: a row a method, a column a measure. In several: a row a world, a column a
  /// method, of one measure, then a row for each aggregate over worlds. Intervals are over seeds if
  /// a method has several, and of the one checkpoint otherwise. Throws
  /// `ExperimentError.badSettings` for an unknown measure.
  public func methodsTable(of measure: String = "success") throws -> Table {
    guard let measure = Measure(name: measure) else {
      throw ExperimentError.badSettings(
        path: "evaluate",
        reason: NearNames.complaint("measure", measure, among: Self.measures))
    }
    let methods = methods
    guard environments.count > 1 else {
      var table = Table(["method", "seeds"] + shown.map(name) + ["episodes"])
      table.rows = methods.map { method in
        [method.name, "\(method.entries.count)"] + shown.map { method[$0] }
          + ["\(method.entries[0].scores.count)"]
      }
      return table
    }
    let names = methods.reduce(into: [String]()) { if !$0.contains($1.name) { $0.append($1.name) } }
    var table = Table([name(measure)] + names)
    table.rows = environments.map { environment in
      [environment]
        + names.map { name in
          methods.first { $0.name == name && $0.environment == environment }?[measure]
        }
    }
    guard measure == .success else { return table }
    let overall = overall
    guard !overall.isEmpty else { return table }
    for aggregate in Aggregate.all {
      table.rows.append(
        [aggregate.name]
          + names.map { name in
            overall.first { $0.method == name }?.aggregates.first { $0.name == aggregate.name }?
              .value
          })
    }
    table.rows.append(
      ["P(beats \(overall[0].method))"]
        + names.map { name in
          overall.first { $0.method == name }?.improvement
        })
    return table
  }

  /// Every method less the first of its world, with the probability of being the better; nil if no
  /// two methods were evaluated in one world.
  public func differencesTable() -> Table? {
    let differences = differences
    guard !differences.isEmpty else { return nil }
    let isOne = environments.count < 2
    var table = Table(
      (isOne ? [] : ["environment"]) + ["method"] + shown.map(name)
        + ["P(better success)", "over"])
    table.rows = differences.map { difference in
      (isOne ? [] : [difference.environment]) + ["\(difference.method) − \(difference.over)"]
        + shown.map { SignedEstimate(estimate: difference[$0].difference) }
        + [
          difference[.success].improvement,
          "\(difference[.success].difference.episodes) "
            + (difference[.success].units == .seeds ? "runs" : "episodes"),
        ]
    }
    return table
  }

  /// The differences in success and in the paper's return, in plain words.
  public var sentences: [String] {
    differences.flatMap { difference in
      let place = environments.count < 2 ? "" : "\(difference.environment): "
      let measures: [Measure] = [.success, .returnBeforeLast]
      return measures.filter(shown.contains).map { measure in
        place
          + difference[measure].sentence(
            difference.method, difference.over, on: measure.name(horizon: difference.horizon))
      }
    }
  }
}

/// Which tables of a comparison are printed.
public enum ComparisonTable: String, CaseIterable, Sendable {
  /// A row a policy.
  case runs
  /// As in a paper: seeds summed up.
  case methods
  /// Methods less the first.
  case differences
  /// All of them.
  case all

  /// All of them, for help and errors.
  public static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

extension Comparison {
  /// Tables as text, each after the first under a heading, what the differences come to, and what
  /// the intervals are about.
  ///
  /// CSV and LaTeX have the table only. Throws `ExperimentError.badSettings` for an unknown
  /// measure, and if differences are asked for and missing.
  public func text(
    _ which: ComparisonTable, _ format: TableFormat, of measure: String = "success"
  ) throws -> String {
    let hasWords = format == .text || format == .md
    let runs = [("", table())]
    let isSeveral = methods.count > 1
    let methods = [("methods", try methodsTable(of: measure))]
    let differences = differencesTable().map { [("differences", $0)] }
    var chosen: [(String, Table)]
    switch which {
    case .runs: chosen = runs
    case .methods: chosen = [("", methods[0].1)]
    case .differences:
      guard let differences else {
        throw ExperimentError.badSettings(
          path: "evaluate", reason: "differences need two methods in one world")
      }
      chosen = [("", differences[0].1)]
    case .all: chosen = runs + (isSeveral ? methods : []) + (differences ?? [])
    }
    // CSV holds one table only.
    if !hasWords { chosen = [chosen[0]] }
    var text = chosen.map { heading, table in
      let head = heading.isEmpty || !hasWords ? "" : "\n\(format == .md ? "## " : "")\(heading)\n"
      return head + (format == .md && !head.isEmpty ? "\n" : "") + table.rendered(as: format)
    }.joined()
    guard hasWords else { return text }
    func list(_ lines: [String]) -> String {
      lines.isEmpty
        ? "" : "\n" + lines.map { (format == .md ? "- " : "") + $0 + "\n" }.joined()
    }
    if which == .all || which == .differences { text += list(sentences) }
    return text + list(notes)
  }
}
