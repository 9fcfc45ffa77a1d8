import Foundation
import Statistics

/// The figures of a study that its `runs.csv` is enough for.
struct StudyFigures {
  let rows: [StudyRow]

  /// Methods in the order in which they stand.
  var methods: [String] { rows.map(\.method).uniqued }
  /// Worlds in the order in which they stand.
  var environments: [String] { rows.map(\.environment).uniqued }

  /// Learning curves: a panel a world, a line a method, over seeds; nil where nothing was evaluated while
  /// training.
  func curves(_ measure: String = "success") -> SVGFigure? {
    let training = rows.filter { $0.kind == .training && $0.measure == measure }
    guard !training.isEmpty else { return nil }
    return SVGFigure(
      title: "\(measure) while training",
      panels: environments.compactMap { environment in
        let here = training.filter { $0.environment == environment }
        guard !here.isEmpty else { return nil }
        return SVGPanel(
          title: "\(environment), 95 % interval over seeds", xLabel: "updates", yLabel: measure,
          content: .lines(methods.compactMap { series(of: $0, in: here) }),
          yRange: measure == "success" ? 0...1 : nil, xStart: 0)
      })
  }

  /// A method's curve: at each number of updates that all its seeds have.
  private func series(of method: String, in rows: [StudyRow]) -> SVGPanel.Series? {
    let own = rows.filter { $0.method == method }
    let seeds = Set(own.map(\.key)).count
    guard seeds > 0 else { return nil }
    let points = Dictionary(grouping: own, by: \.updates).sorted { $0.key < $1.key }
      .compactMap { updates, values -> SVGPanel.Point? in
        guard values.count == seeds else { return nil }
        let value =
          seeds > 1 ? Intervals.student(values.map(\.estimate)) : values[0].value
        return SVGPanel.Point(
          x: Double(updates), y: value.estimate, interval: value.low...value.high)
      }
    return SVGPanel.Series(name: "\(method) (\(seeds))", points: points)
  }

  /// The share of runs with more than a success, by method, over all worlds; nil where no method has two
  /// runs of a world.
  func profile() -> SVGFigure? {
    let finals = rows.filter { $0.kind == .final && $0.measure == "success" }
    let thresholds = (0...100).map { Double($0) / 100 }
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
    return SVGFigure(
      title: "performance profile",
      panels: [
        SVGPanel(
          title: "share of runs above, 95 % band", xLabel: "success above", yLabel: "share of runs",
          content: .lines(series), yRange: 0...1)
      ])
  }
}

extension [String] {
  /// Each once, in the order of their first.
  var uniqued: [String] { reduce(into: []) { if !$0.contains($1) { $0.append($1) } } }
}
