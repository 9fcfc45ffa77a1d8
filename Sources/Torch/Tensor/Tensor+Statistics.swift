extension Operators {
  static let logSoftmax = Op("log_softmax.int")
  static let squareRoot = Op("sqrt")
  static let logarithm = Op("log")
  static let sumAlong = Op("sum.dim_IntList")
  static let meanAlong = Op("mean.dim")
  static let transpose = Op("transpose.int")
  static let upperTriangle = Op("triu")
  static let normalizeBatch = Op("batch_norm")
  static let softplus = Op("softplus")
  static let isBelow = Op("lt.Scalar")
  static let absolute = Op("abs")
  static let largestAlong = Op("amax")
  static let maximum = Op("maximum")
  static let negate = Op("neg")
}

extension Tensor {
  /// ln softmax(x) along the last dimension.
  public func logSoftmax() -> Tensor { Operators.logSoftmax(.tensor(self), -1) }

  /// The natural logarithm, element by element.
  public func logarithm() -> Tensor { Operators.logarithm(.tensor(self)) }

  /// The square root, element by element.
  public func squareRoot() -> Tensor { Operators.squareRoot(.tensor(self)) }

  /// The sums along a dimension, which disappears.
  public func sum(along dimension: Int) -> Tensor {
    Operators.sumAlong(.tensor(self), .integers([dimension]))
  }

  /// The means along a dimension, which disappears.
  public func mean(along dimension: Int) -> Tensor {
    Operators.meanAlong(.tensor(self), .integers([dimension]))
  }

  /// The last two dimensions exchanged, in the same memory.
  public func transposed() -> Tensor { Operators.transpose(.tensor(self), -2, -1) }

  /// The elements above the diagonal of a matrix, and zeros elsewhere.
  public func aboveDiagonal() -> Tensor { Operators.upperTriangle(.tensor(self), 1) }

  /// −ln softmax(row) at each row's class, `[N]`, of logits `[N, C]` and classes `[N]`; 0 if the
  /// class is `ignoredClass`.
  public func crossEntropies(of classes: Tensor) -> Tensor {
    Operators.crossEntropy(.tensor(self), .tensor(classes), nil, 0)
  }

  /// The class of rows that a cross-entropy leaves out.
  public static let ignoredClass: Int64 = -100

  /// Each column less its mean, over its deviation: y = (x − μ) / √(σ² + 10⁻⁵) · weight + bias.
  ///
  /// μ and σ² (over `N`, not `N − 1`) are the batch's own, of which none are kept. Shapes: rows
  /// `[N, D]`, weight and bias `[D]`. Ioffe and Szegedy, "Batch Normalization", ICML 2015,
  /// arXiv:1502.03167.
  public func batchNormalized(weight: Tensor, bias: Tensor) -> Tensor {
    Operators.normalizeBatch(
      .tensor(self), .tensor(weight), .tensor(bias), nil, nil, true, 0.1, 1e-5, false)
  }

  /// ln(1 + exp x), element by element.
  public func softplus() -> Tensor { Operators.softplus(.tensor(self)) }

  /// 1 if an element is below 0, else 0; no gradient flows through it.
  public func isNegative() -> Tensor {
    Operators.multiplyNumber(.tensor(Operators.isBelow(.tensor(detached()), 0.0)), 1.0)
  }

  /// |x|, element by element.
  public func magnitude() -> Tensor { Operators.absolute(.tensor(self)) }

  /// −x, element by element.
  public static prefix func - (x: Tensor) -> Tensor { Operators.negate(.tensor(x)) }

  /// The greater of two tensors, element by element.
  public func maximum(_ b: Tensor) -> Tensor { Operators.maximum(.tensor(self), .tensor(b)) }

  /// The largest element along a dimension, which disappears.
  public func maximum(along dimension: Int) -> Tensor {
    Operators.largestAlong(.tensor(self), .integers([dimension]))
  }

  /// The dot products of the rows of two tensors `[B, K]`, `[B, 1]`.
  public func rowProducts(_ b: Tensor) -> Tensor {
    (self * b).sum(along: 1).reshaped([shape[0], 1])
  }
}
