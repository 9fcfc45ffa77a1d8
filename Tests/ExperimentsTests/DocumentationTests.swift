import Environments
import Foundation
import GoalCore
import Learners
import Storage
import Support
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
    try recipe.collect(in: data)
    let script = folder.url.appendingPathComponent("read.py")
    try Data(block("python", of: "Documentation/Trajectories.md").utf8).write(to: script)
    let said = try PythonReference.run(script: script, arguments: [data.path])
    let lines = String(decoding: said, as: UTF8.self).split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines[0].hasPrefix("shards/shard-00000.h5 153 150 (51, 10) (50, 4) ["))
    #expect(lines[1].hasPrefix("shards/shard-00001.h5 102 100 (51, 10) (50, 4) ["))
  }

  @Test func aManifestIsTheSameBytesInAFolderOfTheSameName() throws {
    let folder = try TemporaryFolder()
    func made(_ path: String) throws -> (lines: [Substring], shards: [Data]) {
      let url = folder.url.appendingPathComponent(path)
      let recipe = Recipe(environment: "point-reach", policy: "random", seed: 3, episodes: 5)
      try recipe.collect(in: url)
      let shard = url.appendingPathComponent("shards/shard-00000.h5")
      let text = try String(
        contentsOf: url.appendingPathComponent("manifest.json"), encoding: .utf8)
      return (text.split(separator: "\n"), [try Data(contentsOf: shard)])
    }
    let (one, again, other) = try (made("here/data"), made("there/data"), made("here/other"))
    #expect(one.lines == again.lines && one.shards == again.shards && one.shards == other.shards)
    let differing = zip(one.lines, other.lines).filter { $0 != $1 }.map { $0.0 }
    #expect(one.lines.count == other.lines.count && differing.count == 2)
    #expect(differing.first == "  \"id\" : \"data\",")
    #expect(differing.last?.contains("\"sha256\"") == true)
  }

  /// A policy that a learner trained a little on a world, where its checkpoint is, and an episode
  /// of it.
  private struct Trained {
    let policy: any GoalPolicy
    let checkpoint: String
    let episode: Trajectory
    let width: Int

    init(
      _ learner: String, _ settings: [String: JSONValue], on environment: String = "fetch-push",
      in folder: URL
    ) throws {
      let world = try EnvironmentRegistry.world(environment)
      width = world.task.spec.observation
      let data = folder.appendingPathComponent("data")
      let script = world.script == nil ? "random" : "scripted"
      let recipe = Recipe(environment: environment, policy: script, seed: 0, episodes: 3)
      try recipe.collect(in: data)
      var configuration = RunConfiguration()
      configuration.learner = learner
      configuration.datasets = [data.path]
      configuration.updates = 30
      configuration.evaluateEvery = 0
      configuration.settings = settings.merging(["batchSize": 64]) { $1 }
      let run = folder.appendingPathComponent("run")
      _ = try OfflineTraining.run(configuration, in: run)
      policy = try Checkpoint.policy(run.path).policy.policy
      checkpoint = try #require(try Checkpoint.all(in: run).last).path
      let environment = try world.load().makeEnvironment()
      episode = try Rollout(environment: environment, policy: Checkpoint.policy(run.path).policy)
        .episode(index: 0, seed: 5)
    }

    /// The states in which it acted.
    var observations: [[Float]] {
      (0..<episode.length).map { Array(episode.observations[$0 * width..<($0 + 1) * width]) }
    }

    /// What a function of the documentation's lines says in each state, one after the other.
    func said(by function: String, of lines: String, in folder: URL) throws -> [Float] {
      let script = folder.appendingPathComponent("act.py")
      let text =
        lines
          + """

          given = json.load(sys.stdin)
          goal = torch.tensor(given["goal"])
          print(json.dumps([x for o in given["observations"] for x in \(function)(torch.tensor(o), goal).flatten().tolist()]))
          """
      try Data(text.utf8).write(to: script)
      struct Given: Encodable {
        let observations: [[Float]]
        let goal: [Float]
      }
      let given = Given(observations: observations, goal: episode.desiredGoal)
      let said = try PythonReference.run(
        script: script, arguments: [checkpoint], input: JSONEncoder().encode(given))
      return try JSONDecoder().decode([Float].self, from: said)
    }
  }

  @Test(
    arguments: LearnerRegistry.all.map(\.identifier).filter {
      !["goal-transformer", "hiql", "lavl"].contains($0)
    })
  func theLinesOfPyTorchActAsWeDo(learner: String) throws {
    let folder = try TemporaryFolder()
    let trained = try Trained(learner, [:], in: folder.url)
    let actions = try #require(trained.episode.actions.continuous)
    let lines = try block("python", of: "Documentation/Checkpoints.md")
    let theirs = try trained.said(by: "act", of: lines, in: folder.url)
    #expect(theirs.count == actions.count)
    for (mine, other) in zip(actions, theirs) { #expect(abs(mine - other) < 1e-6) }
    #expect(Set(actions).count > 10)
  }

  /// A choice among the world's actions, among those of all dimensions together, and in each
  /// dimension.
  @Test(arguments: [
    ("lunar-lander", [:]), ("point-mass-rooms", [:]),
    ("point-mass-rooms", ["jointLimit": 2] as [String: JSONValue]),
  ])
  func theLinesOfPyTorchChooseAsWeDo(world: String, settings: [String: JSONValue]) throws {
    let folder = try TemporaryFolder()
    let trained = try Trained("gcsl", settings, on: world, in: folder.url)
    let lines = try block("python", of: "Documentation/Checkpoints.md")
    let theirs = try trained.said(by: "act", of: lines, in: folder.url)
    switch trained.episode.actions {
    case .continuous(let actions):
      #expect(theirs.count == actions.count)
      for (mine, other) in zip(actions, theirs) { #expect(abs(mine - other) < 1e-6) }
    case .discrete(let choices): #expect(theirs.map { Int32($0) } == choices)
    }
  }

  /// A model for which the lines are not made is refused by them.
  @Test func theLinesOfPyTorchRefuseAnotherTransformer() throws {
    let folder = try TemporaryFolder()
    let trained = try Trained(
      "goal-transformer", ["architecture": ["form": "decoder"]], in: folder.url)
    let lines = try block("python", of: "Documentation/Transformers.md")
    #expect {
      try trained.said(by: "outputs", of: lines, in: folder.url)
    } throws: { "\($0)".contains("AssertionError: another model") }
    let others = try block("python", of: "Documentation/Checkpoints.md")
    #expect {
      try trained.said(by: "act", of: others, in: folder.url)
    } throws: { "\($0)".contains("AssertionError: a transformer") }
  }

  @Test func theLinesOfPyTorchSayWhatATransformerDoes() throws {
    let folder = try TemporaryFolder()
    let trained = try Trained("goal-transformer", ["head": "continuous"], in: folder.url)
    let actions = try #require(trained.episode.actions.continuous)
    let lines = try block("python", of: "Documentation/Transformers.md")
    let theirs = try trained.said(by: "outputs", of: lines, in: folder.url)
    #expect(theirs.count == actions.count)
    for (mine, other) in zip(actions, theirs) { #expect(abs(mine - tanh(other)) < 1e-6) }
    #expect(Set(actions).count > 10)
  }

  @Test func theLinesOfPyTorchSayWhatATransformerChooses() throws {
    let folder = try TemporaryFolder()
    let settings: [String: JSONValue] = [
      "architecture": [
        "layers": 1, "heads": 2, "stateWidths": [16], "outWidths": [16], "normFirst": false,
        "activation": "gelu",
      ]
    ]
    let trained = try Trained("goal-transformer", settings, in: folder.url)
    let lines = try block("python", of: "Documentation/Transformers.md")
    let theirs = try trained.said(by: "outputs", of: lines, in: folder.url)
    let classes = 81
    #expect(theirs.count == trained.episode.length * classes)
    let actor = trained.policy.makeActor()
    actor.begin(goal: trained.episode.desiredGoal, seed: 0)
    for (step, observation) in trained.observations.enumerated() where step % 10 == 0 {
      _ = actor.act(observation)
      let logits = theirs[step * classes..<(step + 1) * classes].map(Double.init)
      let normalizer = log(logits.reduce(0) { $0 + exp($1) })
      for choice in 0..<classes {
        let digits = [choice % 3, choice / 3 % 3, choice / 9 % 3, choice / 27]
        let action = Action.continuous(digits.map { Float($0 - 1) })
        let mine = try #require(actor.logProbability(of: action))
        #expect(abs(Double(mine) - (logits[choice] - normalizer)) < 3e-6)
      }
    }
  }
}
