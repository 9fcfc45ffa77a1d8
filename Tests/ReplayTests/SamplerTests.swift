import GoalCore
import Testing

@testable import Replay

struct SamplerTests {
  let episodes = Episodes(lengths: (0..<30).map { 1 + $0 % 7 })

  func sampler(_ text: String = "wgcsl:batch=64", seed: UInt64 = 3) throws -> Sampler {
    Sampler(try NamedScheme.scheme(text), source: episodes.replay, seed: seed)
  }

  static func same(_ a: GoalBatch, _ b: GoalBatch) -> Bool {
    a.observations == b.observations && a.nextObservations == b.nextObservations
      && a.actions == b.actions && a.policyGoals == b.policyGoals && a.valueGoals == b.valueGoals
      && a.policyRewards == b.policyRewards && a.valueRewards == b.valueRewards
      && a.offsets == b.offsets && a.valueOffsets == b.valueOffsets && a.steps == b.steps
      && a.episodes == b.episodes && a.policyOrigins == b.policyOrigins
      && a.valueOrigins == b.valueOrigins && a.subgoals == b.subgoals
      && a.subgoalObservations == b.subgoalObservations && a.lowGoals == b.lowGoals
  }

  /// Every scheme, by name, draws from episodes of one and two steps, and each row is what it says.
  @Test(arguments: NamedScheme.all.map(\.name), [[1], [2], [1, 2, 1], [1, 2, 50, 7]])
  func everySchemeDrawsFromShortEpisodes(name: String, lengths: [Int]) throws {
    let episodes = Episodes(lengths: lengths)
    let scheme = try NamedScheme.scheme("\(name):batch=64")
    let sampler = Sampler(scheme, source: episodes.replay, seed: 1)
    var batch = sampler.makeBatch()
    for number in 0..<3 {
      sampler.draw(UInt64(number), into: &batch)
      for row in 0..<batch.count {
        let length = lengths[Int(batch.episodes[row])]
        let step = Int(batch.steps[row])
        #expect(0..<length ~= step)
        let state = Float(1000 * Int(batch.episodes[row]) + step)
        #expect(batch.observations[3 * row] == state)
        #expect(batch.nextObservations[3 * row] == state + 1)
        let rewarded = scheme.rewarded == .next ? state + 1 : state
        for (goal, origin, offset, reward) in [
          (
            batch.policyGoals[row], batch.policyOrigins[row], batch.offsets[row],
            batch.policyRewards[row]
          ),
          (
            batch.valueGoals[row], batch.valueOrigins[row], batch.valueOffsets[row],
            batch.valueRewards[row]
          ),
        ] {
          #expect(reward == (abs(goal - rewarded) > 0.5 ? -1 : 0))
          switch origin {
          case .original: #expect(goal == -Float(batch.episodes[row]) - 1 && offset == 0)
          case .current: #expect(goal == state && offset == -1)
          case .trajectory:
            #expect(goal == state + 1 + Float(offset) && offset != -1)
            #expect(0...length ~= step + 1 + Int(offset))
          case .random:
            let (episode, place) = (Int(goal) / 1000, Int(goal) % 1000)
            #expect(lengths.indices ~= episode && 0...lengths[episode] ~= place && offset == 0)
          }
        }
      }
    }
  }

  /// Episodes of one length in shards of as many have loops of their own, and the same batches as
  /// one shard that is drawn from as any source.
  @Test(
    arguments: NamedScheme.all.map(\.name), [EpisodePlacement.packed, .inPlace, .paged])
  func regularEpisodesAreDrawnAsAnyOthers(name: String, placement: EpisodePlacement) throws {
    for (length, goalsMove, ofShard) in [
      (1, false, 40), (7, false, 40), (7, true, 40), (7, false, 17), (7, true, 20), (1, false, 2),
    ] {
      let lengths = [Int](repeating: length, count: 40)
      let replay = Episodes(
        lengths: lengths, placement: placement, goalsMove: goalsMove, ofShard: ofShard
      ).replay
      let whole = Episodes(lengths: lengths, placement: placement, goalsMove: goalsMove).replay
      #expect(replay.table.regular?.isOneRun == (placement == .packed || ofShard == 40))
      let other = Episodes(lengths: [3, 9]).replay
      // Two blocks and a part of one.
      let sampler = Sampler(
        try NamedScheme.scheme("\(name):batch=150"),
        sources: [WeightedSource(other, weight: 0), WeightedSource(replay)], seed: 5)
      var (batch, expected) = (sampler.makeBatch(), sampler.makeBatch())
      for number in 0..<4 as Range<UInt64> {
        sampler.draw(number, into: &batch)
        expected.withColumns(sampler.scheme, spec: sampler.task.spec) { columns in
          [other.table, whole.table].withUnsafeBufferPointer { tables in
            sampler.draw(number, from: SourceChoice(tables, weights: [0, 1]), into: columns)
          }
        }
        #expect(Self.same(batch, expected) && batch.sources == expected.sources)
        #expect(batch.sources.allSatisfy { $0 == 1 })
      }
    }
  }

  /// Runs of old seeds must be able to go on.
  @Test func theBatchesOfASeedStay() throws {
    let replay = Episodes(lengths: [Int](repeating: 50, count: 100)).replay
    for (name, episodes, steps, offsets, valueOffsets) in [
      (
        "wgcsl", [27, 86, 98, 20, 23, 76, 10, 14], [19, 33, 2, 17, 37, 30, 9, 49],
        [0, 11, 31, 3, 7, 15, 26, 0], [0, 11, 31, 3, 7, 15, 26, 0]
      ),
      (
        "ogbench", [22, 18, 67, 75, 33, 54, 18, 35], [20, 1, 5, 15, 22, 34, 43, 37],
        [21, 27, 17, 15, 22, 2, 2, 5], [14, 47, 43, 31, 26, 0, -1, 11]
      ),
    ] as [(String, [Int32], [Int32], [Int32], [Int32])] {
      let sampler = Sampler(try NamedScheme.scheme(name), source: replay, seed: 3)
      var batch = sampler.makeBatch()
      sampler.draw(9, into: &batch)
      #expect(Array(batch.episodes.suffix(8)) == episodes)
      #expect(Array(batch.steps.suffix(8)) == steps)
      #expect(Array(batch.offsets.suffix(8)) == offsets)
      #expect(Array(batch.valueOffsets.suffix(8)) == valueOffsets)
    }
  }

  /// HIQL's subgoals: the state k steps ahead, but not beyond the goal or the end.
  @Test func subgoalsLieOnTheWay() throws {
    let episodes = Episodes(lengths: [1, 2, 9, 30])
    let scheme = try NamedScheme.scheme("hiql:batch=256,subgoal-steps=5,actor-random=0.5")
    let sampler = Sampler(scheme, source: episodes.replay, seed: 1)
    var batch = sampler.makeBatch()
    var nearer = 0
    for number in 0..<20 {
      sampler.draw(UInt64(number), into: &batch)
      for row in 0..<batch.count {
        let (episode, step) = (Int(batch.episodes[row]), Int(batch.steps[row]))
        let low = min(step + 5, episodes.replay.table.length(episode) - 1)
        let state = step + 1 + Int(batch.offsets[row])
        let high = batch.policyOrigins[row] == .random ? low : min(low, state)
        #expect(batch.lowGoals[row] == Float(1000 * episode + low))
        #expect(batch.subgoals[row] == Float(1000 * episode + high))
        let value = Float(1000 * episode + high)
        #expect(
          batch.subgoalObservations[3 * row..<3 * row + 3].elementsEqual(
            [value, value + 0.25, -value]))
        nearer += high < low ? 1 : 0
      }
    }
    #expect(nearer > 100)
  }

  /// Whole observations as goals: of the goal's own state, while rewards stay those of achieved
  /// goals.
  @Test func wholeObservationsAreTheGoalStates() throws {
    let achieved = try sampler("ogbench:batch=128")
    let whole = try sampler("ogbench:batch=128,form=observation")
    var batches = [achieved.makeBatch(), whole.makeBatch()]
    achieved.draw(2, into: &batches[0])
    whole.draw(2, into: &batches[1])
    #expect(batches[1].policyGoals.count == 3 * 128)
    for row in 0..<128 {
      for (one, form) in [
        (batches[0].policyGoals, batches[1].policyGoals),
        (batches[0].valueGoals, batches[1].valueGoals),
      ] {
        #expect(form[3 * row] == one[row])
        #expect(form[3 * row + 1] == one[row] + 0.25 && form[3 * row + 2] == -one[row])
      }
    }
    #expect(batches[0].policyRewards == batches[1].policyRewards)
    #expect(batches[0].valueRewards == batches[1].valueRewards)
  }

  @Test func actingMakesGoalsAsSamplingDoes() throws {
    let task = episodes.task
    #expect(GoalForm.achieved.goal(ofState: [7, 7.25, -7], task: task) == [7])
    #expect(GoalForm.observation.goal(ofState: [7, 7.25, -7], task: task) == [7, 7.25, -7])
    #expect(try GoalForm.achieved.goal(desired: [5], task: task) == [5])
    let shown = try GoalForm.observation.goal(desired: [5], shown: [5, 5.25, -5], task: task)
    #expect(shown == [5, 5.25, -5])
    #expect(throws: GoalFormError.notShown(world: "test", goal: 1, observation: 3)) {
      try GoalForm.observation.goal(desired: [5], task: task)
    }
    // A point in the plane is its own observation.
    let plane = GoalTask(
      identifier: "plane",
      spec: GoalSpec(
        observation: 2, goal: 2, action: .discrete(count: 4), horizon: 5, successThreshold: 0.1,
        metric: "m", controlPeriod: 1), goalIndices: [1, 0])
    #expect(try GoalForm.observation.goal(desired: [3, 4], task: plane) == [4, 3])
    #expect(plane.achievedGoal(of: [4, 3]) == [3, 4])
  }

  @Test(arguments: NamedScheme.all.map(\.name))
  func batchesDependOnSeedAndNumberOnly(name: String) throws {
    let sampler = try sampler("\(name):batch=64")
    var batches = [GoalBatch](repeating: sampler.makeBatch(), count: 3)
    sampler.draw(8, into: &batches[0])
    sampler.draw(3, into: &batches[1])
    sampler.draw(8, into: &batches[1])  // after another
    #expect(Self.same(batches[0], batches[1]))
    try self.sampler("\(name):batch=64", seed: 4).draw(8, into: &batches[2])
    #expect(!Self.same(batches[0], batches[2]))
  }

  @Test(arguments: [(1, 1), (1, 4), (2, 4), (3, 4), (5, 2)])
  func preparedBatchesAreThoseDrawnInPlace(threads: Int, depth: Int) throws {
    let sampler = try sampler()
    let prepared = BatchPrefetcher(sampler, from: 5, below: 105, depth: depth, threads: threads)
    var (batch, expected) = (sampler.makeBatch(), sampler.makeBatch())
    for number in 5..<105 {
      prepared.next(into: &batch)
      sampler.draw(UInt64(number), into: &expected)
      #expect(Self.same(batch, expected))
    }
    #expect(prepared.waiting >= 0 && prepared.waiting < 60)
  }

  /// A learner that stops early lets the threads end, and those that were waiting too.
  @Test func preparingCanBeGivenUp() throws {
    let sampler = try sampler()
    for stop in 0..<50 {
      let prepared = BatchPrefetcher(sampler, from: 0, below: 1_000, depth: 3, threads: 2)
      var batch = sampler.makeBatch()
      for _ in 0..<stop % 7 { prepared.next(into: &batch) }
    }
  }

  @Test(arguments: [0.01, 0.2, 0.5, 0.99])
  func aSplitSharesNoEpisode(fraction: Double) {
    let (training, validation) = episodes.replay.split(validationFraction: fraction, seed: 6)
    #expect(training.episodeCount + validation.episodeCount == 30)
    #expect(training.stepCount + validation.stepCount == episodes.replay.stepCount)
    #expect(validation.episodeCount == min(29, max(1, Int((30 * fraction).rounded()))))
    func numbers(_ replay: EpisodeReplay) -> Set<Float> {
      Set((0..<replay.episodeCount).map { replay.table.original($0, 0)[0] })
    }
    #expect(numbers(training).isDisjoint(with: numbers(validation)))
    #expect(numbers(training).union(numbers(validation)).count == 30)
    let again = episodes.replay.split(validationFraction: fraction, seed: 6)
    #expect(numbers(again.validation) == numbers(validation))
    let other = episodes.replay.split(validationFraction: 0.5, seed: 7)
    #expect(numbers(other.validation) != numbers(validation))
  }

  /// Episodes that a mixture took several times lie on one side, and change nothing for the others.
  @Test func copiesAreNotSplit() {
    let copies = (0..<30).map { $0 % 10 }
    let (training, validation) = episodes.replay.split(
      validationFraction: 0.3, seed: 6, copies: copies)
    #expect(validation.episodeCount == 9 && training.episodeCount == 21)
    func numbers(_ part: EpisodeReplay) -> Set<Int> {
      Set((0..<part.episodeCount).map { Int(part.table[$0].achieved[0]) / 1000 })
    }
    #expect(
      Set(numbers(training).map { $0 % 10 }).isDisjoint(with: numbers(validation).map { $0 % 10 }))
    let few = Episodes(lengths: (0..<10).map { 1 + $0 % 7 }).replay
    #expect(
      numbers(few.split(validationFraction: 0.3, seed: 6).validation)
        == numbers(validation).filter { $0 < 10 })
  }

  @Test func schemesAreReadFromText() throws {
    #expect(try NamedScheme.scheme("her-future:k=4").policyGoals == .future(fraction: 0.8))
    #expect(try NamedScheme.scheme("wgcsl").valueGoals == .policys(original: 0.2))
    #expect(try NamedScheme.scheme("gcsl-pair:states=all,batch=32").policyGoals == .pair())
    #expect(try NamedScheme.scheme("ogbench:draw=episodes").episodes == .episodes)
    #expect(try NamedScheme.scheme("ogbench").episodes == .steps)
    for (text, sentence) in [
      ("futur", "no scheme is called 'futur': did you mean future or her-future?"),
      (
        "future:fracton=1",
        "future: no parameter is called 'fracton': did you mean fraction?"
      ),
      ("future:fraction", "a scheme's parameter is key=value, found 'fraction'"),
      ("future:fraction=x", "future: fraction must be a finite number, found 'x'"),
      ("future:fraction=2", "future: fraction must be from 0 to 1, found 2.0"),
      ("fixed:steps=0", "fixed: steps must be a whole number from 1 to 16777216, found '0'"),
      (
        "gcsl-pair:states=some",
        "gcsl-pair: states must be one of all, beforeActions, found 'some'"
      ),
      (
        "her-future:form=observation",
        "her-future: data hold no observation of an original goal: draw none, or take the achieved "
          + "form"
      ),
    ] {
      let found = #expect(throws: SchemeError.self) { try NamedScheme.scheme(text) }
      #expect(found?.description == sentence)
    }
  }
}
