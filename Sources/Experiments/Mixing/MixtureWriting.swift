import Foundation
import Reporting
import Storage
import Support
import Synchronization

extension Mixing {
  /// Makes a planned mixture's shards that are not there, and its manifest.
  static func make(
    _ mixture: Mixture, _ plan: MixturePlan, _ inputs: [MixtureInputs.Input], in folder: URL,
    copies: Bool, workers: Int, silent: Bool
  ) throws -> TrajectoryCollection.Summary {
    let started = Date()
    let like = inputs[0].manifest
    let identity = DatasetIdentity(
      id: folder.lastPathComponent, task: like.task, origin: .mixed(mixture),
      stateLength: like.stateLength, imageShape: like.identity.imageShape,
      isCategorical: like.isCategorical,
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
            // What is taken as it is must be what the manifest says, as what is read is.
            _ = try dataset.open(entry, threads: 1)
            try writer.adopt(entry, of: dataset, copying: copies, claim: claim)
          case .picked(let picks):
            try writer.commit(try read(picks, inputs), claim: claim)
          }
          made.wrappingAdd(shard.episodes.count, ordering: .relaxed)
          progress.advance(by: shard.episodes.count)
        }
      }
    }
    progress.finish()
    let left = try writer.pendingShards(threads: workers).reduce(0) { $0 + $1.episodes.count }
    let manifest = left == 0 ? try writer.finish() : nil
    let episodes = made.load(ordering: .relaxed)
    if episodes > 0 {
      try Invocation.record(episodes, in: folder, started: started, libraries: like.libraries)
    }
    return try TrajectoryCollection.Summary(
      manifest, folder: folder, made: episodes, left: left, of: wanted)
  }

  /// The picked episodes, in order.
  private static func read(
    _ picks: [MixturePlan.Pick], _ inputs: [MixtureInputs.Input]
  ) throws -> TrajectoryTable {
    try .joined(
      picks.map { pick in
        try inputs[pick.input].dataset.open(pick.entry, threads: 1).table()
          .selecting(pick.places.sorted())
      }, name: inputs.map(\.path).joined(separator: ", "))
  }
}
