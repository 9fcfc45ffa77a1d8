import GoalCore
public import Reporting
import Storage
import Statistics

extension DatasetInspection {
  /// Action histograms that are drawn, one a dimension.
  private static let actionPanels = 12

  /// Returns, success along an episode, lengths, goals in the plane, and actions.
  public func figure() -> SVGFigure {
    var panels: [SVGPanel] = []
    if let returns {
      panels.append(
        SVGPanel(
          title: "return", xLabel: "steps at the goal (0/1 return)", yLabel: returns.label,
          content: .bars(returns.bars), countsAlong: true))
    }
    if let successByStep {
      let points = successByStep.enumerated().map { step, success in
        SVGPanel.Point(
          x: Double(step + 1), y: success.estimate, interval: success.low...success.high)
      }
      panels.append(
        SVGPanel(
          title: "success along an episode, 95 % interval", xLabel: "steps made",
          yLabel: "share at the goal", content: .line(points), yRange: 0...1, xStart: 0,
          countsAlong: true))
    }
    panels.append(
      SVGPanel(
        title: "episode lengths", xLabel: "steps", yLabel: lengths.histogram.label,
        content: .bars(lengths.histogram.bars), countsAlong: true))
    for (name, counts, count) in [
      ("desired goals", goals.desiredCounts, goals.desired.count),
      ("achieved goals", goals.achievedCounts, goals.achieved.count),
    ] {
      panels.append(
        SVGPanel(
          title: "\(name): \(ReportText.count(count)), count by cell",
          xLabel: "goal 0" + unit, yLabel: goals.shape[1] > 1 ? "goal 1" + unit : "",
          content: .cells(
            SVGPanel.Cells(
              shape: goals.shape, low: goals.low, high: goals.high, counts: counts))))
    }
    return SVGFigure(
      title: "\(dataset): \(lineage.identity.task.identifier), "
        + "\(ReportText.count(counts.episodes)) episodes, \(ReportText.count(counts.steps)) steps",
      panels: panels + actionPanels)
  }

  private var actionPanels: [SVGPanel] {
    if let counts = actions.counts {
      let bars = counts.enumerated().map { number, count in
        SVGPanel.Bar(
          low: Double(number) - 0.4, high: Double(number) + 0.4, value: Double(count))
      }
      return [
        SVGPanel(
          title: "actions", xLabel: "action", yLabel: "steps", content: .bars(bars),
          countsAlong: true)
      ]
    }
    let histograms = actions.histograms ?? []
    return histograms.prefix(Self.actionPanels).enumerated().map { k, histogram in
      let more =
        k == Self.actionPanels - 1 && histograms.count > Self.actionPanels
        ? " (and \(histograms.count - Self.actionPanels) more)" : ""
      return SVGPanel(
        title: "action \(k)\(more)", xLabel: "action \(k), the world's units", yLabel: "steps",
        content: .bars(histogram.bars))
    }
  }

  private var unit: String { lineage.identity.task.spec.unit }
}

extension GoalSpec {
  /// The metric's unit as labels have it, such as ", m": what follows the metric's last comma.
  var unit: String {
    let parts = metric.split(separator: ",")
    guard parts.count > 1, let last = parts.last else { return "" }
    return "," + last
  }
}

extension Histogram {
  /// The unit of a bar of episodes.
  fileprivate var label: String {
    width > 1 ? "episodes, by \(ReportText.short(width)) steps" : "episodes"
  }

  /// The bins as bars; those of whole numbers stand about their middle.
  var bars: [SVGPanel.Bar] {
    let shift = isWhole ? 0.5 : 0
    return counts.enumerated().map { number, count in
      let start = low + Double(number) * width - shift
      return SVGPanel.Bar(low: start, high: start + width, value: Double(count))
    }
  }
}
