public import GoalCore
import HDF5
public import Support

/// Counts over episodes, which add up.
public struct DatasetTotals: Codable, CheckedValue, Equatable {
  /// Episodes.
  public var episodes = 0
  /// Steps.
  public var steps = 0
  /// Episodes whose goal is reached after the last step; over `episodes`, the success rate.
  ///
  /// This and the counts below are 0 if the column they are computed from is missing.
  public var successesAtEnd = 0
  /// Episodes whose goal is reached after some step.
  public var successesEver = 0
  /// Episodes that ended because the task ended.
  public var terminated = 0
  /// Episodes that ended because time ran out.
  public var truncated = 0
  /// The sum of all rewards; over `episodes`, the mean return.
  public var returnSum = 0.0
  /// Steps of each source of actions: policy, noise, random.
  public var sources = [Int](repeating: 0, count: BehaviourSource.allCases.count)

  /// Counts of no episodes.
  public init() {}

  /// Reads counts, and throws `InvalidValue` for those of no episodes.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    episodes = try values.decode(Int.self, forKey: .episodes)
    steps = try values.decode(Int.self, forKey: .steps)
    successesAtEnd = try values.decode(Int.self, forKey: .successesAtEnd)
    successesEver = try values.decode(Int.self, forKey: .successesEver)
    terminated = try values.decode(Int.self, forKey: .terminated)
    truncated = try values.decode(Int.self, forKey: .truncated)
    returnSum = try values.decode(Double.self, forKey: .returnSum)
    sources = try values.decode([Int].self, forKey: .sources)
    try check(in: decoder)
  }

  /// Throws `InvalidValue` for the first count that no episodes have.
  public func check() throws(InvalidValue) {
    try InvalidValue.require(episodes, in: 1...SizeLimit.episodes, "episodes")
    try InvalidValue.require(steps, in: episodes...SizeLimit.steps, "steps")
    for (key, count) in [
      ("successesAtEnd", successesAtEnd), ("successesEver", successesEver),
      ("terminated", terminated), ("truncated", truncated),
    ] {
      try InvalidValue.require(count, in: 0...episodes, key)
    }
    let kinds = BehaviourSource.allCases.count
    try InvalidValue.require(
      sources.count == kinds && sources.allSatisfy { 0...steps ~= $0 }, "sources",
      "must be \(kinds) counts from 0 to \(steps)", found: "\(sources.prefix(100))")
  }

  /// Counts of some episodes.
  public init(of trajectories: [Trajectory]) {
    for trajectory in trajectories {
      episodes += 1
      steps += trajectory.length
      successesAtEnd += trajectory.successes.last == true ? 1 : 0
      successesEver += trajectory.successes.contains(true) ? 1 : 0
      terminated += trajectory.terminated ? 1 : 0
      truncated += trajectory.truncated ? 1 : 0
      returnSum += trajectory.rewards.reduce(0) { $0 + Double($1) }
      for source in trajectory.sources { sources[Int(source.rawValue)] += 1 }
    }
  }

  /// Counts of a table's episodes; what follows from a column that is not there stays 0.
  init(of table: TrajectoryTable) {
    episodes = table.episodes
    steps = table.steps
    func count(_ column: ShardColumn, where holds: (Int) -> Bool) -> Int {
      table[column]?.integers().count(where: holds) ?? 0
    }
    terminated = count(.terminated) { $0 != 0 }
    truncated = count(.truncated) { $0 != 0 }
    if let rewards = table[.rewards] { returnSum = rewards.doubles().reduce(0, +) }
    if let successes = table[.successes]?.integers() {
      let starts = table.starts(on: .steps)
      for (start, end) in zip(starts, starts.dropFirst()) {
        successesAtEnd += successes[end - 1] != 0 ? 1 : 0
        successesEver += successes[start..<end].contains { $0 != 0 } ? 1 : 0
      }
    }
    for source in table[.sources]?.integers() ?? [] where sources.indices.contains(source) {
      sources[source] += 1
    }
  }

  /// Adds the counts of other episodes.
  public mutating func merge(_ other: DatasetTotals) {
    episodes += other.episodes
    steps += other.steps
    successesAtEnd += other.successesAtEnd
    successesEver += other.successesEver
    terminated += other.terminated
    truncated += other.truncated
    returnSum += other.returnSum
    for k in sources.indices { sources[k] += other.sources[k] }
  }
}

/// Sums over the rows of the columns that are summed up.
public struct DatasetSums: Codable, CheckedValue, Equatable {
  /// Of `/observations`.
  public private(set) var observations: ColumnSums
  /// Of `/actions`, or nil if they are discrete.
  public private(set) var actions: ColumnSums?
  /// Steps of each action, or nil if they are continuous.
  public private(set) var actionCounts: [Int]?

  /// Reads sums, and throws `InvalidValue` for those of no episodes.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    observations = try values.decode(ColumnSums.self, forKey: .observations)
    actions = try values.decodeIfPresent(ColumnSums.self, forKey: .actions)
    actionCounts = try values.decodeIfPresent([Int].self, forKey: .actionCounts)
    try check(in: decoder)
  }

  /// Throws `InvalidValue` unless these are sums of actions of one kind.
  public func check() throws(InvalidValue) {
    try InvalidValue.require(
      (actions == nil) != (actionCounts == nil), "actionCounts",
      "must be there or sums of actions, and not both",
      found: actions == nil ? "neither" : "both")
    guard let actionCounts else { return }
    try InvalidValue.require(actionCounts.count, in: 1...SizeLimit.actions, "actionCounts' length")
    try InvalidValue.require(
      actionCounts.allSatisfy { 0...SizeLimit.steps ~= $0 }, "actionCounts",
      "must be from 0 to \(SizeLimit.steps)", found: "\(actionCounts.prefix(100))")
  }

  /// Throws `InvalidValue` unless these are sums over the episodes of `totals` of a task.
  func check(_ totals: DatasetTotals, spec: GoalSpec) throws(InvalidValue) {
    do {
      try observations.check(rows: totals.steps + totals.episodes, width: spec.observation)
    } catch { throw InvalidValue("observations." + error.key, error.rule, found: error.found) }
    switch spec.action {
    case .continuous(let low, _):
      do { try actions?.check(rows: totals.steps, width: low.count) } catch {
        throw InvalidValue("actions." + error.key, error.rule, found: error.found)
      }
      try InvalidValue.require(actions != nil, "actions", "must be there", found: "nothing")
    case .discrete(let count):
      try InvalidValue.require(
        actionCounts?.count == count, "actionCounts", "must be \(count) counts",
        found: "\(actionCounts?.count ?? 0)")
    }
  }

  /// Sums over a table's episodes.
  public init(of table: TrajectoryTable, spec: GoalSpec) {
    guard let states = table[.observations], let taken = table[.actions] else {
      preconditionFailure("a shard has observations and actions")
    }
    observations = DatasetSums.sums(states, width: spec.observation)
    switch spec.action {
    case .continuous(let low, _): actions = DatasetSums.sums(taken, width: low.count)
    case .discrete(let count):
      var counts = [Int](repeating: 0, count: count)
      for number in taken.integers() where counts.indices.contains(number) { counts[number] += 1 }
      actionCounts = counts
    }
  }

  /// Sums over a column's rows, in pieces that fit the cache.
  private static func sums(_ column: TableColumn, width: Int) -> ColumnSums {
    let pieces = stride(from: 0, to: column.rows, by: 256).lazy.map {
      $0..<min($0 + 256, column.rows)
    }
    return column.type == .float64
      ? ColumnSums(width: width, pieces: pieces.map { column.doubles($0) })
      : ColumnSums(width: width, pieces: pieces.map { column.floats($0) })
  }

  /// Adds the sums over other episodes.
  public mutating func merge(_ other: DatasetSums) {
    observations.merge(other.observations)
    if let added = other.actions { actions?.merge(added) }
    if let added = other.actionCounts, var counts = actionCounts {
      for k in counts.indices { counts[k] += added[k] }
      actionCounts = counts
    }
  }
}

/// A shard as a manifest lists it.
public struct ShardEntry: Codable, CheckedValue, Equatable {
  /// Its number.
  public let index: Int
  /// Its file, seen from the dataset's folder.
  public let file: String
  /// Its episodes.
  public let episodes: EpisodeSet
  /// Steps of all its episodes.
  public let steps: Int
  /// Bytes of its file.
  public let bytes: Int
  /// Its file's SHA-256.
  public let sha256: String
  /// The source of its episodes, a place in `Mixture.sources`; nil if the dataset is no mixture.
  public let source: Int?

  /// Makes an entry from its parts.
  public init(
    index: Int, file: String, episodes: EpisodeSet, steps: Int, bytes: Int, sha256: String,
    source: Int? = nil
  ) {
    self.index = index
    self.file = file
    self.episodes = episodes
    self.steps = steps
    self.bytes = bytes
    self.sha256 = sha256
    self.source = source
  }

  /// Reads an entry, and throws `InvalidValue` for one of no shard.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    index = try values.decode(Int.self, forKey: .index)
    file = try values.decode(String.self, forKey: .file)
    episodes = try values.decode(EpisodeSet.self, forKey: .episodes)
    steps = try values.decode(Int.self, forKey: .steps)
    bytes = try values.decode(Int.self, forKey: .bytes)
    sha256 = try values.decode(String.self, forKey: .sha256)
    source = try values.decodeIfPresent(Int.self, forKey: .source)
    try check(in: decoder)
  }

  /// Throws `InvalidValue` for the first part that no shard has.
  public func check() throws(InvalidValue) {
    // A collected dataset's numbers have gaps if shards would have no episodes.
    try InvalidValue.require(index, in: 0...SizeLimit.episodes - 1, "index")
    try InvalidValue.require(
      1...SizeLimit.shardEpisodes ~= episodes.count, "episodes",
      "must be 1 to \(SizeLimit.shardEpisodes) in all", found: "\(episodes)")
    try InvalidValue.require(steps, in: episodes.count...SizeLimit.steps, "steps")
    // Each episode has 12 bytes of length and number, and deflate gains 1,032-fold at most.
    try InvalidValue.require(bytes, in: 1 + episodes.count * 12 / 1032...SizeLimit.bytes, "bytes")
    try InvalidValue.requireDigest(sha256, "sha256")
    if let source { try InvalidValue.require(source, in: 0...SizeLimit.shards, "source") }
  }
}

/// The small file beside a shard that commits it, `shards/shard-00000.json`; it ends with its own
/// SHA-256, as the manifest does.
public struct ShardRecord: Codable, CheckedValue, Equatable {
  /// The version of the layout of records, manifests and what is digested beside them.
  static let currentSchema = 1

  /// The layout's version.
  public let schema: Int
  /// The shard.
  public let shard: ShardEntry
  /// Counts over its episodes.
  public let totals: DatasetTotals
  /// Sums over its rows.
  public let sums: DatasetSums

  /// Makes a record of the present schema.
  public init(shard: ShardEntry, totals: DatasetTotals, sums: DatasetSums) {
    schema = ShardRecord.currentSchema
    self.shard = shard
    self.totals = totals
    self.sums = sums
  }

  /// Reads a record, and throws `InvalidValue` for one whose parts are not of one shard.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    schema = try values.decode(Int.self, forKey: .schema)
    shard = try values.decode(ShardEntry.self, forKey: .shard)
    totals = try values.decode(DatasetTotals.self, forKey: .totals)
    sums = try values.decode(DatasetSums.self, forKey: .sums)
    try check(in: decoder)
  }

  /// Throws `InvalidValue` unless the counts are those of the shard.
  public func check() throws(InvalidValue) {
    for (key, listed, found) in [
      ("episodes", shard.episodes.count, totals.episodes), ("steps", shard.steps, totals.steps),
    ] {
      try InvalidValue.require(
        found == listed, "totals.\(key)", "must be \(listed), as the shard has", found: "\(found)")
    }
  }

  /// Throws `malformed` unless the sums are of a task's columns.
  func check(_ spec: GoalSpec, path: String) throws(FileError) {
    do { try sums.check(totals, spec: spec) } catch {
      throw .malformed(path, rule: "'sums.\(error.key)' \(error.rule)", found: error.found)
    }
  }
}
