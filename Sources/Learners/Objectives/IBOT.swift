internal import GoalCore
internal import Torch

/// Self-distillation of masked tokens, iBOT's second loss.
///
///     loss = mean_b( Σ_i m_bi ℓ_bi / max(1, Σ_i m_bi) ),   ℓ = −Σ_k p_t,bik ln p_s,bik
///
/// The student reads tokens of which those with m = 1 are replaced by a learned one; the teacher
/// reads all. p_t and p_s are DINO's, with a centre and a temperature of their own. Zhou et al.,
/// "iBOT: Image BERT Pre-Training with Online Tokenizer", ICLR 2022, arXiv:2111.07832, equation 3;
/// reference code github.com/bytedance/ibot at da316d8, `main_ibot.py`, `iBOTLoss`, and `loader.py`
/// with `pred_shape = rand`. The other loss of iBOT is `DINO`'s.
///
/// It differs from the reference in: 1. tokens are steps of a sequence, of which as many are masked
/// in each, with padding left out; 2. masked blocks of pictures have no counterpart.
///
/// Shapes: `B` sequences, `T` tokens, `K` outputs.
enum IBOT {
  /// "maskings" in ASCII.
  private static let purpose: UInt64 = 0x6d61_736b_696e_6773

  /// The loss, `[]`, of outputs and targets `[B, T, K]`; `masked`, `[B · T]`, is 1 for masked
  /// tokens.
  static func loss(_ student: Tensor, targets: Tensor, masked: [Float], temperature: Double)
    -> Tensor
  {
    let shape = Array(student.shape.dropLast())
    precondition(masked.count == shape[0] * shape[1], "a mask for each of \(shape) tokens")
    var weights = masked
    for start in stride(from: 0, to: masked.count, by: shape[1]) {
      let count = max(1, masked[start..<start + shape[1]].reduce(0, +))
      for place in start..<start + shape[1] { weights[place] /= count * Float(shape[0]) }
    }
    let losses = DINO.crossEntropies(student, targets: targets, temperature: temperature)
    return (losses * Tensor(weights, shape: shape)).sum()
  }

  /// 1 for ⌊share · tokens⌋ of each sequence's tokens, drawn without replacement, else 0, `[B ·
  /// T]`; tokens whose `mask` is 0 are not counted and not drawn.
  static func masked(
    _ share: Double, mask: [Float], tokens: Int, seed: UInt64, update: Int
  ) -> [Float] {
    var generator = Philox(seed: seed, purpose: purpose, index: UInt64(update))
    var masked = [Float](repeating: 0, count: mask.count)
    for start in stride(from: 0, to: mask.count, by: tokens) {
      var places = (start..<start + tokens).filter { mask[$0] > 0 }
      places.shuffle(using: &generator)
      for place in places.prefix(Int(share * Double(places.count))) { masked[place] = 1 }
    }
    return masked
  }
}
