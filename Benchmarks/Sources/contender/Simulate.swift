import Environments
import Experiments
import Foundation
import GoalCore
import Storage

/// Random fetch-push with recording on.
///
/// Episodes are rolled out as the collector does, and every hundred are written as a shard, digest
/// and flush included. The amount is steps.
func simulate(threads: Int) throws {
  let world = try EnvironmentRegistry.world("fetch-push")
  let loaded = try world.load()
  let policy = try Policies.named("random", for: world)
  nonisolated(unsafe) let rollouts = try (0..<threads).map { _ in
    Rollout(environment: try loaded.makeEnvironment(), policy: policy)
  }
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("goalpost-benchmark-\(getpid())")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  var next: Int64 = 0
  var kept: [Trajectory] = []
  let each = 12  // episodes of a thread in one piece of work
  try serve {
    nonisolated(unsafe) var made = [[Trajectory]](repeating: [], count: threads)
    let first = next
    made.withUnsafeMutableBufferPointer { slots in
      nonisolated(unsafe) let slots = slots
      DispatchQueue.concurrentPerform(iterations: threads) { thread in
        slots[thread] = (0..<each).map { k in
          let number = first + Int64(thread * each + k)
          return rollouts[thread].episode(
            index: number, seed: Seeds.world(.collect, seed: 0, episode: number))
        }
      }
    }
    next += Int64(threads * each)
    kept += made.joined()
    if kept.count >= 100 {
      try ShardWriter.write(
        kept, spec: world.task.spec, to: folder.appendingPathComponent("shard.h5"))
      kept = []
    }
    return Double(threads * each * world.task.spec.horizon)
  }
}
