import Foundation
import Reporting
import Statistics

/// The figures of a study, of its numbers alone.
struct StudyFigures {
  let numbers: StudyNumbers
  private var plan: StudyPlan { numbers.plan }

  /// Draws a figure of the plan; nil if it has nothing to draw.
  func figure(_ part: StudyPlan.Part) throws -> SVGFigure? {
    let panels: [SVGPanel]
    if part.drawing == .profile {
      panels = try profile(part).map { [$0] } ?? []
    } else {
      panels = try self.panels(part).compactMap { panel, groups in
        try part.drawing == .curves
          ? curves(part, panel, groups) : levels(part, panel, groups)
      }
    }
    guard !panels.isEmpty else { return nil }
    var figure = SVGFigure(title: title(part), panels: panels)
    figure.columns = panels.count == 4 ? 2 : 3
    return figure
  }

  /// What stands above a figure, and beneath it in the page if the plan has no caption.
  func title(_ part: StudyPlan.Part) -> String {
    switch part.drawing {
    case .curves: "\(part.measure) along the training: mean over runs with 95 % interval"
    case .levels:
      "\(part.measure): mean (dot), 95 % interval (bar), runs (rings)"
        + (part.published.isEmpty ? "" : ", \(part.publishedName) (diamond)")
    case .profile:
      "the share of runs above each \(part.measure), with a 95 % band over "
        + "\(PairedComparison.leastRuns) or more runs"
    }
  }

  /// The groups of a figure by the panel that they stand in.
  private func panels(_ part: StudyPlan.Part) throws -> [(StudyTable.Row, [StudyGroup])] {
    var found: [(StudyTable.Row, [StudyGroup])] = []
    for group in numbers.groups(by: plan.group, where: part.filter) {
      let panel = group.labels.filter { part.panel.contains($0.key) }
      if let place = found.firstIndex(where: { $0.0 == panel }) {
        found[place].1.append(group)
      } else {
        found.append((panel, [group]))
      }
    }
    return found
  }

  /// What a line is: its method in words, and how many runs it is the mean of.
  private func name(_ part: StudyPlan.Part, _ group: StudyGroup, _ runs: Int) -> String {
    let words = plan.words(group.labels, part.line)
    return (words.isEmpty ? (runs > 1 ? "mean" : "one run") : words)
      + (runs > 1 ? ", \(runs) runs" : "")
  }

  private func curves(
    _ part: StudyPlan.Part, _ panel: StudyTable.Row, _ groups: [StudyGroup]
  ) throws -> SVGPanel? {
    let series = try groups.compactMap { group -> SVGPanel.Series? in
      let curve = try numbers.curve(part.measure, of: group)
      guard let runs = curve.map(\.level.values.count).max() else { return nil }
      let members = (0..<runs).map { run in
        curve.map { SVGPanel.Point(x: $0.x, y: $0.level.values[run]) }
      }
      return SVGPanel.Series(
        name: name(part, group, runs),
        points: curve.map {
          SVGPanel.Point(x: $0.x, y: $0.level.mean, interval: $0.level.interval)
        },
        members: runs > 1 ? members : [])
    }
    guard !series.isEmpty else { return nil }
    let range = plan.measure(ofCurve: part.measure).range
    var drawn = SVGPanel(
      title: plan.words(panel, part.panel),
      xLabel: plan.x.replacing("_", with: " "), yLabel: part.measure.replacing("_", with: " "),
      content: .lines(series), yRange: range == 0...1 ? range : nil, xStart: 0)
    drawn.rules = rules(part, groups)
    return drawn
  }

  /// The published numbers of a panel, each once.
  private func rules(_ part: StudyPlan.Part, _ groups: [StudyGroup]) -> [SVGPanel.Rule] {
    guard !part.published.isEmpty else { return [] }
    let found = groups.compactMap { group in
      numbers.published(part.published, group).map { (group, $0.value) }
    }
    let isOne = Set(found.map(\.1)).count <= 1
    return (isOne ? Array(found.prefix(1)) : found).map { group, value in
      SVGPanel.Rule(
        name: isOne || part.line.isEmpty
          ? part.publishedName : "\(plan.words(group.labels, part.line)), \(part.publishedName)",
        value: value)
    }
  }

  private func levels(
    _ part: StudyPlan.Part, _ panel: StudyTable.Row, _ groups: [StudyGroup]
  ) throws -> SVGPanel? {
    let levels = try groups.compactMap { group -> SVGPanel.Level? in
      guard let level = try numbers.level(part.measure, of: group) else { return nil }
      let words = plan.words(group.labels, part.line)
      return SVGPanel.Level(
        name: words.isEmpty ? "mean" : words, mean: level.mean, interval: level.interval,
        values: level.values,
        rule: part.published.isEmpty ? nil : numbers.published(part.published, group)?.value)
    }
    guard !levels.isEmpty else { return nil }
    return SVGPanel(
      title: plan.words(panel, part.panel), xLabel: part.measure.replacing("_", with: " "),
      yLabel: "", content: .levels(levels))
  }

  /// Which groups have a profile without a band, and why; nil if none has.
  func bandlessNote(_ part: StudyPlan.Part) throws -> String? {
    guard try profile(part) != nil else { return nil }
    let bare = lines(part).filter { !hasBand($0.1) }.map(\.0)
    return bare.isEmpty
      ? nil
      : "figures/\(part.name).svg has no band for \(bare.joined(separator: ", ")): of fewer than "
        + "\(PairedComparison.leastRuns) runs of a world it would be little but their range"
  }

  /// The groups of each line, over all panels.
  private func lines(_ part: StudyPlan.Part) -> [(String, [StudyGroup])] {
    var found: [(String, [StudyGroup])] = []
    for group in numbers.groups(by: plan.group, where: part.filter) {
      let words = plan.words(group.labels, part.line)
      if let place = found.firstIndex(where: { $0.0 == words }) {
        found[place].1.append(group)
      } else {
        found.append((words, [group]))
      }
    }
    return found
  }

  /// Whether a line has as many runs in each panel as a band over runs needs.
  private func hasBand(_ groups: [StudyGroup]) -> Bool {
    groups.allSatisfy { $0.rows.count >= PairedComparison.leastRuns }
  }

  /// The share of runs with more of a measure, by line, over all panels; nil if no line has two
  /// runs in one.
  private func profile(_ part: StudyPlan.Part) throws -> SVGPanel? {
    let all = try lines(part).map { name, groups in
      let scores = try groups.compactMap { try numbers.level(part.measure, of: $0)?.values }
      return (name: name, scores: scores, isBanded: hasBand(groups))
    }.filter { $0.scores.contains { $0.count > 1 } }
    guard !all.isEmpty else { return nil }
    let range = plan.measure(part.measure).range
    let highest = all.flatMap { $0.scores.joined() }.max() ?? 1
    let most = range == 0...1 ? 1 : max(1, highest.rounded(.up))
    let thresholds = (0...200).map { Double($0) / 200 * most }
    let series = all.map { name, scores, isBanded in
      let shares = StratifiedBootstrap(replicates: 2_000).profile(
        of: ScoreMatrix(scores), above: thresholds)
      return SVGPanel.Series(
        name: "\(name), \(scores.joined().count) runs",
        points: zip(thresholds, shares).map {
          SVGPanel.Point(x: $0, y: $1.estimate, interval: isBanded ? $1.low...$1.high : nil)
        })
    }
    let words = part.measure.replacing("_", with: " ")
    return SVGPanel(
      title: "share of runs above a \(words)", xLabel: words, yLabel: "share of runs",
      content: .lines(series), yRange: 0...1)
  }
}
