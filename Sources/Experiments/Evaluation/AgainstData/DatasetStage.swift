import GoalCore

/// An environment that is put into states of a dataset; it belongs to one thread.
final class DatasetStage {
  let environment: any RestorableEnvironment
  private let sample: DatasetSample

  var task: GoalTask { environment.task }

  /// Throws `ExperimentError.cannotStart` for a world whose state cannot be put back.
  init(_ environment: any GoalEnvironment, _ sample: DatasetSample) throws {
    guard let restorable = environment as? any RestorableEnvironment else {
      throw ExperimentError.cannotStart(
        path: sample.path, reason: "the states of \(sample.task.identifier) can't be put back")
    }
    self.environment = restorable
    self.sample = sample
  }

  /// Puts the world into a start's state with its goal, no step counted yet: from the stored
  /// states, or by replaying the episode's first steps from its seed.
  ///
  /// `watch` sees each state on the way, with the start's goal. Throws
  /// `ExperimentError.cannotStart` if the data have neither, or if the world shows another
  /// observation than the stored one.
  func set(
    _ start: DatasetRollouts.Start, watch: ((GoalObservation) throws -> Void)? = nil
  ) throws -> GoalObservation {
    try set(
      sample.episodes[start.episode].trajectory, step: start.step, goal: start.goal, watch: watch)
  }

  /// The same for a step of an episode and a goal.
  func set(
    _ trajectory: Trajectory, step: Int, goal: [Float],
    watch: ((GoalObservation) throws -> Void)? = nil
  ) throws -> GoalObservation {
    let width = trajectory.states.count / (trajectory.length + 1)
    if width == environment.stateLength {
      if let watch {
        for earlier in 0..<step { try watch(show(trajectory, earlier, width, goal)) }
      }
      return try show(trajectory, step, width, goal)
    }
    // Converted episodes have no seeds: theirs reads as 0, which another recipe's may be.
    var shown = environment.reset(seed: trajectory.seed)
    for earlier in 0..<step {
      if let watch {
        try watch(
          environment.restore(state: environment.state(), desiredGoal: goal, step: earlier))
      }
      shown = environment.step(trajectory.action(earlier, length: task.spec.action.length)).next
    }
    try check(shown, trajectory, step)
    return goOn(towards: goal)
  }

  /// Counts steps from 0 again in the state that the world is in, towards a goal.
  func goOn(towards goal: [Float]) -> GoalObservation {
    environment.restore(state: environment.state(), desiredGoal: goal, step: 0)
  }

  private func show(
    _ trajectory: Trajectory, _ step: Int, _ width: Int, _ goal: [Float]
  ) throws -> GoalObservation {
    let shown = environment.restore(
      state: Array(trajectory.states[step * width..<(step + 1) * width]), desiredGoal: goal, step: 0
    )
    try check(shown, trajectory, step)
    return shown
  }

  private func check(
    _ shown: GoalObservation, _ trajectory: Trajectory, _ step: Int
  ) throws {
    let stored = trajectory.observation(step, length: task.spec.observation)
    guard shown.observation == stored else {
      throw ExperimentError.cannotStart(
        path: sample.path,
        reason: "neither stored states nor a replay from the seed give the stored observation of "
          + "episode \(trajectory.index), step \(step)")
    }
  }
}
