import Reporting
import Statistics

extension DatasetEvaluation {
  /// All numbers as one table: a row for each measure of each group.
  func numbers() -> Table {
    var table = Table([
      "policy", "dataset", "part", "measure", "by", "group", "estimate", "low", "high", "count",
    ])
    for entry in entries {
      func add(
        _ part: String, _ measure: String, _ by: String, _ group: String, _ value: Estimate?,
        _ count: Int
      ) {
        guard let value else { return }
        table.rows.append(
          [entry.policy, entry.dataset, part, measure, by, group]
            + [value.estimate, value.low, value.high] + [count])
      }
      for part in entry.parts {
        let name = part.part.rawValue
        let groups =
          [("all", part.actions.all)] + part.actions.byOffset.map { ("offset", $0) }
          + part.actions.bySource.map { ("source", $0) }
        for (by, group) in groups {
          add(name, "action_error", by, group.name, group.squared, group.rows)
          add(name, "action_nll", by, group.name, group.negativeLogLikelihood, group.rows)
          add(name, "action_accuracy", by, group.name, group.accuracy, group.rows)
        }
        if let firsts = part.firstActions {
          add(name, "first_action_agreement", "all", "all", firsts.agree, firsts.agree.episodes)
          add(name, "first_action_chance", "all", "all", firsts.byChance, firsts.agree.episodes)
        }
        if let values = part.values {
          for group in values.groups {
            add(name, "value", "steps", "\(group.from)-\(group.to)", group.value, group.rows)
          }
          let rows = values.groups.reduce(0) { $0 + $1.rows }
          add(name, "value_error", "all", "all", values.error, rows)
        }
        add(name, "fitted_q", "all", "all", part.fittedQ, part.fittedQ?.episodes ?? 0)
        add(
          name, "simulated_return", "all", "all", part.simulatedReturn,
          part.simulatedReturn?.episodes ?? 0)
      }
      guard let rollouts = entry.rollouts else { continue }
      let groups =
        [("all", rollouts.all)] + rollouts.byOffset.map { ("offset", $0) }
        + rollouts.byDistance.map { ("distance", $0) } + rollouts.byPart.map { ("part", $0) }
      for (by, group) in groups {
        add("", "success", by, group.name, group.success, group.episodes)
        add("", "success_ever", by, group.name, group.successEver, group.episodes)
        add("", "steps_to_success", by, group.name, group.stepsToSuccess, group.episodes)
      }
    }
    return table
  }
}
