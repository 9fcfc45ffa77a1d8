import Foundation
import GoalCore
import HDF5
import Storage
import Support

/// The contents of `metadata.json`.
struct MinariMetadata {
  /// Gymnasium's id of the environment.
  let environment: String?
  let totalEpisodes: Int?
  /// The action space; nil if it is no row of numbers with bounds, or no number from 0.
  let actionSpace: ActionSpace?
  /// Its texts for people.
  let others: [String]

  /// Reads a file of up to 64 MB.
  init(contentsOf url: URL) throws(FileError) {
    let object = try PythonJSON.object(contentsOf: url)
    if case .text(let format)? = object["data_format"], format != "hdf5" {
      throw .cannotConvert(
        url.path, reason: "its data are of format '\(shown(format))', and only hdf5 is read")
    }
    totalEpisodes = object["total_episodes"]?.integer
    var found: String?
    var left: [String] = []
    if case .text(let text)? = object["env_spec"] {
      let specification = try PythonJSON.object(text, in: url)
      if case .text(let id)? = specification["id"] { found = id }
      let more = specification.filter { key, value in
        let isEmpty = value == .null || value == .list([]) || value == .object([:])
        return key != "id" && !isEmpty
      }.keys.sorted()
      if !more.isEmpty {
        left.append(
          "metadata.json's env_spec, of which the id is kept: \(shown(more))"
        )
      }
    }
    environment = found
    if case .text(let text)? = object["action_space"] {
      actionSpace = Self.actions(try PythonJSON.object(text, in: url))
    } else {
      actionSpace = nil
    }
    if object["observation_space"] != nil {
      left.append("metadata.json's observation_space: the bounds of observations")
    }
    if actionSpace == nil, object["action_space"] != nil {
      left.append("metadata.json's action_space, which has no finite bounds for a row of numbers")
    }
    let known: Set = [
      "total_episodes", "total_steps", "data_format", "jpeg_encoding", "observation_space",
      "action_space", "env_spec", "dataset_size", "minari_version",
    ]
    let words = object.filter { !known.contains($0.key) && $0.value != .null }.map {
      "metadata.json's \(shown($0.key)), \(shown($0.value.words))"
    }
    others = (words + left).sorted()
  }

  /// The actions that a space of Gymnasium's has.
  private static func actions(_ space: [String: JSONValue]) -> ActionSpace? {
    if space["type"] == .text("Discrete") {
      guard let count = space["n"]?.integer, (1...1_000_000).contains(count),
        (space["start"]?.integer ?? 0) == 0
      else { return nil }
      return .discrete(count: count)
    }
    func bounds(_ key: String) -> [Float]? {
      guard case .list(let values)? = space[key] else { return nil }
      let numbers = values.compactMap { value -> Float? in
        switch value {
        case .integer(let whole): Float(whole)
        case .number(let number): Float(number)
        default: nil
        }
      }
      return numbers.count == values.count && numbers.allSatisfy(\.isFinite) ? numbers : nil
    }
    guard space["type"] == .text("Box"), let low = bounds("low"), let high = bounds("high"),
      !low.isEmpty, low.count == high.count, zip(low, high).allSatisfy({ $0 <= $1 })
    else { return nil }
    return .continuous(low: low, high: high)
  }

  /// The id that a folder's path gives: below `MINARI_DATASETS_PATH` the rest of the path, else the
  /// last two names.
  static func identifier(of url: URL) throws(FileError) -> String {
    let parts = url.standardizedFileURL.pathComponents.filter { $0 != "/" }
    var names = Array(parts.suffix(2))
    if let root = ProcessInfo.processInfo.environment["MINARI_DATASETS_PATH"] {
      let above = URL(fileURLWithPath: root).standardizedFileURL.pathComponents.filter { $0 != "/" }
      if parts.count > above.count, parts.starts(with: above) {
        names = Array(parts.dropFirst(above.count))
      }
    }
    let id = names.joined(separator: "/")
    guard id.wholeMatch(of: #/([-_\w]{2,}/)*[-_\w]+-v\d+/#) != nil else {
      throw .cannotConvert(
        url.path,
        reason:
          "a Minari dataset lies at ROOT/<namespace>/<name>-v<number>, of letters, digits, - and _ "
          + "and at least two of them in the namespace; '\(id)' does not")
    }
    return id
  }

  /// The text of the file for what was written.
  static func text(
    id: String, _ request: FormatRequest, columns: MinariWriting, bytes: Int
  ) throws(FileError) -> String {
    let source = request.source
    let states = box(columns.observations)
    var observation = states
    if let achieved = columns.achieved {
      var spaces = ["\"achieved_goal\": \(box(achieved))"]
      if let desired = columns.desired { spaces.append("\"desired_goal\": \(box(desired))") }
      spaces.append("\"observation\": \(states)")
      observation = "{\"type\": \"Dict\", \"subspaces\": {\(spaces.joined(separator: ", "))}}"
    }
    var object: [String: JSONValue] = [
      "total_episodes": .integer(source.lengths.count),
      "total_steps": .integer(source.steps),
      "data_format": .text("hdf5"), "dataset_id": .text(id), "minari_version": .text("0.5.4"),
      "jpeg_encoding": .truth(false), "observation_space": .text(observation),
      "action_space": .text(action(columns.actions, request.task.spec.action)),
      "dataset_size": .number((Double(bytes) / 100_000).rounded() / 10),
      "algorithm_name": .text("goalpost convert"),
      "description": .text(
        "\(source.lengths.count) episodes of \(request.task.identifier), converted by goalpost"),
    ]
    if let specification = GymnasiumWorld.specification(of: request.task.identifier) {
      object["env_spec"] = .text(specification)
    }
    guard let data = JSONValue.object(object).foreignText() else {
      throw .cannotWrite(request.url.path, reason: "metadata.json has a number that JSON has not")
    }
    return String(decoding: data, as: UTF8.self)
  }

  private static func numpyName(_ type: HDF5Type) -> String {
    switch type {
    case .float32: "float32"
    case .float64: "float64"
    case .int32: "int32"
    default: type.rawValue
    }
  }

  /// A box without bounds, as Gymnasium's goal environments have it.
  private static func box(_ column: SourceColumn) -> String {
    let bounds = { (bound: String) in
      "[" + repeatElement(bound, count: column.width).joined(separator: ", ") + "]"
    }
    return box(column, low: bounds("-Infinity"), high: bounds("Infinity"))
  }

  private static func box(_ column: SourceColumn, low: String, high: String) -> String {
    "{\"type\": \"Box\", \"dtype\": \"\(numpyName(column.type))\", \"shape\": [\(column.width)], "
      + "\"low\": \(low), \"high\": \(high)}"
  }

  private static func action(_ column: SourceColumn, _ space: ActionSpace) -> String {
    switch space {
    case .discrete(let count):
      "{\"type\": \"Discrete\", \"dtype\": \"int64\", \"start\": 0, \"n\": \(count)}"
    case .continuous(let low, let high): box(column, low: "\(low)", high: "\(high)")
    }
  }
}

/// JSON as Python writes it, which has NaN and infinities.
enum PythonJSON {
  /// The object in a file of up to 64 MB.
  static func object(contentsOf url: URL) throws(FileError) -> [String: JSONValue] {
    let data = try WholeFile.read(url, limit: 64_000_000)
    return try object(String(decoding: data, as: UTF8.self), in: url)
  }

  /// The object that a text is; numbers that JSON has not are null.
  static func object(_ text: String, in url: URL) throws(FileError) -> [String: JSONValue] {
    var plain: [UInt8] = []
    var isInside = false
    var isEscaped = false
    var depth = 0
    var rest = Array(text.utf8)[...]
    while let byte = rest.first {
      if !isInside,
        let word = ["-Infinity", "Infinity", "NaN"].first(where: { rest.starts(with: $0.utf8) })
      {
        plain += Array("null".utf8)
        rest = rest.dropFirst(word.utf8.count)
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): if !isEscaped { isInside.toggle() }
      case UInt8(ascii: "["), UInt8(ascii: "{"): if !isInside { depth += 1 }
      case UInt8(ascii: "]"), UInt8(ascii: "}"): if !isInside { depth -= 1 }
      default: break
      }
      isEscaped = isInside && !isEscaped && byte == UInt8(ascii: "\\")
      guard depth <= 100 else {
        throw .malformed(url.path, rule: "must not be nested deeper than 100", found: "\(depth)")
      }
      plain.append(byte)
      rest = rest.dropFirst()
    }
    guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(plain)),
      case .object(let object) = value
    else {
      throw .malformed(
        url.path, rule: "must be an object in JSON", found: "'\(shown(String(text.prefix(40))))'")
    }
    return object
  }
}
