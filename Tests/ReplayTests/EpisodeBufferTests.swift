import GoalCore
import Testing

@testable import Replay

/// A world of one number that counts, for episodes made by hand.
private let task = GoalTask(
  identifier: "count",
  spec: GoalSpec(
    observation: 2, goal: 1, action: .continuous(low: [-1], high: [1]), horizon: 50,
    successThreshold: 0.5, metric: "m", controlPeriod: 0.1),
  goalIndices: [0])

/// Episode `number`: its state k is (1000·number + k, −k).
private func episode(_ number: Int, length: Int) -> Trajectory {
  var episode = Trajectory(
    index: Int64(number), seed: 0, action: task.spec.action, desiredGoal: [-Float(number) - 1])
  episode.length = length
  for state in 0...length {
    episode.observations += [Float(1000 * number + state), -Float(state)]
    episode.achievedGoals.append(Float(1000 * number + state))
  }
  episode.actions = .continuous((0..<length).map { Float($0) / 64 })
  return episode
}

private let scheme = SamplingScheme(
  batchSize: 256, policyGoals: .future(fraction: 0.8), originalValueGoals: 0.2)

/// The episodes' own numbers in a batch, each once.
private func numbers(_ batch: GoalBatch) -> Set<Int> {
  Set((0..<batch.count).map { Int(batch.observations[2 * $0]) / 1000 })
}

private func batch(_ source: any EpisodeSource, number: UInt64 = 0) -> GoalBatch {
  let sampler = Sampler(scheme, source: source, seed: 1)
  var batch = sampler.makeBatch()
  sampler.draw(number, into: &batch)
  return batch
}

struct EpisodeBufferTests {
  @Test func exactlyFullHoldsAll() {
    let buffer = EpisodeBuffer(task: task, capacity: .episodes(4))
    for number in 0..<4 { buffer.append(episode(number, length: 5)) }
    #expect(buffer.episodeCount == 4 && buffer.stepCount == 20 && buffer.held == 0..<4)
    #expect(numbers(batch(buffer)) == [0, 1, 2, 3])
  }

  @Test func oneMorePushesOutTheOldest() {
    let buffer = EpisodeBuffer(task: task, capacity: .episodes(4))
    for number in 0..<5 { buffer.append(episode(number, length: 5)) }
    #expect(buffer.episodeCount == 4 && buffer.stepCount == 20 && buffer.held == 1..<5)
    #expect(numbers(batch(buffer)) == [1, 2, 3, 4])
  }

  /// Far beyond the first table's room too.
  @Test(arguments: [8, 13, 200, 1_001])
  func twiceRoundHoldsTheLast(appended: Int) {
    let buffer = EpisodeBuffer(task: task, capacity: .episodes(4))
    for number in 0..<appended { buffer.append(episode(number, length: 1 + number % 3)) }
    #expect(buffer.held == appended - 4..<appended)
    #expect(numbers(batch(buffer)) == Set(appended - 4..<appended))
    #expect(buffer.stepCount == (appended - 4..<appended).reduce(0) { $0 + 1 + $1 % 3 })
  }

  @Test func stepsAreCounted() {
    let buffer = EpisodeBuffer(task: task, capacity: .steps(10))
    for (number, length) in [4, 4, 2].enumerated() {
      buffer.append(episode(number, length: length))
    }
    #expect(buffer.held == 0..<3 && buffer.stepCount == 10)  // exactly full
    buffer.append(episode(3, length: 1))  // one more
    #expect(buffer.held == 1..<4 && buffer.stepCount == 7)
    buffer.append(episode(4, length: 10))
    #expect(buffer.held == 4..<5 && buffer.stepCount == 10)
    buffer.append(episode(5, length: 25))  // longer than all the room: held alone
    #expect(buffer.held == 5..<6 && buffer.stepCount == 25)
    buffer.append(episode(6, length: 1))
    #expect(buffer.held == 6..<7 && buffer.stepCount == 1)
  }

  /// A buffer filled again with what it held, in order, draws the same rows, wherever they lie now.
  @Test(arguments: [EpisodeDraw.episodes, .steps])
  func filledAgainDrawsTheSame(law: EpisodeDraw) {
    let buffer = EpisodeBuffer(task: task, capacity: .episodes(70))
    for number in 0..<333 { buffer.append(episode(number, length: 1 + number % 7)) }
    let again = EpisodeBuffer(task: task, capacity: .episodes(70))
    for number in buffer.held { again.append(episode(number, length: 1 + number % 7)) }
    var scheme = scheme
    scheme.episodes = law
    let samplers = [buffer, again].map { Sampler(scheme, source: $0, seed: 1) }
    var batches = samplers.map { $0.makeBatch() }
    for number in 0..<5 {
      for k in 0..<2 { samplers[k].draw(UInt64(number), into: &batches[k]) }
      #expect(batches[0].observations == batches[1].observations)
      #expect(batches[0].valueGoals == batches[1].valueGoals)
    }
  }

  /// The buffer gives the rows that the same episodes give as columns.
  @Test func drawsWhatColumnsDraw() {
    let lengths = (0..<40).map { 1 + $0 % 5 }
    let columns = Episodes(lengths: lengths)
    let buffer = EpisodeBuffer(task: columns.task, capacity: .episodes(40))
    for (number, length) in lengths.enumerated() {
      var episode = Trajectory(
        index: 0, seed: 0, action: columns.task.spec.action, desiredGoal: [-Float(number) - 1])
      episode.length = length
      var actions: [Float] = []
      for state in 0...length {
        let value = Float(1000 * number + state)
        episode.observations += [value, value + 0.25, -value]
        episode.achievedGoals.append(value)
        if state < length { actions += [Float(state) / 64, Float(number)] }
      }
      episode.actions = .continuous(actions)
      buffer.append(episode)
    }
    for law in EpisodeDraw.allCases {
      var scheme = scheme
      scheme.episodes = law
      let samplers = [columns.replay as any EpisodeSource, buffer].map {
        Sampler(scheme, source: $0, seed: 4)
      }
      var batches = samplers.map { $0.makeBatch() }
      for k in 0..<2 { samplers[k].draw(3, into: &batches[k]) }
      #expect(batches[0].observations == batches[1].observations)
      #expect(batches[0].actions == batches[1].actions)
      #expect(batches[0].policyGoals == batches[1].policyGoals)
      #expect(batches[0].valueRewards == batches[1].valueRewards)
    }
  }

  @Test func discreteActionsComeThrough() {
    let columns = Episodes(lengths: [20], discrete: true)
    let buffer = EpisodeBuffer(task: columns.task, capacity: .steps(100))
    var episode = Trajectory(index: 0, seed: 0, action: columns.task.spec.action, desiredGoal: [0])
    episode.length = 20
    episode.observations = [Float](repeating: 0, count: 63)
    episode.achievedGoals = [Float](repeating: 0, count: 21)
    episode.actions = .discrete((0..<20).map { Int32($0 % 9) })
    buffer.append(episode)
    let found = batch(buffer)
    guard case .discrete(let actions) = found.actions else {
      Issue.record("discrete actions became continuous")
      return
    }
    for row in 0..<found.count { #expect(actions[row] == found.steps[row] % 9) }
  }
}

struct WeightTests {
  private func buffer(_ numbers: Range<Int>) -> EpisodeBuffer {
    let buffer = EpisodeBuffer(task: task, capacity: .episodes(100))
    for number in numbers { buffer.append(episode(number, length: 5)) }
    return buffer
  }

  private func share(_ weights: [Double], of source: Int32, batches: Int = 200) -> Double {
    let sampler = Sampler(
      scheme, sources: [buffer(0..<3), buffer(10..<30)].map { WeightedSource($0) }, seed: 2)
    var batch = sampler.makeBatch()
    var count = 0
    for number in 0..<batches {
      sampler.draw(UInt64(number), weights: weights, into: &batch)
      for row in 0..<batch.count {
        let isFirst = batch.observations[2 * row] < 9_000
        #expect((batch.sources[row] == 0) == isFirst)
      }
      count += batch.sources.count { $0 == source }
    }
    return Double(count) / Double(batches * scheme.batchSize)
  }

  /// Shares are the weights', whatever the sources hold: 51,200 rows, so ± 0.007 is three
  /// deviations.
  @Test(arguments: [[0.5, 0.5], [0.9, 0.1], [3, 1], [1, 9]])
  func rowsComeByTheWeights(weights: [Double]) {
    let expected = weights[0] / (weights[0] + weights[1])
    #expect(abs(share(weights, of: 0) - expected) < 0.007)
  }

  @Test func noWeightLeavesASourceOut() {
    #expect(share([0, 1], of: 0, batches: 5) == 0)
    #expect(share([2, 0], of: 0, batches: 5) == 1)
  }

  /// With one source that counts, batches are those of that source alone.
  @Test func aLoneWeightChangesNothing() {
    let (one, other) = (buffer(0..<3), EpisodeBuffer(task: task, capacity: .episodes(2)))
    let both = Sampler(
      scheme, sources: [WeightedSource(other, weight: 0), WeightedSource(one)], seed: 2)
    let alone = Sampler(scheme, source: one, seed: 2)
    var batches = [both.makeBatch(), alone.makeBatch()]
    both.draw(9, into: &batches[0])
    alone.draw(9, into: &batches[1])
    #expect(batches[0].observations == batches[1].observations)
    #expect(batches[0].policyGoals == batches[1].policyGoals)
  }

  /// A random goal comes from all sources, by the weights.
  @Test func randomGoalsComeByTheWeights() {
    var scheme = scheme
    scheme.policyGoals = .random
    scheme.valueGoals = .policys(original: 0)
    let sampler = Sampler(
      scheme,
      sources: [WeightedSource(buffer(0..<3), weight: 3), WeightedSource(buffer(10..<30))],
      seed: 2)
    var batch = sampler.makeBatch()
    var crossed = 0
    for number in 0..<200 {
      sampler.draw(UInt64(number), into: &batch)
      for row in 0..<batch.count {
        crossed += batch.sources[row] == 0 && batch.policyGoals[row] > 9_000 ? 1 : 0
      }
    }
    #expect(abs(Double(crossed) / Double(200 * scheme.batchSize) - 0.75 * 0.25) < 0.006)
  }
}
