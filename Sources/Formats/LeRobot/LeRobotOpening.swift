import Foundation
import GoalCore
import HDF5
import Storage
import Support

/// The layout found when a LeRobot dataset is opened: where episodes end, which columns there are,
/// what is lost.
struct LeRobotOpening {
  /// A column's rows, and what they are for.
  struct Stored: Sendable {
    enum Kind: Sendable {
      /// A row for each row of the data, of which the last of an episode is left out if its end is
      /// not known.
      case steps
      /// A row for each row of the data, and if ends are known one for each episode.
      case states(ends: TableColumn?)
      /// A row for each row of the data, of which an episode's first counts.
      case firsts
      /// A row for each of what its axis says.
      case own
      /// The rows of others, of one type, side by side.
      case joined([Stored])
    }
    /// Its numbers; of what is joined, those of the first.
    let column: TableColumn
    let kind: Kind
    let type: HDF5Type

    var rowShape: [Int] {
      guard case .joined(let parts) = kind else { return column.rowShape }
      return [parts.reduce(0) { $0 + $1.column.width }]
    }

    var axis: RowAxis {
      switch kind {
      case .steps: .steps
      case .states, .joined: .states
      case .firsts: .episodes
      case .own: column.axis
      }
    }
  }

  private let url: URL
  private let options: FormatOptions
  private let info: [String: JSONValue]
  private let features: [String: JSONValue]
  private let data: LeRobotRows
  /// The data's rows of each episode that has a step.
  let rows: [Range<Int>]
  let lengths: [Int]
  /// The last state of each episode, in a row for each, if the dataset is of ours.
  private let ends: LeRobotRows?
  let environment: String?
  private(set) var all: [String: Stored] = [:]
  private(set) var notes = ConversionNotes()
  /// Features that have their place.
  private var used: Set<String> = []
  /// Features of which the last row of each episode is left out.
  private var cut: [String] = []

  init(_ url: URL, _ options: FormatOptions) throws(FileError) {
    self.url = url
    self.options = options
    let path = url.appendingPathComponent("meta/info.json")
    info = try PythonJSON.object(contentsOf: path)
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
    let (numbers, all) = try LeRobotOpening.episodes(of: data, in: folder)
    try LeRobotOpening.check(numbers, all, url, options, &notes)
    let rest = url.appendingPathComponent(LeRobot.rest)
    let own = LeRobot.parquetFiles(in: rest.appendingPathComponent("episodes"))
    let ends = own.isEmpty ? nil : try LeRobotRows(own, of: rest, options)
    if let ends, ends.count != all.count {
      throw .malformed(
        rest.path, rule: "must have a row for each of \(all.count) episodes", found: "\(ends.count)"
      )
    }
    self.ends = ends
    let isOurs = ends != nil
    let kept = all.indices.filter { isOurs || all[$0].count > 1 }
    guard !kept.isEmpty else {
      throw .cannotConvert(
        folder.path,
        reason: "all \(all.count) episodes have one row, so no step of which both states are known")
    }
    rows = kept.map { all[$0] }
    lengths = rows.map { $0.count - (isOurs ? 0 : 1) }
    if let short = all.first(where: { $0.count == 1 }), kept.count < all.count {
      notes.lost.append(
        "\(all.count - kept.count) of \(all.count) episodes, which have one row and nothing to say where it "
          + "led, first row \(short.lowerBound)")
    }
    let world = rest.appendingPathComponent("world.json")
    if isOurs, case .text(let name)? = try PythonJSON.object(contentsOf: world)["environment"] {
      environment = name
    } else {
      environment = nil
    }
    if numbers != Array(0..<numbers.count) || kept.count < all.count {
      used.insert("episode_index")
      let column = try data.column("episode_index", rowShape: [], axis: .steps)
      self.all["extra/episode_index"] = Stored(column: column, kind: .firsts, type: column.type)
    }
  }

  /// The number and the rows of each episode of the data.
  private static func episodes(
    of data: LeRobotRows, in folder: URL
  ) throws(FileError) -> (numbers: [Int], rows: [Range<Int>]) {
    let column = try data.column("episode_index", rowShape: [], axis: .steps)
    var numbers: [Int] = []
    var starts: [Int] = []
    for start in stride(from: 0, to: data.count, by: 1 << 16) {
      let part = start..<min(start + 1 << 16, data.count)
      for (place, number) in column.integers(part).enumerated() where number != numbers.last {
        guard numbers.last.map({ number > $0 }) ?? (number >= 0) else {
          throw .wrongValue(
            file: folder.path, dataset: "episode_index",
            rule: "must be 0 or more and not decrease", row: start + place, found: "\(number)")
        }
        numbers.append(number)
        starts.append(start + place)
      }
    }
    let ends = starts.dropFirst() + [data.count]
    return (numbers, zip(starts, ends).map { $0..<$1 })
  }

  /// Holds episodes to what `meta/episodes` says of them.
  private static func check(
    _ numbers: [Int], _ rows: [Range<Int>], _ url: URL, _ options: FormatOptions,
    _ notes: inout ConversionNotes
  ) throws(FileError) {
    let folder = url.appendingPathComponent("meta/episodes")
    let files = LeRobot.parquetFiles(in: folder)
    if files.isEmpty { return }
    let listed = try LeRobotRows(files, of: folder, options)
    guard listed.count == rows.count else {
      throw .malformed(
        folder.path, rule: "must have a row for each of \(rows.count) episodes of the data",
        found: "\(listed.count)")
    }
    for (name, wanted) in [("episode_index", numbers), ("length", rows.map(\.count))]
    where listed.names.contains(name) {
      let found = try listed.column(name, rowShape: [], axis: .episodes).integers()
      if let place = found.indices.first(where: { found[$0] != wanted[$0] }) {
        throw .wrongValue(
          file: folder.path, dataset: name, rule: "must be \(wanted[place]), as in the data",
          row: place, found: "\(found[place])")
      }
    }
  }

  /// The shape of a feature's rows; nil if it holds no numbers, or is missing.
  private func rowShape(_ name: String) throws(FileError) -> [Int]? {
    guard case .object(let feature)? = features[name], case .text(let type)? = feature["dtype"],
      case .list(let axes)? = feature["shape"],
      type != "video", type != "image", type != "string"
    else { return nil }
    let shape = axes.compactMap(\.integer)
    guard shape.count == axes.count, LeRobotOpening.isRowShape(shape) else {
      throw .malformed(
        url.appendingPathComponent("meta/info.json").path,
        rule: "'\(shown(name))' must have a shape of at most 8 axes and 2³² numbers",
        found: shown(JSONValue.list(axes).words))
    }
    return shape
  }

  private static func isRowShape(_ shape: [Int]) -> Bool {
    var product = 1
    return shape.count <= 8
      && shape.allSatisfy {
        guard (1..<1 << 32).contains($0) else { return false }
        product *= $0
        return product < 1 << 32
      }
  }

  private mutating func add(
    _ path: String, _ name: String, _ kind: Stored.Kind, isFlat: Bool = false,
    isVector: Bool = false, as type: HDF5Type? = nil
  ) throws(FileError) {
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
    if case .steps = kind, ends == nil { cut.append(name) }
  }

  private func end(_ path: String, like name: String) throws(FileError) -> TableColumn? {
    guard let ends, let shape = try rowShape(name) else { return nil }
    return try ends.column("last." + path, rowShape: [shape.reduce(1, *)], axis: .episodes)
  }

  private mutating func addStates(_ column: ShardColumn, _ name: String) throws(FileError) {
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

  mutating func addObservations() throws(FileError) {
    let achieved = "observation.achieved_goal"
    let hasGoals = try rowShape(achieved) != nil
    if let keys = options.observationKeys {
      try addKeys(.observations, keys, option: "--observation-keys")
    } else {
      let states = ["observation.state", "observation.environment_state"]
      var known: [String] = []
      for name in states where try rowShape(name) != nil { known.append(name) }
      guard let first = known.first else {
        throw .cannotConvert(
          url.path,
          reason:
            "it must have 'observation.state' or 'observation.environment_state' of numbers: "
            + (try remedy("--observation-keys")))
      }
      try addStates(.observations, first)
      if known.count > 1 {
        notes.assumed.append(
          "observations are \(first), and \(known[1]) is an extra: --observation-keys "
            + "\(known.joined(separator: ",")) joins them")
      }
    }
    if let keys = options.goalKeys {
      guard !hasGoals else {
        throw .cannotConvert(
          url.path, reason: "--goal-keys has nothing to join: \(achieved) is one array")
      }
      try addKeys(.achievedGoals, keys, option: "--goal-keys")
    } else if hasGoals {
      try addStates(.achievedGoals, achieved)
    }
    let goal = "observation.desired_goal"
    guard let shape = try rowShape(goal) else { return }
    let goals = try data.column(goal, rowShape: [shape.reduce(1, *)], axis: .steps)
    let isConstant = rows.allSatisfy { rows in
      goals.slice(rows.dropLast()).bytes.elementsEqual(goals.slice(rows.dropFirst()).bytes)
    }
    if isConstant {
      try add(ShardColumn.desiredGoals.rawValue, goal, .firsts, isVector: true)
    } else {
      try addStates(.desiredGoals, goal)
    }
  }

  /// The remedy for missing observations or goals: the features that can be
  /// joined.
  private func remedy(_ option: String) throws(FileError) -> String {
    var names: [String] = []
    for name in features.keys.sorted() where name.hasPrefix("observation.") {
      if try rowShape(name) != nil, data.type(of: name) != nil { names.append(shown(name)) }
    }
    return names.isEmpty
      ? "found \(shown(features.keys.sorted(), atMost: 12))"
      : "say which make it, in order, with \(option) \(names.joined(separator: ","))"
  }

  /// Adds observations or achieved goals that are joined from features of these names, which must
  /// be numbers.
  private mutating func addKeys(
    _ column: ShardColumn, _ keys: [String], option: String
  ) throws(FileError) {
    guard ends == nil else {
      throw .cannotConvert(
        url.path,
        reason:
          "\(option) has nothing to join: in data that Goalpost wrote, each column has its place")
    }
    var columns: [TableColumn] = []
    for key in keys {
      guard let shape = try rowShape(key), data.type(of: key) != nil else {
        throw .cannotConvert(
          url.path,
          reason: "\(option) names '\(shown(key))', which is no feature of numbers: "
            + (try remedy(option)))
      }
      used.insert(key)
      columns.append(try data.column(key, rowShape: [shape.reduce(1, *)], axis: .steps))
    }
    let type: HDF5Type = columns.contains { !$0.type.fitsFloat } ? .float64 : .float32
    all[column.rawValue] = Stored(
      column: columns[0],
      kind: .joined(columns.map { Stored(column: $0, kind: .states(ends: nil), type: type) }),
      type: type)
    notes.assumed.append(
      "\(column.rawValue): \(shown(keys)), joined in this order as \(type.rawValue), as \(option) says"
    )
  }

  mutating func addActions() throws(FileError) {
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

  /// Adds how episodes ended, and passes over what follows from where a row stands, if it does.
  mutating func addPlaces() throws(FileError) {
    if ends == nil {
      notes.assumed.append(
        "every episode was cut off by time, as LeRobot's next.done is 1 at the end of any")
      for (column, value) in [(ShardColumn.terminated, UInt8(0)), (.truncated, 1)] {
        let flags = TableColumn(
          .uint8, axis: .episodes, [UInt8](repeating: value, count: lengths.count))
        all[column.rawValue] = Stored(column: flags, kind: .own, type: .uint8)
      }
    }
    let rate: Double =
      switch info["fps"] {
      case .integer(let rate)?: Double(rate)
      case .number(let rate)?: rate
      default: .nan
      }
    var follow: [String] = []
    func passOver(
      _ name: String, _ expected: (_ row: Int, _ frame: Int, _ isLast: Bool) -> Double,
      tolerance: Double = 0
    ) throws(FileError) -> Bool {
      guard let shape = try rowShape(name), shape.allSatisfy({ $0 == 1 }),
        data.type(of: name) != nil
      else { return false }
      let column = try data.column(name, rowShape: [], axis: .steps)
      return rows.allSatisfy { rows in
        zip(rows, column.doubles(rows)).allSatisfy { row, found in
          let frame = row - rows.lowerBound
          return abs(expected(row, frame, frame == rows.count - 1) - found) <= tolerance
        }
      }
    }
    if try passOver("frame_index", { _, frame, _ in Double(frame) }) {
      follow.append("frame_index")
    }
    if try passOver("index", { row, _, _ in Double(row) }) { follow.append("index") }
    // The tolerance of LeRobot's own check.
    if try passOver("timestamp", { _, frame, _ in Double(frame) / rate }, tolerance: 1e-4) {
      follow.append("timestamp")
    }
    if try passOver("next.done", { _, _, isLast in isLast ? 1 : 0 }) { follow.append("next.done") }
    if all["extra/episode_index"] == nil { follow.append("episode_index") }
    used.formUnion(follow)
    if ends == nil, !follow.isEmpty {
      notes.lost.append(
        "\(follow.joined(separator: ", ")), which follow from where a row stands and from fps, "
          + "\(shown(info["fps"]?.words ?? "none"))")
    }
  }

  /// Adds extras, and says what is left out.
  mutating func addOthers() throws(FileError) {
    if try rowShape("task_index") != nil, data.type(of: "task_index") != nil {
      used.insert("task_index")
      let tasks = Set(try data.column("task_index", rowShape: [], axis: .steps).integers())
      if tasks.count > 1 { try add("extra/task_index", "task_index", .steps, isFlat: true) }
      if ends == nil {
        notes.lost.append(
          "the texts of meta/tasks.parquet"
            + (tasks.count > 1
              ? "; extra/task_index has the numbers of \(tasks.count)"
              : " and task_index, which has one number"))
      }
    }
    for (name, feature) in features.sorted(by: { $0.key < $1.key }) where !used.contains(name) {
      let path = name.split(separator: ".", omittingEmptySubsequences: false).joined(separator: "/")
      guard isColumnPath(path), try rowShape(name) != nil, data.type(of: name) != nil else {
        notes.lost.append(
          "'\(shown(name))', \(shown(feature.words)), which is not a plainly named row of numbers")
        continue
      }
      // An observation of the last row is one of the last state.
      let isState = name.hasPrefix("observation.") && ends == nil
      try add("extra/" + path, name, isState ? .states(ends: nil) : .steps)
    }
    let others = data.names.filter { features[$0] == nil }
    if !others.isEmpty {
      notes.lost.append(
        "\(shown(others)), columns of the data that are no features of meta/info.json"
      )
    }
  }

  /// Adds what stands below `goalpost`.
  mutating func addOwn() throws(FileError) {
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
          axes.compactMap(\.integer).count == axes.count,
          LeRobotOpening.isRowShape(axes.compactMap(\.integer))
        else {
          throw .malformed(
            folder.path, rule: "world.json must have the shape of '\(shown(path))'", found: "none")
        }
        let column = try own.column(path, rowShape: axes.compactMap(\.integer), axis: axis)
        let isFlag =
          [ShardColumn.terminated.rawValue, ShardColumn.truncated.rawValue].contains(path)
          && axis == .episodes && column.type == .uint8 && column.rowShape.isEmpty
        if !isFlag {
          try RestColumn.check(
            path, axis, column.type, rank: 1 + column.rowShape.count, words: "'\(shown(path))'",
            "\(column.type.rawValue) of shape \(column.rowShape)", file: folder.path)
        }
        all[path] = Stored(column: column, kind: .own, type: column.type)
      }
    }
  }

  /// Says what is left of each episode's last row, and of the files that describe the data.
  mutating func finish() throws(FileError) {
    guard ends == nil else { return }
    notes.lost.append(
      "\(shown(cut)) of each episode's last row, as LeRobot does not store where it led"
    )
    let layout: Set<String> = [
      "codebase_version", "features", "total_episodes", "total_frames", "total_tasks",
      "chunks_size",
      "data_files_size_in_mb", "video_files_size_in_mb", "data_path", "video_path", "fps",
    ]
    var described = info.keys.filter { !layout.contains($0) && info[$0] != .null }
    let named = features.filter {
      if case .object(let feature) = $0.value { feature["names"] ?? .null != .null } else { false }
    }
    if !named.isEmpty { described.append("names of the numbers of \(named.count) features") }
    if !described.isEmpty {
      notes.lost.append("\(shown(described.sorted())) of meta/info.json")
    }
    let statistics = "meta/stats.json"
    if FileManager.default.fileExists(atPath: url.appendingPathComponent(statistics).path) {
      notes.lost.append("\(statistics), which is counted from the data")
    }
    let folder = url.appendingPathComponent("meta/episodes")
    let files = LeRobot.parquetFiles(in: folder)
    guard !files.isEmpty else { return }
    let listed = try LeRobotRows(files, of: folder, options).names.filter {
      !["episode_index", "length"].contains($0)
    }
    if !listed.isEmpty {
      let few = listed.filter { !$0.hasPrefix("stats/") }
      let more = listed.count - few.count
      notes.lost.append(
        "\(shown((few + (more > 0 ? ["\(more) of stats"] : [])).joined(separator: ", "))) of meta/episodes, which "
          + "say where rows lie, and which tasks and statistics they have")
    }
  }
}
