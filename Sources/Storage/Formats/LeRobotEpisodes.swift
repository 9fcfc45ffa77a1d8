import Foundation
import GoalCore
import HDF5

/// Episodes of a LeRobot dataset.
struct LeRobotEpisodes: TrajectorySource {
  let lengths: [Int]
  let columns: [String: SourceColumn]
  let environment: String?
  let notes: ConversionNotes
  private let all: [String: Stored]
  /// Rows of the data before each episode, and in all.
  private let rows: [Int]
  /// The dataset's path, for messages.
  private let folder: String

  /// A column's rows, and what they are for.
  private struct Stored: Sendable {
    enum Kind: Sendable {
      /// A row for each row of the data, of which the last of an episode is left out if its end is not known.
      case steps
      /// A row for each row of the data, and where ends are known one for each episode.
      case states(ends: TableColumn?)
      /// A row for each row of the data, of which an episode's first counts.
      case firsts
      /// A row for each of what its axis says.
      case own
    }
    let column: TableColumn
    let kind: Kind
    let type: HDF5Type
  }

  init(_ url: URL, _ options: FormatOptions) throws(StorageError) {
    var opening = try Opening(url, options)
    try opening.addObservations()
    try opening.addActions()
    try opening.addOthers()
    try opening.addOwn()
    lengths = opening.lengths
    rows = opening.rows
    folder = url.path
    all = opening.all
    columns = all.mapValues { stored in
      let axis: RowAxis =
        switch stored.kind {
        case .steps: .steps
        case .states: .states
        case .firsts: .episodes
        case .own: stored.column.axis
        }
      return SourceColumn(stored.type, rowShape: stored.column.rowShape, axis: axis)
    }
    environment = opening.environment
    notes = opening.notes
  }

  func table(
    of episodes: Range<Int>, only wanted: Set<String>?
  ) throws(StorageError) -> TrajectoryTable {
    var table = TrajectoryTable(
      indices: episodes.map { Int64($0) }, lengths: Array(lengths[episodes]))
    let starts = rows[episodes.lowerBound..<episodes.upperBound]
    let spans = zip(starts, table.lengths).map { $0..<($0 + $1) }
    let first = (steps: lengths[..<episodes.lowerBound].reduce(0, +), episode: episodes.lowerBound)
    for (path, stored) in all where wanted?.contains(path) ?? true {
      let column: TableColumn
      switch stored.kind {
      case .steps: column = stored.column.gathered(spans, count: table.steps, axis: .steps)
      case .states(let ends?):
        let known = stored.column.gathered(spans, count: table.steps, axis: .steps)
        column = table.rows(known, withLast: ends.slice(episodes))
      case .states(nil):
        let whole = rows[episodes.lowerBound]..<rows[episodes.upperBound]
        column = stored.column.slice(whole).viewed(rowShape: stored.column.rowShape, axis: .states)
      case .firsts:
        column = stored.column.gathered(
          starts.lazy.map { $0..<($0 + 1) }, count: table.episodes, axis: .episodes)
      case .own:
        let start =
          switch stored.column.axis {
          case .steps: first.steps
          case .states: first.steps + first.episode
          case .episodes: first.episode
          }
        column = stored.column.slice(start..<(start + table.rows(of: stored.column.axis)))
      }
      table[path] = try column.converted(to: stored.type, file: folder, path: path)
    }
    return table
  }
}

extension LeRobotEpisodes {
  /// What is found out when a dataset is opened.
  private struct Opening {
    private let url: URL
    private let options: FormatOptions
    private let features: [String: JSONValue]
    private let data: LeRobotRows
    let rows: [Int]
    let lengths: [Int]
    /// The last state of each episode, in a row for each, if the dataset is of ours.
    let ends: LeRobotRows?
    let environment: String?
    private(set) var all: [String: Stored] = [:]
    private(set) var notes = ConversionNotes()
    /// Features that have their place.
    private var used: Set<String> = ["timestamp", "frame_index", "episode_index", "index"]

    init(_ url: URL, _ options: FormatOptions) throws(StorageError) {
      self.url = url
      self.options = options
      let path = url.appendingPathComponent("meta/info.json")
      let info = try PythonJSON.object(contentsOf: path)
      guard case .text(let version)? = info["codebase_version"], version.hasPrefix("v3.") else {
        throw .cannotConvert(
          path.path,
          reason:
            "its codebase_version must be v3.0, found \(shown(info["codebase_version"]?.words ?? "none")): "
            + "bring older ones up with lerobot's `convert_dataset_v21_to_v30`")
      }
      guard case .object(let features)? = info["features"] else {
        throw .malformed(path.path, rule: "must have features", found: "none")
      }
      self.features = features
      let folder = url.appendingPathComponent("data")
      data = try LeRobotRows(LeRobot.parquetFiles(in: folder), of: folder, options)
      let numbers = try data.column("episode_index", rowShape: [], axis: .steps)
      var rows: [Int] = []
      var last: Int?
      for start in stride(from: 0, to: data.count, by: 1 << 16) {
        let part = start..<min(start + 1 << 16, data.count)
        for (place, number) in numbers.integers(part).enumerated() where number != last {
          guard last.map({ number > $0 }) ?? true else {
            throw .wrongValue(
              file: folder.path, dataset: "episode_index", rule: "must not decrease",
              row: start + place, found: "\(number)")
          }
          last = number
          rows.append(start + place)
        }
      }
      rows.append(data.count)
      let rest = url.appendingPathComponent(LeRobot.rest)
      let own = LeRobot.parquetFiles(in: rest.appendingPathComponent("episodes"))
      let ends = own.isEmpty ? nil : try LeRobotRows(own, of: rest, options)
      if let ends, ends.count != rows.count - 1 {
        throw .malformed(
          rest.path, rule: "must have a row for each of \(rows.count - 1) episodes",
          found: "\(ends.count)")
      }
      self.rows = rows
      self.ends = ends
      lengths = zip(rows, rows.dropFirst()).map { $1 - $0 - (ends == nil ? 1 : 0) }
      if let short = lengths.firstIndex(of: 0) {
        throw .cannotConvert(
          folder.path,
          reason: "episode \(short) has one row, so no step of which both states are known")
      }
      if ends == nil {
        notes.lost.append(
          "the action and reward of each episode's last row, as LeRobot does not store where it led"
        )
      }
      let world = rest.appendingPathComponent("world.json")
      if ends != nil,
        case .text(let name)? = try PythonJSON.object(contentsOf: world)["environment"]
      {
        environment = name
      } else {
        environment = nil
      }
    }

    /// The shape of a feature's rows; nil if it is of no numbers, or there is none.
    private func rowShape(_ name: String) throws(StorageError) -> [Int]? {
      guard case .object(let feature)? = features[name], case .text(let type)? = feature["dtype"],
        case .list(let axes)? = feature["shape"],
        type != "video", type != "image", type != "string"
      else { return nil }
      let shape = axes.compactMap(\.integer)
      guard shape.count == axes.count, shape.count <= 8,
        shape.allSatisfy({ $0 > 0 && $0 < 1 << 32 })
      else {
        throw .malformed(
          url.appendingPathComponent("meta/info.json").path,
          rule: "'\(shown(name))' must have a shape of numbers above 0",
          found: shown(JSONValue.list(axes).words))
      }
      return shape
    }

    private mutating func add(
      _ path: String, _ name: String, _ kind: Stored.Kind, isFlat: Bool = false,
      isVector: Bool = false,
      as type: HDF5Type? = nil
    ) throws(StorageError) {
      used.insert(name)
      guard let shape = try rowShape(name) else { return }
      // One number in a row is stored as such.
      let width = shape.reduce(1, *)
      let rowShape = isFlat || !isVector && shape == [1] ? [] : isVector ? [width] : shape
      guard !isFlat || width == 1 else {
        throw .cannotConvert(
          url.path, reason: "'\(shown(name))' must have one number a row, its shape is \(shape)")
      }
      let column = try data.column(name, rowShape: rowShape, axis: .steps)
      all[path] = Stored(column: column, kind: kind, type: type ?? column.type)
    }

    private func end(_ path: String, like name: String) throws(StorageError) -> TableColumn? {
      guard let ends, let shape = try rowShape(name) else { return nil }
      return try ends.column("last." + path, rowShape: [shape.reduce(1, *)], axis: .episodes)
    }

    private mutating func addStates(_ column: ShardColumn, _ name: String) throws(StorageError) {
      let path = column.rawValue
      let end = try end(path, like: name)
      let isFloat = data.isFloat(name)
      if !isFloat {
        notes.computed.append("\(path) as f64, which were \(shown(data.words(of: name)))")
      }
      try add(path, name, .states(ends: end), isVector: true, as: isFloat ? nil : .float64)
      if let end, let own = all[path], end.type != own.column.type {
        throw .malformed(
          url.path, rule: "the ends of \(path) must be \(own.column.type.rawValue)",
          found: end.type.rawValue)
      }
    }

    mutating func addObservations() throws(StorageError) {
      let states = ["observation.state", "observation.environment_state"]
      var known: String?
      for name in states where known == nil { if try rowShape(name) != nil { known = name } }
      guard let known else {
        throw .cannotConvert(
          url.path,
          reason:
            "it must have 'observation.state' or 'observation.environment_state' of numbers, found "
            + shown(features.keys.sorted().joined(separator: ", ")))
      }
      try addStates(.observations, known)
      if try rowShape("observation.achieved_goal") != nil {
        try addStates(.achievedGoals, "observation.achieved_goal")
      }
      let goal = "observation.desired_goal"
      guard let shape = try rowShape(goal) else { return }
      let goals = try data.column(goal, rowShape: [shape.reduce(1, *)], axis: .steps)
      let isConstant = zip(rows, rows.dropFirst()).allSatisfy { start, end in
        goals.slice(start..<(end - 1)).bytes.elementsEqual(goals.slice((start + 1)..<end).bytes)
      }
      if isConstant {
        try add(ShardColumn.desiredGoals.rawValue, goal, .firsts, isVector: true)
      } else {
        try addStates(.desiredGoals, goal)
      }
    }

    mutating func addActions() throws(StorageError) {
      guard let shape = try rowShape("action") else {
        throw .cannotConvert(url.path, reason: "it must have 'action' of numbers, and has none")
      }
      let isFloat = data.isFloat("action")
      guard isFloat || shape.reduce(1, *) == 1 else {
        throw .cannotConvert(
          url.path, reason: "'action' must be floats, or one integer a row, its shape is \(shape)")
      }
      try add(
        ShardColumn.actions.rawValue, "action", .steps, isFlat: !isFloat, isVector: isFloat,
        as: isFloat ? nil : .int32)
      if try rowShape("next.reward") != nil {
        try add(
          ShardColumn.rewards.rawValue, "next.reward", .steps, isFlat: true,
          as: data.isFloat("next.reward") ? nil : .float64)
      }
      if try rowShape("next.success") != nil {
        try add(ShardColumn.successes.rawValue, "next.success", .steps, isFlat: true, as: .uint8)
      }
    }

    /// Adds how episodes ended, extras, and says what is left out.
    mutating func addOthers() throws(StorageError) {
      used.insert("next.done")
      if ends == nil {
        notes.assumed.append(
          "every episode was cut off by time, as LeRobot's next.done is 1 at the end of any")
        for (column, value) in [(ShardColumn.terminated, UInt8(0)), (.truncated, 1)] {
          let flags = TableColumn(
            .uint8, axis: .episodes, [UInt8](repeating: value, count: lengths.count))
          all[column.rawValue] = Stored(column: flags, kind: .own, type: .uint8)
        }
      }
      if case .object? = features["task_index"] {
        used.insert("task_index")
        let tasks = Set(try data.column("task_index", rowShape: [], axis: .steps).integers())
        if tasks.count > 1 {
          try add("extra/task_index", "task_index", .steps, isFlat: true)
          notes.lost.append("the texts of \(tasks.count) tasks; extra/task_index has their numbers")
        }
      }
      for (name, feature) in features.sorted(by: { $0.key < $1.key }) where !used.contains(name) {
        let path = name.split(separator: ".", omittingEmptySubsequences: false).joined(
          separator: "/")
        if ends != nil, name.hasPrefix("extra.") { continue }
        guard isColumnPath(path), try rowShape(name) != nil, data.type(of: name) != nil else {
          notes.lost.append(
            "'\(shown(name))', \(shown(feature.words)), which is not a plainly named row of numbers"
          )
          continue
        }
        try add("extra/" + path, name, .steps)
      }
    }

    /// Adds what stands below `goalpost`.
    mutating func addOwn() throws(StorageError) {
      guard ends != nil else { return }
      let steps = lengths.reduce(0, +)
      for axis in [RowAxis.steps, .states, .episodes] {
        let folder = url.appendingPathComponent("\(LeRobot.rest)/\(axis.rawValue)")
        let files = LeRobot.parquetFiles(in: folder)
        if files.isEmpty { continue }
        let own = try LeRobotRows(files, of: folder, options)
        let count = axis == .steps ? steps : axis == .states ? steps + lengths.count : lengths.count
        guard own.count == count else {
          throw .malformed(folder.path, rule: "must have \(count) rows", found: "\(own.count)")
        }
        let world = try PythonJSON.object(
          contentsOf: url.appendingPathComponent("\(LeRobot.rest)/world.json"))
        for path in own.names where !path.hasPrefix("last.") {
          guard case .object(let shapes)? = world["shapes"], case .list(let axes)? = shapes[path],
            axes.count <= 8
          else {
            throw .malformed(
              folder.path, rule: "world.json must have the shape of '\(shown(path))'", found: "none"
            )
          }
          let column = try own.column(path, rowShape: axes.compactMap(\.integer), axis: axis)
          let isFlag =
            path == ShardColumn.terminated.rawValue || path == ShardColumn.truncated.rawValue
          guard isFlag && axis == .episodes && column.type == .uint8 && column.rowShape.isEmpty
          else {
            try RestColumn.check(
              path, axis, column.type, rank: 1 + column.rowShape.count,
              words: "'\(shown(path))'", "\(column.type.rawValue) of shape \(column.rowShape)",
              file: folder.path)
            all[path] = Stored(column: column, kind: .own, type: column.type)
            continue
          }
          all[path] = Stored(column: column, kind: .own, type: column.type)
        }
      }
    }
  }
}
