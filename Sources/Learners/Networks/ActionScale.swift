internal import GoalCore

/// The map between a world's actions and the unit cube [−1, 1]ᴬ: a = middle + half · u.
struct ActionScale: Sendable, Equatable {
  /// The middle of each range, in the world's units, `[A]`.
  let middle: [Float]
  /// Half the width of each range, `[A]`.
  let half: [Float]
  private let low: [Float]
  private let high: [Float]
  private let isIdentity: Bool

  /// The map for a continuous space; `nil` for a discrete one.
  init?(_ space: ActionSpace) {
    guard case .continuous(let low, let high) = space else { return nil }
    middle = zip(low, high).map { ($0 + $1) / 2 }
    half = zip(low, high).map { ($1 - $0) / 2 }
    precondition(
      half.allSatisfy { $0 > 0 && $0.isFinite }, "an action's range has a width: \(low) to \(high)")
    (self.low, self.high) = (low, high)
    isIdentity = middle.allSatisfy { $0 == 0 } && half.allSatisfy { $0 == 1 }
  }

  /// Numbers in an action, `A`.
  var length: Int { middle.count }

  /// The world's action of a point `[A]` in the unit cube; it lies in the space to the last bit,
  /// but for numbers that are not finite, which become not-a-number.
  func world(_ unit: [Float]) -> [Float] {
    unit.indices.map { k in
      unit[k].isFinite
        ? (middle[k] + half[k] * unit[k]).clamped(from: low[k], to: high[k]) : .nan
    }
  }

  /// Points `[B, A]` in the unit cube of the world's actions `[B, A]`.
  func unit(_ actions: [Float]) -> [Float] {
    if isIdentity { return actions }
    return actions.indices.map { (actions[$0] - middle[$0 % length]) / half[$0 % length] }
  }
}
