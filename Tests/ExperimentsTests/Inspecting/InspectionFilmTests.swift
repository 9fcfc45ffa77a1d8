import Environments
import Foundation
import GoalCore
import Learners
import Storage
import Support
import TestSupport
import Testing

@testable import Experiments
@testable import Reporting

/// Films of stored episodes, runs and checkpoints, figures, and what is said where there is
/// nothing.
struct InspectionFilmTests {
  let temporary: TemporaryFolder

  init() throws { temporary = try TemporaryFolder() }

  func folder(_ name: String) -> URL { temporary.url.appendingPathComponent(name) }

  @discardableResult
  func collect(_ name: String, states: Bool = false) throws -> Recipe {
    let recipe = Recipe(
      environment: "fetch-reach", policy: "scripted", seed: 5, episodes: 4, noise: 0.2,
      randomActions: 0.3, shardEpisodes: 3, states: states)
    try recipe.collect(in: folder(name))
    return recipe
  }

  @Test func aStoredEpisodeIsFilmedAsItWentTheFirstTime() throws {
    let recipe = try collect("plain")
    try collect("whole", states: true)
    let world = try EnvironmentRegistry.world("fetch-reach")
    // The pictures of a rollout of episode 3 as it is collected.
    let environment = try world.load().makeEnvironment()
    let visible = try #require(environment as? any VisibleEnvironment)
    let rollout = Rollout(
      environment: environment, policy: try Policies.named("scripted", for: world),
      exploration: Exploration(noise: recipe.noise, randomActions: recipe.randomActions))
    var fresh: [Picture] = []
    _ = try rollout.episode(
      index: 3, seed: Seeds.world(.collect, seed: recipe.seed, episode: 3)
    ) { trajectory in
      fresh.append(
        try Video.shot(of: visible, reached: trajectory.successes.last ?? false, size: 96))
    }
    #expect(fresh.count == 51 && fresh[0] != fresh[25])
    fresh = Video.rested(fresh, world.task.spec)
    for (name, origin) in [("plain", EpisodeFilm.Origin.replay), ("whole", .states)] {
      let (trajectory, task, shard, _) = try EpisodeFilm.stored(3, in: folder(name))
      #expect(shard == 1)
      let drawn = try EpisodeFilm.draw(trajectory, of: task, size: 96)
      #expect(drawn.origin == origin && drawn.differsFrom == nil)
      #expect(drawn.pictures == fresh, "\(name)")
    }
    for kind in ["mp4", "gif"] {
      let file = folder("films/episode.\(kind)")
      let film = try EpisodeFilm.write(episode: 3, of: folder("whole").path, size: 96, to: file)
      #expect(film.steps == 50 && film.origin == .states)
      #expect(film.text.contains("from its stored states; every observation is the stored one"))
      #expect(try Data(contentsOf: file).count > 1000)
    }
  }

  @Test func aFilmThatDiffersFromTheDataSaysSo() throws {
    try collect("data")
    var (trajectory, task, _, _) = try EpisodeFilm.stored(0, in: folder("data"))
    trajectory.observations[10 * 20] += 0.25
    let drawn = try EpisodeFilm.draw(trajectory, of: task, size: 32)
    #expect(drawn.differsFrom == 20)
  }

  @Test func figuresAreXMLWithAllTheirPanels() throws {
    try collect("data")
    let found = try DatasetInspection.run(folder("data"), workers: 2, silent: true)
    let figure = found.figure()
    #expect(
      figure.panels.map { String($0.title.prefix { $0 != ":" && $0 != "," }) } == [
        "return", "success along an episode", "episode lengths", "desired goals", "achieved goals",
        "action 0", "action 1", "action 2", "action 3",
      ])
    let text = figure.rendered()
    try wellFormed(text)
    #expect(text.contains("goal 0, m") && text.contains("steps at the goal"))
    #expect(!text.contains("nan") && !text.contains("inf"))
    let file = folder("figures/data.svg")
    try figure.write(to: file)
    #expect(try Data(contentsOf: file) == Data(text.utf8))
    // What a path holds is text, and no markup.
    try wellFormed(SVGFigure(title: "a <b> & \"c\" \u{1}", panels: []).rendered())
  }

  @Test func ticksAreRound() {
    #expect(Ticks(from: 0, to: 50).values == [0, 10, 20, 30, 40, 50])
    #expect(Ticks(from: 0, to: 8400).values == [0, 2000, 4000, 6000, 8000])
    let fine = Ticks(from: 1.137, to: 1.541)
    #expect(fine.values.map(fine.text) == ["1.2", "1.3", "1.4", "1.5"])
    let thousands = Ticks(from: 0, to: 10_000)
    #expect(thousands.text(10_000) == "10,000" && thousands.text(-2000) == "-2,000")
    #expect(Ticks.step(for: 0.031, roundingUp: true) == 0.05)
    #expect(Histogram([0, 50]).width == 2 && Histogram([3]).counts == [1])
  }

  @Test func runsAndCheckpoints() throws {
    try collect("data")
    var configuration = RunConfiguration()
    configuration.datasets = [folder("data").path]
    configuration.updates = 20
    configuration.seed = 3
    configuration.checkpointEvery = 10
    configuration.measureEvery = 5
    configuration.evaluateEvery = 10
    configuration.evaluationEpisodes = 2
    configuration.settings = ["batchSize": 32, "hiddenWidths": [16, 16]]
    _ = try OfflineTraining.run(configuration, in: folder("run"))

    let run = try RunInspection.run(folder("run"))
    #expect(run.checkpoints == [10, 20] && run.evaluations.map(\.updates) == [10, 20])
    #expect(run.differences?.map(\.key) == ["batchSize", "hiddenWidths"])
    #expect(run.differences?.first?.value == 32 && run.metrics["update"] == 20)
    for part in ["wgcsl on fetch-reach, 20 of 20 updates, seed 3", "batchSize", "policy_loss"] {
      #expect(run.text.contains(part), "\(part)")
    }
    let panels = try run.figure().panels.map(\.title)
    #expect(panels[0].hasPrefix("success"))
    #expect(panels[1...2] == ["policy_loss", "critic_loss"])
    try wellFormed(run.figure().rendered())
    let json = try #require(
      JSONSerialization.jsonObject(with: Data(run.json().utf8)) as? [String: Any])
    #expect(
      Set(json.keys).isSuperset(of: [
        "run", "configuration", "datasets", "task", "differences", "checkpoints", "evaluations",
        "metrics", "provenance",
      ]))

    let last = try #require(try Checkpoint.all(in: folder("run")).last)
    for path in [last.path, last.appendingPathComponent("policy.safetensors").path] {
      let found = try #require(
        try Inspection.run(path, workers: 1) as? CheckpointInspection)
      #expect(found.header.updates == 20 && found.header.seed == 3)
      #expect(found.header.datasets == run.datasets && found.differences == run.differences)
      #expect(found.digest.count == 64 && found.text.contains("20 updates, seed 3"))
      #expect(throws: ExperimentError.self) { try found.figure() }
    }
    // A run that has only begun.
    try FileManager.default.removeItem(at: folder("run/checkpoints"))
    for name in ["metrics.csv", "evaluations.json", "provenance.json"] {
      try FileManager.default.removeItem(at: folder("run/\(name)"))
    }
    let begun = try RunInspection.run(folder("run"))
    #expect(begun.differences == run.differences && begun.text.contains("0 of 20 updates"))
    #expect(throws: ExperimentError.self) { try begun.figure() }
  }

  @Test func sparklinesAndThinnedCurves() {
    #expect(ReportText.sparkline([0, 0.49, 0.5, 1, .nan], top: 1) == "▁▄▅█ ")
    #expect(Thinning.means([1, 3, 5, 7, 9], most: 3) == [2, 6, 9])
    #expect(Thinning.means([1, 2], most: 3) == [1, 2])
  }

  /// What is said of a path.
  func refusal(_ body: () throws -> Void) -> String {
    do { try body() } catch {
      return "\(error)".replacingOccurrences(of: temporary.url.path + "/", with: "")
    }
    return "nothing"
  }

  @Test func whatCannotBeInspected() throws {
    let must = "must be a dataset, a checkpoint or a run"
    func inspect(_ name: String) -> String {
      refusal { _ = try Inspection.run(folder(name).path, workers: 1, silent: true) }
    }
    #expect(inspect("nowhere") == "nowhere: \(must): the path does not exist")
    try FileManager.default.createDirectory(
      at: folder("empty"), withIntermediateDirectories: true)
    #expect(
      inspect("empty")
        == "empty: \(must): found neither manifest.json, config.json nor policy.safetensors in the folder"
    )
    try Data("x".utf8).write(to: folder("thesis.txt"))
    #expect(
      inspect("thesis.txt") == "thesis.txt: \(must): found a file that is no policy.safetensors")

    try collect("data")
    #expect(
      refusal { _ = try EpisodeFilm.stored(9, in: folder("data")) }
        == "data: has no episode 9, only 0-3")
    #expect(
      refusal {
        _ = try EpisodeFilm.write(episode: 0, of: folder("data").path, to: folder("film.avi"))
      } == "film.avi: cannot be written: a video's name ends in .mp4 or .gif")
    try FileManager.default.removeItem(at: folder("data/manifest.json"))
    #expect(inspect("data").contains("no manifest.json yet: finish it with `goalpost collect`"))
  }
}
