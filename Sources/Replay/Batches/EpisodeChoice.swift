internal import CPrefetch
import GoalCore

/// Draws the episodes of a batch's rows and knows where they lie; loops over rows are compiled for
/// each conforming type.
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

/// Where the runs of regular episodes begin.
protocol EpisodeRuns {
  /// The first episode of an episode's run, and the place in it.
  func run(of episode: Int) -> (first: EpisodeRows, place: Int)
}

/// One run, whose beginning is at hand.
struct OneRun: EpisodeRuns {
  let first: EpisodeRows

  @inline(__always)
  func run(of episode: Int) -> (first: EpisodeRows, place: Int) { (first, episode) }
}

/// Several runs, such as shards that are read in place.
struct EqualRuns: EpisodeRuns {
  let episodes: RegularEpisodes

  @inline(__always)
  func run(of episode: Int) -> (first: EpisodeRows, place: Int) {
    let (first, place) = episodes.run(of: episode)
    return (first.pointee, place)
  }
}

/// One source of regular episodes.
struct RegularChoice<Runs: EpisodeRuns>: EpisodeChoice {
  private let source: Int
  private let table: UnsafePointer<EpisodeTable>
  private let episodes: RegularEpisodes
  private let runs: Runs
  /// Numbers from a state's achieved goal to the next, and the same of desired goals.
  private let achieved, desired: Int
  private let hasDesired: Bool

  let isPaged: Bool

  /// `runs` are those of `episodes`, which are those of `source`, the only one of a choice.
  init(_ choice: SourceChoice, of source: Int, _ episodes: RegularEpisodes, _ runs: Runs) {
    self.source = source
    table = choice.table(source)
    self.episodes = episodes
    self.runs = runs
    achieved = table.pointee.strides.achieved
    desired = Int(episodes.first.desiredStride)
    hasDesired = episodes.first.desired != nil
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
  func steps(of number: EpisodeNumber) -> Int { episodes.steps }

  @inline(__always)
  func rows(of number: EpisodeNumber) -> EpisodeRows {
    let (first, place) = runs.run(of: Int(number.episode))
    return episodes.episode(place, after: first)
  }

  @inline(__always)
  func goal(_ goal: PlacedGoal) -> UnsafePointer<Float> {
    let isOriginal = goal.origin == .original
    precondition(hasDesired || !isOriginal, "the episodes have no desired goals to draw")
    let (first, place) = runs.run(of: Int(goal.episode.episode))
    // Choices of values, which are no branches: no processor guesses them.
    let start = isOriginal ? first.desired ?? first.achieved : first.achieved
    let byEpisode = isOriginal ? episodes.desired : episodes.achieved
    let byState = isOriginal ? desired : achieved
    return start + place &* byEpisode + Int(goal.state) &* byState
  }
}
