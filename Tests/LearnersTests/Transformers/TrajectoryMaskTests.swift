import GoalCore
import Replay
import Testing

@testable import Learners
@testable import Torch

/// The log's masks, compared with tables written out for a trajectory of five states, start 1 and
/// goal 3.
struct TrajectoryMaskTests {
  private static let tables: [(mask: TrajectoryMask, columns: [Int], rows: [String])] = [
    (.all, [], ["#####", "#####", "#####", "#####", "#####"]),
    (.causal, [], ["#....", "##...", "###..", "####.", "#####"]),
    (.randomGoal, [2, 4, 3, 4], ["#.#..", "##..#", "####.", "#####", "#####"]),
    (
      .ahead, GoalColumns.ahead(states: 5, steps: 2), ["#.#..", "##.#.", "###.#", "#####", "#####"]
    ),
    (.base, [], [".###.", ".###.", ".###.", ".###.", ".###."]),
    (.restrictive, [], [".#.#.", ".#.#.", ".#.#.", ".#.#.", ".#.#."]),
    (.pre, [], ["####.", "####.", "####.", "####.", "####."]),
    (.diagonal, [], ["#....", ".#...", "..#..", "...#.", "....#"]),
  ]

  @Test func masksAreAsWrittenOut() {
    #expect(Self.tables.map { $0.mask } == TrajectoryMask.allCases)
    for table in Self.tables {
      let found = table.mask.matrix(states: 5, start: 1, goal: 3, columns: table.columns)
      #expect(found == table.rows.joined(separator: "").map { $0 == "#" }, "\(table.mask)")
    }
  }

  @Test func aBiasHidesAndNeverLeavesAQueryWithoutAKey() {
    let bias = AttentionBias.of(
      [true, false, false, false, false, true], rows: 1, queries: 2, keys: 3)
    #expect(bias.shape == [1, 1, 2, 3])
    let hidden = -Float.infinity
    let expected: [Float] = [0, hidden, hidden, hidden, hidden, 0]
    #expect(bias.floats == expected)
    let none = AttentionBias.of([false, false, false, false], rows: 1, queries: 2, keys: 2)
    let first: [Float] = [0, hidden, hidden, 0]
    #expect(none.floats == first)
    let causal: [Float] = [0, hidden, 0, 0]
    #expect(AttentionBias.causal(2).floats == causal)
  }

  @Test func aStateThatIsHiddenChangesNothing() {
    let make = ParameterMaker(Initialization.generator(seed: 1, network: 0))
    let shape = LayerShape(width: 8, heads: 2, feedForward: 12, activation: .relu, normFirst: false)
    let stack = TransformerStack("encoder", layers: 2, shape, make)
    let values = (0..<24).map { Float($0 % 7) / 7 - 0.4 }
    var other = values
    for k in 16..<24 { other[k] += 3 }
    let bias = AttentionBias.of([true, true, false], rows: 1, queries: 1, keys: 3)
    let (a, b) = (
      stack(Tensor(values, shape: [1, 3, 8]), bias: bias).floats,
      stack(Tensor(other, shape: [1, 3, 8]), bias: bias).floats
    )
    #expect(a.prefix(16) == b.prefix(16))
    #expect(a.suffix(8) != b.suffix(8))
  }

  /// A layer of ours is libtorch's block, for equal numbers; and its attention the same composed
  /// for dropout.
  @Test func aLayerIsTheBlockOfTheTorchModule() {
    let make = ParameterMaker(Initialization.generator(seed: 2, network: 0))
    let shape = LayerShape(width: 8, heads: 2, feedForward: 12, activation: .gelu, normFirst: true)
    let layer = TransformerLayer("layer", shape, make)
    func linear(_ name: String) -> Linear {
      let (weight, bias) = (
        make.named.first { $0.name == "layer.\(name).weight" }?.tensor,
        make.named.first { $0.name == "layer.\(name).bias" }?.tensor
      )
      let size = weight?.shape ?? [0, 0]
      return Linear(
        inputs: size[1], outputs: size[0], weight: weight?.floats ?? [], bias: bias?.floats ?? [])
    }
    let block = TransformerBlock(
      queriesKeysValues: linear("self_attn.in_proj"), output: linear("self_attn.out_proj"),
      widening: linear("linear1"), narrowing: linear("linear2"), heads: 2, isCausal: true)
    let x = Tensor((0..<80).map { Float($0 % 11) / 11 - 0.5 }, shape: [2, 5, 8])
    let expected = block(x).floats
    let nothingDropped = Dropout(rate: 0, seed: 1, number: 1)
    for dropout in [nil, nothingDropped] {
      let found = layer(x, bias: AttentionBias.causal(5), dropout: dropout).floats
      for (a, b) in zip(found, expected) { #expect(abs(a - b) < 1e-5) }
    }
  }

  @Test func dropoutKeepsTheMeanAndIsKeyed() {
    let x = Tensor([Float](repeating: 1, count: 20_000), shape: [20_000])
    func drop(_ number: UInt64) -> [Float] { Dropout(rate: 0.1, seed: 3, number: number)(x).floats }
    let values = drop(1)
    #expect(abs(values.reduce(0, +) / 20_000 - 1) < 0.01)
    #expect(Set(values) == [0, Float(1 / 0.9)])
    #expect(drop(1) == values && drop(2) != values)
  }
}
