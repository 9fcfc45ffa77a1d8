import Environments
import Foundation
import GoalCore
import Reporting
import Statistics
import Support

/// A row of a study's `methods.csv`: what a method's runs come to in one measure at one time.
struct StudyLevel: Sendable, Equatable {
  var environment: String
  var method: String
  var kind: StudyRow.Kind
  var updates: Int
  var measure: String
  /// How many runs it is of.
  var runs: Int
  var value: Estimate
  /// Whether the runs' episodes were there; else all of their share is taken as common to the runs.
  var isExact: Bool

  static let heads = [
    "environment", "method", "kind", "updates", "measure", "runs", "estimate", "low", "high",
  ]

  var cells: [String] {
    [
      environment, method, kind.rawValue, "\(updates)", measure, "\(runs)", "\(value.estimate)",
      "\(value.low)", "\(value.high)",
    ]
  }

  /// All levels of a study's rows, in their order; while training at each number of updates that
  /// all of a method's runs have.
  ///
  /// At the end, methods whose runs were all evaluated just now (`comparison`, by the keys of
  /// `fresh` rows) have the interval of `Comparison.Method`. All others are of rows whose episodes
  /// are gone (`Intervals.overRuns`): all runs were evaluated on the same starts. One run has its
  /// own interval.
  static func all(
    of rows: [StudyRow], _ comparison: Comparison, fresh: Set<String>
  ) -> [StudyLevel] {
    struct Key: Hashable {
      let environment, method, kind, measure: String
      let updates: Int
    }
    var order: [Key] = []
    var groups: [Key: [StudyRow]] = [:]
    var runs: [String: Set<String>] = [:]
    for row in rows {
      let key = Key(
        environment: row.environment, method: row.method, kind: row.kind.rawValue,
        measure: row.measure, updates: row.kind == .final ? 0 : row.updates)
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append(row)
      runs["\(row.environment) \(row.method) \(row.kind)", default: []].insert(row.key)
    }
    let methods = comparison.methods
    return order.compactMap { key in
      guard let own = groups[key], let first = own.first,
        own.count == runs["\(key.environment) \(key.method) \(first.kind)"]?.count
      else { return nil }
      let method = methods.first {
        $0.name == key.method && $0.environment == key.environment && $0.entries.count == own.count
      }
      let isExact =
        own.count == 1
        || first.kind == .final && method != nil && own.allSatisfy { fresh.contains($0.key) }
      let value: Estimate
      if own.count == 1 {
        value = first.value
      } else if isExact, let found = method?.byName.first(where: { $0.name == key.measure }) {
        value = found.value
      } else {
        value = Intervals.overRuns(
          own.map(\.value), sharingStarts: true, in: range(of: key.measure, in: key.environment))
      }
      return StudyLevel(
        environment: key.environment, method: key.method, kind: first.kind,
        updates: first.updates, measure: key.measure, runs: own.count, value: value,
        isExact: isExact)
    }
  }

  /// A measure's range in a world; anything if either is unknown here.
  private static func range(of measure: String, in environment: String) -> ClosedRange<Double> {
    guard let measure = Measure(name: measure),
      let world = try? EnvironmentRegistry.world(environment)
    else { return -.infinity ... .infinity }
    return measure.range(world.task)
  }

  /// Writes `methods.csv`.
  static func write(_ levels: [StudyLevel], to file: URL) throws {
    var table = Table(heads)
    table.rows = levels.map(\.cells)
    try WholeFile.write(Data(table.rendered(as: .csv).utf8), to: file)
  }
}
