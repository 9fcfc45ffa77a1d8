import Testing

@testable import Torch

/// Networks that are one operator, beside the same ones of libtorch's operators.
struct NetworkTests {
  /// Numbers in −0.5...0.5 that look random and are the same each time.
  private static func numbers(_ count: Int, _ seed: Int) -> [Float] {
    (0..<count).map { Float((($0 + 1) * 7919 + seed * 104_729) % 1009) / 1009 - 0.5 }
  }

  private static func tensor(_ shape: [Int], _ seed: Int) -> Tensor {
    Tensor(numbers(shape.reduce(1, *), seed), shape: shape)
  }

  private static func linear(_ inputs: Int, _ outputs: Int, _ seed: Int) -> Linear {
    Linear(
      inputs: inputs, outputs: outputs,
      weight: numbers(inputs * outputs, seed).map { $0 * 3 / Float(inputs).squareRoot() },
      bias: numbers(outputs, seed + 1))
  }

  private static func block(
    width: Int, heads: Int, hidden: Int, isCausal: Bool, isRectified: Bool = false
  ) -> TransformerBlock {
    let block = TransformerBlock(
      queriesKeysValues: linear(width, 3 * width, 1), output: linear(width, width, 2),
      widening: linear(width, hidden, 3), narrowing: linear(hidden, width, 4), heads: heads,
      isCausal: isCausal, isRectified: isRectified)
    for (k, norm) in [block.norm1, block.norm2].enumerated() {
      norm.weight.assign(tensor([width], 5 + k) + 1)
      norm.bias.assign(tensor([width], 7 + k))
    }
    return block
  }

  /// Outputs and gradients, with respect to parameters and input, of both must agree.
  private func compare(
    _ x: Tensor, _ parameters: [Tensor], _ ours: @escaping (Tensor) -> Tensor,
    _ theirs: @escaping (Tensor) -> Tensor, _ note: String
  ) {
    let x = x.tracked()
    let found: [[(shape: [Int], values: [Float])]] = [ours, theirs].map { network in
      let y = network(x)
      let goal = Self.tensor(y.shape, 9)
      let slopes = gradients(of: (y - goal).squared().sum(), parameters + [x])
      return ([y] + slopes).map { ($0.shape, $0.floats) }
    }
    for (k, (a, b)) in zip(found[0], found[1]).enumerated() {
      #expect(a.shape == b.shape)
      let largest = b.values.map(abs).max() ?? 0
      let difference = zip(a.values, b.values).map { abs($0 - $1) }.max() ?? 0
      // Rounding alone: with 50 tokens and AVX-512 the two are 2.9e-5 apart.
      #expect(difference <= 5e-5 * max(1, largest), "\(note), result \(k): \(difference)")
    }
    let quiet = withoutGradients { ours(x).floats }
    #expect(quiet == found[0][0].values, "the same bits without gradients")
  }

  @Test(arguments: [[28, 256, 64, 4], [3, 17, 1], [5, 2]])
  func denseLayersAgreeWithLibtorchs(widths: [Int]) {
    let network = MLP(
      zip(widths, widths.dropFirst()).enumerated().map {
        Self.linear($1.0, $1.1, 10 * $0)
      })
    for rows in [1, 67] {
      compare(
        Self.tensor([rows, widths[0]], rows), network.parameters, { network($0) },
        { network.composed($0) }, "\(widths), \(rows) rows")
    }
  }

  @Test(
    arguments: [(3, 32, 4), (50, 64, 2), (7, 10, 2), (1, 16, 1), (33, 34, 2), (16, 48, 1)],
    [false, true])
  func blocksAgreeWithLibtorchs(size: (tokens: Int, width: Int, heads: Int), isCausal: Bool) {
    for isRectified in [false, true] {
      let block = Self.block(
        width: size.width, heads: size.heads, hidden: 2 * size.width, isCausal: isCausal,
        isRectified: isRectified)
      compare(
        Self.tensor([5, size.tokens, size.width], 11) * 4, block.parameters, { block($0) },
        { block.composed($0) }, "\(size), \(isCausal), \(isRectified)")
    }
  }

  @Test func anInputThatIsAViewIsRead() {
    let network = MLP([Self.linear(4, 8, 1), Self.linear(8, 2, 2)])
    let wide = Self.tensor([6, 2, 4], 3)
    let view = wide.selected(1, along: 1)  // its rows are not one after the other
    #expect(network(view).floats == network(Tensor(view.floats, shape: [6, 4])).floats)
  }

  @Test func causalBlocksDoNotLookAhead() {
    let block = Self.block(width: 32, heads: 2, hidden: 64, isCausal: true)
    let short = Self.tensor([1, 20, 32], 1)
    let long = Tensor.concatenated([short, Self.tensor([1, 9, 32], 2)], along: 1)
    let (a, b) = (block(short).floats, block(long).floats)
    for (x, y) in zip(a, b) { #expect(abs(x - y) < 1e-5) }
  }

  @Test func theGradientsOfABlockAgreeWithFiniteDifferences() {
    let block = Self.block(width: 8, heads: 2, hidden: 12, isCausal: true)
    let x = Self.tensor([2, 3, 8], 1)
    let goal = Self.tensor([2, 3, 8], 2)
    func loss() -> Tensor { (block(x) - goal).squared().mean() }
    let found = gradients(of: loss(), block.parameters)
    for (name, gradient) in zip(block.named, found) {
      let values = name.tensor.floats
      let slopes = gradient.floats
      for k in stride(from: 0, to: values.count, by: 7) {
        func at(_ change: Float) -> Float {
          var moved = values
          moved[k] += change
          name.tensor.assign(Tensor(moved, shape: name.tensor.shape))
          return withoutGradients { loss().float }
        }
        let slope = (at(1e-2) - at(-1e-2)) / 2e-2
        name.tensor.assign(Tensor(values, shape: name.tensor.shape))
        #expect(abs(slope - slopes[k]) < 2e-3, "\(name.name): \(slopes[k]), measured \(slope)")
      }
    }
  }

  @Test func notANumberIsNotHidden() {
    let network = MLP([Self.linear(2, 4, 1), Self.linear(4, 2, 2)])
    #expect(network(Tensor([Float.nan, 1], shape: [1, 2])).floats.allSatisfy { $0.isNaN })
    let block = Self.block(width: 16, heads: 2, hidden: 16, isCausal: false)
    var values = Self.numbers(2 * 16, 1)
    values[3] = .nan
    #expect(block(Tensor(values, shape: [1, 2, 16])).floats.allSatisfy { $0.isNaN })
  }

  @Test func anEncoderHasPyTorchsNames() {
    let encoder = TransformerEncoder([
      Self.block(width: 8, heads: 2, hidden: 16, isCausal: false)
    ])
    #expect(encoder.named.map(\.name).contains("layers.0.self_attn.in_proj_weight"))
    #expect(encoder.parameters.count == 14)
    let x = Self.tensor([2, 3, 8], 1)
    let all = encoder(x)
    #expect(encoder(x, token: 1).floats == all.selected(1, along: 1).floats)
  }
}
