import Environments
import GoalCore
import Storage

/// The rules that each episode of a dataset follows.
struct EpisodeRules: Sendable {
  let task: GoalTask
  /// The recipe of the episode; nil if it was converted.
  let recipe: Recipe?
  /// The bounds of the world's numbers; nil if it is not registered.
  let bounds: PlausibleBounds?
  /// The columns, of rewards and successes, that must be the task's.
  let followsTask: Set<ShardColumn>
  /// Those that a source computed by rules of its own, which are compared with the task's.
  let compared: Set<ShardColumn>

  /// The rules that need no simulator.
  func check(_ trajectory: Trajectory, _ place: String, _ found: inout Verification.Findings) {
    let most = recipe?.steps ?? bounds?.longestEpisode ?? task.spec.horizon
    found.compare(
      "an episode has at most \(most) steps", trajectory.length <= most,
      at: "\(place) has \(trajectory.length)")
    if let recipe {
      found.compare(
        "an episode's seed is its recipe's",
        trajectory.seed == recipe.worldSeed(ofEpisode: trajectory.index),
        at: "\(place) has \(trajectory.seed)")
      found.compare(
        "an episode is cut off at the horizon or terminated",
        trajectory.terminated
          || trajectory.truncated == (trajectory.length == recipe.steps ?? task.spec.horizon),
        at: place)
      found.compare(
        "collected episodes have goals, rewards and successes",
        !trajectory.desiredGoal.isEmpty && trajectory.rewards.count == trajectory.length
          && trajectory.successes.count == trajectory.length, at: place)
    }
    checkFinite(trajectory, place, &found)
    checkActions(trajectory, place, &found)
    checkBounds(trajectory, place, &found)
    checkGoals(trajectory, place, &found)
  }

  private func checkFinite(
    _ trajectory: Trajectory, _ place: String, _ found: inout Verification.Findings
  ) {
    for (name, values) in [
      ("observations", trajectory.observations), ("rewards", trajectory.rewards),
      ("achieved goals", trajectory.achievedGoals), ("desired goals", trajectory.desiredGoal),
    ] {
      found.compareAll("\(name) are finite", values, \.isFinite) { "\(place), number \($0)" }
    }
    found.compareAll(
      "log-probabilities are at most 0", trajectory.logProbabilities, { $0.isFinite && $0 <= 0 }
    ) { "\(place), step \($0) has \(trajectory.logProbabilities[$0])" }
    found.compareAll("simulator states are finite", trajectory.states, \.isFinite) {
      "\(place), number \($0)"
    }
  }

  private func checkActions(
    _ trajectory: Trajectory, _ place: String, _ found: inout Verification.Findings
  ) {
    let rule = "actions are in the space"
    switch (trajectory.actions, task.spec.action) {
    case (.continuous(let values), .continuous(let low, let high)):
      let width = low.count
      for (number, value) in values.enumerated()
      where !(low[number % width]...high[number % width] ~= value) {
        found.compare(rule, false, at: "\(place), step \(number / width) has \(value)")
      }
    case (.discrete(let values), .discrete(let count)):
      found.compareAll(rule, values, { 0..<Int32(count) ~= $0 }) {
        "\(place), step \($0) has \(values[$0])"
      }
    default: found.compare("actions are of the task's kind", false, at: place)
    }
  }

  /// No number is larger than the world's can be, and nothing moves further in a step.
  private func checkBounds(
    _ trajectory: Trajectory, _ place: String, _ found: inout Verification.Findings
  ) {
    guard let bounds else { return }
    let largest = bounds.largestObservation
    let o = task.spec.observation
    let values = trajectory.observations
    // What is not a number is another rule's.
    found.compareAll(
      "observations are within \(largest) of 0", values, { !(abs($0) > largest) || !$0.isFinite }
    ) { "\(place), state \($0 / o), number \($0 % o) is \(values[$0])" }
    for thing in bounds.things {
      for t in 0..<trajectory.length {
        let squares = thing.indices.map { k in
          let difference = Double(values[(t + 1) * o + k]) - Double(values[t * o + k])
          return difference * difference
        }
        let distance = squares.reduce(0, +).squareRoot()
        if distance > thing.largestStep, distance.isFinite {
          found.compare(
            "the \(thing.name) moves at most \(thing.largestStep) in a step", false,
            at: "\(place), step \(t) moves it \(Float(distance))")
        }
      }
    }
  }

  /// Goals, rewards and successes follow from the observations.
  private func checkGoals(
    _ trajectory: Trajectory, _ place: String, _ found: inout Verification.Findings
  ) {
    let (o, g) = (task.spec.observation, task.spec.goal)
    trajectory.observations.withUnsafeBufferPointer { observations in
      trajectory.achievedGoals.withUnsafeBufferPointer { achieved in
        trajectory.desiredGoal.withUnsafeBufferPointer { desired in
          guard let s = observations.baseAddress, let a = achieved.baseAddress else { return }
          if task.isGoalKnown {
            var goal = [Float](repeating: 0, count: g)
            for t in 0...trajectory.length {
              task.achievedGoal(of: s + t * o, into: &goal)
              found.compare(
                "achieved goals are m(s)",
                goal.elementsEqual(achieved[t * g..<(t + 1) * g]), at: "\(place), state \(t)")
            }
          }
          guard !followsTask.isEmpty, let first = desired.baseAddress else { return }
          let stride = desired.count > g ? g : 0
          for t in 0..<trajectory.length {
            let next = a + (t + 1) * g
            let d = first + t * stride
            if followsTask.contains(.rewards), !trajectory.rewards.isEmpty {
              found.compare(
                "rewards follow from the goals", task.reward(next, d) == trajectory.rewards[t],
                at: "\(place), step \(t)")
            }
            if followsTask.contains(.successes), !trajectory.successes.isEmpty {
              found.compare(
                "successes follow from the goals",
                task.isReached(next, d) == trajectory.successes[t], at: "\(place), step \(t)")
            }
          }
        }
      }
    }
  }

  /// Simulates an episode again from its seed and stored actions, of a kind in a world with named
  /// tasks.
  func replay(
    _ trajectory: Trajectory, as kind: EpisodeKind?, in environment: any GoalEnvironment,
    _ place: String,
    _ found: inout Verification.Findings
  ) {
    let rule = "the physics give the same bits again"
    let (o, g) = (environment.task.spec.observation, environment.task.spec.goal)
    let isMoving = trajectory.desiredGoal.count > g
    var shown = environment.reset(seed: trajectory.seed, as: kind)
    guard shown.desiredGoal.elementsEqual(trajectory.desiredGoal.prefix(g)),
      shown.observation.elementsEqual(trajectory.observations.prefix(o))
    else { return found.compare(rule, false, at: "\(place), at its start") }
    for t in 0..<trajectory.length {
      guard let action = action(of: trajectory, at: t) else {
        return found.compare(rule, false, at: "\(place), step \(t), whose action is none")
      }
      let step = environment.step(action)
      shown = step.next
      guard shown.observation.elementsEqual(trajectory.observations[(t + 1) * o..<(t + 2) * o]),
        !isMoving
          || shown.desiredGoal.elementsEqual(
            trajectory.desiredGoal[(t + 1) * g..<(t + 2) * g]),
        trajectory.rewards.isEmpty || step.reward == trajectory.rewards[t],
        trajectory.successes.isEmpty || step.isSuccess == trajectory.successes[t]
      else { return found.compare(rule, false, at: "\(place), step \(t)") }
    }
  }

  /// An episode's action; nil for a number outside the task's actions.
  func action(of trajectory: Trajectory, at t: Int) -> Action? {
    switch (trajectory.actions, task.spec.action) {
    case (.continuous(let values), .continuous(let low, _)):
      return .continuous(Array(values[t * low.count..<(t + 1) * low.count]))
    case (.discrete(let values), .discrete(let count)):
      return 0..<Int32(count) ~= values[t] ? .discrete(Int(values[t])) : nil
    default: return nil
    }
  }
}

extension Verification {
  /// Broken rules as they are found.
  struct Findings: Sendable {
    private(set) var list: [Finding] = []

    mutating func compare(_ rule: String, _ holds: Bool, at place: @autoclosure () -> String) {
      if !holds { merge([Finding(rule: rule, count: 1, first: place())]) }
    }

    /// Counts every value that breaks a rule; `place` says where the one of a number stands.
    mutating func compareAll<Value>(
      _ rule: String, _ values: [Value], _ holds: (Value) -> Bool, at place: (Int) -> String
    ) {
      guard let first = values.firstIndex(where: { !holds($0) }) else { return }
      let count = values[first...].count { !holds($0) }
      merge([Finding(rule: rule, count: count, first: place(first))])
    }

    mutating func merge(_ other: Findings) { merge(other.list) }

    mutating func merge(_ finding: Finding) { merge([finding]) }

    private mutating func merge(_ others: [Finding]) {
      for other in others {
        if let known = list.firstIndex(where: { $0.rule == other.rule }) {
          list[known].count += other.count
        } else {
          list.append(other)
        }
      }
    }
  }
}
