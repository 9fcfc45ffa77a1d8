import Foundation
import Reporting
import Statistics

/// The figures of a study that its `runs.csv` and `methods.csv` are enough for.
struct StudyFigures {
  let rows: [StudyRow]
  let levels: [StudyLevel]

  /// Methods in the order in which they stand.
  var methods: [String] { rows.map(\.method).uniqued }
  /// Worlds in the order in which they stand.
  var environments: [String] { rows.map(\.environment).uniqued }

  /// The figures of each world: success, and the paper's return, which goes on if success is
  /// full.
  private static let measures: [Measure] = [.success, .returnBeforeLast]

  /// Learning curves: a panel a world and measure, a line a method, over seeds; nil if nothing was
  /// evaluated while training.
  func curves() -> SVGFigure? {
    let training = levels.filter { $0.kind == .training }
    guard !training.isEmpty else { return nil }
    var figure = SVGFigure(
      title: "while training: mean over seeds, 95 % interval",
      panels: environments.flatMap { environment in
        Self.measures.compactMap { measure -> SVGPanel? in
          let here = training.filter {
            $0.environment == environment && Measure(name: $0.measure) == measure
          }
          guard let first = here.first else { return nil }
          return SVGPanel(
            title: environment, xLabel: "updates", yLabel: first.measure,
            content: .lines(methods.compactMap { series(of: $0, in: here) }),
            yRange: measure.kind == .proportion ? 0...1 : nil, xStart: 0)
        }
      })
    figure.columns = Self.measures.count
    return figure
  }

  /// A method's curve.
  private func series(of method: String, in levels: [StudyLevel]) -> SVGPanel.Series? {
    let own = levels.filter { $0.method == method }.sorted { $0.updates < $1.updates }
    guard let first = own.first else { return nil }
    return SVGPanel.Series(
      name: "\(method) (\(first.runs))",
      points: own.map {
        SVGPanel.Point(
          x: Double($0.updates), y: $0.value.estimate, interval: $0.value.low...$0.value.high)
      })
  }

  /// Whether a method has as many runs of each of its worlds as a band over runs needs.
  private func hasBand(_ method: String) -> Bool {
    let finals = rows.filter { $0.kind == .final && $0.method == method }
    return Dictionary(grouping: finals, by: \.environment).values.allSatisfy {
      Set($0.map(\.key)).count >= PairedComparison.leastRuns
    }
  }

  /// Which methods have a profile without a band, and why; nil if none has.
  var bandlessNote: String? {
    guard profile() != nil else { return nil }
    let bare = methods.filter { !hasBand($0) }
    return bare.isEmpty
      ? nil
      : "figures/profile.svg has no band for \(bare.joined(separator: ", ")): of fewer than "
        + "\(PairedComparison.leastRuns) runs of a world it would be little but their range"
  }

  /// The share of runs with more than a success or return, by method, over all worlds; nil if no
  /// method has two runs of a world.
  func profile() -> SVGFigure? {
    let panels = Self.measures.compactMap(profile)
    guard !panels.isEmpty else { return nil }
    var figure = SVGFigure(
      title: "performance profiles; 95 % band over runs, of \(PairedComparison.leastRuns) or more",
      panels: panels)
    figure.columns = Self.measures.count
    return figure
  }

  private func profile(of measure: Measure) -> SVGPanel? {
    let finals = rows.filter { $0.kind == .final && Measure(name: $0.measure) == measure }
    let names = finals.map(\.measure).uniqued
    let name = names.count == 1 ? names[0] : measure.rawValue
    let most =
      measure.kind == .proportion ? 1 : max(1, (finals.map(\.estimate).max() ?? 1).rounded(.up))
    let thresholds = (0...200).map { Double($0) / 200 * most }
    let series = methods.compactMap { method -> SVGPanel.Series? in
      let own = finals.filter { $0.method == method }
      let scores = environments.map { environment in
        own.filter { $0.environment == environment }.map(\.estimate)
      }.filter { !$0.isEmpty }
      guard scores.contains(where: { $0.count > 1 }) else { return nil }
      let shares = StratifiedBootstrap(replicates: 2_000).profile(
        of: ScoreMatrix(scores), above: thresholds)
      let isBanded = hasBand(method)
      return SVGPanel.Series(
        name: "\(method) (\(own.count))",
        points: zip(thresholds, shares).map {
          SVGPanel.Point(x: $0, y: $1.estimate, interval: isBanded ? $1.low...$1.high : nil)
        })
    }
    guard !series.isEmpty else { return nil }
    return SVGPanel(
      title: "share of runs above a \(name)", xLabel: name, yLabel: "share of runs",
      content: .lines(series), yRange: 0...1)
  }
}

extension [String] {
  /// Each once, in the order of their first.
  var uniqued: [String] { reduce(into: []) { if !$0.contains($1) { $0.append($1) } } }
}
