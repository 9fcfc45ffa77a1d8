import GoalCore
public import Statistics

/// How often a policy's first action towards a dataset's own goal is about the data's.
///
/// For continuous actions that is a root mean square difference of at most `tolerance` halves of
/// the range, for others the same action.
public struct FirstActions: Codable, Sendable {
  /// The largest difference that counts as agreement, in halves of the range.
  public static let tolerance = 0.25

  /// Share of episodes in which they agree; Wilson's interval.
  public let agree: Estimate
  /// The same with the first action of another episode of the data: what comes by chance.
  public let byChance: Estimate

  /// Looks at the episodes' first steps; nil if no episode has a desired goal.
  init?(_ episodes: [DatasetSample.Episode], task: GoalTask, actor: any GoalActor) {
    let asked = episodes.map(\.trajectory).filter { $0.desiredGoal.count >= task.spec.goal }
    guard !asked.isEmpty else { return nil }
    let space = task.spec.action
    let firsts = asked.map { $0.action(0, length: space.length) }
    var (agreed, byChance) = (0, 0)
    for (number, trajectory) in asked.enumerated() {
      actor.begin(
        goal: Array(trajectory.desiredGoal.prefix(task.spec.goal)), seed: trajectory.seed)
      let chosen = actor.act(trajectory.observation(0, length: task.spec.observation))
      if Self.isSame(chosen, firsts[number], space) { agreed += 1 }
      if Self.isSame(chosen, firsts[(number + 1) % firsts.count], space) { byChance += 1 }
    }
    agree = Intervals.wilson(successes: agreed, of: asked.count)
    self.byChance = Intervals.wilson(successes: byChance, of: asked.count)
  }

  private static func isSame(_ a: Action, _ b: Action, _ space: ActionSpace) -> Bool {
    space.squaredDifference(a, b).map { $0 <= tolerance * tolerance } ?? (a == b)
  }
}
