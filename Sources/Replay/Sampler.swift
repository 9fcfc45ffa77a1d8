internal import CPrefetch
public import GoalCore

/// Draws batches from one or several sources.
///
/// Each row draws its source by the weights, its episode, its step and its goal. A batch is a function
/// of the run's seed, its own number, the weights and what the sources hold: it does not depend on
/// threads or on what was drawn before.
///
/// Indices are drawn first and the cache lines that they name asked for; then the rows are copied.
public struct Sampler: Sendable {
  /// What a batch is.
  public let scheme: SamplingScheme
  /// The run's seed.
  public let seed: UInt64
  /// Where rows come from.
  public let sources: [WeightedSource]
  /// The sources' common task.
  public let task: GoalTask

  /// Makes a sampler of one source or several of one task.
  public init(_ scheme: SamplingScheme, sources: [WeightedSource], seed: UInt64) {
    guard let first = sources.first else { preconditionFailure("a sampler needs a source") }
    precondition(
      sources.allSatisfy { $0.source.task == first.source.task }, "sources are of one task")
    if let fault = scheme.fault { preconditionFailure(fault) }
    self.scheme = scheme
    self.sources = sources
    self.seed = seed
    task = first.source.task
  }

  /// Makes a sampler of one source.
  public init(_ scheme: SamplingScheme, source: any EpisodeSource, seed: UInt64) {
    self.init(scheme, sources: [WeightedSource(source)], seed: seed)
  }

  /// A batch of zeros to draw into.
  public func makeBatch() -> GoalBatch { GoalBatch(scheme, spec: task.spec) }

  /// Draws batch number `number` of the run.
  ///
  /// `weights`, one a source, stand in for the sources' own: for shares that change from batch to batch.
  /// Weights of 0 leave a source out; one that holds no episode must have the weight 0.
  public func draw(_ number: UInt64, weights: [Double]? = nil, into batch: inout GoalBatch) {
    precondition(
      batch.count == scheme.batchSize, "a batch of \(scheme.batchSize) rows was asked for")
    var key = Philox(seed: seed, purpose: Self.streamPurpose, index: number)
    var generator = Xoshiro256(seed: key.next())
    let choice = SourceChoice(sources, weights: weights)
    withUnsafeTemporaryAllocation(of: DrawnRow.self, capacity: batch.count) { places in
      place(rows: places, choice, &generator, shared: key.next())
      copy(places, into: &batch)
    }
  }

  /// What tells the sampler's stream from a run's others.
  private static let streamPurpose: UInt64 = 0x5341_4d50  // "SAMP"

  // MARK: - Drawing

  private func place(
    rows places: UnsafeMutableBufferPointer<DrawnRow>, _ choice: SourceChoice,
    _ outer: inout Xoshiro256, shared: UInt64
  ) {
    // Copies that stay in registers.
    var generator = outer
    defer { outer = generator }
    let spec = task.spec
    let (O, G, A) = (spec.observation, spec.goal, spec.action.length)
    let wantsObservation = scheme.goalForm == .observation
    let (policyGoals, valueGoals) = (scheme.policyGoals, scheme.valueGoals)
    let (sharing, law, subgoalSteps) = (scheme.sharing, scheme.episodes, scheme.subgoalSteps)
    let rewardedStep = scheme.rewarded == .next ? 1 : 0
    let policyScale = policyGoals.geometricScale
    var valueScale = 0.0
    if case .own(let selection) = valueGoals { valueScale = selection.geometricScale }

    for row in places.indices {
      let source = choice.draw(from: &generator)
      let table = choice.table(source)
      let number = choice.episode(in: table, law, from: &generator)
      let episode = table.rows[number]
      let length = episode.steps

      let step: Int
      let drawn: DrawnGoal
      var own = generator
      switch sharing {
      case .none:
        (step, drawn) = policyGoals.draw(length: length, scale: policyScale, from: &generator)
      case .pair:
        own = Xoshiro256(seed: shared)
        (step, drawn) = policyGoals.draw(length: length, scale: policyScale, from: &own)
      case .goalOfStep:
        step = generator.below(length)
        own = Xoshiro256(seed: shared &+ UInt64(step))
        drawn = policyGoals.goal(of: step, length: length, scale: policyScale, from: &own)
      }
      let policy = locate(
        drawn, policyGoals, of: episode, step: step, choice, law, wantsObservation, from: &generator
      )

      var value = policy
      switch valueGoals {
      case .policys(let original):
        if original > 0, generator.unit() < original {
          let goal = episode.original(step)
          value = LocatedGoal(origin: .original, offset: 0, goal: goal, form: goal)
        }
      case .own(let selection):
        let drawn =
          sharing == .none
          ? selection.goal(of: step, length: length, scale: valueScale, from: &generator)
          : selection.goal(of: step, length: length, scale: valueScale, from: &own)
        value = locate(
          drawn, selection, of: episode, step: step, choice, law, wantsObservation,
          from: &generator)
      }

      let observation = episode.observations + step * O
      let action = episode.actions + 4 * step * A
      let achieved = episode.achieved + (step + rewardedStep) * G
      var (subgoal, lowGoal) = (observation, observation)
      if let subgoalSteps {
        let low = min(step + subgoalSteps, length)
        let isInEpisode = policy.origin == .trajectory || policy.origin == .current
        let high = isInEpisode ? min(low, step + 1 + Int(policy.offset)) : low
        let (start, width) = wantsObservation ? (episode.observations, O) : (episode.achieved, G)
        (subgoal, lowGoal) = (start + high * width, start + low * width)
      }
      places.initializeElement(
        at: row,
        to: DrawnRow(
          source: Int32(truncatingIfNeeded: source), episode: Int32(truncatingIfNeeded: number),
          step: Int32(truncatingIfNeeded: step), policy: policy, value: value,
          observation: observation, action: action, achieved: achieved, subgoal: subgoal,
          lowGoal: lowGoal))
      Self.prefetch(UnsafeRawPointer(observation), 8 * O)
      Self.prefetch(action, 4 * A)
      Self.prefetch(UnsafeRawPointer(achieved), 4 * G)
      prefetch_line(policy.goal)
      if value.goal != policy.goal { prefetch_line(value.goal) }
      if wantsObservation {
        Self.prefetch(UnsafeRawPointer(policy.form), 4 * O)
        Self.prefetch(UnsafeRawPointer(value.form), 4 * O)
      }
      if table.isLarge {
        Paging.ask(UnsafeRawPointer(observation), 8 * O)
        Paging.ask(action, 4 * A)
        Paging.ask(UnsafeRawPointer(achieved), 4 * G)
        let width = wantsObservation ? O : G
        for goal in [policy.form, value.form, subgoal, lowGoal] {
          Paging.ask(UnsafeRawPointer(goal), 4 * width)
        }
      }
    }
  }

  /// Where the numbers of a drawn goal lie.
  ///
  /// An original goal has no observation, and a scheme whose goals are observations draws none.
  @inline(__always)
  private func locate(
    _ drawn: DrawnGoal, _ selection: GoalSelection, of episode: EpisodeRows, step: Int,
    _ choice: SourceChoice, _ law: EpisodeDraw, _ wantsObservation: Bool,
    from generator: inout Xoshiro256
  ) -> LocatedGoal {
    let (O, G) = (task.spec.observation, task.spec.goal)
    switch drawn.origin {
    case .original:
      let goal = episode.original(step)
      return LocatedGoal(origin: .original, offset: 0, goal: goal, form: goal)
    case .current, .trajectory:
      let goal = episode.achieved + drawn.state * G
      return LocatedGoal(
        origin: drawn.origin, offset: Int32(truncatingIfNeeded: drawn.state - step - 1),
        goal: goal, form: wantsObservation ? episode.observations + drawn.state * O : goal)
    case .random:
      let table = choice.table(choice.draw(from: &generator))
      let other = table.rows[choice.episode(in: table, law, from: &generator)]
      let state = selection.randomState(length: other.steps, from: &generator)
      let goal = other.achieved + state * G
      return LocatedGoal(
        origin: .random, offset: 0, goal: goal,
        form: wantsObservation ? other.observations + state * O : goal)
    }
  }

  /// Asks for the cache lines that some bytes lie in.
  @inline(__always)
  private static func prefetch(_ start: UnsafeRawPointer, _ count: Int) {
    let end = start + count
    var line = UnsafeRawPointer(bitPattern: UInt(bitPattern: start) & ~63) ?? start
    while line < end {
      prefetch_line(line)
      line += 64
    }
  }
}

extension EpisodeReplay {
  /// Draws batch number `number` of the run of `seed` from these episodes alone.
  public func draw(
    _ scheme: SamplingScheme, seed: UInt64, number: UInt64, into batch: inout GoalBatch
  ) {
    Sampler(scheme, source: self, seed: seed).draw(number, into: &batch)
  }
}
