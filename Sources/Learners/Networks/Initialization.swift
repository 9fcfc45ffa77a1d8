internal import GoalCore
internal import Torch

/// New networks, drawn from the run's own generator.
enum Initialization {
  /// The purpose, in a run's Philox streams, of drawing networks: "networks" in ASCII.
  private static let purpose: UInt64 = 0x6e65_7477_6f72_6b73

  /// The generator of a run's network; networks of one run have different numbers.
  static func generator(seed: UInt64, network: UInt64) -> Philox {
    Philox(seed: seed, purpose: purpose, index: network)
  }

  /// An `MLP` whose biases are 0 if weights are `glorot` and drawn with the weights if they are
  /// `torch`.
  ///
  /// Weights are drawn layer by layer, row by row of `[K, I]`; after those of a layer its biases.
  /// The last layer's limit is `lastScale` times as large. Normalisations begin with gain 1 and
  /// shift 0.
  static func mlp(
    inputs: Int, hiddenWidths: [Int], outputs: Int, weights: InitialWeights = .glorot,
    activation: MLP.Activation = .rectifier, isNormalized: Bool = false, lastScale: Double = 1,
    from generator: inout Philox
  ) -> MLP {
    let widths = [inputs] + hiddenWidths + [outputs]
    return MLP(
      zip(widths, widths.dropFirst()).enumerated().map { number, ends in
        let (inputs, outputs) = ends
        let scale = number == hiddenWidths.count ? lastScale : 1
        let limit = weights.limit(inputs: inputs, outputs: outputs) * scale
        let weight = (0..<inputs * outputs).map { _ in Float(generator.uniform(-limit, limit)) }
        let bias = (0..<outputs).map { _ in
          weights == .torch ? Float(generator.uniform(-limit, limit)) : 0
        }
        return Linear(inputs: inputs, outputs: outputs, weight: weight, bias: bias)
      }, activation: activation,
      norms: isNormalized
        ? hiddenWidths.map { LayerNorm(width: $0, epsilon: MLP.normEpsilon) } : [])
  }
}

/// How the weights of a new network's layers are drawn: W ~ U(−l, l) for a layer of `I` inputs and
/// `K` outputs.
public enum InitialWeights: String, SettingChoice {
  /// l = √(6 / (I + K)) and no bias, as TensorFlow's `layers.dense` with `xavier_initializer`.
  ///
  /// Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
  /// networks", AISTATS 2010, equation 16.
  case glorot
  /// l = 1 / √I for weights and biases, as PyTorch's `Linear`.
  case torch

  func limit(inputs: Int, outputs: Int) -> Double {
    switch self {
    case .glorot: (6 / Double(inputs + outputs)).squareRoot()
    case .torch: 1 / Double(inputs).squareRoot()
    }
  }
}
