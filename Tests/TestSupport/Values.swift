public import GoalCore
public import Support

// For `try #require(…)`: a test of one kind of value fails if it meets another.

extension ActionColumn {
  /// The numbers of continuous actions; nil for discrete ones.
  public var continuous: [Float]? { if case .continuous(let values) = self { values } else { nil } }
}

extension Action {
  /// The numbers of a continuous action; nil for a discrete one.
  public var continuous: [Float]? { if case .continuous(let values) = self { values } else { nil } }
}

extension JSONValue {
  /// The values of an object by name; nil for any other value.
  public var object: [String: JSONValue]? {
    if case .object(let values) = self { values } else { nil }
  }
}
