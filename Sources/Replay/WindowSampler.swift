import GoalCore

/// Draws batches of sequences: rows as `Sampler` draws them, then the window about each.
public struct WindowSampler: Sendable {
  /// What a batch is.
  public let scheme: WindowScheme
  /// Draws starts and goals.
  public let rows: Sampler

  /// Makes a sampler of one source or several of one task.
  public init(_ scheme: WindowScheme, sources: [WeightedSource], seed: UInt64) {
    if let fault = scheme.fault { preconditionFailure(fault) }
    self.scheme = scheme
    rows = Sampler(scheme.rows, sources: sources, seed: seed)
  }

  /// A batch of zeros to draw into.
  public func makeBatch() -> WindowBatch { WindowBatch(scheme, spec: rows.task.spec) }

  /// Draws batch number `number` of the run; its rows are those that `Sampler` draws.
  public func draw(_ number: UInt64, weights: [Double]? = nil, into batch: inout WindowBatch) {
    rows.draw(number, weights: weights, into: &batch.rows)
    var key = Philox(seed: rows.seed, purpose: Self.streamPurpose, index: number)
    var generator = Xoshiro256(seed: key.next())
    for row in 0..<batch.rows.count {
      let table = rows.sources[Int(batch.rows.sources[row])].source.table
      let episode = table[Int(batch.rows.episodes[row])]
      let start = Int(batch.rows.steps[row])
      let origin = batch.rows.policyOrigins[row]
      let goal =
        origin == .trajectory || origin == .current
        ? start + 1 + Int(batch.rows.offsets[row]) : nil
      fill(
        row, span(start: start, goal: goal, of: episode.steps, &generator), episode, table.strides,
        into: &batch)
    }
  }

  /// What tells the windows' stream from a run's others.
  private static let streamPurpose: UInt64 = 0x5749_4e44  // "WIND"

  /// What a window holds: states, actions, and the place of the first state.
  private struct Span {
    var states: Range<Int>
    var actions: Range<Int>
    var place: Int
    var start: Int
    var goal: Int?
  }

  private func span(
    start: Int, goal: Int?, of length: Int, _ generator: inout Xoshiro256
  ) -> Span {
    let W = scheme.window.steps
    switch scheme.window {
    case .before:
      let first = max(0, start - W + 1)
      return Span(
        states: first..<start + 1, actions: first..<start + 1, place: W - (start + 1 - first),
        start: start, goal: goal)
    case .after, .sampled:
      var steps = W
      if case .sampled(let range) = scheme.window {
        steps = range.lowerBound + generator.below(range.count)
      }
      let end = min(start + steps, length + 1)
      return Span(
        states: start..<end, actions: start..<min(end, length), place: 0, start: start, goal: goal)
    case .toGoal(_, let history, let inclusive):
      guard let goal else { preconditionFailure("a window up to a goal of another episode") }
      // The last W states up to the goal where there are more.
      let first = max(history ? 0 : start, goal + 1 - W)
      let last = inclusive ? min(goal + 1, length) : goal
      let from = max(first, start)
      return Span(
        states: first..<goal + 1, actions: from..<max(from, last), place: 0, start: start,
        goal: goal)
    }
  }

  private func fill(
    _ row: Int, _ span: Span, _ episode: EpisodeRows, _ strides: RowStrides,
    into batch: inout WindowBatch
  ) {
    let spec = rows.task.spec
    let (W, O, A) = (batch.steps, spec.observation, spec.action.length)
    let shift = row * W + span.place - span.states.lowerBound
    var repeatsFirst = false
    if case .before(_, .first) = scheme.window { repeatsFirst = true }
    for place in row * W..<(row + 1) * W {
      let state = place - shift
      let holds = span.states.contains(state)
      let acts = span.actions.contains(state)
      batch.mask[place] = holds ? 1 : 0
      batch.actionMask[place] = acts ? 1 : 0
      batch.times[place] = holds ? Int32(state) : 0
      let source = holds ? state : repeatsFirst ? 0 : nil
      for k in 0..<O {
        batch.observations[place * O + k] =
          source.map { episode.observations[$0 * strides.observation + k] } ?? 0
      }
      switch batch.actions {
      case .continuous(var values):
        batch.actions = .continuous([])
        let actions = episode.actions.assumingMemoryBound(to: Float.self)
        for k in 0..<A { values[place * A + k] = acts ? actions[state * strides.action + k] : 0 }
        batch.actions = .continuous(values)
      case .discrete(var values):
        batch.actions = .discrete([])
        let actions = episode.actions.assumingMemoryBound(to: Int32.self)
        values[place] = acts ? actions[state * strides.action] : 0
        batch.actions = .discrete(values)
      }
    }
    func place(of state: Int?) -> Int32 {
      guard let state, span.states.contains(state) else { return -1 }
      return Int32(state - span.states.lowerBound + span.place)
    }
    batch.starts[row] = place(of: span.start)
    batch.goals[row] = place(of: span.goal)
  }
}

/// Goals of every step of a whole sequence, as columns of an attention mask.
public enum GoalColumns {
  /// A later state for each of `states` states, the last of which has none: the log's random goal mask.
  ///
  ///     column(i) ~ U{i+1..L−1} for i < L−1
  ///
  /// The reference gives the last row column 0, which nothing reads. Source: the log's
  /// `masking.py`, `random_goal_idxs`; `SamplingScheme` with `goalOfStep` draws rows of the same law.
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
