internal import Torch

/// A distance that need not be the same there and back.
///
///     iqe: K numbers in C parts; of each part ℓ_c(x, y) = the length of ⋃_k [x_k, max(x_k, y_k)];
///          d = σ(α) mean_c ℓ_c + (1 − σ(α)) max_c ℓ_c,   α trained, 0 at the start
///     mrn: d = √max(Σ_{first half} (x − y)², 10⁻¹²) + max(0, max_{second half} (x − y))
///
/// Wang and Isola, "Improved Representation of Asymmetrical Distances with Interval Quasimetric
/// Embeddings", arXiv:2211.15120; Liu et al., "Metric Residual Networks for Sample Efficient
/// Goal-Conditioned Reinforcement Learning", AAAI 2023, arXiv:2208.08133. Reference code
/// github.com/seohongpark/ogbench at 1d41409, `impls/utils/networks.py`.
///
/// Shapes: representations `[B, K]`, distances `[B, 1]`.
struct Quasimetric {
  private let kind: QuasimetricKind
  private let components: Int
  /// α, `[]`.
  private let mixture: Tensor

  init(_ kind: QuasimetricKind, components: Int) {
    self.init(kind, components, Tensor([Float(0)], shape: []).tracked())
  }

  private init(_ kind: QuasimetricKind, _ components: Int, _ mixture: Tensor) {
    (self.kind, self.components, self.mixture) = (kind, components, mixture)
  }

  /// The same distance, through whose own parameter no gradient flows.
  func frozen() -> Quasimetric { Quasimetric(kind, components, mixture.detached()) }

  /// The trained parameters.
  var named: [NamedTensor] {
    kind == .intervals ? [NamedTensor("distance.mixture", mixture)] : []
  }

  /// d(x, y), `[B, 1]`.
  func callAsFunction(_ x: Tensor, _ y: Tensor) -> Tensor {
    let (rows, width) = (x.shape[0], x.shape[1])
    switch kind {
    case .intervals:
      let lengths = Tensor.intervalLengths(x, y, parts: components)  // [B, C]
      let share = mixture.sigmoid()
      let least = lengths.mean(along: 1)
      let distance = share * least + (-share + 1) * lengths.maximum(along: 1)
      return distance.reshaped([rows, 1])
    case .residual:
      let difference = x - y
      let first = difference.narrowed(0..<width / 2, along: 1)
      let second = difference.narrowed(width / 2..<width, along: 1)
      let smallest = Tensor([Float(1e-12)], shape: [])
      let symmetric = first.squared().sum(along: 1).maximum(smallest).squareRoot()
      return (symmetric + second.maximum(along: 1).rectified()).reshaped([rows, 1])
    }
  }
}

/// Which quasimetric measures distances.
public enum QuasimetricKind: String, SettingChoice {
  /// Interval quasimetric embeddings.
  case intervals = "iqe"
  /// A metric residual network.
  case residual = "mrn"
}
