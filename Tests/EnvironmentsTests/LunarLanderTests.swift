import Foundation
import GoalCore
import TestSupport
import Testing

@testable import Environments

/// The lander beside gymnasium's, and what GCSL's has of its own.
struct LunarLanderTests {
  private struct Question: Codable {
    let seed: UInt64
    var actions: [Int] = []
  }

  private struct Answer: Codable {
    var observations: [[Float]] = []
    var terminated: [Bool] = []
  }

  /// With gymnasium's hills and its single frame a step, equal seeds and actions give equal bits,
  /// long after the crash or the landing that ends an episode there.
  @Test func physicsAreGymnasiumsToTheBit() throws {
    let world = LunarLander(.gymnasium)
    let script = ScriptedPolicy(LunarLanderScript.action).makeActor()
    var generator = Philox(seed: 0, purpose: 77, index: 0)
    var questions: [Question] = []
    var ours: [[[Float]]] = []
    for number in 0..<50 {
      var question = Question(seed: UInt64(number) * 1_000_003)
      var shown = world.reset(seed: question.seed)
      var observations = [shown.observation]
      script.begin(goal: [0, 0, 0, 1, 1], seed: 0)
      for _ in 0..<(number < 10 ? 300 : 150) {
        var action = Int(generator.unit() * 4)
        if number % 2 == 1, generator.unit() < 0.8,
          case .discrete(let wanted) = script.act(shown.observation)
        {
          action = wanted
        }
        question.actions.append(action)
        shown = world.step(.discrete(action)).next
        observations.append(shown.observation)
      }
      questions.append(question)
      ours.append(observations)
    }
    let output = try PythonReference.run(
      "lander_reference.py", input: try JSONEncoder().encode(questions))
    let theirs = try JSONDecoder().decode([Answer].self, from: output)
    #expect(theirs.map(\.observations) == ours)
    // They did come down: on both legs, and otherwise.
    let touched = ours.count { episode in episode.contains { $0[6] == 1 && $0[7] == 1 } }
    let ended = theirs.count { $0.terminated.contains(true) }
    #expect(touched > 10 && ended > 25, "\(touched) on both legs, \(ended) ended")
    print("lunar-lander: 50 episodes equal to gymnasium's, \(touched) on both legs, \(ended) ended")
  }

  /// What numpy draws in the reference's order: a normal number, a number below 1 and, where that
  /// is more than a half, four normal numbers.
  @Test func aGoalIsNumpys() {
    let goals: [UInt64: [Float]] = [
      0: [0.03771906718611717, 0, 0, 1, 1],
      1: [0.10367526113986969, 0, 0.1810711771249771, 0, 0],
      2: [0.056716013699769974, 0, 0, 1, 1],
      4: [-0.19553734362125397, 0, -0.3282794654369354, 0, 0],
    ]
    for (seed, goal) in goals {
      #expect(LunarLander().reset(seed: seed).desiredGoal == goal, "seed \(seed)")
    }
  }

  @Test func aStateKeepsAllOfASeed() {
    let (world, other) = (LunarLander(), LunarLander())
    let goal = world.reset(seed: 7 << 40 | 3).desiredGoal
    let shown = world.step(.discrete(2)).next
    let restored = other.restore(state: world.state(), desiredGoal: goal, step: 1)
    #expect(restored == shown)
  }

  @Test func anEpisodeIsGCSLs() {
    let world = LunarLander()
    var goals: [[Float]] = []
    for seed in 0..<400 as Range<UInt64> {
      let start = world.reset(seed: seed)
      // The middle of the top, but for one frame of the push and of gravity.
      #expect(abs(start.observation[0]) < 0.02 && abs(start.observation[1] - 1.41) < 0.03)
      goals.append(start.desiredGoal)
    }
    #expect(goals.allSatisfy { $0[1] == 0 && $0[3] == $0[4] })
    let landing = goals.filter { $0[3] == 1 }
    #expect(landing.allSatisfy { $0[2] == 0 } && abs(landing.count - 200) < 50)
    func deviation(_ values: [Float]) -> Float {
      (values.reduce(0) { $0 + $1 * $1 } / Float(values.count)).squareRoot()
    }
    #expect(abs(deviation(goals.map { $0[0] }) - 0.3) < 0.04)
    #expect(abs(deviation(goals.filter { $0[3] == 0 }.map { $0[2] }) - 0.2) < 0.04)

    // Without engines it falls to the ground, which is flat, and stays: nothing terminates.
    _ = world.reset(seed: 3)
    var last = world.step(.discrete(0))
    for _ in 0..<49 {
      #expect(!last.terminated && !last.truncated)
      last = world.step(.discrete(0))
    }
    #expect(last.truncated && !last.terminated)
    #expect(abs(last.next.observation[1]) < 0.1)
  }

  @Test func thePlausibleBoundsHoldForEveryEngine() {
    let world = LunarLander()
    var (largest, furthest): (Float, Double) = (0, 0)
    for action in 0..<4 {
      for seed in 0..<10 as Range<UInt64> {
        var before = world.reset(seed: seed).observation
        for _ in 0..<50 {
          let after = world.step(.discrete(action)).next.observation
          largest = max(largest, after.map { abs($0) }.max() ?? 0)
          let (x, y) = (Double(after[0] - before[0]), Double(after[1] - before[1]))
          furthest = max(furthest, (x * x + y * y).squareRoot())
          before = after
        }
      }
    }
    print("lunar-lander: largest number \(largest), largest move \(furthest)")
    #expect(largest < LunarLander.bounds.largestObservation)
    #expect(furthest < LunarLander.bounds.things[0].largestStep)
  }
}
