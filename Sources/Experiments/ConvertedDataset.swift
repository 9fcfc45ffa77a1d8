import Foundation
import GoalCore
import Storage
import Synchronization

/// A dataset of ours that is made of foreign episodes.
struct ConvertedDataset: Sendable {
  let request: DatasetConversion.Request
  let format: any DatasetFormat
  let source: any TrajectorySource
  let task: GoalTask

  /// Makes the shards that are not there, then the manifest and, unless there is one, the card.
  func make() throws -> DatasetConversion.Report {
    let started = Date()
    let folder = request.output
    let workers = request.workers
    let urls = try format.files(of: request.input)
    let digests = try Parallel.map(count: urls.count, workers: workers, context: {}) { _, place in
      ConvertedFile(
        name: urls[place].lastPathComponent, bytes: try size(of: urls[place]),
        sha256: try Digest.sha256(ofFile: urls[place]))
    }
    let identity = DatasetIdentity(
      id: folder.lastPathComponent, task: task,
      origin: .converted(
        Conversion(
          format: format.name, files: digests, options: request.options,
          compress: request.compress, notes: source.notes)),
      stateLength: source.column(.states)?.width ?? 0,
      isCategorical: source.column(.logProbabilities) != nil, modelDigest: nil, libraries: [:])
    let blocks = source.blocks(byteLimit: DatasetPlan.byteLimit)
    let plan = blocks.enumerated().map { index, block in
      PlannedShard(
        index: index,
        episodes: EpisodeSet(Int64(block.lowerBound)..<Int64(block.upperBound)),
        isCompressed: request.compress)
    }
    let writer = try DatasetWriter(
      at: folder, identity: identity, plan: plan, columns: Manifest.columns(of: source))
    let pending = try writer.pendingShards(threads: workers)
    let wanted = source.lengths.count
    let lacking = pending.reduce(0) { $0 + $1.episodes.count }
    let progress = ProgressReport(
      "convert \(folder.lastPathComponent)", total: wanted, unit: "episodes",
      alreadyDone: wanted - lacking, silent: request.isSilent || lacking == 0)
    let next = Atomic(0)
    try Parallel.run(workers: max(1, min(workers, pending.count))) { _ in
      while !Interruption.isAsked {
        let place = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard place < pending.count else { return }
        guard case .mine(let claim) = try writer.claim(pending[place]) else { continue }
        try writer.commit(try source.table(of: blocks[pending[place].index]), claim: claim)
        progress.advance(by: pending[place].episodes.count)
      }
    }
    progress.finish()
    let left = try writer.pendingShards(threads: workers).reduce(0) { $0 + $1.episodes.count }
    var digest: String?
    if left == 0 {
      digest = try writer.finish().digest()
      try writeCard(identity)
    }
    if lacking > 0 {
      try Provenance(started: started, commit: RunFolder.commit).write(to: folder)
    }
    return DatasetConversion.Report(
      input: request.input.relativePath, from: format.name, output: folder.relativePath,
      to: DatasetConversion.ownFormat, episodes: wanted, steps: source.steps, sha256: digest,
      left: left, notes: source.notes)
  }

  private func size(of url: URL) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: url.path)
    return (attributes[.size] as? NSNumber)?.intValue ?? 0
  }

  /// Writes what was converted from what, and what changed, into `README.md`.
  private func writeCard(_ identity: DatasetIdentity) throws {
    let file = request.output.appendingPathComponent("README.md")
    guard let conversion = identity.conversion,
      !FileManager.default.fileExists(atPath: file.path)
    else { return }
    var text = "# \(identity.id)\n\n"
    text += "\(source.lengths.count) episodes, \(source.steps) steps of \(task.identifier), "
    text += "converted from \(format.name):\n\n"
    for file in conversion.files {
      text += "- `\(file.name)`, \(file.bytes) bytes, SHA-256 `\(file.sha256)`\n"
    }
    for (title, notes) in [
      ("Lost", conversion.notes.lost), ("Computed", conversion.notes.computed),
      ("Assumed", conversion.notes.assumed),
    ] where !notes.isEmpty {
      text += "\n## \(title)\n\n" + notes.map { "- \($0)\n" }.joined()
    }
    try writeWhole(Data(text.utf8), to: file)
  }
}
