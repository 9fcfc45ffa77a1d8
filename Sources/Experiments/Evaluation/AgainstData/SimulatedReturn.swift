import Environments
import GoalCore
import Statistics
import Support

/// The quantity that fitted-Q evaluation estimates, measured by rolling out.
enum SimulatedReturn {
  /// Horizons that are rolled out; with γ = 1 − 1/horizon what comes later weighs less than 2 %.
  private static let horizons = 4

  /// The mean discounted 0/1 return without an end from the first states of at most `wanted` of the
  /// episodes, spread evenly over them, towards their desired goals.
  ///
  /// It is nil if they have none.
  ///
  ///     Σ_{t < H′} γ^t r_t + γ^H′ r_{H′ − 1} / (1 − γ),   H′ = 4 horizons
  ///
  /// If the world would cut the episode off, it goes on; if it ends, nothing comes any more. Throws
  /// `ExperimentError.cannotStart` if the episodes have neither states nor seeds.
  static func estimate(
    of policy: NamedPolicy, on episodes: [DatasetSample.Episode], in sample: DatasetSample,
    _ world: LoadedWorld, episodes wanted: Int, workers: Int
  ) throws -> Estimate? {
    let goal = sample.task.spec.goal
    let asked = episodes.filter { $0.trajectory.desiredGoal.count >= goal }
    guard !asked.isEmpty else { return nil }
    let count = min(wanted, asked.count)
    let returns = try Parallel.map(
      count: count, workers: workers,
      context: {
        (
          stage: try DatasetStage(world.makeEnvironment(), sample),
          actor: policy.policy.makeActor()
        )
      }
    ) { context, number in
      let trajectory = asked[number * asked.count / count].trajectory
      return try discounted(
        trajectory, towards: Array(trajectory.desiredGoal.prefix(goal)), on: context.stage,
        context.actor)
    }
    // A gain of 1 in every step for ever is 1 / (1 − γ) = horizon.
    return Intervals.mean(returns, in: 0...Double(sample.task.spec.horizon))
  }

  private static func discounted(
    _ trajectory: Trajectory, towards goal: [Float], on stage: DatasetStage, _ actor: any GoalActor
  ) throws -> Double {
    let spec = stage.task.spec
    let discount = 1 - 1 / Double(spec.horizon)
    var shown = try stage.set(trajectory, step: 0, goal: goal)
    actor.begin(goal: goal, seed: trajectory.seed)
    var (sum, weight, gain) = (0.0, 1.0, 0.0)
    for _ in 0..<horizons * spec.horizon {
      let next = try stage.environment.step(spec.action.clipped(actor.act(shown.observation)))
      gain = next.isSuccess ? 1 : 0
      sum += weight * gain
      weight *= discount
      guard !next.terminated else { return sum }
      shown = next.truncated ? stage.goOn(towards: goal) : next.next
    }
    return sum + weight * gain / (1 - discount)
  }
}
