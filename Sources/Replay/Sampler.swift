public import GoalCore

/// Draws batches from one or several sources.
///
/// Each row draws its source by the weights, its episode, its step and its goal. A batch is a function
/// of the run's seed, its own number, the weights and what the sources hold: it does not depend on
/// threads or on what was drawn before.
///
/// Each row goes through three steps, some rows apart: its numbers are drawn; its place is looked up and the
/// cache lines there asked for; and when they have come it is copied.
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
  }

  private func draw(_ number: UInt64, _ choice: SourceChoice, into columns: BatchColumns) {
    var key = Philox(seed: seed, purpose: Self.streamPurpose, index: number)
    let generator = Xoshiro256(seed: key.next())
    let draw = RowDraw(scheme, choice, shared: key.next())
    let location = RowLocation(scheme, choice, spec: task.spec)
    let copy = RowCopy(scheme, task: task)
    let count = scheme.batchSize
    // All pages are asked for before the first is waited for.
    let lag = choice.isPaged ? count : Self.lag
    let room = 1 << (Int.bitWidth - (lag - 1).leadingZeroBitCount)
    withUnsafeTemporaryAllocation(of: DrawnRow.self, capacity: room) { drawn in
      withUnsafeTemporaryAllocation(of: LocatedRow.self, capacity: room) { located in
        guard let drawn = drawn.baseAddress, let located = located.baseAddress else { return }
        // Copies that stay in registers.
        let (mask, draw, location, copy) = (room - 1, draw, location, copy)
        var generator = generator
        for turn in 0..<count + 2 * lag {
          if turn >= 2 * lag {
            let row = turn - 2 * lag
            copy.copy(located[row & mask], to: row, of: columns)
          }
          if turn >= lag, turn < count + lag {
            let place = (turn - lag) & mask
            (located + place).initialize(to: location.locate(drawn[place]))
          }
          if turn < count {
            let row = draw.next(from: &generator)
            columns.note(row, turn)
            (drawn + (turn & mask)).initialize(to: row)
          }
        }
      }
    }
  }

  /// Rows between drawing one, finding it and copying it: long enough for memory to answer.
  private static let lag = 16

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
