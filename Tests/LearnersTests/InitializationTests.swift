import GoalCore
import Testing
import Torch

@testable import Learners

struct InitializationTests {
  @Test func weightsAreGlorotUniformAndBiasesZero() {
    var generator = Initialization.generator(seed: 3, network: 0)
    let network = Initialization.mlp(
      inputs: 28, hiddenWidths: [256, 256], outputs: 4, from: &generator)
    let widths = [28, 256, 256, 4]
    #expect(network.layers.count == 3)
    for (k, layer) in network.layers.enumerated() {
      #expect(layer.weight.shape == [widths[k + 1], widths[k]])
      #expect(layer.bias.floats.allSatisfy { $0 == 0 })
      let limit = (6 / Float(widths[k] + widths[k + 1])).squareRoot()
      let weights = layer.weight.floats
      #expect(weights.allSatisfy { abs($0) <= limit })
      let mean = weights.reduce(0, +) / Float(weights.count)
      let variance = weights.reduce(0) { $0 + $1 * $1 } / Float(weights.count)
      #expect(abs(mean) < 0.1 * limit)
      #expect(abs(variance / (limit * limit / 3) - 1) < 0.1)
    }
  }

  @Test func torchsWeightsAndBiasesAreAsItsLinearDrawsThem() {
    var generator = Initialization.generator(seed: 3, network: 0)
    let network = Initialization.mlp(
      inputs: 13, hiddenWidths: [400, 300], outputs: 4, weights: .torch, from: &generator)
    for (layer, inputs) in zip(network.layers, [13, 400, 300] as [Float]) {
      let limit = 1 / inputs.squareRoot()
      for (values, slack) in [(layer.weight.floats, Float(0.1)), (layer.bias.floats, 0.8)] {
        #expect(values.allSatisfy { abs($0) <= limit })
        let square = values.reduce(0) { $0 + $1 * $1 } / Float(values.count)
        #expect(abs(square / (limit * limit / 3) - 1) < slack)
      }
    }
  }

  @Test func networksOfARunDiffer() {
    func first(_ seed: UInt64, _ network: UInt64) -> Double {
      var generator = Initialization.generator(seed: seed, network: network)
      return generator.unit()
    }
    #expect(Set([first(0, 0), first(0, 1), first(1, 0), first(1, 1)]).count == 4)
    #expect(first(2, 0) == first(2, 0))
  }
}
