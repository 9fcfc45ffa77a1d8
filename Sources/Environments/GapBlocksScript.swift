public import GoalCore

/// Pushes the blocks to their places, one after the other, and lets them glide.
///
/// A block that is left alone comes to rest where it is expected, `b + τ v`: with that, the block is pushed
/// whose resting place is farthest from its goal, along the axis on which it is farther off. The hand goes
/// round the block on the axes to the side behind it, follows it a little deeper than it touches until it
/// glides to the goal, and then leaves it.
public struct GapBlocksScript: GoalPolicy {
  /// Makes the policy.
  public init() {}

  /// Makes an actor.
  public func makeActor() -> any GoalActor { Script() }

  private final class Script: GoalActor {
    private static let glide: Float = 1.25  // s
    private static let near: Float = 0.085  // m, of resting places from goals
    /// How far the hand's middle and a block's are apart when they touch, m.
    private static let apart = SIMD2<Float>(0.1, 0.122)
    private static let depth: Float = 0.07  // m
    /// How much nearer than touching the hand is still behind a block, m.
    private static let behind: Float = 0.07
    private static let gain: Float = 6.3  // units of action a metre
    private static let height: Float = 0.05  // m
    private var goals: [SIMD2<Float>] = []

    func begin(goal: [Float], seed: UInt64) { goals = Script.pairs(goal) }

    func act(_ observation: [Float]) -> Action {
      let hand = SIMD2(observation[0], observation[1])
      let blocks = Script.pairs(Array(observation[3..<9]))
      let speeds = Script.pairs(Array(observation[9..<15]))
      let left = blocks.indices.map { goals[$0] - (blocks[$0] + Script.glide * speeds[$0]) }
      let farthest = left.indices.max { Script.size(left[$0]) < Script.size(left[$1]) } ?? 0
      let move =
        Script.size(left[farthest]) < Script.near
        ? Script.leave(hand, blocks) : Script.push(hand, blocks[farthest], left[farthest])
      let rise = Script.height - observation[2]
      return .continuous([move.x, move.y, rise].map { min(max(Script.gain * $0, -1), 1) } + [1])
    }

    /// Away from the nearest block.
    private static func leave(_ hand: SIMD2<Float>, _ blocks: [SIMD2<Float>]) -> SIMD2<Float> {
      let ways = blocks.map { hand - $0 }
      func nearness(_ way: SIMD2<Float>) -> Float {
        max(abs(way.x) / apart.x, abs(way.y) / apart.y)
      }
      guard let way = ways.min(by: { nearness($0) < nearness($1) }), nearness(way) < 1.25 else {
        return SIMD2()
      }
      return abs(way.x) / apart.x > abs(way.y) / apart.y
        ? SIMD2(way.x > 0 ? 0.04 : -0.04, 0) : SIMD2(0, way.y > 0 ? 0.04 : -0.04)
    }

    /// Behind a block and on, to where it has left to go.
    private static func push(
      _ hand: SIMD2<Float>, _ block: SIMD2<Float>, _ left: SIMD2<Float>
    ) -> SIMD2<Float> {
      let axis = abs(left.y) > abs(left.x) ? 1 : 0
      let side = 1 - axis
      let ahead: Float = left[axis] > 0 ? 1 : -1
      let offset = hand - block
      let (along, across) = (offset[axis] * ahead, offset[side])
      let (touch, clear) = (apart[axis], apart[side] + 0.01)
      var move = SIMD2<Float>()
      if -along > touch - behind {
        if abs(across) < 0.03 {
          move[axis] = ahead * (-along - touch + depth * min(1, abs(left[axis]) / 0.1))
          move[side] = -0.7 * across
        } else {
          move[side] = -across
          move[axis] = ahead * min(0, -along - touch - 0.01)
        }
        return move
      }
      // Round the block, by the side on which the hand is unless that leads out of its box.
      var way: Float = across > 0 ? 1 : -1
      let (low, high): (Float, Float) = side == 0 ? (-0.2, 0.2) : (0.4, 0.8)
      if !(low...high ~= block[side] + way * (clear + 0.02)) { way = -way }
      if way * across < clear {
        if abs(along) < touch, abs(across) < clear - 0.03 {
          move[axis] = ahead * (along > 0 ? touch + 0.03 - along : along - touch - 0.03)
        } else {
          move[side] = way * (clear + 0.03 - way * across)
        }
      } else {
        move[axis] = -ahead * (touch + 0.04 + along)
      }
      return move
    }

    private static func pairs(_ numbers: [Float]) -> [SIMD2<Float>] {
      stride(from: 0, to: numbers.count, by: 2).map { SIMD2(numbers[$0], numbers[$0 + 1]) }
    }

    private static func size(_ v: SIMD2<Float>) -> Float { (v * v).sum().squareRoot() }
  }
}
