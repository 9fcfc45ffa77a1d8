internal import GoalCore

/// The map between a world's actions and choices among finitely many: `H` heads of `C` classes
/// each.
///
/// A discrete world has one head with a class for each of its actions. A continuous one is
/// discretised to `n` evenly spaced values in each of its `A` dimensions,
///
///     value(k, c) = low_k + c · (high_k − low_k) / (n − 1),   c ∈ {0..n−1}
///
/// either jointly, one head of C = nᴬ classes whose number is Σ_k c_k nᵏ, or independently, a head
/// of C = n classes for each dimension. An action that is none of these values counts as its
/// nearest. GCSL discretises with n = 3, jointly up to 100 classes and independently beyond
/// (github.com/dibyaghosh/gcsl at cfae560, `gcsl/envs/env_utils.py`, `gcsl/algo/variants.py`). The
/// order of joint classes differs from the reference's, which is a permutation without consequence.
struct ActionCodec: Sendable, Equatable {
  /// Heads, `H`.
  let heads: Int
  /// Classes of each head, `C`.
  let classes: Int
  private let space: ActionSpace
  private let bins: Int

  /// The map for a space: `bins` values in each continuous dimension, jointly where that makes at
  /// most `jointLimit` classes.
  init(_ space: ActionSpace, bins: Int, jointLimit: Int) {
    precondition(bins >= 2, "at least 2 values in each dimension, found \(bins)")
    self.space = space
    self.bins = bins
    switch space {
    case .discrete(let count): (heads, classes) = (1, count)
    case .continuous(let low, _):
      var joint = 1
      for _ in low where joint <= jointLimit { joint = [joint, bins].clampedProduct }
      (heads, classes) = joint <= jointLimit ? (1, joint) : (low.count, bins)
    }
  }

  /// The choices `[B, H]` that the actions of a batch come nearest to.
  func choices(of actions: ActionColumn) -> [Int64] {
    switch (actions, space) {
    case (.discrete(let numbers), .discrete): return numbers.map { Int64($0) }
    case (.continuous(let values), .continuous(let low, let high)):
      var choices: [Int64] = []
      choices.reserveCapacity(values.count / low.count * heads)
      for row in stride(from: 0, to: values.count, by: low.count) {
        let digits = low.indices.lazy.map { nearest(values[row + $0], low[$0], high[$0]) }
        if heads == 1 {
          choices.append(Int64(digits.reversed().reduce(0) { $0 * bins + $1 }))
        } else {
          choices += digits.map { Int64($0) }
        }
      }
      return choices
    default: preconditionFailure("actions of another kind than the world's")
    }
  }

  /// The world's action of choices `[H]`.
  func action(_ choices: [Int]) -> Action {
    guard case .continuous(let low, let high) = space else { return .discrete(choices[0]) }
    var rest = choices[0]
    return .continuous(
      low.indices.map { k in
        let digit = heads == 1 ? rest % bins : choices[k]
        rest /= bins
        let share = Double(digit) / Double(bins - 1)
        return Float(Double(low[k]) + share * (Double(high[k]) - Double(low[k])))
      })
  }

  private func nearest(_ value: Float, _ low: Float, _ high: Float) -> Int {
    let place = (Double(value) - Double(low)) / (Double(high) - Double(low)) * Double(bins - 1)
    // Batches have no not-a-number, whose place would be the lowest.
    return place.isNaN ? 0 : Int(place.rounded().clamped(from: 0, to: Double(bins - 1)))
  }
}
