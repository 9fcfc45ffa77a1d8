import GoalCore
import Replay
import Testing

@testable import Learners
@testable import Torch

/// The models of the log: their sizes and their gradients.
struct ModelTests {
  typealias Configuration = GoalTransformer.Configuration

  private static func configured(_ change: (inout Configuration) -> Void) -> Configuration {
    var configuration = Configuration()
    change(&configuration)
    return configuration
  }

  private func network(
    _ task: GoalTask, _ configuration: Configuration, seed: UInt64 = 3
  ) -> ModelNetwork {
    ModelNetwork(configuration, task: task, head: head(task, configuration), seed: seed)
  }

  private func head(_ task: GoalTask, _ configuration: Configuration) -> ActionHead {
    ActionHead(
      configuration.head, task.spec.action, bins: configuration.bins,
      jointLimit: configuration.jointLimit)
  }

  private func count(_ named: [NamedTensor], _ groups: String...) -> Int {
    named.filter { entry in groups.isEmpty || groups.contains { entry.name.hasPrefix($0) } }
      .reduce(0) { $0 + $1.tensor.count }
  }

  /// The numbers that were counted of the log's own networks.
  @Test func parametersAreAsManyAsTheLogs() {
    let gcsl = network(.lunarLander, Self.configured { $0.architecture.form = .mlp })
    #expect(count(gcsl.named) == 127_104)

    let gated = network(
      .lunarLander,
      Self.configured {
        $0.architecture.form = .decoder
        $0.architecture.conditioning = .gate
        $0.objectives.vicreg.variance = 10
        $0.objectives.vicreg.covariance = 1
        $0.objectives.vicreg.embedding = .expander
      })
    #expect(count(gated.named) == 133_000)
    #expect(count(gated.named, "post.") == 128_308)
    #expect(count(gated.named, "encoder.", "decoder.") == 4_128)
    #expect(count(gated.named, "gate.") == 448)
    #expect(count(gated.named) + count(gated.state.named) == 158_920)

    let idm = network(
      .lunarLander,
      Self.configured {
        $0.architecture.form = .trajectory
        $0.architecture.mask = .randomGoal
        $0.architecture.width = 32
        $0.architecture.feedForward = 128
        $0.goals = .full
      })
    // PyTorch's encoder is made of copies of a layer that the log's module keeps, and counts, as
    // well.
    let layer = count(idm.named, "encoder.layers.0.")
    #expect(layer == 12_704)
    #expect(count(idm.named, "encoder.layers.") + layer == 38_112)
  }

  /// A model with small parts.
  struct Form: Sendable, CustomTestStringConvertible {
    let configuration: Configuration
    var form: ModelForm { configuration.architecture.form }
    var testDescription: String { form.rawValue }
  }

  /// Every form, small, with what it says besides actions.
  static let forms: [Form] = {
    func tiny(_ form: ModelForm, _ change: (inout Configuration) -> Void = { _ in }) -> Form {
      var configuration = ModelTests.configured {
        $0.architecture.form = form
        $0.architecture.width = 4
        $0.architecture.heads = 2
        $0.architecture.feedForward = 6
        $0.architecture.activation = .gelu
        $0.architecture.positions = .learned
        $0.hiddenWidths = [8]
        $0.batchSize = 12
        $0.objectives.vicreg.variance = 0.5
        $0.objectives.vicreg.covariance = 0.5
      }
      change(&configuration)
      return Form(configuration: configuration)
    }
    return [
      tiny(.mlp), tiny(.branches), tiny(.attention) { $0.architecture.keys = .both },
      tiny(.attention) { $0.architecture.keys = .mutual },
      tiny(.attention) { $0.architecture.keys = .token },
      tiny(.tokens) { $0.objectives.vicreg.embedding = .expander },
      tiny(.tokens) { $0.architecture.conditioning = .film },
      tiny(.tokens) { $0.architecture.conditioning = .concatenation },
      tiny(.tokens) {
        $0.architecture.goal = .embedding
        $0.architecture.postInTokens = true
      },
      tiny(.tokens) { $0.head = .continuous },
      tiny(.tokens) { $0.head = .independent },
      tiny(.tokens) {
        $0.objectives.vicreg.branches = .two
        $0.objectives.vicreg.invariance = 1
      },
      tiny(.tokens) {
        $0.objectives.distillation.weight = 1
        $0.objectives.distillation.teacherTemperature = 0.5
        $0.objectives.distillation.studentTemperature = 0.7
      },
      tiny(.decoder), tiny(.decoder) { $0.objectives.imitation.actions = .all },
      tiny(.decoder) {
        $0.architecture.history = 4
        $0.architecture.conditioning = .gate
        $0.architecture.normFirst = false
      },
      tiny(.decoder) {
        $0.architecture.history = 7
        $0.architecture.conditioning = .concatenation
        $0.architecture.keepsGoal = true
      },
      tiny(.decoder) { $0.architecture.positionsOf = .actions },
      tiny(.trajectory) {
        $0.architecture.mask = .randomGoal
        $0.goals = .full
        $0.objectives.distillation.maskedWeight = 1
        $0.objectives.distillation.studentTemperature = 0.7
      },
      tiny(.trajectoryDecoder) {
        $0.architecture.mask = .ahead
        $0.goals = .full
      },
      tiny(.trajectoryTokens) { $0.objectives.imitation.actions = .all },
      tiny(.trajectoryTokens) {
        $0.architecture.positionsOf = .actions
        $0.architecture.mask = .restrictive
        $0.quirks.hidesStart = true
        $0.quirks.omitsEmbedding = true
      },
      tiny(.trajectoryTokens) {
        $0.pairs = .original
        $0.objectives.reachedState.reachedWeight = 1
        $0.objectives.reachedState.goalWeight = 0.5
        $0.objectives.reachedState.surrogate = .scoreFunction
        $0.objectives.reachedState.surrogateWeight = 0.5
      },
      tiny(.interleaved) {
        $0.pairs = .chop
        $0.objectives.nextState.weight = 1
        $0.architecture.readsGoal = true
      },
      tiny(.interleaved) {
        $0.architecture.mask = .randomGoal
        $0.architecture.layers = 1
        $0.architecture.tiesActions = true
        $0.goals = .full
        $0.objectives.nextState.weight = 1
      },
      tiny(.interleaved) {
        $0.pairs = .chop
        $0.objectives.nextState.weight = 1
        $0.objectives.nextState.reads = .goal
        $0.objectives.nextState.widths = [5]
        $0.architecture.tiesActions = true
        $0.architecture.outWidths = [5]
      },
      tiny(.prompted) { $0.pairs = .chop }, tiny(.actionEncoder),
      tiny(.planner) {
        $0.architecture.history = 3
        $0.architecture.planWidth = 5
        $0.architecture.waypoints = 2
        $0.architecture.planModes = 2
      },
      tiny(.planner) {
        $0.objectives.imitation.weight = 0
        $0.objectives.vicreg = VICRegSettings()
      },
    ]
  }()

  /// The bound of a checkpoint's networks counts no part that the form leaves out.
  @Test(arguments: forms.filter { $0.configuration.objectives.imitation.weight > 0 })
  func whatWasSavedIsNotTooLargeToRestore(form: Form) throws {
    var configuration = form.configuration
    if ![.mlp, .branches].contains(form.form) { configuration.hiddenWidths = [2_000, 300] }
    let saved = try GoalTransformer(task: SmallWorld.task, configuration: configuration, seed: 1)
      .saved()
    let learner = try LearnerRegistry.entry(GoalTransformer.identifier).make(
      task: SmallWorld.task, overrides: Settings.values(of: configuration), seed: 1,
      restoring: saved.policy.map { $0.tensor.count }.reduce(0, +))
    try learner.restore(saved)
  }

  /// The slope along a direction, by the gradient and by a difference.
  @Test(arguments: forms)
  func gradientsAgreeWithFiniteDifferences(form: Form) throws {
    let task = SmallWorld.task
    let configuration = form.configuration
    let learner = try GoalTransformer(task: task, configuration: configuration, seed: 1)
    var batch = GoalBatch(learner.scheme, spec: task.spec)
    SmallWorld.replay.draw(learner.scheme, seed: 3, number: 2, into: &batch)
    let head = head(task, configuration)
    let (student, teacher) = (network(task, configuration), network(task, configuration, seed: 9))
    let losses = ModelLosses(
      configuration: configuration, task: task, head: head,
      maker: ModelInputMaker(task: task, head: head, configuration, seed: 5), seed: 5)
    let normalizer = RunningNormalizer(length: 4, settings: NormalizerSettings())
    func loss() -> Tensor {
      losses(
        on: batch, student, teacher: configuration.objectives.hasTeacher ? teacher : nil,
        normalizer: normalizer, update: 4, dropout: nil
      ).terms.total
    }
    let slopes = gradients(of: loss(), student.parameters)
    var generator = Philox(seed: 8, purpose: 1, index: 1)
    for _ in 0..<2 {
      let start = student.parameters.map(\.floats)
      // No gradient of the low level reaches a plan, which a difference would count.
      let held = form.form == .planner && configuration.objectives.imitation.weight > 0
      let isHeld = student.parameters.indices.map {
        held && $0 < student.named.count && student.named[$0].name.hasPrefix("plan.")
      }
      let direction = zip(start, isHeld).map { values, isHeld in
        values.map { _ in isHeld ? 0 : Float(generator.normal()) }
      }
      let expected = zip(slopes, direction).reduce(0.0) { sum, pair in
        zip(pair.0.floats, pair.1).reduce(sum) { $0 + Double($1.0) * Double($1.1) }
      }
      func at(_ step: Float) -> Double {
        for (parameter, (values, change)) in zip(student.parameters, zip(start, direction)) {
          parameter.assign(
            Tensor(zip(values, change).map { $0 + step * $1 }, shape: parameter.shape))
        }
        return Double(withoutGradients { loss().float })
      }
      let step: Float = 1e-3
      let found = (at(step) - at(-step)) / (2 * Double(step))
      _ = at(0)
      #expect(
        abs(found - expected) < 0.02 * abs(expected) + 0.02,
        "\(form.form): \(expected), measured \(found)")
    }
  }
}

/// Point worlds with short episodes.
enum SmallWorld {
  static let task = GoalTask(
    identifier: "point-plane",
    spec: GoalSpec(
      observation: 2, goal: 2, action: .continuous(low: [-1, -1], high: [1, 1]), horizon: 6,
      successThreshold: 0.1, metric: "distance", controlPeriod: 1),
    goalIndices: [0, 1])
  static let replay = PointWorld.replay(task: task, episodes: 12, seed: 4, bins: 3)
}
