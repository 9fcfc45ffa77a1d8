import Environments
import Foundation
import GoalCore
import Learners
import Storage
import TestSupport
import Testing

@testable import Experiments

/// What the documentation shows is run as it stands there.
struct DocumentationTests {
  /// The first block of a language in a document.
  func block(_ language: String, of document: String) throws -> String {
    let text = try String(
      contentsOf: PythonReference.checkout.appendingPathComponent(document), encoding: .utf8)
    let parts = text.components(separatedBy: "```\(language)\n")
    return try #require(parts.dropFirst().first?.components(separatedBy: "```").first)
  }

  @Test(arguments: [false, true])
  func theLinesOfH5pyReadADataset(compress: Bool) throws {
    let folder = try TemporaryFolder()
    let data = folder.url.appendingPathComponent("data")
    let recipe = Recipe(
      environment: "fetch-reach", policy: "random", seed: 0, episodes: 5, shardEpisodes: 3,
      compress: compress)
    _ = try TrajectoryCollection.run(recipe, in: data, workers: 2, silent: true)
    let script = folder.url.appendingPathComponent("read.py")
    try Data(block("python", of: "Documentation/Trajectories.md").utf8).write(to: script)
    let said = try PythonReference.run(script: script, arguments: [data.path])
    let lines = String(decoding: said, as: UTF8.self).split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines[0].hasPrefix("shards/shard-00000.h5 153 150 (51, 10) (50, 4) ["))
    #expect(lines[1].hasPrefix("shards/shard-00001.h5 102 100 (51, 10) (50, 4) ["))
  }

  @Test(arguments: LearnerRegistry.all.map(\.identifier))
  func theLinesOfPyTorchActAsWeDo(learner: String) throws {
    let folder = try TemporaryFolder()
    let world = try EnvironmentRegistry.world("fetch-push")
    let data = folder.url.appendingPathComponent("data")
    let recipe = Recipe(environment: "fetch-push", policy: "scripted", seed: 0, episodes: 3)
    _ = try TrajectoryCollection.run(recipe, in: data, workers: 2, silent: true)
    var configuration = RunConfiguration()
    configuration.learner = learner
    configuration.datasets = [data.path]
    configuration.updates = 30
    configuration.evaluateEvery = 0
    configuration.settings = ["batchSize": 64]
    let run = folder.url.appendingPathComponent("run")
    _ = try OfflineTraining.run(configuration, in: run)

    // Observations and goals of an episode, and what the policy does there.
    let rollout = Rollout(
      environment: try world.load().makeEnvironment(),
      policy: try Checkpoint.policy(run.path).policy)
    let episode = rollout.episode(index: 0, seed: 5)
    let width = world.task.spec.observation
    let observations = (0..<episode.length).map {
      Array(episode.observations[$0 * width..<($0 + 1) * width])
    }
    guard case .continuous(let actions) = episode.actions else { return }

    let torch = PythonReference.dependencies.appendingPathComponent("torch")
    let home = ProcessInfo.processInfo.environment["TORCH_HOME"].map { URL(fileURLWithPath: $0) }
    let site = (home ?? torch).resolvingSymlinksInPath().deletingLastPathComponent().path
    let script = folder.url.appendingPathComponent("act.py")
    let lines = try block("python", of: "Documentation/Checkpoints.md")
    let text =
      "import sys\nsys.path.append('\(site)')\n" + lines
        + """

        given = json.load(sys.stdin)
        goal = torch.tensor(given["goal"])
        print(json.dumps([x for o in given["observations"] for x in act(torch.tensor(o), goal).tolist()]))
        """
    try Data(text.utf8).write(to: script)
    struct Given: Encodable {
      let observations: [[Float]]
      let goal: [Float]
    }
    let given = Given(observations: observations, goal: episode.desiredGoal)
    let checkpoint = try #require(Checkpoint.all(in: run).last)
    let said = try PythonReference.run(
      script: script, arguments: [checkpoint.path], input: JSONEncoder().encode(given))
    let theirs = try JSONDecoder().decode([Float].self, from: said)
    #expect(theirs.count == actions.count)
    for (mine, other) in zip(actions, theirs) { #expect(abs(mine - other) < 1e-6) }
    #expect(Set(actions).count > 10)
  }
}
