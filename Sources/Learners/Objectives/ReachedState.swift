internal import Torch

/// How the distance of the state that was reached moves the actions.
public enum ReachedStateSurrogate: String, SettingChoice {
  /// Not at all: the log's, whose actions are the most probable ones and carry no gradient.
  case none
  /// By the logarithm of the actions' probability, weighted by the distance.
  case scoreFunction = "score-function"
  /// Through the predicted state, which the actions are handed to as one-hot numbers.
  case straightThrough = "straight-through"
}

/// How the state that a trajectory reaches is predicted, and drawn to the goal.
public struct ReachedStateSettings: SettingGroup {
  /// The weight of the distance of the predicted state from the goal; the log's is 1.
  @Setting(
    "weight of the predicted state's distance from the goal; the log's is 1", .weight, "the log")
  public var goalWeight = 0.0
  /// The weight of its distance from the state that was reached; the log's is 1.
  @Setting(
    "weight of its distance from the state that was reached; the log's is 1", .weight, "the log")
  public var reachedWeight = 0.0
  /// The weight of the surrogate.
  @Setting("weight of the surrogate", .weight, "ours") public var surrogateWeight = 0.0
  /// How the distance of the state that was reached moves the actions.
  @Setting(
    "how the distance moves the actions: none, as in the log; score-function: by "
      + "their probability; straight-through: through the predicted state",
    "ours")
  public var surrogate = ReachedStateSurrogate.scoreFunction

  /// No prediction.
  public init() {}

  /// Whether any term has a weight.
  var isOn: Bool { goalWeight != 0 || reachedWeight != 0 || surrogateWeight != 0 }
}

/// The expected distance from the goal of the state that a policy's actions reach.
///
/// The log asks for ŝ(s₀, g) = g, and for ŝ = s_r, the state that the chosen actions did reach, so
/// that s_r = g:
///
///     loss = mean_b (1 / S) ‖ŝ_b − g_b‖² + mean_b (1 / S) ‖ŝ_b − s_r,b‖²
///
/// Its code (github.com/miladsamim/GCRL at 63b1e7e, `gcsl/algo/idm_online.py`) takes the most
/// probable actions, through which no gradient flows, and predicts ŝ from s₀ and g alone: the loss
/// trains the prediction and never the actions. That is `surrogate = none`. What was meant is the
/// expectation over the policy's own actions,
///
///     J = E_{a ~ π}[ d(s_r(a), g) ],   d = (1 / S) ‖s_r − g‖²
///
/// whose gradient a surrogate gives:
///
/// - score-function: ∇J = E[ (d − b) ∇ ln π(a | s₀, g) ] (Williams, "Simple Statistical
///   Gradient-Following Algorithms", Machine Learning 8, 1992), without bias where a was drawn from
///   the present π; b is the mean of the other rows' d (Kool, van Hoof and Welling, "Buy 4
///   REINFORCE Samples, Get a Baseline for Free!", 2019).
/// - straight-through: ŝ(s₀, a) is predicted from the actions. The first term's gradient reaches
///   the policy through them as if drawing were the identity. Source: Bengio, Léonard and
///   Courville, "Estimating or Propagating Gradients Through Stochastic Neurons", arXiv:1308.3432.
///   It is biased, and needs no actions of the present policy. The prediction itself must be
///   trained by the second term only: else it learns to say the goal.
///
/// Shapes: `B` rows, `S` numbers of a state or goal.
enum ReachedState {
  /// mean_b (1 / S) ‖x_b − y_b‖², `[]`, of states `[B, S]`.
  static func distance(_ x: Tensor, from y: Tensor) -> Tensor { x.meanSquaredError(from: y) }

  /// The score-function surrogate, `[]`: its gradient is that of J.
  ///
  ///     mean_b (d_b − (1 / (B − 1)) Σ_{i≠b} d_i) ln π(a_b)
  ///
  /// of distances `[B]` that were measured, and ln π `[B]` of the actions that led there.
  static func scoreFunction(_ logProbabilities: Tensor, distances: [Float]) -> Tensor {
    let count = distances.count
    precondition(count > 1, "a baseline of other rows needs at least 2, found \(count)")
    let sum = distances.reduce(0) { $0 + Double($1) }
    let advantages = distances.map { Float(Double($0) - (sum - Double($0)) / Double(count - 1)) }
    return (logProbabilities * Tensor(advantages, shape: [count])).mean()
  }

  /// Choices as one-hot numbers, whose gradient is that of the probabilities: `[N, C]` of logits
  /// `[N, C]` and choices `[N]`; a choice that is left out, of −1 or less, is all zeros.
  static func straightThrough(_ logits: Tensor, choices: [Int64]) -> Tensor {
    let shape = logits.shape
    var oneHot = [Float](repeating: 0, count: shape[0] * shape[1])
    var isThere = [Float](repeating: 0, count: shape[0])
    for (row, choice) in choices.enumerated() where choice >= 0 {
      oneHot[row * shape[1] + Int(choice)] = 1
      isThere[row] = 1
    }
    let probabilities = logits.softmax()
    let slope = (probabilities - probabilities.detached()) * Tensor(isThere, shape: [shape[0], 1])
    return slope + Tensor(oneHot, shape: shape)
  }

  /// (1 / S) ‖x_b − y_b‖² of each row, `[B]`, of states `[B, S]` that no gradient flows through.
  static func distances(_ x: [Float], from y: [Float], rows: Int) -> [Float] {
    let width = x.count / rows
    return (0..<rows).map { row in
      (row * width..<(row + 1) * width).reduce(Float(0)) {
        let difference = x[$1] - y[$1]
        return $0 + difference * difference
      } / Float(width)
    }
  }
}
