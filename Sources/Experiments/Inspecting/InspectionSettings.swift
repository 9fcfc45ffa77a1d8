import Foundation
import GoalCore
import Learners
import Reporting
public import Support

/// A setting of a run that is not the paper's.
public struct SettingDifference: Codable, Sendable, Equatable {
  /// Its name; names within a group are separated by dots.
  public let key: String
  /// The run's value.
  public let value: JSONValue
  /// The paper's for the task; null if it has none.
  public let paper: JSONValue

  /// The settings of a learner that differ from the paper's for a task, by name; nil if the learner
  /// is not known here.
  static func all(
    learner: String, task: GoalTask, settings: [String: JSONValue]
  ) -> [SettingDifference]? {
    guard let entry = try? LearnerRegistry.entry(learner),
      let defaults = try? entry.resolve(task: task)
    else { return nil }
    let papers = Dictionary(defaults.leaves(), uniquingKeysWith: { $1 })
    return settings.leaves().compactMap { key, value in
      let paper = papers[key] ?? .null
      return paper == value ? nil : SettingDifference(key: key, value: value, paper: paper)
    }
  }

  /// Differences for people, under a heading.
  static func text(_ differences: [SettingDifference]?) -> String {
    guard let differences else {
      return ReportText.section("settings", [("unknown", "this version lacks the learner or task")])
    }
    if differences.isEmpty { return ReportText.section("settings", [("all", "as in the paper")]) }
    return ReportText.section(
      "settings that differ from the paper's",
      differences.map { ($0.key, "\($0.value), the paper's is \($0.paper)") })
  }
}

extension [String: JSONValue] {
  /// All values that are no groups, by their path, in alphabetical order; a list of groups is a
  /// group.
  func leaves(under path: String = "") -> [(String, JSONValue)] {
    sorted { $0.key < $1.key }.flatMap { key, value -> [(String, JSONValue)] in
      let full = path.isEmpty ? key : path + "." + key
      switch value {
      case .object(let inner): return inner.leaves(under: full)
      case .list(let items):
        let groups = items.enumerated().flatMap { place, item -> [(String, JSONValue)] in
          if case .object(let inner) = item { inner.leaves(under: "\(full).\(place)") } else { [] }
        }
        return groups.isEmpty ? [(full, value)] : groups
      default: return [(full, value)]
      }
    }
  }
}
