internal import GoalCore
internal import Torch

/// Makes the parameters of a network, in the order in which they are asked for, and keeps their
/// names.
///
/// Numbers are drawn from the run's generator by PyTorch's rules:
///
///     Linear      W, b ~ U(−1/√I, 1/√I) for I inputs
///     attention   the matrix of queries, keys and values U(−√(6/4D), √(6/4D)),
///                 its biases 0, the bias of the layer after it 0
///     Embedding   N(0, 1)
///     LayerNorm   gain 1, shift 0
///     Transformer every matrix of an encoder with a decoder U(−√(6/(I+K)), √(6/(I+K)))
///
/// Source: github.com/pytorch/pytorch at v2.13.0,
/// `torch/nn/modules/{linear,activation,sparse,transformer}.py`, `reset_parameters`.
final class ParameterMaker {
  /// The bounds that matrices are drawn between.
  enum Rule {
    case linear
    case glorot
  }

  private(set) var named: [NamedTensor] = []
  private var generator: Philox
  private let draws: Bool

  /// Draws from a generator; without `draws` all numbers are 0, for parameters that are
  /// overwritten.
  init(_ generator: Philox, draws: Bool = true) {
    self.generator = generator
    self.draws = draws
  }

  private func uniform(_ count: Int, _ limit: Double) -> [Float] {
    guard draws, limit > 0 else { return [Float](repeating: 0, count: count) }
    return (0..<count).map { _ in Float(generator.uniform(-limit, limit)) }
  }

  private func keep(_ name: String, _ tensor: Tensor) { named.append(NamedTensor(name, tensor)) }

  /// A dense layer; `bias` says whether its biases are drawn, or 0.
  func linear(
    _ name: String, _ inputs: Int, _ outputs: Int, rule: Rule = .linear, drawsBias: Bool = true
  ) -> Linear {
    let limit =
      switch rule {
      case .linear: 1 / Double(inputs).squareRoot()
      case .glorot: (6 / Double(inputs + outputs)).squareRoot()
      }
    let layer = Linear(
      inputs: inputs, outputs: outputs, weight: uniform(inputs * outputs, limit),
      bias: uniform(outputs, drawsBias ? 1 / Double(inputs).squareRoot() : 0))
    keep(name + ".weight", layer.weight)
    keep(name + ".bias", layer.bias)
    return layer
  }

  /// Dense layers with rectifiers between them.
  func mlp(_ name: String, _ widths: [Int]) -> MLP {
    MLP(
      zip(widths, widths.dropFirst()).enumerated().map {
        linear("\(name).\(2 * $0)", $1.0, $1.1)
      })
  }

  /// Learned rows, `[rows, width]`.
  func embedding(_ name: String, rows: Int, width: Int) -> Tensor {
    let values = (0..<rows * width).map { _ in draws ? Float(generator.normal()) : 0 }
    let tensor = Tensor(values, shape: [rows, width]).tracked()
    keep(name + ".weight", tensor)
    return tensor
  }

  /// A normalisation of rows.
  func norm(_ name: String, _ width: Int) -> LayerNorm {
    let norm = LayerNorm(width: width)
    keep(name + ".weight", norm.weight)
    keep(name + ".bias", norm.bias)
    return norm
  }
}
