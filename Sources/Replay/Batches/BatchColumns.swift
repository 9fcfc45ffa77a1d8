import GoalCore

/// Where the columns of a batch lie, while it is drawn.
struct BatchColumns {
  let observations: UnsafeMutablePointer<Float>
  let nextObservations: UnsafeMutablePointer<Float>
  let actions: UnsafeMutablePointer<Float>
  let policyGoals: UnsafeMutablePointer<Float>
  let valueGoals: UnsafeMutablePointer<Float>
  let subgoals: UnsafeMutablePointer<Float>
  let subgoalObservations: UnsafeMutablePointer<Float>
  let lowGoals: UnsafeMutablePointer<Float>
  let policyRewards: UnsafeMutablePointer<Float>
  let valueRewards: UnsafeMutablePointer<Float>
  let offsets: UnsafeMutablePointer<Int32>
  let valueOffsets: UnsafeMutablePointer<Int32>
  let policyOrigins: UnsafeMutablePointer<GoalOrigin>
  let valueOrigins: UnsafeMutablePointer<GoalOrigin>
  let sources: UnsafeMutablePointer<Int32>
  let episodes: UnsafeMutablePointer<Int32>
  let steps: UnsafeMutablePointer<Int32>

  /// Writes down where a row comes from.
  @inline(__always)
  func note(_ row: DrawnRow, _ number: Int) {
    sources[number] = row.episode.source
    episodes[number] = row.episode.episode
    steps[number] = row.step
    policyOrigins[number] = row.policy.origin
    offsets[number] = row.policy.offset(from: row.step)
    valueOrigins[number] = row.value.origin
    valueOffsets[number] = row.value.offset(from: row.step)
  }
}

extension GoalBatch {
  /// Calls `body` with the places of all columns, which are those of a batch of `scheme`.
  mutating func withColumns(
    _ scheme: SamplingScheme, spec: GoalSpec, _ body: (BatchColumns) -> Void
  ) {
    let goal = scheme.goalForm.length(spec)
    precondition(
      count == scheme.batchSize && observations.count == count * spec.observation
        && nextObservations.count == observations.count && policyGoals.count == count * goal
        && valueGoals.count == count * goal
        && subgoals.count == (scheme.subgoalSteps == nil ? 0 : count * goal)
        && subgoalObservations.count
          == (scheme.subgoalSteps == nil ? 0 : count * spec.observation)
        && lowGoals.count == subgoals.count
        && policyRewards.count == count && valueRewards.count == count && offsets.count == count
        && valueOffsets.count == count && sources.count == count && episodes.count == count
        && steps.count == count && policyOrigins.count == count && valueOrigins.count == count,
      "a batch of \(scheme.batchSize) rows of the scheme was asked for, found one of another shape")
    // The actions are taken out while they are written, so that they are not copied.
    switch (actions, spec.action) {
    case (.continuous(var values), .continuous(let low, _)):
      precondition(values.count == count * low.count, "a batch of actions of another length")
      actions = .continuous([])
      withColumns(actions: &values, body)
      actions = .continuous(values)
    case (.discrete(var values), .discrete):
      precondition(values.count == count, "a batch of actions of another length")
      actions = .discrete([])
      values.withUnsafeMutableBytes { bytes in
        guard let start = bytes.baseAddress else { return }
        withColumns(actions: start.assumingMemoryBound(to: Float.self), body)
      }
      actions = .discrete(values)
    default: preconditionFailure("the batch's actions are not of the task's kind")
    }
  }

  private mutating func withColumns(
    actions: UnsafeMutablePointer<Float>, _ body: (BatchColumns) -> Void
  ) {
    Self.call(
      body, &observations, &nextObservations, actions, &policyGoals, &valueGoals, &subgoals,
      &subgoalObservations, &lowGoals, &policyRewards, &valueRewards, &offsets, &valueOffsets,
      &policyOrigins, &valueOrigins, &sources, &episodes, &steps)
  }

  /// The pointers that arrays become as arguments are good for this call.
  private static func call(
    _ body: (BatchColumns) -> Void, _ observations: UnsafeMutablePointer<Float>,
    _ nextObservations: UnsafeMutablePointer<Float>, _ actions: UnsafeMutablePointer<Float>,
    _ policyGoals: UnsafeMutablePointer<Float>, _ valueGoals: UnsafeMutablePointer<Float>,
    _ subgoals: UnsafeMutablePointer<Float>, _ subgoalObservations: UnsafeMutablePointer<Float>,
    _ lowGoals: UnsafeMutablePointer<Float>,
    _ policyRewards: UnsafeMutablePointer<Float>, _ valueRewards: UnsafeMutablePointer<Float>,
    _ offsets: UnsafeMutablePointer<Int32>, _ valueOffsets: UnsafeMutablePointer<Int32>,
    _ policyOrigins: UnsafeMutablePointer<GoalOrigin>,
    _ valueOrigins: UnsafeMutablePointer<GoalOrigin>, _ sources: UnsafeMutablePointer<Int32>,
    _ episodes: UnsafeMutablePointer<Int32>, _ steps: UnsafeMutablePointer<Int32>
  ) {
    body(
      BatchColumns(
        observations: observations, nextObservations: nextObservations, actions: actions,
        policyGoals: policyGoals, valueGoals: valueGoals, subgoals: subgoals,
        subgoalObservations: subgoalObservations, lowGoals: lowGoals,
        policyRewards: policyRewards, valueRewards: valueRewards, offsets: offsets,
        valueOffsets: valueOffsets, policyOrigins: policyOrigins, valueOrigins: valueOrigins,
        sources: sources, episodes: episodes, steps: steps))
  }
}
