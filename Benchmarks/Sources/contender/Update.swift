import Foundation
import GoalCore
import Learners
import Replay
import Synchronization

/// A learner's update on one random batch of FetchPush's sizes, one thread.
struct UpdateWork {
  private let learner: any Learner
  private let batch: GoalBatch

  /// Makes a learner and its batch.
  init(_ learner: String, batch rows: Int, seed: UInt64 = 0) throws {
    let spec = GoalSpec(
      observation: 25, goal: 3, action: .continuous(low: [-1, -1, -1, -1], high: [1, 1, 1, 1]),
      horizon: 50, successThreshold: 0.05, metric: "m", controlPeriod: 0.04)
    let task = GoalTask(identifier: "fetch-push", spec: spec, goalIndices: [3, 4, 5])
    self.learner = try LearnerRegistry.entry(learner)
      .make(task: task, overrides: ["batchSize": .integer(rows)], seed: seed)
    var generator = Philox(seed: 1, purpose: 2, index: 3)
    var batch = GoalBatch(count: rows, spec: spec)
    func fill(_ values: inout [Float], _ draw: () -> Double) {
      for k in values.indices { values[k] = Float(draw()) }
    }
    fill(&batch.observations) { generator.normal() }
    fill(&batch.nextObservations) { generator.normal() }
    fill(&batch.policyGoals) { generator.normal() }
    fill(&batch.valueGoals) { generator.normal() }
    fill(&batch.policyRewards) { generator.unit() < 0.1 ? 0 : -1 }
    fill(&batch.valueRewards) { generator.unit() < 0.1 ? 0 : -1 }
    batch.actions = .continuous((0..<rows * 4).map { _ in Float(generator.uniform(-1, 1)) })
    for k in 0..<rows { batch.offsets[k] = Int32(generator.uniform(0, 50)) }
    self.batch = batch
  }

  /// Makes `count` updates.
  func callAsFunction(_ count: Int) { for _ in 0..<count { learner.update(on: batch) } }
}

/// The amount is updates.
func update(_ learner: String, batch rows: Int) throws {
  let work = try UpdateWork(learner, batch: rows)
  try serve {
    work(5)
    return 5
  }
}

/// Several seeds side by side, each on a thread of its own; the amount is updates of all of them.
func seeds(_ learner: String, batch rows: Int, count: Int) throws {
  let goes = (0..<count).map { _ in DispatchSemaphore(value: 0) }
  let done = DispatchSemaphore(value: 0)
  for number in 0..<count {
    let go = goes[number]
    let thread = Thread {
      guard let work = try? UpdateWork(learner, batch: rows, seed: UInt64(number)) else { exit(1) }
      done.signal()
      while true {
        go.wait()
        work(50)
        done.signal()
      }
    }
    thread.stackSize = 8 << 20
    thread.start()
  }
  for _ in 0..<count { done.wait() }
  try serve {
    for go in goes { go.signal() }
    for _ in 0..<count { done.wait() }
    return Double(50 * count)
  }
}
