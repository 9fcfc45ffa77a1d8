import Environments
import Foundation
import GoalCore
import Statistics
import Support
import TestSupport
import Testing

@testable import Experiments
@testable import Reporting
@testable import Storage

/// Worlds with named tasks: evaluated task by task until the first success, with data of their own
/// laws.
struct NamedTaskTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func evaluate(
    _ names: [String], _ tasks: TaskChoice, environment: String = "pointmaze-medium",
    episodes: Int = 4, workers: Int = 2
  ) throws -> Comparison {
    var request = EvaluationRequest(episodes: episodes, seed: 3, workers: workers)
    request.tasks = tasks
    return try Comparison.run(names, environment: environment, request, silent: true)
  }

  func collect(_ recipe: Recipe, _ name: String, workers: Int = 2) throws -> (URL, Manifest) {
    let data = folder.url.appendingPathComponent(name)
    return (data, try recipe.collect(in: data, workers: workers))
  }

  func recipe(_ goals: String?, policy: String = "scripted", episodes: Int = 3) -> Recipe {
    Recipe(
      environment: "pointmaze-medium", policy: policy, seed: 2, episodes: episodes, noise: 0.5,
      shardEpisodes: 2, goals: goals)
  }

  @Test func aChoiceOfTasksIsReadOrRefused() throws {
    #expect(TaskChoice("all") == .all && TaskChoice("1,3") == .some([1, 3]))
    for text in ["", "0", "-1", "1,1", "1,,2", "some", "1,2.5"] { #expect(TaskChoice(text) == nil) }
    func complaint(_ tasks: TaskChoice, _ world: String) -> String {
      do {
        _ = try tasks.tasks(of: EnvironmentRegistry.world(world))
        return ""
      } catch { return "\(error)" }
    }
    #expect(complaint(.all, "point-reach").hasSuffix("point-reach has no named tasks"))
    #expect(
      complaint(.some([6]), "pointmaze-medium").hasSuffix(
        "pointmaze-medium has tasks 1 to 5, found 6")
    )
    #expect(complaint(.none, "point-reach").isEmpty)
  }

  @Test func aTaskHasTheSameStartsWhicheverOthersAreAskedFor() throws {
    let all = try evaluate(["scripted", "random"], .all)
    let some = try evaluate(["scripted"], .some([4, 2]), workers: 1)
    #expect(all.entries[0].scores.count == 20 && some.entries[0].scores.count == 8)
    #expect(Array(all.entries[0].scores[12..<16]) == Array(some.entries[0].scores[0..<4]))
    #expect(Array(all.entries[0].scores[4..<8]) == Array(some.entries[0].scores[4..<8]))
    let starts = all.starts(of: all.entries[0])
    let seeds = (0..<20).map { starts.start($0).seed }
    #expect(Set(seeds).count == 20)
    // In turn they are the same ones in another order.
    #expect((0..<5).map { starts.turn($0).kind } == (1...5).map { .task($0) })
    #expect(Set((0..<20).map { starts.turn($0).seed }) == Set(seeds))
  }

  @Test func evaluationsEndAtTheFirstSuccessAndDataDoNot() throws {
    let world = try EnvironmentRegistry.world("pointmaze-medium")
    let environment = try world.load().makeEnvironment()
    let policy = try Policies.named("scripted", for: world)
    let evaluated = Rollout(environment: environment, policy: policy, isEvaluation: true)
    let collected = Rollout(environment: environment, policy: policy)
    var ended = 0
    for number in 0..<5 {
      let kind = EpisodeKind.task(number + 1)
      let short = try evaluated.episode(index: 0, seed: UInt64(number), as: kind)
      let long = try collected.episode(index: 0, seed: UInt64(number), as: kind)
      #expect(long.length == 1000 && long.truncated && !long.terminated)
      let first = long.successes.firstIndex(of: true)
      #expect(short.length == first.map { $0 + 1 } ?? 1000)
      #expect(short.observations.elementsEqual(long.observations.prefix((short.length + 1) * 2)))
      #expect(!short.terminated && short.truncated == (short.length == 1000))
      ended += short.length < 1000 ? 1 : 0
    }
    #expect(ended >= 3)
    // Without tasks an evaluation of such a world ends there, too, while it trains as well.
    let scores = try Evaluation.scores(
      of: policy, in: world, EvaluationRequest(episodes: 4, seed: 1, workers: 1))
    #expect(scores.contains { $0.success && $0.fullReturn == 1 })
    // A world without named tasks goes on.
    let reach = try EnvironmentRegistry.world("point-reach")
    let whole = try Rollout(
      environment: reach.load().makeEnvironment(), policy: Policies.named("scripted", for: reach),
      isEvaluation: true
    ).episode(index: 0, seed: 1)
    #expect(whole.length == 50 && whole.successes.contains(true))
  }

  @Test func aRowATaskAndTheirMean() throws {
    let found = try evaluate(["scripted", "random"], .all)
    let table = found.table()
    #expect(
      table.heads
        == ["policy", "task", "success", "discounted_return", "final_distance", "episodes"])
    #expect(
      table.rows.map { $0[1].shown } == [
        "1", "2", "3", "4", "5", "mean", "1", "2", "3", "4", "5", "mean",
      ])
    #expect(table.rows.map { $0[5].shown }.prefix(6) == ["4", "4", "4", "4", "4", "20"])
    for entry in found.entries {
      let shares = (0..<5).map { task in
        Double(entry.scores[task * 4..<task * 4 + 4].count(where: \.success)) / 4
      }
      #expect(abs(entry.evaluation[.success].estimate - shares.reduce(0, +) / 5) < 1e-12)
    }
    let script = try #require(found.entries.first).scores
    let own = Intervals.wilson(successes: script.prefix(4).count(where: \.success), of: 4)
    #expect(table.rows[0][2].shown == own.text)
    // One step counts at most, so no interval passes 1.
    for entry in found.entries {
      #expect(
        entry.evaluation[.discountedReturn].high <= 1 && entry.evaluation[.fullReturn].high <= 1)
    }
    let text = try found.text(.all, .text)
    #expect(text.contains("the mean over tasks weighs them alike"))
    #expect(text.contains("episodes end at their first success"))
    #expect(found.sentences.count == 1 && found.sentences[0].contains("success differs by"))
    struct Document: Decodable {
      struct Policy: Decodable {
        struct Task: Decodable {
          let task: Int
          let summary: String
          let results: [String: Estimate]
        }
        let tasks: [Task]
        let success: Estimate
        let return999: Estimate
      }
      let policies: [Policy]
    }
    let json = try JSONDecoder().decode(Document.self, from: Data(found.json().utf8))
    #expect(json.policies[0].tasks.map(\.task) == [1, 2, 3, 4, 5])
    #expect(json.policies[0].tasks[0].summary == "from cell (1, 1) to cell (6, 6)")
    #expect(json.policies[0].tasks[0].results["success"] == own)
    #expect(json.policies[0].success == found.entries[0].evaluation[.success])
    // Other worlds' tables and documents are as they were.
    let plain = try evaluate(["scripted"], .none, environment: "point-reach")
    #expect(plain.table().heads[0...2] == ["policy", "success", "return49"])
    #expect(!(try plain.json()).contains("tasks"))
  }

  @Test func movingGoalsAreStoredVerifiedAndMadeAgain() throws {
    let (data, manifest) = try collect(recipe("navigate"), "navigate")
    #expect(manifest.totals.steps == 3000 && manifest.recipe?.steps == 1000)
    let (_, again) = try collect(recipe("navigate"), "again/navigate", workers: 1)
    #expect(again.shards == manifest.shards)
    let dataset = try Dataset(at: data)
    let episodes = try manifest.shards.flatMap { try dataset.open($0).trajectories() }
    for episode in episodes {
      #expect(episode.desiredGoal.count == 2 * 1001 && episode.truncated && !episode.terminated)
      var changes = 0
      for t in 0..<1000 {
        let isOther =
          episode.desiredGoal[2 * t..<2 * t + 2] != episode.desiredGoal[2 * t + 2..<2 * t + 4]
        #expect(isOther == episode.successes[t])
        changes += isOther ? 1 : 0
      }
      #expect(changes > 2)
    }
    let report = try Verification.run(data, replays: .all, workers: 2, silent: true)
    #expect(report.isSound && report.replayed == 3, "\(report.findings)")
    // A film of a stored episode follows its goals.
    let (trajectory, task, _, kind) = try EpisodeFilm.stored(1, in: data)
    let film = try EpisodeFilm.draw(trajectory, of: task, as: kind, size: 32)
    #expect(film.differsFrom == nil && film.pictures.count > 1000)
    let wrong = try EpisodeFilm.draw(trajectory, of: task, size: 32)
    #expect(wrong.differsFrom == 0)
  }

  @Test func stitchesAreShortAndKeepTheirGoal() throws {
    let (data, manifest) = try collect(recipe("stitch"), "stitch")
    #expect(manifest.totals.steps == 600)
    let dataset = try Dataset(at: data)
    for episode in try manifest.shards.flatMap({ try dataset.open($0).trajectories() }) {
      #expect(episode.length == 200 && episode.desiredGoal.count == 2 && episode.truncated)
    }
    let report = try Verification.run(data, replays: .all, workers: 2, silent: true)
    #expect(report.isSound && report.replayed == 3, "\(report.findings)")
    // Random actions pay no heed to goals, so goals may move under them.
    let (random, _) = try collect(recipe("navigate", policy: "random", episodes: 1), "random")
    #expect(try Verification.run(random, replays: .all, workers: 1, silent: true).isSound)
    // Data without a law are of the world's own tasks and horizon.
    let (plain, other) = try collect(recipe(nil, episodes: 1), "plain")
    #expect(other.totals.steps == 1000 && other.recipe?.goals == nil)
    #expect(try Verification.run(plain, replays: .all, workers: 1, silent: true).isSound)
  }

  @Test func lawsThatAWorldHasNotAreRefused() throws {
    func complaint(_ recipe: Recipe) -> String {
      do {
        _ = try collect(recipe, "none")
        return ""
      } catch { return "\(error)" }
    }
    #expect(complaint(recipe("navigat")).contains("did you mean navigate?"))
    var other = recipe("navigate")
    other.environment = "point-reach"
    #expect(complaint(other).contains("point-reach has one way to start"))
    // A manifest that says otherwise is found out, and nothing is simulated by it.
    let (data, manifest) = try collect(recipe("stitch"), "stitch")
    var strange = try #require(manifest.recipe)
    strange.goals = "nowhere"
    let identity = DatasetIdentity(
      id: manifest.id, task: manifest.task, recipe: strange, modelDigest: manifest.modelDigest,
      libraries: manifest.libraries)
    let records = try manifest.shards.map { shard in
      let file = data.appendingPathComponent(shard.file).deletingPathExtension()
      return try DigestedJSON.read(
        ShardRecord.self, from: file.appendingPathExtension("json"), schema: Manifest.schema
      ).value
    }
    try Manifest(identity, columns: manifest.columns, records: records)
      .write(to: data.appendingPathComponent("manifest.json"))
    let report = try Verification.run(data, replays: .all, workers: 1, silent: true)
    #expect(report.replayed == 0)
    #expect(
      report.findings.map(\.first).contains("manifest.json has goals 'nowhere' of 200 steps"),
      "\(report.findings)")
  }

  @Test func theFileOfARecipeNamesALaw() throws {
    let file = folder.url.appendingPathComponent("recipe.yaml")
    try Data(
      "environment: pointmaze-large\npolicy: scripted\ngoals: stitch\nepisodes: 2\nseed: 1\nnoise: 0.5\n"
        .utf8
    ).write(to: file)
    let recipe = try TrajectoryCollection.recipe(file)
    #expect(recipe.goals == "stitch" && recipe.noise == 0.5)
  }

  /// Rows of OGBench's own layout, one more than steps, become the same world's episodes, of any of
  /// its lengths.
  @Test func theWorldTakesOGBenchsFiles() throws {
    let data = folder.url.appendingPathComponent("giant")
    try Recipe(
      environment: "pointmaze-giant", policy: "scripted", seed: 2, episodes: 2, noise: 0.5,
      goals: "navigate"
    ).collect(in: data)
    let file = folder.url.appendingPathComponent("pointmaze-giant-navigate-v0.npz")
    var out = DatasetConversion.Request(data, to: file)
    (out.to, out.isSilent) = ("ogbench", true)
    #expect(try DatasetConversion.run(out)[0].steps == 4000)
    let back = folder.url.appendingPathComponent("back")
    var request = DatasetConversion.Request(file, to: back)
    (request.environment, request.isSilent) = ("pointmaze-giant", true)
    #expect(try DatasetConversion.run(request)[0].steps == 4000)
    let report = try Verification.run(back, replays: .some(0), workers: 2, silent: true)
    #expect(report.isSound, "\(report.findings)")
    let (one, two) = (try Dataset(at: data), try Dataset(at: back))
    let ours = try one.manifest.shards.flatMap { try one.open($0).trajectories() }
    let theirs = try two.manifest.shards.flatMap { try two.open($0).trajectories() }
    #expect(ours.map(\.observations) == theirs.map(\.observations))
    #expect(ours.map(\.actions) == theirs.map(\.actions))
    #expect(two.manifest.task == one.manifest.task)
  }
}
