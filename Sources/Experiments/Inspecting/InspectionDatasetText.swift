import GoalCore
import Learners
import Reporting
import Storage
import Statistics
import Support

extension DatasetInspection: Inspected {
  /// Counts, tables and lineage.
  public var text: String {
    let identity = lineage.identity
    return
      "\(dataset): \(Console.onOneLine(identity.task.identifier)), "
      + "\(ReportText.count(counts.episodes)) episodes, "
      + "\(ReportText.count(counts.steps)) steps in \(counts.shards) "
      + "\(counts.shards == 1 ? "shard" : "shards"), \(ReportText.bytes(counts.bytes))\n"
      + ReportText.section("episodes (with 95 % intervals)", episodeLines)
      + columnText("observations", observations)
      + actionText + goalText + lineageText
  }

  private var episodeLines: [(String, String)] {
    let absent = "not stored"
    let horizon = lineage.identity.task.spec.horizon
    let noReturn = rewardsNotFinite == nil ? absent : "no episode has finite rewards only"
    let leftOut =
      rewardsNotFinite.map { ", without \($0) episodes whose rewards are not all finite" } ?? ""
    let sources = BehaviourSource.allCases.map { source in
      behaviour.map { "\(source) \(ReportText.percent($0["\(source)"] ?? 0))" } ?? absent
    }
    return [
      (
        "length",
        "\(lengths.minimum) shortest, \(ReportText.short(lengths.median)) median, "
          + "\(lengths.maximum) longest"
      ),
      ("success", success.map { "\($0.text) at the end" } ?? absent),
      ("success ever", successEver.map { "\($0.text) at any step" } ?? absent),
      ("return", `return`.map { "\($0.text) 0/1, over all steps" + leftOut } ?? noReturn),
      (
        Measure.returnBeforeLast.name(horizon: horizon),
        returnBeforeLast.map { "\($0.text) 0/1, over the first \(horizon - 1)" + leftOut }
          ?? noReturn
      ),
      ("behaviour", behaviour == nil ? absent : sources.joined(separator: ", ")),
      (
        "largest step",
        largestSteps.map { steps in
          steps.sorted { $0.key > $1.key }.map { "\($0) \(ReportText.short($1))" }
            .joined(separator: ", ")
        } ?? "the world is not known"
      ),
    ]
  }

  private func columnText(_ name: String, _ column: ColumnSummary) -> String {
    let quantiles =
      column.quantilesAreExact
      ? "quantiles over all"
      : "quantiles of a uniform sample of \(ReportText.count(column.quantileRows)), fixed seed"
    let fractions = ColumnSummary.fractions.map { "\(Int($0 * 100)) %" }
    var table = Table(["", "min"] + fractions + ["max", "mean", "std"])
    table.rows = column.mean.indices.map { k in
      let numbers =
        [column.minimum[k]] + column.quantiles[k]
        + [column.maximum[k], column.mean[k], column.standardDeviation[k]]
      return ["\(k)"] + numbers.map(ReportText.short)
    }
    return ReportText.section(
      "\(name): \(ReportText.count(column.rows)) rows, \(quantiles)", table)
  }

  private var actionText: String {
    if let counts = actions.counts {
      return ReportText.section(
        "actions",
        counts.enumerated().map { number, count in
          ("\(number)", "\(ReportText.percent(Double(count) / Double(max(1, self.counts.steps))))")
        })
    }
    guard let statistics = actions.statistics, let histograms = actions.histograms,
      let outside = actions.outside
    else { return "" }
    let bins = zip(histograms, outside).enumerated().map { k, pair in
      let (histogram, beyond) = pair
      let shares = histogram.counts.map { Double($0) / Double(max(1, counts.steps)) }
      let high = histogram.low + histogram.width * Double(histogram.counts.count)
      let list = shares.map { String(Int(($0 * 100).rounded())) }.joined(separator: " ")
      return (
        "\(k)",
        "\(ReportText.short(histogram.low)) "
          + ReportText.sparkline(shares, top: (shares.max() ?? 1) * 1.001)
          + " \(ReportText.short(high))   \(list)"
          + (beyond > 0 ? ", and \(ReportText.count(beyond)) outside" : "")
      )
    }
    return columnText("actions", statistics)
      + ReportText.section("actions in 10 bins over the space, % of steps", bins)
  }

  private var goalText: String {
    var table = Table(["", "desired from", "to", "mean", "achieved from", "to", "mean"])
    table.rows = goals.achieved.minimum.indices.map { k in
      ["\(k)"]
        + [goals.desired, goals.achieved].flatMap { extent in
          extent.count == 0
            ? ["none", "", ""]
            : [extent.minimum[k], extent.maximum[k], extent.mean[k]].map(ReportText.short)
        }
    }
    let cells = goals.shape[0] * goals.shape[1]
    return ReportText.section("goals", table)
      + ReportText.section(
        "goal coverage: \(goals.shape[0]) x \(goals.shape[1]) cells over dimensions 0 (\(extent(0))) and 1 (\(extent(1)))",
        [
          ("desired", "in \(ReportText.percent(goals.desiredShare)) of \(cells) cells"),
          ("achieved", "in \(ReportText.percent(goals.achievedShare)) of \(cells) cells"),
          (
            "both",
            "achieved in \(ReportText.percent(goals.desiredCellsAchieved)) of those with desired goals"
          ),
        ])
  }

  private func extent(_ k: Int) -> String {
    "\(ReportText.short(goals.low[k])) to \(ReportText.short(goals.high[k]))"
  }

  private var lineageText: String {
    let identity = lineage.identity
    var lines = [("id", identity.id), ("manifest", "sha256 \(lineage.manifest)")]
    var values = (try? Settings.values(of: identity)) ?? [:]
    for known in ["id", "task", "schema"] { values[known] = nil }
    if case .object(var recipe)? = values["recipe"], recipe["policyDigest"] == nil {
      recipe["policyDigest"] = "none, the policy is code"
      values["recipe"] = .object(recipe)
    }
    lines += values.leaves().map { key, value in
      if case .text(let text) = value { return (key, text) }
      return (key, "\(value)")
    }
    lines += lineage.provenance?.lines ?? [("provenance", "not known")]
    return ReportText.section("lineage", lines)
  }
}
