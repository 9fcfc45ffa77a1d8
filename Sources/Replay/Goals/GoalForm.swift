public import GoalCore

/// The form of a learner's goals: what was achieved, or the whole observation.
///
/// Sampling and acting make goals by this one value, so a policy acts on what it was trained on.
public enum GoalForm: String, Codable, Sendable, CaseIterable {
  /// The achieved goal m(s), `[G]`.
  case achieved
  /// The observation s itself, `[O]`.
  case observation

  /// Numbers in a goal, `F`: `G` or `O`.
  public func length(_ spec: GoalSpec) -> Int {
    switch self {
    case .achieved: spec.goal
    case .observation: spec.observation
    }
  }

  /// The goal `[F]` that a state of observation `[O]` stands for.
  public func goal(ofState observation: [Float], task: GoalTask) -> [Float] {
    switch self {
    case .achieved: task.achievedGoal(of: observation)
    case .observation: observation
    }
  }

  /// The goal `[F]` to act towards, of the desired goal `[G]` that a world gives.
  ///
  /// The whole observation can be had if the goal names every number of it, as for a point in the
  /// plane, or if the world shows one, `shown` `[O]`. Throws `GoalFormError` anywhere else: what
  /// fills the rest would be made up, and a policy trained on real states would meet it first when
  /// it acts.
  public func goal(
    desired: [Float], shown: [Float]? = nil, task: GoalTask
  ) throws(GoalFormError) -> [Float] {
    guard self == .observation else { return desired }
    if let shown {
      precondition(
        shown.count == task.spec.observation,
        "an observation has \(task.spec.observation) numbers, found \(shown.count)")
      return shown
    }
    guard Set(task.goalIndices).count == task.spec.observation else {
      throw .notShown(
        world: task.identifier, goal: task.spec.goal, observation: task.spec.observation)
    }
    var observation = [Float](repeating: 0, count: task.spec.observation)
    for (value, place) in zip(desired, task.goalIndices) { observation[place] = value }
    return observation
  }
}

/// A goal that cannot be had in the form asked for.
public enum GoalFormError: Error, Equatable, CustomStringConvertible {
  /// The world gives part of an observation as its goal.
  case notShown(world: String, goal: Int, observation: Int)

  /// Rule, what was found, where.
  public var description: String {
    switch self {
    case .notShown(let world, let goal, let observation):
      "a goal in the form of an observation needs all its \(observation) numbers, and \(world) gives "
        + "\(goal): use the achieved form"
    }
  }
}
