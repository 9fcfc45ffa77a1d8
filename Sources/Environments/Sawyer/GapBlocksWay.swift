/// The path of the hand of gap-blocks round the blocks: the cheapest one on a grid over the box in
/// which the hand moves.
///
/// Cells in which it would touch a block cost more, the deeper it would be
/// inside.
struct GapBlocksWay {
  /// How far the hand's middle and a block's are apart when they touch, m.
  static let apart = SIMD2<Float>(0.1, 0.122)
  private static let low = SIMD2<Float>(-0.2, 0.4)  // m, of the box
  private static let width: Float = 0.4  // m, of the box
  private static let cell: Float = 0.02  // m
  private static let side = 21  // cells
  private static let clearance: Float = 0.012  // m, of a way past a block
  private static let price: Float = 20  // of a cell inside a block
  private static let neighbours = [
    (1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1),
  ]
  private let costs: [Float]

  /// A way past blocks at these places.
  init(_ blocks: [SIMD2<Float>]) {
    costs = (0..<GapBlocksWay.side * GapBlocksWay.side).map { cell in
      let place = GapBlocksWay.place(of: cell)
      return blocks.reduce(1) { cost, block in
        let offset = (place - block) / (GapBlocksWay.apart + GapBlocksWay.clearance)
        let depth = max(abs(offset.x), abs(offset.y))
        return depth < 1 ? cost + GapBlocksWay.price * (1.2 - depth) : cost
      }
    }
  }

  /// Whether the hand can be at a place, or within 3 cm of it.
  static func isInside(_ place: SIMD2<Float>) -> Bool {
    let offset = place - low
    return offset.min() >= -0.03 && offset.max() <= width + 0.03
  }

  /// Where to go next, at most three cells away; the goal itself when it is that near.
  func next(from: SIMD2<Float>, to goal: SIMD2<Float>) -> SIMD2<Float> {
    let goal = goal.clamped(
      lowerBound: GapBlocksWay.low, upperBound: GapBlocksWay.low + GapBlocksWay.width)
    let (first, last) = (GapBlocksWay.cell(at: from), GapBlocksWay.cell(at: goal))
    let distances = distances(to: last)
    var cell = first
    for _ in 0..<3 where cell != last {
      let step = GapBlocksWay.around(cell).min {
        distances[$0.cell] + costs[$0.cell] * $0.length
          < distances[$1.cell] + costs[$1.cell] * $1.length
      }
      cell = step?.cell ?? cell
    }
    return cell == last ? goal : GapBlocksWay.place(of: cell)
  }

  /// The cost of the cheapest way from each cell, by sweeps to and fro until nothing changes.
  private func distances(to goal: Int) -> [Float] {
    var distances = [Float](repeating: .infinity, count: costs.count)
    distances[goal] = 0
    var changed = true
    var forward = true
    while changed {
      changed = false
      for k in distances.indices {
        let cell = forward ? k : distances.count - 1 - k
        for (next, length) in GapBlocksWay.around(cell)
        where distances[next] + costs[next] * length < distances[cell] {
          distances[cell] = distances[next] + costs[next] * length
          changed = true
        }
      }
      forward.toggle()
    }
    return distances
  }

  private static func around(_ cell: Int) -> [(cell: Int, length: Float)] {
    let (x, y) = (cell % side, cell / side)
    return neighbours.compactMap { dx, dy in
      guard 0..<side ~= x + dx, 0..<side ~= y + dy else { return nil }
      return (cell + dx + side * dy, dx == 0 || dy == 0 ? 1 : 1.4)
    }
  }

  private static func place(of cell: Int) -> SIMD2<Float> {
    low + GapBlocksWay.cell * SIMD2(Float(cell % side), Float(cell / side))
  }

  private static func cell(at place: SIMD2<Float>) -> Int {
    let at = ((place - low) / cell).rounded(.toNearestOrEven)
      .clamped(lowerBound: SIMD2(), upperBound: SIMD2(repeating: Float(side - 1)))
    return Int(at.x) + side * Int(at.y)
  }
}
