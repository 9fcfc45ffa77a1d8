import Foundation
import Storage
import Synchronization

extension Mixing {
  /// Makes a planned mixture's shards that are not there, and its manifest.
  static func make(
    _ mixture: Mixture, _ plan: MixturePlan, _ inputs: [MixtureInputs.Input], in folder: URL,
    copies: Bool, _ checked: CheckedShards, workers: Int, silent: Bool
  ) throws -> TrajectoryCollection.Summary {
    let started = Date()
    let like = inputs[0].manifest
    let identity = DatasetIdentity(
      id: folder.lastPathComponent, task: like.task, origin: .mixed(mixture),
      stateLength: like.stateLength, isCategorical: like.isCategorical,
      modelDigest: like.modelDigest, libraries: like.libraries)
    let writer = try DatasetWriter(
      at: folder, identity: identity, plan: plan.shards, columns: like.columns)
    Console.begin()
    let pending = try writer.pendingShards(threads: workers)
    let wanted = plan.shards.reduce(0) { $0 + $1.episodes.count }
    let lacking = pending.reduce(0) { $0 + $1.episodes.count }
    let progress = ProgressReport(
      "mix \(folder.lastPathComponent)", total: wanted, unit: "episodes",
      alreadyDone: wanted - lacking, silent: silent || lacking == 0)
    let next = Atomic(0)
    let made = Atomic(0)
    try Interruption.heeded {
      try Parallel.run(workers: max(1, min(workers, pending.count))) { _ in
        while !Interruption.isAsked {
          let place = next.wrappingAdd(1, ordering: .relaxed).oldValue
          guard place < pending.count else { return }
          let shard = pending[place]
          guard case .mine(let claim) = try writer.claim(shard) else { continue }
          switch plan.makings[shard.index] {
          case .whole(let input, let entry):
            let dataset = inputs[input].dataset
            // A copy is checked while it is read.
            if !copies { try checked.check(entry, of: dataset) }
            try writer.adopt(entry, of: dataset, copying: copies, claim: claim)
          case .picked(let picks):
            try writer.commit(try read(picks, inputs, checked), claim: claim)
          }
          made.wrappingAdd(shard.episodes.count, ordering: .relaxed)
          progress.advance(by: shard.episodes.count)
        }
      }
    }
    progress.finish()
    let left = try writer.pendingShards(threads: workers).reduce(0) { $0 + $1.episodes.count }
    let manifest = left == 0 ? try writer.finish() : nil
    if lacking > 0 {
      try Provenance(started: started, commit: SourceCommit.built).write(to: folder)
    }
    return try TrajectoryCollection.Summary(
      manifest, folder: folder, made: made.load(ordering: .relaxed), left: left, of: wanted)
  }

  /// The picked episodes, in order; the shards that they come from are checked first.
  private static func read(
    _ picks: [MixturePlan.Pick], _ inputs: [MixtureInputs.Input], _ checked: CheckedShards
  ) throws -> TrajectoryTable {
    try .joined(
      picks.map { pick in
        let dataset = inputs[pick.input].dataset
        try checked.check(pick.entry, of: dataset)
        return try dataset.open(pick.entry, threads: 1).table().selecting(pick.places.sorted())
      })
  }
}

/// Shards whose digests were found to be the listed ones, so that each is read for it once.
final class CheckedShards: Sendable {
  private let paths = Mutex<Set<String>>([])

  /// Throws unless a shard's file has the listed digest.
  func check(_ entry: ShardEntry, of dataset: Dataset) throws {
    let path = dataset.url(of: entry).path
    if paths.withLock({ $0.contains(path) }) { return }
    try dataset.check(entry, deep: true)
    paths.withLock { _ = $0.insert(path) }
  }
}
