import Foundation
import GoalCore
import Storage
import Statistics
import Support

/// Which rows quantiles rest on: all of them, or a uniform sample without replacement.
///
/// The rows are drawn before anything is read (Knuth's algorithm S, TAOCP 2, §3.4.2, from a fixed
/// seed), so they depend on the number of rows only, and not on threads or shards.
struct RowSample: Sendable {
  /// Rows up to which all are taken.
  ///
  /// A sample of so many places the rank of a quantile within ± 0.14 % of all rows, 19 times of 20.
  static let limit = 500_000

  /// Rows in all.
  let total: Int
  /// The rows, ascending; nil if all are taken.
  private let chosen: [Int]?

  init(of total: Int, limit: Int = RowSample.limit) {
    self.total = total
    guard total > limit else {
      chosen = nil
      return
    }
    var generator = Xoshiro256(seed: 0x7175_616e_7469_6c65)
    var rows: [Int] = []
    rows.reserveCapacity(limit)
    for row in 0..<total where generator.below(total - row) < limit - rows.count {
      rows.append(row)
    }
    chosen = rows
  }

  /// How many rows are taken.
  var count: Int { chosen?.count ?? total }

  /// Whether all are.
  var isExact: Bool { chosen == nil }

  /// The values of the rows taken of a part that begins at row `start`; `values` is `[n, width]`.
  func values(
    of values: UnsafeBufferPointer<Float>, width: Int, from start: Int
  ) -> [Float] {
    guard let chosen else { return Array(values) }
    let end = start + values.count / width
    var taken: [Float] = []
    var place = chosen.partitioningIndex { $0 >= start }
    while place < chosen.count, chosen[place] < end {
      let first = (chosen[place] - start) * width
      taken += values[first..<first + width]
      place += 1
    }
    return taken
  }
}

extension [Int] {
  /// The first index whose element meets a condition that all later ones meet too.
  fileprivate func partitioningIndex(_ belongs: (Int) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if belongs(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

/// Statistics of a column, one value a dimension.
public struct ColumnSummary: Codable, Sendable, Equatable {
  /// The fractions of `quantiles`.
  public static let fractions = [0.05, 0.25, 0.5, 0.75, 0.95]

  /// Rows.
  public let rows: Int
  /// The lowest values.
  public let minimum: [Double]
  /// The highest values.
  public let maximum: [Double]
  /// The means.
  public let mean: [Double]
  /// The standard deviations, over all rows.
  public let standardDeviation: [Double]
  /// 5, 25, 50, 75 and 95 % of each dimension, `[width, 5]`, between neighbours in proportion;
  /// not-a-number is passed over.
  public let quantiles: [[Double]]
  /// Rows that the quantiles rest on: all, or a uniform sample of 500,000 drawn from a fixed seed.
  public let quantileRows: Int

  /// Whether the quantiles rest on all rows.
  public var quantilesAreExact: Bool { quantileRows == rows }

  /// Puts sums over all rows and a sample `[n, width]` together.
  init(_ sums: ColumnSums, sample: [Float], workers: Int) throws {
    rows = sums.count
    minimum = sums.minimum
    maximum = sums.maximum
    mean = sums.mean
    standardDeviation = sums.standardDeviation
    let width = sums.mean.count
    quantileRows = sample.count / width
    quantiles = try Parallel.map(count: width, workers: workers, context: {}) { _, dimension in
      let values = stride(from: dimension, to: sample.count, by: width)
        .map { Double(sample[$0]) }.filter { !$0.isNaN }.sorted()
      return Self.fractions.map { values.isEmpty ? .nan : Intervals.quantile(values, $0) }
    }
  }
}
