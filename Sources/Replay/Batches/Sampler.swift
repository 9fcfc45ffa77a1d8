public import GoalCore

/// Draws batches from one or several sources.
///
/// Each row draws its source by the weights, its episode, its step and its goal. A batch is a
/// function of the run's seed, its own number, the weights and what the sources hold: it does not
/// depend on threads or on what was drawn before.
///
/// Each row goes through three steps: its numbers are drawn; its place is found and the cache lines
/// there asked for; and it is copied. Rows take them in blocks, and between two steps of a block
/// comes one of another, in which memory answers.
public struct Sampler: Sendable {
  /// The scheme of its batches.
  public let scheme: SamplingScheme
  /// The run's seed.
  public let seed: UInt64
  /// Where rows come from.
  public let sources: [WeightedSource]
  /// The sources' common task.
  public let task: GoalTask
  private let copy: RowCopy

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
    copy = RowCopy(scheme, task: task)
  }

  /// Makes a sampler of one source.
  public init(_ scheme: SamplingScheme, source: any EpisodeSource, seed: UInt64) {
    self.init(scheme, sources: [WeightedSource(source)], seed: seed)
  }

  /// A batch of zeros to draw into.
  public func makeBatch() -> GoalBatch { GoalBatch(scheme, spec: task.spec) }

  /// Draws batch number `number` of the run.
  ///
  /// `weights`, one a source, stand in for the sources' own: for shares that change from batch to
  /// batch. Weights of 0 leave a source out; one that holds no episode must have the weight 0.
  public func draw(_ number: UInt64, weights: [Double]? = nil, into batch: inout GoalBatch) {
    batch.withColumns(scheme, spec: task.spec) { columns in
      sources.map(\.source.table).withUnsafeBufferPointer { tables in
        let choice = SourceChoice(tables, weights: weights ?? sources.map(\.weight))
        // What most data are has loops of its own.
        guard let only = choice.only, let episodes = choice.table(only).pointee.regular else {
          return draw(number, from: choice, into: columns)
        }
        if episodes.isOneRun {
          let runs = OneRun(first: episodes.first)
          draw(number, from: RegularChoice(choice, of: only, episodes, runs), into: columns)
        } else {
          let runs = EqualRuns(episodes: episodes)
          draw(number, from: RegularChoice(choice, of: only, episodes, runs), into: columns)
        }
      }
    }
    if let window = scheme.window { fill(window, number, into: &batch) }
  }

  func draw(
    _ number: UInt64, from choice: some EpisodeChoice, into columns: BatchColumns
  ) {
    var key = Philox(seed: seed, purpose: Self.streamPurpose, index: number)
    let generator = Xoshiro256(seed: key.next())
    let shared = key.next()
    func run(_ policy: some GoalLaw, _ value: (some GoalLaw)?) {
      let draw = RowDraw(scheme, choice, shared: shared, policy: policy, value: value)
      self.run(draw, choice, generator, into: columns)
    }
    // The laws that learners use are compiled apart: their loops are faster than the one for all.
    switch (scheme.policyGoals, scheme.valueGoals) {
    case (.future(let fraction), .policys):
      run(FutureLaw(fraction: fraction), nil as FutureLaw?)
    case (.mixture(let policy), .own(.mixture(let value))):
      run(MixtureLaw(policy), MixtureLaw(value))
    case (let policy, .own(let value)): run(AnyLaw(policy), AnyLaw(value))
    case (let policy, .policys): run(AnyLaw(policy), nil as AnyLaw?)
    }
  }

  /// Takes blocks of rows through the three steps.
  private func run<Episodes>(
    _ draw: RowDraw<Episodes, some GoalLaw, some GoalLaw>, _ choice: Episodes, _ start: Xoshiro256,
    into columns: BatchColumns
  ) {
    var generator = start
    let location = RowLocation(scheme, choice, spec: task.spec)
    let count = scheme.batchSize
    // All pages are asked for before the first is waited for.
    let block = choice.isPaged ? count : min(count, Self.block)
    withUnsafeTemporaryAllocation(of: DrawnRow.self, capacity: block) { drawn in
      withUnsafeTemporaryAllocation(of: LocatedRow.self, capacity: block) { located in
        guard let drawn = drawn.baseAddress, let located = located.baseAddress else { return }
        var before = 0..<0
        while before.upperBound < count || !before.isEmpty {
          let rows = before.upperBound..<min(before.upperBound + block, count)
          draw.draw(rows, into: drawn, columns, from: &generator)
          copy.copy(before, from: located, to: columns)
          location.locate(rows.count, of: drawn, into: located)
          before = rows
        }
      }
    }
  }

  /// Rows of a block: enough that memory answers while another is worked on.
  private static let block = 64

  /// The purpose that separates the sampler's stream from a run's others.
  private static let streamPurpose: UInt64 = 0x5341_4d50  // "SAMP"
}

extension EpisodeReplay {
  /// Draws batch number `number` of the run of `seed` from these episodes alone.
  public func draw(
    _ scheme: SamplingScheme, seed: UInt64, number: UInt64, into batch: inout GoalBatch
  ) {
    Sampler(scheme, source: self, seed: seed).draw(number, into: &batch)
  }
}
