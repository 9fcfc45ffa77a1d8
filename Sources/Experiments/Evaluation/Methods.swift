import GoalCore
public import Statistics
import Environments

/// A measure of an evaluation.
struct Measure: Sendable {
  /// Its name in tables and JSON.
  let name: String
  /// It of an episode; successes are 0 or 1.
  let of: @Sendable (EpisodeScore) -> Double
  /// What episodes give.
  let kind: PairedComparison.Kind
  /// Whether more is better.
  let higherIsBetter: Bool

  /// All of them, in the order of `Evaluation.byName`.
  static let all: [Measure] = [
    Measure(
      name: "success", of: { $0.success ? 1 : 0 }, kind: .proportion, higherIsBetter: true),
    Measure(name: "return49", of: \.returnBeforeLast, kind: .mean, higherIsBetter: true),
    Measure(name: "return", of: \.fullReturn, kind: .mean, higherIsBetter: true),
    Measure(
      name: "discounted_return", of: \.discountedReturn, kind: .mean, higherIsBetter: true),
    Measure(name: "final_distance", of: \.finalDistance, kind: .mean, higherIsBetter: false),
    Measure(
      name: "success49", of: { $0.successBeforeLast ? 1 : 0 }, kind: .proportion,
      higherIsBetter: true),
    Measure(name: "distance49", of: \.distanceBeforeLast, kind: .mean, higherIsBetter: false),
  ]
}

extension Comparison {
  /// The names of what is measured.
  public static var measures: [String] { Measure.all.map(\.name) }

  /// A method's seeds in one world.
  public struct Method: Sendable {
    /// What tables call it.
    public let name: String
    /// The world's id.
    public let environment: String
    /// Its seeds.
    public let entries: [Entry]

    /// Each measure: over several seeds their mean with Student's interval, of one run its own.
    public var byName: [(name: String, value: Estimate)] {
      guard entries.count > 1 else { return entries.first?.evaluation.byName ?? [] }
      return Measure.all.indices.map { k in
        let found = Intervals.student(entries.map { $0.value(k) })
        guard case .proportion = Measure.all[k].kind else { return (Measure.all[k].name, found) }
        return (Measure.all[k].name, found.withinShares)
      }
    }

    /// Each episode's measure, averaged over seeds.
    func episodes(_ measure: Measure) -> [Double] {
      let all = entries.map { $0.scores.map(measure.of) }
      guard all.count > 1 else { return all.first ?? [] }
      return all[0].indices.map { e in all.reduce(0) { $0 + $1[e] } / Double(all.count) }
    }

    /// This beside another: over seeds where both have several, else over the episodes that both faced.
    func compared(with other: Method, _ place: Int) -> PairedComparison {
      let measure = Measure.all[place]
      if entries.count > 1, other.entries.count > 1 {
        return PairedComparison(
          seeds: entries.map { $0.value(place) }, over: other.entries.map { $0.value(place) },
          kind: measure.kind, higherIsBetter: measure.higherIsBetter)
      }
      let isAlone = entries.count == 1 && other.entries.count == 1
      return PairedComparison(
        episodes(measure), over: other.episodes(measure), kind: isAlone ? measure.kind : .mean,
        higherIsBetter: measure.higherIsBetter)
    }
  }

  /// A method beside the first of its world.
  public struct Difference: Sendable {
    /// The world's id.
    public let environment: String
    /// The method.
    public let method: String
    /// What it is compared with.
    public let over: String
    /// Each measure's comparison.
    public let byName: [(name: String, value: PairedComparison)]
  }

  /// The methods, world by world, in the order of the names.
  public var methods: [Method] {
    var found: [Method] = []
    for entry in entries {
      let world = entry.world.task.identifier
      if let place = found.firstIndex(where: {
        $0.name == entry.method && $0.environment == world
      }) {
        found[place] = Method(
          name: entry.method, environment: world, entries: found[place].entries + [entry])
      } else {
        found.append(Method(name: entry.method, environment: world, entries: [entry]))
      }
    }
    return found
  }

  /// Every method beside the first of its world.
  public var differences: [Difference] {
    let methods = methods
    return environments.flatMap { environment in
      let here = methods.filter { $0.environment == environment }
      return here.dropFirst().map { method in
        Difference(
          environment: environment, method: method.name, over: here[0].name,
          byName: Measure.all.indices.map {
            (Measure.all[$0].name, method.compared(with: here[0], $0))
          })
      }
    }
  }

  /// A method over several worlds.
  public struct Overall: Sendable {
    /// The method.
    public let method: String
    /// Mean, median, IQM and optimality gap of its runs' success, with stratified bootstrap intervals.
    public let aggregates: [(name: String, value: Estimate)]
    /// The probability that a run of it beats one of the first method on a world; nil for the first.
    public let improvement: Estimate?
  }

  /// Methods that were evaluated in all of several worlds, over all of them by their runs' success.
  ///
  /// Empty where there is one world, or where some method has one run only: an interval over runs
  /// needs runs.
  public var overall: [Overall] {
    guard environments.count > 1 else { return [] }
    let methods = methods
    let names = methods.reduce(into: [String]()) { if !$0.contains($1.name) { $0.append($1.name) } }
    let matrices = names.compactMap { name -> (String, ScoreMatrix)? in
      let own = environments.compactMap { world in
        methods.first { $0.name == name && $0.environment == world }
      }
      guard own.count == environments.count, own.allSatisfy({ $0.entries.count > 1 }) else {
        return nil
      }
      return (name, ScoreMatrix(own.map { $0.entries.map { $0.value(0) } }))
    }
    let bootstrap = StratifiedBootstrap()
    return matrices.enumerated().map { place, found in
      Overall(
        method: found.0,
        aggregates: zip(Aggregate.all, bootstrap.estimates(of: found.1)).map { ($0.name, $1) },
        improvement: place == 0
          ? nil : bootstrap.probabilityOfImprovement(of: found.1, over: matrices[0].1))
    }
  }
}

extension Comparison.Entry {
  /// The estimate of a measure, by its place.
  func value(_ measure: Int) -> Double { evaluation.byName[measure].value.estimate }
}
