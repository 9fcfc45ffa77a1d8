import Environments
import Foundation
import GoalCore
import Learners
import Statistics
import Storage
import Support
import TestSupport
import Testing

@testable import Experiments
@testable import Reporting

/// Policies beside each other: the same starts, methods, tables.
final class ComparisonTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func path(_ name: String) -> String { folder.url.appendingPathComponent(name).path }

  /// A short run of a learner on a few episodes of a fast world.
  @discardableResult
  func train(
    _ name: String, learner: String = "gcsl", environment: String = "point-reach",
    seed: UInt64 = 0, updates: Int = 5
  ) throws -> String {
    let data = folder.url.appendingPathComponent("data-\(environment)")
    try Recipe(environment: environment, policy: "random", seed: 1, episodes: 6).collect(in: data)
    var configuration = RunConfiguration()
    configuration.learner = learner
    configuration.datasets = [data.path]
    configuration.updates = updates
    configuration.seed = seed
    configuration.evaluateEvery = 0
    configuration.settings = ["batchSize": 16, "hiddenWidths": [8]]
    _ = try OfflineTraining.run(configuration, in: folder.url.appendingPathComponent(name))
    return path(name)
  }

  func compare(
    _ names: [String], environment: String? = nil, episodes: Int = 12, workers: Int = 2
  ) throws -> Comparison {
    try Comparison.run(
      names, environment: environment,
      EvaluationRequest(episodes: episodes, seed: 4, workers: workers), silent: true)
  }

  @Test func allPoliciesFaceTheSameEpisodesWhateverTheWorkers() throws {
    let names = [try train("a"), "scripted", "random"]
    let one = try compare(names, workers: 1)
    let three = try compare(names.reversed(), workers: 3)
    for entry in one.entries {
      let other = try #require(three.entries.first { $0.name == entry.name })
      #expect(entry.scores == other.scores)
    }
    // The last state of an episode under two policies differs, its goal does not.
    let world = try EnvironmentRegistry.world("point-reach").load()
    let goals = try ["scripted", "random"].map { name in
      let rollout = Rollout(
        environment: try world.makeEnvironment(),
        policy: try Policies.named(name, for: EnvironmentRegistry.world("point-reach")))
      return try (0..<12).map { (episode: Int64) -> [Float] in
        let trajectory = try rollout.episode(
          index: episode, seed: Seeds.world(.evaluate, seed: 4, episode: episode))
        return trajectory.desiredGoal + trajectory.observations.prefix(2)
      }
    }
    #expect(goals[0] == goals[1])
  }

  @Test func theScriptIsToldFromChance() throws {
    let found = try compare(
      ["random", "scripted"], environment: "point-reach", episodes: 40)
    let success = try #require(found.differences.first?[.success])
    #expect(success.verdict == .better)
    #expect(success.units == .episodes && success.difference.episodes == 40)
    let distance = try #require(found.differences.first?[.finalDistance])
    #expect(distance.verdict == .better)
    #expect(distance.difference.estimate < 0)
    #expect(found.sentences.count == 2)
    #expect(found.sentences[0].hasPrefix("scripted is better than random: success differs by +"))
    #expect(found.sentences[1].hasPrefix("scripted is better than random: return49 differs by +"))
    let same = try compare(["scripted", "scripted"], environment: "point-reach")
    #expect(same.methods.count == 1 && same.sentences.isEmpty)
  }

  @Test func seedsOfOneThingAreOneMethod() throws {
    let all = try [
      train("runs/goal-bc-s0", learner: "goal-bc"),
      train("runs/goal-bc-s1", learner: "goal-bc", seed: 1), train("runs/gcsl-s0"),
      train("runs/gcsl-s1", seed: 1), train("runs/longer-s0", updates: 7),
    ]
    let found = try compare(all)
    #expect(found.methods.map(\.name) == ["goal-bc", "gcsl", "longer"])
    #expect(found.methods.map(\.entries.count) == [2, 2, 1])
    // Seeds and starts are both in a method's interval, which ends where the return does.
    let crossed = CrossedScores(found.entries.prefix(2).map { $0.scores.map(\.fullReturn) })
    #expect(found.methods[0][.fullReturn] == crossed.level(in: 0...50))
    #expect(
      found.differences.map { "\($0.method) \($0.over) \($0[.success].units)" }
        == ["gcsl goal-bc seeds", "longer goal-bc episodes"])
    let table = try found.methodsTable()
    #expect(table.heads[0...2] == ["method", "seeds", "success"])
    #expect(table.rows.map { $0[0].shown } == ["goal-bc", "gcsl", "longer"])
    let text = try found.text(.all, .text)
    #expect(text.contains("\nmethods\n") && text.contains("\ndifferences\n"))
    #expect(text.contains("gcsl, mean over 2 seeds"))
    for line in [
      "95 % intervals of one run: this checkpoint, on starts in general",
      "95 % intervals over seeds: the method, for training seeds and starts in general",
      "differences are paired by start, and about starts in general",
      "P(better success) of fewer than 5 seeds is left out: its interval would be little but a range",
    ] { #expect(text.contains("\n\(line)\n"), "\(line)") }
    #expect(found.differencesTable()?.rows.map { $0[8].shown == "–" } == [true, false])
    #expect(try found.text(.all, .csv) == found.table().rendered(as: .csv))
    // Seeds of one method alone.
    let seeds = try compare(Array(all.prefix(2)))
    #expect(seeds.overSeeds?.count == 7 && seeds.differencesTable() == nil)
    #expect(seeds.table().rows.last?[0].shown == "mean over 2 seeds")
    #expect(throws: ExperimentError.self) { try found.methodsTable(of: "succes") }
  }

  @Test func worldsAreRowsAndMethodsColumns() throws {
    var names: [String] = []
    for world in ["point-reach", "point-rooms"] {
      for learner in ["gcsl", "goal-bc"] {
        for seed in 0..<2 {
          names.append(
            try train(
              "\(world)/\(learner)-s\(seed)", learner: learner, environment: world,
              seed: UInt64(seed)))
        }
      }
    }
    let found = try compare(names + ["random"], episodes: 4)
    #expect(found.environments == ["point-reach", "point-rooms"])
    let table = try found.methodsTable()
    #expect(table.heads == ["success", "gcsl", "goal-bc", "random"])
    #expect(
      table.rows.map { $0[0].shown } == [
        "point-reach", "point-rooms", "mean", "median", "IQM", "optimality gap", "P(beats gcsl)",
      ])
    // One run has no interval over runs; of two runs a bootstrap has none, and a line says so.
    #expect(table.rows[2][3].shown == "–" && table.rows[2][1].shown.contains("["))
    #expect(table.rows[3...].allSatisfy { $0[1...].allSatisfy { $0.shown == "–" } })
    #expect(
      found.notes.last
        == "median, IQM, optimality gap and P(beats) of fewer than 5 seeds are left out: their "
        + "intervals would be little but ranges")
    #expect(try found.methodsTable(of: "return").rows.count == 2)
    #expect(found.overall.map(\.method) == ["gcsl", "goal-bc"])
    #expect(found.overall.allSatisfy { $0.aggregates.map(\.name) == ["mean"] })
    let json = try #require(
      JSONSerialization.jsonObject(with: Data(found.json().utf8)) as? [String: Any])
    #expect((json["policies"] as? [Any])?.count == 10)
    #expect((json["differences"] as? [Any])?.count == 4)
  }

  @Test func runsAreNamedWithoutTheirSeed() {
    #expect(RunName.short("runs/wgcsl-s12") == "wgcsl")
    #expect(RunName.short("runs/wgcsl-s1/checkpoints/best") == "wgcsl best")
    #expect(
      RunName.short("runs/a-s0/checkpoints/000002000/policy.safetensors") == "a at 2000")
    #expect(RunName.short("-s1") == "-s1")
  }

  @Test func pathsAreDrawnInThePlane() throws {
    let figure = try compare(["scripted"], environment: "point-rooms").paths(episodes: 3)
    let text = figure.rendered()
    #expect(figure.panels.count == 3)
    #expect(text.contains("episode 0: success") && text.contains("<polyline"))
    let reacher = try compare(["scripted"], environment: "reacher", episodes: 1)
    #expect(try reacher.paths(episodes: 1).panels.count == 1)
  }

  // MARK: - Plans

  @Test func aPlanIsRecordedAndTheSameWhateverTheWorkers() throws {
    let run = try train("planned", learner: "gciql")
    let data = path("data-point-reach")
    func planned(_ workers: Int) throws -> Comparison {
      try Comparison.run(
        [run], environment: nil,
        EvaluationRequest(
          episodes: 6, seed: 4, workers: workers,
          plan: PlanRequest(dataset: data, nodes: 30, edge: 2)), silent: true)
    }
    let (one, two) = (try planned(1), try planned(2))
    #expect(one.entries[0].scores == two.entries[0].scores)
    #expect(try one.json() == two.json())
    let digest = try Dataset(at: URL(fileURLWithPath: data)).manifest.digest()
    #expect(try one.json().contains("\"dataset_sha256\" : \"\(digest)\""))
    #expect(
      one.notes.last
        == "plan: a graph of 30 states of \(data) (sha256 \(digest.prefix(12))), edges up to 2.00 "
        + "steps, aims up to 4.00 steps away")
    #expect(try compare([run], episodes: 6).notes.allSatisfy { !$0.hasPrefix("plan") })
  }

  @Test func whatCannotPlanIsRefused() throws {
    let run = try train("valued", learner: "qrl")
    let cloned = try train("cloned", learner: "gcbc")
    let data = path("data-point-reach")
    func complaint(
      _ name: String, environment: String? = nil, nodes: Int = 30, data dataset: String? = nil
    ) -> String? {
      #expect(throws: ExperimentError.self) {
        _ = try Comparison.run(
          [name], environment: environment,
          EvaluationRequest(
            episodes: 2, seed: 0, workers: 1,
            plan: PlanRequest(dataset: dataset ?? data, nodes: nodes)), silent: true)
      }?.description
    }
    #expect(
      complaint("random", environment: "point-reach")?.contains(
        "--plan graph plans by a checkpoint's values, and this policy has none") == true)
    #expect(
      complaint(cloned)?.contains(
        "--plan graph needs a learner with values, and 'gcbc' as it was set has none") == true)
    #expect(
      complaint(run, nodes: 307)?.contains(
        "a plan of 307 states needs as many, and the dataset has 306") == true)
    let alone = path("alone.safetensors")
    try FileManager.default.copyItem(
      at: try Checkpoint.policyFile(run), to: URL(fileURLWithPath: alone))
    #expect(
      complaint(alone)?.contains(
        "--plan graph needs a whole checkpoint, with its training.safetensors") == true)
    try train("elsewhere", environment: "point-rooms")
    #expect(complaint(run, data: path("data-point-rooms"))?.contains("point-rooms") == true)
  }
}
