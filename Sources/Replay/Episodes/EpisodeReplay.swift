public import GoalCore

/// Episodes read where they lie, in memory or mapped from shards, or copied side by side.
public final class EpisodeReplay: EpisodeSource {
  /// The task whose achieved goals and rewards relabelling uses.
  public let task: GoalTask
  /// Where the episodes lie.
  public let table: EpisodeTable
  /// Whether every episode has a goal that was asked for, which `SamplingScheme.usesDesiredGoals`
  /// needs.
  public let hasDesiredGoals: Bool

  private let memory: Memory

  /// The objects that the replay keeps alive: what holds the episodes' numbers, and the tables that
  /// it owns.
  private struct Memory: @unchecked Sendable {
    let owners: [AnyObject]
    let rows: UnsafeMutableBufferPointer<EpisodeRows>
    let guide: UnsafeMutableBufferPointer<Int32>?
  }

  /// Reads episodes from columns; every episode has at least one step and actions of the task's
  /// kind.
  public convenience init(
    task: GoalTask, columns: [TrajectoryColumns], placement: EpisodePlacement = .inPlace
  ) {
    let spec = task.spec
    var rows = Self.rows(of: columns, spec: spec)
    var strides = RowStrides(columns: spec)
    var owners: [AnyObject] = columns
    if placement == .packed {
      let layout = PackedLayout(spec, columns)
      strides = RowStrides(row: layout.stride)
      let block = LargePages(count: rows.reduce(0) { $0 + layout.count(steps: $1.steps) })
      var place = block.start
      for number in rows.indices {
        let steps = rows[number].steps
        rows[number] = layout.copy(rows[number], to: place)
        place += layout.count(steps: steps)
      }
      withExtendedLifetime(columns) { owners = [block] }
    }
    self.init(
      task: task, owners: owners, rows: rows, strides: strides, placement: placement)
    for column in placement == .paged ? columns : [] {
      Paging.readRandomly(column.observations)
      Paging.readRandomly(column.achievedGoals)
      if let desired = column.desiredGoals { Paging.readRandomly(desired) }
      switch column.actions {
      case .continuous(let values): Paging.readRandomly(values)
      case .discrete(let values): Paging.readRandomly(values)
      }
    }
  }

  /// Bytes that the episodes of columns take when they are packed.
  public static func packedBytes(task: GoalTask, columns: [TrajectoryColumns]) -> Int {
    let layout = PackedLayout(task.spec, columns)
    return columns.reduce(0) { sum, column in
      sum + column.lengths.reduce(0) { $0 + 4 * layout.count(steps: $1) }
    }
  }

  private init(
    task: GoalTask, owners: [AnyObject], rows found: [EpisodeRows], strides: RowStrides,
    placement: EpisodePlacement
  ) {
    precondition(!found.isEmpty, "a replay needs at least one episode")
    let rows = UnsafeMutableBufferPointer<EpisodeRows>.allocate(capacity: found.count)
    var steps = 0
    for (number, episode) in found.enumerated() {
      var episode = episode
      episode.firstStep = steps
      rows.initializeElement(at: number, to: episode)
      steps += episode.steps
    }
    let length = rows[0].length
    let isUniform = rows.allSatisfy { $0.length == length }
    var guide: UnsafeMutableBufferPointer<Int32>?
    if !isUniform {
      let places = UnsafeMutableBufferPointer<Int32>.allocate(capacity: rows.count)
      var episode = 0
      for k in 0..<rows.count {
        // The first step that maps to entry k.
        let step = (k * steps + rows.count - 1) / rows.count
        while episode + 1 < rows.count, rows[episode + 1].firstStep <= step { episode += 1 }
        places.initializeElement(at: k, to: Int32(episode))
      }
      guide = places
    }
    guard let start = rows.baseAddress else { preconditionFailure("a table without rows") }
    self.task = task
    hasDesiredGoals = rows.allSatisfy { $0.desired != nil }
    memory = Memory(owners: owners, rows: rows, guide: guide)
    table = EpisodeTable(
      rows: UnsafePointer(start), count: rows.count, stepCount: steps,
      commonLength: isUniform ? Int(length) : 0,
      guide: guide.flatMap { UnsafePointer($0.baseAddress) }, strides: strides,
      regular: RegularEpisodes(UnsafeBufferPointer(rows)), placement: placement)
  }

  deinit {
    memory.rows.deallocate()
    memory.guide?.deallocate()
  }

  /// The same episodes in two parts that share none: a fraction for validation, the rest to train
  /// on.
  ///
  /// `copies` says which episodes are copies of one, by a number that they have in common, `[E]`;
  /// nil if all are different. Copies lie on one side. Which of the different episodes are held out
  /// depends on `seed` and the order in which they first come only. Of two or more each part has at
  /// least one.
  public func split(
    validationFraction: Double, seed: UInt64, copies: [Int]? = nil
  ) -> (training: EpisodeReplay, validation: EpisodeReplay) {
    precondition(
      validationFraction > 0 && validationFraction < 1,
      "a fraction between 0 and 1, found \(validationFraction)")
    let copies = copies ?? Array(0..<table.count)
    precondition(
      copies.count == table.count, "one number for each of \(table.count) episodes")
    let held = Self.heldOut(of: copies, validationFraction: validationFraction, seed: seed)
    func part(_ wanted: Bool) -> EpisodeReplay {
      EpisodeReplay(
        task: task, owners: memory.owners,
        rows: (0..<table.count).filter { held[$0] == wanted }.map { table.rows[$0] },
        strides: table.strides, placement: table.placement)
    }
    return (part(false), part(true))
  }

  /// Which episodes `split` holds out, `[E]`, of episodes whose copies have a number in common.
  public static func heldOut(
    of copies: [Int], validationFraction: Double, seed: UInt64
  ) -> [Bool] {
    // Different episodes, and which one each episode is a copy of, in the order of the first ones.
    var places: [Int: Int] = [:]
    let kinds = copies.map { copy in
      let place = places[copy] ?? places.count
      places[copy] = place
      return place
    }
    let count = places.count
    precondition(count > 1, "two episodes are needed to hold one out, found \(count)")
    let wanted = Int((validationFraction * Double(count)).rounded())
    let held = min(max(wanted, 1), count - 1)
    // A partial shuffle: the first `held` numbers are a draw without replacement.
    var key = Philox(seed: seed, purpose: splitPurpose, index: 0)
    var generator = Xoshiro256(seed: key.next())
    var numbers = Array(0..<count)
    for k in 0..<held { numbers.swapAt(k, k + generator.below(count - k)) }
    var isHeld = [Bool](repeating: false, count: count)
    for number in numbers[..<held] { isHeld[number] = true }
    return kinds.map { isHeld[$0] }
  }

  /// The purpose that separates the split's stream from a run's others.
  private static let splitPurpose: UInt64 = 0x5641_4c49  // "VALI"

  private static func rows(of columns: [TrajectoryColumns], spec: GoalSpec) -> [EpisodeRows] {
    var rows: [EpisodeRows] = []
    rows.reserveCapacity(columns.reduce(0) { $0 + $1.lengths.count })
    for column in columns {
      var state = 0
      var step = 0
      for (number, length) in column.lengths.enumerated() {
        precondition(
          length > 0 && length < 1 << 31, "an episode has at least one step, found \(length)")
        let actions: UnsafeRawPointer
        switch (column.actions, spec.action) {
        case (.continuous(let values), .continuous(let low, _)):
          actions = UnsafeRawPointer(start(of: values) + step * low.count)
        case (.discrete(let values), .discrete):
          actions = UnsafeRawPointer(start(of: values) + step)
        default: preconditionFailure("the columns' actions are not of the task's kind")
        }
        let goalRow = column.goalsMove ? state : number
        rows.append(
          EpisodeRows(
            observations: start(of: column.observations) + state * spec.observation,
            actions: actions, achieved: start(of: column.achievedGoals) + state * spec.goal,
            desired: column.desiredGoals.map { start(of: $0) + goalRow * spec.goal },
            firstStep: 0, length: Int32(length),
            desiredStride: column.goalsMove ? Int32(spec.goal) : 0))
        state += length + 1
        step += length
      }
    }
    return rows
  }

  private static func start<Element>(of buffer: UnsafeBufferPointer<Element>) -> UnsafePointer<
    Element
  > {
    guard let start = buffer.baseAddress else { preconditionFailure("a column without rows") }
    return start
  }
}
