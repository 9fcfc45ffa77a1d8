/// A discount, or how to get one from the task: in settings `horizon` or a number.
public enum Discount: Codable, Sendable, Equatable {
  /// γ = 1 − 1 / horizon.
  case horizon
  /// γ itself, in 0..<1.
  case value(Double)

  /// γ for a horizon in steps.
  public func value(horizon: Int) -> Double {
    switch self {
    case .horizon: 1 - 1 / Double(horizon)
    case .value(let value): value
    }
  }

  /// Reads `horizon` or a number in 0..<1.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let value = try? container.decode(Double.self), 0..<1 ~= value {
      self = .value(value)
    } else if let word = try? container.decode(String.self), word == "horizon" {
      self = .horizon
    } else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "one of \"horizon\" and a number from 0 up to below 1")
    }
  }

  /// Writes `horizon` or the number.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .horizon: try container.encode("horizon")
    case .value(let value): try container.encode(value)
    }
  }
}
