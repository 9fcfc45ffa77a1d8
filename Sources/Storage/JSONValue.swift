import Foundation

/// Any JSON, for comparing settings one by one.
enum JSONValue: Codable, Equatable {
  case null
  case flag(Bool)
  case number(Double)
  case text(String)
  case list([JSONValue])
  case object([String: JSONValue])

  /// The JSON of a value of ours.
  init(_ value: some Encodable) {
    guard let data = try? SealedText.json(value),
      let decoded = try? JSONDecoder().decode(JSONValue.self, from: data)
    else { preconditionFailure("\(type(of: value)) must be writable as JSON") }
    self = decoded
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .flag(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .text(value)
    } else if let value = try? container.decode([JSONValue].self) {
      self = .list(value)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .flag(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .text(let value): try container.encode(value)
    case .list(let value): try container.encode(value)
    case .object(let value): try container.encode(value)
    }
  }

  /// The first place, keys in order, where two values differ.
  func firstDifference(
    from other: JSONValue, path: String
  ) -> (setting: String, mine: String, other: String)? {
    guard self != other else { return nil }
    if case .list(let mine) = self, case .list(let theirs) = other, mine.count == theirs.count {
      for (place, (a, b)) in zip(mine, theirs).enumerated() {
        if let difference = a.firstDifference(from: b, path: "\(path).\(place)") {
          return difference
        }
      }
    }
    guard case .object(let mine) = self, case .object(let theirs) = other else {
      return (path, words, other.words)
    }
    for key in Set(mine.keys).union(theirs.keys).sorted() {
      let inner = path.isEmpty ? key : path + "." + key
      let difference = (mine[key] ?? .null).firstDifference(
        from: theirs[key] ?? .null, path: inner)
      if let difference { return difference }
    }
    return nil
  }

  var words: String {
    switch self {
    case .null: "not set"
    case .flag(let value): "\(value)"
    case .number(let value): value == value.rounded() ? String(format: "%.0f", value) : "\(value)"
    case .text(let value): "'\(value)'"
    case .list(let values): "[" + values.map(\.words).joined(separator: ", ") + "]"
    case .object(let values): "an object of \(values.keys.sorted().joined(separator: ", "))"
    }
  }
}
