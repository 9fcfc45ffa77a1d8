import GoalCore
import Learners
import Replay
import Support
import TestSupport
import Testing

/// A point in the plane: s ← s + 0.1 a, towards a goal in [−1, 1]².
///
/// It is small enough to be learnt in seconds.
enum PointWorld {
  static let stride: Float = 0.1

  /// Bounds that are not ±1 show whether a learner scales.
  static func task(
    low: [Float] = [-1, -1], high: [Float] = [1, 1], horizon: Int = 30
  ) -> GoalTask {
    GoalTask(
      identifier: "point-plane",
      spec: GoalSpec(
        observation: 2, goal: 2, action: .continuous(low: low, high: high), horizon: horizon,
        successThreshold: 0.1, metric: "distance", controlPeriod: 1),
      goalIndices: [0, 1])
  }

  static func next(_ state: [Float], _ action: [Float]) -> [Float] {
    zip(state, action).map { $0 + stride * $1 }
  }

  /// The step of −1, 0 or 1 of each dimension that brings a state nearest to a goal.
  static func scripted(_ state: [Float], _ goal: [Float]) -> [Float] {
    zip(state, goal).map { max(-1, min(1, (($1 - $0) / stride).rounded())) }
  }

  /// Episodes of uniformly random actions; from few values of each dimension where `bins` says so,
  /// and a share of them scripted; starts and goals are in a square of ±`extent`.
  static func replay(
    task: GoalTask, episodes: Int, seed: UInt64, bins: Int? = nil, scripted: Double = 0,
    extent: Double = 1
  ) -> EpisodeReplay {
    var generator = Philox(seed: seed, purpose: 1, index: 0)
    func point() -> [Float] { (0..<2).map { _ in Float(generator.uniform(-extent, extent)) } }
    guard case .continuous(let low, let high) = task.spec.action else { fatalError("continuous") }
    var (states, actions, goals) = ([Float](), [Float](), [Float]())
    for _ in 0..<episodes {
      var state = point()
      let goal = point()
      goals += goal
      states += state
      for _ in 0..<task.spec.horizon {
        let isScripted = scripted > 0 && generator.unit() < scripted
        let action =
          isScripted
          ? Self.scripted(state, goal)
          : zip(low, high).map { low, high in
            guard let bins else { return Float(generator.uniform(Double(low), Double(high))) }
            let digit = Float(generator.next() % UInt64(bins))
            return low + digit * (high - low) / Float(bins - 1)
          }
        state = next(state, action)
        actions += action
        states += state
      }
    }
    let owner = Columns(states: states, actions: actions, goals: goals)
    return EpisodeReplay(
      task: task,
      columns: [
        TrajectoryColumns(
          observations: owner.view(owner.states), actions: .continuous(owner.view(owner.actions)),
          achievedGoals: owner.view(owner.states), desiredGoals: owner.view(owner.goals),
          goalsMove: false, lengths: [Int](repeating: task.spec.horizon, count: episodes),
          owner: owner)
      ])
  }

  /// The share of episodes whose last state is at the goal.
  static func success(
    of policy: any GoalPolicy, task: GoalTask, episodes: Int, extent: Double = 1
  ) throws -> Double {
    var generator = Philox(seed: 99, purpose: 2, index: 0)
    func point() -> [Float] { (0..<2).map { _ in Float(generator.uniform(-extent, extent)) } }
    let actor = policy.makeActor()
    var reached = 0
    for _ in 0..<episodes {
      var state = point()
      let goal = point()
      actor.begin(goal: goal, seed: 0)
      for _ in 0..<task.spec.horizon {
        let action = try #require(actor.act(state).continuous)
        state = next(state, action)
      }
      reached += task.isReached(state, goal) ? 1 : 0
    }
    return Double(reached) / Double(episodes)
  }

  private final class Columns {
    let states: UnsafeMutableBufferPointer<Float>
    let actions: UnsafeMutableBufferPointer<Float>
    let goals: UnsafeMutableBufferPointer<Float>

    init(states: [Float], actions: [Float], goals: [Float]) {
      func copied(_ values: [Float]) -> UnsafeMutableBufferPointer<Float> {
        let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: values.count)
        _ = memory.initialize(from: values)
        return memory
      }
      (self.states, self.actions, self.goals) = (copied(states), copied(actions), copied(goals))
    }

    func view(_ memory: UnsafeMutableBufferPointer<Float>) -> UnsafeBufferPointer<Float> {
      UnsafeBufferPointer(memory)
    }

    deinit { for memory in [states, actions, goals] { memory.deallocate() } }
  }
}

extension LearnerEntry {
  /// A learner with small networks and batches.
  func small(task: GoalTask = PointWorld.task(), seed: UInt64 = 0) throws -> any Learner {
    try make(
      task: task, overrides: ["hiddenWidths": [32, 32], "batchSize": 64], seed: seed)
  }
}
