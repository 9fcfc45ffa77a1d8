public import Foundation
public import GoalCore
import HDF5
public import Support

/// The column layout of a shard's dataset.
struct ShardTask: Sendable {
  let spec: GoalSpec
  /// Whether m(s) = s, so that achieved goals need no column.
  let goalsAreObservations: Bool

  init(spec: GoalSpec, goalsAreObservations: Bool) {
    self.spec = spec
    self.goalsAreObservations = goalsAreObservations
  }

  init(_ task: GoalTask) {
    self.init(
      spec: task.spec,
      goalsAreObservations: task.goalIndices == Array(0..<task.spec.observation))
  }
}

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
  /// Numbers in a simulator state, `S`; 0 if none are stored.
  public let stateLength: Int
  /// The shape of an image, `[H, W, C]`; empty if none are stored.
  public var imageShape: [Int] {
    guard let shape = datasets[.images]?.shape else { return [] }
    return shape.count == 4 ? Array(shape.dropFirst()) : [1, 1, 1]
  }
  /// Whether desired goals have a row for each state rather than for each episode.
  public let goalsMove: Bool

  private let task: ShardTask
  /// The whole file.
  let map: MappedFile
  private let file: HDF5File
  private let datasets: [ShardColumn: HDF5Dataset]
  /// The extra columns, by path: `extra/<name>`.
  private let extras: [String: HDF5Dataset]
  private let threads: Int

  /// Opens a shard and checks it, all but the values of its floats.
  ///
  /// - Parameters:
  ///   - url: The file.
  ///   - spec: The sizes that it must have.
  ///   - threads: Threads that decode.
  /// - Throws: The first thing that is wrong, with file, dataset, rule and value found.
  public convenience init(
    contentsOf url: URL, spec: GoalSpec,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) throws(FileError) {
    try self.init(
      contentsOf: url, task: ShardTask(spec: spec, goalsAreObservations: false), threads: threads)
  }

  /// Opens a shard of a dataset whose task says what stands for columns that are not there.
  init(contentsOf url: URL, task: ShardTask, threads: Int) throws(FileError) {
    path = url.path
    self.task = task
    self.threads = threads
    guard FileManager.default.fileExists(atPath: url.path) else { throw .missing(url.path) }
    let map = try MappedFile(contentsOf: url)
    let file = try HDF5File(reading: url)
    var datasets: [ShardColumn: HDF5Dataset] = [:]
    for column in ShardColumn.allCases {
      datasets[column] = try ShardReader.open(column, in: file, map: map, task: task)
    }
    extras = try ShardReader.extras(in: file, map: map)
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
    if let images = datasets[.images], imageShape.contains(0) {
      throw .wrongShape(
        file: path, dataset: ShardColumn.images.rawValue,
        expected: [images.shape[0]] + imageShape.map { max(1, $0) }, found: images.shape)
    }
    for path in extras.keys.sorted() { try checkRows(of: path) }
    try checkNumbers()
  }

  /// The version of HDF5, by which shards are read, such as `1.10.8`.
  public static var libraryVersion: String { HDF5File.libraryVersion }

  // MARK: - What it gives

  /// Whether the shard has a column.
  public func has(_ column: ShardColumn) -> Bool { datasets[column] != nil }

  /// Whether every column is read in place.
  var isMapped: Bool {
    (Array(datasets.values) + Array(extras.values)).allSatisfy {
      guard case .contiguous(let offset) = $0.layout, let type = $0.type else { return false }
      return offset % type.byteCount == 0
    }
  }

  /// The columns that a trainer reads; floats of 8 bytes are narrowed.
  ///
  /// If the shard has no achieved goals, goals are observations, and these serve as both.
  public func columns() throws(FileError) -> TrajectoryColumns {
    let observations = try floats(.observations)
    let achieved =
      has(.achievedGoals) || !task.goalsAreObservations
      ? try floats(.achievedGoals) : observations
    let desired = has(.desiredGoals) ? try floats(.desiredGoals) : nil
    let actions: TrajectoryColumns.Actions
    let owner: AnyObject
    switch task.spec.action {
    case .continuous:
      let column = try floats(.actions)
      (actions, owner) = (.continuous(column.values), column.owner)
    case .discrete:
      let column = try column(.actions, as: Int32.self)
      (actions, owner) = (.discrete(column.values), column.owner)
    }
    return TrajectoryColumns(
      observations: observations.values, actions: actions, achievedGoals: achieved.values,
      desiredGoals: desired?.values, goalsMove: goalsMove, lengths: lengths,
      owner: Owners(
        [observations.owner, achieved.owner, owner] + (desired.map { [$0.owner] } ?? [])))
  }

  /// A column of floats; floats of 8 bytes are narrowed.
  public func floats(_ name: ShardColumn) throws(FileError) -> StoredColumn<Float> {
    try StoredColumn(try dataset(name), in: map, as: .float32, threads: threads, path: path)
  }

  /// A column of other numbers, whose elements must be of the type that the column's comment says.
  public func column<Element: BitwiseCopyable>(
    _ name: ShardColumn, as element: Element.Type
  ) throws(FileError) -> StoredColumn<Element> {
    let type = name.types(for: task.spec)[0]
    precondition(
      type.byteCount == MemoryLayout<Element>.size, "'\(name.rawValue)' holds \(type.rawValue)")
    return try StoredColumn(try dataset(name), in: map, as: type, threads: threads, path: path)
  }

  /// Episodes at neighbouring places, all by default, with some columns or every one that there is,
  /// as they are stored: in place if they are uncompressed.
  public func table(
    at places: Range<Int>? = nil, only columns: Set<String>? = nil
  ) throws(FileError) -> TrajectoryTable {
    let numbers = try column(.episodeIndices, as: Int64.self)
    var table = TrajectoryTable(indices: Array(numbers), lengths: lengths)
    for (path, described) in try sourceColumns() where columns?.contains(path) ?? true {
      guard let dataset = ShardColumn(rawValue: path).map({ datasets[$0] }) ?? extras[path] else {
        continue
      }
      let (bytes, owner) = try storedBytes(
        dataset, in: map, as: described.type, threads: threads)
      table[path] = TableColumn(
        described.type, rowShape: described.rowShape, axis: described.axis, bytes: bytes,
        owner: owner)
    }
    guard let places else { return table }
    return table.selecting(Array(places))
  }

  /// The columns of `table`.
  func sourceColumns() throws(FileError) -> [String: SourceColumn] {
    var columns: [String: SourceColumn] = [:]
    func add(_ path: String, _ dataset: HDF5Dataset, _ axis: RowAxis?) {
      guard let type = dataset.type, let axis else { return }
      columns[path] = SourceColumn(type, rowShape: Array(dataset.shape.dropFirst()), axis: axis)
    }
    for (column, dataset) in datasets
    where column != .episodeLengths && column != .episodeIndices {
      add(column.rawValue, dataset, axis(of: column))
    }
    for (path, dataset) in extras { add(path, dataset, axis(ofRows: dataset.shape[0])) }
    return columns
  }

  // MARK: - Checks

  /// The axis of a column's rows.
  private func axis(of column: ShardColumn) -> RowAxis {
    column == .desiredGoals && goalsMove ? .states : column.axis
  }

  /// The axis with this many rows; if every episode has one step, steps and episodes are the same.
  private func axis(ofRows rows: Int) -> RowAxis? {
    [steps: .steps, steps + episodes: .states].merging([episodes: .episodes]) { first, _ in first }[
      rows]
  }

  private func checkRows(of path: String) throws(FileError) {
    guard let dataset = extras[path], let rows = dataset.shape.first, axis(ofRows: rows) != nil,
      dataset.count > 0
    else {
      throw .wrongShape(
        file: self.path, dataset: path, expected: [steps] + (extras[path]?.shape.dropFirst() ?? []),
        found: extras[path]?.shape ?? [])
    }
  }

  /// Opens what lies in the group of extras, and in groups of it.
  private static func extras(
    in file: HDF5File, map: MappedFile
  ) throws(FileError) -> [String: HDF5Dataset] {
    guard try file.contains("extra") else { return [:] }
    var found: [String: HDF5Dataset] = [:]
    var groups = ["extra"]
    while let group = groups.popLast() {
      for name in try file.listing(of: group) {
        let path = group + "/" + name
        guard isColumnPath(path) else {
          throw .malformed(
            file.name,
            rule: "a column's path must be at most 8 names of letters, digits, '_' and '-'",
            found: path.debugDescription)
        }
        if try file.isGroup(path) {
          groups.append(path)
          continue
        }
        let dataset = try file.dataset(path)
        guard dataset.type != nil else {
          throw .wrongType(
            file: file.name, dataset: path, expected: "of numbers", found: dataset.typeDescription)
        }
        try checkBytes(of: dataset, in: file, map: map)
        found[path] = dataset
      }
    }
    return found
  }

  private static func checkBytes(
    of dataset: HDF5Dataset, in file: HDF5File, map: MappedFile
  ) throws(FileError) {
    _ = try dataset.mapped(in: map)
    guard dataset.isPlausible(in: map) else {
      throw .damaged(
        file: file.name, dataset: dataset.path,
        rule: "its shape \(dataset.shape) must fit a file of \(map.bytes.count) bytes")
    }
  }

  private func dataset(_ column: ShardColumn) throws(FileError) -> HDF5Dataset {
    guard let dataset = datasets[column] else {
      throw .missingDataset(file: path, dataset: column.rawValue)
    }
    return dataset
  }

  /// Opens a column if it is there, and checks its type and that its bytes can be there.
  private static func open(
    _ column: ShardColumn, in file: HDF5File, map: MappedFile, task: ShardTask
  ) throws(FileError) -> HDF5Dataset? {
    let name = column.rawValue
    guard try file.contains(name) else {
      if column.isRequired, !task.goalsAreObservations || column != .achievedGoals {
        throw .missingDataset(file: file.name, dataset: name)
      }
      return nil
    }
    let dataset = try file.dataset(name)
    let types = column.types(for: task.spec)
    guard let type = dataset.type, types.contains(type) else {
      throw .wrongType(
        file: file.name, dataset: name, expected: types.map(\.rawValue).joined(separator: " or "),
        found: dataset.typeDescription)
    }
    try checkBytes(of: dataset, in: file, map: map)
    return dataset
  }

  private func checkShape(of column: ShardColumn) throws(FileError) {
    guard let dataset = datasets[column] else { return }
    let expected = column.shape(
      for: task.spec, steps: steps, episodes: episodes, stateLength: max(1, stateLength),
      imageShape: imageShape, goalsMove: goalsMove)
    guard dataset.shape == expected else {
      throw .wrongShape(
        file: path, dataset: column.rawValue, expected: expected, found: dataset.shape)
    }
  }

  /// Checks the numbers that others are looked up by.
  private func checkNumbers() throws(FileError) {
    if case .discrete(let count) = task.spec.action {
      let actions = try column(.actions, as: Int32.self)
      if let row = actions.firstIndex(where: { !(0..<count).contains(Int($0)) }) {
        throw .wrongValue(
          file: path, dataset: ShardColumn.actions.rawValue, rule: "must be in 0..<\(count)",
          row: row, found: "\(actions[row])")
      }
    }
    let indices = try column(.episodeIndices, as: Int64.self)
    let numbers = 0..<Int64(SizeLimit.episodes)
    if let row = indices.firstIndex(where: { !numbers.contains($0) }) {
      throw .wrongValue(
        file: path, dataset: ShardColumn.episodeIndices.rawValue,
        rule: "must be from 0 up to below 2^32", row: row, found: "\(indices[row])")
    }
  }
}
