import Foundation
import GoalCore

@testable import Storage

/// Sizes of fetch-push, with either kind of action.
func sampleSpec(discrete: Bool = false, horizon: Int = 50) -> GoalSpec {
  GoalSpec(
    observation: 25, goal: 3,
    action: discrete
      ? .discrete(count: 5)
      : .continuous(low: [-1, -1, -1, -1], high: [1, 1, 1, 1]),
    horizon: horizon, successThreshold: 0.05, metric: "distance in m", controlPeriod: 0.04)
}

func sampleTask(discrete: Bool = false, horizon: Int = 50) -> GoalTask {
  GoalTask(
    identifier: "sample", spec: sampleSpec(discrete: discrete, horizon: horizon),
    goalIndices: [3, 4, 5])
}

/// Episodes of the given lengths with numbers drawn from a seed; an episode depends on its own
/// number alone.
func sampleEpisodes(
  _ indices: some Sequence<Int64>, spec: GoalSpec, seed: UInt64 = 0, stateLength: Int = 0,
  isCategorical: Bool = false, length: (Int64) -> Int = { Int($0 * 7 % 11) + 1 }
) -> [Trajectory] {
  indices.map { index in
    var random = Philox(seed: seed, purpose: 77, index: UInt64(index))
    func floats(_ count: Int) -> [Float] { (0..<count).map { _ in Float(random.normal()) } }
    let t = length(index)
    var episode = Trajectory(
      index: index, seed: Seeds.world(.collect, seed: seed, episode: index), action: spec.action,
      desiredGoal: floats(spec.goal))
    episode.length = t
    episode.observations = floats((t + 1) * spec.observation)
    episode.achievedGoals = floats((t + 1) * spec.goal)
    switch spec.action {
    case .continuous(let low, _): episode.actions = .continuous(floats(t * low.count))
    case .discrete(let count):
      episode.actions = .discrete((0..<t).map { _ in Int32(random.next() % UInt64(count)) })
    }
    episode.rewards = (0..<t).map { _ in random.next() % 2 == 0 ? -1 : 0 }
    episode.successes = episode.rewards.map { $0 == 0 }
    episode.sources = (0..<t).map { _ in
      [BehaviourSource.policy, .noise, .random][Int(random.next() % 3)]
    }
    if isCategorical { episode.logProbabilities = (0..<t).map { _ in -Float(random.unit()) } }
    episode.terminated = index % 3 == 0
    episode.truncated = index % 3 == 1
    episode.states = (0..<((t + 1) * stateLength)).map { _ in random.normal() }
    return episode
  }
}

/// Exchanges one byte of a file.
func changeByte(_ url: URL, at offset: Int, to change: (UInt8) -> UInt8) throws {
  var data = try Data(contentsOf: url)
  data[offset] = change(data[offset])
  try data.write(to: url)
}
