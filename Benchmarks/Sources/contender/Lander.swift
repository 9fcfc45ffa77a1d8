import Environments
import Experiments
import Foundation
import GoalCore

/// Random lunar-lander, its episodes kept as the collector keeps them.
///
/// The amount is steps.
func lander() throws {
  let world = try EnvironmentRegistry.world("lunar-lander")
  let rollout = Rollout(
    environment: try world.load().makeEnvironment(),
    policy: try Policies.named("random", for: world))
  var next: Int64 = 0
  try serve {
    _ = rollout.episode(index: next, seed: Seeds.world(.collect, seed: 0, episode: next))
    next += 1
    return Double(world.task.spec.horizon)
  }
}

/// The first 12,000 steps of GCSL's run on lunar-lander, of which 10,000 are random.
///
/// It collects, makes an update a step after the first 1,000, evaluates on 50 episodes before all
/// and after each 2,000 steps, measures, writes checkpoints, and leaves a dataset. The amount is
/// steps.
func onlineRun() throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "goalpost-benchmark-\(getpid())")
  var configuration = RunConfiguration()
  configuration.learner = "gcsl"
  configuration.online.environment = "lunar-lander"
  configuration.online.evaluateEverySteps = 2_000
  configuration.evaluationEpisodes = 50
  var steps = 1_500  // to warm up
  try serve {
    configuration.online.steps = steps
    try? FileManager.default.removeItem(at: folder)
    _ = try Training.run(configuration, in: folder)
    try? FileManager.default.removeItem(at: folder)
    defer { steps = 12_000 }
    return Double(steps)
  }
}
