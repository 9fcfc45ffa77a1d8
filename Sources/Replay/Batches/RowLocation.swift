internal import CPrefetch
import GoalCore

/// Finds the numbers of drawn rows, and asks for the memory that they lie in.
struct RowLocation<Episodes: EpisodeChoice> {
  private let choice: Episodes
  private let observation: Int
  private let action: Int
  private let goal: Int
  private let wantsObservation: Bool
  /// Whether the value's goals are the policy's without exception.
  private let sharesGoals: Bool
  private let rewardedStep: Int
  /// 0 if none are asked for.
  private let subgoalSteps: Int

  init(_ scheme: SamplingScheme, _ choice: Episodes, spec: GoalSpec) {
    self.choice = choice
    (observation, action, goal) = (spec.observation, spec.action.length, spec.goal)
    wantsObservation = scheme.goalForm == .observation
    sharesGoals = scheme.valueGoals == .policys(original: 0)
    rewardedStep = scheme.rewarded == .next ? 1 : 0
    subgoalSteps = scheme.subgoalSteps ?? 0
  }

  /// Finds some rows, and asks for the cache lines that they lie in.
  @inline(never)
  func locate(
    _ count: Int, of drawn: UnsafePointer<DrawnRow>,
    into located: UnsafeMutablePointer<LocatedRow>
  ) {
    for row in 0..<count { locate(drawn[row], into: located + row) }
  }

  /// Finds a row, and asks for the cache lines that it lies in.
  @inline(__always)
  private func locate(_ row: DrawnRow, into place: UnsafeMutablePointer<LocatedRow>) {
    let table = choice.table(of: row.episode)
    let strides = table.pointee.strides
    let (states, actions, stride) = (strides.observation, strides.action, strides.achieved)
    let episode = choice.rows(of: row.episode)
    let step = Int(row.step)
    let start = episode.observations + step &* states
    let action = episode.actions.assumingMemoryBound(to: Float.self) + step &* actions
    let achieved = episode.achieved + (step &+ rewardedStep) &* stride
    place.pointee.observation = start
    place.pointee.nextObservation = start + states
    place.pointee.action = action
    place.pointee.achieved = achieved
    if table.pointee.placement == .packed {
      // Both states' rows, which follow each other and begin with what was achieved.
      Self.prefetch(episode.achieved + step &* stride, 2 &* stride)
    } else {
      Self.prefetch(start, 2 &* observation)
      Self.prefetch(action, self.action)
      Self.prefetch(achieved, goal)
    }
    let policy = locate(row.policy)
    place.pointee.policy = policy
    place.pointee.value = sharesGoals ? policy : locate(row.value)
    if subgoalSteps > 0 {
      let low = min(step + subgoalSteps, episode.steps - 1)
      let goal = row.policy
      let high = goal.isInEpisode ? min(low, Int(goal.state)) : low
      let (first, width) =
        wantsObservation ? (episode.observations, states) : (episode.achieved, stride)
      place.pointee.subgoal = first + high * width
      place.pointee.subgoalObservation = episode.observations + high * states
      place.pointee.lowGoal = first + low * width
    }
    if table.pointee.placement == .paged { ask(for: place.pointee) }
  }

  /// Finds a goal's numbers, and asks for their cache lines.
  ///
  /// An original goal has no observation, and a scheme whose goals are observations draws none.
  @inline(__always)
  private func locate(_ goal: PlacedGoal) -> LocatedGoal {
    let place = choice.goal(goal)
    guard wantsObservation else {
      prefetch_line(place)
      return LocatedGoal(goal: place, form: place)
    }
    let table = choice.table(of: goal.episode)
    let stride = table.pointee.strides.observation
    let form = choice.rows(of: goal.episode).observations + Int(goal.state) &* stride
    if table.pointee.placement == .packed {
      Self.prefetch(place, stride)
    } else {
      prefetch_line(place)
      Self.prefetch(form, observation)
    }
    return LocatedGoal(goal: place, form: form)
  }

  // MARK: - Memory

  /// Asks for the pages of a row.
  private func ask(for row: LocatedRow) {
    Paging.ask(row.observation, 8 * observation)
    Paging.ask(row.action, 4 * action)
    Paging.ask(row.achieved, 4 * goal)
    let width = wantsObservation ? observation : goal
    for place in [row.policy.form, row.value.form] { Paging.ask(place, 4 * width) }
    if subgoalSteps > 0 {
      for place in [row.subgoal, row.lowGoal] { Paging.ask(place, 4 * width) }
      Paging.ask(row.subgoalObservation, 4 * observation)
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
