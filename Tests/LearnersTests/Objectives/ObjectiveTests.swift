import Foundation
import GoalCore
import Support
import TestSupport
import Testing
import Torch

@testable import Learners

/// What objectives promise besides their values: known mistakes change them, collapse shows, draws
/// are those of the run, and what they keep comes back to the bit.
struct ObjectiveTests {
  // MARK: - Known mistakes

  /// The log writes (z − z̄)(z − z̄)², and without a transpose a product is that of rows, not of
  /// columns.
  @Test func theTransposeMatters() {
    let z = Numbers(normal: [6, 6], seed: 1).tensor
    let covariance = VICReg.covariance(z).double
    let centred = z - z.mean(along: 0)
    func beside(_ matrix: Tensor) -> Double {
      let all = matrix.squared().sum().double
      let upper = matrix.aboveDiagonal().squared().sum().double
      let lower = matrix.transposed().aboveDiagonal().squared().sum().double
      #expect(upper + lower <= all)
      return (upper + lower) / 6
    }
    #expect(abs(beside(centred.transposed().matrixProduct(centred) * 0.2) - covariance) < 1e-12)
    let squared = centred.transposed().matrixProduct(centred.squared()) * 0.2
    #expect(abs(beside(squared) - covariance) > 1e-3)
    #expect(abs(beside(centred.matrixProduct(centred) * 0.2) - covariance) > 1e-3)
    #expect(abs(beside(centred.matrixProduct(centred.transposed()) * 0.2) - covariance) > 1e-3)
  }

  /// Predictions that are right in time are wrong along the batch.
  @Test func theNextStateIsLookedForInTime() {
    let states = Numbers(normal: [3, 4, 2], seed: 1)
    // What follows each state, and anything after the last one.
    var next = states
    for place in next.values.indices where place % 8 < 6 {
      next.values[place] = states.values[place + 2]
    }
    let mask = [Float](repeating: 1, count: 12)
    func loss(_ axis: NextStateAxis) -> Double {
      NextState.loss(next.tensor, states: states.tensor, mask: mask, axis: axis).double
    }
    #expect(loss(.time) == 0)
    #expect(loss(.batch) > 0.5)
  }

  /// The log's online loss leaves the actions alone; both surrogates move them.
  @Test func onlySurrogatesMoveTheActions() {
    let logits = Numbers(normal: [4, 3], seed: 1)
    let choices: [Int64] = [2, 0, 1, 1]
    let head = Numbers(normal: [3, 2], seed: 2).tensor  // predicts the state of an action
    let goals = Numbers(normal: [4, 2], seed: 3).tensor
    func slopes(_ loss: (Tensor) -> Tensor) -> [Double] {
      let x = logits.tensor.tracked()
      return gradients(of: loss(x), [x])[0].values(as: Double.self)
    }
    let logs = slopes { x in
      let hot = ReachedState.straightThrough(x, choices: choices).detached()
      return ReachedState.distance(hot.matrixProduct(head), from: goals) + x.sum() * 0
    }
    #expect(logs.allSatisfy { $0 == 0 })
    let through = slopes { x in
      let hot = ReachedState.straightThrough(x, choices: choices)
      return ReachedState.distance(hot.matrixProduct(head), from: goals)
    }
    #expect(through.allSatisfy { $0 != 0 })
    let score = slopes { x in
      let logarithms = Imitation.logProbabilities(x, targets: choices, rows: 4)
      return ReachedState.scoreFunction(logarithms, distances: [0.3, 2, 0.1, 1])
    }
    #expect(score.allSatisfy { $0 != 0 })
  }

  /// The mean of the surrogate's gradients over all pairs of actions is the expectation's own
  /// gradient.
  @Test func theScoreFunctionHasNoBias() {
    let x = Numbers([0.3, -0.7, 1.1], [1, 3]).tensor.tracked()
    let distances: [Float] = [0.9, 0.2, 2.5]
    let expectation = (x.softmax() * Tensor(distances, shape: [1, 3])).sum()
    let expected = gradients(of: expectation, [x])[0].values(as: Double.self)
    let probabilities = x.detached().softmax().values(as: Double.self)
    var mean = [0.0, 0, 0]
    for a in 0..<3 {
      for b in 0..<3 {
        let both = Tensor.concatenated([x, x], along: 0)
        let logarithms = Imitation.logProbabilities(
          both, targets: [Int64(a), Int64(b)], rows: 2)
        let loss = ReachedState.scoreFunction(
          logarithms, distances: [distances[a], distances[b]])
        let slopes = gradients(of: loss, [x])[0].values(as: Double.self)
        for k in 0..<3 { mean[k] += probabilities[a] * probabilities[b] * slopes[k] }
      }
    }
    for k in 0..<3 { #expect(abs(mean[k] - expected[k]) < 1e-6) }
  }

  /// A teacher that always says the same gives the loss 0; one that says nothing, ln K; a centre
  /// tells the first from a teacher that knows something.
  @Test func collapseShows() {
    let same = Tensor([8, 0, 0, 0, 8, 0, 0, 0] as [Double], shape: [2, 4])
    let nothing = Tensor([1, 1, 1, 1, 3, 3, 3, 3] as [Double], shape: [2, 4])
    let none = Tensor.zeros([4])
    func loss(_ x: Tensor, centre: Tensor) -> Double {
      let targets = DINO.targets(x, centre: centre, temperature: 0.04)
      return DINO.loss(x, targets: targets, temperature: 0.1).double
    }
    #expect(loss(same, centre: none) < 1e-12)
    let nats: Double = log(4)
    #expect(abs(loss(nothing, centre: none) - nats) < 1e-12)
    let targets = DINO.targets(same, centre: same.mean(along: 0), temperature: 0.04)
    #expect(targets.values(as: Double.self).allSatisfy { abs($0 - 0.25) < 1e-12 })
    let halves = Tensor([0.25, 0.25, 0.25, 0.25, 0, 1, 0, 0] as [Float], shape: [2, 4])
    #expect(abs(DINO.entropy(halves) - Float(nats / 2)) < 1e-6)
  }

  // MARK: - Choices

  @Test func windowsAreImitatedFromTheStart() {
    let mask: [Float] = [1, 1, 1, 0, 0, 1, 1, 1]
    #expect(Imitation.counted(.all, mask: mask, starts: [0, 1]) == mask)
    #expect(
      Imitation.counted(.first, mask: mask, starts: [1, 1]) == [0, 1, 0, 0, 0, 1, 0, 0])
    #expect(
      Imitation.targets([3, 4, 5, 6], counting: [0, 1], heads: 2) == [-100, -100, 5, 6])
  }

  /// The expected loss is that of labels smoothed by the same share.
  @Test func falsePositivesSmoothLabels() {
    let rows = 40_000
    let targets = (0..<rows).map { Int64($0 % 4) }
    let noisy = FalsePositives.replacing(0.3, of: targets, classes: 4, seed: 5, update: 7)
    let changed = zip(targets, noisy).count { $0 != $1 }
    // 0.3 · 3/4 of 40,000 with a deviation of √(40,000 · 0.225 · 0.775) = 84.
    #expect(abs(changed - 9_000) < 4 * 84)
    var counts = [Int](repeating: 0, count: 4)
    for (target, other) in zip(targets, noisy) where target != other { counts[Int(other)] += 1 }
    for count in counts { #expect(abs(count - 2_250) < 4 * 47) }
    #expect(noisy == FalsePositives.replacing(0.3, of: targets, classes: 4, seed: 5, update: 7))
    #expect(noisy != FalsePositives.replacing(0.3, of: targets, classes: 4, seed: 5, update: 8))
    #expect(noisy != FalsePositives.replacing(0.3, of: targets, classes: 4, seed: 6, update: 7))
    let left = FalsePositives.replacing(
      1, of: [Tensor.ignoredClass, 2], classes: 1, seed: 0, update: 0)
    #expect(left == [Tensor.ignoredClass, 0])

    let logits = Numbers([0.3, -0.7, 1.1, 0.2], [1, 4]).tensor
    let each = (0..<4).map { Imitation.crossEntropy(logits, targets: [Int64($0)], heads: 1).double }
    let right = each[1]
    let smoothed = 0.7 * right + 0.3 * each.reduce(0, +) / 4
    let ones = FalsePositives.replacing(
      0.3, of: [Int64](repeating: 1, count: rows), classes: 4, seed: 9, update: 0)
    let found = ones.reduce(0.0) { $0 + each[Int($1)] } / Double(rows)
    #expect(abs(found - smoothed) < 4 * 0.6 / Double(rows).squareRoot())
  }

  @Test func tokensAreMaskedWithoutPadding() {
    let mask: [Float] = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    var hits = [Float](repeating: 0, count: 20)
    for update in 0..<400 {
      let masked = IBOT.masked(0.5, mask: mask, tokens: 10, seed: 3, update: update)
      #expect(masked[..<10].reduce(0, +) == 5 && masked[10...].reduce(0, +) == 2)
      for place in hits.indices { hits[place] += masked[place] }
    }
    for place in 0..<14 { #expect(abs(hits[place] - 200) < 4 * 10) }
    for place in 14..<20 { #expect(hits[place] == 0) }
    #expect(
      IBOT.masked(0.5, mask: mask, tokens: 10, seed: 3, update: 1)
        == IBOT.masked(0.5, mask: mask, tokens: 10, seed: 3, update: 1))
  }

  @Test func termsWithoutWeightAreNotComputed() {
    var terms = LossTerms()
    terms.add("a", weight: 2) { Tensor([3] as [Float], shape: []) }
    terms.add("b", weight: 0) {
      Issue.record("it is computed")
      return Tensor([1] as [Float], shape: [])
    }
    terms.add("c", weight: 1) { Tensor([4] as [Float], shape: []) }
    #expect(terms.total.float == 10)
    #expect(terms.metrics.entries.map(\.name) == ["a", "c"])
    #expect(terms.metrics["a"] == 3 && terms.metrics["c"] == 4)
  }

  // MARK: - The teacher

  @Test func theTeacherFollows() {
    let student = Tensor([1, 2] as [Float], shape: [2]).tracked()
    let teacher = Tensor([7, 7] as [Float], shape: [2]).tracked()
    var settings = TeacherSettings()
    settings.momentum = 0.9
    let average = MomentumTeacher([teacher], of: [student], settings: settings)
    #expect(teacher.floats == [1, 2])
    student.assign(Tensor([2, 0] as [Float], shape: [2]))
    average.follow(update: 0)
    #expect(abs(teacher.floats[0] - 1.1) < 1e-6 && abs(teacher.floats[1] - 1.8) < 1e-6)
    #expect(student.floats == [2, 0])
    for update in 1..<200 { average.follow(update: update) }
    #expect(abs(teacher.floats[0] - 2) < 1e-6 && abs(teacher.floats[1]) < 1e-6)
  }

  @Test func aRoleSaysWhenTheTeacherActs() {
    var settings = TeacherSettings()
    let expected: [(TeacherRole, Bool, Bool)] = [
      (.none, false, false), (.acting, true, false), (.evaluating, false, true),
      (.both, true, true),
    ]
    for (role, collects, isEvaluated) in expected {
      settings.role = role
      #expect(settings.collects == collects && settings.isEvaluated == isEvaluated)
    }
  }

  // MARK: - State

  private func settings() -> ObjectiveSettings {
    var settings = ObjectiveSettings()
    settings.distillation.weight = 1
    settings.distillation.maskedWeight = 1
    settings.distillation.outputs = .expander
    settings.vicreg.variance = 10
    settings.vicreg.covariance = 1
    settings.vicreg.embedding = .expander
    settings.expander.widths = [6, 3]
    settings.expander.normalizes = true
    return settings
  }

  /// A student, its teacher and all that the objectives keep, training on numbers drawn for each
  /// update.
  private struct Trained {
    let settings: ObjectiveSettings
    let state: ObjectiveState
    let student: Expander
    let average: MomentumTeacher
    let optimizer: Adam
    let teacher: Expander

    init(_ settings: ObjectiveSettings, seed: UInt64) {
      self.settings = settings
      func layers(_ widths: [Int]) -> MLP {
        var generator = Initialization.generator(seed: seed, network: 9)
        return Initialization.mlp(
          inputs: 4, hiddenWidths: widths.dropLast(), outputs: widths.last ?? 1, from: &generator)
      }
      state = ObjectiveState(settings, logits: 2, expander: layers)
      guard let expander = state.expander else { preconditionFailure("an expander is asked for") }
      student = expander
      teacher = Expander(layers(settings.expander.widths), normalizes: true)
      average = MomentumTeacher(
        teacher.parameters, of: state.parameters, settings: settings.teacher)
      optimizer = Adam(state.parameters, learningRate: 1e-2)
    }

    var named: [NamedTensor] {
      state.named + teacher.named.map { $0.within("teacher") }
        + optimizer.state.map { $0.within("optimizer") }
    }

    func train(_ updates: Range<Int>) {
      for update in updates {
        let x = Numbers(normal: [8, 4], seed: UInt64(update)).narrow
        let z = state.embedding(.expander, token: x, logits: x)
        let outputs = withoutGradients {
          state.embedding(.expander, token: x, logits: x, by: teacher)
        }
        var terms = LossTerms()
        for (name, centre) in [("dino", state.centre), ("ibot", state.maskedCentre)] {
          guard let centre else { continue }
          let targets = DINO.targets(outputs, centre: centre.tensor, temperature: 0.04)
          terms.add(name, weight: 1) { DINO.loss(z, targets: targets, temperature: 0.1) }
        }
        VICReg.add([z], settings: settings.vicreg, to: &terms)
        optimizer.step(minimizing: terms.total)
        average.follow(update: update)
        state.centre?.follow(outputs)
        state.maskedCentre?.follow(outputs * 2)
      }
    }
  }

  @Test func whatIsKeptComesBackToTheBit() throws {
    let settings = settings()
    try settings.validate(under: ["objectives"])
    let first = Trained(settings, seed: 1)
    #expect(
      Set(first.state.named.map(\.name)) == [
        "expander.0.weight", "expander.0.bias", "expander.2.weight", "expander.2.bias",
        "expander.norm.0.weight", "expander.norm.0.bias", "centre", "masked_centre",
      ])
    first.train(0..<5)
    let folder = try TemporaryFolder()
    let files = ["policy", "training"].map { folder.url.appendingPathComponent($0).path }
    try SavedLearner(policy: [], training: first.named, counters: [:])
      .write(policy: files[0], header: "{}", training: files[1])
    first.train(5..<10)

    let second = Trained(settings, seed: 2)
    #expect(second.named.map { $0.tensor.floats } != first.named.map { $0.tensor.floats })
    try second.named.assign(
      from: SavedLearner(policy: files[0], training: files[1], counters: [:]).training)
    second.train(5..<10)
    for (mine, other) in zip(second.named, first.named) {
      #expect(mine.tensor.floats == other.tensor.floats, "\(mine.name)")
      #expect(mine.tensor.floats.contains { $0 != 0 }, "\(mine.name)")
    }
  }

  @Test func nothingIsKeptForPlainImitation() throws {
    let settings = ObjectiveSettings()
    try settings.validate(under: ["objectives"])
    let state = ObjectiveState(settings, logits: 4) { _ in MLP([]) }
    #expect(state.named.isEmpty && state.parameters.isEmpty && !settings.hasTeacher)
  }

  // MARK: - Settings

  @Test func settingsAreCheckedAndDocumented() throws {
    func complaint(_ change: (inout ObjectiveSettings) -> Void) -> String? {
      var settings = ObjectiveSettings()
      change(&settings)
      do {
        try settings.validate(under: ["objectives"])
        return nil
      } catch { return "\(error)" }
    }
    #expect(complaint { _ in } == nil)
    #expect(
      complaint { $0.imitation.weight = 0 }
        == "the setting 'objectives.imitation.weight' must be above 0 if no other objective has a "
        + "weight, found 0.0")
    #expect(
      complaint { $0.vicreg.variance = -1 }
        == "the setting 'objectives.vicreg.variance' must be at least 0, found -1.0")
    #expect(
      complaint { $0.vicreg.invariance = 25 }
        == "the setting 'objectives.vicreg.invariance' must be 0 if the model has one branch, found 25.0"
    )
    #expect(complaint { $0.distillation.studentTemperature = 0 } != nil)
    #expect(complaint { $0.expander.widths = [] } != nil)
    #expect(complaint { $0.imitation.falsePositives = 1.5 } != nil)
    #expect(complaint { $0.teacher.momentumUpdates = -1 } != nil)

    func keys(_ values: [String: JSONValue], _ prefix: String) -> [String] {
      values.flatMap { key, value -> [String] in
        if case .object(let inner) = value { return keys(inner, prefix + key + ".") }
        return [prefix + key]
      }
    }
    let settings = keys(try Settings.values(of: ObjectiveSettings()), "objectives.")
    let table = SettingTable(ObjectiveSettings(), under: ["objectives"])
    #expect(settings.sorted() == table.rows.map(\.key).sorted())
    let changed = try Settings.applying(
      ["vicreg": ["variance": 10, "embedding": "expander"], "teacher": ["role": "both"]],
      to: ObjectiveSettings())
    #expect(changed.vicreg.variance == 10 && changed.hasExpander && changed.hasTeacher)
  }
}
