import GoalCore
public import Support

/// Count, extremes, mean and spread of each dimension of a column, in a form that can be merged.
///
/// Rows are added in order, relative to the first row, so that nothing cancels; parts are merged by
/// Chan, Golub and LeVeque's formula (1979). The result depends on the order only in the last bits,
/// and the order is fixed: rows in a shard, then shards by number.
public struct ColumnSums: Codable, CheckedValue, Equatable {
  /// Rows.
  public private(set) var count = 0
  /// The lowest value of each dimension; not-a-number is passed over.
  public private(set) var minimum: [Double]
  /// The highest value of each dimension; not-a-number is passed over.
  public private(set) var maximum: [Double]
  /// The mean of each dimension.
  public private(set) var mean: [Double]
  /// Sums of squared deviations from the mean.
  public private(set) var squares: [Double]

  /// Sums of no rows.
  public init(width: Int) {
    minimum = Array(repeating: .infinity, count: width)
    maximum = Array(repeating: -.infinity, count: width)
    mean = Array(repeating: 0, count: width)
    squares = mean
  }

  /// Reads sums, and throws `InvalidValue` for those of no column.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    count = try values.decode(Int.self, forKey: .count)
    minimum = try values.decode([Double].self, forKey: .minimum)
    maximum = try values.decode([Double].self, forKey: .maximum)
    mean = try values.decode([Double].self, forKey: .mean)
    squares = try values.decode([Double].self, forKey: .squares)
    try check(in: decoder)
  }

  /// Throws `InvalidValue` unless all have the same number of dimensions, and rows can be counted.
  public func check() throws(InvalidValue) {
    try InvalidValue.require(count, in: 0...SizeLimit.steps + SizeLimit.episodes, "count")
    try InvalidValue.require(mean.count, in: 1...SizeLimit.numbers, "mean's length")
    for (key, values) in [("minimum", minimum), ("maximum", maximum), ("squares", squares)] {
      try InvalidValue.require(
        values.count == mean.count, key, "must have \(mean.count) numbers, as mean has",
        found: "\(values.count)")
    }
  }

  /// Throws `InvalidValue` unless these are sums over `rows` rows of `width` numbers.
  func check(rows: Int, width: Int) throws(InvalidValue) {
    try InvalidValue.require(count == rows, "count", "must be \(rows), the rows", found: "\(count)")
    try InvalidValue.require(
      mean.count == width, "mean", "must have \(width) numbers", found: "\(mean.count)")
  }

  /// Sums of the rows of several pieces, `[n, width]` each, one after the other.
  public init(width: Int, pieces: some Sequence<[Float]>) {
    self.init(width, pieces) { ColumnSums.add($0, $1, &$2, &$3, &$4, &$5) }
  }

  /// The same of floats of 8 bytes.
  public init(width: Int, pieces: some Sequence<[Double]>) {
    self.init(width, pieces) { ColumnSums.add($0, $1, &$2, &$3, &$4, &$5) }
  }

  @inline(__always)
  private init<Element: BinaryFloatingPoint>(
    _ width: Int, _ pieces: some Sequence<[Element]>,
    _ add: (
      [Element], [Double], inout [Element], inout [Element], inout [Double], inout [Double]
    ) -> Void
  ) {
    self.init(width: width)
    var low = [Element](repeating: .infinity, count: width)
    var high = [Element](repeating: -.infinity, count: width)
    var origin: [Double] = []
    var sums = [Double](repeating: 0, count: width)
    var products = sums
    for piece in pieces {
      if origin.isEmpty { origin = piece.prefix(width).map { $0.isFinite ? Double($0) : 0 } }
      count += piece.count / width
      add(piece, origin, &low, &high, &sums, &products)
    }
    guard count > 0 else { return }
    for k in 0..<width {
      minimum[k] = Double(low[k])
      maximum[k] = Double(high[k])
      mean[k] = origin[k] + sums[k] / Double(count)
      squares[k] = max(0, products[k] - sums[k] * sums[k] / Double(count))
    }
  }

  /// Adds the rows of another part.
  public mutating func merge(_ other: ColumnSums) {
    precondition(
      mean.count == other.mean.count, "widths \(mean.count) and \(other.mean.count) must be equal")
    guard other.count > 0 else { return }
    let (n, m) = (Double(count), Double(other.count))
    for k in mean.indices {
      minimum[k] = min(minimum[k], other.minimum[k])
      maximum[k] = max(maximum[k], other.maximum[k])
      let difference = other.mean[k] - mean[k]
      squares[k] += other.squares[k] + difference * difference * n * m / (n + m)
      mean[k] += difference * m / (n + m)
    }
    count += other.count
  }

  /// The standard deviation of each dimension, over all rows.
  public var standardDeviation: [Double] {
    squares.map { count > 0 ? ($0 / Double(count)).squareRoot() : 0 }
  }

  /// Adds a piece's rows; the loop over a row is what the compiler makes vectors of.
  @inline(__always)
  private static func add<Element: BinaryFloatingPoint>(
    _ piece: [Element], _ origin: [Double], _ low: inout [Element], _ high: inout [Element],
    _ sums: inout [Double], _ products: inout [Double]
  ) {
    let width = origin.count
    piece.withUnsafeBufferPointer { piece in
      origin.withUnsafeBufferPointer { origin in
        low.withUnsafeMutableBufferPointer { low in
          high.withUnsafeMutableBufferPointer { high in
            sums.withUnsafeMutableBufferPointer { sums in
              products.withUnsafeMutableBufferPointer { products in
                for row in stride(from: 0, to: piece.count, by: width) {
                  for k in 0..<width {
                    let value = piece[row &+ k]
                    low[k] = value < low[k] ? value : low[k]
                    high[k] = value > high[k] ? value : high[k]
                    let deviation = Double(value) - origin[k]
                    sums[k] += deviation
                    products[k] += deviation * deviation
                  }
                }
              }
            }
          }
        }
      }
    }
  }
}
