import GoalCore

/// Copies rows into a batch, and rewards them.
struct RowCopy {
  private let task: GoalTask
  // Numbers of an observation, an action and a goal in the scheme's form.
  private let observation: Int
  private let action: Int
  private let goal: Int
  private let hasSubgoals: Bool
  /// The dimensions of the distance where they are a goal's first ones, else 0.
  private let leadingDimensions: Int

  init(_ scheme: SamplingScheme, task: GoalTask) {
    self.task = task
    (observation, action) = (task.spec.observation, task.spec.action.length)
    goal = scheme.goalForm.length(task.spec)
    hasSubgoals = scheme.subgoalSteps != nil
    let dimensions = task.distanceDimensions
    leadingDimensions = dimensions == Array(dimensions.indices) ? dimensions.count : 0
  }

  /// Copies a row to row `number` of a batch.
  @inline(__always)
  func copy(_ row: LocatedRow, to number: Int, of batch: BatchColumns) {
    copyNumbers(batch.observations + number * observation, row.observation, observation)
    copyNumbers(batch.nextObservations + number * observation, row.nextObservation, observation)
    copyNumbers(batch.actions + number * action, row.action, action)
    copyNumbers(batch.policyGoals + number * goal, row.policy.form, goal)
    copyNumbers(batch.valueGoals + number * goal, row.value.form, goal)
    if hasSubgoals {
      copyNumbers(batch.subgoals + number * goal, row.subgoal, goal)
      copyNumbers(batch.lowGoals + number * goal, row.lowGoal, goal)
    }
    let reward = reward(row.achieved, row.policy.goal)
    batch.policyRewards[number] = reward
    batch.valueRewards[number] =
      row.value.goal == row.policy.goal ? reward : self.reward(row.achieved, row.value.goal)
  }

  @inline(__always)
  private func reward(
    _ achieved: UnsafePointer<Float>, _ desired: UnsafePointer<Float>
  ) -> Float {
    leadingDimensions > 0
      ? task.reward(achieved, desired, over: 0..<leadingDimensions)
      : task.reward(achieved, desired)
  }

  /// Copies `count` numbers of four bytes: faster than a call for the few that a row has.
  ///
  /// The last piece of several overlaps the one before it.
  @inline(__always)
  private func copyNumbers(
    _ target: UnsafeMutablePointer<Float>, _ source: UnsafePointer<Float>, _ count: Int
  ) {
    if count >= 8 {
      var k = 0
      while k + 8 <= count {
        piece(target + k, source + k, SIMD8<UInt32>.self)
        k += 8
      }
      if k < count { piece(target + count - 8, source + count - 8, SIMD8<UInt32>.self) }
    } else if count >= 4 {
      piece(target, source, SIMD4<UInt32>.self)
      piece(target + count - 4, source + count - 4, SIMD4<UInt32>.self)
    } else {
      for k in 0..<count { target[k] = source[k] }
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
