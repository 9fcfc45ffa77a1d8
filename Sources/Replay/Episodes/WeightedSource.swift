import GoalCore

/// Episodes to draw from, and how often.
public struct WeightedSource: Sendable {
  /// The episodes.
  public let source: any EpisodeSource
  /// The share of a batch's rows that come from it, before all shares are made to add up to 1.
  public var weight: Double

  /// Gives a source a weight, at least 0.
  public init(_ source: any EpisodeSource, weight: Double = 1) {
    precondition(weight >= 0 && weight.isFinite, "a weight is at least 0, found \(weight)")
    self.source = source
    self.weight = weight
  }
}

/// The sources of one batch with their present weights.
struct SourceChoice {
  /// Where the sources' tables lie, in the sources' order.
  private let tables: UnsafePointer<EpisodeTable>
  /// Whether some of the rows are mapped and do not fit into memory.
  let isPaged: Bool
  /// Running sums of the weights, the last 1; empty if one source only has a weight.
  private var limits: [Double] = []
  /// The one source that has a weight; nil of several.
  let only: Int?

  /// The choice among sources by weights, as long as `tables` stay where they are.
  init(_ tables: UnsafeBufferPointer<EpisodeTable>, weights: [Double]) {
    precondition(
      weights.count == tables.count && weights.allSatisfy { $0 >= 0 && $0.isFinite },
      "one weight of at least 0 for each of \(tables.count) sources, found \(weights)")
    guard let start = tables.baseAddress, let first = weights.firstIndex(where: { $0 > 0 }),
      let last = weights.lastIndex(where: { $0 > 0 })
    else {
      preconditionFailure("one weight at least must be above 0, found \(weights)")
    }
    precondition(
      weights.indices.allSatisfy { weights[$0] == 0 || tables[$0].count > 0 },
      "a source without episodes must have the weight 0")
    self.tables = start
    isPaged = tables.contains { $0.placement == .paged }
    only = first == last ? first : nil
    if first < last {
      let total = weights.reduce(0, +)
      var sum = 0.0
      limits = weights.map { weight in
        sum += weight
        return sum / total
      }
      // Rounding must not leave a draw beyond the last source that has a weight.
      for index in last..<limits.count { limits[index] = 1 }
    }
  }

  /// The table of a source.
  @inline(__always)
  func table(_ source: Int) -> UnsafePointer<EpisodeTable> { tables + source }

  @inline(__always)
  func draw(from generator: inout Xoshiro256) -> Int {
    if let only { return only }
    let place = generator.unit()
    return limits.firstIndex { place < $0 } ?? limits.count - 1
  }
}
