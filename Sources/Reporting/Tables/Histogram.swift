/// Counts of values in bins of equal width, each with its lower end and without its upper.
public struct Histogram: Codable, Sendable, Equatable {
  /// The lower end of the first bin.
  public let low: Double
  /// The width of a bin.
  public let width: Double
  /// Values in each bin.
  public let counts: [Int]
  /// Whether the values are whole numbers.
  public let isWhole: Bool

  /// At most some 25 bins whose ends are round numbers; whole values get bins of whole width, and
  /// what is not finite is in none.
  package init(_ all: [Double]) {
    let values = all.filter(\.isFinite)
    let low = values.min() ?? 0
    let high = values.max() ?? 0
    let areWhole = values.allSatisfy { $0 == $0.rounded() }
    let step = Ticks.step(for: high / 25 - low / 25, roundingUp: true)
    isWhole = areWhole
    // Of values that are all the same the bin is narrow, but not so narrow that it has no number.
    let least = max(1e-9 * max(abs(low), abs(high)), .leastNormalMagnitude)
    width = areWhole ? max(1, step) : max(step, least)
    let first = (low / width).rounded(.down)
    self.low = first * width
    var counts = [Int](repeating: 0, count: Int((high / width).rounded(.down) - first) + 1)
    for value in values { counts[Int((value / width).rounded(.down) - first)] += 1 }
    self.counts = counts
  }

  /// Bins that are known already.
  package init(low: Double, width: Double, counts: [Int], isWhole: Bool = false) {
    self.isWhole = isWhole
    self.low = low
    self.width = width
    self.counts = counts
  }
}
