import Foundation
import Statistics

/// The figures of a study that its `runs.csv` is enough for.
struct StudyFigures {
  let rows: [StudyRow]

  /// Methods in the order in which they stand.
  var methods: [String] { rows.map(\.method).uniqued }
  /// Worlds in the order in which they stand.
  var environments: [String] { rows.map(\.environment).uniqued }

  /// What is drawn of each world: success, and the paper's return, which goes on where success is full.
  private static let measures = ["success", "return49"]

  /// Learning curves: a panel a world and measure, a line a method, over seeds; nil where nothing was
  /// evaluated while training.
  func curves() -> SVGFigure? {
    let training = rows.filter { $0.kind == .training }
    guard !training.isEmpty else { return nil }
    var figure = SVGFigure(
      title: "while training: mean over seeds, 95 % interval",
      panels: environments.flatMap { environment in
        Self.measures.compactMap { measure -> SVGPanel? in
          let here = training.filter { $0.environment == environment && $0.measure == measure }
          guard !here.isEmpty else { return nil }
          return SVGPanel(
            title: environment, xLabel: "updates", yLabel: measure,
            content: .lines(methods.compactMap { series(of: $0, in: here) }),
            yRange: measure == "success" ? 0...1 : nil, xStart: 0)
        }
      })
    figure.columns = Self.measures.count
    return figure
  }

  /// A method's curve: at each number of updates that all its seeds have.
  private func series(of method: String, in rows: [StudyRow]) -> SVGPanel.Series? {
    let own = rows.filter { $0.method == method }
    let seeds = Set(own.map(\.key)).count
    guard seeds > 0 else { return nil }
    let points = Dictionary(grouping: own, by: \.updates).sorted { $0.key < $1.key }
      .compactMap { updates, values -> SVGPanel.Point? in
        guard values.count == seeds else { return nil }
        let found = seeds > 1 ? Intervals.student(values.map(\.estimate)) : values[0].value
        let value = values[0].measure == "success" ? found.withinShares : found
        return SVGPanel.Point(
          x: Double(updates), y: value.estimate, interval: value.low...value.high)
      }
    return SVGPanel.Series(name: "\(method) (\(seeds))", points: points)
  }

  /// The share of runs with more than a success or return, by method, over all worlds; nil where no
  /// method has two runs of a world.
  func profile() -> SVGFigure? {
    let panels = Self.measures.compactMap(profile)
    guard !panels.isEmpty else { return nil }
    var figure = SVGFigure(title: "performance profiles, 95 % band", panels: panels)
    figure.columns = Self.measures.count
    return figure
  }

  private func profile(of measure: String) -> SVGPanel? {
    let finals = rows.filter { $0.kind == .final && $0.measure == measure }
    let most = measure == "success" ? 1 : max(1, (finals.map(\.estimate).max() ?? 1).rounded(.up))
    let thresholds = (0...200).map { Double($0) / 200 * most }
    let series = methods.compactMap { method -> SVGPanel.Series? in
      let own = finals.filter { $0.method == method }
      let scores = environments.map { environment in
        own.filter { $0.environment == environment }.map(\.estimate)
      }.filter { !$0.isEmpty }
      guard scores.contains(where: { $0.count > 1 }) else { return nil }
      let shares = StratifiedBootstrap(replicates: 2_000).profile(
        of: ScoreMatrix(scores), above: thresholds)
      return SVGPanel.Series(
        name: "\(method) (\(own.count))",
        points: zip(thresholds, shares).map {
          SVGPanel.Point(x: $0, y: $1.estimate, interval: $1.low...$1.high)
        })
    }
    guard !series.isEmpty else { return nil }
    return SVGPanel(
      title: "share of runs above a \(measure)", xLabel: measure, yLabel: "share of runs",
      content: .lines(series), yRange: 0...1)
  }
}

extension [String] {
  /// Each once, in the order of their first.
  var uniqued: [String] { reduce(into: []) { if !$0.contains($1) { $0.append($1) } } }
}
