import Experiments
import Foundation
import GoalCore
import Learners
import Replay
import Statistics
import Storage
import TestSupport
import Testing
import Torch

/// The samples of `Documentation/Package.md` are the files beside this one, and they do what it
/// says.
struct PackageSampleTests {
  @Test func theDocumentShowsTheFilesAsTheyAre() throws {
    let folder = PythonReference.checkout
    let text = try String(
      contentsOf: folder.appendingPathComponent("Documentation/Package.md"), encoding: .utf8)
    let blocks = text.components(separatedBy: "```swift\n").dropFirst()
      .map { $0.components(separatedBy: "```")[0] }
    for name in ["ReadADataset", "AddALearner", "EvaluateAPolicy"] {
      let sample = try String(
        contentsOf: folder.appendingPathComponent("Tests/Samples/Package/\(name).swift"),
        encoding: .utf8)
      #expect(blocks.contains(sample), "\(name).swift is not in the document, line for line")
    }
    // What the document depends on are products of the package.
    let manifest = try String(
      contentsOf: folder.appendingPathComponent("Package.swift"), encoding: .utf8)
    let products = text.matches(of: /\.product\(name: "(\w+)"/).map { String($0.1) }
    #expect(products.count > 5)
    for product in products { #expect(manifest.contains(".library(name: \"\(product)\"")) }
  }

  @Test func theSamplesReadTrainAndEvaluate() throws {
    let folder = try TemporaryFolder()
    let data = folder.url.appendingPathComponent("data")
    let recipe = Recipe(environment: "point-reach", policy: "scripted", seed: 1, episodes: 40)
    _ = try TrajectoryCollection.run(recipe, in: data, workers: 2)

    let (successes, batch) = try readADataset(at: data)
    #expect(successes == 40)
    #expect(batch.count == 256 && batch.observations.count == 512)
    let asked = batch.policyOrigins.count { $0 == .original }
    #expect(26...76 ~= asked, "a fifth of 256, give or take four standard errors")

    let dataset = try Dataset(at: data)
    let replay = EpisodeReplay(task: dataset.manifest.task, columns: try dataset.columns())
    func success(after updates: Int) throws -> Double {
      let learner = try trainCloning(on: replay, updates: updates, seed: 3)
      return try evaluate(
        learner.makePolicy(), called: "cloning", in: "point-reach", episodes: 50)[.success].estimate
    }
    #expect(try success(after: 0) < 0.5)
    #expect(try success(after: 400) > 0.9)

    // What was saved goes on to the bit.
    let learner = try trainCloning(on: replay, updates: 5, seed: 3)
    let saved = learner.saved()
    let other = try trainCloning(on: replay, updates: 0, seed: 4)
    try other.restore(saved)
    var next = GoalBatch(learner.scheme, spec: replay.task.spec)
    replay.draw(learner.scheme, seed: 9, number: 1, into: &next)
    learner.update(on: next)
    other.update(on: next)
    #expect(other.updates == 6)
    #expect(
      zip(learner.saved().policy, other.saved().policy).allSatisfy { mine, theirs in
        mine.tensor.floats == theirs.tensor.floats
      })

    var configuration = RunConfiguration()
    configuration.learner = "goal-bc"
    configuration.datasets = [data.path]
    configuration.updates = 2
    configuration.evaluateEvery = 0
    let run = folder.url.appendingPathComponent("run")
    _ = try Training.run(configuration, in: run)
    #expect(try evaluateRun(run.path, episodes: 3)[.success].episodes == 3)
  }
}
