internal import CPrefetch
import GoalCore

/// Draws the episodes of a batch's rows and knows where they lie; loops over rows are compiled for each
/// conforming type.
protocol EpisodeChoice {
  /// Whether some of the rows are mapped and do not fit into memory.
  var isPaged: Bool { get }
  func draw(_ law: EpisodeDraw, from generator: inout Xoshiro256) -> EpisodeNumber
  /// Asks for what says where an episode begins.
  func prefetch(_ number: EpisodeNumber)
  func table(of number: EpisodeNumber) -> UnsafePointer<EpisodeTable>
  func steps(of number: EpisodeNumber) -> Int
  func rows(of number: EpisodeNumber) -> EpisodeRows
  /// Where the achieved or desired numbers of a goal lie.
  func goal(_ goal: PlacedGoal) -> UnsafePointer<Float>
}

/// Any sources.
extension SourceChoice: EpisodeChoice {
  @inline(__always)
  func draw(_ law: EpisodeDraw, from generator: inout Xoshiro256) -> EpisodeNumber {
    let source = draw(from: &generator)
    let table = table(source)
    let episode =
      switch law {
      case .episodes: generator.below(table.pointee.count)
      case .steps: table.pointee.episode(ofStep: generator.below(table.pointee.stepCount))
      }
    return EpisodeNumber(source: source, episode: episode)
  }

  @inline(__always)
  func prefetch(_ number: EpisodeNumber) {
    let table = table(of: number)
    if table.pointee.regular == nil { prefetch_line(table.pointee.rows + Int(number.episode)) }
  }

  @inline(__always)
  func table(of number: EpisodeNumber) -> UnsafePointer<EpisodeTable> { table(Int(number.source)) }

  @inline(__always)
  func steps(of number: EpisodeNumber) -> Int {
    table(of: number).pointee.steps(of: Int(number.episode))
  }

  @inline(__always)
  func rows(of number: EpisodeNumber) -> EpisodeRows {
    table(of: number).pointee[Int(number.episode)]
  }

  @inline(__always)
  func goal(_ goal: PlacedGoal) -> UnsafePointer<Float> {
    let table = table(of: goal.episode)
    let (episode, state) = (Int(goal.episode.episode), Int(goal.state))
    if goal.origin == .original { return table.pointee.original(episode, state) }
    return table.pointee[episode].achieved + state &* table.pointee.strides.achieved
  }
}

/// One source whose episodes have one length and follow one another at one distance.
struct RegularChoice: EpisodeChoice {
  private let source: Int
  private let table: UnsafePointer<EpisodeTable>
  private let episodes: RegularEpisodes
  private let achieved: GoalColumn
  private let desired: GoalColumn?

  let isPaged: Bool

  /// Nil where there are several sources, or episodes of a source that are not regular.
  init?(_ choice: SourceChoice) {
    guard let only = choice.only, let episodes = choice.table(only).pointee.regular else {
      return nil
    }
    source = only
    table = choice.table(only)
    self.episodes = episodes
    achieved = GoalColumn(
      start: episodes.first.achieved, episode: episodes.achieved,
      state: table.pointee.strides.achieved)
    desired = episodes.first.desired.map {
      GoalColumn(
        start: $0, episode: episodes.desired, state: Int(episodes.first.desiredStride))
    }
    isPaged = choice.isPaged
  }

  /// Drawing a step of episodes of one length is drawing an episode: ⌊⌊uET⌋ / T⌋ = ⌊uE⌋.
  @inline(__always)
  func draw(_ law: EpisodeDraw, from generator: inout Xoshiro256) -> EpisodeNumber {
    EpisodeNumber(source: source, episode: generator.below(table.pointee.count))
  }

  func prefetch(_ number: EpisodeNumber) {}

  @inline(__always)
  func table(of number: EpisodeNumber) -> UnsafePointer<EpisodeTable> { table }

  @inline(__always)
  func steps(of number: EpisodeNumber) -> Int { episodes.first.steps }

  @inline(__always)
  func rows(of number: EpisodeNumber) -> EpisodeRows { episodes[Int(number.episode)] }

  @inline(__always)
  func goal(_ goal: PlacedGoal) -> UnsafePointer<Float> {
    precondition(
      desired != nil || goal.origin != .original, "the episodes have no desired goals to draw")
    // A choice of values, which is no branch: no processor guesses it.
    let column = goal.origin == .original ? desired ?? achieved : achieved
    return column.start + Int(goal.episode.episode) &* column.episode
      + Int(goal.state) &* column.state
  }
}

/// Where the goals of episodes lie that follow one another at one distance.
private struct GoalColumn {
  let start: UnsafePointer<Float>
  /// Numbers from an episode to the next.
  let episode: Int
  /// Numbers from a state to the next.
  let state: Int
}
