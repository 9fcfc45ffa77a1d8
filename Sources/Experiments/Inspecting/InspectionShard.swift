import Environments
import GoalCore
import Storage
import Statistics
import Support

/// The summary of one shard: sums of fixed size, a few numbers an episode, and its sampled rows.
struct ShardSummary: Sendable {
  /// Rows whose values are kept for quantiles.
  struct Samples: Sendable {
    let states: RowSample
    let steps: RowSample
  }

  /// Steps of each episode.
  private(set) var lengths: [Int] = []
  /// Return of each episode, 0/1, over all steps and over the first horizon − 1; empty without
  /// rewards.
  private(set) var returns: [Double] = []
  private(set) var returnsBeforeLast: [Double] = []
  /// Successes counted by step, and episodes at the end and ever; nil without successes.
  private(set) var successes: (byStep: [Int], atEnd: Int, ever: Int)?
  /// Steps of each source; nil if it is not stored.
  private(set) var sources: [Int]?
  /// The longest way in one step of each of the world's things; empty if the world is not known.
  private(set) var largestSteps: [Double]
  private(set) var observations: ColumnSums
  private(set) var achieved: ColumnSums
  private(set) var desired: ColumnSums
  private(set) var actions: ActionSummary
  /// Sampled rows of observations, `[n, O]`.
  private(set) var sampledObservations: [Float] = []

  /// Reads a shard of `dataset`, whose first step is number `firstStep` of all and whose first
  /// state is number `firstState`.
  init(
    _ reader: ShardReader, task: GoalTask, firstStep: Int, firstState: Int, samples: Samples,
    things: [PlausibleBounds.Thing] = []
  ) throws {
    let spec = task.spec
    let columns = try reader.columns()
    defer { withExtendedLifetime(columns) {} }
    lengths = columns.lengths
    observations = ShardSummary.sums(columns.observations, spec.observation)
    achieved = ShardSummary.sums(columns.achievedGoals, spec.goal)
    desired =
      columns.desiredGoals.map { ShardSummary.sums($0, spec.goal) } ?? ColumnSums(width: spec.goal)
    sampledObservations = samples.states.values(
      of: columns.observations, width: spec.observation, from: firstState)
    actions = ActionSummary(columns.actions, spec.action, firstStep: firstStep, samples.steps)

    largestSteps = things.map { thing in
      var (largest, row) = (0.0, 0)
      for length in columns.lengths {
        for t in row..<row + length {
          let squares = thing.indices.map { k in
            let step =
              Double(columns.observations[(t + 1) * spec.observation + k])
              - Double(columns.observations[t * spec.observation + k])
            return step * step
          }
          largest = max(largest, squares.reduce(0, +).squareRoot())
        }
        row += length + 1
      }
      return largest
    }

    if reader.has(.rewards) {
      let rewards = try reader.floats(.rewards)
      for steps in steps {
        let gains = steps.map { Double(rewards[$0]) + 1 }
        returns.append(gains.reduce(0, +))
        returnsBeforeLast.append(gains.prefix(spec.horizon - 1).reduce(0, +))
      }
    }
    if reader.has(.successes) {
      let flags = try reader.column(.successes, as: UInt8.self)
      var found = (byStep: [Int](repeating: 0, count: lengths.max() ?? 0), atEnd: 0, ever: 0)
      for steps in steps {
        var isEver = false
        for step in steps where flags[step] != 0 {
          found.byStep[step - steps.lowerBound] += 1
          isEver = true
        }
        found.atEnd += flags[steps.upperBound - 1] != 0 ? 1 : 0
        found.ever += isEver ? 1 : 0
      }
      successes = found
    }
    if reader.has(.sources) {
      var counts = [Int](repeating: 0, count: BehaviourSource.allCases.count)
      for (row, value) in try reader.column(.sources, as: UInt8.self).enumerated() {
        guard counts.indices.contains(Int(value)) else {
          throw FileError.wrongValue(
            file: reader.path, dataset: ShardColumn.sources.rawValue, rule: "must be 0, 1 or 2",
            row: row, found: "\(value)")
        }
        counts[Int(value)] += 1
      }
      sources = counts
    }
  }

  /// Adds the next shard.
  mutating func merge(_ other: ShardSummary) {
    lengths += other.lengths
    returns += other.returns
    returnsBeforeLast += other.returnsBeforeLast
    largestSteps = zip(largestSteps, other.largestSteps).map { max($0, $1) }
    observations.merge(other.observations)
    achieved.merge(other.achieved)
    desired.merge(other.desired)
    actions.merge(other.actions)
    sampledObservations += other.sampledObservations
    if let mine = successes, let more = other.successes {
      successes = (
        ShardSummary.sum(mine.byStep, more.byStep), mine.atEnd + more.atEnd, mine.ever + more.ever
      )
    } else {
      successes = nil
    }
    if let mine = sources, let more = other.sources {
      sources = ShardSummary.sum(mine, more)
    } else {
      sources = nil
    }
  }

  /// The steps of each episode.
  private var steps: [Range<Int>] {
    var start = 0
    return lengths.map { length in
      defer { start += length }
      return start..<start + length
    }
  }

  /// Sums of two lists, the shorter one filled up with zeros.
  static func sum(_ a: [Int], _ b: [Int]) -> [Int] {
    (0..<max(a.count, b.count)).map { ($0 < a.count ? a[$0] : 0) + ($0 < b.count ? b[$0] : 0) }
  }

  /// Sums over rows `[n, width]`, given to them in pieces that fit the cache.
  static func sums(_ values: UnsafeBufferPointer<Float>, _ width: Int) -> ColumnSums {
    let piece = 256 * width
    return ColumnSums(
      width: width,
      pieces: stride(from: 0, to: values.count, by: piece).lazy.map {
        Array(values[$0..<min($0 + piece, values.count)])
      })
  }
}

/// The summary of a shard's actions.
struct ActionSummary: Sendable {
  /// Bins of a dimension's histogram, from the lowest to the highest action of the space.
  static let bins = 10

  /// Sums over continuous actions.
  private(set) var sums: ColumnSums?
  /// Sampled rows, `[n, A]`.
  private(set) var sampled: [Float] = []
  /// Counts in bins, `[A, 10]`, of continuous actions; what lies outside the space is in no bin.
  private(set) var binned: [[Int]] = []
  /// Values outside the space, `[A]`, of continuous actions.
  private(set) var outside: [Int] = []
  /// Steps of each discrete action.
  private(set) var counts: [Int] = []

  init(
    _ actions: TrajectoryColumns.Actions, _ space: ActionSpace, firstStep: Int, _ sample: RowSample
  ) {
    switch (actions, space) {
    case (.continuous(let values), .continuous(let low, let high)):
      let width = low.count
      sums = ShardSummary.sums(values, width)
      sampled = sample.values(of: values, width: width, from: firstStep)
      outside = [Int](repeating: 0, count: width)
      binned = [[Int]](repeating: [Int](repeating: 0, count: Self.bins), count: width)
      for k in 0..<width {
        let scale = Double(Self.bins) / (Double(high[k]) - Double(low[k]))
        for place in stride(from: k, to: values.count, by: width) {
          let value = values[place]
          guard low[k]...high[k] ~= value else {
            outside[k] += 1
            continue
          }
          let bin = Int((Double(value) - Double(low[k])) * scale)
          binned[k][min(bin, Self.bins - 1)] += 1
        }
      }
    case (.discrete(let numbers), .discrete(let count)):
      counts = [Int](repeating: 0, count: count)
      for number in numbers { counts[Int(number)] += 1 }
    default: preconditionFailure("actions of another kind than the task's")
    }
  }

  mutating func merge(_ other: ActionSummary) {
    if let more = other.sums { sums?.merge(more) }
    sampled += other.sampled
    for k in binned.indices { binned[k] = ShardSummary.sum(binned[k], other.binned[k]) }
    outside = ShardSummary.sum(outside, other.outside)
    counts = ShardSummary.sum(counts, other.counts)
  }
}
