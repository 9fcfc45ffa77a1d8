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

  /// Finds some rows of a ring, and asks for the cache lines that they lie in.
  @inline(never)
  func locate(
    _ rows: Range<Int>, of drawn: UnsafePointer<DrawnRow>,
    into located: UnsafeMutablePointer<LocatedRow>, mask: Int
  ) {
    for row in rows { locate(drawn[row & mask], into: located + (row & mask)) }
  }

  /// Finds a row, and asks for the cache lines that it lies in.
  @inline(__always)
  func locate(
    _ row: DrawnRow, into place: UnsafeMutablePointer<LocatedRow>
  ) {
    let table = choice.table(Int(row.source))
    let (states, actions) = (table.pointee.strides.observation, table.pointee.strides.action)
    let stride = table.pointee.strides.achieved
    let episode = table.pointee[Int(row.episode)]
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
    place.pointee.value = row.value.isPolicys ? policy : locate(row.value)
    if subgoalSteps > 0 {
      let low = min(step + subgoalSteps, episode.steps)
      let goal = row.policy
      let isInEpisode = goal.origin == .trajectory || goal.origin == .current
      let high = isInEpisode ? min(low, Int(goal.state)) : low
      let (first, width) =
        wantsObservation ? (episode.observations, states) : (episode.achieved, stride)
      place.pointee.subgoal = first + high * width
      place.pointee.lowGoal = first + low * width
    }
    if table.pointee.placement == .paged { ask(for: place.pointee) }
  }

  /// Finds a goal's numbers, and asks for their cache lines.
  ///
  /// An original goal has no observation, and a scheme whose goals are observations draws none.
  @inline(__always)
  private func locate(_ goal: PlacedGoal) -> LocatedGoal {
    let table = choice.table(Int(goal.source))
    if goal.origin == .original {
      let place = table.pointee.original(Int(goal.episode), Int(goal.state))
      prefetch_line(place)
      return LocatedGoal(goal: place, form: place)
    }
    let episode = table.pointee[Int(goal.episode)]
    let place = episode.achieved + Int(goal.state) &* table.pointee.strides.achieved
    prefetch_line(place)
    guard wantsObservation else { return LocatedGoal(goal: place, form: place) }
    let form = episode.observations + Int(goal.state) &* table.pointee.strides.observation
    Self.prefetch(form, observation)
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
