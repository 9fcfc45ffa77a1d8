public import GoalCore
internal import Glibc

/// The settings of a plan on a graph of the data's states.
public struct GraphPlanSettings: Codable, Sendable, Equatable {
  /// States in the graph.
  public var nodes: Int
  /// τ, the longest edge, in steps: longer ones cost 1000^(D/τ) times as much.
  public var edge: Double
  /// T, the steps within which a state or the goal is aimed at.
  public var aim: Double

  /// The nodes that a graph may have: their distances are held, 8 bytes each.
  public static let nodeRange = 2...8_192
  /// The steps that an edge or an aim may have.
  public static let stepRange = 1e-6...1e9

  /// Makes settings; the aim is twice the edge if it is not given.
  public init(nodes: Int = 1_000, edge: Double = 24, aim: Double? = nil) {
    (self.nodes, self.edge, self.aim) = (nodes, edge, aim ?? 2 * edge)
  }
}

/// States of data that a plan may go through.
public struct PlanNodes: Sendable, Equatable {
  /// Observations, `[N, O]`.
  public let observations: [Float]
  /// The states' achieved goals, `[N, G]`.
  public let goals: [Float]
  /// N.
  public let count: Int

  /// Collects states.
  public init(observations: [Float], goals: [Float], count: Int) {
    precondition(
      count > 0 && observations.count % count == 0 && goals.count % count == 0,
      "\(count) rows of observations and of goals")
    (self.observations, self.goals, self.count) = (observations, goals, count)
  }

  /// A state's achieved goal, `[G]`.
  func goal(_ place: Int) -> ArraySlice<Float> {
    let width = goals.count / count
    return goals[place * width..<(place + 1) * width]
  }
}

/// A plan by graph search over any estimate of steps D(s, g), with a policy that was trained
/// without it.
///
///     edges    of all pairs of different nodes: w = max(1, D) for D ≤ τ,
///              and max(1, D · 1000^(D/τ)) beyond
///     episode  the cheapest path (Dijkstra) from the node j of the least D(s₀, j)
///              to that of the least D(j, g)
///     step     if D(s, g) ≤ T: aim at g;
///              else c = max(c, argmin_p D(s, p)) along the path, and aim at the furthest node
///              after c with D(s, p) < T; if none is, at node c + 1,
///              or at g if that is the last and D(last, g) > T;
///              after the last node at g
///
/// TTGS, test-time graph search; reference code github.com/ktolnos/TTGS at 0a6d7a9,
/// `impls/ttgs.py`, which has T = 2τ and τ = 24 for most of its worlds.
///
/// It differs from the reference in: 1. 1,000 nodes by default, not 4,000; 2. nodes are different
/// states of the data;
/// 3. of equal costs the node with the lower number is taken; 4. if no path has a finite cost, g is
///    aimed at;
/// 5. the values that it takes are all of `ValueReading`.
///
/// Shapes: `N` nodes, `O` observation, `G` goal.
public final class GraphPlan: Sendable {
  /// Steps from states to goals: observations `[B, O]`, goals `[B, G]` and B give `[B]`.
  public typealias Steps =
    @Sendable (_ observations: [Float], _ goals: [Float], _ rows: Int) ->
    [Double]

  private let nodes: PlanNodes
  private let settings: GraphPlanSettings
  private let steps: Steps
  /// w, from row to column, `[N, N]`.
  private let weights: [Double]

  /// Measures all pairs of nodes; `advance` is called after each node's.
  public init(
    _ nodes: PlanNodes, _ settings: GraphPlanSettings, steps: @escaping Steps,
    advance: () -> Void = {}
  ) {
    (self.nodes, self.settings, self.steps) = (nodes, settings, steps)
    let count = nodes.count
    var weights: [Double] = []
    weights.reserveCapacity(count * count)
    let width = nodes.observations.count / count
    for from in 0..<count {
      let state = nodes.observations[from * width..<(from + 1) * width]
      let found = steps(
        Array(repeatElement(state, count: count).joined()), nodes.goals, count)
      weights += found.map { Self.weight(of: $0, edge: settings.edge) }
      weights[from * count + from] = .infinity
      advance()
    }
    self.weights = weights
  }

  /// w of an edge that is so many steps long.
  static func weight(of steps: Double, edge: Double) -> Double {
    max(1, steps <= edge ? steps : steps * pow(1_000, steps / edge))
  }

  /// D from a state to each of some goals, `[B]`.
  private func steps(from observation: [Float], to goals: [Float], rows: Int) -> [Double] {
    steps(Array(repeatElement(observation, count: rows).joined()), goals, rows)
  }

  /// The nodes from the one that is nearest to a state to the one that is nearest to a goal; empty
  /// if no path has a finite cost.
  func path(from observation: [Float], to goal: [Float]) -> [Int] {
    let ahead = steps(from: observation, to: nodes.goals, rows: nodes.count)
    let behind = steps(
      nodes.observations, Array(repeatElement(goal, count: nodes.count).joined()), nodes.count)
    return cheapest(from: Self.least(ahead), to: Self.least(behind))
  }

  /// The first place of the least of some numbers.
  fileprivate static func least(_ values: some Collection<Double>) -> Int {
    values.enumerated().min { $0.element < $1.element }?.offset ?? 0
  }

  /// The cheapest path between two nodes, both of them in it; empty for one of no finite cost.
  func cheapest(from start: Int, to end: Int) -> [Int] {
    let count = nodes.count
    var costs = [Double](repeating: .infinity, count: count)
    var previous = [Int](repeating: -1, count: count)
    var isDone = [Bool](repeating: false, count: count)
    costs[start] = 0
    while true {
      var here = -1
      for node in 0..<count where !isDone[node] && (here < 0 || costs[node] < costs[here]) {
        here = node
      }
      guard here >= 0, costs[here].isFinite else { return [] }
      if here == end { break }
      isDone[here] = true
      for node in 0..<count where !isDone[node] {
        let cost = costs[here] + weights[here * count + node]
        if cost < costs[node] { (costs[node], previous[node]) = (cost, here) }
      }
    }
    var path = [end]
    while let first = path.last, first != start { path.append(previous[first]) }
    return path.reversed()
  }

  /// The aim of an episode in a state: a place on its path, or its goal (nil).
  ///
  /// Advances `reached`, the place on the path that the episode has come to.
  func aim(from observation: [Float], to goal: [Float], along path: [Int], reached: inout Int)
    -> Int?
  {
    guard let last = path.last else { return nil }
    let goals = path.flatMap { nodes.goal($0) } + goal
    let steps = steps(from: observation, to: goals, rows: path.count + 1)
    guard steps[path.count] > settings.aim else { return nil }
    let ways = steps[..<path.count]
    reached = max(reached, Self.least(ways))
    let ahead = path.indices.dropFirst(reached + 1)
    guard let next = ahead.first else { return nil }
    if let furthest = ahead.last(where: { ways[$0] < settings.aim }) { return furthest }
    guard next == path.count - 1 else { return next }
    let width = nodes.observations.count / nodes.count
    let state = Array(nodes.observations[last * width..<(last + 1) * width])
    return self.steps(state, goal, 1)[0] > settings.aim ? nil : next
  }

  /// The goal that a node stands for, `[G]`.
  func goal(of node: Int) -> [Float] { Array(nodes.goal(node)) }
}

/// A policy that aims where a plan says.
public struct GraphPolicy: GoalPolicy {
  private let policy: any GoalPolicy
  private let plan: GraphPlan

  /// A policy, and what it is to aim at.
  public init(_ policy: any GoalPolicy, plan: GraphPlan) {
    (self.policy, self.plan) = (policy, plan)
  }

  /// Makes an actor for one thread.
  public func makeActor() -> any GoalActor { GraphActor(policy.makeActor(), plan) }

  /// Whether the policy itself is.
  public var isCategorical: Bool { policy.isCategorical }
}

/// Such a policy at work in one episode.
private final class GraphActor: GoalActor {
  private let actor: any GoalActor
  private let plan: GraphPlan
  private var (goal, seed): ([Float], UInt64) = ([], 0)
  /// nil before the first action.
  private var path: [Int]?
  private var reached = 0
  /// The place on the path that is aimed at; nil for the goal.
  private var aim: Int?

  init(_ actor: any GoalActor, _ plan: GraphPlan) { (self.actor, self.plan) = (actor, plan) }

  func begin(goal: [Float], seed: UInt64) {
    (self.goal, self.seed) = (goal, seed)
    (path, reached, aim) = (nil, 0, nil)
    actor.begin(goal: goal, seed: seed)
  }

  func act(_ observation: [Float]) -> Action {
    let path = path ?? plan.path(from: observation, to: goal)
    self.path = path
    let next = plan.aim(from: observation, to: goal, along: path, reached: &reached)
    if next != aim {
      aim = next
      actor.begin(goal: next.map { plan.goal(of: path[$0]) } ?? goal, seed: seed)
    }
    return actor.act(observation)
  }

  func logProbability(of action: Action) -> Float? { actor.logProbability(of: action) }

  func randomAction(from generator: inout Philox) -> Action? {
    actor.randomAction(from: &generator)
  }
}
