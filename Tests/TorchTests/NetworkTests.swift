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
    _ theirs: @escaping (Tensor) -> Tensor, _ note: String, tolerance: Float = 5e-5
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
      #expect(difference <= tolerance * max(1, largest), "\(note), result \(k): \(difference)")
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

  /// GELU by tanh between the layers, with and without a normalisation after it.
  @Test(
    arguments: [[28, 256, 64, 4], [3, 17, 1], [5, 2], [40, 33, 33, 33, 10]], [false, true])
  func geluLayersAgreeWithLibtorchs(widths: [Int], isNormalized: Bool) {
    let norms = widths.dropFirst().dropLast().enumerated().map { k, width in
      let norm = LayerNorm(width: width, epsilon: MLP.normEpsilon)
      norm.weight.assign(Self.tensor([width], 5 + k) + 1)
      norm.bias.assign(Self.tensor([width], 7 + k))
      return norm
    }
    let network = MLP(
      zip(widths, widths.dropFirst()).enumerated().map {
        Self.linear($1.0, $1.1, 10 * $0)
      }, activation: .gelu, norms: isNormalized ? norms : [])
    for rows in [1, 67] {
      let x = Self.tensor([rows, widths[0]], rows) * 4
      compare(
        x, network.parameters, { network($0) }, { network.composed($0) },
        // Normalisations divide by deviations that rounding moves: with three of them 8.7e-5.
        "\(widths), \(rows) rows", tolerance: 2e-4)
      let row = RowNetwork(network)
      let expected = withoutGradients { network(x).floats }
      for k in 0..<rows {
        let found = row(x.selected(k, along: 0).copied().floats)
        let wanted = expected[k * found.count..<(k + 1) * found.count]
        for (a, b) in zip(found, wanted) { #expect(abs(a - b) < 2e-5 * max(1, abs(b))) }
      }
    }
  }

  /// Lengths of unions of intervals and their slopes, of few and of many intervals, some of them
  /// empty.
  @Test(arguments: [(1, 1), (3, 2), (8, 5), (17, 3)])
  func lengthsOfUnionsAgreeWithLibtorchs(size: (count: Int, parts: Int)) {
    let shape = [23, size.count * size.parts]
    let (x, y) = (Self.tensor(shape, 3).tracked(), (Self.tensor(shape, 4) * 1.5).tracked())
    let weights = Self.tensor([23, size.parts], 5) + 2
    let found = [
      Tensor.intervalLengths(x, y, parts: size.parts),
      Tensor.composedIntervalLengths(x, y, parts: size.parts),
    ].map { lengths in
      ([lengths] + gradients(of: (lengths * weights).sum(), [x, y])).map(\.floats)
    }
    for (a, b) in zip(found[0], found[1]) {
      #expect(a.count == b.count && !a.allSatisfy { $0 == 0 })
      for (one, other) in zip(a, b) { #expect(abs(one - other) < 2e-5) }
    }
    #expect(
      withoutGradients { Tensor.intervalLengths(x, y, parts: size.parts).floats } == found[0][0])
    // Two that overlap, one within, one apart, one that is empty: 3 + 2.
    let starts = Tensor([Float(0), 1, 0.5, 10, 7], shape: [1, 5])
    let ends = Tensor([Float(2), 3, 0.6, 12, 6], shape: [1, 5])
    #expect(Tensor.intervalLengths(starts, ends, parts: 1).floats == [5])
  }

  /// Through a frozen network flow the gradients of its input only.
  @Test func frozenNetworksPassGradientsOn() {
    let network = MLP([Self.linear(4, 9, 1), Self.linear(9, 2, 2)], activation: .gelu)
    let x = Self.tensor([5, 4], 3).tracked()
    let slopes = [network, network.frozen()].map {
      gradients(of: $0(x).squared().sum(), network.parameters + [x]).map(\.floats)
    }
    #expect(slopes[0].last == slopes[1].last)
    #expect(slopes[1].dropLast().allSatisfy { $0.allSatisfy { $0 == 0 } })
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
