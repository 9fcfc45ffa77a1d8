internal import CTorch

/// Normalisation of each row: y = (x − mean) / √(variance + ε) · weight + bias.
///
/// Ba, Kiros and Hinton, "Layer Normalization", arXiv:1607.06450. Shapes: rows `[..., D]`.
public struct LayerNorm: Sendable {
  /// The gain, `[D]`.
  public let weight: Tensor
  /// The shift, `[D]`.
  public let bias: Tensor

  /// ε.
  public let epsilon: Double

  /// Makes a layer of gain 1 and shift 0; PyTorch's ε is 10⁻⁵.
  public init(width: Int, epsilon: Double = 1e-5) {
    self.init(
      weight: Tensor([Float](repeating: 1, count: width), shape: [width]).tracked(),
      bias: Tensor([Float](repeating: 0, count: width), shape: [width]).tracked(), epsilon: epsilon)
  }

  init(weight: Tensor, bias: Tensor, epsilon: Double) {
    (self.weight, self.bias, self.epsilon) = (weight, bias, epsilon)
  }

  /// The rows of `x`, normalised.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    Operators.normalize(
      .tensor(x), .integers(weight.shape), .tensor(weight), .tensor(bias), .number(epsilon))
  }
}

/// A block of a transformer, with the normalisation before each part.
///
///     y = x + O · attention(norm₁(x)),   z = y + F₂ gelu(F₁ norm₂(y)), or max(0, u) for gelu(u)
///     attention: softmax(q kᵀ / √(D / heads)) v per head, q, k and v dense layers of its input
///
/// Vaswani et al., "Attention Is All You Need", NeurIPS 2017, arXiv:1706.03762. The order is that
/// of Xiong et al., "On Layer Normalization in the Transformer Architecture", ICML 2020,
/// arXiv:2002.04745. It is PyTorch's `TransformerEncoderLayer` with `norm_first`,
/// `activation="gelu"` or `"relu"` and no dropout, and its parameters have that class's names.
///
/// Shapes: `B` sequences, `T` tokens, `D` numbers in a token, `F` in the hidden layer.
public struct TransformerBlock: Sendable {
  /// Before the attention.
  public let norm1: LayerNorm
  /// Queries, keys and values, `[3 D, D]`.
  public let queriesKeysValues: Linear
  /// O, after the attention, `[D, D]`.
  public let output: Linear
  /// Before the dense layers.
  public let norm2: LayerNorm
  /// F₁, `[F, D]`.
  public let widening: Linear
  /// F₂, `[D, F]`.
  public let narrowing: Linear
  /// Heads, of which each has `D / heads` numbers of a token.
  public let heads: Int
  /// Whether a token attends to itself and those before it only.
  public let isCausal: Bool
  /// Whether a rectifier stands between the dense layers, in the place of GELU.
  public let isRectified: Bool

  /// Makes a block of layers that fit each other; normalisations that are not given begin with gain
  /// 1 and shift 0.
  public init(
    queriesKeysValues: Linear, output: Linear, widening: Linear, narrowing: Linear, heads: Int,
    isCausal: Bool, isRectified: Bool = false, norms: (LayerNorm, LayerNorm)? = nil
  ) {
    let width = output.bias.count
    precondition(
      heads > 0 && width % heads == 0, "\(heads) heads divide the width \(width) of a token")
    precondition(
      queriesKeysValues.weight.shape == [3 * width, width]
        && widening.weight.shape[1] == width && narrowing.bias.count == width,
      "layers of one block fit each other")
    norm1 = norms?.0 ?? LayerNorm(width: width)
    self.queriesKeysValues = queriesKeysValues
    self.output = output
    norm2 = norms?.1 ?? LayerNorm(width: width)
    self.widening = widening
    self.narrowing = narrowing
    self.heads = heads
    self.isCausal = isCausal
    self.isRectified = isRectified
  }

  /// Tokens `[B, T, D]` of tokens `[B, T, D]`.
  ///
  /// On the CPU it is one operator, whose gradients are computed in closed form.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    guard TorchRuntime.device == .cpu else { return composed(x) }
    return Tensor.recorded(parameters) {
      torch.transformer_block(x.handle, $0, Int32(heads), isCausal, isRectified)
    }
  }

  /// The same of libtorch's own operators, for other devices.
  func composed(_ x: Tensor) -> Tensor {
    let shape = x.shape
    let (batch, tokens, width) = (shape[0], shape[1], shape[2])
    let parts = queriesKeysValues(norm1(x)).reshaped([batch, tokens, 3, heads, width / heads])
    let split = Operators.permute(.tensor(parts), .integers([2, 0, 3, 1, 4]))
    let (q, k, v) = (
      split.selected(0, along: 0), split.selected(1, along: 0), split.selected(2, along: 0)
    )
    let attended = Operators.attend(
      .tensor(q), .tensor(k), .tensor(v), nil, 0.0, .truth(isCausal))  // [B, heads, T, D / heads]
    let rows = Operators.permute(.tensor(attended), .integers([0, 2, 1, 3]))
    let y = x + output(rows.reshaped([batch, tokens, width]))
    let wide = widening(norm2(y))
    return y + narrowing(isRectified ? wide.rectified() : wide.gelu())
  }

  /// The parameters in the order in which they are used.
  public var parameters: [Tensor] { named.map(\.tensor) }

  /// The parameters, with the names of PyTorch's `TransformerEncoderLayer`.
  public var named: [NamedTensor] {
    [
      NamedTensor("norm1.weight", norm1.weight), NamedTensor("norm1.bias", norm1.bias),
      NamedTensor("self_attn.in_proj_weight", queriesKeysValues.weight),
      NamedTensor("self_attn.in_proj_bias", queriesKeysValues.bias),
      NamedTensor("self_attn.out_proj.weight", output.weight),
      NamedTensor("self_attn.out_proj.bias", output.bias),
      NamedTensor("norm2.weight", norm2.weight), NamedTensor("norm2.bias", norm2.bias),
      NamedTensor("linear1.weight", widening.weight), NamedTensor("linear1.bias", widening.bias),
      NamedTensor("linear2.weight", narrowing.weight), NamedTensor("linear2.bias", narrowing.bias),
    ]
  }
}

/// Blocks of a transformer one after the other, and a normalisation at the end.
///
/// Shapes: `B` sequences, `T` tokens, `D` numbers in a token.
public struct TransformerEncoder: Sendable {
  /// The blocks, from input to output.
  public let blocks: [TransformerBlock]
  /// After the last block.
  public let norm: LayerNorm

  /// Makes an encoder of at least one block; all are of the same width.
  public init(_ blocks: [TransformerBlock]) {
    precondition(!blocks.isEmpty, "an encoder has at least one block")
    self.blocks = blocks
    norm = LayerNorm(width: blocks[0].output.bias.count)
  }

  /// Tokens `[B, T, D]` of tokens `[B, T, D]`.
  public func callAsFunction(_ x: Tensor) -> Tensor { norm(blocks.reduce(x) { $1($0) }) }

  /// One token of each sequence, `[B, D]`, of tokens `[B, T, D]`: the others are not normalised.
  public func callAsFunction(_ x: Tensor, token: Int) -> Tensor {
    norm(blocks.reduce(x) { $1($0) }.selected(token, along: 1))
  }

  /// The parameters in the order in which they are used.
  public var parameters: [Tensor] { named.map(\.tensor) }

  /// The parameters, with the names of PyTorch's `TransformerEncoder`.
  public var named: [NamedTensor] {
    blocks.enumerated().flatMap { k, block in block.named.map { $0.within("layers.\(k)") } }
      + [NamedTensor("norm.weight", norm.weight), NamedTensor("norm.bias", norm.bias)]
  }
}
