import Environments
import Experiments
import GoalCore

/// Evaluates a policy in a world's simulator, on starts that no training episode has.
func evaluate(
  _ policy: any GoalPolicy, called name: String, in identifier: String, episodes: Int
) throws -> Evaluation {
  let world = try EnvironmentRegistry.world(identifier)
  let request = EvaluationRequest(episodes: episodes, seed: 0, workers: 2)
  let scores = try Evaluation.scores(
    of: NamedPolicy(name: name, policy: policy), in: world, request)
  return Evaluation(scores, task: world.task)  // each measure with its 95 % interval
}

/// The same for the last checkpoint of a run that `goalpost train` made.
func evaluateRun(_ path: String, episodes: Int) throws -> Evaluation {
  let (policy, header) = try Checkpoint.policy(path)
  return try evaluate(
    policy.policy, called: path, in: header.task.identifier, episodes: episodes)
}
