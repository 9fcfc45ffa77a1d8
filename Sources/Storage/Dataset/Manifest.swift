public import Foundation
public import GoalCore
import HDF5
public import Support

/// A column as a manifest describes it.
public struct ManifestColumn: Codable, CheckedValue, Equatable {
  /// Where its numbers come from.
  public let origin: ColumnOrigin
  /// Its element type, such as `f32`; nil if it is absent.
  public let type: String?

  /// Makes a description.
  public init(origin: ColumnOrigin, type: String?) {
    self.origin = origin
    self.type = type
  }

  /// Reads a description, and throws `InvalidValue` for one that no column has.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    origin = try values.decode(ColumnOrigin.self, forKey: .origin)
    type = try values.decodeIfPresent(String.self, forKey: .type)
    try check(in: decoder)
  }

  /// Throws `InvalidValue` unless there is a type that numbers have, or no column.
  public func check() throws(InvalidValue) {
    try InvalidValue.require(
      origin == .absent ? type == nil : type.flatMap(HDF5Type.init(rawValue:)) != nil, "type",
      origin == .absent
        ? "must not be there, as the column is absent" : "must be a type of numbers",
      found: type?.debugDescription ?? "nothing")
  }
}

/// A column's statistics as people and normalisers read them.
public struct ColumnStatistics: Codable, CheckedValue, Equatable {
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

  /// Reads statistics, and throws `InvalidValue` for those of no column.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    count = try values.decode(Int.self, forKey: .count)
    minimum = try values.decode([Double].self, forKey: .minimum)
    maximum = try values.decode([Double].self, forKey: .maximum)
    mean = try values.decode([Double].self, forKey: .mean)
    standardDeviation = try values.decode([Double].self, forKey: .standardDeviation)
    try check(in: decoder)
  }

  /// Throws `InvalidValue` unless all have the same number of dimensions, and rows can be counted.
  public func check() throws(InvalidValue) {
    try InvalidValue.require(count, in: 0...SizeLimit.steps + SizeLimit.episodes, "count")
    for (key, values) in [
      ("minimum", minimum), ("maximum", maximum), ("standardDeviation", standardDeviation),
    ] {
      try InvalidValue.require(
        values.count == mean.count, key, "must have \(mean.count) numbers, as mean has",
        found: "\(values.count)")
    }
  }

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
  /// Of `/actions`, or nil if they are discrete.
  public let actions: ColumnStatistics?
  /// Steps of each action, or nil if they are continuous.
  public let actionCounts: [Int]?

  /// The statistics that sums give.
  public init(_ sums: DatasetSums) {
    observations = ColumnStatistics(sums.observations)
    actions = sums.actions.map(ColumnStatistics.init)
    actionCounts = sums.actionCounts
  }
}

/// A dataset's description: `manifest.json`, the same bytes however often and wherever it is made
/// in a folder of its name.
///
/// JSON with sorted keys. The last two lines are ` "sha256" : "<digits>"` and `}`; the digits are
/// the SHA-256 of every byte before them (`head -n -2 manifest.json | sha256sum`).
public struct Manifest: Codable, CheckedValue, Equatable {
  /// The layout's version that this code reads and writes.
  public static let schema = ShardRecord.currentSchema

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
  /// The recipe of a collected dataset; nil for other datasets.
  public var recipe: Recipe? { identity.recipe }
  /// The inputs of a mixture; nil for other datasets.
  public var mixture: Mixture? { identity.mixture }
  /// The source of a converted dataset; nil for other datasets.
  public var conversion: Conversion? { identity.conversion }
  /// Numbers in a simulator state, 0 if none are kept.
  public var stateLength: Int { identity.stateLength }
  /// Whether actions have log-probabilities.
  public var isCategorical: Bool { identity.isCategorical }
  /// The SHA-256 of the world's model, or nil if it has none.
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

  /// Reads a manifest, and throws `InvalidValue` for one whose parts do not go together.
  public init(from decoder: any Decoder) throws {
    identity = try DatasetIdentity(from: decoder)
    let container = try decoder.container(keyedBy: CodingKeys.self)
    totals = try container.decode(DatasetTotals.self, forKey: .totals)
    statistics = try container.decode(DatasetStatistics.self, forKey: .statistics)
    columns = try container.decode([String: ManifestColumn].self, forKey: .columns)
    shards = try container.decode([ShardEntry].self, forKey: .shards)
    try check(in: decoder)
  }

  /// Throws `InvalidValue` for the first part that does not go with the others.
  public func check() throws(InvalidValue) {
    try InvalidValue.require(shards.count, in: 1...SizeLimit.shards, "number of shards")
    for (place, (one, next)) in zip(shards, shards.dropFirst()).enumerated() {
      try InvalidValue.require(
        one.index < next.index, "shards.\(place + 1).index",
        "must be above \(one.index), the one before",
        found: "\(next.index)")
    }
    for (place, shard) in shards.enumerated() {
      if let sources = mixture?.sources {
        try InvalidValue.require(
          shard.source.map(sources.indices.contains) ?? false, "shards.\(place).source",
          "must be one of the \(sources.count) sources",
          found: shard.source.map(String.init) ?? "nothing")
      } else {
        try InvalidValue.require(
          shard.source == nil, "shards.\(place).source", "must not be there but in a mixture",
          found: shard.source.map(String.init) ?? "nothing")
      }
      try recipe?.checkHas(shard.episodes, "shards.\(place).episodes")
    }
    for (key, listed, found) in [
      ("episodes", shards.map(\.episodes.count).clampedSum, totals.episodes),
      ("steps", shards.map(\.steps).clampedSum, totals.steps),
    ] {
      try InvalidValue.require(
        found == listed, "totals.\(key)", "must be \(listed), the sum over the shards",
        found: "\(found)")
    }
    try checkStatistics()
    try checkColumns()
  }

  private func checkStatistics() throws(InvalidValue) {
    let spec = task.spec
    func check(_ found: Int?, _ expected: Int?, _ key: String) throws(InvalidValue) {
      try InvalidValue.require(
        found == expected, "statistics.\(key)",
        expected.map { "must have \($0) numbers" } ?? "must not be there",
        found: found.map(String.init) ?? "nothing")
    }
    try check(statistics.observations.mean.count, spec.observation, "observations.mean")
    switch spec.action {
    case .continuous(let low, _):
      try check(statistics.actions?.mean.count, low.count, "actions.mean")
      try check(statistics.actionCounts?.count, nil, "actionCounts")
    case .discrete(let count):
      try check(statistics.actions?.mean.count, nil, "actions.mean")
      try check(statistics.actionCounts?.count, count, "actionCounts")
    }
  }

  /// Paths are those of a shard; what was collected has all its columns, and has recorded them.
  private func checkColumns() throws(InvalidValue) {
    for path in columns.keys.sorted() {
      try InvalidValue.require(
        ShardColumn(rawValue: path) != nil
          || path.hasPrefix("extra/") && isColumnPath(path), "columns",
        "must be paths of columns", found: path.debugDescription)
    }
    guard recipe != nil else { return }
    let native = Manifest.nativeColumns(
      for: task.spec, states: stateLength > 0, logProbabilities: isCategorical,
      images: !identity.imageShape.isEmpty)
    for path in native.keys.sorted() where native[path] != columns[path] {
      func words(_ column: ManifestColumn?) -> String {
        column.map { "\($0.origin.rawValue) \($0.type ?? "")" } ?? "nothing"
      }
      throw InvalidValue(
        "columns.\(path)", "must be \(words(native[path])), as it is collected",
        found: words(columns[path]))
    }
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

  /// A dataset's description that is no mixture, as a source of mixtures; for a shard of a mixture,
  /// its own source.
  ///
  /// - Throws: `malformed` if a mixture's shard names no source, or one that is not there.
  public func source(of shard: ShardEntry) throws(FileError) -> MixtureSource {
    switch identity.origin {
    case .collected(let recipe):
      return MixtureSource(
        id: id, sha256: try digest(), origin: .collected(recipe),
        episodes: recipe.onlyEpisodes ?? EpisodeSet(0..<Int64(recipe.episodes)))
    case .converted(let conversion):
      return MixtureSource(
        id: id, sha256: try digest(), origin: .converted(conversion),
        episodes: EpisodeSet(union: shards.map(\.episodes)))
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
  public func origin(of shard: ShardEntry) throws(FileError) -> EpisodeOrigin {
    switch identity.origin {
    case .collected(let recipe): return .collected(recipe)
    case .converted(let conversion): return .converted(conversion)
    case .mixed: return try source(of: shard).origin
    }
  }

  /// Whether a shard's columns are compressed, and so cannot be mapped.
  public func isCompressed(_ shard: ShardEntry) throws(FileError) -> Bool {
    if let everywhere = mixture?.compress { return everywhere }
    return try origin(of: shard).isCompressed
  }

  /// Bytes of memory that those columns take which a trainer reads and cannot map: compressed ones,
  /// and floats of 8 bytes, which are narrowed.
  public func decodedBytes() throws(FileError) -> Int {
    let spec = task.spec
    var bytes: [Int] = []
    for shard in shards {
      let isCompressed = try isCompressed(shard)
      for column in [ShardColumn.observations, .achievedGoals, .actions, .desiredGoals] {
        let listed = columns[column.rawValue]
        guard isCompressed || listed?.type == "f64", listed?.origin != .absent else { continue }
        let shape = column.shape(for: spec, steps: shard.steps, episodes: shard.episodes.count)
        bytes.append((shape + [4]).clampedProduct)
      }
    }
    return bytes.clampedSum
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
  /// - Throws: `missing`, `malformed` (cut off, or not of this form), `altered` (its own digest
  ///   does not fit) or `unknownSchema`.
  public init(contentsOf url: URL) throws(FileError) {
    self = try DigestedJSON.read(Manifest.self, from: url, schema: Manifest.schema).value
  }

  /// Writes the manifest beside its place and renames it.
  public func write(to url: URL) throws(FileError) {
    try DigestedJSON.write(self, to: url)
  }

  /// The manifest's own SHA-256, which is its last entry.
  public func digest() throws(FileError) -> String {
    try DigestedJSON.check(DigestedJSON.seal(self), path: "manifest.json")
  }
}
