/// Operators for models of sequences.
extension Tensor {
  /// 1 / (1 + exp(−x)), element by element.
  public func sigmoid() -> Tensor { Operators.sigmoid(.tensor(self)) }

  /// x Φ(x), element by element, Φ the normal distribution function.
  public func gelu() -> Tensor { Operators.gelu(.tensor(self)) }

  /// The same elements, dimensions in another order; in the same memory.
  public func permuted(_ order: [Int]) -> Tensor {
    Operators.permute(.tensor(self), .integers(order))
  }

  /// The parts along the first dimension, without it, in the same memory.
  public func unbound() -> [Tensor] { Operators.unbind.several(.tensor(self), 0) }

  /// Parts of so many places each of the first dimension; in the same memory.
  public func split(_ counts: [Int]) -> [Tensor] {
    Operators.split.several(.tensor(self), .integers(counts), 0)
  }

  /// The elements of a range of places along a dimension, in the same memory.
  public func narrowed(_ range: Range<Int>, along dimension: Int) -> Tensor {
    Operators.narrow(
      .tensor(self), .integer(dimension), .integer(range.lowerBound), .integer(range.count))
  }

  /// x Wᵀ + b of rows `[..., I]`, W `[K, I]` and b `[K]`.
  public static func linear(_ x: Tensor, _ weight: Tensor, _ bias: Tensor) -> Tensor {
    Operators.linear(.tensor(x), .tensor(weight), .tensor(bias))
  }

  /// ln Σ exp(x) along the last dimension, which disappears.
  public func logSumExp() -> Tensor { Operators.logSumExp(.tensor(self), .integers([-1]), false) }

  /// The place of the largest number of each row `[N, C]`, `[N]`.
  public func largest() -> [Int64] { Operators.largestPlace(.tensor(self), -1).values() }

  /// The sums of rows `[N, K]` that have one of `count` numbers in common, `[count, K]`.
  public func sumsOfRows(by numbers: [Int64], count: Int) -> Tensor {
    Operators.addRows(
      .tensor(.zeros([count, shape[1]])), 0, .tensor(Tensor(numbers, shape: [numbers.count])),
      .tensor(self))
  }

  /// The rows of the numbers `[N]`, in their order: `[N, ...]`.
  public func rows(_ numbers: [Int64]) -> Tensor {
    Operators.selectRows(.tensor(self), 0, .tensor(Tensor(numbers, shape: [numbers.count])))
  }

  /// Attention, softmax(q kᵀ / √E + bias) v, in libtorch's fused operator and without dropout.
  ///
  /// Shapes: queries `[B, heads, T, E]`, keys and values `[B, heads, S, E]`, bias broadcast to
  /// `[B, heads, T, S]`, −∞ where a query does not see a key; nil for none. Every query sees a key.
  public static func attention(
    queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor?
  ) -> Tensor {
    Operators.attend(
      .tensor(queries), .tensor(keys), .tensor(values),
      bias.map { Operand.tensor($0) } ?? Operand.none, 0.0)
  }
}
