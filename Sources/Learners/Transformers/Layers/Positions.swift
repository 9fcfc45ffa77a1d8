internal import Glibc
internal import Torch

/// How a token says where it stands.
public enum PositionKind: String, SettingChoice {
  /// Not at all.
  case none
  /// By sines and cosines of its place.
  case sinusoidal
  /// By a learned row.
  case learned
}

/// The position embeddings that are added to tokens, `[places, D]`.
///
///     sinusoidal   p(t, 2k) = sin(t / 10000^{2k/D}),  p(t, 2k + 1) = cos(t / 10000^{2k/D})
///
/// Vaswani et al., "Attention Is All You Need", NeurIPS 2017, arXiv:1706.03762, section 3.5.
struct Positions {
  private let table: Tensor?

  init(_ name: String, _ kind: PositionKind, places: Int, width: Int, _ make: ParameterMaker) {
    switch kind {
    case .none: table = nil
    case .learned: table = make.embedding(name, rows: places, width: width)
    case .sinusoidal:
      let values = (0..<places * width).map { place -> Float in
        let (t, d) = (Double(place / width), place % width)
        let angle = t / pow(10_000, Double(d / 2 * 2) / Double(width))
        return Float(d % 2 == 0 ? sin(angle) : cos(angle))
      }
      table = Tensor(values, shape: [places, width])
    }
  }

  /// Tokens `[B, T, D]` with what belongs to the places `first..<first + T`.
  func added(to x: Tensor, from first: Int = 0) -> Tensor {
    guard let table else { return x }
    let count = x.shape[1]
    return x + table.rows(first..<first + count)
  }

  /// Tokens `[B, T, D]` with what belongs to places of their own, `[B · T]`.
  func added(to x: Tensor, at places: [Int64]) -> Tensor {
    guard let table else { return x }
    return x + table.rows(places).reshaped(x.shape)
  }
}
