import GoalCore

/// A row that was drawn, and where its numbers lie.
struct DrawnRow {
  var source: Int32
  var episode: Int32
  var step: Int32
  var policy: LocatedGoal
  var value: LocatedGoal
  var observation: UnsafePointer<Float>
  var action: UnsafeRawPointer
  /// The achieved goal that is rewarded.
  var achieved: UnsafePointer<Float>
  var subgoal: UnsafePointer<Float>
  var lowGoal: UnsafePointer<Float>
}

/// A goal that was drawn, and where its numbers lie.
struct LocatedGoal {
  var origin: GoalOrigin
  var offset: Int32
  /// Achieved or desired, which rewards compare.
  var goal: UnsafePointer<Float>
  /// In the scheme's form, which is copied.
  var form: UnsafePointer<Float>
}

extension Sampler {
  /// Copies what the rows name into the batch.
  func copy(_ places: UnsafeMutableBufferPointer<DrawnRow>, into batch: inout GoalBatch) {
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
    Self.gather(places, into: &batch.policyGoals, width: F) { $0.policy.form }
    Self.gather(places, into: &batch.valueGoals, width: F) { $0.value.form }
    if scheme.subgoalSteps != nil {
      Self.gather(places, into: &batch.subgoals, width: F) { $0.subgoal }
      Self.gather(places, into: &batch.lowGoals, width: F) { $0.lowGoal }
    }
    Self.fill(places, &batch.sources) { $0.source }
    Self.fill(places, &batch.episodes) { $0.episode }
    Self.fill(places, &batch.steps) { $0.step }
    Self.fill(places, &batch.offsets) { $0.policy.offset }
    Self.fill(places, &batch.policyOrigins) { $0.policy.origin }
    Self.fill(places, &batch.valueOffsets) { $0.value.offset }
    Self.fill(places, &batch.valueOrigins) { $0.value.origin }
    let task = task
    Self.fill(places, &batch.policyRewards) { task.reward($0.achieved, $0.policy.goal) }
    let policyRewards = batch.policyRewards
    batch.valueRewards.withUnsafeMutableBufferPointer { rewards in
      for (row, place) in places.enumerated() {
        rewards[row] =
          place.value.goal == place.policy.goal
          ? policyRewards[row] : task.reward(place.achieved, place.value.goal)
      }
    }
  }

  /// Writes one number for each place.
  @inline(__always)
  private static func fill<Element>(
    _ places: UnsafeMutableBufferPointer<DrawnRow>, _ array: inout [Element],
    from value: (DrawnRow) -> Element
  ) {
    precondition(array.count == places.count, "a batch of another scheme")
    array.withUnsafeMutableBufferPointer { buffer in
      guard let target = buffer.baseAddress else { return }
      for row in 0..<places.count { target[row] = value(places[row]) }
    }
  }

  /// Copies one row of `width` numbers for each place.
  @inline(__always)
  private static func gather<Element: BitwiseCopyable>(
    _ places: UnsafeMutableBufferPointer<DrawnRow>, into array: inout [Element], width: Int,
    from row: (DrawnRow) -> UnsafePointer<Element>
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
