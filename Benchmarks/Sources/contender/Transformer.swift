import Foundation
import GoalCore
import Torch

/// A transformer that is trained by regression on one random batch of 256 sequences, one thread.
struct TransformerWork {
  /// How large it is.
  enum Size: String {
    /// An inverse-dynamics model of three tokens, observation, action and goal: width 256, 8 heads.
    case three = "3"
    /// A causal model of 50 steps of a trajectory: width 128, 4 heads.
    case fifty = "50"
  }

  static let batch = 256
  static let blocks = 2
  private let loss: () -> Tensor
  private let optimizer: Adam

  init(_ size: Size) {
    var generator = Philox(seed: 1, purpose: 2, index: 3)
    func drawn(_ shape: Int...) -> Tensor {
      Tensor((0..<shape.reduce(1, *)).map { _ in Float(generator.normal()) }, shape: shape)
    }
    func linear(_ inputs: Int, _ outputs: Int) -> Linear {
      let limit = 1 / Double(inputs).squareRoot()
      func uniform(_ count: Int) -> [Float] {
        (0..<count).map { _ in Float(generator.uniform(-limit, limit)) }
      }
      return Linear(
        inputs: inputs, outputs: outputs, weight: uniform(inputs * outputs), bias: uniform(outputs))
    }
    func encoder(_ width: Int, heads: Int, isCausal: Bool) -> TransformerEncoder {
      TransformerEncoder(
        (0..<TransformerWork.blocks).map { _ in
          TransformerBlock(
            queriesKeysValues: linear(width, 3 * width), output: linear(width, width),
            widening: linear(width, 4 * width), narrowing: linear(4 * width, width), heads: heads,
            isCausal: isCausal)
        })
    }
    let batch = TransformerWork.batch
    switch size {
    case .three:
      let width = 256
      let (ofObservation, ofGoal) = (linear(25, width), linear(3, width))
      let action = Tensor.zeros([1, width]).tracked()
      let places = Tensor.zeros([1, 3, width]).tracked()
      let encoder = encoder(width, heads: 8, isCausal: false)
      let head = linear(width, 4)
      let (observations, goals, actions) = (drawn(batch, 25), drawn(batch, 3), drawn(batch, 4))
      optimizer = Adam(
        [ofObservation, ofGoal, head].flatMap { [$0.weight, $0.bias] } + [action, places]
          + encoder.parameters, learningRate: 3e-4)
      loss = {
        let tokens = [
          ofObservation(observations), action.expanded(to: [batch, width]), ofGoal(goals),
        ]
        let x = Tensor.concatenated(tokens.map { $0.reshaped([batch, 1, width]) }, along: 1)
        return head(encoder(x + places, token: 1)).meanSquaredError(from: actions)
      }
    case .fifty:
      let width = 128
      let ofStep = linear(28, width)
      let places = Tensor.zeros([1, 50, width]).tracked()
      let encoder = encoder(width, heads: 4, isCausal: true)
      let head = linear(width, 4)
      let (steps, actions) = (drawn(batch, 50, 28), drawn(batch, 50, 4))
      optimizer = Adam(
        [ofStep, head].flatMap { [$0.weight, $0.bias] } + [places] + encoder.parameters,
        learningRate: 3e-4)
      loss = { head(encoder(ofStep(steps) + places)).meanSquaredError(from: actions) }
    }
  }

  /// Makes one update.
  func callAsFunction() { optimizer.step(minimizing: loss()) }
}

/// The amount is updates.
func transformer(_ size: TransformerWork.Size) throws {
  TorchRuntime.threads = 1
  let work = TransformerWork(size)
  try serve {
    work()
    return 1
  }
}
