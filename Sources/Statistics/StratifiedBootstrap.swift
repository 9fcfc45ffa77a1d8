import GoalCore

/// Draws the runs of each task again and again, with replacement, each task by itself.
///
/// The statistic's interval is that from 2.5 % to 97.5 % of its values, as `rliable`'s with the
/// method `percentile`. It differs from `rliable` in that a seed decides every draw, which
/// `rliable` ignores.
public struct StratifiedBootstrap: Sendable {
  /// Resamples.
  public var replicates: Int
  /// The seed of the draws.
  public var seed: UInt64

  /// Makes a bootstrap; 50,000 replicates are `rliable`'s default.
  public init(replicates: Int = 50_000, seed: UInt64 = Intervals.seed) {
    precondition(replicates > 0, "a bootstrap needs replicates, found \(replicates)")
    self.replicates = replicates
    self.seed = seed
  }

  /// The aggregates of a matrix with their intervals, all from the same draws.
  public func estimates(
    _ aggregates: [Aggregate] = Aggregate.all, of matrix: ScoreMatrix
  ) -> [Estimate] {
    let ranked = RankedScores(matrix)
    var generator = Xoshiro256(seed: seed)
    var resample = ranked.whole
    let found = aggregates.map { ranked.value(of: $0, resample) }
    var all = aggregates.map { _ in [Double]() }
    for k in all.indices { all[k].reserveCapacity(replicates) }
    for _ in 0..<replicates {
      ranked.draw(&resample, &generator)
      for (k, aggregate) in aggregates.enumerated() {
        all[k].append(ranked.value(of: aggregate, resample))
      }
    }
    return zip(found, all).map { estimate, values in
      let sorted = values.sorted()
      return Estimate(
        estimate: estimate, low: Intervals.quantile(sorted, 0.025),
        high: Intervals.quantile(sorted, 0.975), episodes: matrix.count)
    }
  }

  /// The aggregates over tasks in each of which runs were evaluated on the same starts, with their
  /// intervals.
  ///
  /// In each task both runs and starts are drawn: A. B. Owen's pigeonhole bootstrap, Annals of
  /// Applied Statistics 1 (2007). If the ends meet they are those of a rule of three over the
  /// starts, for scores within the range.
  public func estimates(
    _ aggregates: [Aggregate] = Aggregate.all, of tasks: [CrossedScores],
    in range: ClosedRange<Double>
  ) -> [Estimate] {
    func values(_ scores: [[Double]]) -> [Double] {
      let ranked = RankedScores(ScoreMatrix(scores))
      return aggregates.map { ranked.value(of: $0, ranked.whole) }
    }
    let found = values(
      tasks.map { task in task.scores.map { $0.reduce(0, +) / Double(task.starts) } })
    var generator = Xoshiro256(seed: seed)
    var all = aggregates.map { _ in [Double]() }
    for _ in 0..<replicates {
      let drawn = tasks.map { task in
        let starts = (0..<task.starts).map { _ in generator.below(task.starts) }
        return (0..<task.runs).map { _ in
          let run = task.scores[generator.below(task.runs)]
          return starts.reduce(0) { $0 + run[$1] } / Double(task.starts)
        }
      }
      for (k, value) in values(drawn).enumerated() { all[k].append(value) }
    }
    let (runs, starts) = (tasks.reduce(0) { $0 + $1.runs }, tasks.map(\.starts).min() ?? 1)
    return zip(found, all).map { estimate, values in
      let sorted = values.sorted()
      var ends = (
        low: Intervals.quantile(sorted, 0.025), high: Intervals.quantile(sorted, 0.975)
      )
      if ends.low == ends.high {
        ends = Intervals.agreeing(estimate, count: starts, in: range)
      }
      return Estimate(estimate: estimate, low: ends.low, high: ends.high, episodes: runs)
    }
  }

  /// The share of scores above each threshold, with pointwise intervals: a performance profile.
  ///
  /// The paper's "score distribution", `run_score_deviation` of `rliable`.
  public func profile(of matrix: ScoreMatrix, above thresholds: [Double]) -> [Estimate] {
    let ranked = RankedScores(matrix)
    // How many of the ascending scores are at most the threshold.
    let places = thresholds.map { threshold in
      ranked.sorted.firstIndex { $0 > threshold } ?? ranked.sorted.count
    }
    let total = Double(ranked.sorted.count)
    func shares(_ resample: RankedScores.Resample) -> [Double] {
      var below = [0]
      below.reserveCapacity(ranked.sorted.count + 1)
      for count in resample.counts { below.append(below[below.count - 1] + Int(count)) }
      return places.map { 1 - Double(below[$0]) / total }
    }
    var generator = Xoshiro256(seed: seed)
    var resample = ranked.whole
    let found = shares(resample)
    var all = [[Double]](repeating: [], count: thresholds.count)
    for _ in 0..<replicates {
      ranked.draw(&resample, &generator)
      for (k, share) in shares(resample).enumerated() { all[k].append(share) }
    }
    return zip(found, all).map { estimate, values in
      let sorted = values.sorted()
      return Estimate(
        estimate: estimate, low: Intervals.quantile(sorted, 0.025),
        high: Intervals.quantile(sorted, 0.975), episodes: matrix.count)
    }
  }

  /// The probability that a run of `matrix` beats one of `other` on a task, averaged over tasks,
  /// with the runs of both drawn apart.
  ///
  ///     mean_m  mean_{i, j} ( [x_mi > y_mj] + ½ [x_mi = y_mj] )
  ///
  /// `probability_of_improvement` of `rliable`. Both have the same tasks in one order.
  public func probabilityOfImprovement(
    of matrix: ScoreMatrix, over other: ScoreMatrix
  ) -> Estimate {
    precondition(
      matrix.scores.count == other.scores.count,
      "\(matrix.scores.count) and \(other.scores.count) tasks")
    let wins = zip(matrix.scores, other.scores).map { x, y in
      x.flatMap { a in y.map { b in a > b ? 1 : a == b ? 0.5 : 0 } }
    }
    /// The mean over tasks for drawn runs, `[M][N]` and `[M][N′]`.
    func mean(_ rows: [[Int]], _ columns: [[Int]]) -> Double {
      var total = 0.0
      for task in wins.indices {
        let width = other.scores[task].count
        var sum = 0.0
        wins[task].withUnsafeBufferPointer { wins in
          for row in rows[task] {
            for column in columns[task] { sum += wins[row * width + column] }
          }
        }
        total += sum / Double(rows[task].count * width)
      }
      return total / Double(wins.count)
    }
    var generator = Xoshiro256(seed: seed)
    var rows = matrix.scores.map { Array($0.indices) }
    var columns = other.scores.map { Array($0.indices) }
    let estimate = mean(rows, columns)
    var all = (0..<replicates).map { _ in
      for task in wins.indices {
        for k in rows[task].indices { rows[task][k] = generator.below(rows[task].count) }
        for k in columns[task].indices { columns[task][k] = generator.below(columns[task].count) }
      }
      return mean(rows, columns)
    }
    all.sort()
    return Estimate(
      estimate: estimate, low: Intervals.quantile(all, 0.025), high: Intervals.quantile(all, 0.975),
      episodes: matrix.count)
  }
}

/// Scores by their rank over all tasks, so that a resample is a count for each and needs no
/// sorting.
struct RankedScores {
  /// How often each score was drawn, in ascending order, and the sum of each task's draws.
  struct Resample {
    var counts: [Int32]
    var means: [Double]
  }

  /// All scores, ascending.
  let sorted: [Double]
  /// Where the scores of each task stand among them.
  private let places: [[Int]]

  init(_ matrix: ScoreMatrix) {
    let all = matrix.scores.enumerated().flatMap { task, scores in
      scores.map { (task: task, score: $0) }
    }.sorted { $0.score < $1.score }
    sorted = all.map(\.score)
    var places = matrix.scores.map { _ in [Int]() }
    for (place, entry) in all.enumerated() { places[entry.task].append(place) }
    self.places = places
  }

  /// Every score once.
  var whole: Resample {
    Resample(
      counts: [Int32](repeating: 1, count: sorted.count),
      means: places.map { task in task.reduce(0) { $0 + sorted[$1] } / Double(task.count) })
  }

  /// As many scores of each task as it has, drawn with replacement.
  func draw(_ resample: inout Resample, _ generator: inout Xoshiro256) {
    sorted.withUnsafeBufferPointer { sorted in
      resample.counts.withUnsafeMutableBufferPointer { counts in
        counts.update(repeating: 0)
        for (task, own) in places.enumerated() {
          var sum = 0.0
          own.withUnsafeBufferPointer { own in
            for _ in 0..<own.count {
              let place = own[generator.below(own.count)]
              counts[place] += 1
              sum += sorted[place]
            }
          }
          resample.means[task] = sum / Double(own.count)
        }
      }
    }
  }

  /// An aggregate of a resample.
  func value(of aggregate: Aggregate, _ resample: Resample) -> Double {
    switch aggregate {
    case .mean: return resample.means.reduce(0, +) / Double(resample.means.count)
    case .median: return Intervals.quantile(resample.means.sorted(), 0.5)
    case .interquartileMean:
      let cut = sorted.count / 4
      let (first, end) = (cut, sorted.count - cut)
      var (passed, sum) = (0, 0.0)
      for (place, count) in resample.counts.enumerated() where count > 0 {
        let next = passed + Int(count)
        let taken = min(next, end) - max(passed, first)
        if taken > 0 { sum += Double(taken) * sorted[place] }
        passed = next
        if passed >= end { break }
      }
      return sum / Double(end - first)
    case .optimalityGap(let target):
      var sum = 0.0
      for (place, count) in resample.counts.enumerated() {
        sum += Double(count) * min(sorted[place], target)
      }
      return target - sum / Double(sorted.count)
    }
  }
}
