import Foundation
import GoalCore
import HDF5
import Parquet
import Storage
import Support

/// Writes a LeRobot dataset, and knows what goes where.
struct LeRobotWriting {
  private let request: FormatRequest
  private let folder: URL
  private let features: [Feature]
  /// Columns that LeRobot has no place for.
  private let rest: [(path: String, column: SourceColumn)]
  /// Columns of which the last state of each episode is kept beside.
  private let ends: [String]
  private let framesPerSecond: Int
  private(set) var notes = ConversionNotes()

  /// A column of the data.
  private struct Feature {
    let name: String
    let type: HDF5Type
    /// Lengths of a row's axes, at least one.
    let shape: [Int]
    /// A table's rows of it, one for each step.
    let rows: @Sendable (TrajectoryTable, _ first: (episode: Int, step: Int)) -> TableColumn
  }

  /// Bytes of a data file before it is compressed, as LeRobot has them.
  private static let fileBytes = 100_000_000
  private static let filesInChunk = 1000

  init(_ request: FormatRequest, to folder: URL) throws(FileError) {
    self.request = request
    self.folder = folder
    let source = request.source
    let observations = try request.needed(.observations, "every dataset has them")
    let actions = try request.needed(.actions, "every dataset has them")
    let rate = request.task.spec.controlPeriod > 0 ? 1 / request.task.spec.controlPeriod : 1
    framesPerSecond = Int(exactly: min(max(rate.rounded(), 1), 100_000)) ?? 1
    if Double(framesPerSecond) != rate {
      notes.assumed.append(
        "\(framesPerSecond) frames per second, as the format takes whole numbers only")
    }
    var features: [Feature] = []
    var ends: [String] = []
    func addStates(_ column: ShardColumn, _ name: String, _ found: SourceColumn) {
      features.append(
        Feature(name: name, type: found.type, shape: found.rowShape) { table, _ in
          table.stepRows(of: table.known(column))
        })
      ends.append(column.rawValue)
    }
    addStates(.observations, "observation.state", observations)
    if let achieved = source.column(.achievedGoals) {
      addStates(.achievedGoals, "observation.achieved_goal", achieved)
    }
    if let desired = source.column(.desiredGoals) {
      features.append(
        Feature(name: "observation.desired_goal", type: desired.type, shape: desired.rowShape) {
          table, _ in table.desiredGoalsBySteps
        })
      if desired.axis == .states { ends.append(ShardColumn.desiredGoals.rawValue) }
    }
    let actionType = actions.isDiscrete ? HDF5Type.int64 : actions.type
    features.append(
      Feature(name: "action", type: actionType, shape: actions.isDiscrete ? [1] : actions.rowShape)
      {
        table, _ in table.known(.actions).withWideActions()
      })
    if let rewards = source.column(.rewards) {
      features.append(
        Feature(name: "next.reward", type: rewards.type, shape: [1]) { table, _ in
          table.known(.rewards)
        })
    }
    if source.column(.successes) != nil {
      features.append(
        Feature(name: "next.success", type: .bool, shape: [1]) { table, _ in
          let successes = table.known(.successes)
          return TableColumn(
            .bool, axis: .steps, successes.integers().map { UInt8($0 == 0 ? 0 : 1) })
        })
    }
    let rate32 = Float(framesPerSecond)
    features += [
      Feature(name: "next.done", type: .bool, shape: [1]) { table, _ in
        var flags = [UInt8](repeating: 0, count: table.steps)
        for end in table.starts(on: .steps).dropFirst() { flags[end - 1] = 1 }
        return TableColumn(.bool, axis: .steps, flags)
      },
      Feature(name: "timestamp", type: .float32, shape: [1]) { table, _ in
        TableColumn(.float32, axis: .steps, table.frames { _, frame in Float(frame) / rate32 })
      },
      Feature(name: "frame_index", type: .int64, shape: [1]) { table, _ in
        TableColumn(.int64, axis: .steps, table.frames { _, frame in Int64(frame) })
      },
      Feature(name: "episode_index", type: .int64, shape: [1]) { table, first in
        TableColumn(
          .int64, axis: .steps, table.frames { episode, _ in Int64(first.episode + episode) })
      },
      Feature(name: "index", type: .int64, shape: [1]) { table, first in
        TableColumn(.int64, axis: .steps, (0..<table.steps).map { Int64(first.step + $0) })
      },
      Feature(name: "task_index", type: .int64, shape: [1]) { table, _ in
        TableColumn(.int64, axis: .steps, [Int64](repeating: 0, count: table.steps))
      },
    ]
    self.features = features
    self.ends = ends
    let usual: [ShardColumn] = [
      .observations, .actions, .achievedGoals, .desiredGoals, .rewards, .successes,
    ]
    rest = source.columns.filter { path, _ in !usual.contains { $0.rawValue == path } }
      .map { (path: $0.key, column: $0.value) }.sorted { $0.path < $1.path }
    notes.lost.append(
      "the last state of each episode"
        + (rest.isEmpty ? "" : " and \(rest.map(\.path).joined(separator: ", "))")
        + ": LeRobot has no place for them; goalpost takes them back from the folder `\(LeRobot.rest)`"
    )
    notes.computed.append("next.done, 1 in each episode's last row, however it ended")
    if source.column(.desiredGoals)?.axis == .episodes {
      notes.computed.append("the goal of an episode is repeated for each of its steps")
    }
  }

  // MARK: - Writing

  /// Writes all files.
  mutating func write() throws(FileError) {
    try request.check()
    var statistics = features.map { ColumnSums(width: $0.shape.reduce(1, *)) }
    var episodes: (lengths: [Int64], chunks: [Int64], files: [Int64]) = ([], [], [])
    var step = 0
    for (number, block) in request.source.blocks(byteLimit: LeRobotWriting.fileBytes).enumerated() {
      if request.isStopped() { throw .stopped(request.url.path) }
      let table = try request.source.table(of: block)
      let (chunk, file) = (
        number / LeRobotWriting.filesInChunk, number % LeRobotWriting.filesInChunk
      )
      let columns = features.map { $0.rows(table, (block.lowerBound, step)) }
      for (place, column) in columns.enumerated() {
        // In parts, so that little memory is taken.
        let run = max(1, 100_000 / column.width)
        let pieces = stride(from: 0, to: column.rows, by: run).lazy.map {
          column.doubles($0..<min($0 + run, column.rows))
        }
        statistics[place].merge(ColumnSums(width: column.width, pieces: pieces))
      }
      try write(
        zip(features, columns).map { ($0.name, $0.shape == [1] ? 0 : $0.shape.reduce(1, *), $1) },
        rows: table.steps, to: "data", chunk, file)
      try writeRest(of: table, chunk, file)
      episodes.lengths += table.lengths.map { Int64($0) }
      episodes.chunks += table.lengths.map { _ in Int64(chunk) }
      episodes.files += table.lengths.map { _ in Int64(file) }
      step += table.steps
      request.progress(block.count)
    }
    try writeEpisodes(episodes.lengths, episodes.chunks, episodes.files)
    try writeTexts(statistics, steps: step)
  }

  private func path(_ folder: String, _ chunk: Int, _ file: Int) throws(FileError) -> URL {
    func padded(_ number: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, 3 - digits.count)) + digits
    }
    let place = self.folder.appendingPathComponent(folder).appendingPathComponent(
      "chunk-" + padded(chunk))
    do {
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    } catch { throw .writing(request.url.path) }
    return place.appendingPathComponent("file-\(padded(file)).parquet")
  }

  /// Writes columns, of lists of so many numbers or, if that is 0, single ones.
  private func write(
    _ columns: [(name: String, width: Int, column: TableColumn)], rows: Int, to folder: String,
    _ chunk: Int, _ file: Int
  ) throws(FileError) {
    let described = columns.compactMap { name, width, column in
      ParquetType(rawValue: column.type.rawValue).map {
        ParquetTable.Column(name, $0, width: width, data: column.bytes)
      }
    }
    try withExtendedLifetime(columns) { () throws(FileError) in
      try write(described, rows: rows, to: try path(folder, chunk, file))
    }
  }

  private func write(
    _ columns: [ParquetTable.Column], rows: Int, metadata: (key: String, value: String)? = nil,
    to url: URL
  ) throws(FileError) {
    do {
      try ParquetTable.withBytes(of: columns, rows: rows, metadata: metadata, file: url.path) {
        let file = try PartFile(for: url)
        file.append($0)
        try file.commit()
      }
    } catch let error as FileError {
      throw error
    } catch {
      throw .cannotWrite(request.url.path, reason: "\(error)")
    }
  }

  /// Writes a table's part of what LeRobot has no place for.
  private func writeRest(
    of table: TrajectoryTable, _ chunk: Int, _ file: Int
  ) throws(FileError) {
    for axis in [RowAxis.steps, .states, .episodes] {
      var columns = rest.filter { $0.column.axis == axis }.map { path, described in
        (name: path, width: described.rowShape.reduce(1, *), column: table.known(path))
      }
      if axis == .episodes {
        columns += ends.map { path in
          let column = table.known(path)
          let last = column.gathered(
            table.starts(on: .states).dropFirst().lazy.map { ($0 - 1)..<$0 }, count: table.episodes,
            axis: .episodes)
          return (name: "last." + path, width: column.width, column: last)
        }
      }
      guard !columns.isEmpty else { continue }
      try write(
        columns.map { ($0.name, $0.column.rowShape.isEmpty ? 0 : $0.width, $0.column) },
        rows: table.rows(of: axis), to: "\(LeRobot.rest)/\(axis.rawValue)", chunk, file)
    }
  }

  private func writeEpisodes(
    _ lengths: [Int64], _ chunks: [Int64], _ files: [Int64]
  ) throws(FileError) {
    var ends: [Int64] = []
    for length in lengths { ends.append((ends.last ?? 0) + length) }
    let zeros = [Int64](repeating: 0, count: lengths.count)
    let numbers: [(String, [Int64])] = [
      ("episode_index", lengths.indices.map { Int64($0) }), ("length", lengths),
      ("data/chunk_index", chunks), ("data/file_index", files),
      ("dataset_from_index", zip(ends, lengths).map { $0 - $1 }), ("dataset_to_index", ends),
      ("meta/episodes/chunk_index", zeros), ("meta/episodes/file_index", zeros),
    ]
    let columns = numbers.map { ($0, TableColumn(.int64, axis: .episodes, $1)) }
    let texts = ParquetTable.Column(
      "tasks", texts: lengths.map { _ in request.task.identifier }, inLists: true)
    try withExtendedLifetime(columns) { () throws(FileError) in
      try write(
        columns.map { ParquetTable.Column($0, .int64, width: 0, data: $1.bytes) } + [texts],
        rows: lengths.count, to: try path("meta/episodes", 0, 0))
    }
    let number = TableColumn(.int64, axis: .episodes, [Int64(0)])
    // pandas takes the column of texts for the table's index if the file says so.
    let pandas = """
      {"index_columns": ["task"], "column_indexes": [], "columns": [\
      {"name": "task_index", "field_name": "task_index", "pandas_type": "int64", "numpy_type": "int64", "metadata": null}, \
      {"name": "task", "field_name": "task", "pandas_type": "unicode", "numpy_type": "object", "metadata": null}], \
      "creator": {"library": "goalpost", "version": "1"}, "pandas_version": "2.0.0"}
      """
    try withExtendedLifetime(number) { () throws(FileError) in
      try write(
        [
          ParquetTable.Column("task_index", .int64, width: 0, data: number.bytes),
          ParquetTable.Column("task", texts: [request.task.identifier], inLists: false),
        ], rows: 1, metadata: ("pandas", pandas),
        to: folder.appendingPathComponent("meta/tasks.parquet"))
    }
  }

  private func writeTexts(_ statistics: [ColumnSums], steps: Int) throws(FileError) {
    let episodes = request.source.lengths.count
    var described: [String: JSONValue] = [:]
    var sums: [String: JSONValue] = [:]
    for (feature, found) in zip(features, statistics) {
      described[feature.name] = .object([
        "dtype": .text(LeRobotWriting.numpyName(feature.type)),
        "shape": .list(feature.shape.map { .integer($0) }), "names": .null,
      ])
      sums[feature.name] = LeRobotWriting.value(of: found)
    }
    let info: [String: JSONValue] = [
      "codebase_version": .text("v3.0"), "robot_type": .null, "fps": .integer(framesPerSecond),
      "total_episodes": .integer(episodes), "total_frames": .integer(steps),
      "total_tasks": .integer(1), "chunks_size": .integer(LeRobotWriting.filesInChunk),
      "data_files_size_in_mb": .integer(LeRobotWriting.fileBytes / 1_000_000),
      "video_files_size_in_mb": .integer(200),
      "data_path": .text("data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"),
      "video_path": .null, "splits": .object(["train": .text("0:\(episodes)")]),
      "features": .object(described),
    ]
    let shapes = rest.map { ($0.path, JSONValue.list($0.column.rowShape.map { .integer($0) })) }
    let world: [String: JSONValue] = [
      "environment": .text(request.task.identifier),
      "shapes": .object(Dictionary(shapes) { first, _ in first }),
    ]
    for (name, object) in [
      ("meta/info.json", info), ("meta/stats.json", sums), (LeRobot.rest + "/world.json", world),
    ] {
      guard let data = JSONValue.object(object).foreignText(pretty: true) else {
        throw .cannotWrite(
          request.url.path, reason: "\(name) has a number that JSON has not, as NaN or infinity")
      }
      try PartFile.write(data, to: folder.appendingPathComponent(name))
    }
  }

  private static func value(of sums: ColumnSums) -> JSONValue {
    func list(_ values: [Double]) -> JSONValue { .list(values.map { .number($0) }) }
    return .object([
      "min": list(sums.minimum), "max": list(sums.maximum), "mean": list(sums.mean),
      "std": list(sums.standardDeviation), "count": .list([.integer(sums.count)]),
    ])
  }

  private static func numpyName(_ type: HDF5Type) -> String {
    switch type {
    case .float32: "float32"
    case .float64: "float64"
    case .int32: "int32"
    case .int64: "int64"
    case .bool: "bool"
    case .uint8: "uint8"
    default: type.rawValue
    }
  }
}

extension TrajectoryTable {
  /// Rows of states without the last of each episode.
  fileprivate func stepRows(of states: TableColumn) -> TableColumn {
    states.gathered(
      zip(starts(on: .states), lengths).lazy.map { $0..<($0 + $1) }, count: steps, axis: .steps)
  }

  /// A value for each step, of its episode's place in the table and its own in the episode.
  fileprivate func frames<Value>(_ value: (_ episode: Int, _ frame: Int) -> Value) -> [Value] {
    lengths.enumerated().flatMap { episode, length in (0..<length).map { value(episode, $0) } }
  }
}
