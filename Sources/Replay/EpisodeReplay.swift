public import GoalCore

/// Episodes read where they lie: in memory or mapped from shards.
public final class EpisodeReplay: EpisodeSource {
  /// The task whose achieved goals and rewards relabelling uses.
  public let task: GoalTask
  /// Where the episodes lie.
  public let table: EpisodeTable

  /// Whether every episode has a goal that was asked for, which `SamplingScheme.usesDesiredGoals` needs.
  public var hasDesiredGoals: Bool { columns.allSatisfy { $0.desiredGoals != nil } }

  private let columns: [TrajectoryColumns]
  private let memory: Memory

  /// The tables that the replay owns.
  private struct Memory: @unchecked Sendable {
    let rows: UnsafeMutableBufferPointer<EpisodeRows>
    let guide: UnsafeMutableBufferPointer<Int32>?
  }

  /// Reads episodes from columns; every episode has at least one step and actions of the task's kind.
  ///
  /// Columns that are mapped and do not fit into memory are read as `Paging` says, if `isLarge`; the
  /// batches are the same.
  public convenience init(task: GoalTask, columns: [TrajectoryColumns], isLarge: Bool = false) {
    self.init(
      task: task, columns: columns, rows: Self.rows(of: columns, spec: task.spec), isLarge: isLarge)
    for column in isLarge ? columns : [] {
      Paging.readRandomly(column.observations)
      Paging.readRandomly(column.achievedGoals)
      if let desired = column.desiredGoals { Paging.readRandomly(desired) }
      switch column.actions {
      case .continuous(let values): Paging.readRandomly(values)
      case .discrete(let values): Paging.readRandomly(values)
      }
    }
  }

  private init(
    task: GoalTask, columns: [TrajectoryColumns], rows found: [EpisodeRows], isLarge: Bool
  ) {
    precondition(!found.isEmpty, "a replay needs at least one episode")
    let rows = UnsafeMutableBufferPointer<EpisodeRows>.allocate(capacity: found.count)
    var steps = 0
    for (number, episode) in found.enumerated() {
      rows.initializeElement(
        at: number,
        to: EpisodeRows(
          observations: episode.observations, actions: episode.actions, achieved: episode.achieved,
          desired: episode.desired, firstStep: steps, length: episode.length,
          desiredStride: episode.desiredStride))
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
    self.columns = columns
    memory = Memory(rows: rows, guide: guide)
    table = EpisodeTable(
      rows: UnsafePointer(start), count: rows.count, stepCount: steps,
      commonLength: isUniform ? Int(length) : 0,
      guide: guide.flatMap { UnsafePointer($0.baseAddress) }, isLarge: isLarge)
  }

  deinit {
    memory.rows.deallocate()
    memory.guide?.deallocate()
  }

  /// The same episodes in two parts that share none: a fraction for validation, the rest to train on.
  ///
  /// Which episodes are held out depends on `seed` and their number only. Of two episodes or more each
  /// part has at least one. Episodes that a mixture took twice are two.
  public func split(
    validationFraction: Double, seed: UInt64
  ) -> (training: EpisodeReplay, validation: EpisodeReplay) {
    precondition(
      validationFraction > 0 && validationFraction < 1,
      "a fraction between 0 and 1, found \(validationFraction)")
    precondition(table.count > 1, "two episodes are needed to hold one out, found \(table.count)")
    let held = Set(
      Self.heldOut(of: table.count, validationFraction: validationFraction, seed: seed))
    func part(_ chosen: some Sequence<Int>) -> EpisodeReplay {
      EpisodeReplay(
        task: task, columns: columns, rows: chosen.map { table.rows[$0] },
        isLarge: table.isLarge)
    }
    return (
      part((0..<table.count).filter { !held.contains($0) }),
      part((0..<table.count).filter(held.contains))
    )
  }

  /// The places, in ascending order, of the episodes that `split` holds out of so many.
  public static func heldOut(of count: Int, validationFraction: Double, seed: UInt64) -> [Int] {
    let wanted = Int((validationFraction * Double(count)).rounded())
    let held = min(max(wanted, 1), count - 1)
    // A partial shuffle: the first `held` numbers are a draw without replacement.
    var key = Philox(seed: seed, purpose: splitPurpose, index: 0)
    var generator = Xoshiro256(seed: key.next())
    var numbers = Array(0..<count)
    for k in 0..<held { numbers.swapAt(k, k + generator.below(count - k)) }
    return numbers[..<held].sorted()
  }

  /// What tells the split's stream from a run's others.
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
