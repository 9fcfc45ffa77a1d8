/// How the goal of a row is drawn, given its episode of `T` steps.
///
/// Steps are numbered 0..<T and states 0...T. A row is a step `t` with its states `t` and `t + 1`.
public enum GoalSelection: Codable, Sendable, Equatable {
  /// The goal that the episode was collected with; the offset is 0.
  case original

  /// A state after the step, drawn uniformly, with probability `fraction`; otherwise the original.
  ///
  ///     t ~ U{0..T−1},  d ~ U{0..T−t−1},  g = m(s_{t+1+d})
  ///     P(d) = (1/T) · Σ_{n=d+1}^{T} 1/n
  ///
  /// The offset is `d`. Hindsight experience replay's "future" strategy with k goals has
  /// `fraction` 1 − 1/(1 + k); WGCSL's policy batch has 1. Source: WGCSL's code,
  /// github.com/YangRui2015/AWGCSL at d8f1c56, `wgcsl/algo/supervised_sampler.py`.
  case future(fraction: Double)

  /// GCSL's pair of states, drawn with the reference's weights.
  ///
  ///     a ~ U{0..L−2},  b ~ U{0..L−1},  b += 1 if a = b;  t = min(a, b),  goal state j = max(a, b)
  ///     P(t, j) = [1 + 1{j ≤ L−2} + 1{j = t+1}] / (L(L−1)),   0 ≤ t < j ≤ L−1
  ///
  /// over the `L` states of a trajectory; the offset is `j − t − 1`. Neighbours are drawn 3 times
  /// for every 2 of the others, and pairs that end at the last state half as often. Source:
  /// github.com/dibyaghosh/gcsl at cfae560, `gcsl/algo/buffer.py`. It differs in one way: the
  /// reference stores 50 states for 50 actions and so never uses the last action's effect; here
  /// `L = T + 1`.
  case pair
}

/// What a learner asks of the sampler.
public struct SamplingScheme: Codable, Sendable, Equatable {
  /// Rows in a batch, `B`.
  public var batchSize: Int
  /// The goals that the policy is trained on.
  public var policyGoals: GoalSelection
  /// Probability with which a row's value goal is the original goal rather than the policy's.
  public var originalValueGoals: Double

  /// Whether it draws goals that episodes were collected with.
  public var usesDesiredGoals: Bool {
    switch policyGoals {
    case .original: true
    case .future(let fraction): fraction < 1 || originalValueGoals > 0
    case .pair: originalValueGoals > 0
    }
  }

  /// Makes a scheme.
  public init(batchSize: Int, policyGoals: GoalSelection, originalValueGoals: Double) {
    precondition(batchSize > 0, "a batch has at least one row, found \(batchSize)")
    precondition(0...1 ~= originalValueGoals, "a probability, found \(originalValueGoals)")
    self.batchSize = batchSize
    self.policyGoals = policyGoals
    self.originalValueGoals = originalValueGoals
  }
}
