import GoalCore
import Testing

@testable import Replay

struct WindowTests {
  func batches(
    _ window: Window, goals: GoalSelection = .future(fraction: 1), lengths: [Int] = [1, 2, 9, 30],
    discrete: Bool = false, form: GoalForm = .achieved
  ) -> (batches: [GoalBatch], lengths: [Int]) {
    var rows = SamplingScheme(batchSize: 64, policyGoals: goals, originalValueGoals: 0)
    rows.goalForm = form
    rows.window = window
    let sampler = Sampler(
      rows, source: Episodes(lengths: lengths, discrete: discrete).replay, seed: 2)
    return (
      (0..<4 as Range<UInt64>).map { number in
        var batch = sampler.makeBatch()
        sampler.draw(number, into: &batch)
        return batch
      }, lengths
    )
  }

  /// A state as the window should hold it, or nil for padding; and whether its action is there.
  typealias Place = (state: Int?, acts: Bool)

  /// Compares each window with what the rule says of a row's start, goal and length.
  func check(
    _ found: (batches: [GoalBatch], lengths: [Int]), padding: FramePadding = .zeros,
    _ rule: (_ start: Int, _ goal: Int, _ length: Int) -> [Place]
  ) throws {
    for rows in found.batches {
      let batch = try #require(rows.window)
      for row in 0..<rows.count {
        let episode = Int(rows.episodes[row])
        let start = Int(rows.steps[row])
        let goal = start + 1 + Int(rows.offsets[row])
        let places = rule(start, goal, found.lengths[episode])
        #expect(places.count == batch.steps)
        let expected = places.map { place -> [Float] in
          let state = place.state ?? (padding == .first ? 0 : nil)
          guard let state else { return [0, 0, 0] }
          let value = Float(1000 * episode + state)
          return [value, value + 0.25, -value]
        }
        let range = row * batch.steps..<(row + 1) * batch.steps
        #expect(
          Array(batch.observations[3 * range.lowerBound..<3 * range.upperBound])
            == expected.flatMap { $0 })
        #expect(Array(batch.mask[range]) == places.map { $0.state == nil ? 0 : 1 })
        #expect(Array(batch.actionMask[range]) == places.map { $0.acts ? 1 : 0 })
        #expect(Array(batch.times[range]) == places.map { Int32($0.state ?? 0) })
        #expect(Int(batch.starts[row]) == places.firstIndex { $0.state == start } ?? -1)
        #expect(Int(batch.goals[row]) == places.firstIndex { $0.state == goal } ?? -1)
        if case .continuous(let actions) = batch.actions {
          let expected = places.flatMap { place -> [Float] in
            guard place.acts, let state = place.state else { return [0, 0] }
            return [Float(state) / 64, Float(episode)]
          }
          #expect(
            Array(actions[2 * range.lowerBound..<2 * range.upperBound]) == expected)
        }
      }
    }
  }

  @Test(arguments: FramePadding.allCases)
  func historiesEndAtTheStart(padding: FramePadding) throws {
    try check(batches(.before(steps: 4, padding: padding)), padding: padding) { start, _, _ in
      (start - 3...start).map { $0 >= 0 ? ($0, true) : (nil, false) }
    }
  }

  @Test func chunksGoToTheEndOfTheEpisode() throws {
    try check(batches(.after(steps: 5))) { start, _, length in
      (start..<start + 5).map { $0 <= length ? ($0, $0 < length) : (nil, false) }
    }
  }

  /// Lengths of 2, 3 and 4 alike: of 256 windows at long episodes' middles each has a third.
  @Test func lengthsAreDrawnForEachRow() throws {
    let found = batches(.sampled(steps: 2...4), lengths: [400])
    var counts: [Int: Int] = [:]
    for rows in found.batches {
      let batch = try #require(rows.window)
      for row in 0..<64 where rows.steps[row] < 390 {
        counts[Int(batch.mask[row * 4..<row * 4 + 4].reduce(0, +)), default: 0] += 1
      }
    }
    #expect(Set(counts.keys) == [2, 3, 4])
    #expect(counts.values.allSatisfy { abs(Double($0) - 84) < 35 })
  }

  @Test(arguments: [false, true], [false, true])
  func windowsReachFromStartToGoal(history: Bool, inclusive: Bool) throws {
    for steps in [1, 3, 31] {
      try check(batches(.toGoal(steps: steps, history: history, inclusive: inclusive))) {
        start, goal, length in
        let first = max(history ? 0 : start, goal + 1 - steps)
        let states = Array(first...goal)
        let places: [Place] = states.map { state in
          (state, state >= start && (state < goal || (inclusive && state == goal && goal < length)))
        }
        return places + [Place](repeating: (nil, false), count: steps - states.count)
      }
    }
  }

  @Test func theChopIsTheStartOfTheEpisode() throws {
    let found = batches(.toGoal(steps: 31), goals: .chop(minimum: 3))
    try check(found) { start, goal, _ in
      #expect(start == 0)
      return (0..<31).map { $0 <= goal ? ($0, $0 < goal) : (nil, false) }
    }
  }

  @Test func anEpisodeIsThereWhole() throws {
    for steps in [5, 31] {
      try check(batches(.episode(steps: steps))) { _, _, length in
        (0..<steps).map { $0 <= length ? ($0, $0 < length) : (nil, false) }
      }
    }
  }

  @Test func discreteActionsComeThrough() throws {
    let found = batches(.after(steps: 5), discrete: true)
    for rows in found.batches {
      let batch = try #require(rows.window)
      guard case .discrete(let actions) = batch.actions else {
        Issue.record("discrete actions became continuous")
        return
      }
      for place in actions.indices {
        #expect(actions[place] == (batch.actionMask[place] == 1 ? batch.times[place] % 9 : 0))
      }
    }
  }

  /// A window's rows are the rows that the sampler draws without windows.
  @Test func rowsAreThoseOfTheSampler() throws {
    let rows = SamplingScheme(
      batchSize: 64, policyGoals: .future(fraction: 1), originalValueGoals: 0)
    var withWindows = rows
    withWindows.window = .sampled(steps: 1...4)
    let source = Episodes(lengths: [5, 9]).replay
    let windows = Sampler(withWindows, source: source, seed: 2)
    let sampler = Sampler(rows, source: source, seed: 2)
    var (window, batch) = (windows.makeBatch(), sampler.makeBatch())
    windows.draw(7, into: &window)
    windows.draw(6, into: &window)
    sampler.draw(6, into: &batch)
    #expect(SamplerTests.same(window, batch))
    var again = windows.makeBatch()
    windows.draw(6, into: &again)
    let (first, second) = (try #require(window.window), try #require(again.window))
    #expect(first.observations == second.observations && first.mask == second.mask)
  }

  @Test func goalsOfWholeObservationsGoWithWindows() {
    for batch in batches(.after(steps: 2), form: .observation).batches {
      #expect(batch.policyGoals.count == 3 * 64)
    }
  }

  /// The mask's law for each row, over 20,000 masks; rows do not depend on each other.
  @Test func randomGoalColumnsFollowTheirLaw() {
    var counts = [[Int]](repeating: [Int](repeating: 0, count: 6), count: 5)
    for number in 0..<20_000 {
      let columns = GoalColumns.random(states: 6, seed: 4, number: UInt64(number))
      for (row, column) in columns.enumerated() { counts[row][column] += 1 }
    }
    for row in 0..<5 {
      let expected = 1 / Double(5 - row)
      for column in 0..<6 {
        let share = Double(counts[row][column]) / 20_000
        #expect(column > row ? abs(share - expected) < 0.018 : share == 0)
      }
    }
    #expect(GoalColumns.ahead(states: 6, steps: 2) == [2, 3, 4, 5, 5])
    #expect(GoalColumns.ahead(states: 6, steps: 40) == [5, 5, 5, 5, 5])
    #expect(GoalColumns.ahead(states: 2, steps: 1) == [1])
  }

  @Test func windowsToAGoalNeedOneInTheEpisode() {
    var scheme = SamplingScheme(batchSize: 8, policyGoals: .random, originalValueGoals: 0)
    scheme.window = .after(steps: 2)
    #expect(scheme.fault == nil)
    scheme.window = .toGoal(steps: 4)
    #expect(
      scheme.fault == "a window up to the goal needs goals that are later states of the episode")
    scheme.window = .after(steps: 0)
    #expect(scheme.fault == "a window has at least 1 place, found 0")
  }
}
