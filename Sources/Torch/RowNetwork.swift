internal import CTorch
internal import Glibc

/// An `MLP` for one row at a time, with its numbers copied and laid out for that.
///
/// It is for acting. It makes no tensor and starts no thread. Its outputs have the same bits on
/// every processor, because each sum is taken in the order of the inputs. The order in libtorch's
/// own product depends on the processor, so the two agree to rounding only.
public struct RowNetwork: Sendable {
  private static let width = 32  // of a panel, as in ctorch_row

  private struct Layer: Sendable {
    let inputs: Int
    let panels: Int
    let packed: [Float]
    let bias: [Float]
    /// Gain and shift of the normalisation that follows, if there is one.
    let norm: (gain: [Float], shift: [Float])?
  }

  private let layers: [Layer]
  private let activation: MLP.Activation
  private let outputs: Int

  /// Copies a network's present numbers.
  public init(_ network: MLP) {
    activation = network.activation
    layers = network.layers.enumerated().map { number, layer in
      let shape = layer.weight.shape
      let (outputs, inputs) = (shape[0], shape[1])
      let panels = (outputs + RowNetwork.width - 1) / RowNetwork.width
      let weight = layer.weight.floats
      var packed = [Float](repeating: 0, count: panels * inputs * RowNetwork.width)
      for k in 0..<outputs {
        let start = (k / RowNetwork.width) * inputs * RowNetwork.width + k % RowNetwork.width
        for i in 0..<inputs { packed[start + i * RowNetwork.width] = weight[k * inputs + i] }
      }
      let filler = [Float](repeating: 0, count: panels * RowNetwork.width - outputs)
      return Layer(
        inputs: inputs, panels: panels, packed: packed, bias: layer.bias.floats + filler,
        norm: network.norms.indices.contains(number)
          ? (network.norms[number].weight.floats, network.norms[number].bias.floats) : nil)
    }
    outputs = network.layers.last?.bias.count ?? 0
  }

  /// The outputs of one row of inputs.
  public func callAsFunction(_ inputs: [Float]) -> [Float] {
    var x = inputs
    for (k, layer) in layers.enumerated() {
      precondition(x.count >= layer.inputs, "\(layer.inputs) inputs, found \(x.count)")
      x = [Float](unsafeUninitializedCapacity: layer.panels * RowNetwork.width) { y, count in
        count = layer.panels * RowNetwork.width
        guard let start = y.baseAddress else { return }
        torch.row(
          layer.packed, layer.bias, x, Int32(layer.inputs), Int32(layer.panels),
          k + 1 < layers.count && activation == .rectifier, start)
      }
      guard k + 1 < layers.count, activation == .gelu else { continue }
      for place in x.indices { x[place] = RowNetwork.gelu(x[place]) }
      if let norm = layer.norm { x = RowNetwork.normalized(x, norm.gain, norm.shift) }
    }
    return Array(x.prefix(outputs))
  }

  /// GELU by tanh, rounded from `Double`.
  private static func gelu(_ u: Float) -> Float {
    let u = Double(u)
    return Float(0.5 * u * (1 + tanh((2 / Double.pi).squareRoot() * (u + 0.044715 * u * u * u))))
  }

  /// The first numbers of a row, as many as `gain` has, normalised in `Double`.
  private static func normalized(_ x: [Float], _ gain: [Float], _ shift: [Float]) -> [Float] {
    let row = x.prefix(gain.count).map(Double.init)
    let mean = row.reduce(0, +) / Double(row.count)
    let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
    let scale = 1 / (variance + MLP.normEpsilon).squareRoot()
    return row.indices.map {
      Float((row[$0] - mean) * scale * Double(gain[$0]) + Double(shift[$0]))
    }
  }
}
