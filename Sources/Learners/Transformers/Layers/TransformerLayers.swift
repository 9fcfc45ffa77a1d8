internal import Torch

/// The sizes and habits of a transformer's layers.
struct LayerShape: Equatable {
  /// Numbers in a token, `D`.
  var width: Int
  /// Heads, of which each has `D / heads` numbers of a token.
  var heads: Int
  /// Units of the dense layers' hidden layer, `F`.
  var feedForward: Int
  /// The activation between the dense layers.
  var activation: Activation
  /// Whether a part's input is normalised, else its sum with the output.
  var normFirst: Bool
  /// How matrices are drawn: `glorot` where an encoder has a decoder.
  var rule = ParameterMaker.Rule.linear
}

/// The activation between two dense layers.
public enum Activation: String, SettingChoice {
  /// max(0, x).
  case relu
  /// x Φ(x).
  case gelu

  func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .relu: x.rectified()
    case .gelu: x.gelu()
    }
  }
}

/// Attention with several heads: O · concat_h softmax(q_h k_hᵀ / √(D / heads) + bias) v_h.
///
/// Vaswani et al., "Attention Is All You Need", NeurIPS 2017, arXiv:1706.03762; the parameters are
/// those of PyTorch's `MultiheadAttention`. Shapes: `B` sequences, `T` queries, `S` keys, `D`
/// numbers in a token.
struct MultiHeadAttention {
  let projections: Linear  // [3 D, D]
  let output: Linear
  private let heads: Int
  private let width: Int

  init(
    _ name: String, width: Int, heads: Int, rule: ParameterMaker.Rule = .linear,
    _ make: ParameterMaker
  ) {
    (self.width, self.heads) = (width, heads)
    projections = make.linear(
      name + ".in_proj", width, 3 * width, rule: .glorot, drawsBias: false)
    output = make.linear(name + ".out_proj", width, width, rule: rule, drawsBias: false)
  }

  /// Tokens `[B, T, D]` of queries `[B, T, D]` that attend to keys `[B, S, D]`, themselves if nil.
  ///
  /// What attends to a single key takes that key's value, so that its weights are not computed.
  func callAsFunction(
    _ x: Tensor, keys: Tensor? = nil, bias: Tensor? = nil, dropout: Dropout? = nil
  ) -> Tensor {
    let shape = x.shape
    if dropout == nil, (keys?.shape ?? shape)[1] == 1 {
      let weight = projections.weight.split([2 * width, width])[1]
      let shift = projections.bias.split([2 * width, width])[1]
      return output(.linear(keys ?? x, weight, shift)).expanded(to: shape)
    }
    let parts: [Tensor]
    if let keys {
      let weights = projections.weight.split([width, 2 * width])
      let biases = projections.bias.split([width, 2 * width])
      let q = Tensor.linear(x, weights[0], biases[0])
      let kv = Tensor.linear(keys, weights[1], biases[1])
      parts = cut(q, 1) + cut(kv, 2)
    } else {
      parts = cut(projections(x), 3)
    }
    let attended: Tensor
    if let dropout {
      let scale = 1 / (Double(width) / Double(heads)).squareRoot()
      var scores = parts[0].matrixProduct(parts[1].permuted([0, 1, 3, 2])) * scale
      if let bias { scores = scores + bias }
      attended = dropout(scores.softmax()).matrixProduct(parts[2])
    } else {
      attended = Tensor.attention(
        queries: parts[0], keys: parts[1], values: parts[2], bias: bias)
    }
    return output(attended.permuted([0, 2, 1, 3]).reshaped(shape))
  }

  /// So many parts `[B, heads, T, D / heads]` of rows `[B, T, parts · D]`.
  private func cut(_ x: Tensor, _ count: Int) -> [Tensor] {
    let shape = x.shape
    return x.reshaped([shape[0], shape[1], count, heads, width / heads])
      .permuted([2, 0, 3, 1, 4]).unbound()
  }
}

/// One layer: self-attention, attention to a memory if there is one, and two dense layers, each
/// with a residual and a normalisation before it, or after the sum.
///
/// PyTorch's `TransformerEncoderLayer`, and with a memory its `TransformerDecoderLayer`. Without
/// memory, bias and dropout, and with the normalisation first, it is one operator.
struct TransformerLayer {
  private let attention: MultiHeadAttention
  private let memoryAttention: MultiHeadAttention?
  private let widening: Linear
  private let narrowing: Linear
  private let norms: [LayerNorm]
  private let shape: LayerShape
  private let block: TransformerBlock?

  init(_ name: String, _ shape: LayerShape, attendsToMemory: Bool = false, _ make: ParameterMaker) {
    self.shape = shape
    attention = MultiHeadAttention(
      name + ".self_attn", width: shape.width, heads: shape.heads, rule: shape.rule, make)
    memoryAttention =
      attendsToMemory
      ? MultiHeadAttention(
        name + ".multihead_attn", width: shape.width, heads: shape.heads, rule: shape.rule, make)
      : nil
    widening = make.linear(name + ".linear1", shape.width, shape.feedForward, rule: shape.rule)
    narrowing = make.linear(name + ".linear2", shape.feedForward, shape.width, rule: shape.rule)
    norms = (0..<(attendsToMemory ? 3 : 2)).map { make.norm("\(name).norm\($0 + 1)", shape.width) }
    block =
      shape.normFirst && !attendsToMemory
      ? TransformerBlock(
        queriesKeysValues: attention.projections, output: attention.output, widening: widening,
        narrowing: narrowing, heads: shape.heads, isCausal: false,
        isRectified: shape.activation == .relu, norms: (norms[0], norms[1]))
      : nil
  }

  /// Tokens `[B, T, D]` of tokens `[B, T, D]` and a memory `[B, S, D]`.
  func callAsFunction(
    _ x: Tensor, bias: Tensor?, memory: Tensor? = nil, memoryBias: Tensor? = nil,
    dropout: Dropout?
  ) -> Tensor {
    if let block, bias == nil, dropout == nil { return block(x) }
    func part(_ x: Tensor, _ norm: LayerNorm, _ body: (Tensor) -> Tensor) -> Tensor {
      shape.normFirst ? x + dropout(body(norm(x))) : norm(x + dropout(body(x)))
    }
    var y = part(x, norms[0]) { attention($0, bias: bias, dropout: dropout) }
    if let memoryAttention, let memory {
      y = part(y, norms[1]) {
        memoryAttention($0, keys: memory, bias: memoryBias, dropout: dropout)
      }
    }
    return part(y, norms[norms.count - 1]) {
      narrowing(dropout(shape.activation(widening($0))))
    }
  }
}

/// Layers one after the other, and a normalisation at the end, as PyTorch's modules have it: if
/// each layer begins with one, and in an encoder with a decoder.
///
/// `nn.Transformer` ends both of its stacks with one; `nn.TransformerEncoder` and
/// `nn.TransformerDecoder` have none unless it is handed to them, which layers need that begin with
/// one.
struct TransformerStack {
  private let layers: [TransformerLayer]
  private let norm: LayerNorm?

  init(
    _ name: String, layers count: Int, _ shape: LayerShape, attendsToMemory: Bool = false,
    _ make: ParameterMaker
  ) {
    layers = (0..<count).map {
      TransformerLayer(
        "\(name).layers.\($0)", shape, attendsToMemory: attendsToMemory, make)
    }
    norm = shape.normFirst || shape.rule == .glorot ? make.norm(name + ".norm", shape.width) : nil
  }

  /// Tokens `[B, T, D]` of tokens `[B, T, D]`.
  func callAsFunction(
    _ x: Tensor, bias: Tensor? = nil, memory: Tensor? = nil, memoryBias: Tensor? = nil,
    dropout: Dropout? = nil
  ) -> Tensor {
    let y = layers.reduce(x) {
      $1($0, bias: bias, memory: memory, memoryBias: memoryBias, dropout: dropout)
    }
    return norm.map { $0(y) } ?? y
  }
}
