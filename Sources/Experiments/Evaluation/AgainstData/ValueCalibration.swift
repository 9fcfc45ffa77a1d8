import GoalCore
public import Learners
public import Statistics

/// A learner's values compared with how soon the data reached the goals.
///
/// The hitting time h of a step t and a goal g is the least h ≥ 1 with the achieved goal of s_{t+h}
/// at g, along the data. A policy that is better than the data reaches it sooner, so its values may
/// well be above those of h; values far above mean that the critic promises what cannot be.
public struct ValueCalibration: Codable, Sendable {
  /// Rows of similar hitting times.
  public struct Group: Codable, Sendable {
    /// The least hitting time, steps.
    public let from: Int
    /// The largest.
    public let to: Int
    /// Rows.
    public let rows: Int
    /// The mean value.
    public let value: Estimate
    /// The mean of what it would be if the goal were reached as in the data, and kept.
    public let reached: Double
    /// The mean discounted return along the rest of the data's episode.
    public let behaviour: Double
    /// The median of the steps that values say.
    public let saidSteps: Double
  }

  /// The scale of values.
  public let scale: ValueScale
  /// By hitting time: 1, 2 to 3, 4 to 7, ...
  public let groups: [Group]
  /// The mean of |V − V(h)| (1 − γ): 0 for values that say h everywhere, 1 at most.
  public let error: Estimate
  /// Spearman's rank correlation of values and hitting times, its sign turned: 1 if values order
  /// goals as the data reached them.
  public let rankCorrelation: Double

  /// A row before its value is known.
  struct Row: Sendable {
    let episode: Int
    let observation: [Float]
    let goal: [Float]
    let hitting: Int
    /// Rewards of the data towards that goal from here on, 0/1.
    let gains: [Bool]
  }

  /// The rows of an episode: the same steps and goals as for actions.
  static func rows(
    of episode: DatasetSample.Episode, number: Int, task: GoalTask, draws: Int, seed: UInt64
  ) -> [Row] {
    let trajectory = episode.trajectory
    return ActionErrors.steps(of: episode, draws: draws, seed: seed).map { t, k in
      let goal = trajectory.achievedGoal(t + k, length: task.spec.goal)
      let gains = (t + 1...trajectory.length).map { state in
        task.isReached(trajectory.achievedGoal(state, length: task.spec.goal), goal)
      }
      return Row(
        episode: number, observation: trajectory.observation(t, length: task.spec.observation),
        goal: goal, hitting: (gains.firstIndex(of: true) ?? k - 1) + 1, gains: gains)
    }
  }

  /// Asks a learner for the values of rows; nil without rows, or if it has no values.
  init?(_ rows: [Row], of learner: any GoalValuing) {
    guard let scale = learner.valueScale, !rows.isEmpty else { return nil }
    let values = learner.values(
      observations: rows.flatMap(\.observation), goals: rows.flatMap(\.goal), rows: rows.count
    ).map(Double.init)
    self.scale = scale
    let wanted = rows.map { scale.value(reachedIn: Double($0.hitting)) }
    let longest = rows.map(\.hitting).max() ?? 1
    let starts = ActionErrors.offsets(upTo: longest)
    groups = starts.compactMap { start in
      let chosen = rows.indices.filter { start..<2 * start ~= rows[$0].hitting }
      guard !chosen.isEmpty else { return nil }
      let mean = { (numbers: [Double]) in numbers.reduce(0, +) / Double(numbers.count) }
      let steps = chosen.map { scale.steps(of: values[$0]) }.sorted()
      return Group(
        from: start, to: min(2 * start - 1, longest), rows: chosen.count,
        value: Self.mean(of: chosen.map { values[$0] }, in: chosen.map { rows[$0].episode }),
        reached: mean(chosen.map { wanted[$0] }),
        behaviour: mean(chosen.map { scale.value(ofStates: rows[$0].gains) }),
        saidSteps: steps[steps.count / 2])
    }
    error = Self.mean(
      of: zip(values, wanted).map { abs($0 - $1) * (1 - scale.discount) }, in: rows.map(\.episode),
      within: 0...(.infinity))
    rankCorrelation = Ranks.correlation(values, rows.map { -Double($0.hitting) })
  }

  /// A mean with an interval over episodes.
  private static func mean(
    of values: [Double], in episodes: [Int],
    within range: ClosedRange<Double> = -.infinity ... .infinity
  ) -> Estimate {
    let groups = Dictionary(grouping: zip(episodes, values), by: \.0).sorted { $0.key < $1.key }
    return Intervals.mean(
      sums: groups.map { $0.value.reduce(0) { $0 + $1.1 } },
      counts: groups.map { Double($0.value.count) }, in: range)
  }
}

/// Ranks of numbers.
enum Ranks {
  /// Spearman's correlation: Pearson's of the ranks, ties by their mean rank; 0 if either is
  /// constant.
  static func correlation(_ x: [Double], _ y: [Double]) -> Double {
    let (a, b) = (ranks(x), ranks(y))
    let middle = Double(x.count - 1) / 2
    var (ab, aa, bb) = (0.0, 0.0, 0.0)
    for k in a.indices {
      ab += (a[k] - middle) * (b[k] - middle)
      aa += (a[k] - middle) * (a[k] - middle)
      bb += (b[k] - middle) * (b[k] - middle)
    }
    return aa > 0 && bb > 0 ? ab / (aa * bb).squareRoot() : 0
  }

  private static func ranks(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = [Double](repeating: 0, count: values.count)
    var start = 0
    while start < order.count {
      var end = start
      while end + 1 < order.count, values[order[end + 1]] == values[order[start]] { end += 1 }
      for place in start...end { ranks[order[place]] = Double(start + end) / 2 }
      start = end + 1
    }
    return ranks
  }
}
