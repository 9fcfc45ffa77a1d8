/// The operators that this package uses, found at their first use.
enum Operators {
  static let zeros = Op("zeros")
  static let add = Op("add.Tensor")
  static let addNumber = Op("add.Scalar")
  static let subtract = Op("sub.Tensor")
  static let multiply = Op("mul.Tensor")
  static let multiplyNumber = Op("mul.Scalar")
  static let divide = Op("div.Tensor")
  static let matrixMultiply = Op("matmul")
  static let linear = Op("linear")
  static let rectifyInPlace = Op("relu_")
  static let rectify = Op("relu")
  static let tanh = Op("tanh")
  static let exp = Op("exp")
  static let square = Op("square")
  static let minimum = Op("minimum")
  static let clamp = Op("clamp")
  static let clampInPlace = Op("clamp_")
  static let subtractInPlace = Op("sub_.Tensor")
  static let divideInPlace = Op("div_.Tensor")
  static let sum = Op("sum")
  static let mean = Op("mean")
  static let meanSquaredError = Op("mse_loss")
  static let crossEntropy = Op("cross_entropy_loss")
  static let softmax = Op("softmax.int")
  static let concatenate = Op("cat")
  static let narrow = Op("narrow")
  static let reshape = Op("reshape")
  static let detach = Op("detach")
  static let clone = Op("clone")
  static let copyInPlace = Op("copy_")
  static let move = Op("to.device")
  static let zerosLike = Op("zeros_like")
  static let addEach = Op("_foreach_add_.Scalar")
  static let mixEach = Op("_foreach_lerp_.Scalar")
  static let isFinite = Op("isfinite")
  static let all = Op("all")
  static let adam = Op("_fused_adam_")
  static let normalize = Op("layer_norm")
  static let gelu = Op("gelu")
  static let sigmoid = Op("sigmoid")
  static let logSumExp = Op("logsumexp")
  static let addRows = Op("index_add")
  static let largestPlace = Op("argmax")
  static let selectRows = Op("index_select")
  static let attend = Op("scaled_dot_product_attention")
  static let select = Op("select.int")
  static let permute = Op("permute")
  static let unbind = Op("unbind.int")
  static let split = Op("split_with_sizes")
  static let expand = Op("expand")
  static let normEach = Op("_foreach_norm.Scalar")
}

extension Tensor {
  /// The sum of two tensors, element by element.
  public static func + (a: Tensor, b: Tensor) -> Tensor { Operators.add(.tensor(a), .tensor(b)) }

  /// The difference of two tensors, element by element.
  public static func - (a: Tensor, b: Tensor) -> Tensor {
    Operators.subtract(.tensor(a), .tensor(b))
  }

  /// The product of two tensors, element by element.
  public static func * (a: Tensor, b: Tensor) -> Tensor {
    Operators.multiply(.tensor(a), .tensor(b))
  }

  /// The quotient of two tensors, element by element.
  public static func / (a: Tensor, b: Tensor) -> Tensor { Operators.divide(.tensor(a), .tensor(b)) }

  /// Every element plus a number.
  public static func + (a: Tensor, b: Double) -> Tensor {
    Operators.addNumber(.tensor(a), .number(b))
  }

  /// Every element times a number.
  public static func * (a: Tensor, b: Double) -> Tensor {
    Operators.multiplyNumber(.tensor(a), .number(b))
  }

  /// The matrix product.
  public func matrixProduct(_ b: Tensor) -> Tensor {
    Operators.matrixMultiply(.tensor(self), .tensor(b))
  }

  /// max(0, x), element by element.
  public func rectified() -> Tensor { Operators.rectify(.tensor(self)) }

  /// The hyperbolic tangent, element by element.
  public func tanh() -> Tensor { Operators.tanh(.tensor(self)) }

  /// The exponential function, element by element.
  public func exp() -> Tensor { Operators.exp(.tensor(self)) }

  /// The square, element by element.
  public func squared() -> Tensor { Operators.square(.tensor(self)) }

  /// The lesser of two tensors, element by element.
  public func minimum(_ b: Tensor) -> Tensor { Operators.minimum(.tensor(self), .tensor(b)) }

  /// Every element, moved to the nearest number of the range.
  public func clamped(to range: ClosedRange<Double>) -> Tensor {
    Operators.clamp(.tensor(self), .number(range.lowerBound), .number(range.upperBound))
  }

  /// The sum of all elements, `[]`.
  public func sum() -> Tensor { Operators.sum(.tensor(self)) }

  /// The mean of all elements, `[]`.
  public func mean() -> Tensor { Operators.mean(.tensor(self)) }

  /// The mean squared difference from `target`, `[]`.
  public func meanSquaredError(from target: Tensor) -> Tensor {
    Operators.meanSquaredError(.tensor(self), .tensor(target))
  }

  /// The mean of −ln softmax(row) at each row's class, `[]`, of logits `[N, C]` and classes `[N]`.
  public func crossEntropy(of classes: Tensor) -> Tensor {
    Operators.crossEntropy(.tensor(self), .tensor(classes))
  }

  /// exp(x) over its sum along the last dimension.
  public func softmax() -> Tensor { Operators.softmax(.tensor(self), -1) }

  /// Tensors one after the other along a dimension.
  public static func concatenated(_ tensors: [Tensor], along dimension: Int) -> Tensor {
    Operators.concatenate(.tensors(tensors), .integer(dimension))
  }

  /// The rows of a range, in the same memory.
  public func rows(_ range: Range<Int>) -> Tensor {
    Operators.narrow(.tensor(self), 0, .integer(range.lowerBound), .integer(range.count))
  }

  /// The elements at one place along a dimension, which disappears; in the same memory.
  public func selected(_ place: Int, along dimension: Int) -> Tensor {
    Operators.select(.tensor(self), .integer(dimension), .integer(place))
  }

  /// The same elements, dimensions of length 1 repeated to fill the shape without a copy.
  public func expanded(to shape: [Int]) -> Tensor {
    Operators.expand(.tensor(self), .integers(shape))
  }

  /// The same elements in another shape.
  public func reshaped(_ shape: [Int]) -> Tensor {
    Operators.reshape(.tensor(self), .integers(shape))
  }

  /// The same memory, through which no gradient flows.
  public func detached() -> Tensor { Operators.detach(.tensor(self)) }

  /// A copy in memory of its own, through which no gradient flows.
  public func copied() -> Tensor { Operators.clone(.tensor(detached())) }

  /// A copy on a device, or the same tensor if it is there already.
  public func moved(to device: Device) -> Tensor {
    Operators.move(
      .tensor(self), .device(device), .integer(Int(elementType.rawValue)))
  }

  /// Overwrites the elements, in place, with those of a tensor of the same shape.
  public func assign(_ values: Tensor) {
    precondition(shape == values.shape, "the shapes differ: \(shape) and \(values.shape)")
    withoutGradients { Operators.copyInPlace.run(.tensor(self), .tensor(values)) }
  }

  /// Standardises in place: x ← clip((clip(x, ±inner) − mean) / deviation, ±outer).
  ///
  /// The tensor is `[B, D]`, mean and deviation are `[D]`; no gradient may flow through it.
  public func standardize(inner: Double, mean: Tensor, deviation: Tensor, outer: Double) {
    Operators.clampInPlace(.tensor(self), .number(-inner), .number(inner))
    Operators.subtractInPlace(.tensor(self), .tensor(mean))
    Operators.divideInPlace(.tensor(self), .tensor(deviation))
    Operators.clampInPlace(.tensor(self), .number(-outer), .number(outer))
  }

  /// Moves every element, in place, to the nearest number of the range.
  public func clamp(to range: ClosedRange<Double>) {
    Operators.clampInPlace.run(
      .tensor(self), .number(range.lowerBound), .number(range.upperBound))
  }

  /// Whether no element is infinite or not a number.
  public var isFinite: Bool {
    var answer: UInt8 = 0
    let all = Operators.all(.tensor(Operators.isFinite(.tensor(detached()))))
    withUnsafeMutableBytes(of: &answer) { all.read(into: $0) }
    return answer != 0
  }

  /// The Euclidean norm of all elements of all tensors together, √(Σ x²); 0 of no tensors.
  public static func norm(_ tensors: [Tensor]) -> Float {
    guard !tensors.isEmpty else { return 0 }
    do {
      let norms = try Operators.normEach.results(
        of: [.tensors(tensors.map { $0.detached() })], room: tensors.count)
      return norms.reduce(Float(0)) { $0 + $1.float * $1.float }.squareRoot()
    } catch {
      fatalError("\(error)")
    }
  }

  /// Moves every target towards its source in place: θ′ ← θ′ + (1 − keep)(θ − θ′).
  ///
  /// With Polyak's coefficient `keep` this is θ′ ← keep · θ′ + (1 − keep) · θ.
  public static func average(_ targets: [Tensor], towards sources: [Tensor], keep: Double) {
    withoutGradients {
      Operators.mixEach.run(.tensors(targets), .tensors(sources), .number(1 - keep))
    }
  }
}
