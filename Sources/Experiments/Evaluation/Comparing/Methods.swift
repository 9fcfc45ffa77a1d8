import Environments
import GoalCore
public import Statistics
import Support

extension Comparison {
  /// The names of what is measured, in worlds of 50 steps.
  public static var measures: [String] { Measure.allCases.map { $0.name(horizon: 50) } }

  /// The measures that tables show: if all episodes end at their first success, those that say
  /// something of such episodes.
  var shown: [Measure] { Measure.allCases.filter { !endsAtSuccess || $0.saysOfEnds } }

  /// A measure's name in tables over all worlds.
  func name(_ measure: Measure) -> String {
    let horizons = Set(entries.map(\.world.task.spec.horizon))
    return measure.name(horizon: horizons.count == 1 ? horizons.first : nil)
  }

  /// A method's seeds in one world.
  public struct Method: Sendable {
    /// Its name in tables.
    public let name: String
    /// The world's id.
    public let environment: String
    /// Its seeds.
    public let entries: [Entry]

    private var task: GoalTask { entries[0].world.task }

    /// A measure: of several seeds for other seeds and other starts (`CrossedScores.level`), of one
    /// run its own.
    public subscript(measure: Measure) -> Estimate {
      entries.count > 1
        ? crossed(measure).level(in: measure.range(task)) : entries[0].evaluation[measure]
    }

    /// A measure on the task at a place in its list alone.
    subscript(measure: Measure, onTask place: Int) -> Estimate {
      let length = entries[0].scores.count / entries[0].tasks.count
      let runs = entries.map { Array($0.scores[place * length..<(place + 1) * length]) }
      return runs.count > 1
        ? measure.crossed(runs).level(in: measure.range(task))
        : measure.estimate(runs[0], task: task)
    }

    /// Each measure by its name.
    public var byName: [(name: String, value: Estimate)] {
      Measure.allCases.map { ($0.name(horizon: task.spec.horizon), self[$0]) }
    }

    /// Each measure on a task by its name.
    func byName(onTask place: Int) -> [(name: String, value: Estimate)] {
      Measure.allCases.map { ($0.name(horizon: task.spec.horizon), self[$0, onTask: place]) }
    }

    /// Its seeds' scores of a measure on the starts that all of them faced.
    func crossed(_ measure: Measure) -> CrossedScores {
      measure.crossed(entries.map(\.scores), tasks: max(1, entries[0].tasks.count))
    }

    /// This compared with another, on the episodes that both faced.
    func compared(with other: Method, on measure: Measure) -> PairedComparison {
      let (ours, theirs) = (crossed(measure), other.crossed(measure))
      // Two single runs: a share has an interval of its own.
      if ours.runs == 1, theirs.runs == 1, measure.kind == .proportion {
        return PairedComparison(
          ours.scores[0], over: theirs.scores[0], kind: measure.kind,
          higherIsBetter: measure.higherIsBetter)
      }
      return PairedComparison(
        ours, over: theirs, in: measure.range(task), higherIsBetter: measure.higherIsBetter)
    }
  }

  /// A method compared with the first of its world.
  public struct Difference: Sendable {
    /// The world's id.
    public let environment: String
    /// The method.
    public let method: String
    /// The method it is compared with.
    public let over: String
    /// Steps of an episode in the world.
    let horizon: Int
    private let all: [Measure: PairedComparison]

    /// A method compared with another of its world.
    init(_ method: Method, over other: Method) {
      (environment, self.method, over) = (method.environment, method.name, other.name)
      horizon = method.entries[0].world.task.spec.horizon
      all = Dictionary(
        uniqueKeysWithValues: Measure.allCases.map { ($0, method.compared(with: other, on: $0)) })
    }

    /// A measure's comparison.
    public subscript(measure: Measure) -> PairedComparison {
      guard let found = all[measure] else {
        preconditionFailure("methods are compared by every measure")
      }
      return found
    }

    /// Each measure's comparison by the measure's name.
    public var byName: [(name: String, value: PairedComparison)] {
      Measure.allCases.map { ($0.name(horizon: horizon), self[$0]) }
    }
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

  /// Every method compared with the first of its world.
  public var differences: [Difference] {
    let methods = methods
    return environments.flatMap { environment in
      let here = methods.filter { $0.environment == environment }
      return here.dropFirst().map { Difference($0, over: here[0]) }
    }
  }

  /// A method over several worlds.
  public struct Overall: Sendable {
    /// The method.
    public let method: String
    /// Its runs' success over the worlds: the mean, and from `PairedComparison.leastRuns` runs of
    /// each world on median, IQM and optimality gap, whose intervals draw runs and starts.
    public let aggregates: [(name: String, value: Estimate)]
    /// The probability that a run of it beats one of the first method on a world.
    ///
    /// It is nil for the first, and if either has fewer than `PairedComparison.leastRuns` runs of
    /// some world.
    public let improvement: Estimate?
  }

  /// Methods that were evaluated in all of several worlds, over all of them by their runs' success.
  ///
  /// Empty if there is one world, or if some method has one run only: an interval over runs
  /// needs runs.
  public var overall: [Overall] {
    guard environments.count > 1 else { return [] }
    let methods = methods
    let found = methods.map(\.name).uniqued.compactMap { name -> (String, [CrossedScores])? in
      let own = environments.compactMap { world in
        methods.first { $0.name == name && $0.environment == world }
      }
      guard own.count == environments.count, own.allSatisfy({ $0.entries.count > 1 }) else {
        return nil
      }
      return (name, own.map { $0.crossed(.success) })
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
      let mean = CrossedScores.mean(over: worlds, in: 0...1)
      let rest = Array(Aggregate.all.dropFirst())
      let others =
        isLarge(worlds)
        ? zip(
          rest,
          StratifiedBootstrap(replicates: 5_000).estimates(
            rest, of: worlds, in: 0...1)
        ).map { ($0.name, $1) } : []
      return Overall(
        method: name, aggregates: [(Aggregate.mean.name, mean)] + others,
        improvement: place == 0 || !isLarge(worlds) || !isLarge(found[0].1)
          ? nil
          : StratifiedBootstrap().probabilityOfImprovement(
            of: matrix(worlds), over: matrix(found[0].1)))
    }
  }

  /// The subject of the intervals, and what was left out, a sentence each.
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
      let others = Measure.allCases.filter { !$0.saysOfEnds }.map(name)
      lines.append(
        "episodes end at their first success: `--json` also has "
          + others.dropLast().joined(separator: ", ") + " and \(others.last ?? "")"
          + ", which say little of such")
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
