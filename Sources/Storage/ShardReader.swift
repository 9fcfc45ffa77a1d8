public import Foundation
public import GoalCore
import HDF5

/// A shard that was opened and found sound: types, shapes and sums agree with the specification.
///
/// Uncompressed columns are read in place, mapped into memory; others are decoded when asked for.
/// One thread at a time may use an object; what it gives away may be used by any.
public final class ShardReader {
  /// The file's path.
  public let path: String
  /// Episodes, `E`.
  public let episodes: Int
  /// Steps of all episodes, `T`.
  public let steps: Int
  /// Steps of each episode, `[E]`.
  public let lengths: [Int]
  /// Numbers in a simulator state, `S`; 0 where none are stored.
  public let stateLength: Int
  /// Whether desired goals have a row for each state rather than for each episode.
  public let goalsMove: Bool

  private let spec: GoalSpec
  private let map: MappedFile
  private let file: HDF5File
  private let datasets: [ShardColumn: HDF5Dataset]
  private let threads: Int

  /// Opens a shard and checks it, all but the values of its floats.
  ///
  /// - Parameters:
  ///   - url: The file.
  ///   - spec: The sizes that it must have.
  ///   - threads: Threads that decode.
  /// - Throws: The first thing that is wrong, with file, dataset, rule and value found.
  public init(
    contentsOf url: URL, spec: GoalSpec,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) throws(StorageError) {
    path = url.path
    self.spec = spec
    self.threads = threads
    guard FileManager.default.fileExists(atPath: url.path) else { throw .missing(url.path) }
    let map = try reading { () throws(HDF5Error) in try MappedFile(contentsOf: url) }
    let file = try reading { () throws(HDF5Error) in try HDF5File(reading: url) }
    var datasets: [ShardColumn: HDF5Dataset] = [:]
    for column in ShardColumn.allCases {
      datasets[column] = try ShardReader.open(column, in: file, map: map, spec: spec)
    }
    self.map = map
    self.file = file
    self.datasets = datasets

    // The lengths give every other shape.
    guard let lengthsDataset = datasets[.episodeLengths] else {
      throw .missingDataset(file: path, dataset: ShardColumn.episodeLengths.rawValue)
    }
    guard lengthsDataset.shape.count == 1, lengthsDataset.count > 0 else {
      throw .wrongShape(
        file: path, dataset: ShardColumn.episodeLengths.rawValue,
        expected: [max(1, lengthsDataset.shape.first ?? 1)], found: lengthsDataset.shape)
    }
    let stored = try StoredColumn<Int32>(
      lengthsDataset, in: map, as: .int32, threads: threads, path: path)
    var lengths: [Int] = []
    for (row, length) in stored.enumerated() {
      guard length > 0 else {
        throw .wrongValue(
          file: path, dataset: ShardColumn.episodeLengths.rawValue, rule: "must be at least 1",
          row: row, found: "\(length)")
      }
      lengths.append(Int(length))
    }
    self.lengths = lengths
    episodes = lengths.count
    steps = lengths.reduce(0, +)
    goalsMove = datasets[.desiredGoals]?.shape.first == steps + episodes
    stateLength = datasets[.states]?.shape.last ?? 0
    for column in ShardColumn.allCases { try checkShape(of: column) }
    try checkNumbers()
  }

  // MARK: - What it gives

  /// Whether the shard has a column.
  public func has(_ column: ShardColumn) -> Bool { datasets[column] != nil }

  /// The columns that a trainer reads; floats of 8 bytes are narrowed.
  public func columns() throws(StorageError) -> TrajectoryColumns {
    let observations = try floats(.observations)
    let achieved = try floats(.achievedGoals)
    let desired = try floats(.desiredGoals)
    let actions: TrajectoryColumns.Actions
    let owner: AnyObject
    switch spec.action {
    case .continuous:
      let column = try floats(.actions)
      (actions, owner) = (.continuous(column.values), column.owner)
    case .discrete:
      let column = try column(.actions, as: Int32.self)
      (actions, owner) = (.discrete(column.values), column.owner)
    }
    return TrajectoryColumns(
      observations: observations.values, actions: actions, achievedGoals: achieved.values,
      desiredGoals: desired.values, goalsMove: goalsMove, lengths: lengths,
      owner: Owners([observations.owner, achieved.owner, desired.owner, owner]))
  }

  /// A column of floats; floats of 8 bytes are narrowed.
  public func floats(_ name: ShardColumn) throws(StorageError) -> StoredColumn<Float> {
    try StoredColumn(try dataset(name), in: map, as: .float32, threads: threads, path: path)
  }

  /// A column of other numbers, whose elements must be of the type that the column's comment says.
  public func column<Element: BitwiseCopyable>(
    _ name: ShardColumn, as element: Element.Type
  ) throws(StorageError) -> StoredColumn<Element> {
    let type = name.types(for: spec)[0]
    precondition(
      type.byteCount == MemoryLayout<Element>.size, "'\(name.rawValue)' holds \(type.rawValue)")
    return try StoredColumn(try dataset(name), in: map, as: type, threads: threads, path: path)
  }

  // MARK: - Checks

  private func dataset(_ column: ShardColumn) throws(StorageError) -> HDF5Dataset {
    guard let dataset = datasets[column] else {
      throw .missingDataset(file: path, dataset: column.rawValue)
    }
    return dataset
  }

  /// Opens a column if it is there, and checks its type and that its bytes can be there.
  private static func open(
    _ column: ShardColumn, in file: HDF5File, map: MappedFile, spec: GoalSpec
  ) throws(StorageError) -> HDF5Dataset? {
    let name = column.rawValue
    guard try reading({ () throws(HDF5Error) in try file.contains(name) }) else {
      if column.isRequired { throw .missingDataset(file: file.name, dataset: name) }
      return nil
    }
    let dataset = try reading { () throws(HDF5Error) in try file.dataset(name) }
    let types = column.types(for: spec)
    guard let type = dataset.type, types.contains(type) else {
      throw .wrongType(
        file: file.name, dataset: name, expected: types.map(\.rawValue).joined(separator: " or "),
        found: dataset.typeDescription)
    }
    _ = try reading { () throws(HDF5Error) in try dataset.mapped(in: map) }
    guard dataset.isPlausible(in: map) else {
      throw .hdf5(
        .damaged(
          file: file.name, dataset: name,
          rule: "its shape \(dataset.shape) must fit a file of \(map.bytes.count) bytes"))
    }
    return dataset
  }

  private func checkShape(of column: ShardColumn) throws(StorageError) {
    guard let dataset = datasets[column] else { return }
    let expected = column.shape(
      for: spec, steps: steps, episodes: episodes, stateLength: max(1, stateLength),
      goalsMove: goalsMove)
    guard dataset.shape == expected else {
      throw .wrongShape(
        file: path, dataset: column.rawValue, expected: expected, found: dataset.shape)
    }
  }

  /// Checks the numbers that others are looked up by.
  private func checkNumbers() throws(StorageError) {
    if case .discrete(let count) = spec.action {
      let actions = try column(.actions, as: Int32.self)
      if let row = actions.firstIndex(where: { !(0..<count).contains(Int($0)) }) {
        throw .wrongValue(
          file: path, dataset: ShardColumn.actions.rawValue, rule: "must be in 0..<\(count)",
          row: row, found: "\(actions[row])")
      }
    }
    let indices = try column(.episodeIndices, as: Int64.self)
    if let row = indices.firstIndex(where: { $0 < 0 }) {
      throw .wrongValue(
        file: path, dataset: ShardColumn.episodeIndices.rawValue, rule: "must not be negative",
        row: row, found: "\(indices[row])")
    }
  }
}
