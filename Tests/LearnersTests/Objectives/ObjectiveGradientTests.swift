import Testing
import Torch

@testable import Learners

/// Every loss's gradient against central differences in 64 bits.
struct ObjectiveGradientTests {
  private let mask: [Float] = [1, 1, 1, 0, 0, 1, 1, 1]  // [2, 4]

  @Test func imitation() {
    let targets = Imitation.targets(
      [2, 0, 1, 1, 0, 2, 2, 2, 0, 1, 2, 0, 1, 1, 0, 0], counting: mask, heads: 2)
    let logits = Numbers(normal: [16, 3], seed: 1)
    expectGradients(of: logits) { Imitation.crossEntropy($0[0], targets: targets, heads: 2) }
    expectGradients(of: logits) {
      Imitation.logProbabilities($0[0], targets: targets, rows: 2).squared().sum()
    }
    expectGradients(of: Numbers(normal: [8, 2], seed: 2), Numbers(normal: [8, 2], seed: 3)) {
      Imitation.squaredError($0[0], from: $0[1], counting: mask)
    }
  }

  @Test(arguments: NextStateAxis.allCases) func nextStates(axis: NextStateAxis) {
    expectGradients(
      of: Numbers(normal: [2, 4, 3], seed: 1), Numbers(normal: [2, 4, 3], seed: 2)
    ) { NextState.loss($0[0], states: $0[1], mask: mask, axis: axis) }
  }

  @Test func distillation() {
    let teacher = Numbers(normal: [2, 4, 5], seed: 1, scale: 0.1).tensor
    let centre = Numbers(normal: [5], seed: 2, scale: 0.1).tensor
    let targets = DINO.targets(teacher, centre: centre, temperature: 0.07)
    let student = Numbers(normal: [2, 4, 5], seed: 3, scale: 0.2)
    expectGradients(of: student) { DINO.loss($0[0], targets: targets, temperature: 0.1) }
    expectGradients(of: student) {
      IBOT.loss($0[0], targets: targets, masked: mask, temperature: 0.1)
    }
    let views = (0..<2).map { targets.selected($0, along: 0) }
    expectGradients(of: Numbers(normal: [4, 5], seed: 4), Numbers(normal: [4, 5], seed: 5)) {
      DINO.loss(views: $0, targets: views, temperature: 0.1)
    }
  }

  @Test func noGradientReachesTheTeacher() {
    let teacher = Numbers(normal: [4, 5], seed: 1).tensor.tracked()
    let student = Numbers(normal: [4, 5], seed: 2).tensor.tracked()
    let centre = Tensor.zeros([5])
    let targets = DINO.targets(teacher, centre: centre, temperature: 0.04)
    let loss = DINO.loss(student, targets: targets, temperature: 0.1)
    #expect(gradients(of: loss, [teacher])[0].values(as: Double.self).allSatisfy { $0 == 0 })
  }

  @Test func variancesAndCovariances() {
    let narrow = Numbers(normal: [6, 4], seed: 1, scale: 0.4)  // below the hinge
    let wide = Numbers(normal: [6, 4], seed: 2, scale: 3)
    expectGradients(of: narrow) { VICReg.variance($0[0]) }
    expectGradients(of: wide) { VICReg.covariance($0[0]) }
    #expect(VICReg.variance(Numbers(normal: [60, 4], seed: 2, scale: 3).tensor).double == 0)
    var settings = VICRegSettings()
    (settings.invariance, settings.variance, settings.covariance) = (25, 25, 1)
    settings.branches = .two
    expectGradients(of: narrow, wide) {
      var terms = LossTerms()
      VICReg.add($0, settings: settings, to: &terms)
      return terms.total
    }
  }

  @Test func reachedStates() {
    expectGradients(of: Numbers(normal: [4, 3], seed: 1), Numbers(normal: [4, 3], seed: 2)) {
      ReachedState.distance($0[0], from: $0[1])
    }
    expectGradients(of: Numbers(normal: [4], seed: 3)) {
      ReachedState.scoreFunction($0[0], distances: [0.3, 2, 0.1, 1])
    }
  }

  /// The value of one-hot numbers does not move with the logits: their gradient is the softmax's.
  @Test func straightThroughHasTheGradientOfProbabilities() {
    let logits = Numbers(normal: [3, 4], seed: 1)
    let weights = Numbers(normal: [3, 4], seed: 2).tensor
    let choices: [Int64] = [2, 0, Tensor.ignoredClass]
    let x = logits.tensor.tracked()
    let oneHot = ReachedState.straightThrough(x, choices: choices)
    #expect(oneHot.values(as: Double.self) == [0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0])
    let found = gradients(of: (oneHot * weights).sum(), [x])[0].values(as: Double.self)
    let y = logits.tensor.tracked()
    let expected = gradients(of: (y.softmax() * weights).sum(), [y])[0].values(as: Double.self)
    #expect(Array(found[..<8]) == Array(expected[..<8]))
    #expect(found[8...].allSatisfy { $0 == 0 })
    expectGradients(of: logits) { ($0[0].softmax() * weights).sum() }
  }

  /// A network of 32 bits, so only as far as these go.
  @Test func expanders() {
    func ramp(_ count: Int, _ phase: Float) -> [Float] {
      (0..<count).map { 0.9 * Float(($0 * 7 + 3) % 11) / 11 - 0.35 + phase }
    }
    let expander = Expander(
      MLP([
        Linear(inputs: 3, outputs: 4, weight: ramp(12, 0), bias: ramp(4, 0.1)),
        Linear(inputs: 4, outputs: 2, weight: ramp(8, -0.05), bias: ramp(2, 0)),
      ]), normalizes: true)
    let x = Numbers(normal: [5, 3], seed: 2).narrow  // far from the rectifiers' kinks
    func loss() -> Tensor { expander(x).squared().mean() }
    let found = gradients(of: loss(), expander.parameters)
    for (parameter, gradient) in zip(expander.parameters, found) {
      let values = parameter.floats
      for k in values.indices {
        func at(_ change: Float) -> Float {
          var moved = values
          moved[k] += change
          parameter.assign(Tensor(moved, shape: parameter.shape))
          return withoutGradients { loss().float }
        }
        let slope = (at(2e-3) - at(-2e-3)) / 4e-3
        parameter.assign(Tensor(values, shape: parameter.shape))
        #expect(abs(slope - gradient.floats[k]) < 5e-3, "\(gradient.floats[k]), measured \(slope)")
      }
    }
  }
}
