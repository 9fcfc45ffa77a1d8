import Testing

@testable import Torch

struct AdamTests {
  /// The paper's algorithm 1, in `Double`.
  private struct Reference {
    var x: [Double]
    var m: [Double]
    var v: [Double]
    var t = 0.0

    init(_ x: [Double]) {
      self.x = x
      m = x.map { _ in 0 }
      v = m
    }

    mutating func step(_ g: [Double], rate: Double) {
      t += 1
      var (a, b) = (1.0, 1.0)
      for _ in 0..<Int(t) { (a, b) = (a * 0.9, b * 0.999) }
      for k in x.indices {
        m[k] = 0.9 * m[k] + 0.1 * g[k]
        v[k] = 0.999 * v[k] + 0.001 * g[k] * g[k]
        x[k] -= rate * (m[k] / (1 - a)) / ((v[k] / (1 - b)).squareRoot() + 1e-8)
      }
    }
  }

  @Test func stepsAreThePapers() {
    let x = Tensor([1, -2, 0.5] as [Float], shape: [3]).tracked()
    let y = Tensor([3] as [Float], shape: [1]).tracked()
    let adam = Adam([x, y], learningRate: 0.1)
    var reference = Reference([1, -2, 0.5, 3])
    for _ in 0..<20 {
      reference.step(reference.x.map { 2 * $0 }, rate: 0.1)
      adam.step(minimizing: x.squared().sum() + y.squared().sum())
    }
    for (found, expected) in zip(x.floats + y.floats, reference.x) {
      #expect(abs(Double(found) - expected) < 1e-5)
    }
  }

  @Test func theFirstStepIsTheLearningRate() {
    let x = Tensor([1, 1] as [Float], shape: [2]).tracked()
    Adam([x], learningRate: 0.25).step(along: [Tensor([3, -0.01] as [Float], shape: [2])])
    #expect(abs(x.floats[0] - 0.75) < 1e-6)
    #expect(abs(x.floats[1] - 1.25) < 1e-5)
  }

  @Test func aRestoredOptimizerGoesOnToTheBit() {
    func run(interrupted: Bool) -> [Float] {
      let x = Tensor([1, -2] as [Float], shape: [2]).tracked()
      var adam = Adam([x], learningRate: 0.01)
      for step in 0..<10 {
        if interrupted, step == 5 {
          let saved = adam.state.map { $0.copied() }
          adam = Adam([x], learningRate: 0.01)
          for (target, source) in zip(adam.state, saved) {
            #expect(target.name == source.name)
            target.tensor.assign(source.tensor)
          }
        }
        adam.step(minimizing: (x.squared() * x.squared()).sum())
      }
      return x.floats
    }
    #expect(run(interrupted: true) == run(interrupted: false))
  }
}
