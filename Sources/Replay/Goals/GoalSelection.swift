/// How a row's step and goal are drawn, given its episode of `T` steps.
///
/// Steps are numbered 0..<T and states 0...T. A row is a step `t` with its states `t` and `t + 1`.
/// Its goal is that of a state `j` of the same episode, of a state of any episode, or the original
/// one. The offset of a goal state is `d = j − t − 1`: 0 for the next state, −1 for the present
/// one.
///
/// `distribution(length:)` computes what the closed forms below say. Sources: WGCSL,
/// github.com/YangRui2015/AWGCSL at d8f1c56, `wgcsl/algo/supervised_sampler.py`; HER, Andrychowicz
/// et al., "Hindsight Experience Replay", NeurIPS 2017, arXiv:1707.01495, section 4.5; GCSL,
/// github.com/dibyaghosh/gcsl at cfae560, `gcsl/algo/buffer.py`; OGBench,
/// github.com/seohongpark/ogbench at 1d41409, `impls/utils/datasets.py`; the log,
/// github.com/miladsamim/GCRL, `gcsl/gcsl/algo/{masking,pact,pact_single}.py`.
public enum GoalSelection: Codable, Sendable, Equatable {
  /// The goal that the episode was collected with; the offset is 0.
  ///
  ///     t ~ U{0..T−1},  g = the episode's own
  case original

  /// A state after the step, drawn uniformly, with probability `fraction`; otherwise the original.
  ///
  ///     t ~ U{0..T−1},  d ~ U{0..T−t−1},  g = m(s_{t+1+d})
  ///     P(d) = (1/T) · Σ_{n=d+1}^{T} 1/n
  ///
  /// HER's "future" strategy with k goals has `fraction` 1 − 1/(1 + k); WGCSL's policy batch has 1.
  case future(fraction: Double)

  /// The episode's last state.
  ///
  ///     t ~ U{0..T−1},  g = m(s_T),   P(d) = 1/T,  0 ≤ d ≤ T−1
  ///
  /// HER's "final" strategy.
  case final

  /// Any state of the episode, earlier ones and the present one too.
  ///
  ///     t ~ U{0..T−1},  j ~ U{0..T},   P(t, j) = 1 / (T(T+1))
  ///
  /// HER's "episode" strategy.
  case episode

  /// Any state of any episode, which is drawn as a row's is.
  ///
  ///     t ~ U{0..T−1};  e′ as the row's episode,  j ~ U{0..T′},  g = m(s′_j)
  ///
  /// HER's "random" strategy.
  case random

  /// OGBench's mixture: the present state, a later state of the episode, or a random one.
  case mixture(GoalMixture)

  /// A state at most `steps` steps after the step's own: a bounded horizon.
  ///
  ///     t ~ U{0..T−1},  d ~ U{0..min(H, T−t)−1}
  case bounded(steps: Int)

  /// The state exactly `steps` steps after the step's own: a fixed horizon.
  ///
  ///     h = min(H, T),  t ~ U{0..T−h},  d = h − 1
  ///
  /// An episode that is shorter than the horizon gives its first and last state.
  case fixed(steps: Int)

  /// The state `steps` steps ahead, or the last one if the episode ends before: a subgoal.
  ///
  ///     t ~ U{0..T−1},  j = min(t + k, T)
  ///     P(d) = 1/T for d < k−1,   P(k−1) = (T−k+1)/T,   k ≤ T
  ///
  /// The log's k-ahead mask. HIQL's low-level goal (`SamplingScheme.subgoalSteps`) stops at T − 1
  /// instead.
  case ahead(steps: Int)

  /// A pair of states of which the earlier is the start and the later the goal.
  ///
  /// `rule` says how the pair comes about, over the `L` states that `states` allows: `PairRule` has
  /// the closed forms.
  case pair(_ rule: PairRule = .gcsl, states: PairStates = .all)

  /// The first states of an episode up to a drawn one, which is the goal.
  ///
  ///     m = min(minimum, L−1),  j ~ U{m..L−1},  t = 0
  ///
  /// PACT's and the decision transformer's chop in the log, with minimum 3.
  case chop(minimum: Int, states: PairStates = .all)

  /// Whether the step is uniform and the goal drawn given the step, so that another goal can be
  /// drawn for the same step.
  public var stepIsUniform: Bool {
    switch self {
    case .fixed, .pair, .chop: false
    default: true
    }
  }

  /// Whether a row's goal can be the original one, of which the data hold no state.
  public var drawsOriginal: Bool {
    switch self {
    case .original: true
    case .future(let fraction): fraction < 1
    default: false
    }
  }

  /// The first rule that a parameter breaks, or nil: probabilities lie in 0...1 and add up to 1,
  /// steps are at least 1, a discount is in 0..<1.
  public var fault: String? {
    switch self {
    case .future(let fraction) where !(0...1 ~= fraction):
      "fraction must be from 0 to 1, found \(fraction)"
    case .bounded(let steps), .fixed(let steps), .ahead(let steps):
      1..<Self.stepLimit ~= steps ? nil : "steps must be at least 1, found \(steps)"
    case .chop(let minimum, _):
      1..<Self.stepLimit ~= minimum ? nil : "minimum must be at least 1, found \(minimum)"
    case .mixture(let mixture): mixture.fault
    default: nil
    }
  }

  private static let stepLimit = 1 << 31
}

/// OGBench's mixture of goals: the present state, a later state of the same episode, a random
/// state.
///
///     t ~ U{0..T−1}
///     with probability p_current       j = t
///     else with p_trajectory/(1 − p_current)   j = a later state
///     else                             g = m(s′_j),  j ~ U{0..T′−1} of a drawn episode
///
/// No goal is an episode's last state, s_T: the reference cuts trajectories off at the last state
/// in which an action was taken, s_{T−1}, and draws random goals from those states. There are n =
/// T−1−t later states; if n = 0, j = t. A later state is uniform, `j ~ U{t+1..T−1}`, or geometric
/// with a discount, cut off at the end:
///
///     P(j = t+k) = (1 − γ) γ^{k−1}  for k < n,     P(j = t+n) = γ^{n−1}
///
/// or, if `halvesEnds` (the reference's uniform draw rounds a point of an interval): 1/(2(n−1)) for
/// the first and the last, 1/(n−1) for those between; 1 if n = 1.
public struct GoalMixture: Codable, Sendable, Equatable {
  /// Probability of the present state.
  public var current: Double
  /// Probability of a later state of the episode.
  public var trajectory: Double
  /// Probability of a random state.
  public var random: Double
  /// The discount of a geometric draw, or nil for a uniform one.
  public var discount: Double?
  /// Whether a uniform draw takes the first and the last later state half as often, as the
  /// reference does.
  public var halvesEnds: Bool

  /// Makes a mixture.
  public init(
    current: Double, trajectory: Double, random: Double, discount: Double? = nil,
    halvesEnds: Bool = false
  ) {
    self.current = current
    self.trajectory = trajectory
    self.random = random
    self.discount = discount
    self.halvesEnds = halvesEnds
  }

  /// OGBench's value goals: 0.2 present, 0.5 later with a geometric draw, 0.3 random.
  public static func value(discount: Double = 0.99) -> GoalMixture {
    GoalMixture(current: 0.2, trajectory: 0.5, random: 0.3, discount: discount)
  }

  /// OGBench's actor goals: a later state of the episode, drawn as the reference does.
  public static let actor = GoalMixture(current: 0, trajectory: 1, random: 0, halvesEnds: true)

  var fault: String? {
    let parts = [current, trajectory, random]
    guard parts.allSatisfy({ 0...1 ~= $0 }), abs(parts.reduce(0, +) - 1) < 1e-9 else {
      return "current, trajectory and random must be from 0 to 1 and add up to 1, found "
        + parts.map { "\($0)" }.joined(separator: ", ")
    }
    guard let discount else { return nil }
    return 0..<1 ~= discount ? nil : "discount must be from 0 up to below 1, found \(discount)"
  }
}

/// How a pair of states comes about, over `L` states of an episode; `i < j` are start and goal.
public enum PairRule: String, Codable, Sendable, CaseIterable {
  /// GCSL's.
  ///
  ///     a ~ U{0..L−2},  b ~ U{0..L−1},  b += 1 if a = b;  i = min(a, b),  j = max(a, b)
  ///     P(i, j) = [1 + 1{j ≤ L−2} + 1{j = i+1}] / (L(L−1))
  ///
  /// Neighbours are drawn 3 times for every 2 of the others, and pairs that end at the last state
  /// half as often.
  case gcsl
  /// The log's, whose second number leaves out the last state too.
  ///
  ///     a, b ~ U{0..L−2},  b += 1 if a = b;  i = min(a, b),  j = max(a, b)
  ///     P(i, j) = [2 · 1{j ≤ L−2} + 1{j = i+1}] / (L−1)²
  ///
  /// `_indicies` of pact_single.py: the last state is a goal only of its neighbour.
  case secondBelowLast
  /// The log's faulty generator, which does not swap.
  ///
  ///     a ~ U{0..L−2},  b ~ U{0..L−1};  i = min(a, b),  j = b if b > i, else i + 1
  ///     P(i, j) = [1 + 1{j = i+1} (L−1−i)] / (L(L−1))
  ///
  /// Half of all goals and 1/L are the next state. `nll` of pact_single.py.
  case withoutSwap
}

/// Which states of an episode of `T` steps a pair is drawn from.
public enum PairStates: String, Codable, Sendable, CaseIterable {
  /// All of them, `L = T + 1`.
  case all
  /// Those in which an action was taken, `L = T`: the reference of GCSL stores 50 states for 50
  /// actions, and the last action's effect is never a goal. An episode of one step has its one
  /// pair.
  case beforeActions

  /// `L` for an episode of `T` steps.
  func count(length: Int) -> Int {
    switch self {
    case .all: length + 1
    case .beforeActions: max(2, length)
    }
  }
}

/// Where the goal of a row came from.
public enum GoalOrigin: UInt8, Codable, Sendable, CaseIterable {
  /// The goal that the episode was collected with.
  case original
  /// The state before the step.
  case current
  /// Another state of the episode.
  case trajectory
  /// A state drawn from all episodes.
  case random
}
