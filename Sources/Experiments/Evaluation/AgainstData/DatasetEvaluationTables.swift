import Foundation
import GoalCore
public import Reporting
import Statistics
import Support

extension DatasetEvaluation {
  /// The results, as tables under headings.
  public func tables() -> [(heading: String, table: Table)] {
    let all: [(String, Table?)] = [
      (
        "action error by goal offset, steps (mean square, in half ranges)",
        actions(\.byOffset) { $0.squared }
      ),
      (
        "negative log-likelihood of the data's actions by goal offset (nats)",
        actions(\.byOffset) { $0.negativeLogLikelihood }
      ),
      ("share of the data's choices by goal offset", actions(\.byOffset) { $0.accuracy }),
      (
        "action error by source of the data's action (mean square, in half ranges)",
        actions(\.bySource) { $0.squared }
      ),
      (
        "share of the data's choices by source of the data's action",
        actions(\.bySource) { $0.accuracy }
      ),
      ("first actions that agree with the data's, of those episodes that have a goal", firsts()),
      ("values by the data's steps until the goal", values()),
      ("fitted-Q evaluation: discounted 0/1 return without an end, at most \(most)", fitted()),
      ("from the dataset's states: by goal offset, steps", rollouts(\.byOffset)),
      ("from the dataset's states: by the goal's distance", rollouts(\.byDistance)),
      ("from the dataset's states: by training", rollouts(\.byPart)),
    ]
    return all.compactMap { heading, table in table.map { (heading, $0) } }
  }

  private var most: String { Estimate.short(1 / (1 - discount)) }

  /// Name of policy, and of the dataset if there are several, as short as is clear.
  private func heads(_ entry: Entry) -> [String] {
    [RunName.short(entry.policy, among: entries.map(\.policy))]
      + (isOfOneDataset
        ? [] : [RunName.short(entry.dataset, among: entries.map(\.dataset))])
  }

  private var isOfOneDataset: Bool { Set(entries.map(\.dataset)).count < 2 }

  /// The heads of those columns.
  private var heads: [String] { ["policy"] + (isOfOneDataset ? [] : ["dataset"]) }

  /// The compared datasets and policies: a line for each dataset, and how much of it each policy
  /// was trained on.
  private var subjects: String {
    entries.flatMap { entry in
      [
        "\(environment): held against \(entry.readEpisodes) of \(entry.datasetEpisodes) episodes of "
          + "\(entry.dataset)\n"
      ] + [overlap(entry)]
    }.uniqued.joined()
  }

  /// How many of a dataset's episodes a policy was trained on.
  private func overlap(_ entry: Entry) -> String {
    let words = entry.parts.map { $0.part.sentence($0.episodes, of: entry.readEpisodes) }
    return "  \(heads(entry).joined(separator: " on ")): \(words.joined(separator: ", "))\n"
  }

  private func actions(
    _ groups: KeyPath<ActionErrors, [ActionErrors.Group]>,
    _ value: (ActionErrors.Group) -> Estimate?
  ) -> Table? {
    let parts = entries.flatMap { entry in entry.parts.map { (entry, $0) } }
    let names = parts.flatMap { $0.1.actions[keyPath: groups].map(\.name) }
      .reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    guard !names.isEmpty, parts.contains(where: { value($0.1.actions.all) != nil }) else {
      return nil
    }
    var table = Table(heads + ["part"] + names + ["all"])
    table.rows = parts.map { entry, part in
      heads(entry) + [part.part.rawValue]
        + names.map { name in
          part.actions[keyPath: groups].first { $0.name == name }.flatMap(value)
        } + [value(part.actions.all)]
    }
    return table
  }

  private func firsts() -> Table? {
    var table = Table(heads + ["part", "agree", "by chance", "episodes"])
    for entry in entries {
      for part in entry.parts {
        guard let firsts = part.firstActions else { continue }
        table.rows.append(
          heads(entry) + [
            part.part.rawValue, firsts.agree, firsts.byChance,
            "\(firsts.agree.episodes)",
          ])
      }
    }
    return table.rows.isEmpty ? nil : table
  }

  private func values() -> Table? {
    var table = Table(
      heads + [
        "part", "steps", "rows", "value", "if reached so", "along the data",
        "steps that values say",
      ])
    for entry in entries {
      for part in entry.parts {
        guard let values = part.values else { continue }
        for group in values.groups {
          let steps = group.from == group.to ? "\(group.from)" : "\(group.from)–\(group.to)"
          table.rows.append(
            heads(entry) + [
              part.part.rawValue, steps, "\(group.rows)", group.value,
              group.reached, group.behaviour,
              group.saidSteps.isFinite ? Estimate.short(group.saidSteps) : "never",
            ])
        }
        table.rows.append(
          heads(entry) + [
            part.part.rawValue, "all", "\(values.groups.reduce(0) { $0 + $1.rows })",
            "error \(values.error.text)",
            "rank correlation \(Estimate.short(values.rankCorrelation))", "", "",
          ])
      }
    }
    return table.rows.isEmpty ? nil : table
  }

  private func fitted() -> Table? {
    let parts = entries.flatMap { entry in entry.parts.map { (entry, $0) } }
    guard parts.contains(where: { $0.1.fittedQ != nil }) else { return nil }
    let isSimulated = parts.contains { $0.1.simulatedReturn != nil }
    var table = Table(
      heads + ["part", "value", "share of the most", "episodes"]
        + (isSimulated ? ["in the simulator", "too high by", "episodes there"] : []))
    for (entry, part) in parts {
      guard let value = part.fittedQ else { continue }
      table.rows.append(
        heads(entry) + [
          part.part.rawValue, value, value.estimate * (1 - discount),
          "\(value.episodes)",
        ])
      guard isSimulated else { continue }
      table.rows[table.rows.count - 1] += [
        part.simulatedReturn, part.fittedQError,
        part.simulatedReturn?.episodes,
      ]
    }
    return table
  }

  private func rollouts(_ groups: KeyPath<DatasetRollouts, [DatasetRollouts.Group]>) -> Table? {
    var table = Table(
      heads + [
        "group", "distance", "success", "at any step", "steps to success", "the data's steps",
        "episodes",
      ])
    for entry in entries {
      guard let rollouts = entry.rollouts else { continue }
      let all = groups == \.byOffset ? [rollouts.all] : []
      for group in rollouts[keyPath: groups] + all {
        table.rows.append(
          heads(entry) + [
            group.name, group.distance, group.success,
            group.successEver, group.stepsToSuccess,
            group.stepsOfData, group.episodes,
          ])
      }
    }
    return table.rows.isEmpty ? nil : table
  }

  /// The tables and sentences for people; as LaTeX the tables, each under a comment; as CSV one
  /// table of all numbers.
  public func text(_ format: TableFormat) -> String {
    guard format != .csv else { return numbers().rendered(as: .csv) }
    let (before, after) = [.md: ("## ", "\n\n"), .latex: ("% ", "\n")][format] ?? ("", "\n")
    let all = tables().map { heading, table in
      before + heading + after + table.rendered(as: format)
    }.joined(separator: "\n")
    guard format != .latex else { return all }
    let said = sentences + fittedSentences
    return subjects + "\n" + all + (said.isEmpty ? "" : "\n")
      + said.map { (format == .md ? "- " : "") + $0 + "\n" }.joined()
  }

  /// Policies compared with the first on the same starts, in plain words; empty without rollouts.
  public var sentences: [String] {
    var found: [String] = []
    for entry in entries {
      guard let first = entries.first(where: { $0.dataset == entry.dataset }),
        first.policy != entry.policy, !entry.outcomes.isEmpty
      else { continue }
      let values = { (entry: Entry) in entry.outcomes.map { $0.success ? 1.0 : 0 } }
      let pair = PairedComparison(values(entry), over: values(first), kind: .proportion)
      found.append(
        (isOfOneDataset ? "" : "\(entry.dataset): ")
          + pair.sentence(heads(entry)[0], heads(first)[0], on: "success"))
    }
    return found
  }

  /// How well fitted-Q evaluation orders three or more policies; empty without a simulator.
  private var fittedSentences: [String] {
    entries.map(\.dataset).uniqued.compactMap { dataset in
      let pairs = entries.filter { $0.dataset == dataset }.compactMap { entry in
        entry.parts.lazy.compactMap { part in
          part.fittedQ.flatMap { q in part.simulatedReturn.map { (q.estimate, $0.estimate) } }
        }.first
      }
      guard pairs.count > 2 else { return nil }
      let correlation = Ranks.correlation(pairs.map(\.0), pairs.map(\.1))
      return "fitted-Q evaluation orders \(pairs.count) policies as the simulator does with a rank "
        + "correlation of \(Estimate.short(correlation)) (\(dataset))"
    }
  }
}

extension DatasetEvaluation {
  /// The names of what bands can be given for.
  public static let measures = [
    "action_error", "action_nll", "action_accuracy", "first_action_agreement", "value_error",
    "value_rank_correlation", "fitted_q", "fitted_q_error", "success", "success_ever",
    "steps_to_success",
  ]

  /// The numbers that bands can be given for, by the policy and dataset; `of` is the part of the
  /// data.
  func byName() -> [(subject: String, values: [(name: String, of: String, value: Double)])] {
    entries.map { entry in
      var values: [(name: String, of: String, value: Double)] = []
      func add(_ name: String, _ of: String, _ value: Double?) {
        if let value { values.append((name, of, value)) }
      }
      for part in entry.parts {
        let of = part.part.rawValue
        add("action_error", of, part.actions.all.squared?.estimate)
        add("action_nll", of, part.actions.all.negativeLogLikelihood?.estimate)
        add("action_accuracy", of, part.actions.all.accuracy?.estimate)
        add("first_action_agreement", of, part.firstActions?.agree.estimate)
        add("value_error", of, part.values?.error.estimate)
        add("value_rank_correlation", of, part.values?.rankCorrelation)
        add("fitted_q", of, part.fittedQ?.estimate)
        add("fitted_q_error", of, part.fittedQError)
      }
      add("success", "", entry.rollouts?.all.success.estimate)
      add("success_ever", "", entry.rollouts?.all.successEver.estimate)
      add("steps_to_success", "", entry.rollouts?.all.stepsToSuccess?.estimate)
      return ("\(entry.policy) on \(entry.dataset)", values)
    }
  }

  /// All of it as JSON; numbers that are not finite are the texts `inf`, `-inf` and `nan`.
  public func json() throws -> String {
    String(decoding: try JSON.pretty(self), as: UTF8.self)
  }
}
