import Foundation
import GoalCore
import TestSupport
import Testing
import Torch

@testable import Learners

/// Every loss against numpy's, term by term.
struct ObjectiveValueTests {
  /// 3 windows of 4 places, 2 heads of 3 classes, 2 numbers of a state; 5 rows of 4 embeddings.
  private struct Question: Encodable {
    let windowLogits = Numbers(normal: [3, 4, 2, 3], seed: 1)
    let choices = [[2, 0, 1, 1, 0, 2, 2, 2], [0, 1, 2, 0, 1, 1, 0, 0], [1, 2, 0, 0, 2, 1, 1, 0]]
    let mask: [[Float]] = [[1, 1, 1, 0], [0, 1, 1, 1], [1, 1, 0, 0]]
    let chosen = Numbers(normal: [5, 2], seed: 2)
    let actions = Numbers(normal: [5, 2], seed: 3)
    let counting: [Float] = [1, 0, 1, 1, 0]
    let states = Numbers(normal: [3, 4, 2], seed: 4)
    let predictions = Numbers(normal: [3, 4, 2], seed: 5)
    let views = Numbers(normal: [3, 5, 4], seed: 6, scale: 0.2)
    let teacherViews = Numbers(normal: [2, 5, 4], seed: 7, scale: 0.1)
    let centre = Numbers(normal: [4], seed: 8, scale: 0.1)
    let tokens = Numbers(normal: [3, 4, 4], seed: 9, scale: 0.2)
    let teacherTokens = Numbers(normal: [3, 4, 4], seed: 10, scale: 0.1)
    let masked: [[Float]] = [[1, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 1]]
    let embeddings = Numbers(normal: [5, 4], seed: 11, scale: 0.5)
    let otherEmbeddings = Numbers(normal: [5, 4], seed: 12, scale: 1.2)
    let predicted = Numbers(normal: [5, 2], seed: 13)
    let reached = Numbers(normal: [5, 2], seed: 14)
    let goals = Numbers(normal: [5, 2], seed: 15)
    let logProbabilities = Numbers(normal: [5], seed: 16)
    let scheduleLength = 7
    let tokensIn = Numbers(normal: [6, 3], seed: 17)
    let weights = [
      Numbers(normal: [4, 3], seed: 18), Numbers(normal: [4, 4], seed: 19),
      Numbers(normal: [2, 4], seed: 20),
    ]
    let biases = [
      Numbers(normal: [4], seed: 21), Numbers(normal: [4], seed: 22),
      Numbers(normal: [2], seed: 23),
    ]
    let gains = [Numbers(normal: [4], seed: 24), Numbers(normal: [4], seed: 25)]
    let shifts = [Numbers(normal: [4], seed: 26), Numbers(normal: [4], seed: 27)]

    private struct Key: CodingKey {
      let stringValue: String
      var intValue: Int? { nil }
      init(_ name: String) { stringValue = name }
      init?(stringValue: String) { self.init(stringValue) }
      init?(intValue: Int) { nil }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      func put(_ name: String, _ numbers: Numbers) throws {
        var list = container.nestedUnkeyedContainer(forKey: Key(name))
        try nest(numbers.values[...], numbers.shape, into: &list)
      }
      func nest(
        _ values: ArraySlice<Double>, _ shape: [Int], into list: inout any UnkeyedEncodingContainer
      ) throws {
        guard shape.count > 1 else { return try list.encode(contentsOf: Array(values)) }
        let size = values.count / shape[0]
        for k in 0..<shape[0] {
          var inner = list.nestedUnkeyedContainer()
          let start = values.startIndex + k * size
          try nest(values[start..<start + size], Array(shape.dropFirst()), into: &inner)
        }
      }
      try put("window_logits", windowLogits)
      try container.encode(
        choices.map { row in stride(from: 0, to: 8, by: 2).map { [row[$0], row[$0 + 1]] } },
        forKey: Key("choices"))
      try container.encode(mask, forKey: Key("mask"))
      try container.encode(counting, forKey: Key("counting"))
      try container.encode(masked, forKey: Key("masked"))
      try container.encode(scheduleLength, forKey: Key("schedule_length"))
      for (name, numbers) in [
        ("chosen", chosen), ("actions", actions), ("states", states),
        ("predictions", predictions), ("views", views), ("teacher_views", teacherViews),
        ("centre", centre), ("tokens", tokens), ("teacher_tokens", teacherTokens),
        ("embeddings", embeddings), ("other_embeddings", otherEmbeddings),
        ("predicted", predicted), ("reached", reached), ("goals", goals),
        ("log_probabilities", logProbabilities), ("tokens_in", tokensIn),
      ] { try put(name, numbers) }
      for k in weights.indices {
        try put("weight\(k)", weights[k])
        try put("bias\(k)", biases[k])
      }
      for k in gains.indices {
        try put("gain\(k)", gains[k])
        try put("shift\(k)", shifts[k])
      }
    }
  }

  private struct Answer: Decodable {
    let cross_entropy, squared_error, next_state_time, next_state_batch: Double
    let dino, dino_views, ibot, entropy, variance, covariance, two_branches, reached, score: Double
    let log_probabilities, centre, momenta, temperatures, expander: [Double]
  }

  private let question = Question()
  private let answer: Answer

  init() throws {
    answer = try JSONDecoder().decode(
      Answer.self,
      from: PythonReference.run(
        "objectives_reference.py", input: JSONEncoder().encode(question)))
  }

  private func expect(
    _ found: Double, _ expected: Double, within tolerance: Double = 1e-12,
    location: SourceLocation = #_sourceLocation
  ) {
    #expect(
      abs(found - expected) < tolerance * max(1, abs(expected)), "\(found), numpy \(expected)",
      sourceLocation: location)
  }

  @Test func valuesAreNumpys() throws {
    // Imitation.
    let mask = question.mask.flatMap { $0 }
    let targets = Imitation.targets(
      question.choices.flatMap { $0.map(Int64.init) }, counting: mask, heads: 2)
    let logits = Tensor(question.windowLogits.values, shape: [24, 3])
    expect(
      Imitation.crossEntropy(logits, targets: targets, heads: 2).double, answer.cross_entropy)
    let logarithms = Imitation.logProbabilities(logits, targets: targets, rows: 3)
    for (found, expected) in zip(
      logarithms.values(as: Double.self), answer.log_probabilities)
    { expect(found, expected) }
    expect(
      Imitation.squaredError(
        question.chosen.tensor, from: question.actions.tensor, counting: question.counting
      ).double, answer.squared_error)

    // Next states.
    for (axis, expected) in [
      (NextStateAxis.time, answer.next_state_time), (.batch, answer.next_state_batch),
    ] {
      expect(
        NextState.loss(
          question.predictions.tensor, states: question.states.tensor, mask: mask, axis: axis
        ).double, expected)
    }
    #expect(abs(answer.next_state_time - answer.next_state_batch) > 0.1)

    // Distillation.
    let views = question.views.tensor
    let teachers = question.teacherViews.tensor
    let goals = (0..<2).map {
      DINO.targets(
        teachers.selected($0, along: 0), centre: question.centre.tensor, temperature: 0.04)
    }
    let students = (0..<3).map { views.selected($0, along: 0) }
    expect(DINO.loss(students[0], targets: goals[0], temperature: 0.1).double, answer.dino)
    expect(
      DINO.loss(views: students, targets: goals, temperature: 0.1).double, answer.dino_views)
    let narrow = Tensor(goals[0].values(as: Double.self).map(Float.init), shape: [5, 4])
    expect(Double(DINO.entropy(narrow)), answer.entropy, within: 1e-5)
    let tokens = DINO.targets(
      question.teacherTokens.tensor, centre: question.centre.tensor, temperature: 0.07)
    expect(
      IBOT.loss(
        question.tokens.tensor, targets: tokens, masked: question.masked.flatMap { $0 },
        temperature: 0.1
      ).double, answer.ibot, within: 1e-6)
    let centre = Centre(outputs: 4, momentum: 0.9)
    for k in 0..<2 { centre.follow(question.teacherViews.narrow.selected(k, along: 0)) }
    for (found, expected) in zip(centre.tensor.floats, answer.centre) {
      expect(Double(found), expected, within: 1e-6)
    }

    // VICReg.
    let (z, y) = (question.embeddings.tensor, question.otherEmbeddings.tensor)
    expect(VICReg.variance(z).double, answer.variance)
    expect(VICReg.covariance(z).double, answer.covariance)
    var settings = VICRegSettings()
    (settings.invariance, settings.variance, settings.covariance) = (25, 25, 1)
    settings.branches = .two
    var terms = LossTerms()
    VICReg.add([z, y], settings: settings, to: &terms)
    expect(terms.total.double, answer.two_branches)

    // The reached state.
    expect(
      ReachedState.distance(question.predicted.tensor, from: question.reached.tensor).double,
      answer.reached)
    let distances = ReachedState.distances(
      question.reached.values.map(Float.init), from: question.goals.values.map(Float.init), rows: 5)
    expect(
      ReachedState.scoreFunction(question.logProbabilities.tensor, distances: distances).double,
      answer.score, within: 1e-6)

    // Schedules: DINO's, over 7 updates.
    var teacher = TeacherSettings()
    (teacher.momentum, teacher.lastMomentum, teacher.momentumUpdates) = (0.996, 1, 7)
    var distillation = DistillationSettings()
    distillation.temperatureUpdates = 7
    for k in 0..<7 {
      expect(teacher.momentum(update: k), answer.momenta[k])
      expect(distillation.temperature(towards: 0.07, update: k), answer.temperatures[k])
    }
    #expect(teacher.momentum(update: 7) == 1 && teacher.momentum(update: 70) == 1)
    #expect(distillation.temperature(towards: 0.07, update: 70) == 0.07)
    #expect(TeacherSettings().momentum(update: 5) == 0.99)
    #expect(DistillationSettings().temperature(towards: 0.04, update: 0) == 0.04)
  }

  @Test func anExpanderNormalisesOverTheBatch() throws {
    let expander = Expander(
      MLP(
        zip(question.weights, question.biases).map { weight, bias in
          Linear(
            inputs: weight.shape[1], outputs: weight.shape[0],
            weight: weight.values.map(Float.init), bias: bias.values.map(Float.init))
        }), normalizes: true)
    let norms = (0..<2).flatMap {
      [
        NamedTensor("norm.\($0).weight", question.gains[$0].narrow),
        NamedTensor("norm.\($0).bias", question.shifts[$0].narrow),
      ]
    }
    let names = Set(norms.map(\.name))
    try expander.named.filter { names.contains($0.name) }.assign(from: norms)
    let found = expander(question.tokensIn.narrow)
    #expect(found.shape == [6, 2])
    for (mine, theirs) in zip(found.floats, answer.expander) {
      expect(Double(mine), theirs, within: 1e-5)
    }
  }
}
