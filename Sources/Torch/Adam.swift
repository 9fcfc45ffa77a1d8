/// The Adam optimiser, in one fused operator for all parameters.
///
///     m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
///     θ ← θ − α · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)
///
/// Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, arXiv:1412.6980,
/// algorithm 1, in libtorch's `_fused_adam_`.
public struct Adam: Sendable {
  /// The optimised parameters.
  public let parameters: [Tensor]
  /// The step size α.
  public var learningRate: Double
  private let betas: (Double, Double)
  private let epsilon: Double
  private let first: [Tensor]
  private let second: [Tensor]
  private let time: Tensor  // Float, so exact up to 2²⁴ steps

  // What libtorch's operator can do besides, and this optimiser does not.
  private static let weightDecay = 0.0
  private static let keepsMaximum = false
  private static let maximizes = false

  /// Makes an optimiser that has made no step; the defaults are the paper's, but for the step size.
  public init(
    _ parameters: [Tensor], learningRate: Double, betas: (Double, Double) = (0.9, 0.999),
    epsilon: Double = 1e-8
  ) {
    self.parameters = parameters
    self.learningRate = learningRate
    self.betas = betas
    self.epsilon = epsilon
    first = parameters.map { Operators.zerosLike(.tensor($0.detached())) }
    second = parameters.map { Operators.zerosLike(.tensor($0.detached())) }
    time = .zeros([])
  }

  /// One step down the gradient of a scalar; gives that gradient, one tensor a parameter.
  @discardableResult
  public func step(minimizing loss: Tensor) -> [Tensor] {
    let gradients = gradients(of: loss, parameters)
    step(along: gradients)
    return gradients
  }

  /// One step with gradients that are given, one a parameter.
  public func step(along gradients: [Tensor]) {
    precondition(
      gradients.count == parameters.count,
      "\(gradients.count) gradients for \(parameters.count) parameters")
    withoutGradients {
      Operators.addEach.run(.tensors([time]), 1.0)
      let times = [Tensor](repeating: time, count: parameters.count)
      Operators.adam.run(
        .tensors(parameters), .tensors(gradients), .tensors(first), .tensors(second), .tensors([]),
        .tensors(times), .number(learningRate), .number(betas.0), .number(betas.1),
        .number(Adam.weightDecay), .number(epsilon), .truth(Adam.keepsMaximum),
        .truth(Adam.maximizes))
    }
  }

  /// Everything that the next step depends on besides the parameters, in the optimiser's own
  /// memory.
  ///
  /// `first.k` and `second.k` are the moments of the parameter `k`; `steps`, `[]`, counts.
  public var state: [NamedTensor] {
    first.enumerated().map { NamedTensor("first.\($0)", $1) }
      + second.enumerated().map { NamedTensor("second.\($0)", $1) } + [NamedTensor("steps", time)]
  }
}
