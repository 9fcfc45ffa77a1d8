import GoalCore
import Storage

/// Where goals lie: how much of the plane of a goal's first two dimensions they fill.
///
/// The plane is the smallest rectangle around all desired and achieved goals, cut into 20 cells
/// along each dimension. A dimension in which nothing varies, or that goals do not have, is one
/// cell.
public struct GoalCoverage: Codable, Sendable, Equatable {
  /// The plane's cells along a dimension.
  public static let cells = 20

  /// The range of each dimension.
  public struct Extent: Codable, Sendable, Equatable {
    /// The lowest values, `[G]`.
    public let minimum: [Double]
    /// The highest values, `[G]`.
    public let maximum: [Double]
    /// The means, `[G]`.
    public let mean: [Double]
    /// Goals counted.
    public let count: Int

    init(_ sums: ColumnSums) {
      count = sums.count
      // No goals have no range.
      minimum = count > 0 ? sums.minimum : []
      maximum = count > 0 ? sums.maximum : []
      mean = count > 0 ? sums.mean : []
    }
  }

  /// Desired goals: one per episode, or one per state if goals move; without numbers if the data
  /// have none.
  public let desired: Extent
  /// Achieved goals of all states.
  public let achieved: Extent
  /// Cells along the first and the second dimension.
  public let shape: [Int]
  /// The plane's lower corner.
  public let low: [Double]
  /// The plane's upper corner.
  public let high: [Double]
  /// Share of the cells in which a desired goal lies.
  public let desiredShare: Double
  /// Share of the cells in which an achieved goal lies.
  public let achievedShare: Double
  /// Of the cells in which a desired goal lies, the share in which an achieved one lies too.
  public let desiredCellsAchieved: Double
  /// Desired goals in each cell, the first dimension fastest.
  public let desiredCounts: [Int]
  /// Achieved goals in each cell.
  public let achievedCounts: [Int]

  init(_ plane: GoalPlane, desired: ColumnSums, achieved: ColumnSums, counts: GoalPlane.Counts) {
    self.desired = Extent(desired)
    self.achieved = Extent(achieved)
    shape = plane.shape
    low = plane.low
    high = plane.high
    desiredCounts = counts.desired
    achievedCounts = counts.achieved
    let total = Double(counts.desired.count)
    let wanted = counts.desired.indices.filter { counts.desired[$0] > 0 }
    desiredShare = Double(wanted.count) / total
    achievedShare = Double(counts.achieved.count { $0 > 0 }) / total
    let both = wanted.count { counts.achieved[$0] > 0 }
    desiredCellsAchieved = wanted.isEmpty ? 0 : Double(both) / Double(wanted.count)
  }
}

/// The plane that goals are counted in.
struct GoalPlane: Sendable {
  /// Goals in each cell.
  struct Counts: Sendable {
    var desired: [Int]
    var achieved: [Int]

    mutating func merge(_ other: Counts) {
      for cell in desired.indices {
        desired[cell] += other.desired[cell]
        achieved[cell] += other.achieved[cell]
      }
    }
  }

  /// Cells along the first and the second dimension.
  let shape: [Int]
  let low: [Double]
  let high: [Double]

  init(around desired: ColumnSums, _ achieved: ColumnSums) {
    let dimensions = min(2, desired.mean.count)
    var low = (0..<dimensions).map { min(desired.minimum[$0], achieved.minimum[$0]) }
    var high = (0..<dimensions).map { max(desired.maximum[$0], achieved.maximum[$0]) }
    if dimensions == 1 {
      low.append(0)
      high.append(0)
    }
    self.low = low
    self.high = high
    shape = [0, 1].map {
      high[$0] > low[$0] && (high[$0] - low[$0]).isFinite ? GoalCoverage.cells : 1
    }
  }

  /// No goals in any cell.
  var empty: Counts {
    let none = [Int](repeating: 0, count: shape[0] * shape[1])
    return Counts(desired: none, achieved: none)
  }

  /// Counts goals `[n, width]` into cells; those that are not finite are passed over.
  func add(_ goals: UnsafeBufferPointer<Float>, width: Int, to counts: inout [Int]) {
    for row in stride(from: 0, to: goals.count, by: width) {
      var cell = 0
      var isFinite = true
      for k in [1, 0] {
        let value = k < width ? Double(goals[row + k]) : 0
        isFinite = isFinite && value.isFinite
        cell = cell * shape[k] + (isFinite ? place(value, k) : 0)
      }
      if isFinite { counts[cell] += 1 }
    }
  }

  private func place(_ value: Double, _ k: Int) -> Int {
    guard shape[k] > 1 else { return 0 }
    let place = (value - low[k]) / (high[k] - low[k]) * Double(shape[k])
    return Int(place.clamped(from: 0, to: Double(shape[k] - 1)))
  }
}
