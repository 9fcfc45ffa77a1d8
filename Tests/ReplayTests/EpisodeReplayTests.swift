import GoalCore
import Testing

@testable import Replay

/// Episodes whose numbers say where they stand: observation = (1000·episode + state, …).
struct Episodes {
  let task: GoalTask
  let replay: EpisodeReplay

  init(
    lengths: [Int], discrete: Bool = false, placement: EpisodePlacement = .inPlace,
    goalsMove: Bool = false, ofShard: Int = .max
  ) {
    task = GoalTask(
      identifier: "test",
      spec: GoalSpec(
        observation: 3, goal: 1,
        action: discrete ? .discrete(count: 9) : .continuous(low: [-1, -1], high: [1, 1]),
        horizon: 50, successThreshold: 0.5, metric: "m", controlPeriod: 0.1),
      goalIndices: [0])
    let shards = stride(from: 0, to: lengths.count, by: min(ofShard, lengths.count)).map { start in
      let episodes = start..<min(start + min(ofShard, lengths.count), lengths.count)
      var observations: [Float] = []
      var achieved: [Float] = []
      var actions: [Float] = []
      var numbers: [Int32] = []
      for episode in episodes {
        for state in 0...lengths[episode] {
          let value = Float(1000 * episode + state)
          observations += [value, value + 0.25, -value]
          achieved.append(value)
          if state < lengths[episode] {
            actions += [Float(state) / 64, Float(episode)]
            numbers.append(Int32(state % 9))
          }
        }
      }
      let owner = Owner()
      return TrajectoryColumns(
        observations: owner.keep(observations),
        actions: discrete ? .discrete(owner.keep(numbers)) : .continuous(owner.keep(actions)),
        achievedGoals: owner.keep(achieved),
        desiredGoals: owner.keep(
          episodes.flatMap { episode in
            [Float](
              repeating: -Float(episode) - 1, count: goalsMove ? lengths[episode] + 1 : 1)
          }), goalsMove: goalsMove, lengths: Array(lengths[episodes]), owner: owner)
    }
    replay = EpisodeReplay(task: task, columns: shards, placement: placement)
  }

  final class Owner {
    private var release: [() -> Void] = []
    func keep<T>(_ values: [T]) -> UnsafeBufferPointer<T> {
      let memory = UnsafeMutableBufferPointer<T>.allocate(capacity: values.count)
      _ = memory.initialize(from: values)
      release.append { memory.deallocate() }
      return UnsafeBufferPointer(memory)
    }
    deinit { for free in release { free() } }
  }

  func batches(
    _ goals: GoalSelection, rows: Int = 512, count: Int, original: Double = 0, seed: UInt64 = 1
  ) -> [GoalBatch] {
    let scheme = SamplingScheme(
      batchSize: rows, policyGoals: goals, originalValueGoals: original)
    return (0..<count).map { number in
      var batch = GoalBatch(count: rows, spec: task.spec)
      replay.draw(scheme, seed: seed, number: UInt64(number), into: &batch)
      return batch
    }
  }
}

struct EpisodeReplayTests {
  /// How the episodes are kept changes no batch: not of one length, nor of several.
  @Test(
    arguments: [EpisodePlacement.paged, .packed], [(false, false), (true, false), (false, true)])
  func everyPlacementGivesTheSameBatches(
    placement: EpisodePlacement, kind: (discrete: Bool, goalsMove: Bool)
  ) throws {
    for lengths in [(0..<60).map({ 1 + $0 % 50 }), [Int](repeating: 20, count: 40), [5]] {
      let usual = Episodes(lengths: lengths, discrete: kind.discrete, goalsMove: kind.goalsMove)
      let other = Episodes(
        lengths: lengths, discrete: kind.discrete, placement: placement, goalsMove: kind.goalsMove)
      for name in NamedScheme.all.map(\.name) {
        let scheme = try NamedScheme.scheme("\(name):batch=37")
        let samplers = [usual, other].map { Sampler(scheme, source: $0.replay, seed: 3) }
        for number in 0..<3 {
          var (a, b) = (samplers[0].makeBatch(), samplers[1].makeBatch())
          samplers[0].draw(UInt64(number), into: &a)
          samplers[1].draw(UInt64(number), into: &b)
          #expect(SamplerTests.same(a, b))
        }
      }
    }
  }

  /// The chi-squared statistic of counts against probabilities, over its number of cells.
  func misfit(_ counts: [Int: Int], _ expected: [Int: Double]) -> Double {
    let total = Double(counts.values.reduce(0, +))
    var sum = 0.0
    for (cell, probability) in expected where probability > 0 {
      let mean = probability * total
      let difference = Double(counts[cell] ?? 0) - mean
      sum += difference * difference / mean
    }
    #expect(counts.keys.allSatisfy { (expected[$0] ?? 0) > 0 })
    return sum / Double(expected.count)
  }

  @Test func futureOffsetsFollowTheirClosedForm() {
    let steps = 50
    let episodes = Episodes(lengths: [Int](repeating: steps, count: 7))
    var counts: [Int: Int] = [:]
    for batch in episodes.batches(.future(fraction: 1), count: 400) {
      for offset in batch.offsets { counts[Int(offset), default: 0] += 1 }
    }
    var expected: [Int: Double] = [:]
    for d in 0..<steps {
      expected[d] = (d + 1...steps).reduce(0) { $0 + 1 / Double($1) } / Double(steps)
    }
    #expect(abs(expected.values.reduce(0, +) - 1) < 1e-12)
    // 204,800 draws: the statistic per cell is 1 ± 0.2; a uniform draw gives hundreds.
    #expect(misfit(counts, expected) < 1.8)
  }

  @Test func gcslPairsFollowTheirClosedForm() {
    let steps = 9
    let states = steps + 1
    let episodes = Episodes(lengths: [steps, steps])
    var counts: [Int: Int] = [:]
    for batch in episodes.batches(.pair(), count: 400) {
      for row in 0..<batch.count {
        let start = Int(batch.steps[row])
        counts[start * 100 + start + 1 + Int(batch.offsets[row]), default: 0] += 1
      }
    }
    var expected: [Int: Double] = [:]
    for i in 0..<states - 1 {
      for j in i + 1..<states {
        let weight = 1 + (j <= states - 2 ? 1 : 0) + (j == i + 1 ? 1 : 0)
        expected[i * 100 + j] = Double(weight) / Double(states * (states - 1))
      }
    }
    #expect(abs(expected.values.reduce(0, +) - 1) < 1e-12)
    #expect(misfit(counts, expected) < 1.8)
  }

  @Test(arguments: [GoalSelection.future(fraction: 1), .pair(), .original, .future(fraction: 0.8)])
  func rowsAreWhatTheySayTheyAre(goals: GoalSelection) {
    let episodes = Episodes(lengths: [50, 1, 2, 17])
    for batch in episodes.batches(goals, count: 20, original: 0.2) {
      for row in 0..<batch.count {
        let episode = Float(batch.episodes[row])
        let state = 1000 * episode + Float(batch.steps[row])
        #expect(batch.observations[3 * row] == state)
        #expect(batch.observations[3 * row + 2] == -state)
        #expect(batch.nextObservations[3 * row] == state + 1)
        guard case .continuous(let actions) = batch.actions else {
          Issue.record("continuous actions became discrete")
          return
        }
        #expect(actions[2 * row] == Float(batch.steps[row]) / 64)
        #expect(actions[2 * row + 1] == episode)
        let original = -episode - 1
        let goal = batch.policyGoals[row]
        #expect(goal == original || goal == state + 1 + Float(batch.offsets[row]))
        #expect(batch.valueGoals[row] == goal || batch.valueGoals[row] == original)
        #expect(batch.policyRewards[row] == (abs(goal - state - 1) > 0.5 ? -1 : 0))
        #expect(
          batch.valueRewards[row] == (abs(batch.valueGoals[row] - state - 1) > 0.5 ? -1 : 0))
      }
    }
  }

  @Test func startsAndGoalsVaryWithinABatch() {
    let batch = Episodes(lengths: [Int](repeating: 50, count: 20))
      .batches(.future(fraction: 1), count: 1)[0]
    #expect(Set(batch.episodes).count == 20)
    #expect(Set(batch.steps).count > 45)
    #expect(Set(batch.policyGoals).count > 250)
  }

  @Test func originalGoalsHaveTheirShare() {
    let episodes = Episodes(lengths: [50, 50])
    var original = 0
    var policyOriginal = 0
    for batch in episodes.batches(.future(fraction: 0.8), count: 200, original: 0.2) {
      original += batch.valueGoals.count { $0 < 0 }
      policyOriginal += batch.policyGoals.count { $0 < 0 }
    }
    let total = 512 * 200.0
    #expect(abs(Double(policyOriginal) / total - 0.2) < 0.006)
    #expect(abs(Double(original) / total - (0.2 + 0.8 * 0.2)) < 0.007)
  }

  @Test func batchesDependOnSeedAndNumberOnly() {
    let episodes = Episodes(lengths: [50, 3, 8])
    let first = episodes.batches(.pair(), rows: 64, count: 6)
    let again = episodes.batches(.pair(), rows: 64, count: 6)
    let other = episodes.batches(.pair(), rows: 64, count: 6, seed: 2)
    #expect(first.map(\.observations) == again.map(\.observations))
    #expect(first[5].observations != other[5].observations)
    #expect(first[4].observations != first[5].observations)
    // Drawn out of order, into a batch that was used before.
    var batch = again[0]
    let scheme = SamplingScheme(batchSize: 64, policyGoals: .pair(), originalValueGoals: 0)
    episodes.replay.draw(scheme, seed: 1, number: 5, into: &batch)
    #expect(batch.observations == first[5].observations)
    #expect(batch.policyGoals == first[5].policyGoals)
  }

  @Test func discreteActionsComeThrough() {
    let batch = Episodes(lengths: [50], discrete: true).batches(.pair(), rows: 64, count: 1)[0]
    guard case .discrete(let actions) = batch.actions else {
      Issue.record("discrete actions became continuous")
      return
    }
    for row in 0..<64 { #expect(actions[row] == batch.steps[row] % 9) }
  }
}

/// The batches that the published results were trained on.
struct BatchIdentityTests {
  /// FNV-1a over five batches, as the sampler gave them when the first results were made.
  @Test(arguments: [
    (GoalSelection.future(fraction: 1), 0.2, 13_873_381_072_926_942_089 as UInt64),
    (.future(fraction: 0.8), 0, 5_016_083_717_170_853_962),
    (.pair(), 0.2, 10_838_000_640_195_480_638),
    (.original, 1, 10_890_419_872_415_324_965),
  ])
  func theFirstSchemesDrawWhatTheyDrew(goals: GoalSelection, original: Double, expected: UInt64) {
    let episodes = Episodes(lengths: [50, 3, 8, 1, 2])
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    func take(_ bits: UInt32) { hash = (hash ^ UInt64(bits)) &* 0x100_0000_01b3 }
    let batches = episodes.batches(goals, rows: 64, count: 5, original: original, seed: 7)
    for batch in batches {
      for value in batch.observations + batch.policyGoals + batch.valueGoals
        + batch.policyRewards + batch.valueRewards
      {
        take(value.bitPattern)
      }
      for offset in batch.offsets { take(UInt32(bitPattern: offset)) }
    }
    #expect(hash == expected)
  }
}
