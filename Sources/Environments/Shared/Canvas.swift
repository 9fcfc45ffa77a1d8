internal import GoalCore

/// A picture of the plane that shapes are drawn on, with soft edges.
struct Canvas {
  private(set) var picture: Picture
  private let low: SIMD2<Double>
  private let scale: Double  // pixels a unit
  private let margin: SIMD2<Double>  // pixels

  /// A picture of one colour that shows the rectangle from `low` to `high` in its middle.
  init(
    width: Int, height: Int, low: SIMD2<Double>, high: SIMD2<Double>, colour: SIMD3<Double>
  ) {
    let pixels = SIMD2(Double(width), Double(height))
    self.low = low
    scale = (pixels / (high - low)).min()
    margin = (pixels - (high - low) * scale) / 2
    let bytes = [UInt8](unsafeUninitializedCapacity: width * height * 3) { bytes, count in
      for k in 0..<width * height * 3 { bytes[k] = UInt8(colour[k % 3]) }
      count = width * height * 3
    }
    picture = Picture(width: width, height: height, bytes: bytes)
  }

  /// Fills a disc.
  mutating func disc(_ centre: SIMD2<Double>, radius: Double, _ colour: SIMD3<Double>) {
    fill(centre - SIMD2(repeating: radius), centre + SIMD2(repeating: radius), colour) {
      radius - ($0 - centre).length
    }
  }

  /// Draws a circle, two pixels wide.
  mutating func ring(_ centre: SIMD2<Double>, radius: Double, _ colour: SIMD3<Double>) {
    let outer = SIMD2(repeating: radius + 2 / scale)
    fill(centre - outer, centre + outer, colour) { [scale] in
      1 / scale - abs(($0 - centre).length - radius)
    }
  }

  /// Fills a rectangle.
  mutating func rectangle(
    _ low: SIMD2<Double>, _ high: SIMD2<Double>, _ colour: SIMD3<Double>
  ) {
    fill(low, high, colour) { min(($0 - low).min(), (high - $0).min()) }
  }

  /// Fills a convex polygon, whose corners go round either way; none without corners.
  mutating func polygon(_ corners: [SIMD2<Double>], _ colour: SIMD3<Double>) {
    guard let first = corners.first else { return }
    let ends = corners.reduce((low: first, high: first)) {
      (pointwiseMin($0.low, $1), pointwiseMax($0.high, $1))
    }
    let sides = zip(corners, corners.dropFirst() + [first]).map { start, end in
      (start, SIMD2(start.y - end.y, end.x - start.x) / (end - start).length)
    }
    // The inner side of an edge is that of the middle.
    let middle = corners.reduce(.zero, +) / Double(corners.count)
    let inward = sides.map { start, normal in
      (start, ((middle - start) * normal).sum() < 0 ? -normal : normal)
    }
    fill(ends.low, ends.high, colour) { point in
      inward.reduce(.infinity) { min($0, ((point - $1.0) * $1.1).sum()) }
    }
  }

  /// Mixes a colour in where `inside`, the distance to the shape's edge from within, is above 0.
  private mutating func fill(
    _ from: SIMD2<Double>, _ to: SIMD2<Double>, _ colour: SIMD3<Double>,
    inside: (SIMD2<Double>) -> Double
  ) {
    let first = (from - low) * scale + margin
    let last = (to - low) * scale + margin
    let columns = max(0, Int(first.x) - 1)..<max(0, min(picture.width, Int(last.x) + 2))
    let rows = max(0, Int(first.y) - 1)..<max(0, min(picture.height, Int(last.y) + 2))
    guard columns.lowerBound < columns.upperBound, rows.lowerBound < rows.upperBound else { return }
    for up in rows {
      for column in columns {
        let pixel = SIMD2(Double(column) + 0.5, Double(up) + 0.5)
        let share = min(max(inside((pixel - margin) / scale + low) * scale + 0.5, 0), 1)
        guard share > 0 else { continue }
        let start = ((picture.height - 1 - up) * picture.width + column) * 3
        for k in 0..<3 {
          let mixed = Double(picture.bytes[start + k]) * (1 - share) + colour[k] * share
          picture.bytes[start + k] = UInt8(mixed)
        }
      }
    }
  }
}

extension SIMD2<Double> {
  /// Its Euclidean length.
  var length: Double { (self * self).sum().squareRoot() }
}
