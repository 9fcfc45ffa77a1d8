import Foundation
import GoalCore
import Learners
import Replay

/// A model of the research log with lunar lander's sizes, on random episodes, one thread.
struct ModelWork {
  private static let task = GoalTask(
    identifier: "lunar-lander",
    spec: GoalSpec(
      observation: 8, goal: 5, action: .discrete(count: 4), horizon: 50, successThreshold: 0.08,
      metric: "distance", controlPeriod: 0.04), goalIndices: [0, 1, 4, 6, 7])
  private let learner: any Learner
  private var batches: [GoalBatch] = []

  /// Makes the model of settings that are given as JSON.
  init(settings text: String) throws {
    let task = Self.task
    let settings = try JSONDecoder().decode([String: JSONValue].self, from: Data(text.utf8))
    learner = try LearnerRegistry.entry("goal-transformer")
      .make(task: task, overrides: settings, seed: 1)
    var generator = Philox(seed: 1, purpose: 2, index: 3)
    let buffer = EpisodeBuffer(task: task, capacity: .steps(10_000))
    for number in 0..<64 {
      var episode = Trajectory(
        index: Int64(number), seed: 0, action: task.spec.action, desiredGoal: [0, 0, 0, 1, 1])
      episode.length = task.spec.horizon
      episode.observations = (0..<51 * 8).map { _ in Float(generator.normal()) }
      episode.achievedGoals = (0..<51).flatMap { step in
        task.goalIndices.map { episode.observations[step * 8 + $0] }
      }
      episode.actions = .discrete((0..<50).map { _ in Int32(generator.unit() * 4) })
      episode.rewards = [Float](repeating: -1, count: 50)
      episode.successes = [Bool](repeating: false, count: 50)
      episode.sources = [BehaviourSource](repeating: .policy, count: 50)
      buffer.append(episode)
    }
    let sampler = Sampler(learner.scheme, sources: [WeightedSource(buffer)], seed: 1)
    for number in 0..<4 {
      var batch = sampler.makeBatch()
      sampler.draw(UInt64(number), into: &batch)
      batches.append(batch)
    }
  }

  /// Makes an update on each of the batches.
  func update() -> Double {
    for batch in batches { learner.update(on: batch) }
    return Double(batches.count)
  }

  /// Acts through an episode.
  func act(_ actor: any GoalActor) -> Double {
    actor.begin(goal: [0, 0, 0, 1, 1], seed: 0)
    for step in 0..<50 {
      _ = actor.act((0..<8).map { Float(step * $0) / 400 })
    }
    return 50
  }

  /// An actor with the present policy.
  func makeActor() -> any GoalActor { learner.makeActor() }
}

/// The amount is updates.
func models(settings: String) throws {
  let work = try ModelWork(settings: settings)
  try serve { work.update() }
}

/// The amount is actions.
func modelActs(settings: String) throws {
  let work = try ModelWork(settings: settings)
  let actor = work.makeActor()
  try serve { work.act(actor) }
}
