import Foundation
import Replay
public import Reporting

extension SampleInspection {
  /// Lines of a histogram in a terminal.
  private static let lines = 24
  /// Characters of its longest bar.
  private static let width = 40

  /// Counts, shares and the histogram of offsets, for people.
  public var text: String {
    var text = "\(scheme) on \(datasets.joined(separator: ", "))\n"
    for warning in warnings { text += "warning: \(warning)\n" }
    text += ReportText.section(
      "draw",
      [
        ("data", "\(ReportText.count(episodes)) episodes, \(ReportText.count(steps)) steps"),
        (
          "batches",
          "\(ReportText.count(batches)) of \(settings.batchSize) rows, seed \(seed)"
        ),
        ("duplicates in a batch", ReportText.percent(duplicates) + " of its rows"),
        ("pairs in a batch", String(format: "%.1f different ones of step and offset", pairs)),
      ])
    text += Self.text("policy's goals", policy)
    text += Self.text("value's goals", value)
    return text
  }

  private static func text(_ heading: String, _ goals: Goals) -> String {
    var table = Table(["goal", "drawn", "closed form"])
    table.rows = goals.shares.filter { $0.drawn + $0.expected > 0 }.map {
      [$0.origin, ReportText.percent($0.drawn), ReportText.percent($0.expected)]
    }
    var text = ReportText.section(heading, table)
    text += "  at the goal: \(ReportText.percent(goals.rewardDensity)) of rows\n"
    guard !goals.offsets.isEmpty else { return text }
    text += String(
      format: "  chi-squared = %.1f (%d d.o.f.), p = %.3f; largest deviation %.4f\n",
      goals.chiSquared, goals.degreesOfFreedom, goals.chance, goals.largestDeviation)
    return text + histogram(goals.offsets)
  }

  /// Bars of what was drawn, with a mark if the closed form has them end.
  private static func histogram(_ offsets: [Offset]) -> String {
    let low = offsets.first?.offset ?? 0
    let high = offsets.last?.offset ?? 0
    let step = max(1, (high - low + lines) / lines)
    var bins = [(drawn: Double, expected: Double)](
      repeating: (0, 0), count: (high - low) / step + 1)
    for offset in offsets {
      let bin = (offset.offset - low) / step
      bins[bin] = (bins[bin].drawn + Double(offset.drawn), bins[bin].expected + offset.expected)
    }
    let top = bins.reduce(1) { max($0, $1.drawn, $1.expected) }
    var table = Table(["offset", "drawn", "expected", "drawn #, expected |"])
    table.rows = bins.enumerated().map { number, bin in
      let first = low + number * step
      let length = Int((bin.drawn / top * Double(width)).rounded())
      let mark = Int((bin.expected / top * Double(width)).rounded())
      var bar = Array(repeating: Character(" "), count: width + 1)
      for place in 0..<length { bar[place] = "#" }
      bar[mark] = "|"
      return [
        step == 1 ? "\(first)" : "\(first) to \(min(high, first + step - 1))",
        ReportText.count(Int(bin.drawn)), String(format: "%.1f", bin.expected), String(bar),
      ]
    }
    return ReportText.section("  offsets: steps from the next state to the goal's", table)
  }

  /// Offsets and origins of both kinds of goals, the closed form as a line over the bars.
  public func figure() throws -> SVGFigure {
    var panels: [SVGPanel] = []
    for (name, goals) in [("policy's goals", policy), ("value's goals", value)]
    where !goals.offsets.isEmpty {
      let rows = max(1, goals.offsets.reduce(0) { $0 + Double($1.drawn) })
      var panel = SVGPanel(
        title: "\(name): bars drawn, line closed form",
        xLabel: "offset: steps from the next state to the goal's", yLabel: "share of these goals",
        content: .bars(
          goals.offsets.map {
            SVGPanel.Bar(
              low: Double($0.offset) - 0.5, high: Double($0.offset) + 0.5,
              value: Double($0.drawn) / rows)
          }), countsAlong: true)
      panel.overlay = goals.offsets.map {
        SVGPanel.Point(x: Double($0.offset), y: $0.expected / rows)
      }
      panels.append(panel)
    }
    guard !panels.isEmpty else {
      throw ExperimentError.nothingToDraw(
        path: scheme, reason: "no goal of this scheme lies in the row's own episode")
    }
    var figure = SVGFigure(
      title: "\(scheme): \(ReportText.count(batches)) batches of \(settings.batchSize) rows",
      panels: panels)
    figure.columns = 2
    return figure
  }

  /// The schemes there are, each with its parameters, for help.
  public static var schemes: String {
    var lines: [String] = []
    var before: [String] = []
    for scheme in NamedScheme.all {
      lines.append("  \(scheme.name)  \(scheme.summary)")
      let names = scheme.keys.map(\.name)
      // A scheme that adds to the one before it names only what it adds.
      let known = before.count > 1 && names.starts(with: before) ? before.count : 0
      before = names
      for key in scheme.keys.dropFirst(known) {
        lines.append("      \(key.name)=\(key.defaultValue)  \(key.meaning)")
      }
    }
    lines.append("  and in each:")
    for key in NamedScheme.commonKeys {
      lines.append("      \(key.name)=\(key.defaultValue)  \(key.meaning)")
    }
    return lines.joined(separator: "\n")
  }
}
