internal import Foundation

/// A number with a 95 % interval.
public struct Estimate: Codable, Sendable, Equatable {
  /// The estimate.
  public let estimate: Double
  /// Lower end of the interval.
  public let low: Double
  /// Upper end of the interval.
  public let high: Double
  /// How many independent values it rests on: episodes, or seeds.
  public let episodes: Int

  /// Makes an estimate from its parts.
  public init(estimate: Double, low: Double, high: Double, episodes: Int) {
    self.estimate = estimate
    self.low = low
    self.high = high
    self.episodes = episodes
  }

  /// The estimate and its interval with three significant places, as `0.940 [0.875, 0.972]`.
  public var text: String { "\(Self.short(estimate)) [\(Self.short(low)), \(Self.short(high))]" }

  /// A number with three places below 1, two below 100 and one beyond.
  public static func short(_ x: Double) -> String {
    abs(x) < 1 ? String(format: "%.3f", x) : String(format: abs(x) < 100 ? "%.2f" : "%.1f", x)
  }
}
