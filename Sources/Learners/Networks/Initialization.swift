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

  /// An `MLP` as TensorFlow's `layers.dense` makes it with `xavier_initializer`.
  ///
  ///     W ~ U(−√(6 / (I + K)), √(6 / (I + K))),   b = 0
  ///
  /// for a layer of `I` inputs and `K` outputs. Glorot and Bengio, "Understanding the difficulty of
  /// training deep feedforward neural networks", AISTATS 2010, equation 16. Weights are drawn layer by
  /// layer, row by row of `[K, I]`.
  static func mlp(
    inputs: Int, hiddenWidths: [Int], outputs: Int, from generator: inout Philox
  ) -> MLP {
    let widths = [inputs] + hiddenWidths + [outputs]
    return MLP(
      zip(widths, widths.dropFirst()).map { inputs, outputs in
        let limit = (6 / Double(inputs + outputs)).squareRoot()
        let weight = (0..<inputs * outputs).map { _ in Float(generator.uniform(-limit, limit)) }
        let bias = [Float](repeating: 0, count: outputs)
        return Linear(inputs: inputs, outputs: outputs, weight: weight, bias: bias)
      })
  }
}
