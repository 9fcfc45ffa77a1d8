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
  /// Whether where an episode begins has to be looked up, and so waited for.
  let hasLookUp: Bool

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
      let row = draw(from: &own)
      batch.note(row, number)
      ring[number & mask] = row
      prefetch(row.source, row.episode)
      prefetch(row.policy)
      prefetch(row.value)
    }
    generator = own
  }

  /// Draws some rows, and finds each at once: asking for its cache lines overlaps with drawing the next.
  @inline(never)
  func draw(
    _ rows: Range<Int>, into located: UnsafeMutablePointer<LocatedRow>, mask: Int,
    _ batch: BatchColumns, from generator: inout Xoshiro256, finding location: RowLocation
  ) {
    var own = generator
    for number in rows {
      let row = draw(from: &own)
      batch.note(row, number)
      location.locate(row, into: located + (number & mask))
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

  // A row is made of values, and written down once: memory that was just written in pieces is slow to read whole.

  @inline(__always)
  private func draw(from generator: inout Xoshiro256) -> DrawnRow {
    let source = choice.draw(from: &generator)
    let table = choice.table(source)
    let episode = table.pointee.draw(law, from: &generator)
    let length = table.pointee.steps(of: episode)
    let start = PlacedGoal(
      origin: .original, isPolicys: false, source: Int32(truncatingIfNeeded: source),
      episode: Int32(truncatingIfNeeded: episode), state: 0, offset: 0)
    if sharing != .none { return drawShared(of: start, length: length, from: &generator) }
    let (step, drawn) = policy.draw(length: length, from: &generator)
    let goal = place(drawn, policy, step, of: start, from: &generator)
    guard let value else { return takePolicys(goal, step, of: start, from: &generator) }
    let other = value.goal(of: step, length: length, from: &generator)
    return row(step, goal, place(other, value, step, of: start, from: &generator), of: start)
  }

  /// Steps and goals come from a stream that all rows of the batch share.
  @inline(never)
  private func drawShared(
    of start: PlacedGoal, length: Int, from generator: inout Xoshiro256
  ) -> DrawnRow {
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

  @inline(__always)
  private func row(
    _ step: Int, _ goal: PlacedGoal, _ valueGoal: PlacedGoal, of start: PlacedGoal
  ) -> DrawnRow {
    DrawnRow(
      source: start.source, episode: start.episode, step: Int32(truncatingIfNeeded: step),
      policy: goal, value: valueGoal)
  }

  /// The value's goal is the policy's, or for a share of the rows the original one.
  @inline(__always)
  private func takePolicys(
    _ goal: PlacedGoal, _ step: Int, of start: PlacedGoal, from generator: inout Xoshiro256
  ) -> DrawnRow {
    if originalShare > 0, generator.unit() < originalShare {
      var original = start
      original.state = Int32(truncatingIfNeeded: step)
      return row(step, goal, original, of: start)
    }
    var same = goal
    same.isPolicys = true
    return row(step, goal, same, of: start)
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
    case .current, .trajectory:
      goal.state = Int32(truncatingIfNeeded: drawn.state)
      goal.offset = goal.state &- Int32(truncatingIfNeeded: step) &- 1
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
    return goal
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
