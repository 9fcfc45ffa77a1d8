import Foundation
import TestSupport
import Testing
import Torch

@testable import Learners

/// Encoder and decoder beside PyTorch's own, with equal parameters.
struct TransformerReferenceTests {
  private struct Values: Encodable {
    let shape: [Int]
    let values: [Float]

    init(_ tensor: Tensor) { (shape, values) = (tensor.shape, tensor.floats) }
  }

  private struct Request: Encodable {
    let width = 8
    let heads = 2
    let layers = 2
    let feedForward = 12
    let activation: String
    let normFirst: Bool
    let parameters: [String: Values]
    let source: Values
    let target: Values
    let hidden: [[Bool]]
  }

  @Test(
    .enabled(if: PythonReference.hasPeers(for: "transformers beside PyTorch's")),
    arguments: [Activation.relu, .gelu], [false, true])
  func theyAreTorchsTransformer(activation: Activation, normFirst: Bool) throws {
    let make = ParameterMaker(Initialization.generator(seed: 4, network: 2))
    let shape = LayerShape(
      width: 8, heads: 2, feedForward: 12, activation: activation, normFirst: normFirst,
      rule: .glorot)
    let encoder = TransformerStack("encoder", layers: 2, shape, make)
    let decoder = TransformerStack("decoder", layers: 2, shape, attendsToMemory: true, make)
    func numbers(_ shape: [Int], _ step: Int) -> Tensor {
      Tensor(
        (0..<shape.reduce(1, *)).map { Float(($0 * step + 5) % 23) / 11 - 1 }, shape: shape)
    }
    // Gains and shifts that are not 1 and 0.
    for entry in make.named where entry.name.contains("norm") {
      entry.tensor.assign(entry.tensor + numbers([8], 3) * 0.3)
    }
    let (source, target) = (numbers([3, 4, 8], 7), numbers([3, 2, 8], 9))
    let hidden = [
      [false, false, false, false], [false, false, false, true], [false, true, true, false],
    ]
    let bias = AttentionBias.of(
      hidden.flatMap { row in row.map { !$0 } }, rows: 3, queries: 1, keys: 4)
    let found = decoder(target, bias: nil, memory: encoder(source, bias: bias), memoryBias: bias)
      .floats
    let request = Request(
      activation: activation.rawValue, normFirst: normFirst,
      parameters: Dictionary(
        uniqueKeysWithValues: make.named.map { ($0.name, Values($0.tensor)) }),
      source: Values(source), target: Values(target), hidden: hidden)
    let output = try PythonReference.runPeer(
      "transformer_reference.py", input: JSONEncoder().encode(request))
    let expected = try JSONDecoder().decode([Float].self, from: output)
    #expect(expected.count == found.count)
    for (a, b) in zip(found, expected) { #expect(abs(a - b) < 2e-5) }
  }
}
