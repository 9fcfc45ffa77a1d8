import Foundation
import GoalCore
public import Statistics

/// How far a policy's actions are from those of a dataset, towards goals that the data reached.
public struct ActionErrors: Codable, Sendable {
  /// The errors of some rows.
  public struct Group: Codable, Sendable {
    /// Goal offset in steps, or source of the data's action.
    public let name: String
    /// Rows that were compared.
    public let rows: Int
    /// Mean squared difference of a number of the action, in halves of its range; nil for discrete
    /// actions.
    public let squared: Estimate?
    /// −ln π(a | s, g) of the data's action, in nats; nil for a policy that is not categorical.
    public let negativeLogLikelihood: Estimate?
    /// Share of rows in which the policy chooses what the data did; nil for a policy that is not
    /// categorical.
    public let accuracy: Estimate?
  }

  /// All rows.
  public let all: Group
  /// By how many steps later the data reached the goal.
  public let byOffset: [Group]
  /// By what the data's action came from; empty if that is not stored.
  public let bySource: [Group]

  /// The result of one row.
  struct Row: Sendable {
    let offset: Int
    let source: BehaviourSource?
    let squared: Double?
    let logLikelihood: Double?
    let isSame: Bool?
  }

  /// Sums up rows of episodes; intervals are over episodes, as clusters of rows.
  init(_ episodes: [[Row]]) {
    func group(_ name: String, _ belongs: (Row) -> Bool) -> Group {
      let chosen = episodes.map { $0.filter(belongs) }
      func mean(in range: ClosedRange<Double>, _ value: (Row) -> Double?) -> Estimate? {
        let found = chosen.map { $0.compactMap(value) }
        guard found.contains(where: { !$0.isEmpty }) else { return nil }
        return Intervals.mean(
          sums: found.map { $0.reduce(0, +) }, counts: found.map { Double($0.count) }, in: range)
      }
      return Group(
        name: name, rows: chosen.reduce(0) { $0 + $1.count },
        squared: mean(in: 0...(.infinity), \.squared),
        negativeLogLikelihood: mean(in: -.infinity ... .infinity) {
          $0.logLikelihood.map { -$0 }
        },
        accuracy: mean(in: 0...1) { $0.isSame.map { $0 ? 1 : 0 } })
    }
    all = group("all") { _ in true }
    let offsets = Set(episodes.joined().map(\.offset)).sorted()
    byOffset = offsets.map { offset in group("\(offset)") { $0.offset == offset } }
    let sources = Set(episodes.joined().compactMap { $0.source?.rawValue }).sorted()
    bySource = sources.compactMap(BehaviourSource.init).map { source in
      group("\(source)") { $0.source == source }
    }
  }

  /// The offsets that are looked at: powers of two up to an episode's length.
  static func offsets(upTo length: Int) -> [Int] {
    Array(sequence(first: 1) { 2 * $0 }.prefix { $0 <= length })
  }

  /// The rows of an episode: of each offset k `draws` steps t, with the goal m(s_{t+k}).
  ///
  /// A policy that remembers begins at step t.
  static func rows(
    of episode: DatasetSample.Episode, task: GoalTask, actor: any GoalActor, draws: Int,
    seed: UInt64
  ) -> [Row] {
    let trajectory = episode.trajectory
    return steps(of: episode, draws: draws, seed: seed).map { t, k in
      let goal = trajectory.achievedGoal(t + k, length: task.spec.goal)
      actor.begin(goal: goal, seed: UInt64(episode.place))
      let chosen = actor.act(trajectory.observation(t, length: task.spec.observation))
      let stored = trajectory.action(t, length: task.spec.action.length)
      let logStored = actor.logProbability(of: stored).map(Double.init)
      let logChosen = actor.logProbability(of: chosen).map(Double.init)
      return Row(
        offset: k, source: trajectory.sources.isEmpty ? nil : trajectory.sources[t],
        squared: task.spec.action.squaredDifference(chosen, stored), logLikelihood: logStored,
        isSame: zip(logStored, logChosen).map { abs($0 - $1) < 1e-6 })
    }
  }

  /// Steps t and offsets k of an episode, drawn from its place and the seed.
  static func steps(
    of episode: DatasetSample.Episode, draws: Int, seed: UInt64
  ) -> [(t: Int, k: Int)] {
    let length = episode.trajectory.length
    var generator = Philox(seed: seed, purpose: purpose, index: UInt64(episode.place))
    return offsets(upTo: length).flatMap { k in
      (0..<draws).map { _ in (Int(generator.unit() * Double(length - k + 1)), k) }
    }
  }

  /// The purpose that separates these draws from others: "AGAINST" in ASCII.
  private static let purpose: UInt64 = 0x41_4741_494e_5354
}

/// A pair of what are both there.
private func zip<A, B>(_ a: A?, _ b: B?) -> (A, B)? {
  if let a, let b { (a, b) } else { nil }
}

extension Trajectory {
  /// The observation `[O]` of a state.
  func observation(_ state: Int, length: Int) -> [Float] {
    Array(observations[state * length..<(state + 1) * length])
  }

  /// The achieved goal `[G]` of a state.
  func achievedGoal(_ state: Int, length: Int) -> [Float] {
    Array(achievedGoals[state * length..<(state + 1) * length])
  }
}

extension ActionSpace {
  /// The mean over numbers of ((a − b) / h)², h half of the range; nil for discrete actions.
  func squaredDifference(_ a: Action, _ b: Action) -> Double? {
    guard case .continuous(let a) = a, case .continuous(let b) = b,
      case .continuous(let low, let high) = self
    else { return nil }
    let squares = low.indices.map { k in
      let difference = Double(a[k] - b[k]) / (Double(high[k] - low[k]) / 2)
      return difference * difference
    }
    return squares.reduce(0, +) / Double(squares.count)
  }
}
