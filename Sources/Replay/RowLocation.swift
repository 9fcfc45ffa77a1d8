internal import CPrefetch
import GoalCore

/// Finds the numbers of drawn rows, and asks for the memory that they lie in.
struct RowLocation {
  private let choice: SourceChoice
  private let observation: Int
  private let action: Int
  private let goal: Int
  private let wantsObservation: Bool
  private let rewardedStep: Int
  /// 0 where none are asked for.
  private let subgoalSteps: Int

  init(_ scheme: SamplingScheme, _ choice: SourceChoice, spec: GoalSpec) {
    self.choice = choice
    (observation, action, goal) = (spec.observation, spec.action.length, spec.goal)
    wantsObservation = scheme.goalForm == .observation
    rewardedStep = scheme.rewarded == .next ? 1 : 0
    subgoalSteps = scheme.subgoalSteps ?? 0
  }

  /// Finds a row, and asks for the cache lines that it lies in.
  @inline(__always)
  func locate(_ row: DrawnRow) -> LocatedRow {
    let table = choice.table(Int(row.source))
    let strides = table.pointee.strides
    let episode = table.pointee[Int(row.episode)]
    let step = Int(row.step)
    let start = episode.observations + step * strides.observation
    let policy = locate(row.policy, episode, strides)
    let value = row.value.isPolicys ? policy : locate(row.value, episode, strides)
    var (subgoal, lowGoal) = (start, start)
    if subgoalSteps > 0 {
      let low = min(step + subgoalSteps, episode.steps)
      let isInEpisode = row.policy.origin == .trajectory || row.policy.origin == .current
      let high = isInEpisode ? min(low, Int(row.policy.state)) : low
      subgoal = form(of: high, episode, strides)
      lowGoal = form(of: low, episode, strides)
    }
    let located = LocatedRow(
      observation: start, nextObservation: start + strides.observation,
      action: episode.actions.assumingMemoryBound(to: Float.self) + step * strides.action,
      achieved: episode.achieved + (step + rewardedStep) * strides.achieved, policy: policy,
      value: value, subgoal: subgoal, lowGoal: lowGoal)
    switch table.pointee.placement {
    case .packed:
      // Both states' rows, which follow each other and begin with what was achieved.
      Self.prefetch(episode.achieved + step * strides.achieved, 2 * strides.achieved)
    case .inPlace, .paged:
      Self.prefetch(located.observation, 2 * observation)
      Self.prefetch(located.action, action)
      Self.prefetch(located.achieved, goal)
    }
    prefetch(located.policy)
    if !row.value.isPolicys { prefetch(located.value) }
    if table.pointee.placement == .paged { ask(for: located) }
    return located
  }

  /// Where the numbers of a goal lie.
  ///
  /// An original goal has no observation, and a scheme whose goals are observations draws none.
  @inline(__always)
  private func locate(
    _ goal: PlacedGoal, _ episode: EpisodeRows, _ strides: RowStrides
  ) -> LocatedGoal {
    switch goal.origin {
    case .original:
      let place = episode.original(Int(goal.state))
      return LocatedGoal(goal: place, form: place)
    case .current, .trajectory:
      return located(Int(goal.state), episode, strides)
    case .random:
      let table = choice.table(Int(goal.source))
      return located(
        Int(goal.state), table.pointee[Int(goal.episode)], table.pointee.strides)
    }
  }

  @inline(__always)
  private func located(
    _ state: Int, _ episode: EpisodeRows, _ strides: RowStrides
  ) -> LocatedGoal {
    LocatedGoal(
      goal: episode.achieved + state * strides.achieved, form: form(of: state, episode, strides))
  }

  @inline(__always)
  private func form(
    of state: Int, _ episode: EpisodeRows, _ strides: RowStrides
  ) -> UnsafePointer<Float> {
    wantsObservation
      ? episode.observations + state * strides.observation
      : episode.achieved + state * strides.achieved
  }

  // MARK: - Memory

  @inline(__always)
  private func prefetch(_ place: LocatedGoal) {
    prefetch_line(place.goal)
    if wantsObservation { Self.prefetch(place.form, observation) }
  }

  /// Asks for the pages of a row.
  private func ask(for row: LocatedRow) {
    Paging.ask(row.observation, 8 * observation)
    Paging.ask(row.action, 4 * action)
    Paging.ask(row.achieved, 4 * goal)
    let width = wantsObservation ? observation : goal
    for place in [row.policy.form, row.value.form, row.subgoal, row.lowGoal] {
      Paging.ask(place, 4 * width)
    }
  }

  /// Asks for the cache lines that `count` numbers lie in.
  @inline(__always)
  private static func prefetch(_ start: UnsafePointer<Float>, _ count: Int) {
    let end = UnsafeRawPointer(start + count)
    var line =
      UnsafeRawPointer(bitPattern: UInt(bitPattern: start) & ~63) ?? UnsafeRawPointer(start)
    while line < end {
      prefetch_line(line)
      line += 64
    }
  }
}
