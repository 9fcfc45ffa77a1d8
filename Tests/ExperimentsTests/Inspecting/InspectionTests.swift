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

/// Looking into datasets, against numbers worked out by hand.
struct InspectionTests {
  let temporary: TemporaryFolder

  init() throws { temporary = try TemporaryFolder() }

  func folder(_ name: String) -> URL { temporary.url.appendingPathComponent(name) }

  /// A world of one number each: what is observed is what is achieved, and 0.5 counts as near.
  static func task(_ action: ActionSpace, goal: Int = 1) -> GoalTask {
    GoalTask(
      identifier: "line",
      spec: GoalSpec(
        observation: goal, goal: goal, action: action, horizon: 4, successThreshold: 0.5,
        metric: "distance, m", controlPeriod: 0.04), goalIndices: Array(0..<goal))
  }

  /// An episode through `places` `[T + 1, G]`.
  static func episode(
    _ index: Int64, _ places: [Float], goal: [Float], actions: ActionColumn, horizon: Int = 4,
    sources: [BehaviourSource]
  ) -> Trajectory {
    let task = task(.discrete(count: 1), goal: goal.count)
    var episode = Trajectory(
      index: index, seed: UInt64(index), action: .discrete(count: 1), desiredGoal: goal)
    episode.length = places.count / goal.count - 1
    episode.observations = places
    episode.achievedGoals = places
    episode.actions = actions
    for t in 1...episode.length {
      let place = Array(places[t * goal.count..<(t + 1) * goal.count])
      episode.rewards.append(task.reward(place, goal))
      episode.successes.append(task.isReached(place, goal))
    }
    episode.sources = sources
    episode.truncated = episode.length == horizon
    return episode
  }

  @discardableResult
  func write(
    _ episodes: [Trajectory], _ task: GoalTask, to name: String, shardEpisodes: Int = 2
  ) throws -> Manifest {
    let recipe = Recipe(
      environment: "line", policy: "random", seed: 7, episodes: episodes.count,
      shardEpisodes: shardEpisodes)
    let writer = try DatasetWriter(
      at: folder(name), identity: DatasetIdentity(id: name, task: task, recipe: recipe))
    for shard in try writer.pendingShards() {
      guard case .mine(let claim) = try writer.claim(shard) else { continue }
      try writer.commit(
        episodes.filter { shard.episodes.contains($0.index) }, claim: claim)
    }
    return try writer.finish()
  }

  /// Three episodes of 4, 2 and 4 steps.
  @discardableResult
  func line(_ name: String) throws -> Manifest {
    try write(
      [
        Self.episode(
          0, [0, 1, 2, 3, 3], goal: [3], actions: .continuous([-1, -0.85, 0, 1]),
          sources: [.random, .random, .noise, .policy]),
        Self.episode(
          1, [10, 3, 9], goal: [3], actions: .continuous([0.1, 0.3]), sources: [.policy, .policy]),
        Self.episode(
          2, [5, 6, 7, 8, 9], goal: [0], actions: .continuous([0.5, 0.5, 0.5, 0.5]),
          sources: [.policy, .policy, .policy, .policy]),
      ], Self.task(.continuous(low: [-1], high: [1])), to: name)
  }

  func inspect(
    _ name: String, workers: Int = 2, sampleLimit: Int = RowSample.limit
  ) throws -> DatasetInspection {
    try DatasetInspection.run(
      folder(name), workers: workers, sampleLimit: sampleLimit, silent: true)
  }

  @Test func numbersAreThoseWorkedOutByHand() throws {
    let manifest = try line("line")
    let found = try inspect("line")
    #expect(
      found.counts
        == DatasetInspection.Counts(
          episodes: 3, steps: 10, shards: 2, bytes: manifest.shards.reduce(0) { $0 + $1.bytes }))
    #expect(found.lengths.minimum == 2 && found.lengths.median == 4 && found.lengths.maximum == 4)
    #expect(
      found.lengths.histogram == Histogram(low: 2, width: 1, counts: [1, 0, 2], isWhole: true))
    // Episode 0 is at its goal after steps 3 and 4, episode 1 after step 1 only.
    #expect(found.success == Intervals.wilson(successes: 1, of: 3))
    #expect(found.successEver == Intervals.wilson(successes: 2, of: 3))
    #expect(
      found.successByStep
        == [(1, 3), (0, 3), (1, 2), (1, 2)].map { Intervals.wilson(successes: $0.0, of: $0.1) })
    #expect(found.return == Intervals.mean([2, 1, 0], in: 0...4))
    #expect(found.returnBeforeLast == Intervals.mean([1, 1, 0], in: 0...4))
    #expect(found.returns == Histogram(low: 0, width: 1, counts: [1, 1, 1], isWhole: true))
    #expect(found.behaviour == ["policy": 0.7, "noise": 0.1, "random": 0.2])

    // 0 1 2 3 3 | 10 3 9 | 5 6 7 8 9
    let observations = found.observations
    #expect(observations.rows == 13 && observations.quantilesAreExact)
    #expect(observations.minimum == [0] && observations.maximum == [10])
    #expect(abs(observations.mean[0] - 66.0 / 13) < 1e-12)
    let squares = [25, 16, 9, 4, 4, 25, 4, 16, 0, 1, 4, 9, 16].reduce(0.0, +)  // about 5
    let variance = squares / 13 - (1.0 / 13) * (1.0 / 13)
    #expect(abs(observations.standardDeviation[0] - variance.squareRoot()) < 1e-12)
    let sorted: [Double] = [0, 1, 2, 3, 3, 3, 5, 6, 7, 8, 9, 9, 10]
    #expect(
      observations.quantiles == [ColumnSummary.fractions.map { Intervals.quantile(sorted, $0) }])
    #expect(observations.quantiles[0][1...3] == [3, 5, 8])

    // The highest action is in the last bin, and none is outside.
    let actions = try #require(found.actions.histograms?.first)
    #expect(actions.low == -1 && actions.width == 0.2)
    #expect(actions.counts == [2, 0, 0, 0, 0, 2, 1, 4, 0, 1])
    #expect(found.actions.outside == [0] && found.actions.counts == nil)
    #expect(found.actions.statistics?.minimum == [-1] && found.actions.statistics?.maximum == [1])
  }

  @Test func goalsAreCountedInCells() throws {
    let box: [Float] = [0, 0, 10, 20, 0, 0]
    let manifest = try write(
      [
        Self.episode(
          0, box, goal: [10, 20], actions: .discrete([0, 2]), sources: [.random, .random]),
        Self.episode(
          1, [5, 5, 5, 5], goal: [0, 20], actions: .discrete([2]), sources: [.random]),
      ], Self.task(.discrete(count: 3), goal: 2), to: "plane")
    let found = try inspect("plane")
    let goals = found.goals
    #expect(goals.shape == [20, 20] && goals.low == [0, 0] && goals.high == [10, 20])
    #expect(goals.desired.count == 2 && goals.achieved.count == 5)
    #expect(goals.desired.minimum == [0, 20] && goals.desired.maximum == [10, 20])
    #expect(goals.achieved.mean == [4, 6])
    // Desired: two corners. Achieved: two corners, one of them twice, and (5, 5) twice.
    #expect(goals.desiredShare == 2.0 / 400 && goals.achievedShare == 3.0 / 400)
    #expect(goals.desiredCellsAchieved == 0.5)
    #expect(goals.achievedCounts[0] == 2 && goals.achievedCounts[399] == 1)
    #expect(goals.achievedCounts[5 * 20 + 10] == 2)
    #expect(goals.desiredCounts[399] == 1 && goals.desiredCounts[19 * 20] == 1)
    #expect(found.actions.counts == [1, 0, 2] && found.actions.statistics == nil)
    #expect(found.lineage.manifest == (try manifest.digest()))
    #expect(found.text.contains("achieved  in 0.8 % of 400 cells"))
  }

  @Test func nothingDependsOnTheNumberOfThreads() throws {
    var recipe = Recipe(
      environment: "fetch-reach", policy: "scripted", seed: 5, episodes: 11, noise: 0.2,
      randomActions: 0.3, shardEpisodes: 2)
    try recipe.collect(in: folder("data"))
    // With quantiles over all rows, and over a sample.
    for limit in [RowSample.limit, 100] {
      let alone = try inspect("data", workers: 1, sampleLimit: limit)
      #expect(alone.observations.quantilesAreExact == (limit > 600))
      #expect(alone.observations.quantileRows == min(limit, 11 * 51))
      for workers in [2, 5] {
        #expect(try inspect("data", workers: workers, sampleLimit: limit) == alone)
      }
    }
    // Compressed shards hold the same.
    recipe.compress = true
    try recipe.collect(in: folder("packed/data"))
    let packed = try inspect("packed/data")
    let plain = try inspect("data")
    #expect(packed.observations == plain.observations && packed.goals == plain.goals)
    #expect(packed.actions == plain.actions && packed.returns == plain.returns)
    // And the manifest says the same of the columns.
    let listed = try Dataset(at: folder("data")).manifest
    #expect(plain.observations.minimum == listed.statistics.observations.minimum)
    #expect(plain.counts.steps == listed.totals.steps)
    for (found, said) in zip(plain.observations.mean, listed.statistics.observations.mean) {
      #expect(abs(found - said) < 1e-9)
    }
    #expect(
      plain.success
        == Intervals.wilson(successes: listed.totals.successesAtEnd, of: listed.totals.episodes))
    #expect(plain.lineage.provenance != nil)
  }

  @Test func aSampleIsUniformAndWithoutReplacement() {
    let sample = RowSample(of: 1000, limit: 100)
    let values = (0..<1000).map { Float($0) }
    let taken = values.withUnsafeBufferPointer { sample.values(of: $0, width: 1, from: 0) }
    #expect(taken.count == 100 && Set(taken).count == 100 && taken == taken.sorted())
    #expect(taken.count { $0 < 500 } > 30 && taken.count { $0 < 500 } < 70)
    // Cut up anywhere, the same rows are taken.
    let parts = values.withUnsafeBufferPointer { all in
      [0..<333, 333..<334, 334..<1000].flatMap { part in
        sample.values(of: UnsafeBufferPointer(rebasing: all[part]), width: 1, from: part.lowerBound)
      }
    }
    #expect(parts == taken)
  }

  @Test func jsonHoldsAllOfIt() throws {
    try line("line")
    let found = try Inspection.run(folder("line").path, workers: 1, silent: true)
    let json = try #require(
      JSONSerialization.jsonObject(with: Data(found.json().utf8)) as? [String: Any])
    #expect(
      Set(json.keys) == [
        "dataset", "counts", "lengths", "success", "successEver", "successByStep", "return",
        "return3", "returns", "behaviour", "observations", "actions", "goals", "lineage",
      ])
    let success = try #require(json["success"] as? [String: Any])
    #expect(Set(success.keys) == ["estimate", "low", "high", "episodes"])
    let lineage = try #require(json["lineage"] as? [String: Any])
    #expect((lineage["manifest"] as? String)?.count == 64)
    let identity = try #require(lineage["identity"] as? [String: Any])
    #expect((identity["recipe"] as? [String: Any])?["policy"] as? String == "random")
    for part in [
      "3 episodes", "10 steps in 2 shards", "lineage", "recipe.seed", "quantiles over all",
    ] {
      #expect(found.text.contains(part), "\(part)")
    }
  }

  @Test func bandsAreCheckedAndNamed() throws {
    try line("line")
    let found = try inspect("line")
    let file = folder("expected.json")
    func complaint(_ bands: String, section: String = "") throws -> String? {
      try Data(bands.utf8).write(to: file)
      do {
        _ = try Bands(file.path + section).check(found)
        return nil
      } catch { return "\(error)".replacingOccurrences(of: file.path + ": ", with: "") }
    }
    let good = #"{"episodes": {"low": 3, "high": 3, "source": "us"}, "steps": {"high": 10}}"#
    #expect(try complaint(good) == nil)
    #expect(
      try Bands(file.path).check(found) == [
        "\(found.dataset): episodes is 3, 3 (us)", "\(found.dataset): steps is 10, at most 10",
      ])
    // All that is wrong is said at once, with where the band comes from.
    let wrong = try complaint(
      #"{"episodes": {"low": 900, "high": 900, "source": "a"}, "return3": {"high": -1}}"#)
    #expect(wrong?.hasPrefix("\(found.dataset): episodes must be 900 (a), found 3\n") == true)
    #expect(wrong?.contains("\n\(found.dataset): return3 must be at most -1, found ") == true)
    #expect(
      try complaint(#"{"sucess": {"low": 0}}"#)?.contains("no result is called 'sucess'") == true)
    let named = #"{"a": {"episodes": {"low": 3}}, "b": {"episodes": {"low": 4}}}"#
    #expect(try complaint(named, section: ":a") == nil)
    #expect(try complaint(named, section: ":b")?.contains("must be at least 4") == true)
    for (bands, section, reason) in [
      (named, "", "has sections: choose one of a, b by FILE:SECTION"),
      (named, ":c", "no section is called 'c'"),
      ("{", "", "must be bands by name, as in"), ("", "", "must be bands by name, as in"),
      (#"{"steps": 3}"#, "", "must be bands by name, as in"), ("{}", "", "must hold a band"),
      (#"{"steps": {"lo": 3, "high": 4}}"#, "", "has 'lo' in a band, which takes low, high"),
      (
        #"{"steps": {"low": 3, "high": 2}}"#, "",
        "the band of steps must not end below its start, found"
      ),
      (#"{"steps": {}}"#, "", "the band of steps must have low, high or both"),
    ] {
      #expect(try complaint(bands, section: section)?.hasPrefix(reason) == true, "\(bands)")
    }
    #expect(throws: ExperimentError.self) { try Bands(folder("none.json").path) }
  }

  /// The bands of every pipeline can be read, are of what evaluations measure, and have sources.
  @Test func pipelinesEndInBands() throws {
    let pipelines = PythonReference.checkout.appendingPathComponent("pipelines")
    for name in try FileManager.default.contentsOfDirectory(atPath: pipelines.path)
    where FileManager.default.fileExists(
      atPath: pipelines.appendingPathComponent("\(name)/Snakefile").path)
    {
      let file = pipelines.appendingPathComponent("\(name)/expected.json")
      let all = try #require(
        JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: [String: Any]])
      let isPlain = all.values.contains { $0["source"] != nil }
      for section in isPlain ? [""] : all.keys.map({ ":" + $0 }) {
        try Bands(file.path + section).checkNames(among: Comparison.measures)
      }
      let bands =
        isPlain
        ? Array(all.values)
        : all.values.flatMap(\.values).compactMap { $0 as? [String: Any] }
      #expect(!bands.isEmpty && bands.allSatisfy { $0["source"] is String }, "\(name)")
    }
  }

  /// What the committed cards of the standard datasets expect is what their manifests say.
  @Test func theStandardDatasetsCardsAndManifestsAgree() throws {
    let datasets = PythonReference.checkout.appendingPathComponent("datasets")
    let names = try FileManager.default.contentsOfDirectory(atPath: datasets.path)
      .filter { $0.hasSuffix("-v0") }
    var made = 0
    for name in names {
      let card = datasets.appendingPathComponent(name)
      let recipe = try TrajectoryCollection.recipe(card.appendingPathComponent("recipe.yaml"))
      let policy = try Policies.named(
        recipe.policy, for: EnvironmentRegistry.world(recipe.environment))
      // A set that nobody has made yet has neither manifest nor bands.
      let file = card.appendingPathComponent("manifest.json")
      guard FileManager.default.fileExists(atPath: file.path) else { continue }
      made += 1
      let manifest = try Manifest(contentsOf: file)
      #expect((manifest.recipe?.policyDigest ?? "") == policy.digest)
      let totals = manifest.totals
      #expect(recipe.episodes == totals.episodes)
      let bands = try JSONDecoder().decode(
        [String: Bands.Band].self,
        from: Data(contentsOf: card.appendingPathComponent("expected.json")))
      let success = Double(totals.successesAtEnd) / Double(totals.episodes)
      for (key, value) in [
        ("episodes", Double(totals.episodes)), ("steps", Double(totals.steps)),
        ("success", success),
      ] {
        let band = try #require(bands[key], "\(name) expects \(key)")
        #expect((band.low ?? -.infinity)...(band.high ?? .infinity) ~= value, "\(name): \(key)")
      }
    }
    #expect(made >= 4)
  }

  @Test func notANumberIsShownAndNotFatal() throws {
    var episode = Self.episode(
      0, [0, 1, 2], goal: [2], actions: .continuous([0, 5]), sources: [.policy, .policy])
    episode.observations[1] = .nan
    episode.achievedGoals[1] = .infinity
    try write([episode], Self.task(.continuous(low: [-1], high: [1])), to: "odd")
    let found = try inspect("odd")
    #expect(found.observations.mean[0].isNaN && found.observations.quantiles[0][2] == 1)
    #expect(found.actions.outside == [1])
    #expect(try found.json().contains("\"nan\""))
    try wellFormed(found.figure().rendered())
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func rewardsThatAreNotFiniteAreLeftOutWithALine(reward: Float) throws {
    let task = Self.task(.continuous(low: [-1], high: [1]))
    var odd = Self.episode(
      0, [0, 1, 2], goal: [2], actions: .continuous([0, 1]), sources: [.policy, .policy])
    odd.rewards[1] = reward
    var other = odd
    other.index = 1
    other.rewards = [0, 0]
    try write([odd, other], task, to: "odd")
    let found = try inspect("odd")
    #expect(found.return?.estimate == 2 && found.rewardsNotFinite == 1)
    #expect(found.text.contains("without 1 episodes whose rewards are not all finite"))
    try wellFormed(found.figure().rendered())
    try write([odd], task, to: "none")
    #expect(try inspect("none").text.contains("no episode has finite rewards only"))
  }

  /// Every learner stops, rather than takes what is not finite for a bound.
  @Test(arguments: LearnerRegistry.all.map(\.identifier), ["observations", "goals", "actions"])
  func trainingStopsAtWhatIsNotFinite(learner: String, column: String) throws {
    var episode = Self.episode(
      0, [0, 1, 2, 3, 4], goal: [2], actions: .continuous([0, 1, 0, 1]),
      sources: [.policy, .policy, .policy, .policy])
    switch column {
    case "observations": episode.observations = [.nan, .nan, .nan, .nan, .nan]
    case "goals":
      episode.achievedGoals = [.nan, .nan, .nan, .nan, .nan]
      episode.desiredGoal = [.infinity]
    default: episode.actions = .continuous([.nan, .infinity, .nan, .nan])
    }
    try write([episode], Self.task(.continuous(low: [-1], high: [1])), to: "odd")
    var configuration = RunConfiguration()
    configuration.learner = learner
    configuration.datasets = [folder("odd").path]
    configuration.updates = 3
    configuration.evaluateEvery = 0
    configuration.settings = ["batchSize": 4, "hiddenWidths": [4]]
    let error = #expect(throws: ExperimentError.self) {
      try Training.run(configuration, in: folder("run"), progress: nil)
    }
    guard case .notFinite(let metric, _, _, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(metric.hasPrefix("the batch's "))
  }
}

/// Throws unless Python's parser takes the text for XML.
func wellFormed(_ svg: String) throws {
  let script = try TemporaryFolder()
  let file = script.url.appendingPathComponent("parse.py")
  try Data("import sys, xml.dom.minidom\nxml.dom.minidom.parse(sys.stdin.buffer)\n".utf8)
    .write(to: file)
  _ = try PythonReference.run(script: file, input: Data(svg.utf8))
}
