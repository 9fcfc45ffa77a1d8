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

  init(weight: Tensor, bias: Tensor) { (self.weight, self.bias) = (weight, bias) }

  /// The outputs `[B, K]` of the inputs `[B, I]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    Operators.linear(.tensor(x), .tensor(weight), .tensor(bias))
  }
}

/// Dense layers with an activation between them, which a normalisation of each row can follow, and
/// nothing after the last.
///
///     x ← norm(f(W x + b)) for each layer but the last,   y = W x + b
///
/// Shapes: `B` rows, `I` inputs, `K` outputs.
public struct MLP: Sendable {
  /// The activation between two dense layers.
  public enum Activation: Sendable {
    /// max(0, u).
    case rectifier
    /// u (1 + tanh(√(2/π) (u + 0.044715 u³))) / 2, GELU by its approximation.
    ///
    /// Hendrycks and Gimpel, "Gaussian Error Linear Units (GELUs)", arXiv:1606.08415, section 2.
    case gelu
  }

  /// The layers, from input to output.
  public let layers: [Linear]
  /// f.
  public let activation: Activation
  /// The normalisations after f, one a layer but the last; empty for none.
  public let norms: [LayerNorm]

  /// The ε of normalisations between dense layers.
  public static let normEpsilon = 1e-6

  /// Makes a network of layers that fit each other; normalisations need GELU and have
  /// `normEpsilon`.
  public init(_ layers: [Linear], activation: Activation = .rectifier, norms: [LayerNorm] = []) {
    precondition(
      norms.isEmpty
        || activation == .gelu && norms.count == layers.count - 1
          && norms.allSatisfy { $0.epsilon == Self.normEpsilon },
      "normalisations follow GELU and all layers but the last, found \(norms.count)")
    self.layers = layers
    self.activation = activation
    self.norms = norms
  }

  /// The outputs `[B, K]` of the inputs `[B, I]`.
  ///
  /// On the CPU it is one operator, whose gradients are computed in closed form.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    guard TorchRuntime.device == .cpu else { return composed(x) }
    let parameters = parameters
    return Tensor.recorded(parameters) {
      torch.dense(
        x.handle, $0, Int32(parameters.count), activation == .gelu, !norms.isEmpty)
    }
  }

  /// The same of libtorch's own operators, for other devices.
  func composed(_ x: Tensor) -> Tensor {
    var x = x
    for (k, layer) in layers.enumerated() {
      x = layer(x)
      guard k + 1 < layers.count else { break }
      switch activation {
      // In place: a dense layer's gradient does not need its own output.
      case .rectifier: x = Operators.rectifyInPlace(.tensor(x))
      case .gelu: x = Operators.gelu(.tensor(x), .text("tanh"))
      }
      if !norms.isEmpty { x = norms[k](x) }
    }
    return x
  }

  /// Weight and bias of each layer, from input to output; gain and shift of its normalisation
  /// follow them.
  public var parameters: [Tensor] { named.map(\.tensor) }

  /// The parameters, named as PyTorch's `Sequential` names them, which numbers everything between
  /// two layers too: `<2k>.weight` and `<2k>.bias` for the layer `k`.
  ///
  /// With normalisations they are `<3k>.weight` and `<3k>.bias`, and `<3k + 2>.weight` and `.bias`
  /// for the normalisation after it.
  public var named: [NamedTensor] {
    let step = norms.isEmpty ? 2 : 3
    return layers.enumerated().flatMap { k, layer in
      var named = [
        NamedTensor("\(step * k).weight", layer.weight),
        NamedTensor("\(step * k).bias", layer.bias),
      ]
      if norms.indices.contains(k) {
        named.append(NamedTensor("\(step * k + 2).weight", norms[k].weight))
        named.append(NamedTensor("\(step * k + 2).bias", norms[k].bias))
      }
      return named
    }
  }

  /// A network with the same numbers in memory of its own.
  public func copied() -> MLP {
    mapped { Tensor($0.floats, shape: $0.shape).tracked() }
  }

  /// The same network, in the same memory, through whose parameters no gradient flows.
  public func frozen() -> MLP { mapped { $0.detached() } }

  private func mapped(_ body: (Tensor) -> Tensor) -> MLP {
    MLP(
      layers.map { Linear(weight: body($0.weight), bias: body($0.bias)) }, activation: activation,
      norms: norms.map {
        LayerNorm(weight: body($0.weight), bias: body($0.bias), epsilon: $0.epsilon)
      })
  }
}
