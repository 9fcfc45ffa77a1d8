import Foundation
import GoalCore
import TestSupport
import Testing
import Torch

@testable import Learners

/// Models of the log's code beside the same written with PyTorch's modules, with equal parameters.
struct ModelReferenceTests {
  private struct Values: Encodable {
    let shape: [Int]
    let values: [Float]

    init(_ tensor: Tensor) { (shape, values) = (tensor.shape, tensor.floats) }
  }

  private struct Request: Encodable {
    struct Sequence: Encodable {
      let states: Values
      let actions: Values
      let holds: [Bool]
      let times: [Int64]
      let starts: [Int]
      let goals: [Int]
      let columns: [Int]
    }

    let settings: ArchitectureSettings
    let parameters: [String: Values]
    let states: Values
    let goals: Values
    let sequence: Sequence
  }

  /// A model, and what it is called.
  private struct Case {
    let name: String
    let settings: ArchitectureSettings
    var quirks = QuirkSettings()

    init(
      _ name: String, _ form: ModelForm,
      _ change: (inout ArchitectureSettings, inout QuirkSettings) -> Void = { _, _ in }
    ) {
      var settings = ArchitectureSettings()
      settings.form = form
      (settings.width, settings.heads, settings.feedForward) = (4, 2, 6)
      settings.normFirst = false
      change(&settings, &quirks)
      (self.name, self.settings) = (name, settings)
    }
  }

  private static let cases: [Case] = {
    let decoders = [ConditioningKind.film, .gate, .concatenation].flatMap { kind in
      [true, false].map { keeps in
        Case("decoder, \(kind), \(keeps ? "goal kept" : "goal taken in")", .decoder) {
          settings, _ in
          settings.history = 4
          settings.normFirst = keeps
          (settings.conditioning, settings.keepsGoal) = (kind, keeps)
        }
      }
    }
    let trajectories = [TrajectoryMask.all, .base, .pre, .restrictive].map { mask in
      Case("trajectory tokens, \(mask)", .trajectoryTokens) {
        ($0.mask, $0.positions, $0.positionsOf) = (mask, .learned, .actions)
        ($1.omitsEmbedding, $1.hidesStart, $1.asksAtGoal) = (true, true, true)
      }
    }
    return decoders + trajectories + [
      Case("decoder, token with a position", .decoder) { settings, _ in
        settings.history = 4
        (settings.positions, settings.positionsOf) = (.learned, .actions)
        settings.goalInTokens = true
      },
      Case("decoder, states with positions", .decoder) { settings, _ in
        settings.history = 4
        (settings.positions, settings.positionsOf) = (.learned, .states)
      },
      Case("interleaved, a goal for each step", .interleaved) { settings, _ in
        (settings.mask, settings.positions, settings.tiesActions) = (.randomGoal, .learned, true)
      },
      Case("interleaved, tied outputs of state and goal", .interleaved) { settings, _ in
        (settings.goal, settings.positions, settings.tiesActions) = (.embedding, .learned, true)
        (settings.readsGoal, settings.outWidths) = (true, [5])
      },
      Case("interleaved, tied outputs", .interleaved) { settings, _ in
        (settings.goal, settings.positions, settings.tiesActions) = (.embedding, .learned, true)
        settings.normFirst = true
      },
      Case("tokens, a goal-post in the action token", .tokens) { settings, _ in
        (settings.goal, settings.postInTokens) = (.embedding, true)
      },
      Case("attention of an action token", .attention) { settings, _ in
        (settings.goal, settings.keys, settings.layers) = (.embedding, .token, 2)
      },
    ]
  }()

  /// What a model says of numbers that are written out, and all that PyTorch needs to say it too.
  private func said(by model: Case) -> (outputs: [Float], request: Request) {
    func numbers(_ shape: [Int], _ step: Int) -> Tensor {
      Tensor(
        (0..<shape.reduce(1, *)).map { Float(($0 * step + 5) % 23) / 11 - 1 }, shape: shape)
    }
    let make = ParameterMaker(Initialization.generator(seed: 4, network: 2))
    let isHistory = model.settings.form == .decoder
    let (B, W, O, F, K) = (3, isHistory ? 4 : 7, 3, 2, 5)
    var objectives = ObjectiveSettings()
    if [.trajectoryTokens, .interleaved].contains(model.settings.form) {
      objectives.imitation.actions = .all
    }
    let parts = ModelParts(
      settings: model.settings, hiddenWidths: [6],
      sizes: ModelSizes(observation: O, goal: F, outputs: K, places: W, times: 7),
      quirks: model.quirks, objectives: objectives, make: make)
    let network: any GoalModel =
      switch model.settings.form {
      case .decoder: DecoderModel(parts)
      case .trajectoryTokens: TrajectoryTokensModel(parts, saysReached: false)
      case .interleaved: InterleavedModel(parts, saysNextStates: false)
      case .tokens: TokensModel(parts)
      default: AttentionModel(parts)
      }
    // Gains and shifts that are not 1 and 0, biases that are not 0.
    for entry in make.named where entry.name.contains("norm") || entry.name.hasSuffix("bias") {
      entry.tensor.assign(entry.tensor + numbers(entry.tensor.shape, 3) * 0.3)
    }
    // Histories of two, four and three states; trajectories with a start and a goal.
    let holds =
      isHistory
      ? [false, false, true, true, true, true, true, true, false, true, true, true]
      : [Bool](repeating: true, count: B * W)
    let times =
      isHistory
      ? [0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 1, 2] : (0..<B * W).map { Int64($0 % W) }
    let sequence = ModelInput.Sequence(
      steps: W, states: numbers([B, W, O], 7), actions: numbers([B, W, K], 4), holds: holds,
      times: times, acts: [Bool](repeating: true, count: B * W),
      starts: isHistory ? [3, 3, 3] : [0, 2, 4], goals: isHistory ? [3, 3, 3] : [3, 6, 5],
      columns: model.settings.mask == .randomGoal ? [4, 2, 6, 5, 6, 6] : [])
    let input = ModelInput(
      rows: B, states: numbers([B, O], 9), goals: numbers([B, F], 6), sequence: sequence)
    let request = Request(
      settings: model.settings,
      parameters: Dictionary(
        uniqueKeysWithValues: make.named.map { ($0.name, Values($0.tensor)) }),
      states: Values(input.states), goals: Values(input.goals),
      sequence: .init(
        states: Values(sequence.states), actions: Values(sequence.actions), holds: holds,
        times: times, starts: sequence.starts, goals: sequence.goals, columns: sequence.columns))
    return (network(input, nil).actions.floats, request)
  }

  @Test func theyAreTheSameOfTorchsModules() throws {
    let ours = Self.cases.map { said(by: $0) }
    let output = try PythonReference.run(
      "models_reference.py", input: JSONEncoder().encode(ours.map(\.request)))
    let expected = try JSONDecoder().decode([[Float]].self, from: output)
    #expect(expected.count == ours.count)
    for (model, (found, theirs)) in zip(Self.cases, zip(ours.map(\.outputs), expected)) {
      #expect(theirs.count == found.count, "\(model.name)")
      #expect(zip(found, theirs).allSatisfy { abs($0 - $1) < 2e-5 }, "\(model.name)")
    }
  }
}
