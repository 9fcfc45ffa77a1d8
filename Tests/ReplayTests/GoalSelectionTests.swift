import Foundation
import GoalCore
import Testing

@testable import Replay

/// A step with a goal, as it was drawn and as the closed form has it.
struct DrawnCell: Hashable {
  let step: Int
  let origin: GoalOrigin
  let offset: Int
}

extension GoalSelection {
  static let samples: [GoalSelection] = [
    .original, .future(fraction: 1), .future(fraction: 0.8), .future(fraction: 0), .final, .episode,
    .random, .bounded(steps: 1), .bounded(steps: 4), .fixed(steps: 1), .fixed(steps: 4),
    .ahead(steps: 1), .ahead(steps: 4), .pair(), .pair(.gcsl, states: .beforeActions),
    .pair(.secondBelowLast), .pair(.secondBelowLast, states: .beforeActions), .pair(.withoutSwap),
    .pair(.withoutSwap, states: .beforeActions), .chop(minimum: 3),
    .chop(minimum: 3, states: .beforeActions), .mixture(.value(discount: 0.9)), .mixture(.actor),
    .mixture(GoalMixture(current: 0, trajectory: 0.5, random: 0.5)),
    .mixture(GoalMixture(current: 1, trajectory: 0, random: 0)),
    .mixture(GoalMixture(current: 0, trajectory: 1, random: 0, discount: 0)),
  ]
}

/// How far a count of draws lies from its expectation, in deviations of the chi-squared
/// distribution.
///
/// Cells with fewer than five expected draws are one. What must not be drawn must not be there.
func misfit(_ counts: [DrawnCell: Int], _ expected: [DrawnCell: Double]) -> Double {
  #expect(counts.keys.allSatisfy { (expected[$0] ?? 0) > 0 })
  let total = Double(counts.values.reduce(0, +))
  var cells: [(count: Double, mean: Double)] = []
  var rest = (count: 0.0, mean: 0.0)
  for (cell, probability) in expected {
    let (count, mean) = (Double(counts[cell] ?? 0), probability * total)
    if mean < 5 {
      rest = (rest.count + count, rest.mean + mean)
    } else {
      cells.append((count, mean))
    }
  }
  if rest.mean > 0 { cells.append(rest) }
  let sum = cells.reduce(0) { $0 + ($1.count - $1.mean) * ($1.count - $1.mean) / $1.mean }
  let freedom = Double(cells.count - 1)
  return freedom > 0 ? (sum - freedom) / (2 * freedom).squareRoot() : 0
}

struct GoalSelectionTests {
  /// What batches hold of each step and goal; with `once`, the first row of each batch only.
  func counts(
    _ scheme: SamplingScheme, lengths: [Int], batches: Int, once: Bool = false
  ) -> [DrawnCell: Int] {
    let sampler = Sampler(scheme, source: Episodes(lengths: lengths).replay, seed: 11)
    var batch = sampler.makeBatch()
    var counts: [DrawnCell: Int] = [:]
    for number in 0..<batches {
      sampler.draw(UInt64(number), into: &batch)
      for row in 0..<(once ? 1 : batch.count) {
        let cell = DrawnCell(
          step: Int(batch.steps[row]), origin: batch.policyOrigins[row],
          offset: Int(batch.offsets[row]))
        counts[cell, default: 0] += 1
      }
    }
    return counts
  }

  func expected(_ goals: GoalSelection, length: Int) -> [DrawnCell: Double] {
    Dictionary(
      uniqueKeysWithValues: goals.distribution(length: length).cells.map {
        (DrawnCell(step: $0.step, origin: $0.origin, offset: $0.offset), $0.probability)
      })
  }

  /// 40,000 draws from episodes of 1, 2 and 9 steps against the closed form.
  ///
  /// The statistic is 0 ± 1 where it holds; with the seed fixed, 5 leaves room for all cases.
  @Test(arguments: GoalSelection.samples, [1, 2, 9])
  func drawsFollowTheClosedForm(goals: GoalSelection, length: Int) {
    let expected = expected(goals, length: length)
    #expect(abs(expected.values.reduce(0, +) - 1) < 1e-12)
    let scheme = SamplingScheme(batchSize: 500, policyGoals: goals, originalValueGoals: 0)
    let counts = counts(scheme, lengths: [length, length], batches: 80)
    #expect(misfit(counts, expected) < 5)
  }

  /// A test that would not see a wrong law is none: laws that are near each other are told apart.
  @Test func neighbouringLawsAreToldApart() {
    let laws: [GoalSelection] = [
      .future(fraction: 1), .pair(), .pair(.secondBelowLast), .pair(.withoutSwap),
      .mixture(.actor), .future(fraction: 0.97),
    ]
    for (k, goals) in laws.enumerated() {
      let scheme = SamplingScheme(batchSize: 500, policyGoals: goals, originalValueGoals: 0)
      var counts = counts(scheme, lengths: [9, 9], batches: 80)
      counts = counts.filter { $0.key.origin != .original }
      for (other, law) in laws.enumerated() where other != k && other != 5 {
        var cells = expected(law, length: 9)
        for cell in counts.keys where cells[cell] == nil { cells[cell] = 1e-9 }
        if k == 5 && law == .future(fraction: 1) { continue }
        #expect(misfit(counts, cells) > 50)
      }
    }
  }

  /// OGBench's arithmetic: t uniform, j = min(t + Geom(1 − γ), final), or the nearest whole number
  /// to a point of [min(t + 1, final), final], or t.
  private func ogbench(_ mixture: GoalMixture, length: Int, final: Int) -> [DrawnCell: Double] {
    var cells: [DrawnCell: Double] = [:]
    for t in 0..<length {
      func add(_ origin: GoalOrigin, _ offset: Int, _ probability: Double) {
        guard probability > 0 else { return }
        let cell = DrawnCell(step: t, origin: origin, offset: offset)
        cells[cell, default: 0] += probability / Double(length)
      }
      func add(_ j: Int, _ probability: Double) {
        add(j == t ? .current : .trajectory, j - t - 1, probability)
      }
      add(t, mixture.current)
      add(.random, 0, mixture.random)
      if let discount = mixture.discount {
        for k in 1...2_000 {
          add(min(t + k, final), mixture.trajectory * (1 - discount) * pow(discount, Double(k - 1)))
        }
      } else {
        let first = min(t + 1, final)
        for j in first...final {
          let (low, high) = (
            max(Double(j) - 0.5, Double(first)), min(Double(j) + 0.5, Double(final))
          )
          let share = first == final ? 1 : (high - low) / Double(final - first)
          add(j, mixture.trajectory * share)
        }
      }
    }
    return cells
  }

  /// No trajectory goal is the last state, and at t = T − 1 the goal is the present state, as in
  /// OGBench's loader and sampler; the law that lets it be the last state is told apart.
  @Test(arguments: [GoalMixture.value(discount: 0.9), .actor], [1, 2, 9])
  func ogbenchsLastStateIsNoGoal(mixture: GoalMixture, length: Int) {
    let reference = ogbench(mixture, length: length, final: length - 1)
    let stated = expected(.mixture(mixture), length: length)
    #expect(Set(stated.keys) == Set(reference.keys))
    for (cell, probability) in reference {
      #expect(abs(probability - (stated[cell] ?? .nan)) < 1e-12, "\(cell)")
    }
    let scheme = SamplingScheme(
      batchSize: 500, policyGoals: .mixture(mixture), originalValueGoals: 0)
    let counts = counts(scheme, lengths: [length, length], batches: 80)
    #expect(misfit(counts, reference) < 5)
    var other = ogbench(mixture, length: length, final: length)
    for cell in counts.keys where other[cell] == nil { other[cell] = 1e-9 }
    #expect(misfit(counts, other) > 50)
  }

  /// Rewards by index are for the very state before the step, of a random goal as well.
  @Test func rewardsByIndexAreForTheStateItself() {
    var scheme = SamplingScheme(
      batchSize: 400, policyGoals: .mixture(.actor), valueGoals: .own(.mixture(.value())))
    scheme.rewarded = .index
    let sampler = Sampler(scheme, source: Episodes(lengths: [2, 3]).replay, seed: 4)
    var batch = sampler.makeBatch()
    var (present, random) = (0, 0)
    for number in 0..<10 {
      sampler.draw(UInt64(number), into: &batch)
      for row in 0..<batch.count {
        // A state of these episodes is its episode's and its own number.
        let state = Float(1000 * batch.episodes[row] + batch.steps[row])
        let isState = batch.valueGoals[row] == state
        #expect(batch.valueRewards[row] == (isState ? 0 : -1))
        #expect(batch.policyRewards[row] == (batch.policyGoals[row] == state ? 0 : -1))
        present += batch.valueOrigins[row] == .current ? 1 : 0
        random += isState && batch.valueOrigins[row] == .random ? 1 : 0
      }
    }
    #expect(present > 500 && random > 100)
  }

  /// One draw a batch has the selection's law, and all rows of the batch have it.
  @Test(arguments: [
    GoalSelection.pair(), .pair(.secondBelowLast), .pair(.withoutSwap), .chop(minimum: 3),
    .future(fraction: 1),
  ])
  func aSharedPairIsOneDrawABatch(goals: GoalSelection) {
    var scheme = SamplingScheme(batchSize: 12, policyGoals: goals, originalValueGoals: 0)
    scheme.sharing = .pair
    let sampler = Sampler(scheme, source: Episodes(lengths: [9, 9, 9]).replay, seed: 11)
    var batch = sampler.makeBatch()
    for number in 0..<50 {
      sampler.draw(UInt64(number), into: &batch)
      #expect(Set(batch.steps).count == 1 && Set(batch.offsets).count == 1)
      #expect(Set(batch.episodes).count > 1)
    }
    let counts = counts(scheme, lengths: [9, 9, 9], batches: 6_000, once: true)
    #expect(misfit(counts, expected(goals, length: 9)) < 5)
  }

  @Test func aGoalOfEachStepIsSharedByTheBatch() {
    let goals = GoalSelection.future(fraction: 1)
    var scheme = SamplingScheme(batchSize: 32, policyGoals: goals, originalValueGoals: 0)
    scheme.sharing = .goalOfStep
    let sampler = Sampler(scheme, source: Episodes(lengths: [9, 9, 9]).replay, seed: 11)
    var apart = 0
    var batch = sampler.makeBatch()
    for number in 0..<50 {
      sampler.draw(UInt64(number), into: &batch)
      var goals: [Int32: Int32] = [:]
      for row in 0..<batch.count {
        #expect(goals[batch.steps[row], default: batch.offsets[row]] == batch.offsets[row])
        goals[batch.steps[row]] = batch.offsets[row]
      }
      #expect(goals.count > 4)
      // One number for all steps would give later ones no larger offsets.
      let offsets = goals.sorted { $0.key < $1.key }.map(\.value)
      if zip(offsets, offsets.dropFirst()).contains(where: <) { apart += 1 }
    }
    #expect(apart > 25)
    let counts = counts(scheme, lengths: [9, 9, 9], batches: 6_000, once: true)
    #expect(misfit(counts, expected(goals, length: 9)) < 5)
  }

  /// Numbers that were computed from the references' code, by others and before this was written.
  @Test func theReferencesNumbersComeOut() {
    func gaps(_ goals: GoalSelection, _ length: Int) -> (next: Double, mean: Double) {
      let cells = goals.distribution(length: length).cells
      return (
        cells.filter { $0.offset == 0 }.reduce(0) { $0 + $1.probability },
        cells.reduce(0) { $0 + $1.probability * Double($1.offset + 1) }
      )
    }
    // GCSL, 50 states: P(gap 1) = .0596, mean gap 16.52.
    let gcsl = gaps(.pair(.gcsl, states: .beforeActions), 50)
    #expect(abs(gcsl.next - 0.0596) < 5e-5 && abs(gcsl.mean - 16.52) < 5e-3)
    // The faulty generator: .52 and 9.0.
    let faulty = gaps(.pair(.withoutSwap, states: .beforeActions), 50)
    #expect(abs(faulty.next - 0.52) < 1e-9 && abs(faulty.mean - 9.0) < 0.05)
    // WGCSL, 49 steps: P(0) = .0914, P(1) = .0710, mean offset 12.0.
    let future = GoalSelection.future(fraction: 1).distribution(length: 49).cells
    let second = future.filter { $0.offset == 1 }.reduce(0) { $0 + $1.probability }
    #expect(abs(gaps(.future(fraction: 1), 49).next - 0.0914) < 5e-5)
    #expect(abs(second - 0.0710) < 5e-5)
    #expect(abs(gaps(.future(fraction: 1), 49).mean - 13.0) < 1e-9)
  }

  /// Goals of the value drawn apart: their own law, and independent of the policy's given the step.
  @Test func valueGoalsOfTheirOwnFollowTheirLaw() {
    let (value, actor) = (GoalMixture.value(discount: 0.9), GoalMixture.actor)
    let scheme = SamplingScheme(
      batchSize: 500, policyGoals: .mixture(actor), valueGoals: .own(.mixture(value)))
    let sampler = Sampler(scheme, source: Episodes(lengths: [9, 9]).replay, seed: 3)
    var batch = sampler.makeBatch()
    var (values, actors): ([DrawnCell: Int], [DrawnCell: Int]) = ([:], [:])
    var both = 0
    for number in 0..<80 {
      sampler.draw(UInt64(number), into: &batch)
      for row in 0..<batch.count {
        let step = Int(batch.steps[row])
        values[
          DrawnCell(
            step: step, origin: batch.valueOrigins[row], offset: Int(batch.valueOffsets[row])),
          default: 0] += 1
        actors[
          DrawnCell(step: step, origin: batch.policyOrigins[row], offset: Int(batch.offsets[row])),
          default: 0] += 1
        both +=
          step == 0 && batch.valueOrigins[row] == .trajectory && batch.valueOffsets[row] == 0
            && batch.offsets[row] == 3 ? 1 : 0
      }
    }
    #expect(misfit(values, expected(.mixture(value), length: 9)) < 5)
    #expect(misfit(actors, expected(.mixture(actor), length: 9)) < 5)
    // P(step 0) · P(value's next state) · P(actor's fourth of nine): 27.8 expected.
    let mean = 40_000.0 / 9 * (0.5 * 0.1) * (1.0 / 8)
    #expect(abs(Double(both) - mean) < 5 * mean.squareRoot())
  }

  /// A random goal is any state of any episode; OGBench's leave out each episode's last.
  @Test func randomGoalsCoverTheData() {
    for (goals, states) in [
      (GoalSelection.random, 10), (.mixture(GoalMixture(current: 0, trajectory: 0, random: 1)), 9),
    ] {
      let scheme = SamplingScheme(batchSize: 500, policyGoals: goals, originalValueGoals: 0)
      let sampler = Sampler(scheme, source: Episodes(lengths: [9, 9, 9]).replay, seed: 3)
      var batch = sampler.makeBatch()
      var counts: [DrawnCell: Int] = [:]
      for number in 0..<60 {
        sampler.draw(UInt64(number), into: &batch)
        for goal in batch.policyGoals {
          counts[DrawnCell(step: Int(goal), origin: .random, offset: 0), default: 0] += 1
        }
      }
      var expected: [DrawnCell: Double] = [:]
      for episode in 0..<3 {
        for state in 0..<states {
          expected[DrawnCell(step: 1000 * episode + state, origin: .random, offset: 0)] =
            1 / Double(3 * states)
        }
      }
      #expect(misfit(counts, expected) < 5)
    }
  }

  /// Steps drawn alike: an episode comes as often as it has steps, whatever the lengths.
  @Test(arguments: [[1, 2, 50, 9], [1, 1, 1, 200], [200, 1, 1, 1], [5, 5, 5, 5]])
  func stepsAreDrawnAlike(lengths: [Int]) {
    var scheme = SamplingScheme(
      batchSize: 500, policyGoals: .future(fraction: 1), originalValueGoals: 0)
    scheme.episodes = .steps
    let sampler = Sampler(scheme, source: Episodes(lengths: lengths).replay, seed: 3)
    var batch = sampler.makeBatch()
    var counts: [DrawnCell: Int] = [:]
    for number in 0..<60 {
      sampler.draw(UInt64(number), into: &batch)
      for row in 0..<batch.count {
        let cell = DrawnCell(
          step: Int(batch.steps[row]), origin: .original, offset: Int(batch.episodes[row]))
        counts[cell, default: 0] += 1
      }
    }
    var expected: [DrawnCell: Double] = [:]
    for (episode, length) in lengths.enumerated() {
      for step in 0..<length {
        expected[DrawnCell(step: step, origin: .original, offset: episode)] =
          1 / Double(lengths.reduce(0, +))
      }
    }
    #expect(misfit(counts, expected) < 5)
  }

  /// Every episode of every length is found by each of its steps.
  @Test func everyStepFindsItsEpisode() {
    var generator = Xoshiro256(seed: 5)
    for count in [1, 2, 3, 17, 400] {
      let lengths = (0..<count).map { _ in 1 + generator.below(generator.below(2) == 0 ? 3 : 300) }
      let replay = Episodes(lengths: lengths).replay
      var found: [Int] = []
      withExtendedLifetime(replay) {
        found = (0..<replay.stepCount).map { replay.table.episode(ofStep: $0) }
      }
      #expect(found == lengths.enumerated().flatMap { [Int](repeating: $0, count: $1) })
    }
  }

  @Test func faultsAreNamed() {
    #expect(GoalSelection.future(fraction: 1.5).fault != nil)
    #expect(GoalSelection.bounded(steps: 0).fault != nil)
    #expect(
      GoalSelection.mixture(GoalMixture(current: 0.5, trajectory: 0.5, random: 0.5)).fault != nil)
    #expect(GoalSelection.mixture(.value(discount: 1)).fault != nil)
    for goals in GoalSelection.samples { #expect(goals.fault == nil) }
  }
}
