internal import Glibc
import GoalCore

/// A goal that was drawn: where it comes from, and which state of its episode.
struct DrawnGoal {
  var origin: GoalOrigin
  /// The state within the row's episode; 0 for an original or random goal.
  var state: Int

  @inline(__always)
  static func state(_ state: Int, from step: Int) -> DrawnGoal {
    DrawnGoal(origin: state == step ? .current : .trajectory, state: state)
  }
}

/// Draws the goals of a `GoalSelection`; loops over rows are compiled for each conforming type.
protocol GoalLaw {
  func draw(length: Int, from generator: inout Xoshiro256) -> (step: Int, goal: DrawnGoal)
  func goal(of step: Int, length: Int, from generator: inout Xoshiro256) -> DrawnGoal
  func randomState(length: Int, from generator: inout Xoshiro256) -> Int
}

extension GoalLaw {
  /// A step, each alike, and its goal.
  @inline(__always)
  func draw(length: Int, from generator: inout Xoshiro256) -> (step: Int, goal: DrawnGoal) {
    let step = generator.below(length)
    return (step, goal(of: step, length: length, from: &generator))
  }
}

/// Any selection.
struct AnyLaw: GoalLaw {
  let selection: GoalSelection
  private let scale: Double

  init(_ selection: GoalSelection) {
    self.selection = selection
    scale = selection.geometricScale
  }

  func draw(length: Int, from generator: inout Xoshiro256) -> (step: Int, goal: DrawnGoal) {
    selection.draw(length: length, scale: scale, from: &generator)
  }

  func goal(of step: Int, length: Int, from generator: inout Xoshiro256) -> DrawnGoal {
    selection.goal(of: step, length: length, scale: scale, from: &generator)
  }

  func randomState(length: Int, from generator: inout Xoshiro256) -> Int {
    if case .mixture = selection { generator.below(length) } else { generator.below(length + 1) }
  }
}

/// `GoalSelection.future`.
struct FutureLaw: GoalLaw {
  /// `Xoshiro256.limit` of the fraction.
  private let limit: UInt64
  private let isPartial: Bool

  init(fraction: Double) {
    limit = Xoshiro256.limit(fraction)
    isPartial = fraction < 1
  }

  @inline(__always)
  func goal(of step: Int, length: Int, from generator: inout Xoshiro256) -> DrawnGoal {
    if isPartial, generator.wholeUnit() >= limit {
      return DrawnGoal(origin: .original, state: 0)
    }
    return .state(step &+ 1 &+ generator.below(length &- step), from: step)
  }

  func randomState(length: Int, from generator: inout Xoshiro256) -> Int {
    generator.below(length + 1)
  }
}

/// `GoalSelection.mixture`.
struct MixtureLaw: GoalLaw {
  /// Draws of `Xoshiro256.wholeUnit` below the first are the present state, from the second on
  /// random states.
  private let current: UInt64
  private let random: UInt64
  private let isGeometric: Bool
  private let halvesEnds: Bool
  private let scale: Double

  init(_ mixture: GoalMixture) {
    self.init(mixture, scale: GoalSelection.mixture(mixture).geometricScale)
  }

  init(_ mixture: GoalMixture, scale: Double) {
    current = Xoshiro256.limit(mixture.current)
    // With no random part rounding must not leave one.
    random = mixture.random > 0 ? Xoshiro256.limit(mixture.current + mixture.trajectory) : .max
    (isGeometric, halvesEnds) = (mixture.discount != nil, mixture.halvesEnds)
    self.scale = scale
  }

  @inline(__always)
  func goal(of step: Int, length: Int, from generator: inout Xoshiro256) -> DrawnGoal {
    let part = generator.wholeUnit()
    if part < current { return .state(step, from: step) }
    if part >= random { return DrawnGoal(origin: .random, state: 0) }
    // States 0..<length are goals, so the last step has no later one: its own state stands in.
    let (next, later) = (step &+ 1, length &- 1 &- step)
    if later == 0 { return .state(step, from: step) }
    if isGeometric {
      // ⌊log(1 − u) / log γ⌋ has P(k) = (1 − γ) γ^k.
      let drawn = log(1 - generator.unit()) * scale
      return .state(next &+ min(Int(min(drawn, 0x1p31)), later &- 1), from: step)
    }
    guard halvesEnds else { return .state(next &+ generator.below(later), from: step) }
    let place = Double(later &- 1) * (1 - generator.unit())
    // The nearest whole number, of halves the higher one, without a branch that cannot be guessed.
    return .state(next &+ (Int(2 * place) &+ 1) / 2, from: step)
  }

  @inline(__always)
  func randomState(length: Int, from generator: inout Xoshiro256) -> Int {
    generator.below(length)
  }
}

extension GoalSelection {
  /// 1 / log γ of a geometric draw, computed once for many draws; 0 for other selections.
  var geometricScale: Double {
    guard case .mixture(let mixture) = self, let discount = mixture.discount, discount > 0 else {
      return 0
    }
    return 1 / log(discount)
  }

  /// Draws a step and a goal of an episode of `length` steps.
  func draw(
    length: Int, scale: Double, from generator: inout Xoshiro256
  ) -> (step: Int, goal: DrawnGoal) {
    switch self {
    case .fixed(let steps):
      let horizon = min(steps, length)
      let step = generator.below(length - horizon + 1)
      return (step, .state(step + horizon, from: step))
    case .pair(let rule, let states):
      let pair = rule.draw(states: states.count(length: length), from: &generator)
      return (pair.start, .state(pair.goal, from: pair.start))
    case .chop(let minimum, let states):
      let last = states.count(length: length) - 1
      let shortest = min(minimum, last)
      return (0, .state(shortest + generator.below(last - shortest + 1), from: 0))
    default:
      let step = generator.below(length)
      return (step, goal(of: step, length: length, scale: scale, from: &generator))
    }
  }

  /// Draws a goal for a step that was drawn uniformly.
  func goal(
    of step: Int, length: Int, scale: Double, from generator: inout Xoshiro256
  ) -> DrawnGoal {
    switch self {
    case .original: return DrawnGoal(origin: .original, state: 0)
    case .future(let fraction):
      return FutureLaw(fraction: fraction).goal(of: step, length: length, from: &generator)
    case .final: return .state(length, from: step)
    case .episode: return .state(generator.below(length + 1), from: step)
    case .random: return DrawnGoal(origin: .random, state: 0)
    case .mixture(let mixture):
      return MixtureLaw(mixture, scale: scale).goal(of: step, length: length, from: &generator)
    case .bounded(let steps):
      return .state(step + 1 + generator.below(min(steps, length - step)), from: step)
    case .ahead(let steps): return .state(min(step + steps, length), from: step)
    case .fixed, .pair, .chop:
      preconditionFailure("\(self) draws step and goal together, so no goal for a given step")
    }
  }
}

extension PairRule {
  @inline(__always)
  func draw(
    states: Int, from generator: inout Xoshiro256
  ) -> (start: Int, goal: Int) {
    let first = generator.below(states - 1)
    switch self {
    case .gcsl, .secondBelowLast:
      var second = generator.below(self == .gcsl ? states : states - 1)
      if first == second { second += 1 }
      return (min(first, second), max(first, second))
    case .withoutSwap:
      let second = generator.below(states)
      let start = min(first, second)
      return (start, second > start ? second : start + 1)
    }
  }
}
