import GoalCore
import Testing
import Torch

/// Numbers with a shape, in `Double`, for values and gradients of losses.
struct Numbers {
  var values: [Double]
  let shape: [Int]

  init(_ values: [Double], _ shape: [Int]) { (self.values, self.shape) = (values, shape) }

  /// Draws of the normal distribution.
  init(normal shape: [Int], seed: UInt64, scale: Double = 1) {
    var generator = Philox(seed: seed, purpose: 0, index: 0)
    self.init((0..<shape.reduce(1, *)).map { _ in scale * generator.normal() }, shape)
  }

  /// The numbers as a tensor of 64 bits.
  var tensor: Tensor { Tensor(values, shape: shape) }

  /// The numbers as a tensor of 32 bits.
  var narrow: Tensor { Tensor(values.map(Float.init), shape: shape) }
}

extension Tensor {
  /// The only value of a tensor of one `Double`.
  var double: Double { values(as: Double.self)[0] }
}

/// Compares the gradients of a loss with central differences, in `Double`.
func expectGradients(
  of inputs: Numbers..., tolerance: Double = 1e-7, location: SourceLocation = #_sourceLocation,
  loss: ([Tensor]) -> Tensor
) {
  let tracked = inputs.map { $0.tensor.tracked() }
  let found = gradients(of: loss(tracked), tracked).map { $0.values(as: Double.self) }
  #expect(
    found.contains { $0.contains { abs($0) > 1e-4 } }, "every slope is 0", sourceLocation: location)
  let step = 1e-5
  for (k, input) in inputs.enumerated() {
    for place in input.values.indices {
      func at(_ change: Double) -> Double {
        var moved = inputs
        moved[k].values[place] += change
        return withoutGradients { loss(moved.map(\.tensor)).double }
      }
      let slope = (at(step) - at(-step)) / (2 * step)
      #expect(
        abs(slope - found[k][place]) < tolerance * max(1, abs(slope)),
        "input \(k), number \(place): \(found[k][place]), measured \(slope)",
        sourceLocation: location)
    }
  }
}
