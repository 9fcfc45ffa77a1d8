internal import GoalCore

/// Wrong choices among the right ones, so that a policy cannot live by remembering.
///
///     c′ = c with probability 1 − ε,   c′ ~ U{0..C−1} with probability ε
///
/// A drawn choice may be the right one, so the right one stays with probability 1 − ε + ε / C, and
/// the expected cross-entropy is that of labels smoothed by ε (Szegedy et al., "Rethinking the
/// Inception Architecture", CVPR 2016, section 7). Source: the research log, attempt 6;
/// github.com/miladsamim/GCRL at 63b1e7e, `gcsl/algo/masking.py`, `noise_to_targets`.
///
/// It differs from the source in: 1. draws are a function of the run's seed and the update; 2. `C`
/// is the policy's number of classes, which the source sets to 4; 3. choices that are left out stay
/// so.
enum FalsePositives {
  /// "falsepos" in ASCII.
  private static let purpose: UInt64 = 0x6661_6c73_6570_6f73

  /// The targets of which a share ε are replaced, for one update of a run.
  static func replacing(
    _ share: Double, of targets: [Int64], classes: Int, seed: UInt64, update: Int
  ) -> [Int64] {
    guard share > 0 else { return targets }
    var generator = Philox(seed: seed, purpose: purpose, index: UInt64(update))
    return targets.map { target in
      let isReplaced = generator.unit() < share
      let other = Int64(generator.unit() * Double(classes))
      return isReplaced && target >= 0 ? other : target
    }
  }
}
