import Foundation

// Comparing settings one by one.
extension JSONValue {
  /// The JSON of a value of ours.
  package init(_ value: some Encodable) {
    guard let decoded = try? JSONDecoder().decode(JSONValue.self, from: JSON.pretty(value))
    else { preconditionFailure("\(type(of: value)) must be writable as JSON") }
    self = decoded
  }

  /// The first place, keys in order, where two values differ.
  package func firstDifference(
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

  package var words: String {
    switch self {
    case .null: "not set"
    case .truth(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): value == value.rounded() ? String(format: "%.0f", value) : "\(value)"
    case .text(let value): "'\(value)'"
    case .list(let values): "[" + values.map(\.words).joined(separator: ", ") + "]"
    case .object(let values): "an object of \(values.keys.sorted().joined(separator: ", "))"
    }
  }
}
