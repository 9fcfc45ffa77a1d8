internal import CPrefetch
import GoalCore

/// Draws the rows of one batch, one after the other: numbers only, no row is touched.
struct RowDraw {
  private let choice: SourceChoice
  private let policyGoals: GoalSelection
  private let policyScale: Double
  private let valueGoals: ValueGoals
  private let valueScale: Double
  private let sharing: Sharing
  private let law: EpisodeDraw
  private let shared: UInt64

  init(_ scheme: SamplingScheme, _ choice: SourceChoice, shared: UInt64) {
    self.choice = choice
    policyGoals = scheme.policyGoals
    policyScale = policyGoals.geometricScale
    valueGoals = scheme.valueGoals
    if case .own(let selection) = valueGoals {
      valueScale = selection.geometricScale
    } else {
      valueScale = 0
    }
    (sharing, law) = (scheme.sharing, scheme.episodes)
    self.shared = shared
  }

  /// Draws the next row, and asks for what says where its episodes begin.
  @inline(__always)
  func next(from generator: inout Xoshiro256) -> DrawnRow {
    let row = self.row(from: &generator)
    prefetch(row.source, row.episode)
    if row.policy.origin == .random { prefetch(row.policy.source, row.policy.episode) }
    if row.value.origin == .random { prefetch(row.value.source, row.value.episode) }
    return row
  }

  @inline(__always)
  private func prefetch(_ source: Int32, _ episode: Int32) {
    let table = choice.table(Int(source))
    if table.pointee.regular == nil { prefetch_line(table.pointee.rows + Int(episode)) }
  }

  @inline(__always)
  private func row(from generator: inout Xoshiro256) -> DrawnRow {
    let source = choice.draw(from: &generator)
    let table = choice.table(source)
    let episode = table.pointee.draw(law, from: &generator)
    let length = table.pointee.steps(of: episode)
    let step: Int
    let drawn: DrawnGoal
    var own = generator
    switch sharing {
    case .none:
      (step, drawn) = policyGoals.draw(length: length, scale: policyScale, from: &generator)
    case .pair:
      own = Xoshiro256(seed: shared)
      (step, drawn) = policyGoals.draw(length: length, scale: policyScale, from: &own)
    case .goalOfStep:
      step = generator.below(length)
      own = Xoshiro256(seed: shared &+ UInt64(step))
      drawn = policyGoals.goal(of: step, length: length, scale: policyScale, from: &own)
    }
    var row = DrawnRow(
      source: Int32(truncatingIfNeeded: source), episode: Int32(truncatingIfNeeded: episode),
      step: Int32(truncatingIfNeeded: step))
    row.policy = place(drawn, policyGoals, of: row, from: &generator)
    switch valueGoals {
    case .policys(let original):
      row.value = row.policy
      row.value.isPolicys = true
      if original > 0, generator.unit() < original { row.value = self.original(of: row) }
    case .own(let selection):
      let drawn =
        sharing == .none
        ? selection.goal(of: step, length: length, scale: valueScale, from: &generator)
        : selection.goal(of: step, length: length, scale: valueScale, from: &own)
      row.value = place(drawn, selection, of: row, from: &generator)
    }
    return row
  }

  @inline(__always)
  private func original(of row: DrawnRow) -> PlacedGoal {
    PlacedGoal(
      origin: .original, source: row.source, episode: row.episode, state: row.step, offset: 0)
  }

  /// Says where a drawn goal is; a random one draws its episode first.
  @inline(__always)
  private func place(
    _ drawn: DrawnGoal, _ selection: GoalSelection, of row: DrawnRow,
    from generator: inout Xoshiro256
  ) -> PlacedGoal {
    switch drawn.origin {
    case .original: return original(of: row)
    case .current, .trajectory:
      return PlacedGoal(
        origin: drawn.origin, source: row.source, episode: row.episode,
        state: Int32(truncatingIfNeeded: drawn.state),
        offset: Int32(truncatingIfNeeded: drawn.state) &- row.step &- 1)
    case .random:
      let source = choice.draw(from: &generator)
      let table = choice.table(source)
      let episode = table.pointee.draw(law, from: &generator)
      let state = selection.randomState(length: table.pointee.steps(of: episode), from: &generator)
      return PlacedGoal(
        origin: .random, source: Int32(truncatingIfNeeded: source),
        episode: Int32(truncatingIfNeeded: episode), state: Int32(truncatingIfNeeded: state),
        offset: 0)
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
