internal import CPrefetch
import GoalCore

/// Draws the rows of one batch, one after the other: numbers only, no row is touched.
struct RowDraw<Policy: GoalLaw, Value: GoalLaw> {
  private let choice: SourceChoice
  private let policy: Policy
  /// Nil where the value's goals are the policy's but for a share of original ones.
  private let value: Value?
  private let originalShare: Double
  private let sharing: Sharing
  private let law: EpisodeDraw
  private let shared: UInt64
  private let hasLookUp: Bool

  init(
    _ scheme: SamplingScheme, _ choice: SourceChoice, shared: UInt64, policy: Policy, value: Value?
  ) {
    self.choice = choice
    self.policy = policy
    self.value = value
    if case .policys(let original) = scheme.valueGoals {
      originalShare = original
    } else {
      originalShare = 0
    }
    (sharing, law) = (scheme.sharing, scheme.episodes)
    self.shared = shared
    hasLookUp = choice.hasLookUp
  }

  /// Draws some rows into a ring, and asks for what says where their episodes begin.
  @inline(never)
  func draw(
    _ rows: Range<Int>, into ring: UnsafeMutablePointer<DrawnRow>, mask: Int,
    _ batch: BatchColumns, from generator: inout Xoshiro256
  ) {
    // A copy that stays in registers.
    var own = generator
    for number in rows {
      let place = ring + (number & mask)
      draw(into: place, from: &own)
      batch.note(place, number)
      if hasLookUp {
        prefetch(place.pointee.source, place.pointee.episode)
        prefetch(place.pointee.policy)
        prefetch(place.pointee.value)
      }
    }
    generator = own
  }

  @inline(__always)
  private func prefetch(_ goal: PlacedGoal) {
    if goal.origin == .random { prefetch(goal.source, goal.episode) }
  }

  @inline(__always)
  private func prefetch(_ source: Int32, _ episode: Int32) {
    let table = choice.table(Int(source))
    if table.pointee.regular == nil { prefetch_line(table.pointee.rows + Int(episode)) }
  }

  @inline(__always)
  private func draw(
    into row: UnsafeMutablePointer<DrawnRow>, from generator: inout Xoshiro256
  ) {
    let source = choice.draw(from: &generator)
    let table = choice.table(source)
    let episode = table.pointee.draw(law, from: &generator)
    row.pointee.source = Int32(truncatingIfNeeded: source)
    row.pointee.episode = Int32(truncatingIfNeeded: episode)
    let length = table.pointee.steps(of: episode)
    if sharing != .none {
      drawShared(into: row, length: length, from: &generator)
      return
    }
    let (step, goal) = policy.draw(length: length, from: &generator)
    row.pointee.step = Int32(truncatingIfNeeded: step)
    place(goal, policy, of: row, in: &row.pointee.policy, from: &generator)
    if let value {
      let goal = value.goal(of: step, length: length, from: &generator)
      place(goal, value, of: row, in: &row.pointee.value, from: &generator)
    } else {
      takePolicys(row, from: &generator)
    }
  }

  /// Steps and goals come from a stream that all rows of the batch share.
  @inline(never)
  private func drawShared(
    into row: UnsafeMutablePointer<DrawnRow>, length: Int, from generator: inout Xoshiro256
  ) {
    var own: Xoshiro256
    let step: Int
    let goal: DrawnGoal
    if sharing == .pair {
      own = Xoshiro256(seed: shared)
      (step, goal) = policy.draw(length: length, from: &own)
    } else {
      step = generator.below(length)
      own = Xoshiro256(seed: shared &+ UInt64(step))
      goal = policy.goal(of: step, length: length, from: &own)
    }
    row.pointee.step = Int32(truncatingIfNeeded: step)
    place(goal, policy, of: row, in: &row.pointee.policy, from: &generator)
    if let value {
      let goal = value.goal(of: step, length: length, from: &own)
      place(goal, value, of: row, in: &row.pointee.value, from: &generator)
    } else {
      takePolicys(row, from: &generator)
    }
  }

  /// The value's goal is the policy's, or for a share of the rows the original one.
  @inline(__always)
  private func takePolicys(
    _ row: UnsafeMutablePointer<DrawnRow>, from generator: inout Xoshiro256
  ) {
    row.pointee.value = row.pointee.policy
    row.pointee.value.isPolicys = true
    if originalShare > 0, generator.unit() < originalShare {
      place(
        DrawnGoal(origin: .original, state: 0), policy, of: row, in: &row.pointee.value,
        from: &generator)
    }
  }

  /// Says where a drawn goal is; a random one draws its episode first.
  @inline(__always)
  private func place(
    _ drawn: DrawnGoal, _ law: some GoalLaw, of row: UnsafeMutablePointer<DrawnRow>,
    in goal: inout PlacedGoal, from generator: inout Xoshiro256
  ) {
    goal.origin = drawn.origin
    goal.isPolicys = false
    goal.source = row.pointee.source
    goal.episode = row.pointee.episode
    goal.offset = 0
    switch drawn.origin {
    case .original: goal.state = row.pointee.step
    case .current, .trajectory:
      goal.state = Int32(truncatingIfNeeded: drawn.state)
      goal.offset = goal.state &- row.pointee.step &- 1
    case .random:
      let source = choice.draw(from: &generator)
      let table = choice.table(source)
      let episode = table.pointee.draw(self.law, from: &generator)
      goal.source = Int32(truncatingIfNeeded: source)
      goal.episode = Int32(truncatingIfNeeded: episode)
      goal.state = Int32(
        truncatingIfNeeded: law.randomState(
          length: table.pointee.steps(of: episode), from: &generator))
    }
  }
}

extension EpisodeTable {
  /// Draws an episode.
  @inline(__always)
  func draw(_ law: EpisodeDraw, from generator: inout Xoshiro256) -> Int {
    switch law {
    case .episodes: generator.below(count)
    case .steps: episode(ofStep: generator.below(stepCount))
    }
  }
}
