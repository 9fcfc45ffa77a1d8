import Environments
import Foundation
import GoalCore
import TestSupport
import Testing

/// The Fetch worlds and the hand beside gymnasium-robotics 1.4.2, live, from the same seeds.
///
/// Tolerance: 10⁻¹². Positions agree to the bit; Fetch's velocities and angles and the hand's goals
/// pass through a matrix product, an arctangent or a norm, whose order of summation in numpy is not
/// ours, so their last bits (10⁻¹⁶ each) may differ. Nothing feeds back from these into the
/// physics, so this does not grow.
struct RoboticsAlignmentTests {
  struct Answer: Decodable {
    let goal: [Double]
    let observations: [[Double]]
    let achieved: [[Double]]
    let rewards: [Double]
    let successes: [Bool]
    let truncated: [Bool]
  }

  struct Question: Encodable {
    let world: String
    let seed: UInt64
    var actions: [[Float]] = []
  }

  /// One episode of ours: odd numbers chase the block with the scripted expert and noise.
  func episode(
    _ number: Int, of environment: any PreciseEnvironment, expert: (any GoalActor)?, seed: UInt64
  ) -> (actions: [[Float]], ours: Answer) {
    var generator = Philox(seed: 5, purpose: 1, index: UInt64(number))
    var shown = environment.reset(seed: seed)
    expert?.begin(goal: shown.desiredGoal, seed: 0)
    var actions: [[Float]] = []
    var observations = [environment.preciseObservation]
    let goal = environment.preciseGoal
    var rewards: [Double] = []
    var successes: [Bool] = []
    var truncated: [Bool] = []
    for _ in 0..<50 {
      var values = (0..<environment.task.spec.action.length).map { _ in
        Float(generator.uniform(-1.2, 1.2))
      }
      if number % 2 == 1, case .continuous(let wanted) = expert?.act(shown.observation) {
        for k in values.indices { values[k] = wanted[k] + 0.2 * values[k] }
      } else if number % 2 == 1, environment is Fetch {
        // Without an expert: straight at the object.
        for k in 0..<3 { values[k] = 20 * shown.observation[6 + k] + 0.2 * values[k] }
      }
      let step = environment.step(.continuous(values))
      actions.append(values)
      observations.append(environment.preciseObservation)
      rewards.append(Double(step.reward))
      successes.append(step.isSuccess)
      truncated.append(step.truncated)
      shown = step.next
    }
    let achieved = observations.map { row in environment.task.goalIndices.map { row[$0] } }
    return (
      actions,
      Answer(
        goal: goal, observations: observations, achieved: achieved, rewards: rewards,
        successes: successes, truncated: truncated)
    )
  }

  @Test(arguments: [
    ("fetch-reach", "FetchReach-v4"), ("fetch-push", "FetchPush-v4"),
    ("fetch-pick-and-place", "FetchPickAndPlace-v4"), ("fetch-slide", "FetchSlide-v4"),
    ("hand-reach", "HandReach-v3"),
  ])
  func sameSeedSameEpisodeAsTheReference(world: String, reference: String) throws {
    let registered = try EnvironmentRegistry.world(world)
    let environment = try #require(registered.load().makeEnvironment() as? any PreciseEnvironment)
    let expert = registered.script?.makeActor()
    var questions: [Question] = []
    var ours: [Answer] = []
    for number in 0..<20 {
      // Small seeds, seeds of 64 bits, and those that datasets use.
      let seed =
        number < 10
        ? UInt64(number)
        : Seeds.world(number < 15 ? .collect : .evaluate, seed: 77, episode: Int64(number))
      let (actions, answer) = episode(number, of: environment, expert: expert, seed: seed)
      questions.append(Question(world: reference, seed: seed, actions: actions))
      ours.append(answer)
    }
    let output = try PythonReference.run(
      "robotics_reference.py", input: try JSONEncoder().encode(questions))
    let theirs = try JSONDecoder().decode([Answer].self, from: output)

    var worst = 0.0
    var moved = 0
    for (mine, other) in zip(ours, theirs) {
      if environment is Fetch { #expect(mine.goal == other.goal) }
      for (x, y) in zip(mine.goal, other.goal) { worst = max(worst, abs(x - y)) }
      #expect(mine.observations[0].prefix(3) == other.observations[0].prefix(3))
      for (a, b) in zip(mine.observations, other.observations) {
        #expect(a.count == b.count)
        for (x, y) in zip(a, b) { worst = max(worst, abs(x - y)) }
      }
      for (a, b) in zip(mine.achieved, other.achieved) { #expect(a == b) }
      #expect(mine.rewards == other.rewards)
      #expect(mine.successes == other.successes)
      #expect(mine.truncated == other.truncated)
      let path = zip(mine.achieved[0], mine.achieved[50]).map { ($0 - $1) * ($0 - $1) }
      if path.reduce(0, +).squareRoot() > 0.01 { moved += 1 }
    }
    #expect(worst <= 1e-12)
    #expect(theirs.count == 20)
    #expect(moved >= 8)  // blocks that were pushed: contacts did happen
    print(
      "\(world): 20 episodes, largest difference of an observation \(worst), \(moved) goals moved")
  }
}
