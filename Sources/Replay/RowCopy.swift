import GoalCore

/// Copies rows into a batch, and rewards them.
struct RowCopy {
  private let task: GoalTask
  // Numbers of an observation, an action and a goal in the scheme's form.
  private let observation: Int
  private let action: Int
  private let goal: Int
  private let hasSubgoals: Bool
  /// The dimensions of a Euclidean distance where they are a goal's first ones, else 0.
  private let leadingDimensions: Int

  init(_ scheme: SamplingScheme, task: GoalTask) {
    self.task = task
    (observation, action) = (task.spec.observation, task.spec.action.length)
    goal = scheme.goalForm.length(task.spec)
    hasSubgoals = scheme.subgoalSteps != nil
    let dimensions = task.distanceDimensions
    leadingDimensions =
      task.measure == nil && dimensions == Array(dimensions.indices) ? dimensions.count : 0
  }

  /// Copies some rows of a ring into a batch, one column after the other.
  func copy(
    _ rows: Range<Int>, of located: UnsafePointer<LocatedRow>, mask: Int, to batch: BatchColumns
  ) {
    let ring = Ring(rows: rows, located: located, mask: mask)
    ring.gather(batch.observations, observation) { $0.pointee.observation }
    ring.gather(batch.nextObservations, observation) { $0.pointee.nextObservation }
    ring.gather(batch.actions, action) { $0.pointee.action }
    ring.gather(batch.policyGoals, goal) { $0.pointee.policy.form }
    ring.gather(batch.valueGoals, goal) { $0.pointee.value.form }
    if hasSubgoals {
      ring.gather(batch.subgoals, goal) { $0.pointee.subgoal }
      ring.gather(batch.lowGoals, goal) { $0.pointee.lowGoal }
    }
    if leadingDimensions > 0 {
      reward(ring, batch) { task.reward($0, $1, over: 0..<leadingDimensions) }
    } else {
      reward(ring, batch) { task.reward($0, $1) }
    }
  }

  @inline(__always)
  private func reward(
    _ ring: Ring, _ batch: BatchColumns,
    _ reward: (UnsafePointer<Float>, UnsafePointer<Float>) -> Float
  ) {
    for number in ring.rows {
      let row = ring.row(number)
      let (policy, value) = (row.pointee.policy.goal, row.pointee.value.goal)
      let policyReward = reward(row.pointee.achieved, policy)
      batch.policyRewards[number] = policyReward
      batch.valueRewards[number] =
        value == policy ? policyReward : reward(row.pointee.achieved, value)
    }
  }

  /// Some rows of a ring.
  private struct Ring {
    let rows: Range<Int>
    let located: UnsafePointer<LocatedRow>
    let mask: Int

    @inline(__always)
    func row(_ number: Int) -> UnsafePointer<LocatedRow> { located + (number & mask) }

    /// Copies `width` numbers of four bytes of each row: faster than a call for the few that it has.
    @inline(__always)
    func gather(
      _ column: UnsafeMutablePointer<Float>, _ width: Int,
      from source: (UnsafePointer<LocatedRow>) -> UnsafePointer<Float>
    ) {
      var target = column + rows.lowerBound &* width
      if width >= 8 {
        for number in rows {
          let from = source(row(number))
          // The last piece overlaps the one before it.
          let last = width &- 8
          var k = 0
          while k < last {
            piece(target + k, from + k, SIMD8<UInt32>.self)
            k &+= 8
          }
          piece(target + last, from + last, SIMD8<UInt32>.self)
          target += width
        }
      } else if width >= 4 {
        for number in rows {
          let from = source(row(number))
          piece(target, from, SIMD4<UInt32>.self)
          piece(target + width - 4, from + width - 4, SIMD4<UInt32>.self)
          target += width
        }
      } else if width == 3 {
        for number in rows {
          let from = source(row(number))
          piece(target, from, SIMD2<UInt32>.self)
          target[2] = from[2]
          target += width
        }
      } else {
        for number in rows {
          let from = source(row(number))
          for k in 0..<width { target[k] = from[k] }
          target += width
        }
      }
    }

    @inline(__always)
    private func piece<Piece: BitwiseCopyable>(
      _ target: UnsafeMutablePointer<Float>, _ source: UnsafePointer<Float>, _ type: Piece.Type
    ) {
      UnsafeMutableRawPointer(target).storeBytes(
        of: UnsafeRawPointer(source).loadUnaligned(as: type), as: type)
    }
  }
}
