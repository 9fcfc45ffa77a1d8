import Learners
import Reporting

/// Something wrong with a run, by name.
enum RunWarning: Equatable, CustomStringConvertible {
  /// The policy does much the same everywhere, and the data do not.
  case actionsCollapsed(entropy: Double, ofData: Double)
  /// A number of the metrics is not finite.
  case notFinite(metric: String)
  /// The run goes on with other libraries, or vector instructions, than it was trained with before.
  case otherNumerics(name: String, before: String, now: String)

  /// The name, by which `metrics.jsonl` is searched.
  var name: String {
    switch self {
    case .actionsCollapsed: "actions-collapsed"
    case .notFinite: "not-finite"
    case .otherNumerics: "other-numerics"
    }
  }

  /// The findings.
  var description: String {
    switch self {
    case .actionsCollapsed(let entropy, let ofData):
      "the policy's actions have collapsed: their entropy is \(ReportText.short(entropy)) nats where "
        + "that of the data is \(ReportText.short(ofData))"
    case .notFinite(let metric): "\(metric) is not a finite number"
    case .otherNumerics(let name, let before, let now):
      "the run goes on with the \(name) \(now) and had \(before): from here on its last bits may differ from "
        + "those of a run that was not moved"
    }
  }
}

/// Looks at every row of metrics for what makes a run worthless.
///
/// It is part of a checkpoint, so that a run that goes on says what one without a stop says.
struct RunMonitor: Codable, Equatable {
  /// Share of the data's action entropy below which a policy counts as collapsed.
  static let collapsedShare = 0.1
  /// Rows in a row that must be so before it is said.
  static let patience = 3

  private var collapsedRows = 0

  /// The faults of a row; a collapse is reported once, and again after the actions recovered.
  ///
  /// A row that exists only because the run came to its end does not count towards a collapse.
  /// Otherwise a resumed run would have one more than a run that was longer from the beginning.
  mutating func warning(about metrics: Metrics, isRegular: Bool = true) -> RunWarning? {
    if let broken = metrics.entries.first(where: { !$0.value.isFinite }) {
      return .notFinite(metric: broken.name)
    }
    guard isRegular, let policy = metrics["action_entropy"],
      let data = metrics["data_action_entropy"]
    else {
      return nil
    }
    let (entropy, ofData) = (Double(policy), Double(data))
    collapsedRows = entropy < Self.collapsedShare * ofData ? collapsedRows + 1 : 0
    return collapsedRows == Self.patience
      ? .actionsCollapsed(entropy: entropy, ofData: ofData) : nil
  }
}
