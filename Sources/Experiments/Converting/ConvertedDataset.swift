import Formats
import Foundation
import GoalCore
import Reporting
import Storage
import Support
import Synchronization

/// A dataset of ours that is made of foreign episodes.
struct ConvertedDataset: Sendable {
  let request: DatasetConversion.Request
  let format: any DatasetFormat
  let source: any TrajectorySource
  /// Files of the source in addition to those that the format names.
  let otherFiles: [URL]
  let task: GoalTask
  /// Shards that may wait for the source's digests; each has two files open.
  private static let draftLimit = 64

  /// Makes the shards that are not there, then the manifest and, unless there is one, the card.
  ///
  /// Source digests are part of the dataset's identity and are computed while the first shards are
  /// written. Those shards stay drafts until the identity matches the dataset already in the
  /// folder, if the folder has one.
  func make() throws -> DatasetConversion.Report {
    let started = Date()
    let folder = request.output
    let workers = request.workers
    let urls = try format.files(of: request.input) + otherFiles
    let blocks = source.blocks(byteLimit: DatasetPlan.byteLimit)
    let plan = blocks.enumerated().map { index, block in
      PlannedShard(
        index: index,
        episodes: EpisodeSet(Int64(block.lowerBound)..<Int64(block.upperBound)),
        isCompressed: request.compress)
    }
    let writer = try DatasetWriter(
      opening: folder, plan: plan, columns: Manifest.columns(of: source), spec: task.spec)
    let begun = Atomic(false)
    let hashed = Atomic(0)
    let digests = Mutex([Int: ConvertedFile]())
    let hash: @Sendable (Int) throws -> Void = { place in
      defer { hashed.add(1, ordering: .releasing) }
      let file = ConvertedFile(
        name: urls[place].lastPathComponent, bytes: try size(of: urls[place]),
        sha256: try Digest.sha256(ofFile: urls[place]))
      let all = digests.withLock { found in
        found[place] = file
        return found
      }
      guard all.count == urls.count else { return }
      try writer.begin(identity(of: urls.indices.compactMap { all[$0] }))
      begun.store(true, ordering: .releasing)
    }
    // What is there already must be this dataset before anything is done to it.
    let hashes = writer.isFresh ? urls.count : 0
    if hashes == 0 {
      _ = try Parallel.map(count: urls.count, workers: workers, context: {}) { try hash($1) }
    }
    let pending = try writer.pendingShards(threads: workers)
    let wanted = source.lengths.count
    let lacking = pending.reduce(0) { $0 + $1.episodes.count }
    let progress = ProgressReport(
      "convert \(folder.lastPathComponent)", total: wanted, unit: "episodes",
      alreadyDone: wanted - lacking, silent: request.isSilent || lacking == 0)
    let next = Atomic(0)
    let drafts = Mutex([ClaimedDraft]())
    let jobs = hashes + pending.count
    try Interruption.heeded {
      try Parallel.run(workers: max(1, min(workers, jobs))) { _ in
        while !Interruption.isAsked {
          let job = next.wrappingAdd(1, ordering: .relaxed).oldValue
          guard job < jobs else { return }
          guard job >= hashes else {
            try hash(job)
            continue
          }
          if drafts.withLock({ $0.count }) >= ConvertedDataset.draftLimit {
            while hashed.load(ordering: .acquiring) < urls.count {
              if Interruption.isAsked { return }
              Thread.sleep(forTimeInterval: 0.02)
            }
            guard begun.load(ordering: .acquiring) else { return }
          }
          let shard = pending[job - hashes]
          guard case .mine(let claim) = try writer.claim(shard) else { continue }
          let draft = try writer.draft(try source.table(of: blocks[shard.index]), claim: claim)
          if begun.load(ordering: .acquiring) {
            try writer.commit(draft)
          } else {
            drafts.withLock { $0.append(draft) }
          }
          progress.advance(by: shard.episodes.count)
        }
      }
      if begun.load(ordering: .acquiring) {
        for draft in drafts.withLock({ $0 }) { try writer.commit(draft) }
      }
    }
    progress.finish()
    let left = try writer.pendingShards(threads: workers).reduce(0) { $0 + $1.episodes.count }
    var digest: String?
    if left == 0 {
      digest = try writer.finish().digest()
      try writeCard(writer.identity)
    }
    if lacking > 0, begun.load(ordering: .acquiring) {
      try Invocation.record(lacking - left, in: folder, started: started, libraries: [:])
    }
    return DatasetConversion.Report(
      input: request.input.relativePath, from: format.name, output: folder.relativePath,
      to: DatasetConversion.ownFormat, episodes: wanted, steps: source.steps, sha256: digest,
      left: left, notes: source.notes)
  }

  /// The origin of the dataset.
  private func identity(of files: [ConvertedFile]) -> DatasetIdentity {
    DatasetIdentity(
      id: request.output.lastPathComponent, task: task,
      origin: .converted(
        Conversion(
          format: format.name, files: files, options: request.options, compress: request.compress,
          notes: source.notes)),
      stateLength: source.column(.states)?.width ?? 0,
      isCategorical: source.column(.logProbabilities) != nil, modelDigest: nil, libraries: [:])
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
      ("Assumed", conversion.notes.assumed), ("Found", conversion.notes.found),
    ] where !notes.isEmpty {
      text += "\n## \(title)\n\n" + notes.map { "- \($0)\n" }.joined()
    }
    try WholeFile.write(Data(text.utf8), to: file)
  }
}
