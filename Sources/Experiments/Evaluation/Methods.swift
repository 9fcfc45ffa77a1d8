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
  /// What it can be in a task's world.
  let range: @Sendable (GoalTask) -> ClosedRange<Double>
  /// Whether it says something of episodes that end at their first success.
  let saysOfEnds: Bool

  /// All of them, in the order of `Evaluation.byName`.
  static let all: [Measure] = [
    share("success", saysOfEnds: true) { $0.success },
    Measure(
      name: "return49", of: \.returnBeforeLast, kind: .mean, higherIsBetter: true,
      range: MeasureRange.returnBeforeLast, saysOfEnds: false),
    Measure(
      name: "return", of: \.fullReturn, kind: .mean, higherIsBetter: true,
      range: MeasureRange.fullReturn, saysOfEnds: false),
    Measure(
      name: "discounted_return", of: \.discountedReturn, kind: .mean, higherIsBetter: true,
      range: MeasureRange.discountedReturn, saysOfEnds: true),
    distance("final_distance", saysOfEnds: true) { $0.finalDistance },
    share("success49", saysOfEnds: false) { $0.successBeforeLast },
    distance("distance49", saysOfEnds: false) { $0.distanceBeforeLast },
  ]

  private static func share(
    _ name: String, saysOfEnds: Bool, _ isReached: @escaping @Sendable (EpisodeScore) -> Bool
  ) -> Measure {
    Measure(
      name: name, of: { isReached($0) ? 1 : 0 }, kind: .proportion, higherIsBetter: true,
      range: { _ in MeasureRange.share }, saysOfEnds: saysOfEnds)
  }

  private static func distance(
    _ name: String, saysOfEnds: Bool, _ of: @escaping @Sendable (EpisodeScore) -> Double
  ) -> Measure {
    Measure(
      name: name, of: of, kind: .mean, higherIsBetter: false,
      range: { _ in MeasureRange.distance }, saysOfEnds: saysOfEnds)
  }

  /// Several runs' scores of it on the same starts, of so many tasks with equally many.
  func crossed(_ runs: [[EpisodeScore]], tasks: Int = 1) -> CrossedScores {
    CrossedScores(runs.map { $0.map(of) }, parts: tasks)
  }
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

    /// Each measure: of several seeds for other seeds and other starts (`CrossedScores.level`), of one run its own.
    public var byName: [(name: String, value: Estimate)] {
      guard entries.count > 1 else { return entries.first?.evaluation.byName ?? [] }
      return Measure.all.map { ($0.name, crossed($0).level(in: range($0))) }
    }

    /// Each measure on the task at a place in its list alone.
    func byName(onTask place: Int) -> [(name: String, value: Estimate)] {
      let length = entries[0].scores.count / entries[0].tasks.count
      let runs = entries.map { Array($0.scores[place * length..<(place + 1) * length]) }
      guard runs.count > 1 else {
        return Evaluation(runs[0], task: entries[0].world.task).byName
      }
      return Measure.all.map { ($0.name, $0.crossed(runs).level(in: range($0))) }
    }

    /// Its seeds' scores of a measure on the starts that all of them faced.
    func crossed(_ measure: Measure) -> CrossedScores {
      measure.crossed(entries.map(\.scores), tasks: max(1, entries[0].tasks.count))
    }

    private func range(_ measure: Measure) -> ClosedRange<Double> {
      measure.range(entries[0].world.task)
    }

    /// This beside another, on the episodes that both faced.
    func compared(with other: Method, _ place: Int) -> PairedComparison {
      let measure = Measure.all[place]
      let (ours, theirs) = (crossed(measure), other.crossed(measure))
      // Two single runs: a share has an interval of its own.
      if ours.runs == 1, theirs.runs == 1, measure.kind == .proportion {
        return PairedComparison(
          ours.scores[0], over: theirs.scores[0], kind: measure.kind,
          higherIsBetter: measure.higherIsBetter)
      }
      return PairedComparison(
        ours, over: theirs, in: range(measure), higherIsBetter: measure.higherIsBetter)
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
    /// Its runs' success over the worlds: the mean, and from `PairedComparison.leastRuns` runs of each world on median,
    /// IQM and optimality gap, whose intervals draw runs and starts.
    public let aggregates: [(name: String, value: Estimate)]
    /// The probability that a run of it beats one of the first method on a world; nil for the first, and where either
    /// has fewer than `PairedComparison.leastRuns` runs of some world.
    public let improvement: Estimate?
  }

  /// Methods that were evaluated in all of several worlds, over all of them by their runs' success.
  ///
  /// Empty where there is one world, or where some method has one run only: an interval over runs
  /// needs runs.
  public var overall: [Overall] {
    guard environments.count > 1 else { return [] }
    let methods = methods
    let success = Measure.all[0]
    let found = methods.map(\.name).uniqued.compactMap { name -> (String, [CrossedScores])? in
      let own = environments.compactMap { world in
        methods.first { $0.name == name && $0.environment == world }
      }
      guard own.count == environments.count, own.allSatisfy({ $0.entries.count > 1 }) else {
        return nil
      }
      return (name, own.map { $0.crossed(success) })
    }
    func isLarge(_ worlds: [CrossedScores]) -> Bool {
      worlds.allSatisfy { $0.runs >= PairedComparison.leastRuns }
    }
    func matrix(_ worlds: [CrossedScores]) -> ScoreMatrix {
      ScoreMatrix(
        worlds.map { world in world.scores.map { $0.reduce(0, +) / Double(world.starts) } })
    }
    return found.enumerated().map { place, own in
      let (name, worlds) = own
      let mean = CrossedScores.mean(over: worlds, in: MeasureRange.share)
      let rest = Array(Aggregate.all.dropFirst())
      let others =
        isLarge(worlds)
        ? zip(
          rest,
          StratifiedBootstrap(replicates: 5_000).estimates(
            rest, of: worlds, in: MeasureRange.share)
        ).map { ($0.name, $1) } : []
      return Overall(
        method: name, aggregates: [(Aggregate.mean.name, mean)] + others,
        improvement: place == 0 || !isLarge(worlds) || !isLarge(found[0].1)
          ? nil
          : StratifiedBootstrap().probabilityOfImprovement(
            of: matrix(worlds), over: matrix(found[0].1)))
    }
  }

  /// What the intervals are about, and what was left out, a sentence each.
  public var notes: [String] {
    let methods = methods
    var lines: [String] = []
    if methods.contains(where: { $0.entries.count == 1 }) {
      lines.append("95 % intervals of one run: this checkpoint, on starts in general")
    }
    if methods.contains(where: { $0.entries.count > 1 }) {
      lines.append(
        "95 % intervals over seeds: the method, for training seeds and starts in general")
    }
    if let tasks = entries.map(\.tasks.count).max(), tasks > 0 {
      lines.append(
        "a task's interval is for starts of that task; the mean over tasks weighs them alike, and its interval "
          + "is for starts of these tasks")
    }
    if endsAtSuccess {
      lines.append(
        "episodes end at their first success: `--json` also has return49, return, success49 and distance49, "
          + "which say little of such")
    }
    let differences = differences
    if !differences.isEmpty {
      lines.append("differences are paired by start, and about starts in general")
    }
    let few = "of fewer than \(PairedComparison.leastRuns) seeds"
    if differences.contains(where: { $0.byName.contains { $0.value.improvement == nil } }) {
      lines.append("P(better success) \(few) is left out: its interval would be little but a range")
    }
    let overall = overall
    if overall.contains(where: { $0.aggregates.count < Aggregate.all.count }) {
      lines.append(
        "median, IQM, optimality gap and P(beats) \(few) are left out: their intervals would be "
          + "little but ranges")
    }
    return lines + (plan.map { [$0.note] } ?? [])
  }
}
