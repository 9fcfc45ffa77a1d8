internal import CTorch

/// A dense layer, y = x Wᵀ + b.
///
/// Shapes: `B` rows, `I` inputs, `K` outputs.
public struct Linear: Sendable {
  /// W, `[K, I]`, as PyTorch keeps it.
  public let weight: Tensor
  /// b, `[K]`.
  public let bias: Tensor

  /// Makes a layer whose gradients can be asked for, from its numbers in row-major order.
  public init(inputs: Int, outputs: Int, weight: [Float], bias: [Float]) {
    self.weight = Tensor(weight, shape: [outputs, inputs]).tracked()
    self.bias = Tensor(bias, shape: [outputs]).tracked()
  }

  /// The outputs `[B, K]` of the inputs `[B, I]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    Operators.linear(.tensor(x), .tensor(weight), .tensor(bias))
  }
}

/// Dense layers with rectifiers between them and nothing after the last.
public struct MLP: Sendable {
  /// The layers, from input to output.
  public let layers: [Linear]

  /// Makes a network of layers that fit each other.
  public init(_ layers: [Linear]) { self.layers = layers }

  /// The outputs `[B, K]` of the inputs `[B, I]`.
  ///
  /// On the CPU it is one operator, whose gradients are computed in closed form.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    guard TorchRuntime.device == .cpu else { return composed(x) }
    return Tensor.recorded(parameters) { ctorch_dense(x.handle, $0, Int32(2 * layers.count)) }
  }

  /// The same of libtorch's own operators, for other devices.
  func composed(_ x: Tensor) -> Tensor {
    var x = x
    for (k, layer) in layers.enumerated() {
      x = layer(x)
      // In place: a dense layer's gradient does not need its own output.
      if k + 1 < layers.count { x = Operators.rectifyInPlace(.tensor(x)) }
    }
    return x
  }

  /// Weight and bias of each layer, from input to output.
  public var parameters: [Tensor] { layers.flatMap { [$0.weight, $0.bias] } }

  /// The parameters, named `<2k>.weight` and `<2k>.bias` for the layer `k`: as PyTorch's `Sequential`
  /// names them, where a rectifier after each layer has a number, too.
  public var named: [NamedTensor] {
    layers.enumerated().flatMap {
      [NamedTensor("\(2 * $0).weight", $1.weight), NamedTensor("\(2 * $0).bias", $1.bias)]
    }
  }

  /// A network with the same numbers in memory of its own.
  public func copied() -> MLP {
    MLP(
      layers.map { layer in
        let shape = layer.weight.shape
        return Linear(
          inputs: shape[1], outputs: shape[0], weight: layer.weight.floats,
          bias: layer.bias.floats)
      })
  }
}
