import GoalCore

extension Sampler {
  /// Fills the window about each row of batch number `number`, whose rows are drawn.
  func fill(_ window: Window, _ number: UInt64, into batch: inout GoalBatch) {
    guard var columns = batch.window else {
      preconditionFailure("a batch with windows was asked for, found one without")
    }
    batch.window = nil  // taken out while it is written, so that it is not copied
    var key = Philox(seed: seed, purpose: Self.windowStream, index: number)
    var generator = Xoshiro256(seed: key.next())
    for row in 0..<batch.count {
      let table = sources[Int(batch.sources[row])].source.table
      let episode = table[Int(batch.episodes[row])]
      let start = Int(batch.steps[row])
      let origin = batch.policyOrigins[row]
      let goal =
        origin == .trajectory || origin == .current ? start + 1 + Int(batch.offsets[row]) : nil
      let span = Span(window, start: start, goal: goal, of: episode.steps, &generator)
      columns.fill(
        row, span, episode, table.strides, observation: task.spec.observation,
        repeatsFirst: window.repeatsFirst)
    }
    batch.window = columns
  }

  /// The purpose that separates the windows' stream from a run's others.
  private static let windowStream: UInt64 = 0x5749_4e44  // "WIND"
}

extension Window {
  /// Whether padding before the first state is the first state again.
  fileprivate var repeatsFirst: Bool {
    if case .before(_, .first) = self { true } else { false }
  }
}

/// The contents of a window: states, actions, and the place of the first state.
private struct Span {
  var states: Range<Int>
  var actions: Range<Int>
  var place = 0
  var start: Int
  var goal: Int?

  init(
    _ window: Window, start: Int, goal: Int?, of length: Int, _ generator: inout Xoshiro256
  ) {
    (self.start, self.goal) = (start, goal)
    let W = window.steps
    switch window {
    case .before:
      states = max(0, start - W + 1)..<start + 1
      actions = states
      place = W - states.count
    case .after, .sampled:
      var steps = W
      if case .sampled(let range) = window {
        steps = range.lowerBound + generator.below(range.count)
      }
      states = start..<min(start + steps, length + 1)
      actions = start..<min(states.upperBound, length)
    case .toGoal(_, let history, let inclusive):
      guard let goal else { preconditionFailure("a window up to a goal of another episode") }
      // The last W states up to the goal if there are more.
      let first = max(history ? 0 : start, goal + 1 - W)
      let last = inclusive ? min(goal + 1, length) : goal
      let from = max(first, start)
      states = first..<goal + 1
      actions = from..<max(from, last)
    case .episode:
      states = 0..<min(W, length + 1)
      actions = 0..<min(W, length)
    }
  }
}

extension WindowColumns {
  fileprivate mutating func fill(
    _ row: Int, _ span: Span, _ episode: EpisodeRows, _ strides: RowStrides, observation O: Int,
    repeatsFirst: Bool
  ) {
    let W = steps
    let shift = row * W + span.place - span.states.lowerBound
    for place in row * W..<(row + 1) * W {
      let state = place - shift
      let holds = span.states.contains(state)
      mask[place] = holds ? 1 : 0
      actionMask[place] = span.actions.contains(state) ? 1 : 0
      times[place] = holds ? Int32(state) : 0
      let source = holds ? state : repeatsFirst ? 0 : nil
      for k in 0..<O {
        observations[place * O + k] =
          source.map { episode.observations[$0 * strides.observation + k] } ?? 0
      }
    }
    let places = row * W..<(row + 1) * W
    switch actions {
    case .continuous(var values):
      actions = .continuous([])
      let (from, A) = (
        episode.actions.assumingMemoryBound(to: Float.self), values.count / mask.count
      )
      for place in places {
        for k in 0..<A {
          values[place * A + k] =
            actionMask[place] == 1 ? from[(place - shift) * strides.action + k] : 0
        }
      }
      actions = .continuous(values)
    case .discrete(var values):
      actions = .discrete([])
      let from = episode.actions.assumingMemoryBound(to: Int32.self)
      for place in places {
        values[place] = actionMask[place] == 1 ? from[(place - shift) * strides.action] : 0
      }
      actions = .discrete(values)
    }
    func place(of state: Int?) -> Int32 {
      guard let state, span.states.contains(state) else { return -1 }
      return Int32(state - span.states.lowerBound + span.place)
    }
    starts[row] = place(of: span.start)
    goals[row] = place(of: span.goal)
  }
}

/// Goals of every step of a whole sequence, as columns of an attention mask.
public enum GoalColumns {
  /// A later state for each of `states` states, the last of which has none: the log's random goal
  /// mask.
  ///
  ///     column(i) ~ U{i+1..L−1} for i < L−1
  ///
  /// The reference gives the last row column 0, which nothing reads. Source: the log's
  /// `masking.py`, `random_goal_idxs`; `SamplingScheme` with `goalOfStep` draws rows of the same
  /// law.
  public static func random(states: Int, seed: UInt64, number: UInt64) -> [Int] {
    precondition(states > 1, "two states at least have a goal between them, found \(states)")
    var key = Philox(seed: seed, purpose: 0x434f_4c53, index: number)  // "COLS"
    var generator = Xoshiro256(seed: key.next())
    return (0..<states - 1).map { $0 + 1 + generator.below(states - 1 - $0) }
  }

  /// The state `steps` steps ahead of each but the last, or the last one: the log's k-ahead mask.
  public static func ahead(states: Int, steps: Int) -> [Int] {
    precondition(states > 1, "two states at least have a goal between them, found \(states)")
    let k = min(max(steps, 1), states - 1)
    return (0..<states - 1).map { min($0 + k, states - 1) }
  }
}
