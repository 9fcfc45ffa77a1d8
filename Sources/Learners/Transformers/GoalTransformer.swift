public import GoalCore
public import Replay
import Support
public import Torch

/// The research log's models: policies of state and goal that are put together from embeddings,
/// transformers, masks, heads and objectives by settings, and trained as GCSL is.
///
///     minimise  Σ weight · term,   the first −ln π(a | s, g) on what a trajectory reached later
///
/// The log is the thesis "Goal Conditioned Reinforcement Learning with Transformer Architectures
/// and Intrinsic Reward Design", github.com/miladsamim/GCRL at 63b1e7e, `gcsl/gcsl/algo`;
/// `ArchitectureSettings` has the parts, `ObjectiveSettings` the losses, and
/// `pipelines/research-log/experiments.yaml` the settings of each of its attempts. The imitation is
/// Ghosh et al., "Learning to Reach Goals via Iterated Supervised Learning", ICLR 2021,
/// arXiv:1912.06088.
///
/// It differs from the log's code in: 1. its faults are off unless `quirks` and a few other
/// settings ask for them;
/// 2. states are embedded before they are tokens everywhere, where some of its models take them as
///    they are;
/// 3. dropout is 0 unless set, and its masks are drawn from the run's own generator; 4. what a
///    policy does while it collects is a setting of its own, `collecting`, beside `choosing`; 5.
///    networks are drawn as `ParameterMaker` says. A policy whose input has actions reads those
///    that it chose, not those that exploration put in their place.
public final class GoalTransformer: Learner {
  /// The id, `goal-transformer`.
  public static let identifier = "goal-transformer"
  /// The idea in one sentence.
  public static let summary =
    "imitate actions towards goals that the same trajectory reached later, with a configurable transformer"

  /// The settings that it was made with.
  public let configuration: Configuration
  /// Updates made so far.
  public private(set) var updates = 0
  private let task: GoalTask
  private let head: ActionHead
  private let loss: ModelLosses
  private let student: ModelNetwork
  private let teacher: (network: ModelNetwork, momentum: MomentumTeacher)?
  private let optimizer: Adam
  private let gathered: [Tensor]
  private var normalizer: RunningNormalizer
  private let seed: UInt64

  /// Makes an untrained learner; throws `LearnerError` if states are made of goals of an unknown
  /// kind.
  public init(task: GoalTask, configuration: Configuration, seed: UInt64) throws {
    let needsGoals =
      configuration.goals == .full || configuration.objectives.reachedState.isOn
      || configuration.architecture.hasGoalState || configuration.architecture.form == .planner
    guard task.isGoalKnown || !needsGoals else {
      throw LearnerError.unknownGoals(learner: Self.identifier, task: task.identifier)
    }
    (self.configuration, self.task, self.seed) = (configuration, task, seed)
    let head = ActionHead(
      configuration.head, task.spec.action, bins: configuration.bins,
      jointLimit: configuration.jointLimit)
    self.head = head
    try Settings.require(
      !configuration.quirks.omitsOutput
        || configuration.featureWidth(outputs: head.outputs) >= head.outputs,
      "architecture.width", "at least \(head.outputs) with quirks.omitsOutput",
      found: .integer(configuration.architecture.width))
    student = ModelNetwork(configuration, task: task, head: head, seed: seed)
    if configuration.objectives.hasTeacher {
      let network = ModelNetwork(configuration, task: task, head: head, seed: nil)
      teacher = (
        network,
        MomentumTeacher(
          network.parameters, of: student.parameters, settings: configuration.objectives.teacher)
      )
    } else {
      teacher = nil
    }
    optimizer = Adam(student.parameters, learningRate: configuration.learningRate)
    gathered =
      configuration.accumulations > 1 ? student.parameters.map { Tensor.zeros($0.shape) } : []
    normalizer = RunningNormalizer(
      length: task.spec.observation + configuration.goals.form.length(task.spec),
      settings: configuration.normalizer)
    loss = ModelLosses(
      configuration: configuration, task: task, head: head,
      maker: ModelInputMaker(task: task, head: head, configuration, seed: seed), seed: seed)
  }

  /// Starts and goals as `pairs` says, with the window that the model reads.
  public var scheme: SamplingScheme {
    var scheme = SamplingScheme(
      batchSize: configuration.batchSize,
      policyGoals: configuration.pairs.selection(horizon: task.spec.horizon),
      originalValueGoals: 0)
    scheme.goalForm = configuration.goals.form
    scheme.sharing = configuration.indices == .batch ? .pair : .none
    scheme.window = configuration.window(horizon: task.spec.horizon)
    return scheme
  }

  /// One step of gradient descent on `batch`, or a part of one where gradients are gathered.
  public func update(on batch: GoalBatch, measuring: Bool) -> Metrics? {
    let rate = configuration.architecture.dropout
    let dropout = rate > 0 ? Dropout(rate: rate, seed: seed, number: UInt64(updates)) : nil
    let outcome = loss(
      on: batch, student, teacher: teacher?.network, normalizer: normalizer,
      update: updates, dropout: dropout)
    let slopes = gradients(of: outcome.terms.total, student.parameters)
    step(along: slopes)
    teacher?.momentum.follow(update: updates)
    for (centre, outputs) in outcome.centred { centre.follow(outputs) }
    updates += 1
    if configuration.normalizes {
      normalizer.update(
        observations: batch.observations, goals: batch.policyGoals, rows: batch.count)
    }
    guard measuring else { return nil }
    var metrics = outcome.terms.metrics
    measure(outcome, into: &metrics)
    let offsets = batch.offsets.map { Float($0) }
    metrics.append("goal_offset", offsets.reduce(0, +) / Float(batch.count))
    metrics.append(sample: "goal_offset", offsets)
    metrics.append("policy_gradient_norm", Tensor.norm(slopes))
    metrics.append("policy_weight_norm", Tensor.norm(student.named.map(\.tensor)))
    return metrics
  }

  private func step(along slopes: [Tensor]) {
    guard configuration.accumulations > 1 else { return optimizer.step(along: slopes) }
    for (sum, slope) in zip(gathered, slopes) { sum.assign(sum + slope) }
    if configuration.quirks.stepsOnSums { return optimizer.step(along: gathered) }
    guard (updates + 1) % configuration.accumulations == 0 else { return }
    optimizer.step(along: gathered)
    for sum in gathered { sum.assign(.zeros(sum.shape)) }
  }

  private func measure(_ outcome: ModelLosses.Outcome, into metrics: inout Metrics) {
    let actions = outcome.output.actions
    switch (head, outcome.taken) {
    case (.choices(let codec), .classes(let classes)):
      ChoiceDiagnostics(
        logits: actions.reshaped([classes.count, codec.classes]), data: classes, codec: codec
      ).append(to: &metrics)
    case (.continuous(let scale), .numbers(let numbers)):
      let policy = withoutGradients { actions.detached().tanh().floats }
      ActionDiagnostics(policy: policy, data: numbers, width: scale.length).append(to: &metrics)
    default: break
    }
  }

  /// The loss terms of a batch that is not trained on, without dropout.
  public func losses(on batch: GoalBatch) -> Metrics {
    withoutGradients {
      loss(
        on: batch, student, teacher: teacher?.network, normalizer: normalizer,
        update: updates, dropout: nil
      ).terms.metrics
    }
  }

  // MARK: - Acting

  /// The present policy as it is evaluated: the student, or its teacher.
  public func makePolicy() -> any GoalPolicy {
    policy(ofTeacher: configuration.objectives.teacher.isEvaluated, configuration.choosing)
  }

  /// The present policy as it collects.
  public func makeCollectingPolicy() -> any GoalPolicy {
    policy(ofTeacher: configuration.objectives.teacher.collects, configuration.collecting)
  }

  private func policy(ofTeacher: Bool, _ choosing: Choosing) -> any GoalPolicy {
    let network = ofTeacher ? teacher?.network ?? student : student
    let drops = ofTeacher && configuration.objectives.teacher.dropsOut
    return TransformerPolicy(
      network, configuration, maker: loss.maker, normalizer: normalizer, choosing: choosing,
      dropout: drops ? configuration.architecture.dropout : 0)
  }

  // MARK: - Saving

  private var policyState: [NamedTensor] {
    student.named.map { $0.within("actor") }
      + (teacher?.network.named.map { $0.within("teacher") } ?? [])
      + (configuration.normalizes
        ? normalizer.policyState.map { $0.within("normalizer") } : [])
  }

  private var trainingState: [NamedTensor] {
    optimizer.state.map { $0.within("optimizer") }
      + student.state.named.map { $0.within("objectives") }
      + (teacher?.network.state.expander?.named.map { $0.within("teacher_expander") } ?? [])
      + gathered.enumerated().map { NamedTensor("gathered.\($0)", $1) }
  }

  /// Copies of everything that acting and training need.
  public func saved() -> SavedLearner {
    let sums =
      configuration.normalizes
      ? normalizer.trainingState.map { $0.within("normalizer") } : []
    return SavedLearner(
      policy: policyState.map { $0.copied() },
      training: (trainingState + sums).map { $0.copied() },
      counters: ["updates": .integer(updates)])
  }

  /// Puts back what acting needs.
  public func restore(policy tensors: [NamedTensor]) throws {
    try student.named.assign(from: tensors.group("actor"))
    try teacher?.network.named.assign(from: tensors.group("teacher"))
    if configuration.normalizes {
      try normalizer.restore(policy: tensors.group("normalizer"))
    }
  }

  /// Puts everything back.
  public func restore(_ saved: SavedLearner) throws {
    try restore(policy: saved.policy)
    try trainingState.assign(from: saved.training)
    if configuration.normalizes {
      try normalizer.restore(training: saved.training.group("normalizer"))
    }
    updates = try saved.updates()
  }
}

extension ModelInputMaker {
  /// The maker of a configuration's inputs.
  init(
    task: GoalTask, head: ActionHead, _ configuration: GoalTransformer.Configuration, seed: UInt64
  ) {
    self.init(
      task: task, head: head, normalizes: configuration.normalizes,
      clip: configuration.normalizer.inputClip, mask: configuration.architecture.mask,
      ahead: configuration.architecture.ahead, seed: seed)
  }
}
