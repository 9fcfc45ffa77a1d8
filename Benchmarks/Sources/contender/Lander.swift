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

/// A hundredth of GCSL's run on lunar-lander.
///
/// It collects, makes updates, evaluates on 50 episodes, measures, and leaves a dataset. The amount is steps.
func onlineRun(steps: Int = 2_000) throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "goalpost-benchmark-\(getpid())")
  var configuration = RunConfiguration()
  configuration.learner = "gcsl"
  configuration.online.environment = "lunar-lander"
  configuration.online.steps = steps
  configuration.evaluateEvery = steps
  configuration.evaluationEpisodes = 50
  configuration.settings = ["online": ["randomEpisodes": 2, "updatesFrom": 1]]
  try serve {
    try? FileManager.default.removeItem(at: folder)
    _ = try Training.run(configuration, in: folder)
    try? FileManager.default.removeItem(at: folder)
    return Double(steps)
  }
}
