internal import Glibc

/// The exact distribution of a selection over an episode of a given length.
public struct GoalDistribution: Sendable {
  /// A step with a goal, and its probability.
  public struct Cell: Sendable, Equatable {
    /// The step, 0..<T.
    public let step: Int
    /// Where the goal comes from.
    public let origin: GoalOrigin
    /// `j − t − 1` of a goal state `j` of the episode; 0 for an original or random goal.
    public let offset: Int
    /// Its probability.
    public let probability: Double
  }

  /// Every step and goal that can be drawn, once each.
  public let cells: [Cell]
}

extension GoalSelection {
  /// The exact distribution of step and goal in an episode of `length` steps.
  public func distribution(length: Int) -> GoalDistribution {
    precondition(length > 0, "an episode has at least one step, found \(length)")
    var cells: [GoalDistribution.Cell] = []
    func add(_ step: Int, _ goal: Int, _ probability: Double) {
      guard probability > 0 else { return }
      cells.append(
        GoalDistribution.Cell(
          step: step, origin: goal == step ? .current : .trajectory, offset: goal - step - 1,
          probability: probability))
    }
    func add(_ step: Int, _ origin: GoalOrigin, _ probability: Double) {
      guard probability > 0 else { return }
      cells.append(
        GoalDistribution.Cell(step: step, origin: origin, offset: 0, probability: probability))
    }
    let (T, each) = (length, 1 / Double(length))
    switch self {
    case .original: for t in 0..<T { add(t, .original, each) }
    case .future(let fraction):
      for t in 0..<T {
        for j in t + 1...T { add(t, j, each * fraction / Double(T - t)) }
        add(t, .original, each * (1 - fraction))
      }
    case .final: for t in 0..<T { add(t, T, each) }
    case .episode: for t in 0..<T { for j in 0...T { add(t, j, each / Double(T + 1)) } }
    case .random: for t in 0..<T { add(t, .random, each) }
    case .mixture(let mixture):
      for t in 0..<T {
        let later = T - 1 - t
        add(t, t, each * (mixture.current + (later == 0 ? mixture.trajectory : 0)))
        for k in 0..<later {
          add(
            t, t + 1 + k, each * mixture.trajectory * mixture.probability(of: k + 1, later: later))
        }
        add(t, .random, each * mixture.random)
      }
    case .bounded(let steps):
      for t in 0..<T {
        let count = min(steps, T - t)
        for d in 0..<count { add(t, t + 1 + d, each / Double(count)) }
      }
    case .fixed(let steps):
      let horizon = min(steps, T)
      for t in 0...T - horizon { add(t, t + horizon, 1 / Double(T - horizon + 1)) }
    case .ahead(let steps): for t in 0..<T { add(t, min(t + steps, T), each) }
    case .pair(let rule, let states):
      let L = states.count(length: T)
      for i in 0..<L - 1 { for j in i + 1..<L { add(i, j, rule.probability(i, j, states: L)) } }
    case .chop(let minimum, let states):
      let last = states.count(length: T) - 1
      let shortest = min(minimum, last)
      for j in shortest...last { add(0, j, 1 / Double(last - shortest + 1)) }
    }
    return GoalDistribution(cells: cells)
  }
}

extension GoalMixture {
  /// The probability that a later state is the one `k` steps ahead, of `later` ones.
  func probability(of k: Int, later n: Int) -> Double {
    if let discount {
      return k < n ? (1 - discount) * pow(discount, Double(k - 1)) : pow(discount, Double(n - 1))
    }
    guard halvesEnds, n > 1 else { return 1 / Double(n) }
    return (k == 1 || k == n ? 0.5 : 1) / Double(n - 1)
  }
}

extension PairRule {
  /// The probability of start `i` and goal `j > i` among `states` states.
  func probability(_ i: Int, _ j: Int, states L: Int) -> Double {
    let pairs = Double(L * (L - 1))
    let isNext = j == i + 1
    switch self {
    case .gcsl: return Double(1 + (j <= L - 2 ? 1 : 0) + (isNext ? 1 : 0)) / pairs
    case .secondBelowLast:
      return Double((j <= L - 2 ? 2 : 0) + (isNext ? 1 : 0)) / Double((L - 1) * (L - 1))
    case .withoutSwap: return Double(1 + (isNext ? L - 1 - i : 0)) / pairs
    }
  }
}
