internal import GoalCore
internal import Replay
internal import Torch

/// The terms of a model's loss on a batch.
///
/// Shapes: `B` rows, `W` places, `N` actions that are asked for, `H` heads, `C` classes, `K = H ·
/// C`.
struct ModelLosses {
  let configuration: GoalTransformer.Configuration
  let task: GoalTask
  let head: ActionHead
  let maker: ModelInputMaker
  let seed: UInt64

  /// The results on a batch.
  struct Outcome {
    /// The loss.
    var terms = LossTerms()
    /// The student's outputs.
    let output: ModelOutput
    /// The data's actions.
    let taken: ActionTargets
    /// The actions to imitate: that, or false positives in its place.
    let targets: ActionTargets
    /// The centres of the teacher's embeddings, and what they are to follow.
    var centred: [(Centre, Tensor)] = []
  }

  /// The terms for a batch in update `update`.
  func callAsFunction(
    on batch: GoalBatch, _ student: ModelNetwork, teacher: ModelNetwork?,
    normalizer: RunningNormalizer, update: Int, dropout: Dropout?
  ) -> Outcome {
    let number = UInt64(update)
    let input = maker.input(
      observations: batch.observations, goals: batch.policyGoals, window: batch.window,
      rows: batch.count, normalizer: normalizer, number: number)
    let output = student.model(input, dropout)
    let taken = taken(in: batch, output)
    let targets = targets(of: taken, update: update)
    var outcome = Outcome(output: output, taken: taken, targets: targets)
    let objectives = configuration.objectives
    outcome.terms.add("policy_loss", weight: objectives.imitation.weight) {
      head.loss(output.actions, targets)
    }
    if let sequence = input.sequence, let said = output.nextStates {
      outcome.terms.add("next_state_loss", weight: objectives.nextState.weight) {
        NextState.loss(
          said, states: sequence.states, mask: sequence.holds.map { $0 ? 1 : 0 },
          axis: objectives.nextState.axis)
      }
    }
    if let loss = output.planLoss { outcome.terms.add("plan_loss", weight: 1) { loss } }
    addRegularisation(input, student, dropout, number, to: &outcome)
    if let teacher {
      addDistillation(input, student, teacher, dropout, update, to: &outcome)
    }
    if let reached = output.reached {
      addReached(reached, input, batch, normalizer, to: &outcome)
    }
    return outcome
  }

  /// The data's actions of those that were asked for.
  private func taken(in batch: GoalBatch, _ output: ModelOutput) -> ActionTargets {
    switch output.asked {
    case .first: return head.targets(of: batch.actions)
    case .places(let places):
      guard let window = batch.window else { preconditionFailure("places of no window") }
      return head.targets(of: window.actions, rows: places)
    }
  }

  /// The actions that are imitated: those taken, of choices a share of others.
  private func targets(of taken: ActionTargets, update: Int) -> ActionTargets {
    guard case .classes(let classes) = taken, case .choices(let codec) = head else { return taken }
    return .classes(
      FalsePositives.replacing(
        configuration.objectives.imitation.falsePositives, of: classes, classes: codec.classes,
        seed: seed, update: update))
  }

  private func addRegularisation(
    _ input: ModelInput, _ student: ModelNetwork, _ dropout: Dropout?, _ number: UInt64,
    to outcome: inout Outcome
  ) {
    let settings = configuration.objectives.vicreg
    guard settings.isOn else { return }
    func embedding(_ output: ModelOutput) -> Tensor {
      student.state.embedding(
        settings.embedding, token: output.features, logits: output.actions)
    }
    var branches = [embedding(outcome.output)]
    if settings.branches == .two {
      let other = input.noised(configuration.viewNoise, seed: seed, number: number)
      branches.append(embedding(student.model(other, dropout)))
    }
    guard branches[0].shape[0] > 1 else { return }
    VICReg.add(branches, settings: settings, to: &outcome.terms)
  }

  private func addDistillation(
    _ input: ModelInput, _ student: ModelNetwork, _ teacher: ModelNetwork, _ dropout: Dropout?,
    _ update: Int, to outcome: inout Outcome
  ) {
    let settings = configuration.objectives.distillation
    guard settings.isOn else { return }
    func embedding(_ token: Tensor, _ logits: Tensor, by other: Expander? = nil) -> Tensor {
      student.state.embedding(settings.outputs, token: token, logits: logits, by: other)
    }
    let said = withoutGradients { teacher.model(input, nil) }
    if let centre = student.state.centre {
      let theirs = withoutGradients {
        embedding(said.features, said.actions, by: teacher.state.expander)
      }
      let targets = DINO.targets(
        theirs, centre: centre.tensor,
        temperature: settings.temperature(towards: settings.teacherTemperature, update: update))
      outcome.centred.append((centre, theirs))
      let own = embedding(outcome.output.features, outcome.output.actions)
      outcome.terms.add("dino_loss", weight: settings.weight) {
        DINO.loss(own, targets: targets, temperature: settings.studentTemperature)
      }
    }
    guard let centre = student.state.maskedCentre, let sequence = input.sequence,
      let tokens = said.tokens
    else { return }
    var hidden = input
    let mask = IBOT.masked(
      settings.maskedShare, mask: sequence.holds.map { $0 ? 1 : 0 }, tokens: sequence.steps,
      seed: seed, update: update)
    hidden.masked = mask
    guard let seen = student.model(hidden, dropout).tokens else { return }
    let shape = [input.rows, sequence.steps, -1]
    let theirs = withoutGradients {
      embedding(tokens.features, tokens.outputs, by: teacher.state.expander).reshaped(shape)
    }
    let targets = DINO.targets(
      theirs, centre: centre.tensor,
      temperature: settings.temperature(towards: settings.maskedTeacherTemperature, update: update))
    outcome.centred.append((centre, theirs))
    let own = embedding(seen.features, seen.outputs).reshaped(shape)
    outcome.terms.add("ibot_loss", weight: settings.maskedWeight) {
      IBOT.loss(own, targets: targets, masked: mask, temperature: settings.studentTemperature)
    }
  }

  /// The goal that was reached is what the row's last state achieved.
  private func addReached(
    _ reached: Reached, _ input: ModelInput, _ batch: GoalBatch, _ normalizer: RunningNormalizer,
    to outcome: inout Outcome
  ) {
    guard let window = batch.window, let sequence = input.sequence,
      case .places(let places) = outcome.output.asked,
      case .classes(let classes) = outcome.taken, case .choices(let codec) = head
    else { return }
    let settings = configuration.objectives.reachedState
    let (W, O) = (sequence.steps, task.spec.observation)
    let last = sequence.goals.enumerated().flatMap { row, goal in
      let start = (row * W + goal) * O
      return task.achievedGoal(of: Array(window.observations[start..<start + O]))
    }
    let found = maker.goals(last, rows: batch.count, normalizer: normalizer)
    let rows = places.map { Int64($0 / W) }
    func mean(_ features: Tensor) -> Tensor {
      var counts = [Float](repeating: 0, count: batch.count)
      for row in rows { counts[Int(row)] += 1 }
      let shares = Tensor(counts.map { $0 > 0 ? 1 / $0 : 0 }, shape: [batch.count, 1])
      return features.reshaped([places.count, head.outputs])
        .sumsOfRows(by: rows, count: batch.count) * shares
    }
    let logits = outcome.output.actions.reshaped([classes.count, codec.classes])
    let isHanded = settings.surrogate == .straightThrough
    let taken =
      isHanded
      ? mean(withoutGradients { ReachedState.straightThrough(logits.detached(), choices: classes) })
      : nil
    let said = reached(taken)
    outcome.terms.add("reached_goal_loss", weight: settings.goalWeight) {
      ReachedState.distance(said, from: input.goals)
    }
    outcome.terms.add("reached_state_loss", weight: settings.reachedWeight) {
      ReachedState.distance(said, from: found)
    }
    outcome.terms.add(
      "surrogate_loss", weight: settings.surrogate == .none ? 0 : settings.surrogateWeight
    ) {
      if isHanded {
        let best = withoutGradients { logits.detached().largest() }
        let own = mean(ReachedState.straightThrough(logits, choices: best))
        return ReachedState.distance(reached(own, trains: false), from: input.goals)
      }
      let logarithms =
        logits.crossEntropies(of: Tensor(classes, shape: [classes.count]))
        .reshaped([places.count, codec.heads]).sum(along: 1) * -1
      return ReachedState.scoreFunction(
        logarithms.reshaped([places.count, 1]).sumsOfRows(by: rows, count: batch.count)
          .reshaped([batch.count]),
        distances: ReachedState.distances(found.floats, from: input.goals.floats, rows: batch.count)
      )
    }
  }
}
