import Environments
import Experiments
import Foundation
import GoalCore
import Statistics

/// Steps a world with random actions and draws it after each, 480 by 480; the amount is pictures.
func film(world identifier: String) throws {
  let world = try EnvironmentRegistry.world(identifier)
  let environment = try world.load().makeEnvironment()
  guard let visible = environment as? any VisibleEnvironment,
    let actor = try? Policies.named("random", for: world).policy.makeActor()
  else { exit(64) }
  var seed: UInt64 = 0
  try serve {
    seed += 1
    var shown = environment.reset(seed: seed)
    actor.begin(goal: shown.desiredGoal, seed: seed)
    var pictures = 0
    while true {
      let step = environment.step(actor.act(shown.observation))
      let picture = try visible.picture(width: 480, height: 480)
      precondition(picture.bytes.count == 480 * 480 * 3)
      pictures += 1
      if step.terminated || step.truncated { return Double(pictures) }
      shown = step.next
    }
  }
}

/// Stratified bootstrap intervals of mean, median, IQM and optimality gap of ten runs on five
/// tasks, 2,000 replicates at a time; the amount is replicates.
func bootstrap() throws {
  var generator = Xoshiro256(seed: 1)
  let matrix = ScoreMatrix((0..<5).map { _ in (0..<10).map { _ in generator.unit() } })
  var seed: UInt64 = 0
  try serve {
    seed += 1
    _ = StratifiedBootstrap(replicates: 2_000, seed: seed).estimates(of: matrix)
    return 2_000
  }
}
