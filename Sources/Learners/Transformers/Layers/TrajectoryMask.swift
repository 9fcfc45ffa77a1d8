internal import GoalCore
internal import Replay
internal import Torch

/// Which states of a trajectory a state attends to; `i` and `j` are the row's start and goal state.
///
/// Source: the log's code, github.com/miladsamim/GCRL, `gcsl/gcsl/algo/masking.py`.
public enum TrajectoryMask: String, SettingChoice {
  /// Every state.
  case all
  /// Itself and the states before it.
  case causal
  /// The same and one later state, its goal, drawn once a batch for each state.
  case randomGoal = "random-goal"
  /// The same with the goal a fixed number of steps ahead.
  case ahead
  /// The states from start to goal.
  case base
  /// Start and goal.
  case restrictive
  /// The states up to the goal.
  case pre
  /// Itself.
  case diagonal

  /// Whether the mask is that of one row, with its start and goal.
  var isOfRow: Bool {
    switch self {
    case .base, .restrictive, .pre: true
    case .all, .causal, .randomGoal, .ahead, .diagonal: false
    }
  }

  /// Whether each state but the last has a goal of its own.
  var hasGoalOfEachState: Bool { self == .randomGoal || self == .ahead }

  /// Whether state `q` attends to state `k`, for start `i` and goal `j`; `column` is the goal of
  /// `q`.
  func sees(_ q: Int, _ k: Int, start i: Int, goal j: Int, column: Int? = nil) -> Bool {
    switch self {
    case .all: true
    case .causal: k <= q
    case .randomGoal, .ahead: k <= q || k == column
    case .base: i...max(i, j) ~= k
    case .restrictive: k == i || k == j
    case .pre: k <= j
    case .diagonal: k == q
    }
  }

  /// The matrix `[L, L]`, row by row: whether state `q` attends to state `k`.
  func matrix(states: Int, start: Int, goal: Int, columns: [Int] = []) -> [Bool] {
    (0..<states * states).map { place in
      let (q, k) = (place / states, place % states)
      return sees(q, k, start: start, goal: goal, column: q < columns.count ? columns[q] : nil)
    }
  }
}

/// Attention's bias of what is seen: 0, or −∞.
enum AttentionBias {
  /// The bias `[B, 1, T, S]` of whether each query sees each key; a query that sees none sees
  /// itself, or the first key, so that nothing is divided by 0.
  static func of(_ sees: [Bool], rows: Int, queries: Int, keys: Int) -> Tensor {
    precondition(sees.count == rows * queries * keys, "one answer for each pair")
    return Tensor(shape: [rows, 1, queries, keys]) { memory in
      for row in 0..<rows * queries {
        var none = true
        for k in row * keys..<(row + 1) * keys {
          memory[k] = sees[k] ? 0 : -.infinity
          if sees[k] { none = false }
        }
        if none { memory[row * keys + (queries == keys ? row % queries : 0)] = 0 }
      }
    }
  }

  /// Itself and what stands before it, `[1, 1, T, T]`.
  static func causal(_ tokens: Int) -> Tensor {
    of(
      (0..<tokens * tokens).map { $0 % tokens <= $0 / tokens }, rows: 1, queries: tokens,
      keys: tokens)
  }
}
