internal import CPrefetch
public import GoalCore

/// Episodes to draw from, and how often.
public struct WeightedSource: Sendable {
  /// The episodes.
  public let source: any EpisodeSource
  /// The share of a batch's rows that come from it, before all shares are made to add up to 1.
  public var weight: Double

  /// Gives a source a weight, at least 0.
  public init(_ source: any EpisodeSource, weight: Double = 1) {
    precondition(weight >= 0 && weight.isFinite, "a weight is at least 0, found \(weight)")
    self.source = source
    self.weight = weight
  }
}

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
    withUnsafeTemporaryAllocation(of: Place.self, capacity: batch.count) { places in
      guard let start = places.baseAddress else { return }
      place(rows: start, choice, &generator, shared: key.next(), &batch)
      copy(UnsafeMutableBufferPointer(start: start, count: batch.count), into: &batch)
    }
  }

  /// What tells the sampler's stream from a run's others.
  private static let streamPurpose: UInt64 = 0x5341_4d50  // "SAMP"

  // MARK: - Drawing

  /// Where a row's numbers lie.
  private struct Place {
    var observation: UnsafePointer<Float>
    var action: UnsafeRawPointer
    /// The achieved goal that is rewarded.
    var achieved: UnsafePointer<Float>
    /// The goals, achieved or desired, which rewards compare.
    var policyGoal: UnsafePointer<Float>
    var valueGoal: UnsafePointer<Float>
    /// The goals in the scheme's form, which are copied.
    var policyForm: UnsafePointer<Float>
    var valueForm: UnsafePointer<Float>
    var subgoal: UnsafePointer<Float>
    var lowGoal: UnsafePointer<Float>
  }

  @inline(__always)
  private func place(
    rows places: UnsafeMutablePointer<Place>, _ choice: SourceChoice,
    _ generator: inout Xoshiro256, shared: UInt64, _ batch: inout GoalBatch
  ) {
    let spec = task.spec
    let (O, G, A) = (spec.observation, spec.goal, spec.action.length)
    let wantsObservation = scheme.goalForm == .observation
    for row in 0..<batch.count {
      let source = choice.draw(from: &generator)
      let table = choice.tables[source]
      let number = choice.episode(in: table, scheme.episodes, from: &generator)
      let episode = table.rows[number]
      let length = episode.steps

      let step: Int
      var goal: DrawnGoal
      var own = generator
      switch scheme.sharing {
      case .none: (step, goal) = scheme.policyGoals.draw(length: length, from: &generator)
      case .pair:
        own = Xoshiro256(seed: shared)
        (step, goal) = scheme.policyGoals.draw(length: length, from: &own)
      case .goalOfStep:
        step = generator.below(length)
        own = Xoshiro256(seed: shared &+ UInt64(step))
        goal = scheme.policyGoals.goal(of: step, length: length, from: &own)
      }
      let policy = state(
        goal, scheme.policyGoals, of: episode, step: step, choice, from: &generator)

      var value = policy
      let policyOrigin = goal.origin
      let policyState = goal.state
      switch scheme.valueGoals {
      case .policys(let original):
        if original > 0, generator.unit() < original {
          goal = DrawnGoal(origin: .original, state: 0)
          value = (episode.original(step), value.observation)
        }
      case .own(let selection):
        goal =
          scheme.sharing == .none
          ? selection.goal(of: step, length: length, from: &generator)
          : selection.goal(of: step, length: length, from: &own)
        value = state(goal, selection, of: episode, step: step, choice, from: &generator)
      }

      let inEpisode = policyOrigin == .trajectory || policyOrigin == .current
      batch.sources[row] = Int32(truncatingIfNeeded: source)
      batch.episodes[row] = Int32(truncatingIfNeeded: number)
      batch.steps[row] = Int32(truncatingIfNeeded: step)
      batch.offsets[row] = inEpisode ? Int32(truncatingIfNeeded: policyState - step - 1) : 0
      batch.policyOrigins[row] = policyOrigin
      batch.valueOrigins[row] = goal.origin
      batch.valueOffsets[row] =
        goal.origin == .trajectory || goal.origin == .current
        ? Int32(truncatingIfNeeded: goal.state - step - 1) : 0

      let observation = episode.observations + step * O
      let action = episode.actions + 4 * step * A
      let achieved = episode.achieved + (scheme.rewarded == .next ? step + 1 : step) * G
      var target = Place(
        observation: observation, action: action, achieved: achieved, policyGoal: policy.goal,
        valueGoal: value.goal, policyForm: wantsObservation ? policy.observation : policy.goal,
        valueForm: wantsObservation ? value.observation : value.goal, subgoal: observation,
        lowGoal: observation)
      if let steps = scheme.subgoalSteps {
        let low = min(step + steps, length)
        let high = inEpisode ? min(low, policyState) : low
        target.lowGoal =
          wantsObservation ? episode.observations + low * O : episode.achieved + low * G
        target.subgoal =
          wantsObservation ? episode.observations + high * O : episode.achieved + high * G
      }
      (places + row).initialize(to: target)
      Self.prefetch(UnsafeRawPointer(observation), 8 * O)
      Self.prefetch(action, 4 * A)
      Self.prefetch(UnsafeRawPointer(achieved), 4 * G)
      prefetch_line(target.policyGoal)
      prefetch_line(target.valueGoal)
      if wantsObservation {
        Self.prefetch(UnsafeRawPointer(target.policyForm), 4 * O)
        Self.prefetch(UnsafeRawPointer(target.valueForm), 4 * O)
      }
      if table.isLarge {
        Paging.ask(UnsafeRawPointer(observation), 8 * O)
        Paging.ask(action, 4 * A)
        Paging.ask(UnsafeRawPointer(achieved), 4 * G)
        Paging.ask(UnsafeRawPointer(target.policyForm), 4 * scheme.goalForm.length(spec))
        Paging.ask(UnsafeRawPointer(target.valueForm), 4 * scheme.goalForm.length(spec))
      }
    }
  }

  /// Where the numbers of a drawn goal lie: achieved or desired, and the observation of its state.
  ///
  /// An original goal has no state; the step's own stands there and is not read.
  @inline(__always)
  private func state(
    _ goal: DrawnGoal, _ selection: GoalSelection, of episode: EpisodeRows, step: Int,
    _ choice: SourceChoice, from generator: inout Xoshiro256
  ) -> (goal: UnsafePointer<Float>, observation: UnsafePointer<Float>) {
    let (O, G) = (task.spec.observation, task.spec.goal)
    switch goal.origin {
    case .original: return (episode.original(step), episode.observations + step * O)
    case .current, .trajectory:
      return (episode.achieved + goal.state * G, episode.observations + goal.state * O)
    case .random:
      let table = choice.tables[choice.draw(from: &generator)]
      let other = table.rows[choice.episode(in: table, scheme.episodes, from: &generator)]
      let state = selection.randomState(length: other.steps, from: &generator)
      return (other.achieved + state * G, other.observations + state * O)
    }
  }

  /// Asks for the cache lines of some bytes.
  @inline(__always)
  private static func prefetch(_ start: UnsafeRawPointer, _ count: Int) {
    var place = 0
    while place < count {
      prefetch_line(start + place)
      place += 64
    }
    prefetch_line(start + (count - 1))
  }

  // MARK: - Copying

  private func copy(_ places: UnsafeMutableBufferPointer<Place>, into batch: inout GoalBatch) {
    let spec = task.spec
    let O = spec.observation
    let F = scheme.goalForm.length(spec)
    Self.gather(places, into: &batch.observations, width: O) { $0.observation }
    Self.gather(places, into: &batch.nextObservations, width: O) { $0.observation + O }
    switch batch.actions {
    case .continuous(var values):
      batch.actions = .continuous([])
      Self.gather(places, into: &values, width: spec.action.length) {
        $0.action.assumingMemoryBound(to: Float.self)
      }
      batch.actions = .continuous(values)
    case .discrete(var values):
      batch.actions = .discrete([])
      Self.gather(places, into: &values, width: 1) {
        $0.action.assumingMemoryBound(to: Int32.self)
      }
      batch.actions = .discrete(values)
    }
    Self.gather(places, into: &batch.policyGoals, width: F) { $0.policyForm }
    Self.gather(places, into: &batch.valueGoals, width: F) { $0.valueForm }
    if scheme.subgoalSteps != nil {
      Self.gather(places, into: &batch.subgoals, width: F) { $0.subgoal }
      Self.gather(places, into: &batch.lowGoals, width: F) { $0.lowGoal }
    }
    for row in 0..<places.count {
      let place = places[row]
      let reward = task.reward(place.achieved, place.policyGoal)
      batch.policyRewards[row] = reward
      batch.valueRewards[row] =
        place.valueGoal == place.policyGoal ? reward : task.reward(place.achieved, place.valueGoal)
    }
  }

  /// Copies one row of `width` numbers for each place.
  @inline(__always)
  private static func gather<Element: BitwiseCopyable>(
    _ places: UnsafeMutableBufferPointer<Place>, into array: inout [Element], width: Int,
    from row: (Place) -> UnsafePointer<Element>
  ) {
    precondition(array.count == places.count * width, "a batch of another scheme")
    array.withUnsafeMutableBufferPointer { buffer in
      guard var target = buffer.baseAddress else { return }
      for place in places {
        copyRow(target, row(place), width)
        target += width
      }
    }
  }

  /// Copies `width` numbers of four bytes: faster than a call for the few that a row has.
  @inline(__always)
  private static func copyRow<Element: BitwiseCopyable>(
    _ target: UnsafeMutablePointer<Element>, _ source: UnsafePointer<Element>, _ width: Int
  ) {
    let from = UnsafeRawPointer(source)
    let to = UnsafeMutableRawPointer(target)
    var k = 0
    while k + 8 <= width {
      to.storeBytes(
        of: from.loadUnaligned(fromByteOffset: 4 * k, as: SIMD8<UInt32>.self), toByteOffset: 4 * k,
        as: SIMD8<UInt32>.self)
      k += 8
    }
    while k < width {
      target[k] = source[k]
      k += 1
    }
  }
}

/// The sources of one batch with their present weights.
private struct SourceChoice {
  let tables: [EpisodeTable]
  /// Running sums of the weights, the last 1; empty where one source only has a weight.
  private var limits: [Double] = []
  private var only = 0

  init(_ sources: [WeightedSource], weights: [Double]?) {
    tables = sources.map(\.source.table)
    let weights = weights ?? sources.map(\.weight)
    precondition(
      weights.count == sources.count && weights.allSatisfy { $0 >= 0 && $0.isFinite },
      "one weight of at least 0 for each of \(sources.count) sources, found \(weights)")
    let used = weights.indices.filter { weights[$0] > 0 }
    precondition(!used.isEmpty, "one weight at least must be above 0, found \(weights)")
    precondition(
      used.allSatisfy { tables[$0].count > 0 }, "a source without episodes must have the weight 0")
    if used.count == 1 {
      only = used[0]
    } else {
      let total = weights.reduce(0, +)
      var sum = 0.0
      limits = weights.map { weight in
        sum += weight
        return sum / total
      }
      // Rounding must not leave a draw beyond the last source that has a weight.
      for index in (used.last ?? 0)..<limits.count { limits[index] = 1 }
    }
  }

  @inline(__always)
  func draw(from generator: inout Xoshiro256) -> Int {
    if limits.isEmpty { return only }
    let place = generator.unit()
    return limits.firstIndex { place < $0 } ?? limits.count - 1
  }

  @inline(__always)
  func episode(
    in table: EpisodeTable, _ law: EpisodeDraw, from generator: inout Xoshiro256
  ) -> Int {
    switch law {
    case .episodes: generator.below(table.count)
    case .steps: table.episode(ofStep: generator.below(table.stepCount))
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
