public import GoalCore

/// Which states and actions of an episode make a sequence, given its start `t` and goal state `j`.
public enum Window: Codable, Sendable, Equatable {
  /// The start and the states before it, `t−W+1...t`, at the end of the window: histories, and
  /// frames to stack. The action of the start is in the last place.
  case before(steps: Int, padding: FramePadding = .zeros)
  /// The start and what follows, `t...t+W−1`, to the end of the episode: action chunks.
  case after(steps: Int)
  /// The same with a length drawn for each row, uniformly in a range.
  case sampled(steps: ClosedRange<Int>)
  /// From the start to the goal state, `t...j`, with the actions `t..<j`; and the states before the
  /// start, if `history`: pre-states, of which the last `steps` that fit are kept.
  ///
  /// `inclusive` asks for the action at the goal state too, as `traj_idm` of the log does.
  case toGoal(steps: Int, history: Bool = false, inclusive: Bool = false)
  /// The whole episode, or its first `steps` states if it has more: a trajectory.
  case episode(steps: Int)

  /// Places in a window, `W`.
  public var steps: Int {
    switch self {
    case .before(let steps, _), .after(let steps), .toGoal(let steps, _, _), .episode(let steps):
      steps
    case .sampled(let range): range.upperBound
    }
  }
}

/// The padding of a history before the episode's first state.
public enum FramePadding: String, Codable, Sendable, CaseIterable {
  /// Zeros.
  case zeros
  /// The first state again, as OGBench stacks frames; the mask says that it is padding.
  case first
}

extension Window {
  /// The first rule that it breaks, or nil: a window up to the goal needs `goals` that are later
  /// states of the row's own episode.
  func fault(for goals: GoalSelection) -> String? {
    if steps < 1 { return "a window has at least 1 place, found \(steps)" }
    if case .sampled(let range) = self, range.lowerBound < 1 {
      return "a window has at least 1 place, found \(range)"
    }
    guard case .toGoal = self else { return nil }
    switch goals {
    case .future(fraction: 1), .final, .bounded, .fixed, .ahead, .pair, .chop: return nil
    default: return "a window up to the goal needs goals that are later states of the episode"
    }
  }
}

/// The sequences of a batch, one a row.
///
/// Shapes: `B` rows, `W` places, `O` observation, `A` action.
public struct WindowColumns: Sendable {
  /// Places in a window, `W`.
  public let steps: Int
  /// States, `[B, W, O]`; padding where `mask` is 0.
  public var observations: [Float]
  /// Actions taken in these states, `[B, W, A]` or `[B, W]`; zeros if `actionMask` is 0.
  public var actions: ActionColumn
  /// 1 if a place holds a state of the window, else 0, `[B, W]`.
  public var mask: [Float]
  /// 1 if a place holds an action of the window, else 0, `[B, W]`.
  public var actionMask: [Float]
  /// The number of each state within its episode, `[B, W]`; 0 in padding.
  public var times: [Int32]
  /// The place of the start in the window, `[B]`; −1 if it did not fit.
  public var starts: [Int32]
  /// The place of the goal state in the window, `[B]`; −1 if it is not there.
  public var goals: [Int32]

  /// Makes sequences of zeros for so many rows.
  public init(_ window: Window, rows: Int, spec: GoalSpec) {
    steps = window.steps
    let places = rows * steps
    observations = [Float](repeating: 0, count: places * spec.observation)
    switch spec.action {
    case .continuous(let low, _):
      actions = .continuous([Float](repeating: 0, count: places * low.count))
    case .discrete: actions = .discrete([Int32](repeating: 0, count: places))
    }
    mask = [Float](repeating: 0, count: places)
    actionMask = mask
    times = [Int32](repeating: 0, count: places)
    starts = [Int32](repeating: 0, count: rows)
    goals = starts
  }
}
