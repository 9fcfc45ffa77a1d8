import GoalCore

/// Draws the rows of one batch, one after the other: numbers only, no row is touched.
struct RowDraw<Episodes: EpisodeChoice, Policy: GoalLaw, Value: GoalLaw> {
  private let choice: Episodes
  private let policy: Policy
  /// Nil if the value's goals are the policy's but for a share of original ones.
  private let value: Value?
  /// `Xoshiro256.limit` of that share.
  private let original: UInt64
  private let sharing: Sharing
  private let law: EpisodeDraw
  private let shared: UInt64

  init(
    _ scheme: SamplingScheme, _ choice: Episodes, shared: UInt64, policy: Policy, value: Value?
  ) {
    self.choice = choice
    self.policy = policy
    self.value = value
    if case .policys(let original) = scheme.valueGoals {
      self.original = Xoshiro256.limit(original)
    } else {
      original = 0
    }
    (sharing, law) = (scheme.sharing, scheme.episodes)
    self.shared = shared
  }

  /// Draws some rows of a batch, and asks for what says where their episodes begin.
  @inline(never)
  func draw(
    _ rows: Range<Int>, into drawn: UnsafeMutablePointer<DrawnRow>, _ batch: BatchColumns,
    from generator: inout Xoshiro256
  ) {
    // A copy that stays in registers.
    var own = generator
    var place = drawn
    func note(_ row: DrawnRow, _ number: Int) {
      batch.note(row, number)
      place.pointee = row
      place += 1
      choice.prefetch(row.episode)
      if row.policy.origin == .random { choice.prefetch(row.policy.episode) }
      if row.value.origin == .random { choice.prefetch(row.value.episode) }
    }
    if sharing == .none {
      for number in rows { note(draw(from: &own), number) }
    } else {
      for number in rows { note(drawShared(from: &own), number) }
    }
    generator = own
  }

  // A row is made of values, and written down once: memory that was just written in pieces is slow
  // to read whole.

  @inline(__always)
  private func draw(from generator: inout Xoshiro256) -> DrawnRow {
    let start = start(from: &generator)
    let length = choice.steps(of: start.episode)
    let (step, drawn) = policy.draw(length: length, from: &generator)
    let goal = place(drawn, policy, step, of: start, from: &generator)
    guard let value else { return takePolicys(goal, step, of: start, from: &generator) }
    let other = value.goal(of: step, length: length, from: &generator)
    return row(step, goal, place(other, value, step, of: start, from: &generator), of: start)
  }

  /// Steps and goals come from a stream that all rows of the batch share.
  @inline(never)
  private func drawShared(from generator: inout Xoshiro256) -> DrawnRow {
    let start = start(from: &generator)
    let length = choice.steps(of: start.episode)
    var own: Xoshiro256
    let step: Int
    let drawn: DrawnGoal
    if sharing == .pair {
      own = Xoshiro256(seed: shared)
      (step, drawn) = policy.draw(length: length, from: &own)
    } else {
      step = generator.below(length)
      own = Xoshiro256(seed: shared &+ UInt64(step))
      drawn = policy.goal(of: step, length: length, from: &own)
    }
    let goal = place(drawn, policy, step, of: start, from: &generator)
    guard let value else { return takePolicys(goal, step, of: start, from: &generator) }
    let other = value.goal(of: step, length: length, from: &own)
    return row(step, goal, place(other, value, step, of: start, from: &generator), of: start)
  }

  /// Draws a row's episode, with its original goal.
  @inline(__always)
  private func start(from generator: inout Xoshiro256) -> PlacedGoal {
    PlacedGoal(origin: .original, episode: choice.draw(law, from: &generator), state: 0)
  }

  @inline(__always)
  private func row(
    _ step: Int, _ goal: PlacedGoal, _ valueGoal: PlacedGoal, of start: PlacedGoal
  ) -> DrawnRow {
    DrawnRow(
      episode: start.episode, step: Int32(truncatingIfNeeded: step), policy: goal, value: valueGoal)
  }

  /// The value's goal is the policy's, or for a share of the rows the original one.
  @inline(__always)
  private func takePolicys(
    _ goal: PlacedGoal, _ step: Int, of start: PlacedGoal, from generator: inout Xoshiro256
  ) -> DrawnRow {
    guard original > 0, generator.wholeUnit() < original else {
      return row(step, goal, goal, of: start)
    }
    var original = start
    original.state = Int32(truncatingIfNeeded: step)
    return row(step, goal, original, of: start)
  }

  /// Says where a drawn goal of a row is; a random one draws its episode first.
  @inline(__always)
  private func place(
    _ drawn: DrawnGoal, _ law: some GoalLaw, _ step: Int, of start: PlacedGoal,
    from generator: inout Xoshiro256
  ) -> PlacedGoal {
    var goal = start
    goal.origin = drawn.origin
    switch drawn.origin {
    case .original: goal.state = Int32(truncatingIfNeeded: step)
    case .current, .trajectory: goal.state = Int32(truncatingIfNeeded: drawn.state)
    case .random:
      goal.episode = choice.draw(self.law, from: &generator)
      goal.state = Int32(
        truncatingIfNeeded: law.randomState(
          length: choice.steps(of: goal.episode), from: &generator))
    }
    return goal
  }
}
