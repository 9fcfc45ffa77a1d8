import Testing

@testable import Torch

struct RowNetworkTests {
  @Test(arguments: [[3, 2], [28, 256, 256, 256, 4], [5, 33, 64, 1], [1, 31, 32, 70]])
  func aRowIsWhatTheNetworkGives(widths: [Int]) {
    var state: UInt32 = 1
    func next() -> Float {
      state = state &* 1_664_525 &+ 1_013_904_223
      return Float(state >> 8) / Float(1 << 24) - 0.5
    }
    func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in next() } }
    let network = MLP(
      zip(widths, widths.dropFirst()).map {
        Linear(inputs: $0, outputs: $1, weight: numbers($0 * $1), bias: numbers($1))
      })
    let row = RowNetwork(network)
    for _ in 0..<3 {
      let input = numbers(widths[0])
      let found = row(input)
      let expected = network(Tensor(input, shape: [1, input.count])).floats
      #expect(found.count == expected.count)
      for (a, b) in zip(found, expected) { #expect(abs(a - b) <= 1e-5 * max(1, abs(b))) }
      #expect(row(input) == found)
    }
  }

  @Test func sumsAreTakenInOrder() {
    // (1e8 + 1) - 1e8 is 0 in `Float`, where (1e8 - 1e8) + 1 is 1.
    let layer = Linear(inputs: 3, outputs: 1, weight: [1e8, 1, -1e8], bias: [0])
    #expect(RowNetwork(MLP([layer]))([1, 1, 1]) == [0])
    #expect(RowNetwork(MLP([layer]))([1, 0, 1]) == [0])
  }

  @Test func whatIsNotANumberStaysVisible() {
    let first = Linear(inputs: 1, outputs: 1, weight: [1], bias: [0])
    let last = Linear(inputs: 1, outputs: 1, weight: [1], bias: [0])
    let network = RowNetwork(MLP([first, last]))
    #expect(network([.nan])[0].isNaN)
    #expect(network([-.infinity]) == [0])
    #expect(network([-2]) == [0])
  }
}
