import Testing

@testable import Torch

struct GradientTests {
  /// A small network with smooth numbers, far from the kinks of its rectifiers.
  private func network() -> MLP {
    func ramp(_ count: Int, _ phase: Float) -> [Float] {
      (0..<count).map { 0.9 * Float(($0 * 7 + 3) % 11) / 11 - 0.35 + phase }
    }
    return MLP([
      Linear(inputs: 3, outputs: 5, weight: ramp(15, 0), bias: ramp(5, 0.1)),
      Linear(inputs: 5, outputs: 2, weight: ramp(10, -0.05), bias: ramp(2, 0)),
    ])
  }

  @Test func gradientsOfANetworkAgreeWithFiniteDifferences() {
    let network = network()
    let x = Tensor([0.3, -0.7, 0.2, 1.1, 0.4, -0.9] as [Float], shape: [2, 3])
    let goal = Tensor([0.5, -0.5, 0.25, 0.1] as [Float], shape: [2, 2])
    let weight = Tensor([0.5, 2] as [Float], shape: [2, 1])
    func loss() -> Tensor { ((network(x).tanh() - goal).squared() * weight).mean() }

    let found = gradients(of: loss(), network.parameters)
    for (parameter, gradient) in zip(network.parameters, found) {
      let values = parameter.floats
      let slopes = gradient.floats
      for k in values.indices {
        let step: Float = 1e-2
        func at(_ change: Float) -> Float {
          var moved = values
          moved[k] += change
          parameter.assign(Tensor(moved, shape: parameter.shape))
          return withoutGradients { loss().float }
        }
        let slope = (at(step) - at(-step)) / (2 * step)
        parameter.assign(Tensor(values, shape: parameter.shape))
        #expect(abs(slope - slopes[k]) < 1e-3, "parameter \(k): \(slopes[k]), measured \(slope)")
      }
    }
  }

  @Test func unusedInputsHaveGradientsOfZero() {
    let x = Tensor([1, 2] as [Float], shape: [2]).tracked()
    let y = Tensor([1] as [Float], shape: [1]).tracked()
    let found = gradients(of: x.squared().sum(), [x, y])
    #expect(found[0].floats == [2, 4])
    #expect(found[1].floats == [0])
  }

  @Test func nothingIsRecordedInside() {
    let x = Tensor([1] as [Float], shape: [1]).tracked()
    let fixed = withoutGradients { x.squared() }
    #expect(gradients(of: (x * fixed).sum(), [x])[0].floats == [1])
    #expect(gradients(of: (x * x.detached()).sum(), [x])[0].floats == [1])
  }
}
