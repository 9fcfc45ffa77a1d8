import Environments
import Foundation
import GoalCore
import TestSupport
import Testing

/// `reacher` beside gymnasium's Reacher-v5, live, from the same seeds.
///
/// Tolerance: 10⁻¹². The physics agree to the bit; cosines and sines are numpy's on one side.
struct ReacherAlignmentTests {
  struct Answer: Decodable {
    let goal: [Double]
    let observations: [[Double]]
    let truncated: [Bool]
  }

  struct Question: Encodable {
    let seed: UInt64
    var actions: [[Float]] = []
  }

  @Test func sameSeedSameEpisodeAsTheReference() throws {
    let registered = try EnvironmentRegistry.world("reacher")
    let environment = try #require(registered.load().makeEnvironment() as? Reacher)
    let expert = try #require(registered.script).makeActor()
    var questions: [Question] = []
    var ours: [(goal: [Double], observations: [[Double]], truncated: [Bool])] = []
    for number in 0..<20 {
      let seed = number < 10 ? UInt64(number) : Seeds.world(.collect, seed: 7, episode: 3)
      var generator = Philox(seed: 5, purpose: 1, index: UInt64(number))
      var shown = environment.reset(seed: seed)
      expert.begin(goal: shown.desiredGoal, seed: 0)
      var question = Question(seed: seed)
      var mine = (
        goal: environment.preciseGoal, observations: [environment.preciseObservation],
        truncated: [Bool]()
      )
      for _ in 0..<50 {
        var values = (0..<2).map { _ in Float(generator.uniform(-1.2, 1.2)) }
        if number % 2 == 1, case .continuous(let wanted) = expert.act(shown.observation) {
          for k in 0..<2 { values[k] = wanted[k] + 0.2 * values[k] }
        }
        let step = environment.step(.continuous(values))
        // Values beyond the range are clipped, here by us and there by MuJoCo.
        question.actions.append(values)
        mine.observations.append(environment.preciseObservation)
        mine.truncated.append(step.truncated)
        shown = step.next
      }
      questions.append(question)
      ours.append(mine)
    }
    let output = try PythonReference.run(
      "reacher_reference.py", input: try JSONEncoder().encode(questions))
    let theirs = try JSONDecoder().decode([Answer].self, from: output)
    #expect(theirs.count == 20)
    var worst = 0.0
    var fastest = 0.0
    for (mine, other) in zip(ours, theirs) {
      #expect(mine.goal == other.goal)
      #expect(mine.truncated == other.truncated)
      for (a, b) in zip(mine.observations, other.observations) {
        #expect(a.count == b.count)
        #expect(a[6...7] == b[6...7])
        for (x, y) in zip(a, b) { worst = max(worst, abs(x - y)) }
        fastest = max(fastest, abs(a[6]), abs(a[7]))
      }
    }
    #expect(worst <= 1e-12)
    #expect(fastest > 5)  // the arm did move
    print("reacher: 20 episodes, largest difference of an observation \(worst)")
  }
}
