public import GoalCore

/// Draws batches from one or several sources.
///
/// Each row draws its source by the weights, its episode, its step and its goal. A batch is a function
/// of the run's seed, its own number, the weights and what the sources hold: it does not depend on
/// threads or on what was drawn before.
///
/// Each row goes through three steps: its numbers are drawn; its place is looked up and the cache lines there
/// asked for; and when they have come, some blocks of rows later, it is copied. Where a look-up has to be waited
/// for as well, it comes some blocks after the draw.
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
    batch.withColumns(scheme, spec: task.spec) { columns in
      sources.map(\.source.table).withUnsafeBufferPointer { tables in
        draw(number, SourceChoice(tables, weights: weights ?? sources.map(\.weight)), into: columns)
      }
    }
    if let window = scheme.window { fill(window, number, into: &batch) }
  }

  private func draw(_ number: UInt64, _ choice: SourceChoice, into columns: BatchColumns) {
    var key = Philox(seed: seed, purpose: Self.streamPurpose, index: number)
    let generator = Xoshiro256(seed: key.next())
    let shared = key.next()
    // The laws that learners use are compiled apart: their loops are twice as fast as the one for all.
    switch (scheme.policyGoals, scheme.valueGoals) {
    case (.future(let fraction), .policys):
      let draw = RowDraw(
        scheme, choice, shared: shared, policy: FutureLaw(fraction: fraction),
        value: nil as FutureLaw?)
      run(draw, choice, generator, into: columns)
    case (.mixture(let policy), .own(.mixture(let value))):
      let draw = RowDraw(
        scheme, choice, shared: shared, policy: MixtureLaw(policy), value: MixtureLaw(value))
      run(draw, choice, generator, into: columns)
    case (let policy, .own(let value)):
      let draw = RowDraw(
        scheme, choice, shared: shared, policy: AnyLaw(policy), value: AnyLaw(value))
      run(draw, choice, generator, into: columns)
    case (let policy, .policys):
      let draw = RowDraw(
        scheme, choice, shared: shared, policy: AnyLaw(policy), value: nil as AnyLaw?)
      run(draw, choice, generator, into: columns)
    }
  }

  /// Takes blocks of rows through the three steps, a block of one at a time.
  private func run(
    _ draw: RowDraw<some GoalLaw, some GoalLaw>, _ choice: SourceChoice, _ start: Xoshiro256,
    into columns: BatchColumns
  ) {
    var generator = start
    let location = RowLocation(scheme, choice, spec: task.spec)
    let copy = RowCopy(scheme, task: task)
    let count = scheme.batchSize
    // All pages are asked for before the first is waited for.
    let (block, lag) = choice.isPaged ? (count, 1) : (Self.block, Self.lag)
    // A ring for the blocks between two steps, of a power of two.
    let room = 1 << (Int.bitWidth - ((lag + 1) * block - 1).leadingZeroBitCount)
    func rows(_ number: Int) -> Range<Int> {
      min(max(0, number) * block, count)..<min(max(0, number + 1) * block, count)
    }
    withUnsafeTemporaryAllocation(of: DrawnRow.self, capacity: room) { drawn in
      withUnsafeTemporaryAllocation(of: LocatedRow.self, capacity: room) { located in
        guard let drawn = drawn.baseAddress, let located = located.baseAddress else { return }
        // Blocks from drawing a row to finding it.
        let found = draw.hasLookUp ? lag : 0
        for number in 0..<(count + block - 1) / block + found + lag {
          copy.copy(rows(number - found - lag), of: located, mask: room - 1, to: columns)
          if found > 0 {
            location.locate(rows(number - found), of: drawn, into: located, mask: room - 1)
            draw.draw(rows(number), into: drawn, mask: room - 1, columns, from: &generator)
          } else {
            draw.draw(
              rows(number), into: located, mask: room - 1, columns, from: &generator,
              finding: location)
          }
        }
      }
    }
  }

  /// Rows of a block: their copying waits for the last of them only.
  private static let block = 32
  /// Blocks between finding a row and copying it: long enough for memory to answer.
  private static let lag = 1

  /// What tells the sampler's stream from a run's others.
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
