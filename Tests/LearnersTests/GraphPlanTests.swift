import Foundation
import GoalCore
import Support
import TestSupport
import Testing

@testable import Learners

struct GraphPlanTests {
  /// States on a line, 10 steps from one to the next.
  private func line(_ count: Int, edge: Double) -> GraphPlan {
    let places = (0..<count).map(Float.init)
    return GraphPlan(
      PlanNodes(observations: places, goals: places, count: count),
      GraphPlanSettings(nodes: count, edge: edge)
    ) { states, goals, _ in zip(states, goals).map { Double(abs($0 - $1)) * 10 } }
  }

  @Test func longEdgesCostExponentially() {
    #expect(GraphPlan.weight(of: 0.2, edge: 24) == 1)
    #expect(GraphPlan.weight(of: 24, edge: 24) == 24)
    #expect(abs(GraphPlan.weight(of: 48, edge: 24) / 48e6 - 1) < 1e-12)
    #expect(GraphPlan.weight(of: 1e6, edge: 1) == .infinity)
  }

  @Test func theCheapestPathGoesByShortEdges() {
    #expect(line(10, edge: 10).cheapest(from: 0, to: 9) == Array(0...9))
    #expect(line(10, edge: 10).cheapest(from: 4, to: 4) == [4])
    // Edges of 20 cost as much as two of 10, and of equal costs the lower number stays.
    #expect(line(3, edge: 20).cheapest(from: 0, to: 2) == [0, 2])
    #expect(line(10, edge: 0.001).cheapest(from: 0, to: 9) == [])
  }

  @Test func aStepAimsAtTheFurthestNodeWithinReach() {
    let plan = line(10, edge: 10)  // T = 20
    let path = plan.path(from: [0.2], to: [9])
    #expect(path == Array(0...9))
    var reached = 0
    // Nodes 0, 1 and 2 are 2, 8 and 18 steps away, and node 3 is 28.
    #expect(plan.aim(from: [0.2], to: [9], along: path, reached: &reached) == 2)
    #expect(reached == 0)
    #expect(plan.aim(from: [4.1], to: [9], along: path, reached: &reached) == 6)
    #expect(reached == 4)
    // An episode that falls back aims at the node after the one it had come to.
    #expect(plan.aim(from: [1], to: [9], along: path, reached: &reached) == 5)
    #expect(reached == 4)
    #expect(plan.aim(from: [7], to: [9], along: path, reached: &reached) == nil)
  }

  @Test func valuesSaySteps() {
    let gamma = 0.9
    for startsBeforeStep in [false, true] {
      let scale = ValueScale(
        discount: gamma, rewards: .minusOneOrZero, startsBeforeStep: startsBeforeStep)
      let positive = ValueScale(
        discount: gamma, rewards: .zeroOrOne, startsBeforeStep: startsBeforeStep)
      for steps in [2.0, 5, 20] {
        for scale in [scale, positive] {
          let said = ValueReading.returns(scale).steps(of: scale.value(reachedIn: steps))
          #expect(abs(said - steps) < 1e-9)
        }
      }
      let never = ValueReading.returns(scale).steps(of: -1e9)
      #expect(never.isFinite && never > 80)
    }
    #expect(ValueReading.steps.steps(of: -7) == 7)
    let logits = ValueReading.logits(discount: gamma)
    #expect(abs(logits.steps(of: 3 + 4 * log(gamma), atGoal: 3) - 4) < 1e-9)
    #expect(logits.steps(of: 4, atGoal: 3) == 0)
  }

  // MARK: - Walls

  /// A square that a wall cuts in two but for a gap at the top; actions of length 0.1.
  private enum Walled {
    static func crosses(_ a: [Float], _ b: [Float]) -> Bool {
      guard (a[0] < 0) != (b[0] < 0) else { return false }
      return a[1] + (b[1] - a[1]) * (0 - a[0]) / (b[0] - a[0]) < 0.7
    }

    /// Steps as a value that was learned from short ways says them.
    static func steps(_ a: [Float], _ b: [Float]) -> Double {
      let (x, y) = (Double(b[0] - a[0]), Double(b[1] - a[1]))
      return crosses(a, b) ? 200 : (x * x + y * y).squareRoot() / 0.1
    }

    static func success(of policy: any GoalPolicy) throws -> Double {
      let actor = policy.makeActor()
      var reached = 0
      for episode in 0..<20 {
        let height = -0.9 + 0.04 * Float(episode)
        var (state, goal): ([Float], [Float]) = ([-0.8, height], [0.8, -height - 0.5])
        actor.begin(goal: goal, seed: 0)
        for _ in 0..<80 {
          let action = try #require(actor.act(state).continuous)
          let next = [state[0] + 0.1 * action[0], state[1] + 0.1 * action[1]]
          // What the wall stops slides along it.
          state = crosses(state, next) ? [state[0], next[1]] : next
        }
        goal = [state[0] - goal[0], state[1] - goal[1]]
        reached += goal[0] * goal[0] + goal[1] * goal[1] < 0.01 ? 1 : 0
      }
      return Double(reached) / 20
    }
  }

  /// Goes straight to its goal.
  private struct Straight: GoalPolicy {
    func makeActor() -> any GoalActor { Actor() }

    final class Actor: GoalActor {
      private var goal: [Float] = []

      func begin(goal: [Float], seed: UInt64) { self.goal = goal }

      func act(_ observation: [Float]) -> Action {
        let (x, y) = (goal[0] - observation[0], goal[1] - observation[1])
        let length = max(0.1, (x * x + y * y).squareRoot())
        return .continuous([x / length, y / length])
      }
    }
  }

  @Test func aPlanLeadsRoundAWall() throws {
    let places = (0..<10).map { -0.9 + 0.2 * Float($0) }
    var states: [Float] = []
    for x in places { for y in places { states += [x, y] } }
    let plan = GraphPlan(
      PlanNodes(observations: states, goals: states, count: 100),
      GraphPlanSettings(nodes: 100, edge: 4)
    ) { states, goals, rows in
      (0..<rows).map { row in
        Walled.steps(Array(states[2 * row..<2 * row + 2]), Array(goals[2 * row..<2 * row + 2]))
      }
    }
    #expect(try Walled.success(of: Straight()) == 0)
    #expect(try Walled.success(of: GraphPolicy(Straight(), plan: plan)) == 1)
  }

  // MARK: - Learners

  /// Every learner with a value plans, and says the same to every actor and every time.
  @Test(
    arguments: LearnerRegistry.all.map(\.identifier).filter {
      (try? LearnerRegistry.entry($0).small(task: PointWorld.task())) is any GoalValuing
    })
  func learnersPlanByTheirValues(id: String) throws {
    let task = PointWorld.task()
    var generator = Philox(seed: 4, purpose: 1, index: 0)
    let states = (0..<40).map { _ in Float(generator.uniform(-1, 1)) }
    let nodes = PlanNodes(observations: states, goals: states, count: 20)
    func actions() throws -> [[Float]] {
      let learner = try #require(
        try LearnerRegistry.entry(id).small(task: task) as? any GoalValuing)
      let policy = learner.makePolicy()
      let made = ValueSteps(learner, nodes)
      let steps = try #require(made)
      let found = steps(observations: states, goals: states.reversed(), rows: 20)
      #expect(found.allSatisfy { $0.isFinite })
      let plan = GraphPlan(nodes, GraphPlanSettings(nodes: 20, edge: 1, aim: 2)) {
        steps(observations: $0, goals: $1, rows: $2)
      }
      let planned = GraphPolicy(policy, plan: plan)
      var actions: [[Float]] = []
      for actor in [planned.makeActor(), planned.makeActor()] {
        for episode in 0..<3 {
          actor.begin(goal: [0.4, Float(episode) * 0.1], seed: 0)
          if case .continuous(let action) = actor.act([-0.5, 0.2]) { actions.append(action) }
        }
      }
      return actions
    }
    let first = try actions()
    #expect(first == (try actions()))
    #expect(first.count == 6 && first[0] == first[3])
  }

  @Test func learnersWithoutAValueDoNotPlan() throws {
    let task = PointWorld.task()
    let states: [Float] = [0, 0, 1, 1]
    let nodes = PlanNodes(observations: states, goals: states, count: 2)
    #expect(!(try LearnerRegistry.entry("gcbc").small(task: task) is any GoalValuing))
    let unweighted = try LearnerRegistry.entry("wgcsl").make(
      task: task, overrides: ["exponentialWeight": false, "bestAdvantageWeight": false], seed: 0)
    let valuing = try #require(unweighted as? any GoalValuing)
    let steps = ValueSteps(valuing, nodes)
    #expect(steps == nil)
  }
}
