public import Foundation
public import GoalCore
public import Support
import Synchronization

/// Makes a dataset shard by shard, alone or beside other collectors of the same folder, on the same
/// machine or on others that see it.
///
/// A collector goes through `pendingShards()`, claims one at a time, makes its episodes and commits
/// it. A shard is committed by its record, which is written after the shard itself; a committed
/// shard is never written again. Killed at any moment, a collector loses only the shard in hand,
/// and its claim is free again. Two collectors share the shards, as only one can hold a claim. The
/// one that finds only `busy` shards ends, or waits for the other. Whoever finds all of them done
/// writes the manifest, with the same bytes.
///
/// A shard that the manifest or a record lists, and whose file is gone, is pending; it must come
/// out with the listed digest. One whose file is there and is not the listed one is an error: it is
/// left alone, and made again once it has been removed.
///
/// A recipe's dataset grows if it is asked for with more episodes. Its full shards stay. The last
/// one, if it was not full, is written anew with the episodes that it has and those that it lacks.
/// The manifest goes, and comes back with all episodes.
///
/// Any thread may call any method.
public final class DatasetWriter: Sendable {
  /// The result of claiming a shard.
  public enum Claim: Sendable {
    /// It is the caller's until the claim is committed or dropped.
    case mine(ShardClaim)
    /// Another collector is making it.
    case busy
    /// Another collector has made it meanwhile.
    case done
  }

  /// The dataset's identity; it must have begun.
  public var identity: DatasetIdentity {
    guard let identity = begun.withLock({ $0 }) else {
      preconditionFailure("\(folder.url.path) is opened and not begun")
    }
    return identity
  }
  /// All shards, done or not.
  public let plan: [PlannedShard]

  private let folder: DatasetFolder
  private let columns: [String: ManifestColumn]
  private let finished: Mutex<Manifest?>
  private let grows: Bool
  private let spec: GoalSpec
  private let begun = Mutex<DatasetIdentity?>(nil)
  private let grownEpisodes = Mutex<Int?>(nil)
  private let checked = Mutex<Set<Int>>([])

  /// Opens a folder for a dataset, making it if it is absent.
  ///
  /// - Parameters:
  ///   - folder: Absent, empty, or holding the same dataset, begun or finished.
  ///   - identity: The origin of the dataset.
  ///   - plan: A mixture's shards, or nil for those that a recipe gives.
  ///   - columns: What the manifest says of the columns, or nil for those collected here.
  ///   - growing: Whether a dataset of fewer episodes of the same recipe is taken for a beginning.
  /// - Throws: `foreignFolder`, `otherRecipe` with the first setting that differs, an error of the
  ///   manifest, `cannotWrite` or `diskFull`; nothing that was there is touched.
  public convenience init(
    at folder: URL, identity: DatasetIdentity, plan: [PlannedShard]? = nil,
    columns: [String: ManifestColumn]? = nil, growing: Bool = false
  ) throws(FileError) {
    let spec = identity.task.spec
    let count = plan?.count ?? DatasetPlan.shardCount(identity)
    guard count <= SizeLimit.shards else {
      throw .malformed(
        folder.path, rule: "a dataset must have at most \(SizeLimit.shards) shards",
        found: "\(count) of the size that was asked for")
    }
    try self.init(
      opening: folder, plan: plan ?? DatasetPlan.shards(identity),
      columns: columns
        ?? Manifest.nativeColumns(
          for: spec, states: identity.stateLength > 0,
          logProbabilities: identity.isCategorical, images: !identity.imageShape.isEmpty),
      spec: spec, growing: growing)
    try begin(identity)
  }

  /// Opens a folder before the dataset's identity is known.
  ///
  /// Shards can be drafted now and committed
  /// once `begin` has been called.
  public convenience init(
    opening folder: URL, plan: [PlannedShard], columns: [String: ManifestColumn], spec: GoalSpec
  ) throws(FileError) {
    try self.init(opening: folder, plan: plan, columns: columns, spec: spec, growing: false)
  }

  private init(
    opening folder: URL, plan: [PlannedShard], columns: [String: ManifestColumn], spec: GoalSpec,
    growing: Bool
  ) throws(FileError) {
    precondition(!plan.isEmpty, "a dataset has at least one shard")
    self.folder = DatasetFolder(url: folder)
    self.plan = plan
    self.columns = columns
    self.spec = spec
    grows = growing
    try self.folder.checkIsOurs()
    let isFinished = FileManager.default.fileExists(atPath: self.folder.manifest.path)
    finished = Mutex(isFinished ? try Manifest(contentsOf: self.folder.manifest) : nil)
  }

  /// Whether the folder holds no dataset, begun or finished.
  public var isFresh: Bool {
    manifest == nil && !FileManager.default.fileExists(atPath: folder.collection.path)
  }

  /// The episodes that the dataset had before it was made to grow; nil if it was not.
  public var grownFrom: Int? { grownEpisodes.withLock { $0 } }

  private var manifest: Manifest? { finished.withLock { $0 } }

  /// Makes the folder that of a dataset, or throws `otherRecipe` if it is another's.
  public func begin(_ identity: DatasetIdentity) throws(FileError) {
    if let there = manifest?.identity, !(grows && there.isBeginning(of: identity)) {
      try compare(there, to: identity)
    }
    try folder.create()
    let lock = try FileLock.take(folder.collectionLock, wait: true)
    PartFile.removeParts(of: folder.collection)
    PartFile.removeParts(of: folder.manifest)
    if grows { try grow(to: identity) }
    if !FileManager.default.fileExists(atPath: folder.collection.path) {
      let part = try PartFile(for: folder.collection)
      DigestedJSON.seal(identity).withUnsafeBytes { part.append($0) }
      // Where locks do not work, another collector may have been quicker.
      _ = try part.commitIfAbsent()
    }
    withExtendedLifetime(lock) {}
    let there = try DigestedJSON.read(
      DatasetIdentity.self, from: folder.collection, schema: Manifest.schema
    ).value
    try compare(there, to: identity)
    begun.withLock { $0 = identity }
  }

  /// Makes a dataset of fewer episodes the beginning of this one, if there is one.
  ///
  /// The records come first, as they say what the manifest said; it goes last, as it says whose
  /// folder this is. A call that was killed in between is gone on with by the next.
  private func grow(to identity: DatasetIdentity) throws(FileError) {
    let files = FileManager.default
    let hasCollection = files.fileExists(atPath: folder.collection.path)
    let there =
      hasCollection
      ? try DigestedJSON.read(
        DatasetIdentity.self, from: folder.collection, schema: Manifest.schema
      ).value : nil
    let old = manifest.flatMap { $0.identity.isBeginning(of: identity) ? $0 : nil }
    guard let before = old?.identity ?? there, before.isBeginning(of: identity) else { return }
    if let old {
      let dataset = try Dataset(at: folder.url)
      try dataset.check()
      for shard in old.shards where !files.fileExists(atPath: folder.record(shard.index).path) {
        let (totals, sums) = try dataset.summary(of: shard)
        let record = ShardRecord(shard: shard, totals: totals, sums: sums)
        try DigestedJSON.write(record, to: folder.record(shard.index))
      }
    }
    if there != identity { try DigestedJSON.write(identity, to: folder.collection) }
    if old != nil {
      guard unlink(folder.manifest.path) == 0 || errno == ENOENT else {
        throw .writing(folder.manifest.path)
      }
      try WholeFile.flush(folder: folder.url)
      finished.withLock { $0 = nil }
    }
    grownEpisodes.withLock { $0 = before.recipe?.episodes }
  }

  private func compare(
    _ there: DatasetIdentity, to asked: DatasetIdentity
  ) throws(FileError) {
    if let difference = try there.firstDifference(from: asked) {
      throw .otherRecipe(
        folder.url.path, setting: difference.setting, there: difference.mine,
        asked: difference.other)
    }
  }

  // MARK: - What is done

  /// The shards that are still to be made; the files of the others are read and have their digests.
  public func pendingShards(
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) throws(FileError) -> [PlannedShard] {
    let pending = Mutex<[PlannedShard]>([])
    try Parallel.forEach(plan.count, threads: threads) { index throws(FileError) in
      let shard = plan[index]
      if checked.withLock({ $0.contains(shard.index) }) { return }
      if try isDone(shard, deep: true) {
        checked.withLock { _ = $0.insert(shard.index) }
      } else {
        pending.withLock { $0.append(shard) }
      }
    }
    return pending.withLock { $0 }.sorted { $0.index < $1.index }
  }

  /// Whether a shard is listed and its file is there; throws if that is not the listed one.
  private func isDone(_ shard: PlannedShard, deep: Bool) throws(FileError) -> Bool {
    let url = folder.shard(shard.index)
    guard let entry = try listed(shard), byteCount(of: url) != nil else { return false }
    try checkFile(url, is: entry, deep: deep)
    return true
  }

  /// A shard's entry in the manifest, or else in its record.
  private func listed(_ shard: PlannedShard) throws(FileError) -> ShardEntry? {
    let fromManifest = manifest?.shards.first { $0.index == shard.index }
    let record = try record(of: shard)?.shard
    if let fromManifest, let record, fromManifest != record {
      throw .altered(
        folder.record(shard.index).path, expected: fromManifest.sha256, found: record.sha256)
    }
    return fromManifest ?? record
  }

  /// A shard's record; nil if it is missing, or of a dataset that is growing and had fewer of its
  /// episodes.
  private func record(of shard: PlannedShard) throws(FileError) -> ShardRecord? {
    guard let record = try storedRecord(of: shard) else { return nil }
    if isEarlier(record, of: shard) { return nil }
    let url = folder.record(shard.index)
    guard record.shard.index == shard.index, record.shard.episodes == shard.episodes,
      record.shard.source == shard.source
    else {
      throw .malformed(
        url.path, rule: "must be of shard \(shard.index), episodes \(shard.episodes)",
        found: "shard \(record.shard.index), episodes \(record.shard.episodes)")
    }
    try record.check(spec, path: url.path)
    return record
  }

  private func storedRecord(of shard: PlannedShard) throws(FileError) -> ShardRecord? {
    let url = folder.record(shard.index)
    guard FileManager.default.fileExists(atPath: url.path) else { return nil }
    return try DigestedJSON.read(ShardRecord.self, from: url, schema: Manifest.schema).value
  }

  private func isEarlier(_ record: ShardRecord, of shard: PlannedShard) -> Bool {
    grows && record.shard.index == shard.index && record.shard.source == nil
      && record.shard.episodes.isBeginning(of: shard.episodes)
  }

  /// The episodes of a pending shard that a growing dataset has already; none if they were stored
  /// with images, which are not read back.
  public func earlierEpisodes(of shard: PlannedShard) throws(FileError) -> [Trajectory] {
    guard identity.imageShape.isEmpty, let record = try storedRecord(of: shard),
      isEarlier(record, of: shard)
    else { return [] }
    let file = folder.shard(shard.index)
    // A call that was killed may have left the new shard with the old record.
    do { try checkFile(file, is: record.shard, deep: true) } catch { return [] }
    return try ShardReader(contentsOf: file, task: ShardTask(identity.task), threads: 1)
      .trajectories()
  }

  // MARK: - Making shards

  /// Claims a shard, if no other collector holds it and none has made it meanwhile.
  public func claim(_ shard: PlannedShard) throws(FileError) -> Claim {
    try folder.create()
    guard let lock = try FileLock.take(folder.lock(shard.index), wait: false) else { return .busy }
    if try isDone(shard, deep: false) { return .done }
    PartFile.removeParts(of: folder.shard(shard.index))
    PartFile.removeParts(of: folder.record(shard.index))
    return .mine(ShardClaim(shard: shard, lock: lock))
  }

  /// Writes a claimed shard and then its record, and gives the claim back.
  ///
  /// - Parameters:
  ///   - trajectories: The shard's episodes, in the order of their numbers.
  ///   - claim: The claim on it.
  ///   - threads: Threads that compress.
  /// - Returns: The record that commits the shard.
  /// - Throws: `diskFull`, `cannotWrite`, or `madeDifferently` if the shard is listed with another
  ///   digest; there is then no new file.
  @discardableResult
  public func commit(
    _ trajectories: [Trajectory], claim: ShardClaim, threads: Int = 1
  ) throws(FileError) -> ShardRecord {
    try commit(
      TrajectoryTable(trajectories, spec: spec, imageShape: identity.imageShape), claim: claim,
      threads: threads)
  }

  /// Commits a claimed shard from a columnar table.
  @discardableResult
  public func commit(
    _ table: TrajectoryTable, claim: ShardClaim, threads: Int = 1
  ) throws(FileError) -> ShardRecord {
    defer { claim.giveBack() }
    return try commit(draft(table, claim: claim, threads: threads))
  }

  /// Writes a claimed shard of episodes that stand in columns beside its place, and flushes it.
  public func draft(
    _ table: TrajectoryTable, claim: ShardClaim, threads: Int = 1
  ) throws(FileError) -> ClaimedDraft {
    let shard = claim.shard
    precondition(
      table.indices == shard.episodes.numbers,
      "shard \(shard.index) must get episodes \(shard.episodes), in order")
    precondition(claim.isHeld, "shard \(shard.index) was given back")
    let draft = try ShardWriter.draft(
      table, for: folder.shard(shard.index), compress: shard.isCompressed, threads: threads)
    return ClaimedDraft(
      claim: claim, draft: draft, totals: DatasetTotals(of: table),
      sums: DatasetSums(of: table, spec: spec))
  }

  /// Puts a drafted shard in its place, writes its record and gives its claim back; the dataset
  /// must have begun.
  @discardableResult
  public func commit(_ draft: ClaimedDraft) throws(FileError) -> ShardRecord {
    precondition(begun.withLock { $0 != nil }, "\(folder.url.path) is opened and not begun")
    let shard = draft.claim.shard
    precondition(draft.claim.isHeld, "shard \(shard.index) was given back")
    defer { draft.claim.giveBack() }
    let file = try draft.draft.commit(expecting: try listed(shard)?.sha256)
    return try commit(shard, file, totals: draft.totals, sums: draft.sums)
  }

  /// Takes a whole shard of another dataset for a claimed one, and gives the claim back.
  ///
  /// The file gets a second name (a hard link), so no bytes are copied. If the file system cannot
  /// do that, or `copying`, it is copied and its digest checked.
  ///
  /// - Parameters:
  ///   - entry: The shard; it has the claimed shard's episodes.
  ///   - dataset: What it belongs to.
  ///   - copying: Whether bytes are copied even if a link would do.
  ///   - claim: The claim.
  /// - Returns: The record that commits the shard.
  /// - Throws: As `commit` does, and `altered` if the shard is not the listed one.
  @discardableResult
  public func adopt(
    _ entry: ShardEntry, of dataset: Dataset, copying: Bool, claim: ShardClaim
  ) throws(FileError) -> ShardRecord {
    let shard = claim.shard
    precondition(
      entry.episodes == shard.episodes,
      "shard \(shard.index) must get episodes \(shard.episodes), found \(entry.episodes)")
    precondition(claim.isHeld, "shard \(shard.index) was given back")
    defer { claim.giveBack() }
    let target = folder.shard(shard.index)
    if let listed = try listed(shard), listed.sha256 != entry.sha256 {
      throw .madeDifferently(target.path, listed: listed.sha256, found: entry.sha256)
    }
    let source = dataset.url(of: entry)
    // A copy is checked while it is made.
    if !copying { try dataset.check(entry) }
    let (totals, sums) = try dataset.summary(of: entry)
    let isLinked = copying ? false : try SharedFile.link(source, as: target)
    if isLinked {
      // What has the second name now is not sure to be what was looked at.
      try checkFile(target, is: entry, deep: false)
    } else {
      try SharedFile.copy(source, to: target, expecting: entry.sha256)
    }
    return try commit(
      shard, ShardFile(bytes: entry.bytes, sha256: entry.sha256), totals: totals, sums: sums)
  }

  /// Writes the record of a shard whose file is in place.
  private func commit(
    _ shard: PlannedShard, _ file: ShardFile, totals: DatasetTotals, sums: DatasetSums
  ) throws(FileError) -> ShardRecord {
    let record = ShardRecord(
      shard: ShardEntry(
        index: shard.index, file: DatasetFolder.file(shard.index), episodes: shard.episodes,
        steps: totals.steps, bytes: file.bytes, sha256: file.sha256, source: shard.source),
      totals: totals, sums: sums)
    if try self.record(of: shard) == nil {
      try DigestedJSON.write(record, to: folder.record(shard.index))
    }
    checked.withLock { _ = $0.insert(shard.index) }
    return record
  }

  /// Merges the records into the manifest, unless it is there, and gives it.
  ///
  /// - Throws: `incomplete` with the shards that are missing.
  public func finish() throws(FileError) -> Manifest {
    var missing: [Int] = []
    for shard in plan where try !isDone(shard, deep: false) { missing.append(shard.index) }
    guard missing.isEmpty else { throw .incomplete(folder.url.path, missing: missing) }
    for shard in plan { try removeLock(of: shard) }
    if let manifest { return manifest }
    var records: [ShardRecord] = []
    for shard in plan {
      guard let record = try record(of: shard) else {
        throw .missing(folder.record(shard.index).path)
      }
      records.append(record)
    }
    let manifest = Manifest(identity, columns: columns, records: records)
    let lock = try FileLock.take(folder.collectionLock, wait: true)
    // Another call may have made the dataset grow meanwhile.
    let there = try DigestedJSON.read(
      DatasetIdentity.self, from: folder.collection, schema: Manifest.schema
    ).value
    try compare(there, to: identity)
    if FileManager.default.fileExists(atPath: folder.manifest.path) {
      return try Manifest(contentsOf: folder.manifest)
    }
    try manifest.write(to: folder.manifest)
    withExtendedLifetime(lock) {}
    return manifest
  }

  /// Removes the lock of a shard that is done, which a collector leaves that was killed holding it.
  private func removeLock(of shard: PlannedShard) throws(FileError) {
    let url = folder.lock(shard.index)
    guard FileManager.default.fileExists(atPath: url.path) else { return }
    // Taken and dropped, so that it goes; another that holds it removes it by itself.
    _ = try FileLock.take(url, wait: false)
  }
}

/// A shard in one collector's hands; dropped, it is free again.
public final class ShardClaim: Sendable {
  /// The shard.
  public let shard: PlannedShard
  private let lock: Mutex<FileLock?>

  init(shard: PlannedShard, lock: FileLock) {
    self.shard = shard
    self.lock = Mutex(lock)
  }

  var isHeld: Bool { lock.withLock { $0 != nil } }

  /// Gives the shard back, made or not.
  public func giveBack() { lock.withLock { $0 = nil } }
}

/// A claimed shard that is written and not yet in its place; dropped, it is gone.
public struct ClaimedDraft: Sendable {
  let claim: ShardClaim
  let draft: ShardDraft
  let totals: DatasetTotals
  let sums: DatasetSums
}
