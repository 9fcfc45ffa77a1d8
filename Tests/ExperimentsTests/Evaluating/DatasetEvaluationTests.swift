import Environments
import Foundation
import GoalCore
import Learners
import Replay
import Statistics
import Storage
import Support
import TestSupport
import Testing

@testable import Experiments
@testable import Reporting

/// Policies held against datasets, with and without a simulator.
final class DatasetEvaluationTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func path(_ name: String) -> String { folder.url.appendingPathComponent(name).path }

  @discardableResult
  func collect(
    _ name: String, environment: String = "point-reach", policy: String = "scripted",
    episodes: Int = 30, seed: UInt64 = 1, noise: Double = 0, random: Double = 0,
    states: Bool = false
  ) throws -> String {
    try Recipe(
      environment: environment, policy: policy, seed: seed, episodes: episodes, noise: noise,
      randomActions: random, shardEpisodes: 20, states: states
    ).collect(in: folder.url.appendingPathComponent(name))
    return path(name)
  }

  func train(_ name: String, on data: String, learner: String = "wgcsl", updates: Int = 20) throws
    -> String
  {
    var configuration = RunConfiguration()
    configuration.learner = learner
    configuration.datasets = [data]
    configuration.updates = updates
    configuration.evaluateEvery = 0
    configuration.validationFraction = 0.2
    configuration.settings = ["batchSize": 32, "hiddenWidths": [16, 16]]
    _ = try OfflineTraining.run(configuration, in: folder.url.appendingPathComponent(name))
    return path(name)
  }

  @Test func thePolicyThatMadeTheDataHasNoErrorTowardsTheirGoals() throws {
    let data = try collect("data", random: 0.3)
    let found = try DatasetEvaluation.run(
      ["scripted", "random"], DatasetEvaluation.Request([data], workers: 2), silent: true)
    #expect(found.entries.map(\.policy) == ["scripted", "random"])
    let own = try #require(found.entries[0].parts.first)
    #expect(own.part == .other && own.episodes == 30 && own.values == nil)
    // Its own first actions, but for the 30 % that were random.
    let firsts = try #require(own.firstActions)
    #expect(firsts.agree.estimate > 0.5 && firsts.agree.estimate < 1)
    #expect(firsts.byChance.high < firsts.agree.low)
    let others = try #require(found.entries[1].parts.first)
    let error = try #require(own.actions.all.squared)
    #expect(error.estimate < (others.actions.all.squared?.estimate ?? 0))
    #expect(own.actions.byOffset.map(\.name) == ["1", "2", "4", "8", "16", "32"])
    #expect(own.actions.bySource.map(\.name) == ["policy", "random"])
    #expect(
      (own.actions.bySource[0].squared?.estimate ?? 9)
        < (own.actions.bySource[1].squared?.estimate ?? 0))
    #expect(own.actions.all.accuracy == nil)
  }

  @Test func theHeldOutEpisodesAreThoseThatTrainingHeldOut() throws {
    let data = try collect("data")
    let run = try train("run", on: data)
    let found = try DatasetEvaluation.run(
      [run], DatasetEvaluation.Request([data, try collect("new", seed: 2)], workers: 2),
      silent: true)
    #expect(found.entries.count == 2)
    #expect(found.entries[0].parts.map(\.part) == [.trained, .heldOut])
    #expect(found.entries[0].parts.map(\.episodes) == [24, 6])
    #expect(found.entries[1].parts.map(\.part) == [.other])
    // They are the very episodes.
    let sample = try DatasetSample(data, episodes: 100)
    let header = try Checkpoint.policy(run).header
    let parts = try TrainingParts(policy: run, header: header)
    let held = (0..<30).filter {
      parts.part(of: sample.episodes[$0].marks, in: sample.episodes[$0].manifests) == .heldOut
    }
    let training = try TrainingData(RunConfiguration(ofRun: URL(fileURLWithPath: run)))
    var scheme = SamplingScheme(batchSize: 600, policyGoals: .original, originalValueGoals: 1)
    scheme.batchSize = 600
    let sampler = Sampler(scheme, sources: training.validation, seed: 1)
    var batch = sampler.makeBatch()
    sampler.draw(0, into: &batch)
    let goals = { (numbers: [Float]) in
      Set(stride(from: 0, to: numbers.count, by: 2).map { Array(numbers[$0..<$0 + 2]) })
    }
    #expect(
      goals(batch.policyGoals)
        == goals(held.flatMap { sample.episodes[$0].trajectory.desiredGoal }))
  }

  @Test func aLearnersValuesAreHeldAgainstHittingTimes() throws {
    let data = try collect("data")
    let run = try train("run", on: data, updates: 60)
    let found = try DatasetEvaluation.run(
      [run], DatasetEvaluation.Request([data], workers: 1), silent: true)
    let values = try #require(found.entries[0].parts[0].values)
    #expect(values.scale == ValueScale(discount: 0.98, rewards: .zeroOrOne))
    #expect(values.groups.first?.from == 1 && 0...1 ~= values.error.estimate)
    #expect(values.groups.allSatisfy { $0.behaviour <= $0.reached + 1e-9 })
    #expect(-1...1 ~= values.rankCorrelation)
    let text = found.text(.text)
    #expect(text.contains("values by the data's steps until the goal"))
    #expect(text.contains("action error by goal offset"))
    // A learner without values has none.
    let bare = try DatasetEvaluation.run(
      [train("bare", on: data, learner: "gcsl")],
      DatasetEvaluation.Request([data], workers: 1), silent: true)
    #expect(bare.entries[0].parts[0].values == nil)
  }

  @Test func aCategoricalPolicyHasLikelihoodAndAccuracy() throws {
    let data = try collect("data")
    var configuration = RunConfiguration()
    configuration.learner = "gcsl"
    configuration.datasets = [data]
    configuration.updates = 10
    configuration.evaluateEvery = 0
    configuration.settings = [
      "batchSize": 32, "hiddenWidths": [16], "actions": "discretized", "bins": 3,
    ]
    _ = try OfflineTraining.run(configuration, in: folder.url.appendingPathComponent("run"))
    let found = try DatasetEvaluation.run(
      [path("run")], DatasetEvaluation.Request([data], workers: 1), silent: true)
    let actions = found.entries[0].parts[0].actions.all
    #expect(0...1 ~= (actions.accuracy?.estimate ?? -1))
    // Nine classes: an untrained policy is not far from ln 9 = 2.2.
    #expect(0.3...4 ~= (actions.negativeLogLikelihood?.estimate ?? -1))
  }

  @Test(arguments: [("point-reach", false), ("point-rooms", true), ("fetch-push", false)])
  func episodesStartAtTheDatasetsStates(world: String, states: Bool) throws {
    let data = try collect(
      "data", environment: world, episodes: world == "fetch-push" ? 4 : 20, states: states)
    var request = DatasetEvaluation.Request([data], workers: 2)
    request.offsets = [4, 12]
    request.episodes = world == "fetch-push" ? 3 : 25
    let found = try DatasetEvaluation.run(["scripted", "random"], request, silent: true)
    let expert = try #require(found.entries[0].rollouts)
    #expect(expert.all.episodes + expert.leftOut == 2 * request.episodes)
    #expect(expert.byOffset.allSatisfy { ["4", "12"].contains($0.name) })
    #expect(expert.byPart.map(\.name) == ["not trained on"])
    #expect(expert.byOffset.allSatisfy { $0.stepsOfData <= (Double($0.name) ?? 0) })
    #expect(found.entries[0].outcomes.count == expert.all.episodes)
    // The same for another number of threads.
    request.workers = 1
    let again = try DatasetEvaluation.run(["scripted"], request, silent: true)
    #expect(again.entries[0].rollouts?.all.success == expert.all.success)
    if world == "point-reach" { try expectAnExpert(expert, in: found, request) }
  }

  /// What else holds of an expert that always succeeds.
  private func expectAnExpert(
    _ expert: DatasetRollouts, in found: DatasetEvaluation,
    _ request: DatasetEvaluation.Request
  ) throws {
    #expect(expert.all.success.estimate == 1)
    #expect(found.sentences.first?.contains("random is worse than scripted") == true)
    // An expert is no slower than the data were.
    #expect((expert.all.stepsToSuccess?.estimate ?? 99) <= expert.all.stepsOfData + 0.01)
    let figure = try DatasetFilm.paths("scripted", request, episodes: 3)
    #expect(figure.panels.count == 3 && figure.rendered().contains("stroke-dasharray=\"4 3\""))
  }

  @Test func dataWithoutSeedsOrStatesCannotBeStartedFrom() throws {
    let data = try collect("data")
    _ = try DatasetConversion.run(convert(data, to: path("out.pkl"), "wgcsl-pickle"))
    _ = try DatasetConversion.run(convert(path("out.pkl"), to: path("back"), nil))
    var request = DatasetEvaluation.Request([path("back")], workers: 1)
    #expect(
      try DatasetEvaluation.run(["scripted"], request, silent: true).entries[0].parts.count == 1)
    request.offsets = [5]
    request.episodes = 5
    #expect(throws: ExperimentError.self) {
      try DatasetEvaluation.run(["scripted"], request, silent: true)
    }
  }

  private func convert(
    _ input: String, to output: String, _ format: String?
  ) -> DatasetConversion.Request {
    var request = DatasetConversion.Request(
      URL(fileURLWithPath: input), to: URL(fileURLWithPath: output), workers: 1)
    request.to = format
    request.environment = format == nil ? "point-reach" : nil
    return request
  }

  /// In a square without walls the expert is at the goal after as many steps as it is far, and
  /// stays.
  @Test func fittedQEvaluationFindsWhatRolloutsFind() throws {
    let data = try collect("data", episodes: 100, noise: 0.4, random: 0.5)
    var request = DatasetEvaluation.Request([data], workers: 2)
    request.fittedUpdates = 2_000
    request.offsets = [10]
    request.episodes = 50
    let found = try DatasetEvaluation.run(["scripted", "random"], request, silent: true)
    let parts = found.entries.map { $0.parts[0] }
    let values = parts.compactMap(\.fittedQ?.estimate)
    let truth = parts.compactMap(\.simulatedReturn?.estimate)
    #expect(values.count == 2 && truth.count == 2)
    #expect(values[0] > values[1] + 5, "\(values) beside \(truth)")
    #expect(abs(parts[0].fittedQError ?? 99) < 5, "\(values) beside \(truth)")
    #expect(parts[0].simulatedReturn?.episodes == 50)
    let text = found.text(.text)
    #expect(text.contains("in the simulator") && text.contains("too high by"))
  }

  /// Of a policy that stands still the return is known: 1 / (1 − γ) from a start at the goal, else
  /// 0.
  @Test func theSimulatedReturnGoesOnBeyondTheHorizon() throws {
    let data = try collect("data", episodes: 8)
    let sample = try DatasetSample(data, episodes: 8)
    let world = try EnvironmentRegistry.world("point-reach")
    let value = try SimulatedReturn.estimate(
      of: Policies.named("scripted", for: world), on: sample.episodes, in: sample, world.load(),
      episodes: 8, workers: 1)
    // The script is at the goal after n steps and stays: γ^(n − 1) / (1 − γ), n as in the data.
    let wanted = sample.episodes.map { episode in
      let first = (episode.trajectory.successes.firstIndex(of: true) ?? 0)
      return pow(0.98, Double(first)) / 0.02
    }
    let mean = wanted.reduce(0, +) / 8
    #expect(abs((value?.estimate ?? 0) - mean) < 1e-9, "\(String(describing: value)), \(mean)")
  }

  @Test func ranksCorrelate() {
    #expect(Ranks.correlation([1, 2, 3, 4], [10, 20, 30, 40]) == 1)
    #expect(Ranks.correlation([1, 2, 3], [3, 2, 1]) == -1)
    #expect(Ranks.correlation([1, 1, 1], [3, 2, 1]) == 0)
    // scipy.stats.spearmanr([1, 2, 2, 4], [1, 3, 2, 4]) = 0.9486833
    #expect(abs(Ranks.correlation([1, 2, 2, 4], [1, 3, 2, 4]) - 0.9486833) < 1e-6)
  }

  @Test(arguments: [RewardConvention.zeroOrOne, .minusOneOrZero])
  func valuesAndStepsAreInverse(rewards: RewardConvention) {
    let scale = ValueScale(discount: 0.98, rewards: rewards)
    for steps in [1.0, 2, 10, 49] {
      #expect(abs(scale.steps(of: scale.value(reachedIn: steps)) - steps) < 1e-6)
    }
    #expect(scale.value(reachedIn: 1) == (rewards == .zeroOrOne ? 1 / (1 - 0.98) : 0))
    #expect(scale.steps(of: -60) == .infinity && scale.steps(of: 60) == 1)
  }

  /// Intervals of shares and squares stay where these can be, also of two episodes, and have a
  /// width if all agree.
  @Test func errorsStayWithinTheirBounds() throws {
    func row(_ squared: Double, _ isSame: Bool) -> ActionErrors.Row {
      ActionErrors.Row(
        offset: 1, source: nil, squared: squared, logLikelihood: nil, isSame: isSame)
    }
    let right = ActionErrors([[row(0.1, true), row(0.2, true)], [row(4, true)]])
    let share = try #require(right.all.accuracy)
    #expect(share.estimate == 1 && share.high == 1 && share.low < 1 && share.low > 0)
    let squared = try #require(right.all.squared)
    #expect(squared.low >= 0 && squared.low < squared.estimate && squared.high > 4)
  }
}
