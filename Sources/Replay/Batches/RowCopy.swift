import GoalCore

/// Copies rows into a batch, and rewards them.
struct RowCopy {
  private let task: GoalTask
  // Numbers of an observation, an action and a goal in the scheme's form.
  private let observation: Int
  private let action: Int
  private let goal: Int
  private let hasSubgoals: Bool
  /// The dimensions of a Euclidean distance if they are a goal's first ones, else 0.
  private let leadingDimensions: Int
  private let squaredThreshold: Double
  private let comparesPlaces: Bool

  init(_ scheme: SamplingScheme, task: GoalTask) {
    self.task = task
    (observation, action) = (task.spec.observation, task.spec.action.length)
    goal = scheme.goalForm.length(task.spec)
    hasSubgoals = scheme.subgoalSteps != nil
    comparesPlaces = scheme.rewarded == .index
    let dimensions = task.distanceDimensions
    leadingDimensions =
      task.measure == nil && dimensions == Array(dimensions.indices) ? dimensions.count : 0
    squaredThreshold = task.squaredThreshold
  }

  /// Copies some rows of a batch, one column after the other.
  @inline(never)
  func copy(_ rows: Range<Int>, from located: UnsafePointer<LocatedRow>, to batch: BatchColumns) {
    let block = Block(rows: rows, located: located)
    block.gather(batch.observations, observation) { $0.pointee.observation }
    block.gather(batch.nextObservations, observation) { $0.pointee.nextObservation }
    block.gather(batch.actions, action) { $0.pointee.action }
    block.gather(batch.policyGoals, goal) { $0.pointee.policy.form }
    block.gather(batch.valueGoals, goal) { $0.pointee.value.form }
    if hasSubgoals {
      block.gather(batch.subgoals, goal) { $0.pointee.subgoal }
      block.gather(batch.subgoalObservations, observation) { $0.pointee.subgoalObservation }
      block.gather(batch.lowGoals, goal) { $0.pointee.lowGoal }
    }
    // A state of the data lies in one place, so equal places are equal indices.
    if comparesPlaces { return reward(block, batch) { $0 == $1 ? 0 : -1 } }
    switch leadingDimensions {
    case 0: reward(block, batch) { task.reward($0, $1) }
    case 2: reward(block, over: 0..<2, batch)
    case 3: reward(block, over: 0..<3, batch)
    default: reward(block, over: 0..<leadingDimensions, batch)
    }
  }

  @inline(__always)
  private func reward(_ block: Block, over dimensions: Range<Int>, _ batch: BatchColumns) {
    let limit = squaredThreshold
    reward(block, batch) { GoalTask.squaredDistance($0, $1, over: dimensions) > limit ? -1 : 0 }
  }

  @inline(__always)
  private func reward(
    _ block: Block, _ batch: BatchColumns,
    _ reward: (UnsafePointer<Float>, UnsafePointer<Float>) -> Float
  ) {
    for number in block.rows {
      let row = block.row(number)
      let (policy, value) = (row.pointee.policy.goal, row.pointee.value.goal)
      let policyReward = reward(row.pointee.achieved, policy)
      batch.policyRewards[number] = policyReward
      batch.valueRewards[number] =
        value == policy ? policyReward : reward(row.pointee.achieved, value)
    }
  }

  /// Rows of a batch, and where their numbers lie.
  private struct Block {
    let rows: Range<Int>
    let located: UnsafePointer<LocatedRow>

    @inline(__always)
    func row(_ number: Int) -> UnsafePointer<LocatedRow> { located + (number &- rows.lowerBound) }

    /// Copies `width` numbers of four bytes of each row, as two pieces of a fixed size that may
    /// overlap: faster than a call for the few that it has.
    @inline(__always)
    func gather(
      _ column: UnsafeMutablePointer<Float>, _ width: Int,
      from source: (UnsafePointer<LocatedRow>) -> UnsafePointer<Float>
    ) {
      switch width {
      case 1: pieces(of: UInt32.self, column, width, from: source)
      case 2..<4: pieces(of: SIMD2<UInt32>.self, column, width, from: source)
      case 4..<8: pieces(of: SIMD4<UInt32>.self, column, width, from: source)
      case 8..<16: pieces(of: SIMD8<UInt32>.self, column, width, from: source)
      case 16..<32: pieces(of: SIMD16<UInt32>.self, column, width, from: source)
      default:
        for number in rows {
          (column + number &* width).update(from: source(row(number)), count: width)
        }
      }
    }

    @inline(__always)
    private func pieces<Piece: BitwiseCopyable>(
      of type: Piece.Type, _ column: UnsafeMutablePointer<Float>, _ width: Int,
      from source: (UnsafePointer<LocatedRow>) -> UnsafePointer<Float>
    ) {
      let second = width &- MemoryLayout<Piece>.size / 4
      var target = column + rows.lowerBound &* width
      for number in rows {
        let from = source(row(number))
        let first = UnsafeRawPointer(from).loadUnaligned(as: type)
        let last = UnsafeRawPointer(from + second).loadUnaligned(as: type)
        UnsafeMutableRawPointer(target).storeBytes(of: first, as: type)
        UnsafeMutableRawPointer(target + second).storeBytes(of: last, as: type)
        target += width
      }
    }
  }
}
