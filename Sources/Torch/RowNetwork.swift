internal import CTorch

/// An `MLP` for one row at a time, with its numbers copied and laid out for that.
///
/// It is for acting: no tensor is made, no thread is started, and the bits of its outputs are the same
/// on every processor, because each sum is taken in the order of the inputs. libtorch's own product
/// adds in an order that depends on the processor, so the two agree to rounding only.
public struct RowNetwork: Sendable {
  private static let width = 32  // of a panel, as in ctorch_row

  private struct Layer: Sendable {
    let inputs: Int
    let panels: Int
    let packed: [Float]
    let bias: [Float]
  }

  private let layers: [Layer]
  private let outputs: Int

  /// Copies a network's present numbers.
  public init(_ network: MLP) {
    layers = network.layers.map { layer in
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
        inputs: inputs, panels: panels, packed: packed, bias: layer.bias.floats + filler)
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
        ctorch_row(
          layer.packed, layer.bias, x, Int32(layer.inputs), Int32(layer.panels),
          k + 1 < layers.count, start)
      }
    }
    return Array(x.prefix(outputs))
  }
}
