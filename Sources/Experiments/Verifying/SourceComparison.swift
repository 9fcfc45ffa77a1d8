import GoalCore
import Storage

/// How what a source computed by its own rules compares with what the task and the simulator give.
struct SourceComparison: Sendable {
  /// Stored rewards or successes compared with the task's.
  struct Agreement: Sendable, Equatable {
    /// A rule that stored numbers may follow.
    struct Rule: Sendable, Equatable {
      /// Whether they are those of the state after a step, rather than before it.
      let isAfter: Bool
      /// The number that is added to the task's: 1 for rewards of 0 and 1.
      let shift: Float
      /// Steps whose number follows it.
      var matches = 0
      /// The first step whose number does not.
      var firstOther: String?
    }

    /// Steps that were compared.
    private(set) var steps = 0
    /// The rules, the task's own first.
    private(set) var rules: [Rule]

    init(shifts: [Float]) {
      rules = shifts.flatMap { shift in
        [true, false].map { Rule(isAfter: $0, shift: shift) }
      }
    }

    /// The rule that most steps follow.
    var best: Rule { rules.max { $0.matches < $1.matches } ?? rules[0] }

    /// The best rule's twin, on the same scale and of the other state.
    var other: Rule {
      let best = best
      return rules.first { $0.shift == best.shift && $0.isAfter != best.isAfter } ?? best
    }

    /// Counts a step: what is stored, and what the task gives for the state after it and before it.
    mutating func add(
      _ stored: Float, after: Float, before: Float, at place: @autoclosure () -> String
    ) {
      steps += 1
      for k in rules.indices {
        let given = (rules[k].isAfter ? after : before) + rules[k].shift
        if given == stored {
          rules[k].matches += 1
        } else if rules[k].firstOther == nil {
          rules[k].firstOther = place()
        }
      }
    }

    mutating func merge(_ other: Agreement) {
      steps += other.steps
      for (k, rule) in other.rules.enumerated() {
        rules[k].matches += rule.matches
        rules[k].firstOther = rules[k].firstOther ?? rule.firstOther
      }
    }
  }

  /// Episodes that were simulated again from seeds that a conversion kept.
  struct Replays: Sendable, Equatable {
    /// The same to the bit.
    var exact = 0
    /// The same but for rounding.
    var near = 0
    /// Other at the start.
    var otherStarts = 0
    /// Other at a later step.
    var otherSteps = 0
    /// The first that is other.
    var firstOther: String?

    /// Those that came out the same.
    var same: Int { exact + near }
    /// Those that were tried.
    var tried: Int { same + otherStarts + otherSteps }

    mutating func merge(_ other: Replays) {
      exact += other.exact
      near += other.near
      otherStarts += other.otherStarts
      otherSteps += other.otherSteps
      firstOther = firstOther ?? other.firstOther
    }
  }

  /// Rewards, on the scale of -1 and 0 or on that of 0 and 1.
  var rewards = Agreement(shifts: [0, 1])
  /// Successes, 0 or 1.
  var successes = Agreement(shifts: [0])
  var replays = Replays()

  mutating func merge(_ other: SourceComparison) {
    rewards.merge(other.rewards)
    successes.merge(other.successes)
    replays.merge(other.replays)
  }
}

extension EpisodeRules {
  /// Numbers of the simulator that differ by no more than this, relative to those over 1, are the
  /// same: other builds of one simulator differ in their last digits.
  static let replayTolerance: Float = 1e-5

  /// Compares a source's own rewards and successes with the task's.
  func compare(
    _ trajectory: Trajectory, _ place: String, _ comparison: inout SourceComparison
  ) {
    let g = task.spec.goal
    guard !compared.isEmpty, !trajectory.desiredGoal.isEmpty else { return }
    let stride = trajectory.desiredGoal.count > g ? g : 0
    trajectory.achievedGoals.withUnsafeBufferPointer { achieved in
      trajectory.desiredGoal.withUnsafeBufferPointer { desired in
        guard let a = achieved.baseAddress, let first = desired.baseAddress else { return }
        for t in 0..<trajectory.length {
          let (before, after, goal) = (a + t * g, a + (t + 1) * g, first + t * stride)
          if compared.contains(.rewards), !trajectory.rewards.isEmpty {
            comparison.rewards.add(
              trajectory.rewards[t], after: task.reward(after, goal),
              before: task.reward(before, goal), at: "\(place), step \(t)")
          }
          if compared.contains(.successes), !trajectory.successes.isEmpty {
            comparison.successes.add(
              trajectory.successes[t] ? 1 : 0, after: task.isReached(after, goal) ? 1 : 0,
              before: task.isReached(before, goal) ? 1 : 0, at: "\(place), step \(t)")
          }
        }
      }
    }
  }

  /// Simulates a converted episode from the seed that it kept, which may be another simulator's.
  func replayKept(
    _ trajectory: Trajectory, in environment: any GoalEnvironment, _ place: String,
    _ replays: inout SourceComparison.Replays
  ) {
    let o = environment.task.spec.observation
    var isExact = true
    func isSame(_ mine: [Float], _ stored: some Collection<Float>) -> Bool {
      guard mine.count == stored.count else { return false }
      for (a, b) in zip(mine, stored) where a != b {
        isExact = false
        guard abs(a - b) <= EpisodeRules.replayTolerance * max(1, abs(b)) else { return false }
      }
      return true
    }
    let shown = environment.reset(seed: trajectory.seed)
    guard isSame(shown.observation, trajectory.observations.prefix(o)),
      trajectory.desiredGoal.isEmpty
        || isSame(shown.desiredGoal, trajectory.desiredGoal.prefix(task.spec.goal))
    else {
      replays.otherStarts += 1
      replays.firstOther = replays.firstOther ?? "\(place), at its start"
      return
    }
    for t in 0..<trajectory.length {
      guard let action = action(of: trajectory, at: t),
        isSame(
          environment.step(action).next.observation,
          trajectory.observations[(t + 1) * o..<(t + 2) * o])
      else {
        replays.otherSteps += 1
        replays.firstOther = replays.firstOther ?? "\(place), step \(t)"
        return
      }
    }
    if isExact { replays.exact += 1 } else { replays.near += 1 }
  }
}
