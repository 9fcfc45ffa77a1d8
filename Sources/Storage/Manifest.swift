public import Foundation
public import GoalCore
import HDF5

/// Where a column's numbers come from.
public enum ColumnOrigin: String, Codable, Sendable {
  /// Recorded while the episode was made.
  case native
  /// Worked out later from other columns.
  case computed
  /// Not there.
  case absent
}

/// A column as a manifest describes it.
public struct ManifestColumn: Codable, Sendable, Equatable {
  /// Where its numbers come from.
  public let origin: ColumnOrigin
  /// Its element type, such as `f32`; nil where it is absent.
  public let type: String?

  /// Makes a description.
  public init(origin: ColumnOrigin, type: String?) {
    self.origin = origin
    self.type = type
  }
}

/// A column's statistics as people and normalizers read them.
public struct ColumnStatistics: Codable, Sendable, Equatable {
  /// Rows.
  public let count: Int
  /// The lowest value of each dimension.
  public let minimum: [Double]
  /// The highest value of each dimension.
  public let maximum: [Double]
  /// The mean of each dimension.
  public let mean: [Double]
  /// The standard deviation of each dimension, over all rows.
  public let standardDeviation: [Double]

  /// The statistics that sums give.
  public init(_ sums: ColumnSums) {
    count = sums.count
    minimum = sums.minimum
    maximum = sums.maximum
    mean = sums.mean
    standardDeviation = sums.standardDeviation
  }
}

/// Statistics of a dataset.
public struct DatasetStatistics: Codable, Sendable, Equatable {
  /// Of `/observations`.
  public let observations: ColumnStatistics
  /// Of `/actions`, or nil where they are discrete.
  public let actions: ColumnStatistics?
  /// Steps of each action, or nil where they are continuous.
  public let actionCounts: [Int]?

  /// The statistics that sums give.
  public init(_ sums: DatasetSums) {
    observations = ColumnStatistics(sums.observations)
    actions = sums.actions.map(ColumnStatistics.init)
    actionCounts = sums.actionCounts
  }
}

/// What a dataset is: `manifest.json`, the same bytes however often and wherever it is made.
///
/// JSON with sorted keys. The last two lines are `  "sha256" : "<digits>"` and `}`; the digits are the
/// SHA-256 of every byte before them (`head -n -2 manifest.json | sha256sum`).
public struct Manifest: Codable, Sendable, Equatable {
  /// The layout's version that this code reads and writes.
  public static let schema = 1

  /// All that decided the dataset's bytes; in JSON its entries stand beside the others.
  public let identity: DatasetIdentity
  /// Counts over all episodes.
  public let totals: DatasetTotals
  /// Statistics over all rows.
  public let statistics: DatasetStatistics
  /// The columns, by their path in a shard.
  public let columns: [String: ManifestColumn]
  /// The shards, by number.
  public let shards: [ShardEntry]

  /// The dataset's id.
  public var id: String { identity.id }
  /// The world's goal side.
  public var task: GoalTask { identity.task }
  /// What a collected dataset is made from; nil for any other.
  public var recipe: Recipe? { identity.recipe }
  /// What a mixture is made from; nil for any other.
  public var mixture: Mixture? { identity.mixture }
  /// What a converted dataset is made from; nil for any other.
  public var conversion: Conversion? { identity.conversion }
  /// Numbers in a simulator state, 0 where none are kept.
  public var stateLength: Int { identity.stateLength }
  /// Whether actions have log-probabilities.
  public var isCategorical: Bool { identity.isCategorical }
  /// The SHA-256 of the world's model, or nil where it has none.
  public var modelDigest: String? { identity.modelDigest }
  /// Versions of the libraries that decide the numbers, by name.
  public var libraries: [String: String] { identity.libraries }

  /// Merges the records of all shards, given in the order of their numbers.
  public init(
    _ identity: DatasetIdentity, columns: [String: ManifestColumn], records: [ShardRecord]
  ) {
    guard let first = records.first else { preconditionFailure("a dataset has at least one shard") }
    self.identity = identity
    self.columns = columns
    shards = records.map(\.shard)
    var totals = first.totals
    var sums = first.sums
    for record in records.dropFirst() {
      totals.merge(record.totals)
      sums.merge(record.sums)
    }
    self.totals = totals
    statistics = DatasetStatistics(sums)
  }

  private enum CodingKeys: String, CodingKey { case totals, statistics, columns, shards }

  /// Reads a manifest.
  public init(from decoder: any Decoder) throws {
    identity = try DatasetIdentity(from: decoder)
    let container = try decoder.container(keyedBy: CodingKeys.self)
    totals = try container.decode(DatasetTotals.self, forKey: .totals)
    statistics = try container.decode(DatasetStatistics.self, forKey: .statistics)
    columns = try container.decode([String: ManifestColumn].self, forKey: .columns)
    shards = try container.decode([ShardEntry].self, forKey: .shards)
  }

  /// Writes a manifest.
  public func encode(to encoder: any Encoder) throws {
    try identity.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(totals, forKey: .totals)
    try container.encode(statistics, forKey: .statistics)
    try container.encode(columns, forKey: .columns)
    try container.encode(shards, forKey: .shards)
  }

  /// What a dataset is that is no mixture, as a source of mixtures; for a shard of a mixture, its own source.
  ///
  /// - Throws: `malformed` where a mixture's shard names no source, or one that is not there.
  public func source(of shard: ShardEntry) throws(StorageError) -> MixtureSource {
    switch identity.origin {
    case .collected(let recipe):
      return MixtureSource(
        id: id, sha256: try digest(), origin: .collected(recipe),
        episodes: recipe.onlyEpisodes ?? EpisodeSet(0..<Int64(recipe.episodes)))
    case .converted(let conversion):
      return MixtureSource(
        id: id, sha256: try digest(), origin: .converted(conversion),
        episodes: EpisodeSet(shards.flatMap(\.episodes.numbers)))
    case .mixed(let mixture):
      guard let source = shard.source, mixture.sources.indices.contains(source) else {
        throw .malformed(
          "manifest.json", rule: "a mixture's shard must name its source",
          found: "\(shard.file) of source \(shard.source.map { "\($0)" } ?? "none")")
      }
      return mixture.sources[source]
    }
  }

  /// Where a shard's episodes come from, through all mixtures.
  public func origin(of shard: ShardEntry) throws(StorageError) -> EpisodeOrigin {
    switch identity.origin {
    case .collected(let recipe): return .collected(recipe)
    case .converted(let conversion): return .converted(conversion)
    case .mixed: return try source(of: shard).origin
    }
  }

  /// Whether a shard's columns are compressed, and so cannot be mapped.
  public func isCompressed(_ shard: ShardEntry) throws(StorageError) -> Bool {
    if let everywhere = mixture?.compress { return everywhere }
    return try origin(of: shard).isCompressed
  }

  /// Bytes of memory that those columns take which a trainer reads and cannot map: compressed ones,
  /// and floats of 8 bytes, which are narrowed.
  public func decodedBytes() throws(StorageError) -> Int {
    let spec = task.spec
    var bytes = 0
    for shard in shards {
      let isCompressed = try isCompressed(shard)
      for column in [ShardColumn.observations, .achievedGoals, .actions, .desiredGoals] {
        let listed = columns[column.rawValue]
        guard isCompressed || listed?.type == "f64", listed?.origin != .absent else { continue }
        let shape = column.shape(for: spec, steps: shard.steps, episodes: shard.episodes.count)
        bytes += shape.reduce(4, *)
      }
    }
    return bytes
  }

  /// The columns of a dataset that was collected here.
  public static func nativeColumns(
    for spec: GoalSpec, states: Bool, logProbabilities: Bool = false, images: Bool = false
  ) -> [String: ManifestColumn] {
    var columns: [String: ManifestColumn] = [:]
    for column in ShardColumn.present(
      states: states, logProbabilities: logProbabilities, images: images)
    {
      columns[column.rawValue] = ManifestColumn(
        origin: .native, type: column.types(for: spec)[0].rawValue)
    }
    if !states { columns[ShardColumn.states.rawValue] = ManifestColumn(origin: .absent, type: nil) }
    return columns
  }

  /// The columns of a dataset that is made of a source's episodes.
  public static func columns(of source: any TrajectorySource) -> [String: ManifestColumn] {
    var columns: [String: ManifestColumn] = [:]
    for column in ShardColumn.allCases where column != .images {
      columns[column.rawValue] = ManifestColumn(origin: .absent, type: nil)
    }
    for (path, column) in source.columns {
      columns[path] = ManifestColumn(origin: column.origin, type: column.type.rawValue)
    }
    for (column, type) in [(ShardColumn.episodeLengths, "i32"), (.episodeIndices, "i64")] {
      columns[column.rawValue] = ManifestColumn(origin: .native, type: type)
    }
    return columns
  }

  /// Reads a manifest.
  ///
  /// - Throws: `missing`, `malformed` (cut off, or not of this form), `altered` (its own digest does
  ///   not fit) or `unknownSchema`.
  public init(contentsOf url: URL) throws(StorageError) {
    self = try SealedText.read(Manifest.self, from: url, schema: Manifest.schema).value
  }

  /// Writes the manifest beside its place and renames it.
  public func write(to url: URL) throws(StorageError) {
    try PartFile.write(try SealedText.seal(self), to: url)
  }

  /// The manifest's own SHA-256, which is its last entry.
  public func digest() throws(StorageError) -> String {
    try SealedText.check(try SealedText.seal(self), path: "manifest.json")
  }
}
