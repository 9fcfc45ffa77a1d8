internal import Torch

/// Variance, invariance and covariance of embeddings, which keep them from collapsing.
///
///     v(Z) = (1 / d) Σ_j max(0, γ − √(Var(z^j) + ε))
///     C(Z) = (1 / (n − 1)) Σ_i (z_i − z̄)(z_i − z̄)ᵀ,   c(Z) = (1 / d) Σ_{i≠j} C(Z)²_ij
///     s(Z, Z′) = (1 / (n d)) Σ_i ‖z_i − z′_i‖²
///     one branch:    μ v(Z) + ν c(Z)
///     two branches:  λ s(Z, Z′) + μ (v(Z) + v(Z′)) / 2 + ν (c(Z) + c(Z′))
///
/// Var has n − 1 in its denominator. Bardes, Ponce and LeCun, "VICReg:
/// Variance-Invariance-Covariance Regularization for Self-Supervised Learning", ICLR 2022,
/// arXiv:2105.04906, section 4; reference code github.com/facebookresearch/vicreg at 4e12602,
/// `main_vicreg.py`, which divides s by d and halves the variances' sum where the paper does
/// neither.
///
/// The log regularises a policy's logits, or an expander's outputs, in one branch
/// (github.com/miladsamim/GCRL at 63b1e7e, `gcsl/algo/{gcsl,vicreg_loss}.py`). It writes C with a
/// square in place of the transpose; its code has the transpose, so no result of its depends on
/// that.
///
/// Shapes: `n` rows, `d` numbers of an embedding.
enum VICReg {
  /// v(Z), `[]`, of embeddings `[n, d]`.
  static func variance(_ z: Tensor, deviation: Double = 1, epsilon: Double = 1e-4) -> Tensor {
    let centred = centred(z)
    let variances = centred.squared().sum(along: 0) * (1 / Double(z.shape[0] - 1))  // [d]
    return (((variances + epsilon).squareRoot() * -1) + deviation).rectified().mean()
  }

  /// c(Z), `[]`, of embeddings `[n, d]`.
  static func covariance(_ z: Tensor) -> Tensor {
    let shape = z.shape
    let centred = centred(z)
    let matrix = centred.transposed().matrixProduct(centred) * (1 / Double(shape[0] - 1))  // [d, d]
    // The matrix is symmetric: what is above the diagonal is half of what is beside it.
    return matrix.aboveDiagonal().squared().sum() * (2 / Double(shape[1]))
  }

  /// s(Z, Z′), `[]`, of embeddings `[n, d]`.
  static func invariance(_ z: Tensor, _ other: Tensor) -> Tensor { z.meanSquaredError(from: other) }

  private static func centred(_ z: Tensor) -> Tensor {
    precondition(z.shape[0] > 1, "a variance needs at least 2 rows, found \(z.shape[0])")
    return z - z.mean(along: 0)
  }

  /// Appends the terms that have a weight, of one embedding or of two, `[n, d]` each.
  static func add(_ branches: [Tensor], settings: VICRegSettings, to terms: inout LossTerms) {
    let expected = settings.branches == .one ? 1 : 2
    precondition(
      branches.count == expected, "\(expected) branches are compared, found \(branches.count)")
    let share = 1 / Double(expected)
    func sum(_ term: (Tensor) -> Tensor) -> Tensor {
      branches.dropFirst().reduce(term(branches[0])) { $0 + term($1) }
    }
    if branches.count == 2 {
      terms.add("vicreg_invariance", weight: settings.invariance) {
        invariance(branches[0], branches[1])
      }
    }
    terms.add("vicreg_variance", weight: settings.variance) {
      sum { variance($0, deviation: settings.deviation, epsilon: settings.epsilon) } * share
    }
    terms.add("vicreg_covariance", weight: settings.covariance) { sum(covariance) }
  }
}
