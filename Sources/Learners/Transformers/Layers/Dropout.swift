internal import GoalCore
internal import Torch

/// Dropout whose masks are drawn from the run's own generator: x ← x · m / (1 − p), m ~ Bernoulli(1
/// − p).
///
/// Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", JMLR 15,
/// 2014. The masks of one update, or of one episode, are a function of its key.
final class Dropout {
  private let rate: Double
  private var generator: Xoshiro256

  /// Masks that drop a share of numbers.
  init(rate: Double, seed: UInt64, number: UInt64) {
    self.rate = rate
    var key = Philox(seed: seed, purpose: 0x4452_4f50, index: number)  // "DROP"
    generator = Xoshiro256(seed: key.next())
  }

  /// The numbers that are kept, scaled up.
  func callAsFunction(_ x: Tensor) -> Tensor {
    let scale = Float(1 / (1 - rate))
    let mask = Tensor(shape: x.shape) { memory in
      for k in memory.indices {
        memory[k] = Double(generator.next() >> 11) * 0x1p-53 < rate ? 0 : scale
      }
    }
    return x * mask
  }
}

extension Dropout? {
  /// The numbers as they are for nil.
  func callAsFunction(_ x: Tensor) -> Tensor { map { $0(x) } ?? x }
}
